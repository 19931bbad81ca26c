"""`casefhir show`: the record of a case as tables in the terminal."""

from typing import Any, cast

import rich_click as click

from casefhir.cli.common import console, emit
from casefhir.cli.manual import cases


@click.command()
@click.argument("case", shell_complete=cases)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a fact.")
@click.option(
    "--record",
    type=click.Choice(["yaml", "json"]),
    help="The whole record as a file that casefhir convert reads; casefhir schema record says its shape.",
)
def show(case: str, as_json: bool, record: str | None) -> None:
    """Show what the record of CASE (a case key, mapping or record file) says, fact by fact.

    Each fact has its key, what it says in a line, and its places in the article (offset+length).

    Example: casefhir show scig-antisynthetase-jo1
    """
    from casefhir import library

    mapping = library.load_case(case)
    if record:
        click.echo(library.write_record(mapping.case, cast("library.RecordForm", record)), nl=False)
        return
    rows = library.record_rows(mapping)
    if as_json:
        for row in rows:
            emit(row)
        return
    _tables(mapping.case.title, rows)


def _tables(title: str, rows: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    out = console()
    out.print(f"[bold]{escape(title)}[/bold]")
    for kind in dict.fromkeys(row["resource"] for row in rows):
        table = Table(
            Column("fact", overflow="fold", ratio=3),  # a key is copied from here, so none is cut
            Column("what it says", ratio=6),
            Column("source (offset+length)", ratio=2),
            title=kind,
            title_justify="left",
            expand=True,
        )
        for row in (each for each in rows if each["resource"] == kind):
            spans = ", ".join(f"{offset}+{length}" for offset, length in row["spans"])
            table.add_row(row["fact"], escape(row["says"]), spans)
        out.print(table)
