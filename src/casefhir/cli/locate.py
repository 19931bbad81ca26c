"""`casefhir locate`: where words stand in a document."""

from pathlib import Path

import rich_click as click

from casefhir.cli.common import DONE, FINDINGS, emit, talk


@click.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("words")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a place.")
def locate(document: Path, words: str, as_json: bool) -> None:
    """Find WORDS in DOCUMENT and print each place as a mapping writes it.

    `first … last` (or `first ... last`) finds the shortest stretches from the first words to the last.

    Example: casefhir locate examples/example-article.txt 'CK of … UI/l'
    """
    from casefhir.sources.article.document import Document

    text = Document.read(document)
    found = list(text.locate(words.replace("...", "…")))
    for span in found:
        line = text.line_of(span.offset)
        if as_json:
            emit({"offset": span.offset, "length": span.length, "quote": span.quote, "line": line})
        else:
            quote = span.quote.replace("\\", "\\\\").replace('"', '\\"')
            click.echo(f'at({span.offset}, {span.length}, "{quote}"),  # line {line}')
    if not found:
        talk(f"Nothing in {document} reads {words!r}.")
    raise SystemExit(DONE if found else FINDINGS)
