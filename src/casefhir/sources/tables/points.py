"""Numbers with a point that may stand between thousands, in texts whose other numbers have decimal commas.

Where a mapping says nothing of thousands, `1.200` is a decimal. In a table that has `4,2` too, somebody may have meant
twelve hundred: such rows are refused, for a thousandfold value looks like any other. Keys, names and dates are no such
numbers, nor is what no rule reads.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from casefhir.sources.tables.readers import OnFault, Table
from casefhir.sources.tables.readers.base import Around, Number
from casefhir.sources.tables.reads import Purpose, Read
from casefhir.sources.tables.rows import Row, find_column

_LOOKED_AT = 2_000
"""Rows in which decimal commas are looked for."""
_COMMA = re.compile(r"[<>≤≥=~ ]*[-+−]?\d+,(?:\d{1,2}|\d{4,})")
_LIST = re.compile(r"\d+(?:,\d+){2,}")
_POINT = re.compile(r"[<>≤≥=~ ]*[-+−]?[1-9]\d{0,2}(?:\.\d{3})+")


_FIGURES: frozenset[Purpose] = frozenset({"words", "age"})


class Doubts(NamedTuple):
    """The places of columns in which numbers are read, and of those in which other things are (keys, names, dates)."""

    numbers: frozenset[int]
    others: frozenset[int]


def doubts(columns: Sequence[str], keys: Collection[str], reads: Collection[Read]) -> Doubts:
    """What the rules read (`reads`, of one table) in `columns`. Where they name some that are not there to be found, as
    derived ones and those of a list, any column may hold numbers that is not of the `keys` or read as something else.
    """
    numbers: set[int] = set()
    others = {place for each in keys if (place := find_column(columns, each)) is not None}
    known = True
    for each in reads:
        place = find_column(columns, each.column.removesuffix("?"))
        if place is not None:
            (numbers if each.purpose in _FIGURES else others).add(place)
        elif each.purpose in _FIGURES and not (each.column.endswith("?") and "{" not in each.column):
            known = False
    others -= numbers
    return Doubts(frozenset(numbers if known else {*range(len(columns))} - others), frozenset(others))


@dataclass(frozen=True, slots=True)
class DoubtfulTable(Around):
    """A table with decimal commas (one of them is `comma`); rows with a number that may be a thousandfold one, at one
    of `places`, are told to `fault`.
    """

    comma: str
    places: tuple[int, ...]

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
            for place in self.places:
                cell = row[place]
                if cell and "." in cell and type(cell) is not Number and _POINT.fullmatch(cell.strip()):
                    fault(number, row, self._why(self.part.columns[place], cell.strip()))
                    break
            else:
                yield number, row

    def _why(self, column: str, cell: str) -> str:
        return (
            f"In {column}, {cell!r} may be a thousandfold number, for the table has decimal commas too "
            f"({self.comma!r}); "
            f'write it without the point, or say in [reading] decimal = "," and thousands = "."; if it is a decimal: '
            f'decimal = ".".'
        )


def doubtful(part: Table, of: Doubts) -> Table:
    """`part`, with rows refused whose numbers can be read in two ways; itself where there are no decimal commas. A
    column with lists of numbers (`1,2,3`) has none, nor has one of keys or names.
    """
    lists: set[int] = set()
    commas: dict[int, str] = {}
    for _, row in islice(part.rows(lambda *_: None), _LOOKED_AT):
        for place, cell in enumerate(row):
            if not cell or "," not in cell or type(cell) is Number or place in of.others:
                continue
            text = cell.strip()
            if _COMMA.fullmatch(text):
                commas.setdefault(place, text)
            elif _LIST.fullmatch(text):
                lists.add(place)
    found = next((text for place, text in sorted(commas.items()) if place not in lists), "")
    return DoubtfulTable(part, found, tuple(sorted(of.numbers))) if found and of.numbers else part
