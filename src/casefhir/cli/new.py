"""`casefhir new`: the skeleton of a mapping for a further report."""

import datetime as dt
from pathlib import Path

import rich_click as click

from casefhir.cli.common import talk


@click.command()
@click.argument("case")
@click.option(
    "--document",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The report, a UTF-8 text; only its hashes and offsets are kept.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mappings"),
    show_default=True,
    help="Folder that the mapping is written into.",
)
def new(case: str, document: Path, out: Path) -> None:
    """Write a commented mapping skeleton for a further report, under the key CASE.

    It has the document's hashes, its sections and an example of each kind of fact, and loads as it is. A mapping that
    is already there is not overwritten.

    Example: casefhir new rituximab-morphea --document report.txt
    """
    from casefhir.sources.article.document import Document
    from casefhir.sources.article.scaffold import scaffold

    recorded = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT00:00:00Z")
    path = scaffold(case, Document.read(document), out, recorded)
    click.echo(str(path))
    talk("Next: write its facts (casefhir locate finds their places), then casefhir verify and coverage.")
