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
    if not any((cell := row[place]) and cell[-1] == "0" and _PADDED(cell) for place in places):
        return row
    cells = list(row)
    for place in places:
        cells[place] = bare(cells[place] or "") or cells[place]
    return tuple(cells)
