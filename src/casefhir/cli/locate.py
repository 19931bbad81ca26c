"""`casefhir locate`: where words stand in a document."""

from pathlib import Path

import rich_click as click

from casefhir.sources.article.document import Document


@click.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("words")
def locate(document: Path, words: str) -> None:
    """Find WORDS in DOCUMENT and print each place as a mapping writes it.

    `first … last` (or `first ... last`) finds the shortest stretches from the first words to the last.

    Example: casefhir locate article.txt 'C-reactive … 22.7 mg/l'
    """
    found = list(Document.read(document).locate(words.replace("...", "…")))
    text = Document.read(document)
    for span in found:
        click.echo(f'at({span.offset}, {span.length}, "{span.quote}"),  # line {text.line_of(span.offset)}')
    if not found:
        click.echo(f"Nothing in {document} reads {words!r}.", err=True)
        raise SystemExit(1)
