"""CDISC's Dataset-JSON, 1.0 and 1.1: columns by name, rows as arrays; also as NDJSON (first what is said of the data,
then a row a line) and compressed (.dsjc: that NDJSON as one zlib stream).

https://github.com/cdisc-org/DataExchange-DatasetJson
"""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from casefhir.sources.tables.readers.base import LONGEST_CELL, OnFault, header
from casefhir.sources.tables.readers.documents import lines, parsed, whole
from casefhir.sources.tables.rows import Row, TableError

COMPRESSED = ".dsjc"
_LOOKED_AT = 1 << 16
_MARKS = (b'"datasetJSONVersion"', b'"itemGroupData"')
_BLOCK = 1 << 16


def is_dataset_json(path: Path) -> bool:
    """Whether a JSON file says of itself, at its beginning or its end, that it is Dataset-JSON."""
    if path.suffix.lower() == COMPRESSED:
        return True
    with path.open("rb") as stream:
        seen = stream.read(_LOOKED_AT)
        stream.seek(max(0, path.stat().st_size - _LOOKED_AT))
        seen += stream.read(_LOOKED_AT)
    return any(mark in seen for mark in _MARKS)


class DatasetJsonTable:
    """A Dataset-JSON file; NDJSON and compressed ones are read a row at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.name
        self._by_line = path.suffix.lower() in (".ndjson", ".jsonl", COMPRESSED)
        about, count = self._look()
        names = [each.get("name") if isinstance(each, dict) else None for each in _columns(about)]
        if not names or not all(isinstance(name, str) for name in names):
            raise TableError(f"{self.file}: It is Dataset-JSON, but does not name its columns ('columns', or 'items').")
        self._header = header(self.file, names)
        self.columns = self._header.columns
        said = {name: str(about[key]) for name, key in (("dataset", "name"), ("label", "label")) if about.get(key)}
        self.detected = {"format": "Dataset-JSON"} | said
        told = about.get("records")
        if told is not None and str(told) != str(count):
            self.detected["records"] = f"{told} by its own word, but {count} are there"

    def __reduce__(self) -> tuple[Any, ...]:
        return DatasetJsonTable, (self.path,)  # rows do not travel to another process

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The rows; numbers are the lines of NDJSON, else records counted from 1. Null is None."""
        head = self._header
        for number, found in self._rows():
            cells = [found.get(name) for name in head.columns] if isinstance(found, dict) else found
            wrong = _wrong(cells, head.width) if isinstance(cells, list) else "A row is a list of values."
            if wrong:
                fault(number, tuple(_shown(each) for each in (cells if isinstance(cells, list) else [cells])), wrong)
            elif isinstance(found, dict) or head.whole:
                yield number, tuple([_text(each) for each in cells])
            else:
                yield number, tuple([_text(cells[place]) for place in head.kept])

    def _look(self) -> tuple[dict[str, Any], int]:
        """What the file says of its data, and how many rows there are."""
        if not self._by_line:
            about = self._dataset()
            return about, len(_rows_in(about, self.file))
        found: dict[str, Any] = {}
        count = 0
        for _, each in self._lines():
            if isinstance(each, dict) and not _columns(found):
                found |= each
            else:
                count += 1
        return found, count

    def _rows(self) -> Iterator[tuple[int, Any]]:
        if not self._by_line:
            yield from enumerate(_rows_in(self._dataset(), self.file), 1)
            return
        found: dict[str, Any] = {}
        for number, each in self._lines():
            if isinstance(each, dict) and not _columns(found):
                found |= each
            else:
                yield number, each

    def _lines(self) -> Iterator[tuple[int, Any]]:
        with self.path.open("rb") as raw:
            stream: IO[bytes] = io.BufferedReader(_Inflated(raw)) if self.path.suffix.lower() == COMPRESSED else raw
            try:
                for number, line in lines(stream, self.file):
                    yield number, parsed(line, f"{self.file}, line {number}")
            except zlib.error as error:
                raise TableError(f"{self.file}: The compressed data cannot be read ({error}).") from error

    def _dataset(self) -> dict[str, Any]:
        """The object that holds the columns and the rows: in 1.0 it lies three steps down."""
        found = whole(self.path, self.file)
        if not isinstance(found, dict):
            raise TableError(f"{self.file}: Dataset-JSON is an object; the file holds {type(found).__name__}.")
        held = found.get("clinicalData") or found.get("referenceData")
        groups = held.get("itemGroupData") if isinstance(held, dict) else None
        if groups is None:
            return found
        if not isinstance(groups, dict) or len(groups) != 1:
            raise TableError(f"{self.file}: Dataset-JSON holds one dataset a file; this one does not. Split it.")
        (group,) = groups.values()
        if not isinstance(group, dict):
            raise TableError(f"{self.file}: 'itemGroupData' holds {type(group).__name__} where a dataset belongs.")
        return group


class _Inflated(io.RawIOBase):
    """A zlib stream, unpacked a block at a time."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._inflate = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._inflate.eof:
            block = self._inflate.unconsumed_tail or self._packed.read(_BLOCK)
            if not block:
                raise zlib.error("it ends too early")
            found = self._inflate.decompress(block, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)
        return 0


def _columns(about: dict[str, Any]) -> list[Any]:
    found = about.get("columns") or about.get("items")
    return found if isinstance(found, list) else []


def _rows_in(about: dict[str, Any], file: str) -> list[Any]:
    found = about.get("rows", about.get("itemData"))
    if found is not None and not isinstance(found, list):
        raise TableError(f"{file}: The rows are a list; the file holds {type(found).__name__} where they belong.")
    return found or []


def _wrong(cells: list[Any], width: int) -> str | None:
    if len(cells) != width:
        return f"The row has {len(cells)} values, but there are {width} columns; give each column its value."
    for each in cells:
        if isinstance(each, list | dict):
            return "A value is a list or an object, where text, a number, true, false or null belongs."
        if isinstance(each, str) and ("\0" in each or len(each) > LONGEST_CELL):
            return "A cell holds a NUL character or is over a million characters long; mend it."
    return None


def _text(value: Any) -> str | None:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def _shown(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
