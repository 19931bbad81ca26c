"""FHIRPath's conversions: toInteger() and its like, and convertsToInteger() and its like."""

import re
from collections.abc import Callable
from decimal import Decimal

from casefhir.conformance.fhirpath.evaluation import Env, Items, Step, single
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, moment, text_of

_WHOLE = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)
_AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?\Z", re.ASCII)
_WORD_UNITS = re.compile(r"(year|month|week|day|hour|minute|second|millisecond)s?\Z")
_INTEGER_LIMIT = 2**31
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


def _to_integer(item: Item) -> Item:
    """`item` as a whole number, None where it is none."""
    if isinstance(item, bool):
        return int(item)
    if isinstance(item, int):
        return item
    text = item if isinstance(item, str) else ""
    found = int(text) if _WHOLE.match(text) and len(text) < 12 else None
    return found if found is not None and -_INTEGER_LIMIT <= found < _INTEGER_LIMIT else None


def _to_decimal(item: Item) -> Item:
    """`item` as a decimal, None where it is none."""
    if isinstance(item, bool | int):
        return Decimal(int(item))
    if isinstance(item, Decimal):
        return item
    return Decimal(item) if isinstance(item, str) and _NUMBER.match(item) else None


def _to_boolean(item: Item) -> Item:
    """`item` as a boolean, None where it is none."""
    if isinstance(item, bool):
        return item
    if isinstance(item, str):
        return _BOOLEANS.get(item.lower())
    return bool(item) if isinstance(item, int | Decimal) and item in (0, 1) else None


def _to_quantity(item: Item) -> Item:
    """`item` as a quantity, None where it is none."""
    if isinstance(item, Amount):
        return item
    if isinstance(item, bool | int | Decimal):
        return Amount(Decimal(int(item) if isinstance(item, bool) else item), "1")
    match = _AMOUNT.match(item) if isinstance(item, str) else None
    if match is None or (match[3] and not _WORD_UNITS.match(match[3])):
        return None
    return Amount(Decimal(match[1]), match[2] or match[3] or "1")


def _to_moment(kind: str) -> Callable[[Item], Item]:
    def convert(item: Item) -> Item:
        found = item if isinstance(item, Moment) else moment(item, kind) if isinstance(item, str) else None
        if found is None or (found.kind == "time") != (kind == "time"):
            return None
        if kind == "date":
            return Moment("date", found.parts[:3], None, found.text[:10])
        return Moment(kind, found.parts, found.zone, found.text)

    return convert


def _convert(convert: Callable[[Item], Item]) -> Callable[[tuple[Step, ...]], Step]:
    def make(_arguments: tuple[Step, ...]) -> Step:
        def apply(focus: Items, _env: Env) -> Items:
            item = single(focus)
            found = None if item is None else convert(item)
            return [] if found is None else [found]

        return apply

    return make


def _converts(convert: Callable[[Item], Item]) -> Callable[[tuple[Step, ...]], Step]:
    def make(_arguments: tuple[Step, ...]) -> Step:
        def apply(focus: Items, _env: Env) -> Items:
            item = single(focus)
            return [] if item is None else [convert(item) is not None]

        return apply

    return make


_CONVERSIONS: dict[str, Callable[[Item], Item]] = {
    "Integer": _to_integer,
    "Decimal": _to_decimal,
    "Boolean": _to_boolean,
    "Quantity": _to_quantity,
    "String": text_of,
    "Date": _to_moment("date"),
    "DateTime": _to_moment("dateTime"),
    "Time": _to_moment("time"),
}
CONVERSIONS: dict[str, Callable[[tuple[Step, ...]], Step]] = {
    **{f"to{name}": _convert(act) for name, act in _CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts(act) for name, act in _CONVERSIONS.items()},
}
