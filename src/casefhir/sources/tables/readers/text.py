"""CSV and TSV of any encoding and delimiter, both found out and told."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from casefhir.sources.tables.readers.base import (
    LONGEST_CELL,
    LOOKED_AT,
    PLAIN,
    Fingerprint,
    Header,
    Layout,
    OnFault,
    fingerprint,
    header,
)
from casefhir.sources.tables.readers.encodings import guessed, is_wide, mostly_utf8
from casefhir.sources.tables.readers.packed import is_packed, kind, opened
from casefhir.sources.tables.rows import OnStart, Row, Start, TableError

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NAMED = {name: sign for sign, name in DELIMITERS.items()} | {"\\t": "\t"}
MARKED = 250
"""Rows from one place where reading can begin to the next."""
LONGEST_LINE = 16 << 20
_SAMPLE = 1 << 18
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class TextTable:
    """A delimited text file; `encoding` and `delimiter` (a character, or its name) are found out unless given. The
    header of `layout` is a line of the file; `found` what was found out of its bytes before.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        layout: Layout = PLAIN,
        found: Fingerprint | None = None,
    ) -> None:
        self.path = path
        self.in_place = not is_packed(path)
        """Whether reading can begin in its middle."""
        self.layout = layout
        self.file = path.name
        self.print: Fingerprint = found or fingerprint(path)
        self.encoding = encoding or _encoding(path, self.print)
        self.delimiter = _given(self.file, delimiter) if delimiter else self._delimiter()
        self.quoted = self._is_quoted()
        self._header = self._read_header()
        self.rejects = not self._header.whole or path.parent.name == "context"
        """Whether it is of a conversion's own rejects, whose rows do not stand below those of their persons."""
        self.columns = self._header.columns
        self.detected = {
            "encoding": self.encoding,
            "delimiter": DELIMITERS.get(self.delimiter, self.delimiter),
        } | self._header.notes

    def rows(
        self, fault: OnFault, start: Start | None = None, mark: OnStart | None = None
    ) -> Iterator[tuple[int, Row]]:
        """The rows after the header, or from `start` on, which was told to `mark` in an earlier reading.

        A row whose cells are fewer or more than the columns is told to `fault`.
        """
        head, width = self._header, self._header.width
        kept = None if head.whole else head.kept
        with self._open() as stream:
            if start is not None:
                stream.seek(start.at)
            before = start.number - 1 if start else self._above
            reader = self._reader(stream, before, skip=0 if start else before)
            for _ in range(0 if start else 1 + self.layout.skip_after):
                self.next_row(reader, before)
            number, read = before + reader.line_num + 1, 0
            while True:
                if mark and read % MARKED == 0:
                    mark(Start(number, stream.tell()))
                read += 1
                cells = self.next_row(reader, before)
                if cells is None:
                    return
                if len(cells) > width and not any(cells[width:]):
                    del cells[width:]  # a delimiter at the end of the line
                if len(cells) != width:
                    if cells:  # an empty line is none
                        fault(number, tuple(cells), _ragged(len(cells), width))
                elif self.print.nul and any("\0" in cell for cell in cells):
                    fault(number, tuple(cells), "A cell holds a NUL character; remove it.")
                else:
                    yield number, tuple(cells) if kept is None else tuple([cells[place] for place in kept])
                number = before + reader.line_num + 1

    def _open(self) -> TextIO:
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise TableError(f"{self.file}: There is no encoding {self.encoding!r}; name another one.") from error
        return io.TextIOWrapper(opened(self.path), encoding=self.encoding, newline="")

    @property
    def _above(self) -> int:
        """Lines above the header."""
        return (self.layout.header or 1) - 1

    @property
    def whole(self) -> bool:
        """Whether its columns are all cells of a row, in their order."""
        return self._header.whole

    def _reader(self, stream: TextIO, before: int, *, skip: int) -> "CsvReader":
        """The rows of `stream` after its first `skip` lines; `before` lines are above what it gives then."""
        return self.parsed(islice(_lines(stream, self.file, before - skip), skip, None))

    def parsed(self, lines: Iterator[str]) -> "CsvReader":
        """The rows in `lines`, which stand anywhere in the file; `next_row` asks for one after the other."""
        csv.field_size_limit(LONGEST_CELL)
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)

    def beginning(self) -> list[tuple[int, list[str]]]:
        """The first rows of the file as they are, whatever the header; fewer where they cannot be told apart."""
        found: list[tuple[int, list[str]]] = []
        with suppress(csv.Error):
            reader, number = csv.reader(self._sample(), delimiter=self.delimiter, strict=True), 1
            while len(found) < LOOKED_AT and (cells := next(reader, None)) is not None:
                found.append((number, cells))
                number = reader.line_num + 1
        return found

    def next_row(self, reader: "CsvReader", before: int) -> list[str] | None:
        """The cells of the next row, if there is one; `before` lines are above those of `reader`.

        Raises `TableError`.
        """
        try:
            cells = next(reader, None)
            if cells and not self.quoted:
                return [_unquoted(cell) if cell[:1] == '"' else cell for cell in cells]
            return cells
        except csv.Error as error:
            raise TableError(
                f"{self.file}, line {before + reader.line_num}: {_said(str(error))} The rows after it cannot be told "
                f"apart; mend the quotes and try again."
            ) from error
        except UnicodeError as error:
            raise self.misread(before + reader.line_num, error) from error

    def misread(self, number: int, error: UnicodeError) -> TableError:
        """What is raised for bytes after line `number` that are not of the encoding."""
        return TableError(
            f"{self.file}, after line {number}: The bytes are not {self.encoding} ({error}). "
            f"Name the right encoding with --encoding."
        )

    def _read_header(self) -> Header:
        with self._open() as stream:
            names = self.next_row(self._reader(stream, self._above, skip=self._above), self._above)
        if names is None and self._above:
            raise TableError(f"{self.file}: It ends before row {self.layout.header}, where its header should stand.")
        if names is None:
            raise TableError(f"{self.file}: The file is empty; a table has at least a header.")
        return header(self.file, names, self.layout, self.beginning)

    def _is_quoted(self) -> bool:
        """Whether cells may be put in quotes to hold delimiters and line ends. Where each line of a table with tabs has
        as many of them as the header, none does, and a quote is a letter like others (`"` for inches, in vocabularies):
        such cells lose their quotes only if they are whole.
        """
        if self.delimiter != "\t" or not self.print.quote:
            return True
        with self._open() as stream:
            lines = islice(_lines(stream, self.file, 0), self._above, None)
            try:
                widths = {line.count("\t") for line in lines if line.strip()}
            except UnicodeError:
                return True  # told where the rows are read
        return len(widths) != 1

    def _delimiter(self) -> str:
        """The delimiter that parts the first lines into the most columns, the same number in each."""
        if kind(self.path) in (".tsv", ".tab"):
            return "\t"
        lines = self._sample()[self._above :]
        return _parting(lines) or _parting(lines, titled=True) or ","

    def _sample(self) -> list[str]:
        """The first lines, those that are whole."""
        with self._open() as stream:
            try:
                sample = stream.read(_SAMPLE)
            except UnicodeError as error:
                raise TableError(
                    f"{self.file}: The bytes are not {self.encoding} ({error}). Name the right encoding."
                ) from error
        lines = sample.splitlines(keepends=True)
        if len(sample) == _SAMPLE and len(lines) > 1:
            lines.pop()
        return lines


