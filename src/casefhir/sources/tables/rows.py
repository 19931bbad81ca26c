"""What readers hand over: rows of text cells, exactly as a file holds them, and the rows of one person together."""

from dataclasses import dataclass, field

from casefhir.errors import CasefhirError

Row = tuple[str | None, ...]
"""The cells of one row, in the order of its sheet's columns; None where a database or a Parquet file holds null."""

OURS = "casefhir_"
"""Columns whose names start so are our own remarks (in rejects) and are not read back."""


class TableError(CasefhirError):
    """A table that cannot be read: which file, where in it, what is wrong, how to mend it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as the mapping calls it: `file` is the file's name (several are joined by commas), `columns` in its
    order.
    """

    name: str
    file: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class PersonRows:
    """The rows of one person, by the mapping's name of the table.

    A row comes with its number: the line of a text file at which it starts, the row of a spreadsheet, otherwise the
    record counted from 1. Of a table in several files the number is that in `files`' file.
    """

    key: tuple[str, ...]
    rows: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
