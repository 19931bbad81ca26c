"""Cells that mean harm: they are refused or kept as words at once, and messages about them stay short."""

from collections.abc import Callable
from typing import Any

import pytest

from casefhir import terms
from casefhir.sources.tables.dates import DateReader
from casefhir.sources.tables.mapping import Reading
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.results import ResultReader
from casefhir.sources.tables.slugs import slug
from casefhir.sources.tables.vocabulary import frequency

N = 1 << 20
CELLS = {
    "digits": "9" * N, "digits and blanks": "1 " * (N // 2), "hyphens": "1-" * (N // 2), "points": "1." * (N // 2),
    "comparators": "<" * N, "blanks": "1" + " " * N + "x", "commas": "1," * (N // 2), "exponents": "1e" * (N // 2),
    "ranges": " to ".join(["1"] * (N // 5)), "letters": "A" * N, "titres": "1:" * (N // 2), "brackets": "[(" * (N // 2),
}  # fmt: skip
READERS: dict[str, Callable[[str], Any]] = {
    "results": ResultReader(Reading()).read,
    "results with thousands": ResultReader(Reading(decimal=",", thousands=".")).read,
    "dates iso": DateReader(("iso",)).read,
    "dates dmy": DateReader(("dmy", "mdy", "ymd")).read,
    "frequencies": frequency,
    "keys": slug,
    "units": terms.ucum_code,
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_cell_of_a_million_characters_ends_in_a_short_word(reader: Callable[[str], Any], cell: str) -> None:
    said = ""
    try:
        found = reader(cell)
    except Refused as refused:
        found, said = None, refused.reason
    assert len(said) < 400
    assert getattr(found, "number", None) is None


def test_keys_of_long_cells_are_short_and_apart() -> None:
    one, other = slug("a" * N), slug("a" * N + "b")
    assert len(one) < 100
    assert one != other
