"""Tables looked through for how their rows are sorted and from where they can be read on, by one process or several.

What is looked at together does not depend on how many they are, so neither do the marks, nor the pieces cut at them.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from casefhir.processes import in_order
from casefhir.sources.tables.keys import IN_MEMORY, KeyedTable, Marks, Order, Span
from casefhir.sources.tables.readers.skimming import can_be_parted
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.rows import TableError

SPAN = 16 << 20
"""Bytes of a text table that are looked at together."""
_WORTH = 8
"""Spans for which several processes are worth their start."""


@dataclass(slots=True)
class Seen:
    """What was seen of a table, or in a span of it: how many rows have a key, the first and the last of the keys, the
    orders in which they ascend, and where reading can begin.
    """

    count: int = 0
    first: str = ""
    last: str = ""
    orders: set[Order] = field(default_factory=lambda: {"text", "number"})
    marks: Marks = field(default_factory=Marks)

    @property
    def enough(self) -> bool:
        """Whether no more has to be known: it is not sorted, and not small."""
        return not self.orders and self.count > IN_MEMORY

    def keys(self, keys: Iterable[str]) -> None:
        """Look at keys that come one after the other."""
        marks, orders, last, count = self.marks, self.orders, self.last, self.count
        for key in keys:
            if not key:
                continue
            count += 1
            if marks.waiting is not None:
                marks.key(key)
            if key != last:
                self._follow(last, key)
                last = key
            if count > IN_MEMORY and not orders:
                break
        self.last, self.count = last, count

    def add(self, other: "Seen", span: Span, lines: int) -> None:
        """Look at what was seen in the span that follows, above which stand so many `lines` of its file."""
        self.count += other.count
        self.orders &= other.orders
        if other.first:
            self._follow(self.last, other.first)
            self.last = other.last
        self.marks.add(other.marks, span.part, lines)

    def _follow(self, last: str, key: str) -> None:
        if not last:
            self.first = key
        if key < last:
            self.orders.discard("text")
        if not _plain(key) or (len(key), key) < (len(last), last):
            self.orders.discard("number")


def looked_through(tables: Sequence[KeyedTable], *, jobs: int = 1) -> list[KeyedTable]:
    """`tables` with what was seen of them; raises `TableError` for those that cannot be read."""
    spans = [span for place, table in enumerate(tables) for span in _spans(place, table)]
    found = [Seen() for _ in tables]
    lines: dict[tuple[int, int], int] = {}
    wanted = (span for span in spans if not found[span.table].enough)
    lost = TableError("A process that looked through the tables was ended from outside; try fewer --jobs.")
    several = jobs if len(spans) >= _WORTH else 1
    for span, (seen, counted) in in_order(wanted, _Looker, (tuple(tables),), jobs=several, lost=lost):
        above = lines.get((span.table, span.part), 0)
        if not found[span.table].enough:
            found[span.table].add(seen, span, above)
        lines[span.table, span.part] = above + counted
    return [
        replace(table, orders=frozenset(seen.orders), count=seen.count, marks=seen.marks)
        for table, seen in zip(tables, found)
    ]


def _spans(place: int, table: KeyedTable) -> Iterator[Span]:
    for number, part in enumerate(table.table.parts):
        size = part.print.size if isinstance(part, TextTable) and table.skims(part) and can_be_parted(part) else 0
        bounds = [*range(SPAN, size, SPAN), None]
        for begin, end in zip([0, *bounds], bounds):
            yield Span(place, number, begin or 0, end)


class _Looker:
    """Looks through spans of tables; one a process."""

    def __init__(self, tables: Sequence[KeyedTable]) -> None:
        self._tables = tables

    def __call__(self, span: Span) -> tuple[Seen, int]:
        """What is in the span, and how many lines it has (0 where it is a whole part)."""
        seen, lines, table = Seen(), 0, self._tables[span.table]
        try:
            for start, keys in table.keys(span):
                if start is not None:
                    seen.marks.place(start)
                    lines = start.number
                seen.keys(keys)
                if seen.enough:
                    break
        except TableError:
            if span.begin:
                deque(table.keys(Span(span.table, span.part)), maxlen=0)  # raises it with the right line
            raise
        return seen, lines


def _plain(key: str) -> bool:
    return key.isascii() and key.isdigit() and key[0] != "0"
