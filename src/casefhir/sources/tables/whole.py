"""Columns of whole numbers, as keys and codes are: programs that know no blank among integers write 12 as 12.0."""

import fnmatch
import re
from collections.abc import Sequence

from casefhir.sources.tables.rows import Row

PADDED = r"^(-?[0-9]+)\.0+$"
_PADDED = re.compile(PADDED, re.ASCII).match


def whole_places(columns: Sequence[str], patterns: Sequence[str]) -> tuple[int, ...]:
    """The places of the columns that one of `patterns` asks for (* for any letters); capitals do not matter."""
    return tuple(
        place
        for place, column in enumerate(columns)
        if any(fnmatch.fnmatchcase(column.lower(), pattern.lower()) for pattern in patterns)
    )


def bare(cell: str) -> str:
    """A whole number without its `.0`; other cells as they are."""
    found = _PADDED(cell) if cell.endswith("0") else None
    return found[1] if found else cell


def with_bare(row: Row, places: Sequence[int]) -> Row:
    """`row` with the cells at `places` bare."""
    cells: list[str | None] | None = None
    for place in places:
        cell = row[place]
        if cell and cell[-1] == "0" and "." in cell and (found := _PADDED(cell)):
            cells = list(row) if cells is None else cells
            cells[place] = found[1]
    return row if cells is None else tuple(cells)
