"""FHIRPath's values: numbers, strings, partial dates and quantities; when they are equal, which is less."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from casefhir.conformance.conversion import Incomparable, converted
from casefhir.conformance.tree import Node

Item = Any
"""A `Node`, or a value of FHIRPath's System types: bool, int, Decimal, str, `Moment`, `Amount`."""

_MOMENT = re.compile(
    r"(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?)?(?P<t>T)?(?P<clock>\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?\Z",
    re.ASCII,
)
_TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})
_QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Distance", "Count", "Money", "SimpleQuantity"})
_WORDS = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, dateTime or time as precise as written: `parts` year to second, those that are said."""

    kind: str
    parts: tuple[int | Decimal, ...]
    zone: int | None
    text: str


@dataclass(frozen=True, slots=True)
class TypeName:
    """What `type()` gives: a type's namespace (FHIR or System) and name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity: a number and its unit (UCUM, or a word such as `days`); `said` is a Quantity's printed unit."""

    value: Decimal
    unit: str
    said: str | None = field(default=None, compare=False)

    @property
    def ucum(self) -> str:
        """The unit's UCUM code."""
        return _WORDS.get(self.unit.removesuffix("s") if self.unit not in _WORDS else self.unit, self.unit)


def moment(text: str, kind: str = "") -> Moment | None:
    """The moment `text` names ("2012-05", "T14:30"); None when it names none."""
    time_only = kind == "time" or text.startswith("T")
    match = _MOMENT.match("T" + text.removeprefix("T") if time_only else text)
    if match is None or (not match["date"] and not time_only):
        return None
    parts: list[int | Decimal] = [int(each) for each in match["date"].split("-")] if match["date"] else []
    for index, each in enumerate(match["clock"].split(":") if match["clock"] else ()):
        parts.append(Decimal(each) if index == 2 else int(each))
    zone = None
    if match["zone"]:
        zone = 0
        if match["zone"] != "Z":
            hours, minutes = match["zone"][1:].split(":")
            zone = (int(hours) * 60 + int(minutes)) * (-1 if match["zone"][0] == "-" else 1)
    kind = kind or ("time" if time_only else "dateTime" if match["t"] else "date")
    return Moment(kind, tuple(parts), zone, text)


def unwrap(item: Item) -> Item:
    """The System value of `item`, where it has one; complex nodes stay nodes."""
    if not isinstance(item, Node):
        return item
    if item.shape.kind == "primitive-type":
        value = item.value
        if item.shape.name in _TEMPORAL and isinstance(value, str):
            return moment(value, "dateTime" if item.shape.name == "instant" else item.shape.name) or value
        return value
    if item.type in _QUANTITIES and isinstance(item.value, dict):
        value, said = item.get("value"), str(item.get("unit") or "")
        code = item.get("code") or item.get("currency") or (f"'{said}'" if said else "1")
        if isinstance(value, int | Decimal) and item.get("comparator") is None:
            return Amount(Decimal(value), str(code), said)
    return item


