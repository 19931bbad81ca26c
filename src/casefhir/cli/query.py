"""`casefhir query`: SQL over bundles."""

from pathlib import Path

import rich_click as click

from casefhir.cli.common import talk


@click.command()
@click.argument("sql")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--view",
    "views",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A SQL-on-FHIR ViewDefinition: replaces the table of the same name, or adds one.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row; CSV without it.")
def query(sql: str, bundles: tuple[Path, ...], views: tuple[Path, ...], as_json: bool) -> None:
    """Run SQL (DuckDB) over the tables of R4 bundles or NDJSON; the tables are those of `casefhir table`.

    They are patients, visits, conditions, medications, observations, procedures, adverse_events, and columns, which
    explains the rest. A query can read nothing but them.

    Example: casefhir query 'select case_id, count(*) from conditions group by all' bundles
    """
    from casefhir import exactjson
    from casefhir.report.bundles import read
    from casefhir.report.csv_file import csv_bytes
    from casefhir.report.sql import query as ask
    from casefhir.report.tables import catalogue, tables, views_with

    resources = read(bundles)
    if resources.doubt:
        talk(resources.doubt)
    found = tables(resources, views_with(views))
    answer = ask(sql, [*found, catalogue(found)])
    if as_json:
        for row in answer.as_objects():
            click.echo(exactjson.write(row).decode("utf-8"))
    else:
        click.echo(csv_bytes(answer.as_table()), nl=False)
