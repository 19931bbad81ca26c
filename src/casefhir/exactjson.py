"""JSON without loss: decimals keep their digits, duplicate keys are refused, bytes are the same everywhere."""

import json
from decimal import Decimal
from typing import Any

import orjson

from casefhir.errors import CasefhirError


class UnreadableJson(CasefhirError):
    """The bytes are not JSON that FHIR allows."""


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
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UnreadableJson(f"Not readable as JSON: {error}.") from error


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no place in FHIR JSON")


def write(value: Any, *, indent: bool = False) -> bytes:
    """`value` as UTF-8 JSON bytes, keys in the order given, `Decimal`s with their digits.

    `indent` gives two spaces a level and a final newline (files for people); without it one line, no newline.
    """
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indent else 0
    return orjson.dumps(value, default=_decimal, option=option)
