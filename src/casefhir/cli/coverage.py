"""`casefhir coverage`: what of a document a case accounts for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, emit, talk
from casefhir.cli.manual import cases
from casefhir.cli.verify import FOLDER, WIDE

if TYPE_CHECKING:
    from casefhir.sources.article.coverage import CoverageReport


@click.command()
@click.argument("case", shell_complete=cases)
@click.option("--sources", required=True, type=FOLDER, help="Folder of the source documents, found by their hash.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def coverage(case: str, sources: Path, as_json: bool) -> None:
    """Show that every stretch of the document's sections is in a fact, or left out for a reason.

    CASE is a case key, a mapping file or a record.

    Example: casefhir coverage examples/example_azathioprine_dermatomyositis.py --sources examples
    """
    from casefhir import library

    report = library.coverage(case, sources)
    if as_json:
        emit(report.as_json())
    else:
        _show(report)
    raise SystemExit(DONE if report.ok else FINDINGS)


def _show(report: "CoverageReport") -> None:
    from rich.console import Console
    from rich.table import Table

    for finding in report.findings:
        click.echo(str(finding))
    table = Table(title=f"Words of {report.case}, section by section", title_justify="left")
    table.add_column("section")
    for name in ("words", "in facts", "left out", "in neither"):
        table.add_column(name, justify="right")
    for each in report.sections:
        numbers = (each.words, each.in_facts, each.left_out, each.words - each.in_facts - each.left_out)
        table.add_row(each.title, *(str(number) for number in numbers))
    Console(stderr=True, width=None if sys.stderr.isatty() else WIDE).print(table)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(report.reasons.items()))
    talk(f"Stretches left out: {reasons or 'none'}.")
