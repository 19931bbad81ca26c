"""Layer json: bytes to values with exact decimals; what is not FHIR JSON, and the line of each pointer."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from casefhir.conformance.findings import Severity

DEPTH = 150
SIZE = 512 * 1024 * 1024
_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}|\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*)"', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*")
_ATOM = re.compile(r"[^\s,\]}]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the JSON layer objects to; `pointer` and `line` where known."""

    severity: Severity
    rule: str
    message: str
    mend: str
    pointer: str = ""
    line: int | None = None


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


def read(data: bytes) -> tuple[Any, list[Fault]]:
    """The value of JSON `data` and what is wrong with it; the value is None after a fatal fault."""
    faults: list[Fault] = []
    if len(data) > SIZE:
        return None, [
            Fault(
                "fatal",
                "json.size",
                f"The input has {len(data)} bytes; at most {SIZE} are read.",
                "Split it, or give it as NDJSON.",
            )
        ]
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        faults.append(
            Fault(
                "warning",
                "json.bom",
                "The file starts with a byte order mark, which JSON does not want.",
                "Save it as UTF-8 without one.",
                "",
                1,
            )
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, [
            Fault("fatal", "json.utf8", f"Byte {error.start} is not UTF-8.", "Save the file as UTF-8.", "", line)
        ]
    try:
        try:
            value = _load(text, strict=True)
        except _Duplicate:
            value = _load(text, strict=False)
            faults += duplicates(text)
    except json.JSONDecodeError as error:
        return None, [
            Fault(
                "fatal",
                "json.syntax",
                f"Not JSON: {error.msg} (line {error.lineno}, column {error.colno}).",
                "Correct the JSON there.",
                "",
                error.lineno,
            )
        ]
    except RecursionError:
        return None, [Fault("fatal", "json.depth", "The JSON is nested too deeply.", f"Nest {DEPTH} levels at most.")]
    except (ValueError, ArithmeticError) as error:
        return None, [
            Fault(
                "fatal",
                "json.number",
                f"Not JSON: {str(error).partition(';')[0]}.",
                "Write a JSON number of sensible size, or leave the element out.",
            )
        ]
    if _SURROGATE.search(data):
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
        except UnicodeEncodeError:
            faults.append(
                Fault("error", "json.surrogate", "A \\u escape is half of a character.", "Write the whole character.")
            )
    return value, faults


def duplicates(text: str) -> list[Fault]:
    """The keys that stand twice in one object of JSON `text`."""
    twice: list[Fault] = []
    _scan(text, None, twice)
    return twice


def lines(data: bytes) -> dict[str, int]:
    """The 1-based line of every JSON pointer in `data`, which is JSON."""
    found: dict[str, int] = {}
    _scan(data.decode("utf-8-sig"), found, [])
    return found


def _scan(text: str, places: dict[str, int] | None, twice: list[Fault]) -> None:
    """Walk JSON `text` without recursion; note the line of every pointer and every repeated key."""
    stack: list[tuple[str, set[str] | None, int]] = []  # pointer, keys of an object or None, index in an array
    pointer, at, line, counted = "", 0, 1, 0

    def place(where: str, offset: int) -> int:
        nonlocal line, counted
        line += text.count("\n", counted, offset)
        counted = offset
        if places is not None:
            places.setdefault(where, line)
        return line

    length = len(text)
    wants_value = True
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at >= length:
            return
        letter = text[at]
        if wants_value:
            place(pointer, at)
            if letter == "{":
                stack.append((pointer, set(), 0))
                at, wants_value = at + 1, False
                continue
            if letter == "[":
                stack.append((pointer, None, 0))
                after = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
                if text[after : after + 1] == "]":
                    at, wants_value = after, False
                    continue
                pointer, at = f"{pointer}/0", at + 1
                continue
            match = _STRING.match(text, at) if letter == '"' else _ATOM.match(text, at)
            if match is None:
                return
            at, wants_value = match.end(), False
            continue
        if letter in "}]":
            pointer = stack.pop()[0]
            at += 1
            if not stack:
                return
            continue
        if letter == ",":
            holder, keys, index = stack[-1]
            at += 1
            if keys is None:
                stack[-1] = (holder, None, index + 1)
                pointer, wants_value = f"{holder}/{index + 1}", True
            continue
        match = _STRING.match(text, at)
        if match is None or not stack:
            return
        holder, keys, _ = stack[-1]
        name = json.loads(match[0])
        pointer = f"{holder}/{name.replace('~', '~0').replace('/', '~1')}"
        if keys is not None and name in keys:
            twice.append(
                Fault(
                    "error",
                    "json.duplicate-key",
                    f"The key {name!r} stands twice in one object.",
                    "Remove one of them.",
                    pointer,
                    place("", at),
                )
            )
        elif keys is not None:
            keys.add(name)
        place(pointer, at)
        at = text.index(":", match.end()) + 1
        wants_value = True
