"""FHIRPath's functions on single strings, numbers and dates."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from casefhir.conformance.fhirpath.boundaries import boundary, comparable, precision
from casefhir.conformance.fhirpath.encoding import changed
from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step, single
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, TypeName, moment, text_of, unwrap
from casefhir.conformance.tree import Node

_WHOLE = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z", re.ASCII)
_AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?\Z", re.ASCII)
_WORD_UNITS = re.compile(r"(year|month|week|day|hour|minute|second|millisecond)s?\Z")
_INTEGER_LIMIT = 2**31


def to_integer(item: Item) -> Item:
    """`item` as a whole number, None where it is none."""
    if isinstance(item, bool):
        return int(item)
    if isinstance(item, int):
        return item
    text = item if isinstance(item, str) else ""
    found = int(text) if _WHOLE.match(text) and len(text) < 12 else None
    return found if found is not None and -_INTEGER_LIMIT <= found < _INTEGER_LIMIT else None


def to_decimal(item: Item) -> Item:
    """`item` as a decimal, None where it is none."""
    if isinstance(item, bool | int):
        return Decimal(int(item))
    if isinstance(item, Decimal):
        return item
    return Decimal(item) if isinstance(item, str) and _NUMBER.match(item) else None


def to_boolean(item: Item) -> Item:
    """`item` as a boolean, None where it is none."""
    if isinstance(item, bool):
        return item
    if isinstance(item, str):
        return {
            "true": True,
            "t": True,
            "yes": True,
            "y": True,
            "1": True,
            "1.0": True,
            "false": False,
            "f": False,
            "no": False,
            "n": False,
            "0": False,
            "0.0": False,
        }.get(item.lower())
    return bool(item) if isinstance(item, int | Decimal) and item in (0, 1) else None


def to_quantity(item: Item) -> Item:
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


def _plain_text(items: Items) -> str | None:
    if len(items) > 1:
        raise Failed("a single string was expected")
    if not items:
        return None
    item = items[0]
    if isinstance(item, Node) and isinstance(item.value, str) and item.is_primitive():
        return item.value
    found = unwrap(item)
    if isinstance(found, Moment):
        return found.text
    if not isinstance(found, str):
        raise Failed("a string was expected")
    return found


def _on_text(least: int, act: Callable[..., Any]) -> Callable[[tuple[Step, ...]], Step]:
    """A function of a string and of `least` or more arguments; empty when any is empty."""

    def make(arguments: tuple[Step, ...]) -> Step:
        def apply(focus: Items, env: Env) -> Items:
            text = _plain_text(focus)
            if text is None:
                return []
            given = [single(each(env.this or focus, env)) for each in arguments]
            if len(given) < least:
                raise Failed("too few arguments")
            if any(each is None for each in given):
                return []
            found = act(text, *given)
            return [] if found is None else found if isinstance(found, list) else [found]

        return apply

    return make


def _substring(text: str, start: Any, length: Any = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise Failed(f"the regular expression cannot be read: {error}") from error


def _replaced(text: str, wanted: str, new: str) -> str:
    if not wanted:  # nothing to look for is found nowhere
        return text
    return _pattern(wanted).sub(re.sub(r"\$(\d+)", r"\\\1", new), text)


def _on_value(act: Callable[..., Any]) -> Callable[[tuple[Step, ...]], Step]:
    """A function of a number, date or quantity and of single arguments; empty when any is empty."""

    def make(arguments: tuple[Step, ...]) -> Step:
        def apply(focus: Items, env: Env) -> Items:
            item = single(focus)
            given = [single(each(env.this or focus, env)) for each in arguments]
            if item is None or any(each is None for each in given):
                return []
            found = act(item, *given)
            return [] if found is None else [found]

        return apply

    return make


def _join(arguments: tuple[Step, ...]) -> Step:
    def apply(focus: Items, env: Env) -> Items:
        between = single(arguments[0](focus, env)) if arguments else ""
        return [str(between or "").join(text_of(item) or "" for item in focus)]

    return apply


def _on_number(act: Callable[..., Any]) -> Callable[[tuple[Step, ...]], Step]:
    def make(arguments: tuple[Step, ...]) -> Step:
        def apply(focus: Items, env: Env) -> Items:
            item = single(focus)
            given = [single(each(env.this or focus, env)) for each in arguments]
            if item is None or any(each is None for each in given):
                return []
            if isinstance(item, Amount):
                return [Amount(Decimal(act(item.value, *given)), item.unit)]
            if isinstance(item, bool) or not isinstance(item, int | Decimal):
                raise Failed("a number was expected")
            try:
                found = act(item, *given)
            except (ValueError, InvalidOperation, OverflowError, ZeroDivisionError):
                return []
            return [] if found is None else [found]

        return apply

    return make


def _float(act: Callable[..., float]) -> Callable[..., Decimal]:
    return lambda *given: Decimal(str(round(act(*(float(each) for each in given)), 12)))


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent < 1000:
        return base**exponent
    found = float(base) ** float(exponent)
    return None if isinstance(found, complex) else Decimal(str(round(found, 12)))


def _round(number: Any, places: int = 0) -> Any:
    if places < 0:
        raise Failed("round() wants zero or more places")
    return Decimal(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _now(kind: str) -> Callable[[tuple[Step, ...]], Step]:
    def make(_arguments: tuple[Step, ...]) -> Step:
        def apply(_focus: Items, _env: Env) -> Items:
            text = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            shown = {"date": text[:10], "time": text[11:23], "dateTime": text}[kind]
            return [moment(shown, kind)]

        return apply

    return make


def type_info(items: Items) -> Items:
    """`type()`: the namespace and name of each item's type."""
    return [
        TypeName("FHIR", item.type) if isinstance(item, Node) else TypeName("System", system_type(item))
        for item in items
    ]


