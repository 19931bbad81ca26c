"""What every reader gives: columns, rows as text with their numbers, rows that are no rows, and what was detected."""

import datetime as dt
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from casefhir.sources.tables.rows import OURS, Row, TableError

MOST_COLUMNS = 16_384
LONGEST_CELL = 1 << 20
_BLOCK = 1 << 20

OnFault = Callable[[int, Row, str], None]
"""Told of a row that is none: its number, its cells as far as they could be read, and the reason."""


class Table(Protocol):
    """One file, or one sheet of a workbook, or one query, opened for reading any number of times."""

    @property
    def file(self) -> str:
        """The file's name, with the sheet after # where it has several."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, without our own remarks."""

    @property
    def detected(self) -> dict[str, str]:
        """What was found out and a person should see: encoding, delimiter, sheet."""

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """Its rows, each with its number; memory does not grow with the file where the format allows."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's bytes, read once: size, SHA-256 (hexadecimal), whether all is UTF-8, whether a NUL or a quote is in it,
    and the offset of the first byte beyond ASCII (None: there is none).
    """

    size: int
    sha256: str
    utf8: bool
    nul: bool
    quote: bool
    beyond_ascii: int | None


def fingerprint(path: Path) -> Fingerprint:
    """Read `path` once, in blocks."""
    import codecs

    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    size, utf8, nul, quote, beyond = 0, True, False, False, None
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            nul = nul or b"\0" in block
            quote = quote or b'"' in block
            if beyond is None and not block.isascii():
                beyond = size + next(place for place, byte in enumerate(block) if byte > 127)
            if utf8 and beyond is not None:
                utf8 = _decodes(decoder, block, final=False)
            size += len(block)
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    return Fingerprint(size, digest.hexdigest(), utf8, nul, quote, beyond)


def _decodes(decoder: object, block: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(block, final)  # type: ignore[attr-defined]
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table, and which of the cells of each row belong to them."""

    columns: tuple[str, ...]
    kept: tuple[int, ...]
    width: int
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every cell of a row is kept."""
        return len(self.kept) == self.width


def header(file: str, names: Sequence[str | None]) -> Header:
    """The header of `file`; raises `TableError` for columns of the same name, or too many of them."""
    if len(names) > MOST_COLUMNS:
        raise TableError(f"{file}: It has {len(names)} columns; {MOST_COLUMNS} at most are read. Split the table.")
    found = [(name or "").strip() for name in names]
    while found and not found[-1]:
        found.pop()  # a delimiter at the end of the line
    if not found:
        raise TableError(f"{file}: The first row names no columns; give the table a header.")
    notes = {}
    nameless = [place for place, name in enumerate(found) if not name]
    for place in nameless:
        found[place] = f"(column {place + 1})"
    if nameless:
        notes["nameless columns"] = ", ".join(found[place] for place in nameless)
    seen: set[str] = set()
    for name in found:
        if name in seen:
            raise TableError(f"{file}: Two columns are called {name!r}; rename one of them.")
        seen.add(name)
    kept = tuple(place for place, name in enumerate(found) if not name.startswith(OURS))
    return Header(tuple(found[place] for place in kept), kept, len(found), notes)


def as_text(value: object) -> str | None:
    """A cell of a typed format as text, nothing rounded or guessed; None for null.

    Whole binary floats lose their `.0`, for formats that know only floats hold counts and codes as such; others are
    written with the fewest digits that give the same number. Midnight in a column of timestamps is kept as told.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isfinite(value) and value == int(value) and abs(value) < 2**53:
            return str(int(value))
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)
