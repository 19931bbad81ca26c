"""What every reader gives: columns, rows as text with their numbers, rows that are no rows, and what was detected."""

import datetime as dt
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from casefhir.sources.tables.readers.packed import is_packed, opened
from casefhir.sources.tables.rows import OURS, Row, TableError

MOST_COLUMNS = 16_384
LONGEST_CELL = 1 << 20
_BLOCK = 1 << 20
_VALUE = re.compile(r"[<>≤≥]?\s*[-+]?[0-9][0-9.,:/\s-]*%?").fullmatch
"""A number or a date, which no header is."""

LOOKED_AT = 30
"""Rows at the beginning of a table in which its header is looked for."""

NAMED = "headers"
"""What is noted of columns that are called otherwise than in the file."""

OnFault = Callable[[int, Row, str], None]
"""Told of a row that is none: its number, its cells as far as they could be read, and the reason."""


class Table(Protocol):
    """One file, or one sheet of a workbook, or one query, opened for reading any number of times."""

    @property
    def file(self) -> str:
        """The file's name, with the sheet after # where it has several; its folder before it where that names it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, without our own remarks."""

    @property
    def detected(self) -> dict[str, str]:
        """What was found out and a person should see: encoding, delimiter, sheet."""

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """Its rows, each with its number; memory does not grow with the file where the format allows."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a table is that gives the rows of `part` with other cells: of the same file and the same columns."""

    part: Table

    @property
    def file(self) -> str:
        """As in `Table`."""
        return self.part.file

    @property
    def columns(self) -> tuple[str, ...]:
        """As in `Table`."""
        return self.part.columns


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's bytes, read once: size, SHA-256 (hexadecimal), and (of a packed file: of what is in it) whether all is
    UTF-8, whether a NUL, a quote, or a carriage return that no line feed follows is in it, and the offset of the first
    byte beyond ASCII (None: there is none).
    """

    size: int
    sha256: str
    utf8: bool
    nul: bool
    quote: bool
    bare_cr: bool
    beyond_ascii: int | None


def fingerprint(path: Path) -> Fingerprint:
    """Read `path` once, in blocks (a packed file twice: as it lies, and unpacked)."""
    import codecs

    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    size, utf8, nul, quote, beyond = 0, True, False, False, None
    bare, last = 0, b""  # carriage returns without a line feed, as far as their next byte was seen
    packed = is_packed(path)
    with opened(path) as stream:
        while block := stream.read(_BLOCK):
            if not packed:
                digest.update(block)
            nul = nul or b"\0" in block
            bare += block.count(b"\r") - block.count(b"\r\n") - (last == b"\r" and block[:1] == b"\n")
            last = block[-1:]
            quote = quote or b'"' in block
            if beyond is None and not block.isascii():
                beyond = size + next(place for place, byte in enumerate(block) if byte > 127)
            if utf8 and beyond is not None:
                utf8 = _decodes(decoder, block, final=False)
            size += len(block)
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    if packed:
        size = path.stat().st_size
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
    return Fingerprint(size, digest.hexdigest(), utf8, nul, quote, bare > 0, beyond)


def _decodes(decoder: object, block: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(block, final)  # type: ignore[attr-defined]
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the header of a text file or sheet stands: its row (None: the first), how many rows under it are no data
    (units), and what its words are as names of columns, where that is not what they say themselves.
    """

    header: int | None = None
    skip_after: int = 0
    naming: Callable[[str, list[str]], list[str]] | None = None


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


PLAIN = Layout()


def header(
    file: str,
    names: Sequence[str | None],
    layout: Layout = PLAIN,
    beginning: Callable[[], Iterable[tuple[int, Sequence[str]]]] = tuple,
) -> Header:
    """The header of `file`; raises `TableError` for too many columns. Those without a name, or with the same name, have
    their number in it, so that none is taken for another. `beginning` gives the first rows of the file, to see which of
    them looks like the header.
    """
    if len(names) > MOST_COLUMNS:
        raise TableError(f"{file}: It has {len(names)} columns; {MOST_COLUMNS} at most are read. Split the table.")
    found = [(name or "").strip() for name in names]
    while found and not found[-1]:
        found.pop()  # a delimiter at the end of the line
    likely = None if layout.header else likely_header(beginning())
    hint = (
        f" Row {likely} looks like the header: say header = {likely} for this table in the mapping." if likely else ""
    )
    if not found:
        where = f"Row {layout.header}" if layout.header else "The first row"
        raise TableError(f"{file}: {where} names no columns; give the table a header.{hint}")
    notes = {}
    if layout.header:
        notes["header"] = f"in row {layout.header}"
    elif likely:
        notes["header"] = f"in the first row, though row {likely} looks like it (then say header = {likely})"
    nameless = [place for place, name in enumerate(found) if not name]
    for place in nameless:
        found[place] = f"(column {place + 1})"
    if nameless:
        notes["nameless columns"] = ", ".join(found[place] for place in nameless)
    if layout.naming and (named := layout.naming(file, found)) != found:
        found, notes[NAMED] = named, "labels, read as variable names by the data dictionary"
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        called = {name: [place for place, each in enumerate(found) if each == name] for name in twice}
        for name, places in called.items():
            for place in places:
                found[place] = f"{name} (column {place + 1})"
        notes["columns of the same name"] = ", ".join(found[place] for places in called.values() for place in places)
        if hint or of_labels(twice) or len(set(found)) < len(found):
            raise TableError(
                f"{file}: Two columns are called {twice[0]!r}; rename one of them.{hint}{of_labels(twice)}"
            )
    kept = tuple(place for place, name in enumerate(found) if not name.startswith(OURS))
    return Header(tuple(found[place] for place in kept), kept, len(found), notes)


def likely_header(rows: Iterable[tuple[int, Sequence[str]]]) -> int | None:
    """The number of the row that looks like a header below a title: the first with about as many cells as any has, all
    different words; None where the first row is no title.
    """
    listed = [(number, [cell.strip() for cell in cells if cell.strip()]) for number, cells in rows]
    most = max((len(filled) for _, filled in listed), default=0)
    for place, (number, filled) in enumerate(listed):
        if len(filled) < 2 or len(filled) < most * 0.8:
            continue
        if place == len(listed) - 1 or len(set(filled)) < len(filled) or any(_VALUE(cell) for cell in filled):
            return None
        return number if place and len(listed[0][1]) <= len(filled) / 2 else None
    return None


def of_labels(names: Iterable[str]) -> str:
    """What to say where names of columns look like those of REDCap's exports of labels; "" where they do not."""
    if not any(name.casefold() in ("complete?", "repeat instrument") or "(choice=" in name for name in names):
        return ""
    return (
        " It looks like REDCap's export of labels. Export raw data instead (Data Exports, Reports, and Stats > Export "
        "Data > CSV, raw data); or convert it with --mapping redcap and the data dictionary beside it (Project Setup > "
        'Data Dictionary > Download), by which labels are read; a mapping of your own does so with dictionary = ".." '
        "in its table."
    )


class Number(str):
    """A number of a typed format as text: its mark is the point, however the table's texts are written."""

    __slots__ = ()


def as_text(value: object) -> str | None:
    """A cell of a typed format as text, nothing rounded or guessed; None for null.

    Whole binary floats lose their `.0`, for formats that know only floats hold counts and codes as such; others are
    written with the fewest digits that give the same number. Midnight in a column of timestamps is kept as told.
    Numbers with a decimal mark are `Number`.
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
        return "NaN" if math.isnan(value) else Number(repr(value))
    if isinstance(value, Decimal):
        return Number(format(value, "f")) if value.is_finite() else str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)