def system_type(item: Item) -> str:
    """The name of a System value's type."""
    if isinstance(item, Moment):
        return {"date": "Date", "dateTime": "DateTime", "time": "Time"}[item.kind]
    return {bool: "Boolean", int: "Integer", Decimal: "Decimal", str: "String", Amount: "Quantity"}[type(item)]


def _text_or_none(item: Item) -> Item:
    return text_of(item)


def _sign(number: Any) -> Any:
    return abs(number)


_CONVERSIONS: dict[str, Callable[[Item], Item]] = {
    "Integer": to_integer,
    "Decimal": to_decimal,
    "Boolean": to_boolean,
    "Quantity": to_quantity,
    "String": _text_or_none,
    "Date": _to_moment("date"),
    "DateTime": _to_moment("dateTime"),
    "Time": _to_moment("time"),
}
SCALARS: dict[str, Callable[[tuple[Step, ...]], Step]] = {
    **{f"to{name}": _convert(act) for name, act in _CONVERSIONS.items()},
    **{f"convertsTo{name}": _converts(act) for name, act in _CONVERSIONS.items()},
    "startsWith": _on_text(1, lambda text, other: text.startswith(other)),
    "endsWith": _on_text(1, lambda text, other: text.endswith(other)),
    "contains": _on_text(1, lambda text, other: other in text),
    "indexOf": _on_text(1, lambda text, other: text.find(other)),
    "substring": _on_text(1, _substring),
    "length": _on_text(0, len),
    "upper": _on_text(0, str.upper),
    "lower": _on_text(0, str.lower),
    "trim": _on_text(0, str.strip),
    "toChars": _on_text(0, lambda text: list(text)),
    "replace": _on_text(2, lambda text, old, new: text.replace(old, new)),
    "matches": _on_text(1, lambda text, wanted: _pattern(wanted).search(text) is not None),
    "matchesFull": _on_text(1, lambda text, wanted: _pattern(wanted).fullmatch(text) is not None),
    "replaceMatches": _on_text(2, _replaced),
    **{verb: _on_text(1, changed(verb)) for verb in ("encode", "decode", "escape", "unescape")},
    "lowBoundary": _on_value(lambda item, digits=None: boundary(item, -1, digits)),
    "highBoundary": _on_value(lambda item, digits=None: boundary(item, 1, digits)),
    "precision": _on_value(precision),
    "comparable": _on_value(comparable),
    "split": _on_text(1, lambda text, between: text.split(between)),
    "join": _join,
    "abs": _on_number(_sign),
    "ceiling": _on_number(lambda number: int(Decimal(number).to_integral_value(ROUND_CEILING))),
    "floor": _on_number(lambda number: int(Decimal(number).to_integral_value(ROUND_FLOOR))),
    "truncate": _on_number(lambda number: int(number)),
    "round": _on_number(_round),
    "sqrt": _on_number(_float(math.sqrt)),
    "ln": _on_number(_float(math.log)),
    "exp": _on_number(_float(math.exp)),
    "log": _on_number(_float(lambda number, base: math.log(number) / math.log(base))),
    "power": _on_number(_power),
    "now": _now("dateTime"),
    "today": _now("date"),
    "timeOfDay": _now("time"),
}
