"""A table of the mapping with all the files that hold it: their rows one after the other, as the mapping wants them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casefhir.sources.tables.readers import OnFault, Table
from casefhir.sources.tables.readers.base import Number
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.rows import OnStart, Row, Sheet, Start, column_places, numbered, split


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table of the mapping with all the files that hold it."""

    sheet: Sheet
    parts: tuple[Table, ...]
    comma: bool = False
    """Whether its texts have decimal commas; numbers of typed formats are written so then."""
    fill: tuple[int, ...] = ()
    """The places of columns whose blank cells say what the cell above says, for rows of one person."""
    persons: tuple[int, ...] = ()
    """The places of the columns that tell whose a row is."""

    @property
    def in_place(self) -> bool:
        """Whether reading can begin in its middle."""
        return not self.fill and all(isinstance(part, TextTable) and part.in_place for part in self.parts)

    def rows(
        self, fault: OnFault, only: int | None = None, *, start: Start | None = None, mark: OnStart | None = None
    ) -> Iterator[tuple[int, Row]]:
        """The rows of all parts one after the other, or of one; `Sheet.place` leads from a number to file and row.

        Where it can be read `in_place`, `mark` is told from where it could be read on, and `start` is such a place.
        """
        first, number = split(start.number) if start else (0, 0)
        for place, part in enumerate(self.parts):
            if place < first or (only is not None and place != only):
                continue
            begin = Start(number, start.at) if start and place == first else None
            above = _Above(self.fill, self.persons)
            rows = self._part(place, part, above.forgetting(fault) if self.fill else fault, begin, mark)
            if self.comma and not isinstance(part, TextTable):
                rows = _with_commas(rows)
            if self.fill and not (isinstance(part, TextTable) and part.rejects):  # these stand alone
                rows = ((number, above.filled(row)) for number, row in rows)
            yield from rows

    def _part(
        self, place: int, part: Table, fault: OnFault, start: Start | None, mark: OnStart | None
    ) -> Iterator[tuple[int, Row]]:
        columns, offset = self.sheet.columns, numbered(place, 0)

        def told(number: int, row: Row, reason: str) -> None:
            fault(offset + number, row, reason)

        def marked(begin: Start) -> None:
            if mark:
                mark(Start(offset + begin.number, begin.at))

        rows = part.rows(told, start, marked if mark else None) if isinstance(part, TextTable) else part.rows(told)
        if part.columns == columns:
            if not place:
                yield from rows
            else:
                for number, row in rows:
                    yield offset + number, row
            return
        order = [part.columns.index(name) if name in part.columns else None for name in columns]
        for number, row in rows:
            yield offset + number, tuple([None if at is None else row[at] for at in order])


def places_of(sheet: Sheet, columns: Sequence[str]) -> tuple[int, ...]:
    """The places of the columns that a table's `fill` names; raises `TableError` for one that is not there."""
    return column_places(
        sheet.columns,
        columns,
        lambda column: (
            f"{sheet.file}: `fill` names the column {column!r}, which is not there; the columns are "
            f"{', '.join(sheet.columns[:12])}."
        ),
    )


def _with_commas(rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    for number, row in rows:
        if any(type(cell) is Number for cell in row):
            row = tuple([cell.replace(".", ",") if type(cell) is Number else cell for cell in row])
        yield number, row


class _Above:
    """What the cells above say. It goes from person to person only in the columns that tell whose a row is; and never
    over a row that could not be read, for it may have been the first of another person.
    """

    def __init__(self, places: Sequence[int], persons: Sequence[int]) -> None:
        self._persons = [place for place in places if place in persons]
        self._others = [place for place in places if place not in persons]
        self._keys = persons
        self._cells: dict[int, str] = {}
        self._whose: list[str] | None = None

    def forgetting(self, fault: OnFault) -> OnFault:
        """`fault`, which is told of rows that cannot be read."""

        def told(number: int, row: Row, reason: str) -> None:
            self._cells.clear()
            fault(number, row, reason)

        return told

    def filled(self, row: Row) -> Row:
        """`row`, its blank cells filled."""
        cells = list(row)
        self._fill(cells, self._persons)
        whose = [(cells[place] or "").strip() for place in self._keys]
        if whose != self._whose:
            for place in self._others:
                self._cells.pop(place, None)
            self._whose = whose
        self._fill(cells, self._others)
        return tuple(cells)

    def _fill(self, cells: list[str | None], places: Sequence[int]) -> None:
        for place in places:
            cell = cells[place]
            if cell and cell.strip():
                self._cells[place] = cell
            else:
                cells[place] = self._cells.get(place, cell)
