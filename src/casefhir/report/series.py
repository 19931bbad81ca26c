"""Measurements of one kind over time: which observations belong together, and the range that is normal."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from casefhir.report.chronology import When
from casefhir.report.descriptions import observed
from casefhir.report.facts import Case, Fact
from casefhir.report.look import codes, inner, items, number, span, text, unit, words

_DIMENSIONLESS = ("", "1")
# v3-ObservationInterpretation as laboratories print it; N says nothing that needs a mark
_FLAGS = frozenset({"L", "LL", "LU", "H", "HH", "HU", "A", "AA"})
_SHORT = 14


@cache
def known() -> dict[str, tuple[str, ...]]:
    """The measurements this field asks for first: short key to codes, in the order they are drawn."""
    lines = (Path(__file__).parent / "assets" / "series.tsv").read_text("utf-8").splitlines()
    return {key: tuple(codes_.split()) for key, codes_, _ in (line.split("\t") for line in lines[1:])}


def _place(codes_: tuple[str, ...]) -> int:
    wanted = list(known().values())
    return next((at for at, each in enumerate(wanted) if set(each) & set(codes_)), len(wanted))


@dataclass(frozen=True, slots=True)
class Value:
    """One measured value: a number with unit, or words (`number` None), when, and the fact it stands in.

    `flag` is H, L … where the resource itself says that the value is not normal; empty elsewhere.
    """

    fact: Fact
    start: When
    number: Decimal | None
    text: str
    unit: str
    flag: str


@dataclass(frozen=True, slots=True)
class Band:
    """A range told to be normal, one end of which may be open (None), and its words as printed."""

    low: Decimal | None
    high: Decimal | None
    text: str

    @property
    def ends(self) -> tuple[Decimal, ...]:
        """The ends that are told."""
        return tuple(each for each in (self.low, self.high) if each is not None)

    @property
    def short(self) -> str:
        """The words where they are few, else the numbers."""
        if self.text and len(self.text) <= _SHORT:
            return self.text
        if self.low is not None and self.high is not None:
            return f"{self.low}–{self.high}"
        return f"≥ {self.low}" if self.low is not None else f"≤ {self.high}"


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one code in one unit; `bands` are the ranges that are told to be normal, in the same unit."""

    key: str
    name: str
    unit: str
    codes: tuple[str, ...]
    values: tuple[Value, ...]
    bands: tuple[Band, ...]

    @property
    def drawn(self) -> tuple[Value, ...]:
        """The values whose time is known."""
        return tuple(each for each in self.values if each.start.known)

    @property
    def followed(self) -> bool:
        """Whether it is followed over time, or one of the measurements this field asks for first."""
        return len(self.drawn) > 1 or self.rank < len(known())

    @property
    def rank(self) -> int:
        """Its place among the measurements this field asks for first; those it does not ask for come last."""
        return _place(self.codes)


@dataclass(slots=True)
class _Group:
    name: str
    codes: tuple[str, ...]
    values: list[tuple[Value, str, Any]]


def series(case: Case) -> list[Series]:
    """The case's series with at least one number; values in words go with the numbers of their code."""
    groups: dict[str, _Group] = {}
    for fact in case.facts:
        if fact.held.type == "Observation":
            for part in (fact.held.value, *items(fact.held.value, "component")):
                _add(groups, fact, part)
    found = [each for key, group in groups.items() for each in _split(key, group)]
    return sorted(found, key=_rank)


def _add(groups: dict[str, _Group], fact: Fact, part: Any) -> None:
    said = observed(part)
    if not said:
        return
    concept = inner(part, "code")
    named = codes(concept)
    name = words(concept) or "Observation"
    key = f"{named[0].system}|{named[0].code}" if named else name.lower()
    group = groups.setdefault(key, _Group(name, (), []))
    group.codes = tuple(dict.fromkeys((*group.codes, *(each.code for each in named), name)))
    quantity = inner(part, "valueQuantity")
    comparator = text(quantity, "comparator")
    exact = number(quantity, "value")
    if exact is None:
        exact = number(part, "valueInteger")
    measure = _measure(quantity)
    shown = f"{comparator} {exact}".strip() if exact is not None else said
    flag = next((each.code for one in items(part, "interpretation") for each in codes(one) if each.code in _FLAGS), "")
    group.values.append((Value(fact, fact.start, exact, shown, unit(quantity), flag), measure, part))


def _measure(quantity: Any) -> str:
    """What tells the units of two quantities apart: nothing for counts and scores."""
    coded = text(quantity, "code") or text(quantity, "unit")
    return "" if coded in _DIMENSIONLESS or coded.startswith("{") else coded


def _split(key: str, group: _Group) -> list[Series]:
    measures = list(dict.fromkeys(measure for value, measure, _ in group.values if value.number is not None))
    found = []
    for index, measure in enumerate(measures):
        kept = [
            (value, part)
            for value, own, part in group.values
            if (own == measure if value.number is not None else index == 0)
        ]
        values = tuple(value for value, _ in kept)
        unit = next((each.unit for each in values if each.number is not None and each.unit), "")
        bands = dict.fromkeys(band for _, part in kept for band in _bands(part, measure))
        found.append(Series(f"{key}|{measure}", group.name, unit, group.codes, values, tuple(bands)))
    return found


def _bands(part: Any, measure: str) -> list[Band]:
    found = []
    for each in items(part, "referenceRange"):
        normal = "type" not in each or any(code.code == "normal" for code in codes(each["type"]))
        ends = [end for end in (inner(each, "low"), inner(each, "high")) if number(end, "value") is not None]
        # a range in another unit has no place on this axis; one without a unit has the value's
        same = all(_measure(end) in (measure, "") for end in ends)
        if normal and ends and same:
            band = Band(number(each, "low", "value"), number(each, "high", "value"), text(each, "text") or span(each))
            found.append(band)
    return found


def _rank(found: Series) -> tuple[int, int]:
    return found.rank, -len(found.drawn)


def chosen(found: list[Series], wanted: str) -> list[Series]:
    """The series that `wanted` names: a short key (ck), a code (2157-6), a name, or a part of a name."""
    plain = wanted.strip().lower()
    by_key = [each for each in found if set(known().get(plain, ())) & set(each.codes)]
    exact = [each for each in found if plain in {code.lower() for code in each.codes}]
    return by_key or exact or [each for each in found if plain and plain in each.name.lower()]
