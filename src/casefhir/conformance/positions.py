"""Where in the bytes of a JSON text something stands: found for the pointers asked for only, in one pass.

Nothing is kept for what was not asked for, so the memory is that of the answer, whatever the length of the text.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casefhir.conformance.findings import Excerpt

_SPACE = re.compile(rb"[ \t\r\n]*+")
_ATOM = re.compile(rb"[^\s,\]}]++")
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
_BOM = b"\xef\xbb\xbf"
_BEFORE, _AFTER, _SHOWN = 60, 100, 60
Tree = dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class Span:
    """A value in the bytes: where its key starts (of array items and the root: the value), it starts, and it ends."""

    key: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """A place for people: byte `offset` from 0, `line` and `column` (characters) from 1, and what stands there."""

    offset: int
    line: int
    column: int
    excerpt: Excerpt


def spans(data: bytes, pointers: Iterable[str]) -> dict[str, Span]:
    """The span of each of `pointers` and of all above them, as far as they are in JSON `data`.

    Of a key that stands twice in an object it is the last, as JSON readers have it.
    """
    wanted: Tree = {}
    for pointer in pointers:
        here = wanted
        for step in pointer.split("/")[1:]:
            here = here.setdefault(step.replace("~1", "/").replace("~0", "~"), {})
    found: dict[str, Span] = {}
    start = _after_space(data, len(_BOM) if data.startswith(_BOM) else 0)
    _walk(data, start, start, "", wanted, found)
    return found


def _after_space(data: bytes, at: int) -> int:
    match = _SPACE.match(data, at)
    return match.end() if match is not None else at


def _skip(data: bytes, at: int) -> int:
    """The end of the value at `at`."""
    first = data[at]
    if first not in b"{[":
        match = (_TEXT if first == 34 else _ATOM).match(data, at)
        return match.end() if match is not None else len(data)
    depth = 0
    for token in _TOKEN.finditer(data, at):
        letter = data[token.start()]
        if letter in b"{[":
            depth += 1
        elif letter in b"}]":
            depth -= 1
            if not depth:
                return token.end()
    return len(data)


def _walk(data: bytes, key: int, at: int, pointer: str, wanted: Tree, found: dict[str, Span]) -> int:
    """Note the span of the value at `at`, and of what is `wanted` in it; gives its end."""
    if not wanted or data[at] not in b"{[":
        end = _skip(data, at)
    elif data[at] == 123:
        end = _object(data, at, pointer, wanted, found)
    else:
        end = _array(data, at, pointer, wanted, found)
    found[pointer] = Span(key, at, end)
    return end


def _object(data: bytes, at: int, pointer: str, wanted: Tree, found: dict[str, Span]) -> int:
    at = _after_space(data, at + 1)
    while data[at] != 125:
        match = _TEXT.match(data, at)
        assert match is not None, "the text was read as JSON before"
        key, end = at, match.end()
        name = json.loads(match[0]) if b"\\" in match[0] else match[0][1:-1].decode()
        at = _after_space(data, _after_space(data, end) + 1)
        inner = wanted.get(name)
        if inner is None:
            at = _skip(data, at)
        else:
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            at = _walk(data, key, at, below, inner, found)
        at = _after_space(data, at)
        if data[at] == 44:
            at = _after_space(data, at + 1)
    return at + 1


def _array(data: bytes, at: int, pointer: str, wanted: Tree, found: dict[str, Span]) -> int:
    at = _after_space(data, at + 1)
    index = 0
    while data[at] != 93:
        inner = wanted.get(str(index))
        at = _skip(data, at) if inner is None else _walk(data, at, at, f"{pointer}/{index}", inner, found)
        at = _after_space(data, at)
        if data[at] == 44:
            at = _after_space(data, at + 1)
        index += 1
    return at + 1


def places(data: bytes, stretches: Iterable[tuple[int, int]]) -> dict[int, Place]:
    """The place of each (start, end) in `data`, by start."""
    found: dict[int, Place] = {}
    line, column, seen = 1, 1, 0
    for start, end in sorted(set(stretches)):
        if start in found:
            continue
        breaks = data.count(b"\n", seen, start)
        if breaks:
            line += breaks
            seen, column = data.rfind(b"\n", seen, start) + 1, 1
        column += len(data[seen:start].decode("utf-8", "replace"))
        seen = start
        found[start] = Place(start, line, column, _excerpt(data, start, end))
    return found


def _excerpt(data: bytes, start: int, end: int) -> Excerpt:
    begin = max(data.rfind(b"\n", 0, start) + 1, start - _BEFORE)
    stop = data.find(b"\n", start, start + _AFTER)
    if stop < 0:
        stop = min(len(data), start + _AFTER)
    before = data[begin:start].decode("utf-8", "ignore")
    before = "…" + before if begin and data[begin - 1] != 10 else before.lstrip()
    here = data[start:stop].decode("utf-8", "ignore").rstrip()
    if stop < len(data) and data[stop] not in b"\r\n":
        here += "…"
    width = 1 if data[start : start + 1] in (b"{", b"[") else len(data[start:end][:_AFTER].decode("utf-8", "ignore"))
    return Excerpt(before + here, len(before), max(1, min(width, len(here), _SHOWN)))


def repeated_keys(data: bytes) -> Iterator[tuple[str, str, int, int]]:
    """(pointer, key, start, end) of every key that stands a further time in one object of JSON `data`.

    Pointers longer than 2,000 characters are cut.
    """
    stack: list[tuple[str, set[str] | None, int]] = []  # pointer, keys of an object or None, index in an array
    at, pointer, wants_key = 0, "", False
    for token in re.finditer(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', data, re.DOTALL):
        letter, at = data[token.start()], token.start()
        if letter == 34:
            if not wants_key:
                continue
            wants_key = False
            holder, keys, _ = stack[-1]
            name = json.loads(token[0])
            pointer = f"{holder}/{name.replace('~', '~0').replace('/', '~1')}"[:2000]
            assert keys is not None
            if name in keys:
                yield pointer, name, at, token.end()
            keys.add(name)
        elif letter == 123:
            stack.append((pointer, set(), 0))
            wants_key = True
        elif letter == 91:
            stack.append((pointer, None, 0))
            pointer = f"{pointer}/0"[:2000]
        elif letter == 44:
            holder, keys, index = stack[-1]
            wants_key = keys is not None
            if keys is None:
                stack[-1] = (holder, None, index + 1)
                pointer = f"{holder}/{index + 1}"[:2000]
        else:
            stack.pop()
            wants_key = False
