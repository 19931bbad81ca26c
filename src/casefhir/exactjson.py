"""JSON without loss: decimals keep their digits, duplicate keys are refused, bytes are the same everywhere."""

import json
from decimal import Decimal
from typing import Any

import orjson

from casefhir.errors import CasefhirError


class UnreadableJson(CasefhirError):
    """The bytes are not JSON that FHIR allows."""


class UnwritableJson(CasefhirError):
    """A value that JSON cannot hold without loss."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableJson(f"The key {twice!r} stands twice in one object; remove one of them.")
    return found


def _refuse_constant(name: str) -> None:
    raise UnreadableJson(f"{name} is not a JSON number; leave the element out or give its data-absent-reason.")


def read(data: bytes) -> Any:
    """The value that UTF-8 JSON `data` holds; numbers with a point or exponent as `Decimal`, exactly as written.

    Raises `UnreadableJson` for anything that is not JSON, for duplicate keys and for NaN.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_float=Decimal,
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a number of thousands of digits, too deep
        raise UnreadableJson(f"Not readable as JSON: {error}.") from error


def write(value: Any, *, indent: bool = False) -> bytes:
    """`value` as UTF-8 JSON bytes, keys in the order given, `Decimal`s with their digits.

    `indent` gives two spaces a level and a final newline (files for people); without it one line, no newline. Raises
    `UnwritableJson` for what would lose something: binary floats, NaN, dates, lone surrogates.
    """
    option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
    if indent:
        option |= orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    try:
        return orjson.dumps(_guarded(value), default=_other, option=option)
    except orjson.JSONEncodeError as error:
        raise UnwritableJson(f"Not writable as JSON without loss: {error}.") from error


def _guarded(value: Any) -> Any:
    """`value` with what orjson would round or refuse handed to `_other`: floats and integers over 64 bits."""
    kind = type(value)
    if kind is dict:
        return {key: _guarded(part) for key, part in value.items()}
    if kind is list or kind is tuple:
        return [_guarded(part) for part in value]
    if kind is float or (kind is int and not -(2**63) <= value < 2**64):
        return _other(value)
    return value


def _other(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    if isinstance(value, int):
        return orjson.Fragment(str(value))
    raise UnwritableJson(f"{value!r}, a {type(value).__name__}, has no place in FHIR JSON: give a Decimal or text.")
