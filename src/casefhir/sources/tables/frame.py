"""Tables as rules see them: columns, derived columns, how cells are read, which rows count."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from casefhir.sources.tables.dates import DateReader
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.mapping import Reading
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.results import ResultReader
from casefhir.sources.tables.rows import Row, Sheet, find_column
from casefhir.sources.tables.telling import Telling
from casefhir.sources.tables.whole import whole_places, with_bare

if TYPE_CHECKING:
    from casefhir.sources.tables.load import LoadedMapping


class TableFrame:
    """A table as rules see it: its columns and those derived from them, and how its cells are read."""

    def __init__(self, name: str, sheet: Sheet, reading: Reading, dropped: Callable[[str], bool]) -> None:
        self.name = name
        self.sheet = sheet
        self.reading = reading
        self.columns: list[str] = list(sheet.columns)
        self.dropped = [place for place, column in enumerate(sheet.columns) if dropped(column)]
        self.bare = whole_places(sheet.columns, reading.whole)
        self.derived: list[Expression] = []
        self.where: Expression | None = None
        self.missing = frozenset({"", *reading.missing})
        self.blank = frozenset({*self.missing, *reading.absent})
        self.dates = DateReader(reading.dates, pivot=reading.two_digit_years_from, zone=reading.timezone)
        self.results = ResultReader(reading)

    def whole(self, row: Row) -> Row:
        """`row` without dropped cells and with the derived ones, whole numbers bare; raises `Refused`."""
        if self.bare:
            row = with_bare(row, self.bare)
        if self.dropped:
            cells = list(row)
            for place in self.dropped:
                cells[place] = None
            row = tuple(cells)
        for expression in self.derived:
            row = (*row, answer(expression, row))
        return row

    def printed(self, columns: Iterable[str]) -> tuple[str, ...]:
        """`columns` as the file has them: for derived ones those that they are made of."""
        derived = dict(zip(self.columns[len(self.sheet.columns) :], self.derived))
        found: dict[str, None] = {}
        for column in columns:
            made = derived.get(column)
            found.update(dict.fromkeys((column,) if made is None else self.printed(made.columns)))
        return tuple(found)

    def clean(self, cell: str) -> str:
        """A cell as expressions see it."""
        text = cell.strip()
        return "" if text in self.missing else text


@dataclass(slots=True)
class Frame:
    """All that rules are compiled with; `problems` gathers what is wrong, `used` the columns that are read."""

    loaded: "LoadedMapping"
    tables: dict[str, TableFrame]
    lookups: Mapping[str, Lookup]
    problems: list[str] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    maps_hit: set[tuple[str, str]] = field(default_factory=set)
    left: list[Callable[[Telling], None]] = field(default_factory=list)
    """Count, when a person is told, the rows of supplements that led to no row."""

    def resolve(self, table: str, name: str) -> str:
        """The column that `name` stands for in a table; `name` itself where there is none."""
        columns = self.tables[table].columns if table in self.tables else ()
        place = find_column(columns, name)
        return name if place is None else columns[place]

    def csv_map(self, name: str) -> dict[str, str]:
        """The value map in a CSV file beside the mapping: first column to second."""
        if name not in self.maps:
            rows = read_csv(self.loaded.folder / name)
            self.maps[name] = {row[0].strip(): row[1].strip() for row in rows[1:] if len(row) > 1}
        return self.maps[name]


def read_csv(path: Path) -> list[list[str]]:
    """The rows of a small CSV file of a mapping, header first; raises `Refused`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path.name} cannot be read beside the mapping ({error})", "put it there, in UTF-8") from None
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    return [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]


def answer(expression: Expression, row: Row) -> str | None:
    """What an expression gives for a row, as words; raises `Refused`."""
    try:
        found = expression.of(row)
    except ExpressionError as error:
        raise Refused(
            f"the expression {expression.text} fails: {str(error)!r}", "mend the cell or the expression"
        ) from None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) or None


def passes(expression: Expression, row: Row) -> bool:
    """Whether a row meets a condition; raises `Refused`."""
    return answer(expression, row) == "true"
