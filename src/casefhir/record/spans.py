"""Where in a document, or in a table, a fact stands."""

from dataclasses import dataclass

from casefhir.record.codes import Code
from casefhir.record.errors import RecordError

ELISION = "…"
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Span:
    """`length` code points from `offset` (0-based) of the document decoded as UTF-8, exactly as hashed.

    `quote` is how the place reads: its words when they are short, or its first and last words (and any in between)
    with `…` for what is left out. Line breaks and the hyphens of broken words are not written. Sentences of a document
    are never quoted whole: a quote has at most 80 characters.
    """

    offset: int
    length: int
    quote: str

    def __post_init__(self) -> None:
        if self.offset < 0 or self.length < 1:
            raise RecordError(
                f"A span starts at 0 or later and is at least 1 long, not ({self.offset}, {self.length})."
            )
        if not self.quote.strip() or self.quote != self.quote.strip():
            raise RecordError(
                f"The quote {self.quote!r} of the span at {self.offset} is empty or has blanks at its ends."
            )
        if len(self.quote) > LONGEST_QUOTE:
            raise RecordError(
                f"The quote of the span at {self.offset} has {len(self.quote)} characters, more than {LONGEST_QUOTE}: "
                f"keep its first and last words and put {ELISION} for the rest."
            )

    @property
    def end(self) -> int:
        """The offset of the first code point after the span."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one row of a table: the table's name, the row's number (data rows count from 1), the columns read.

    For the index and for messages alone: a row's number changes with the rows above it, so no resource holds it.
    """

    table: str
    row: int
    columns: tuple[str, ...] = ()


Source = Span | Cells | tuple[Span | Cells, ...]


def at(offset: int, length: int, quote: str) -> Span:
    """The place of `length` code points at `offset` that reads `quote` (see `Span`)."""
    return Span(offset, length, quote)


@dataclass(frozen=True, slots=True)
class Told:
    """Words for one element of a fact, with the place of their own where they stand at another than the fact's, and
    the codes that the source gives for them.
    """

    text: str
    source: Source | None = None
    codes: tuple[Code, ...] = ()


Text = str | Told
"""A field's words, alone or with their place and codes."""


def spans_of(source: Source | None) -> tuple[Span, ...]:
    """The places of `source` in a document, the clearest first; none where it stands in a table."""
    if isinstance(source, Span):
        return (source,)
    if isinstance(source, tuple):
        return tuple(each for each in source if isinstance(each, Span))
    return ()


def cells_of(source: Source | None) -> tuple[Cells, ...]:
    """The places of `source` in tables; none where it stands in a document."""
    if isinstance(source, Cells):
        return (source,)
    if isinstance(source, tuple):
        return tuple(each for each in source if isinstance(each, Cells))
    return ()
