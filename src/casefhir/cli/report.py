"""`casefhir report`: bundles as one page."""

from pathlib import Path

import rich_click as click

from casefhir.cli.common import talk
from casefhir.whole_file import write_file


@click.command()
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The HTML file to write."
)
@click.option(
    "--findings/--no-findings",
    default=True,
    show_default=True,
    help="Validate first and show what was found beside each fact.",
)
@click.option(
    "--sources",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the source documents: their text stands beside the record, with the words of each fact.",
)
def report(bundles: tuple[Path, ...], output: Path, findings: bool, sources: Path | None) -> None:
    """Write R4 bundles or NDJSON as one HTML page: timeline, record, findings.

    The page needs no network and no other file. Dates are drawn as precise as they are told.

    Example: casefhir report bundles -o report.html
    """
    from casefhir.report.bundles import read
    from casefhir.report.check import findings as found
    from casefhir.report.documents import Sources
    from casefhir.report.page import page

    resources = read(bundles)
    if resources.doubt:
        talk(resources.doubt)
    data = page(resources, found(bundles) if findings else None, Sources(sources) if sources else None)
    write_file(output, data)
    talk(f"Written to {output}: {len(resources)} resources.")
