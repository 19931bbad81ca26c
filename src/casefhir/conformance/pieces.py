"""The work in files, folders and streams as pieces of moderate size: what memory is bounded by, and jobs share."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from casefhir.conformance.reader import SIZE
from casefhir.errors import CasefhirError

WHOLE = (".json",)
LINES = (".ndjson", ".jsonl")
_ENOUGH = 1 << 18
_REST = 1 << 20
_PEEK = 1 << 16
Line = tuple[int, int, bytes]


class NothingToValidate(CasefhirError):
    """Something that is neither a resource nor a place where there are any."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the work: a whole file (`path`), or resources as (line from 1, byte from 0, JSON bytes) in `lines`.

    `file` is what findings call it; `size` is its length in bytes, for showing progress.
    """

    file: str | None
    size: int
    path: Path | None = None
    lines: list[Line] = field(default_factory=list)

    def resources(self) -> Iterator[Line]:
        """The resources of the piece; of a file that is too long only so much as shows it."""
        if self.path is not None:
            with self.path.open("rb") as stream:
                yield 1, 0, stream.read(SIZE + 1)
        yield from self.lines


def files(path: Path) -> Iterator[Path]:
    """The JSON and NDJSON files at `path`, in order of name; a path that is a file whatever it is called.

    Raises `NothingToValidate` where there is none.
    """
    if path.is_dir():
        found = [each for each in _inside(path) if each.suffix.lower() in WHOLE + LINES]
        if not found:
            raise NothingToValidate(f"{path}: no .json, .ndjson or .jsonl file in this folder.")
        yield from found
    elif path.exists():
        yield path
    else:
        raise NothingToValidate(f"{path}: there is no such file or folder.")


def passed_over(path: Path) -> dict[str, int]:
    """How many files of the folder `path` are not read, by suffix; what lies in index/ is not counted."""
    found: dict[str, int] = {}
    for each in _inside(path) if path.is_dir() else ():
        if each.suffix.lower() not in WHOLE + LINES:
            found[each.suffix] = found.get(each.suffix, 0) + 1
    return found


def _inside(folder: Path) -> Iterator[Path]:
    # what lies in index/ leads from bundles to mappings and is no FHIR
    for each in sorted(folder.rglob("*")):
        if each.is_file() and "index" not in each.relative_to(folder).parts[:-1] and not _tells_of_a_run(each):
            yield each


def _tells_of_a_run(file: Path) -> bool:
    """Whether `file` is what `casefhir convert` of tables writes beside the resources: its sums, no FHIR."""
    if file.name != "manifest.json":
        return False
    with file.open("rb") as stream:
        return stream.read(64).lstrip(b"{ \n").startswith(b'"software": "casefhir ')


def pieces(path: Path) -> Iterator[Piece]:
    """The work at `path`. Raises `NothingToValidate` where there is none."""
    for each in files(path):
        yield from _file(each)


def _file(path: Path) -> Iterator[Piece]:
    suffix = path.suffix.lower()
    if suffix in WHOLE:
        yield _whole(path)
        return
    try:
        with path.open("rb") as stream:
            if suffix in LINES:
                yield from in_lines(stream, str(path))
                return
            start = stream.read(_PEEK)
            if not looks_like_lines(start):
                yield _whole(path)
                return
            stream.seek(0)
            yield from in_lines(stream, str(path))
    except OSError:
        yield Piece(str(path), 0, path)  # whoever reads it finds out why it cannot be


def _whole(path: Path) -> Piece:
    try:
        size = os.stat(path).st_size
    except OSError:
        size = 0
    return Piece(str(path), size, path)


def from_stream(stream: BinaryIO, name: str | None) -> Iterator[Piece]:
    """The work in a stream that cannot be read twice: one resource or, when its first line is one, NDJSON."""
    start = stream.read(_PEEK)
    while len(start) < _PEEK and (more := stream.read(_PEEK - len(start))):
        start += more
    if looks_like_lines(start):
        yield from in_lines(_Joined(start, stream), name)
    else:
        data = start + stream.read(SIZE + 1 - len(start))
        yield Piece(name, len(data), lines=[(1, 0, data)])


def looks_like_lines(start: bytes) -> bool:
    """Is what starts with `start` NDJSON: its first line opens an object, and ends it or the next one opens another."""
    lines = [each.strip() for each in start.lstrip(b"\xef\xbb\xbf").lstrip().split(b"\n", 2)]
    if len(lines) < 2 or not lines[0].startswith(b"{"):
        return False
    return (len(lines[0]) > 2 and lines[0].endswith(b"}")) or lines[1].startswith(b'{"')


class _Joined:
    """`readline` over bytes already read and the stream they came from."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start = start
        self._at = 0
        self._stream = stream

    def readline(self, most: int) -> bytes:
        if self._at >= len(self._start):
            return self._stream.readline(most)
        end = self._start.find(b"\n", self._at, self._at + most) + 1
        if end:
            found = self._start[self._at : end]
            self._at = end
            return found
        found = self._start[self._at : self._at + most]
        self._at += len(found)
        return found if len(found) == most else found + self._stream.readline(most - len(found))


def in_lines(stream: "BinaryIO | _Joined", name: str | None) -> Iterator[Piece]:
    """NDJSON in pieces; its length does not matter, blank lines are left out."""
    held: list[Line] = []
    size = 0
    for number, offset, length, line in bounded_lines(stream):
        size += length
        if line.strip():
            held.append((number, offset, line))
        if size >= _ENOUGH:
            yield Piece(name, size, lines=held)
            held, size = [], 0
    if held:
        yield Piece(name, size, lines=held)


def bounded_lines(stream: "BinaryIO | _Joined", most: int = SIZE) -> Iterator[tuple[int, int, int, bytes]]:
    """The lines of `stream` as (number from 1, byte from 0, length, bytes).

    Of a line longer than `most` only `most` + 1 bytes are given, so that it is refused, not kept.
    """
    number = offset = 0
    while line := stream.readline(most + 1):
        number += 1
        length, rest = len(line), line
        while length > most and not rest.endswith(b"\n"):
            rest = stream.readline(_REST)
            length += len(rest)
            if not rest:
                break
        yield number, offset, length, line
        offset += length


def total_size(paths: Iterable[Path]) -> int:
    """The bytes of all files at `paths`, as far as they are known beforehand."""
    return sum(each.stat().st_size for path in paths for each in files(path) if each.is_file())
