"""Numbers with a point that may stand between thousands, in texts whose other numbers have decimal commas.

Where a mapping says nothing of thousands, `1.200` is a decimal. In a table that has `4,2` too, somebody may have meant
twelve hundred: such rows are refused, for a thousandfold value looks like any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from casefhir.sources.tables.readers import OnFault, Table
from casefhir.sources.tables.readers.base import Number
from casefhir.sources.tables.rows import Row

_LOOKED_AT = 2_000
"""Rows in which decimal commas are looked for."""
_COMMA = re.compile(r"[<>≤≥=~ ]*[-+−]?\d+,(?:\d{1,2}|\d{4,})")
_LIST = re.compile(r"\d+(?:,\d+){2,}")
_POINT = re.compile(r"[<>≤≥=~ ]*[-+−]?[1-9]\d{0,2}(?:\.\d{3})+")


@dataclass(frozen=True, slots=True)
class DoubtfulTable:
    """A table with decimal commas (one of them is `comma`); rows with a number that may be a thousandfold one are told
    to `fault`.
    """

    part: Table
    comma: str

    @property
    def file(self) -> str:
        """As in `Table`."""
        return self.part.file

    @property
    def columns(self) -> tuple[str, ...]:
        """As in `Table`."""
        return self.part.columns

    @property
    def detected(self) -> dict[str, str]:
        """As in `Table`."""
        return {
            **self.part.detected,
            "decimal commas": f"in texts ({self.comma}), where the mapping has decimal points",
        }

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """As in `Table`."""
        for number, row in self.part.rows(fault):
            for column, cell in zip(self.part.columns, row):
                if cell and "." in cell and type(cell) is not Number and _POINT.fullmatch(cell.strip()):
                    fault(number, row, self._why(column, cell.strip()))
                    break
            else:
                yield number, row

    def _why(self, column: str, cell: str) -> str:
        return (
            f"In {column}, {cell!r} may be a thousandfold number, for the table has decimal commas too "
            f"({self.comma!r}); "
            f'write it without the point, or say in [reading] decimal = "," and thousands = ".".'
        )


def doubtful(part: Table) -> Table:
    """`part`, with rows refused whose numbers can be read in two ways; itself where there are no decimal commas. A
    column with lists of numbers (`1,2,3`) has none.
    """
    lists: set[int] = set()
    commas: dict[int, str] = {}
    for _, row in islice(part.rows(lambda *_: None), _LOOKED_AT):
        for place, cell in enumerate(row):
            if not cell or "," not in cell or type(cell) is Number:
                continue
            text = cell.strip()
            if _COMMA.fullmatch(text):
                commas.setdefault(place, text)
            elif _LIST.fullmatch(text):
                lists.add(place)
    found = next((text for place, text in sorted(commas.items()) if place not in lists), "")
    return DoubtfulTable(part, found) if found else part
