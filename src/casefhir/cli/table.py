"""`casefhir table`: bundles as flat tables."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import talk
from casefhir.whole_file import write_file

if TYPE_CHECKING:
    from casefhir.report.bundles import Resources


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the tables."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "xlsx", "phenopacket"]),
    default="csv",
    show_default=True,
    help="What kind of files to write.",
)
@click.option(
    "--view",
    "views",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A SQL-on-FHIR ViewDefinition: replaces the table of the same name, or adds one.",
)
def table(bundles: tuple[Path, ...], output: Path, form: str, views: tuple[Path, ...]) -> None:
    """Write R4 bundles or NDJSON as tables: patients, visits, conditions, medications,
    observations, procedures, adverse_events.

    The table `columns` says what each column means. Text that a spreadsheet would run as a formula gets a quote
    before it. `--format phenopacket` writes a GA4GH Phenopacket (version 2) a case instead, and left_out.csv: what
    these cannot say, and why.

    Example: casefhir table bundles -o tables --format xlsx
    """
    from casefhir.report.bundles import read
    from casefhir.report.tables import catalogue, tables, views_with

    resources = read(bundles)
    if resources.doubt:
        talk(resources.doubt)
    if form == "phenopacket":
        if views:
            raise click.UsageError("--view is about tables; a phenopacket has none. Leave one of them out.")
        _phenopackets(resources, output)
        return
    found = tables(resources, views_with(views))
    found.append(catalogue(found))
    if form == "xlsx":
        from casefhir.report.workbook import workbook_bytes

        write_file(output / "tables.xlsx", workbook_bytes(found))
    elif form == "parquet":
        from casefhir.report.columnar import parquet_bytes

        for each in found:
            write_file(output / f"{each.name}.parquet", parquet_bytes(each))
    else:
        from casefhir.report.csv_file import csv_bytes

        for each in found:
            write_file(output / f"{each.name}.csv", csv_bytes(each))
    talk("Written to " + str(output) + ": " + ", ".join(f"{each.name} ({len(each.rows)})" for each in found) + ".")


def _phenopackets(resources: "Resources", output: Path) -> None:
    from casefhir.report.csv_file import csv_bytes
    from casefhir.report.phenopacket import left_out, packets

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = packets(resources, now, f"casefhir {version('casefhir')}")
    for packet in found:
        write_file(output / f"{packet.file_name}.json", packet.as_json())
    table = left_out(found)
    write_file(output / "left_out.csv", csv_bytes(table))
    talk(f"Written to {output}: {len(found)} phenopackets; left_out.csv has {len(table.rows)} lines.")
