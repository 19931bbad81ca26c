"""What readers hand over: rows of text cells, exactly as a file holds them, and the rows of one person together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from casefhir.errors import CasefhirError

Row = tuple[str | None, ...]
"""The cells of one row, in the order of its sheet's columns; None where a database or a Parquet file holds null."""

OURS = "casefhir_"
"""Columns whose names start so are our own remarks (in rejects) and are not read back."""

_PART = 40  # bits of a row's number within its file; the file's place among the table's files stands above them


class TableError(CasefhirError):
    """A table that cannot be read: which file, where in it, what is wrong, how to mend it."""


class TableMissing(TableError):
    """A table that the mapping needs and the inputs lack."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as the mapping calls it: the names of the files that hold it, and its columns in their order.
    `lacking` are columns that a part of it has not, each with the name of such a file.
    """

    name: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    lacking: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The names of its files, for people."""
        return ", ".join(dict.fromkeys(self.files))

    def place(self, number: int) -> tuple[str, int]:
        """The file and the line, spreadsheet row or record in it that the row `number` is."""
        part, number = split(number)
        return self.files[part], number


def numbered(part: int, number: int) -> int:
    """The number of a row of the `part`th file of its table: in the first file it is the row's own."""
    return part << _PART | number


def split(number: int) -> tuple[int, int]:
    """The part and the number of the row in it: `numbered` undone."""
    return number >> _PART, number & ((1 << _PART) - 1)


class Start(NamedTuple):
    """Where reading can begin: the number of the row there, and where the reader finds it (its own affair)."""

    number: int
    at: int


OnStart = Callable[[Start], None]
"""Told now and then of a place from which the rows could be read on, before the row there is given."""


class Broken(tuple[str | None, ...]):
    """The cells, as far as they can be told apart, of a row that is none, and the reason why."""

    reason: str

    @classmethod
    def of(cls, cells: Row, reason: str) -> "Broken":
        """These cells with that reason."""
        found = cls(cells)
        found.reason = reason
        return found


@dataclass(slots=True)
class PersonRows:
    """The rows of one person, by the mapping's name of the table.

    A row comes with its number, which `Sheet.place` leads back to the file: the line of a text file at which it
    starts, the row of a spreadsheet, otherwise the record counted from 1. `broken` are rows that are none but name the
    person: table, number, cells.
    """

    key: tuple[str, ...]
    rows: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
    broken: list[tuple[str, int, "Broken"]] = field(default_factory=list)


def find_column(columns: Sequence[str], name: str) -> int | None:
    """The place of the column `name`, or of that with a number (`#1`); capitals do not matter where only one column is
    called so.
    """
    if name.startswith("#") and name[1:].isdecimal() and name not in columns:
        return int(name[1:]) - 1 if 0 < int(name[1:]) <= len(columns) else None
    if name in columns:
        return columns.index(name)
    same = [place for place, each in enumerate(columns) if each.lower() == name.lower()]
    return same[0] if len(same) == 1 else None


def column_places(columns: Sequence[str], names: Iterable[str], why: Callable[[str], str]) -> tuple[int, ...]:
    """The places of all columns that `names` ask for; raises `TableError`, saying `why`, for one that is not there."""
    places = []
    for name in names:
        place = find_column(columns, name)
        if place is None:
            raise TableError(why(name))
        places.append(place)
    return tuple(places)
