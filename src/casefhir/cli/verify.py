"""`casefhir verify`: prove mappings against their documents."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, emit, talk
from casefhir.cli.manual import cases

if TYPE_CHECKING:
    from casefhir.sources.article.modules import Mapping
    from casefhir.sources.article.verify import VerifyReport

WIDE = 160  # columns, where a table is not drawn on a terminal
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("mappings", nargs=-1, metavar="[MAPPING]...", shell_complete=cases)
@click.option("--sources", required=True, type=FOLDER, help="Folder of the source documents, found by their hash.")
@click.option("--relocate", is_flag=True, help="Find the facts again in another rendition of the article.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a case on stdout.")
def verify(mappings: tuple[str, ...], sources: Path, relocate: bool, as_json: bool) -> None:
    """Prove, fact by fact, that the documents say what the mappings claim.

    MAPPING is a case key, a mapping file or a record; without any, the published cases are verified. What --relocate
    finds again is called relocated, not proven: only the unchanged document proves.

    Example: casefhir verify examples/example_azathioprine_dermatomyositis.py --sources examples
    """
    from casefhir import library
    from casefhir.sources.article.modules import MappingError, published_mappings, resolve

    reports: list[VerifyReport] = []
    refused = 0
    for path in [resolve(name) for name in mappings] if mappings else published_mappings():
        try:
            mapping = library.load_case(path)
        except MappingError as error:
            refused += 1
            talk(str(error))
            if as_json:
                emit({"mapping": str(path), "refused": str(error).splitlines()})
            continue
        report = _report(mapping, sources, relocate)
        reports.append(report)
        if as_json:
            emit(report.as_json())
    if not as_json:
        _show(reports)
    raise SystemExit(DONE if not refused and all(report.ok for report in reports) else FINDINGS)


def _report(mapping: "Mapping", sources: Path, relocate: bool) -> "VerifyReport":
    from casefhir.sources.article.document import DocumentError, find_by_hash
    from casefhir.sources.article.relocate import relocate_in
    from casefhir.sources.article.verify import unproven, verify

    try:
        if relocate:
            return relocate_in(mapping, sources)
        return verify(mapping, find_by_hash(sources, mapping.case.document.sha256))
    except DocumentError as error:
        return unproven(mapping, sources, str(error))


def _show(reports: "list[VerifyReport]") -> None:
    from rich.console import Console
    from rich.table import Table

    for report in reports:
        for finding in report.findings:
            click.echo(str(finding))
    title = "Relocated" if any(each.is_relocation for each in reports) else "Proven against the documents"
    table = Table(title=title, title_justify="left")
    table.add_column("case", no_wrap=True)
    for name in ("facts", "spans", "figures", "dates", "names", "own words", "dates apart", "findings"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in reports:
        numbers = (
            each.facts,
            each.spans,
            each.figures,
            each.dates,
            each.words,
            len(each.own_words),
            len(each.dates_apart),
            len(each.findings),
        )
        said = "relocated, not proven" if each.is_relocation else "proven" if each.ok else "not proven"
        table.add_row(each.case, *(str(number) for number in numbers), said)
    Console(stderr=True, width=None if sys.stderr.isatty() else WIDE).print(table)