def _parting(lines: list[str], *, titled: bool = False) -> str | None:
    """The delimiter that parts `lines` into the most columns, as many in most lines as in the first; or, where a title
    stands above, as in the most lines.
    """
    best, most = None, (False, 1)
    for each in DELIMITERS:
        try:
            widths = [len(row) for _, row in zip(range(100), csv.reader(lines, delimiter=each)) if row]
        except csv.Error:
            continue
        width = max(sorted({*widths}), key=widths.count, default=0) if titled else next(iter(widths), 0)
        same = sum(one == width for one in widths) / max(1, len(widths))
        if width < 2 or (titled and same <= 0.5):
            continue
        if (same > 0.5, width) > most:
            best, most = each, (same > 0.5, width)
    return best


def _given(file: str, delimiter: str) -> str:
    """The delimiter that is meant by a character or the name that is told of it; raises `TableError`."""
    found = _NAMED.get(delimiter.strip().lower(), delimiter)
    if len(found) != 1 or found in '"\r\n':
        raise TableError(
            f"{file}: {delimiter!r} parts no cells; name one character, or {', '.join(DELIMITERS.values())}."
        )
    return found


def _unquoted(cell: str) -> str:
    """A cell without the quotes around it, if there are two and those within are doubled."""
    inner = cell[1:-1]
    whole = len(cell) > 1 and cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if whole else cell


def _lines(stream: TextIO, file: str, number: int) -> Iterator[str]:
    """The lines of `stream` after the `number`th; raises `TableError` for one that no table has, before it fills the
    memory.
    """
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) >= LONGEST_LINE:
            raise too_long(file, number)
        yield line


def too_long(file: str, number: int) -> TableError:
    """What is raised for a line of `LONGEST_LINE` characters or more."""
    return TableError(
        f"{file}, line {number}: The line is longer than {LONGEST_LINE:,} characters; this is no table, or its line "
        f"ends are lost."
    )


def _encoding(path: Path, found: Fingerprint) -> str:
    with opened(path) as stream:
        start = stream.read(4)
        for mark, name in _MARKS.items():
            if start.startswith(mark):
                return name
        begun = max(0, (found.beyond_ascii or 0) - _SAMPLE // 2) & ~3  # whole characters of UTF-16 and UTF-32
        if begun:
            _skip(stream, begun - len(start))
        sample = (start if not begun else b"") + stream.read(_SAMPLE)
        wide = is_wide(sample)
        if found.utf8 and not wide:
            return "utf-8"
    place = mostly_utf8(sample)
    if place is not None and not wide:
        raise TableError(
            f"{path.name}: The bytes are UTF-8, but for some, the first of them at byte {begun + place:,} or after it. "
            f"Mend them, for in one encoding all cannot be read; or name the encoding with --encoding."
        )
    encoding = guessed(sample)
    if encoding is None:
        raise TableError(f"{path.name}: The encoding of this file could not be found out; name it with --encoding.")
    return encoding


def _skip(stream: IO[bytes], size: int) -> None:
    """Pass over so many bytes, by reading them where a stream cannot be sought in."""
    if stream.seekable():
        stream.seek(size, io.SEEK_CUR)
        return
    while size > 0 and (block := stream.read(min(size, _SAMPLE))):
        size -= len(block)


def _ragged(cells: int, width: int) -> str:
    more = "more" if cells > width else "fewer"
    return (
        f"The row has {cells} cells, {more} than the {width} columns; mend its delimiters or quotes, for no cell can "
        f"be told from its neighbour."
    )


def _said(error: str) -> str:
    if "field larger" in error:
        return f"A cell is longer than {LONGEST_CELL:,} characters, or a quoted cell is not closed."
    if "unexpected end" in error:
        return "A quoted cell is not closed."
    if re.search(r"expected after", error):
        return "Something stands between a closing quote and the next delimiter."
    return f"{error[:1].upper()}{error[1:]}."
