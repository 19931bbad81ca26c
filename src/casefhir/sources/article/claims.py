"""The figures that a fact claims: each has to stand, digit for digit, where the fact says it does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from casefhir.record import (
    Age,
    Between,
    Component,
    Dosage,
    Measurement,
    On,
    Quantity,
    Range,
    Relative,
    Told,
    Value,
    Words,
    parse_value,
)

_TEXTS = ("text", "range_text", "scale_text", "severity_text", "seriousness_text", "outcome_text", "route_text",
          "method", "origin", "absent", "why_not", "outcome", "conclusion", "setting_text", "discharge", "body_site",
          "words")  # fmt: skip
_MANY_TEXTS = ("notes", "reasons", "body_sites", "named")
_BELOW, _ABOVE = frozenset("<≤"), frozenset(">≥")
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, perhaps with its unit as claimed; `signs` are the comparison signs that may stand before it.

    `compared` is the comparison it claims to be printed with (`<` or `>`), `range` the other figure of the two-sided
    range that it is an end of.
    """

    what: str
    digits: str
    unit: str = ""
    signs: frozenset[str] = _NONE
    negative: bool = False
    compared: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True)
class Time:
    """A duration, interval or period: `digits` of the UCUM unit, printed with the comparison `compared`."""

    what: str
    digits: str
    ucum: str
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numbers printed with a slash or colon between them (a titre)."""

    what: str
    digits: tuple[str, ...]


Claim = Amount | Time | Ratio


def claims_of(part: Any) -> Iterator[Claim]:
    """The figures that `part` (a fact, or what is in it) claims in fields of their own, in the order of its fields."""
    match part:
        case Measurement() | Component():
            if part.value is not None:
                yield from _value("value", part.value)
            if part.titre:
                yield Ratio("titre", tuple(re.findall(r"\d+(?:\.\d+)?", part.titre.replace(",", ""))))
            if part.range:
                yield from _range("range of reference", part.range)
            if isinstance(part, Measurement) and part.scale:
                scale = Range.parse(part.scale)
                begins_at_zero = scale.low is not None and scale.low.value == 0  # seldom printed
                yield from _bounds("scale", Range(None, scale.high) if begins_at_zero and scale.high else scale)
        case Dosage():
            if part.dose:
                yield from _value("dose", part.dose)
            for what in ("every", "over", "lasting"):
                text = getattr(part, what)
                if text:
                    yield _time(what, text)
            if part.at_most:
                yield from _value("at_most", part.at_most[0])
                yield _time("at_most", part.at_most[1])
            for what in ("times", "count"):
                number = getattr(part, what)
                if number is not None and number != 1:
                    yield Amount(what, str(number))
        case Relative():
            if part.offset:
                yield _time("offset", part.offset)
        case Age():
            yield _amount("age", Quantity.parse(part.age))


def _amount(what: str, quantity: Quantity, signs: frozenset[str] = _NONE, other: Quantity | None = None) -> Amount:
    end = _digits(other.value) if other else ""
    return Amount(
        what, _digits(abs(quantity.value)), quantity.unit, signs, quantity.value < 0, _compared(quantity), end
    )


def _compared(quantity: Quantity) -> str:
    return (quantity.comparator or "")[:1]


def _digits(number: Decimal) -> str:
    return format(number, "f")


def _value(what: str, value: str | Value) -> Iterator[Amount]:
    parsed = parse_value(value)
    match parsed:
        case Range():
            yield from _bounds(what, parsed)
        case Quantity():
            signs = {"<": _BELOW, "<=": _BELOW, ">": _ABOVE, ">=": _ABOVE}.get(parsed.comparator or "", _NONE)
            yield _amount(what, parsed, signs)


def _range(what: str, text: str | Range) -> Iterator[Amount]:
    yield from _bounds(what, Range.parse(text))


def _bounds(what: str, parsed: Range) -> Iterator[Amount]:
    if parsed.low and parsed.high and parsed.low.value == parsed.high.value:
        yield Amount(what, f"{_digits(parsed.low.value)}–{_digits(parsed.high.value)}")  # no range: stands nowhere
        return
    if parsed.low:
        yield _amount(what, parsed.low, _ABOVE, parsed.high)
    if parsed.high:
        yield _amount(what, parsed.high, _BELOW, parsed.low)


def _time(what: str, text: str | Quantity) -> Claim:
    quantity = Quantity.parse(text)
    if not quantity.ucum:
        return _amount(what, quantity)
    return Time(what, _digits(quantity.value), quantity.ucum, _compared(quantity))


def texts_of(part: Any) -> Iterator[tuple[str, str]]:
    """The words of `part` that may hold figures (field, words), those with a place of their own left out."""
    if isinstance(part, Told):
        yield "words", part.text
        return
    for name in _TEXTS:
        value = getattr(part, name, None)
        if isinstance(value, str):
            yield name, value
    for name in _MANY_TEXTS:
        yield from ((name, each) for each in getattr(part, name, ()) if isinstance(each, str))
    value = getattr(part, "value", None)
    if isinstance(value, Words):
        yield "value", value.text
    elif isinstance(value, str) and not re.match(r"[<>]|\d", value):
        yield "value", value


def dates_of(part: Any) -> tuple[str, ...]:
    """The dates of the calendar that a moment claims."""
    match part:
        case On():
            return (part.date,)
        case Between():
            return tuple(date for date in (part.start, part.end) if date)
    return ()
