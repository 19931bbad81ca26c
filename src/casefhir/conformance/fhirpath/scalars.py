"""FHIRPath's functions on single strings, numbers and dates."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from casefhir.conformance.fhirpath.boundaries import boundary, comparable, precision
from casefhir.conformance.fhirpath.conversions import CONVERSIONS
from casefhir.conformance.fhirpath.encoding import changed
from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step, single
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, TypeName, moment, text_of, unwrap
from casefhir.conformance.tree import Node


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
    """A function of a number, or of a quantity's; empty where it has no result."""

    def on(item: Item, *given: Any) -> Item:
        if isinstance(item, Amount):
            return Amount(Decimal(act(item.value, *given)), item.unit)
        if isinstance(item, bool) or not isinstance(item, int | Decimal):
            raise Failed("a number was expected")
        try:
            found: Item = act(item, *given)
        except (ValueError, InvalidOperation, OverflowError, ZeroDivisionError):
            return None
        return found

    return _on_value(on)


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


SCALARS: dict[str, Callable[[tuple[Step, ...]], Step]] = {
    **CONVERSIONS,
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
    "abs": _on_number(abs),
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
