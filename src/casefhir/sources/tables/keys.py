"""Whose a row is: tables with their key columns, and the order in which their keys come."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeGuard

from casefhir.sources.tables.open_table import OpenTable
from casefhir.sources.tables.readers.base import Table, of_labels
from casefhir.sources.tables.readers.skimming import Find, can_be_skimmed, skimmed
from casefhir.sources.tables.readers.text import MARKED, TextTable
from casefhir.sources.tables.readers.workbook import WorkbookSheet
from casefhir.sources.tables.rows import Broken, OnStart, Row, Sheet, Start, column_places, numbered, split
from casefhir.sources.tables.whole import bare, whole_places

Order = Literal["text", "number"]
Rank = tuple[int, str]
"""A key as it is compared: as text, or as a number without leading zeros."""
Fault = Callable[[str, int, Row, str], None]
"""Told of a row that belongs to nobody: table, number, cells, reason."""
Keyed = tuple[str, int, Row]
"""A row with the person's key and its number; it may be `Broken`, and is where the key is empty."""

SEPARATOR = "\x1f"
IN_MEMORY = 200_000
"""Rows of all tables together that are sorted in memory when they are not sorted already."""
_MOST_MARKS = 20_000


class Marks:
    """Places in a table with the keys that come there: every one that is told, or, when they are many, fewer."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Start]] = []
        self.waiting: Start | None = None
        self._every, self._told = 1, 0

    @property
    def spacing(self) -> int:
        """Rows from one to the next."""
        return MARKED * self._every

    def place(self, start: Start) -> None:
        """Reading could begin here."""
        if self._told % self._every == 0:
            self.waiting = start
        self._told += 1

    def key(self, key: str) -> None:
        """This key came next."""
        if self.waiting is not None:
            self.found.append((key, self.waiting))
            self.waiting = None
            self._thin_out()

    def add(self, others: "Marks", part: int, lines: int) -> None:
        """Those of the following lines, above which stand so many `lines`, in one of the table's parts."""
        while self._every < others._every:
            self._thin_out(most=0)
        for place, (key, start) in enumerate(others.found):
            if place % (self._every // others._every) == 0:
                self.found.append((key, Start(numbered(part, lines + start.number), start.at)))
                self._thin_out()

    def _thin_out(self, most: int | None = None) -> None:
        if len(self.found) >= (_MOST_MARKS if most is None else most):
            del self.found[1::2]
            self._every *= 2


class Span(NamedTuple):
    """What is looked through at once: of a part of a table (both by their places) the rows that begin between two
    bytes; from 0 to None: all of it.
    """

    table: int
    part: int
    begin: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table with the columns that say whose a row is; `orders` are the ways in which its keys were found to ascend,
    `marks` the places from which it can be read on.

    Where the columns name a row of another table, `leads` leads from it to the person, to the empty key if there are
    several, and `by` is that table's name.
    """

    name: str
    table: OpenTable
    places: tuple[int, ...]
    leads: Mapping[str, str] | None = None
    by: str = ""
    orders: frozenset[Order] = frozenset()
    count: int = 0
    marks: Marks = field(default_factory=Marks, compare=False)
    whole: tuple[int, ...] = ()
    """Those of `places` that hold whole numbers."""

    def read(
        self, *, part: int | None = None, start: Start | None = None, mark: OnStart | None = None
    ) -> Iterator[Keyed]:
        """The rows (of one of the parts; from `start` on) with their keys. Those that are none are `Broken`; so are
        those that name nobody, whose key is empty.
        """
        broken: list[tuple[int, Broken]] = []

        def told(number: int, row: Row, reason: str) -> None:
            broken.append((number, Broken.of(row, reason)))

        def marked(start: Start) -> None:
            if mark and not broken:  # their keys are told after the next row's place, but they stand before it
                mark(start)

        leads, find = self.leads, key_finder(self.places, self.whole)
        for number, row in self.table.rows(told, part, start=start, mark=marked if mark else None):
            if broken:
                yield from self._broken(find, broken)
            key = find(row)
            if key and leads is not None:
                key = leads.get(key, "")
            yield key, number, row if key else Broken.of(row, self._keyless(find, row))
        yield from self._broken(find, broken)

    def skims(self, part: Table) -> "TypeGuard[TextTable]":
        """Whether the keys of a part are found without reading its rows."""
        return isinstance(part, TextTable) and part.columns == self.table.sheet.columns and can_be_skimmed(part)

    def keys(self, span: Span) -> Iterator[tuple[Start | None, list[str]]]:
        """The keys of rows in their order, empty for those of nobody, in groups: each with the place in its part from
        where it can be read on, if there is one.
        """
        part, leads = self.table.parts[span.part], self.leads
        if self.skims(part):
            find, width = key_finder(self.places, self.whole), max(self.places) + 1
            for start, keys in skimmed(part, width, find, span.begin, span.end):
                there = start if self.table.in_place else None
                yield there, keys if leads is None else [leads.get(key, "") if key else "" for key in keys]
            return
        group: list[str] = []
        begin: Start | None = None
        told: list[Start] = []
        for key, _, _ in self.read(part=span.part, mark=told.append if self.table.in_place else None):
            if told or len(group) >= MARKED:
                yield begin, group
                begin, group = (Start(split(told[-1].number)[1], told[-1].at) if told else None), []
                told.clear()
            group.append(key)
        yield begin, group

    def _keyless(self, find: Callable[[Row], str], row: Row) -> str:
        if self.leads is not None and self.leads.get(find(row)) == "":
            return two_persons(self.by)
        return keyless(self.table.sheet, self.places, row, self.by)

    def _broken(self, find: Callable[[Row], str], broken: list[tuple[int, Broken]]) -> Iterator[Keyed]:
        width = max(self.places) + 1
        for number, row in broken:
            key = find(row) if len(row) >= width else ""
            if key and self.leads is not None:
                key = self.leads.get(key, "")
            yield key, number, row
        broken.clear()


def keyed(
    name: str,
    table: OpenTable,
    columns: Sequence[str],
    *,
    leads: Mapping[str, str] | None = None,
    by: str = "",
    whole: Sequence[str] = (),
) -> KeyedTable:
    """`table` with its key columns. `whole` has patterns of columns that hold whole numbers.

    Raises `TableError` where a key column is not there.
    """
    places = key_places(name, table, columns)
    bare_places = tuple(place for place in whole_places(table.sheet.columns, whole) if place in places)
    return KeyedTable(name, table, places, leads, by, whole=bare_places)


def rank(key: str, order: Order) -> Rank:
    """What a key is compared by."""
    return (len(key) if order == "number" else 0, key)


def key_places(name: str, table: OpenTable, columns: Sequence[str]) -> tuple[int, ...]:
    """Where the key columns stand; raises `TableError` for one that is not there."""
    return column_places(
        table.sheet.columns,
        columns,
        lambda column: (
            f"{table.sheet.file}: The key column {column!r} of table {name!r} is not there; the columns are "
            f"{', '.join(table.sheet.columns[:12])}.{_header_elsewhere(name, table, column)}"
        ),
    )


def _header_elsewhere(name: str, table: OpenTable, column: str) -> str:
    """What to say where another row holds the column, or the columns are labels."""
    for part in table.parts:
        if isinstance(part, TextTable | WorkbookSheet):
            for number, cells in part.beginning():
                if any(cell.strip().casefold() == column.casefold() for cell in cells):
                    return f" Row {number} looks like the header: say header = {number} in [tables.{name}]."
    return of_labels(table.sheet.columns)


def key_finder(places: tuple[int, ...], whole: tuple[int, ...]) -> Find:
    """The key of a row: its key cells without blanks around them, at `whole` bare; empty where one is blank."""
    if len(places) == 1 and not whole:
        (place,) = places

        def one(row: Sequence[str | None]) -> str:
            key = row[place]
            if not key:
                return ""
            if key[0] <= " " or key[-1] <= " ":
                key = key.strip()
            return "" if SEPARATOR in key else key

        return one

    def several(row: Sequence[str | None]) -> str:
        cells = [(row[place] or "").strip() for place in places]
        if whole:
            cells = [bare(cell) if place in whole else cell for place, cell in zip(places, cells)]
        return SEPARATOR.join(cells) if all(cells) and not any(SEPARATOR in cell for cell in cells) else ""

    return several


def two_persons(by: str) -> str:
    """Why a row that leads to several persons by the table `by` is nobody's."""
    return f"The row leads to two persons by table {by!r}; it has to lead to one."


def keyless(sheet: Sheet, places: Sequence[int], row: Row, by: str = "") -> str:
    """Why a whole row is nobody's: its cells at `places` are blank, or lead nowhere by the table `by`."""
    names = ", ".join(sheet.columns[place] for place in places)
    cells = ", ".join(row[place] or "" for place in places)
    if by and cells.strip(", "):
        return f"The row leads to nobody: table {by!r} has no row for {names} = {cells!r}; mend either."
    return f"The row does not say whose it is: {names} is blank; fill it in."