def key(item: Item) -> Any:
    """A hashable stand-in for `item`: equal items have equal keys."""
    if isinstance(item, Node):
        if item.shape.kind == "primitive-type":
            if item.value is None:
                return ("nothing", _frozen(item.sibling))
            found = unwrap(item)
            return key(found) if not isinstance(found, Node) else ("nothing",)
        return ("node", _frozen(item.value))
    if isinstance(item, bool):
        return ("boolean", item)
    if isinstance(item, Moment):
        return ("moment", item.kind == "time", _utc(item) or item.parts)
    if isinstance(item, Amount):
        return ("amount", item.value, item.ucum)
    return item


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _frozen(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    return ("boolean", value) if isinstance(value, bool) else value


def _utc(found: Moment) -> tuple[int | Decimal, ...] | None:
    """`parts` in UTC, for a dateTime with minutes and a zone."""
    if found.zone is None or len(found.parts) < 5:
        return None
    year, month, day, hour, minute = (int(each) for each in found.parts[:5])
    try:
        there = datetime(year, month, day, hour, minute, tzinfo=timezone(timedelta(minutes=found.zone)))
        here = there.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (here.year, here.month, here.day, here.hour, here.minute, *found.parts[5:])


def order(left: Item, right: Item) -> int | None:
    """-1, 0 or 1 as `left` is less, equal or greater; None when precision or type leave it open."""
    left, right = unwrap(left), unwrap(right)
    if isinstance(left, Moment) or isinstance(right, Moment):
        return _order_moments(left, right)
    if isinstance(left, Amount) or isinstance(right, Amount):
        return _order_amounts(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, bool) or isinstance(right, bool):
        return None
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return (left > right) - (left < right)
    return None


def _order_moments(left: Item, right: Item) -> int | None:
    if isinstance(left, str):
        left = moment(left)
    if isinstance(right, str):
        right = moment(right)
    if not isinstance(left, Moment) or not isinstance(right, Moment):
        return None
    if (left.kind == "time") != (right.kind == "time"):
        return None
    first, second = left.parts, right.parts
    if left.zone is not None and right.zone is not None:
        first, second = _utc(left) or first, _utc(right) or second
    elif (left.zone is None) != (right.zone is None) and min(len(first), len(second)) > 3:
        first, second = first[:3], second[:3]
        return _order_parts(first, second) or None
    return _order_parts(first, second)


def _order_parts(first: tuple[int | Decimal, ...], second: tuple[int | Decimal, ...]) -> int | None:
    for one, other in zip(first, second, strict=False):
        if one != other:
            return 1 if one > other else -1
    if len(first) == len(second) or min(len(first), len(second)) >= 6:
        return 0
    return None


def _order_amounts(left: Item, right: Item) -> int | None:
    one, other = _amount(left), _amount(right)
    if one is None or other is None:
        return None
    if one.said is not None and one.said == other.said:  # as HL7's engine: same printed unit, or none, same scale
        return (one.value > other.value) - (one.value < other.value)
    if one.ucum == other.ucum and one.ucum in ("a", "mo") and (one.unit == one.ucum) != (other.unit == other.ucum):
        return None  # a year of the calendar is not UCUM's
    try:
        value = converted(other.value, other.ucum, one.ucum)
    except Incomparable:
        return None
    return None if value is None else (one.value > value) - (one.value < value)


def _amount(item: Item) -> Amount | None:
    if isinstance(item, Amount):
        return item
    return Amount(Decimal(item), "1") if isinstance(item, int | Decimal) else None


def equal(left: Item, right: Item) -> bool | None:
    """FHIRPath `=` of two items: None where partial dates leave it open."""
    first, second = unwrap(left), unwrap(right)
    if isinstance(first, bool) or isinstance(second, bool):
        return isinstance(first, bool) and isinstance(second, bool) and first == second
    if isinstance(first, Moment) or isinstance(second, Moment):
        if isinstance(first, str) or isinstance(second, str):
            plain = [each.text if isinstance(each, Moment) else each for each in (first, second)]
            return bool(plain[0] == plain[1])
        found = _order_moments(first, second)
        if (
            isinstance(first, Moment)
            and isinstance(second, Moment)
            and (first.kind == "time") != (second.kind == "time")
        ):
            return False
        if found is None:
            longest = isinstance(first, Moment) and isinstance(second, Moment)
            return None if longest else False
        return found == 0
    if isinstance(first, Amount) or isinstance(second, Amount):
        found = _order_amounts(first, second)
        calendar = isinstance(first, Amount) and isinstance(second, Amount) and first.ucum == second.ucum
        return found == 0 if found is not None else None if calendar else False
    return bool(key(first) == key(second))


def text_of(item: Item) -> str | None:
    """What `toString()` gives for `item`; None for complex items."""
    if isinstance(item, Node) and item.shape.kind == "primitive-type" and isinstance(item.value, str):
        return item.value
    found = unwrap(item)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return found
    if isinstance(found, Moment):
        return found.text
    if isinstance(found, Amount):
        return f"{found.value} {found.unit if found.unit in _WORDS or found.unit[:-1] in _WORDS else repr(found.unit)}"
    return str(found) if isinstance(found, int | Decimal) else None
