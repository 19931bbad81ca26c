"""Layer json: bytes to values with exact decimals, and what is not FHIR JSON."""

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from casefhir.conformance.findings import LIMIT, Severity
from casefhir.conformance.positions import repeated_keys

DEPTH = 150
SIZE = 256 * 1024 * 1024
"""So many bytes a resource may have."""
VALUES = 10_000_000
"""So many commas and opening brackets it may have: what bounds the memory its values take."""
_BOM = b"\xef\xbb\xbf"
_HALF = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_ATOM = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|([\w.+-]++)', re.DOTALL)
_ODD = re.compile(r"-?(?:Infinity|NaN|\d{4300,}.*|[^eE]*[eE][+-]?\d{10,})\Z", re.DOTALL)
_DEEPER = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the JSON layer objects to; `start` and `end` are its bytes where known, `more` counts further ones."""

    severity: Severity
    rule: str
    message: str
    mend: str
    pointer: str = ""
    start: int | None = None
    end: int | None = None
    more: int = 0


class _Duplicate(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _load(text: str, *, strict: bool) -> Any:
    return json.loads(
        text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_unique if strict else None
    )


def too_big(data: bytes) -> Fault | None:
    """Why `data` is not read at all, None when it is."""
    if len(data) > SIZE:
        told = f"A resource here has more than {SIZE} bytes, which is the most that is read."
    elif len(data) > VALUES and data.count(b",") + data.count(b"{") + data.count(b"[") > VALUES:
        told = f"A resource here has more than {VALUES} values, which is the most that is read."
    else:
        return None
    return Fault("fatal", "json.size", told, "Split it, or give many resources as NDJSON.", "", 0, 1)


def read(data: bytes) -> tuple[Any, list[Fault]]:
    """The value of JSON `data` and what is wrong with it; the value is None after a fatal fault."""
    big = too_big(data)
    if big is not None:
        return None, [big]
    faults: list[Fault] = []
    skipped = 0
    if data.startswith(_BOM):
        skipped = len(_BOM)
        faults.append(
            Fault(
                "warning",
                "json.bom",
                "The file starts with a byte order mark, which JSON does not want.",
                "Save it as UTF-8 without one.",
                "",
                0,
                skipped,
            )
        )
    try:
        text = data[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start + skipped
        message = f"Byte {at} (counted from 0) is not UTF-8."
        return None, [Fault("fatal", "json.utf8", message, "Save the file as UTF-8.", "", at, at + 1)]
    try:
        try:
            value = _load(text, strict=True)
        except _Duplicate:
            value = _load(text, strict=False)
            faults += duplicates(data)
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode()) + skipped
        message = f"Not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        return None, [Fault("fatal", "json.syntax", message, "Correct the JSON there.", "", at, at + 1)]
    except RecursionError:
        return None, [too_deep(data)]
    except (ValueError, ArithmeticError) as error:
        return None, [_number(text, skipped, str(error))]
    faults += _halves(data)
    return value, faults


def _number(text: str, skipped: int, said: str) -> Fault:
    odd = next((each for each in _ATOM.finditer(text) if each[1] and _ODD.match(each[1])), None)
    start = end = None
    if odd is not None:
        start = len(text[: odd.start()].encode()) + skipped
        end = start + len(odd[0])
    told = "a number is out of all bounds" if "<class" in said else said.partition(";")[0]
    mend = "Write a JSON number of sensible size, or leave the element out."
    return Fault("fatal", "json.number", f"Not JSON: {told}.", mend, "", start, end)


def too_deep(data: bytes) -> Fault:
    """The fault of JSON that is nested deeper than `DEPTH` levels, at the bracket where it is."""
    depth, at = 0, None
    for token in _DEEPER.finditer(data):
        letter = token[0]
        depth += 1 if letter in (b"{", b"[") else -1 if letter in (b"}", b"]") else 0
        if depth > DEPTH:
            at = token.start()
            break
    message, mend = "The JSON is nested too deeply.", f"Nest {DEPTH} levels at most."
    return Fault("fatal", "json.depth", message, mend, "", at, None if at is None else at + 1)


def _halves(data: bytes) -> list[Fault]:
    if b"\\u" not in data:
        return []
    for each in _HALF.finditer(data):
        if each[1]:
            message, mend = "A \\u escape is half of a character.", "Write the whole character."
            return [Fault("error", "json.surrogate", message, mend, "", each.start(), each.end())]
    return []


def duplicates(data: bytes) -> list[Fault]:
    """The keys that stand twice in one object of JSON `data`; of very many the last one counts the others."""
    twice: list[Fault] = []
    more = 0
    for pointer, name, start, end in repeated_keys(data):
        if len(twice) == LIMIT:
            more += 1
            continue
        said = name if len(name) <= 80 else name[:77] + "..."
        message = f"The key {said!r} stands twice in one object."
        twice.append(Fault("error", "json.duplicate-key", message, "Remove one of them.", pointer, start, end))
    if more:
        twice[-1] = replace(twice[-1], more=more)
    return twice
