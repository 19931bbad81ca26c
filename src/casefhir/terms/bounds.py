"""What a measurement of a patient can be: the bounds of `data/bounds.tsv` and the units of the catalogue.

Bounds are physical or the widest on record, so that what lies outside is a slip of number or unit; the file says why
for each. A measurement without a line has none but that amounts are not negative.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources

from casefhir.terms.catalogue import concepts

_LOINC = "http://loinc.org"
_MEASURED = frozenset({"laboratory", "lung-function", "vital-signs", "demographic"})


@dataclass(frozen=True, slots=True)
class Expected:
    """The UCUM unit that results are commensurable with, the least and the most in that unit (None: no bound)."""

    unit: str
    least: Decimal
    most: Decimal | None


@cache
def expected() -> Mapping[tuple[str, str], Expected]:
    """(system, code) of a measurement to what its results can be."""
    found: dict[tuple[str, str], Expected] = {}
    for concept in concepts().values():
        if concept.unit and concept.kind in _MEASURED:
            for coding in concept.codings:
                found[coding.system, coding.code] = Expected(concept.unit, Decimal(0), None)
    text = (resources.files(__package__) / "data" / "bounds.tsv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        found[_LOINC, row["code"]] = Expected(row["unit"], Decimal(row["least"]), Decimal(row["most"]))
    return found
