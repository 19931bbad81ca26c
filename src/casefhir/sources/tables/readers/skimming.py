"""Text tables looked through for their keys alone, several times as fast as their rows are read."""

import codecs
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from casefhir.sources.tables.readers import text
from casefhir.sources.tables.rows import Start

_LINE_BY_LINE = re.compile(r"utf-8(-sig)?|ascii|cp125\d|iso8859-\d+|koi8-[rtu]")
"""Encodings in which a line feed is one byte, which is nothing else, and each line can be decoded by itself."""
_OFFSETS = 1 << 63  # a place in a text file from here on says more than where its bytes are
_LARGE = 1 << 20
_LONGEST = 4 * text.LONGEST_LINE  # a character is four bytes at most
Find = Callable[[Sequence[str | None]], str]
"""The key of a row that has as many cells as are needed for it."""


def can_be_skimmed(table: text.TextTable) -> bool:
    """Whether the columns are the cells of a row, and the lines are found without decoding them."""
    encoding = codecs.lookup(table.encoding).name
    if not table.in_place or not table.whole or table.print.bare_cr or not _LINE_BY_LINE.fullmatch(encoding):
        return False
    return _first(table).at < _OFFSETS


def can_be_parted(table: text.TextTable) -> bool:
    """Whether each line of a table that can be skimmed is a row, so that it can be skimmed from anywhere."""
    return not table.print.quote


def skimmed(
    table: text.TextTable, width: int, find: Find, begin: int = 0, end: int | None = None
) -> Iterator[tuple[Start, list[str]]]:
    """The keys of all rows, as `find` tells them from the first `width` cells (empty for a row that has fewer), in
    groups of as many lines as stand between two marks; each with the place where it begins, and at last the place
    behind them. Of a table that can be parted, those alone that begin between the bytes `begin` and `end`; their
    numbers are counted from 0 then, unless `begin` is 0. Raises `TableError`.
    """
    number, at = _first(table)
    with table.path.open("rb") as stream:
        if begin:
            number = 0
            if begin > at:
                stream.seek(begin - 1)
                at = begin - 1 + len(stream.readline(_LONGEST))
        stream.seek(at)
        while (end is None or at < end) and (block := _block(stream, end - at if end else _LARGE)):
            group = _Group(table, block, stream, number)
            start = Start(number, at)
            yield start, [find(row) if len(row) >= width else "" for row in group.rows(width)]
            number += group.lines
            at += group.size
    yield Start(number, at), []


def _first(table: text.TextTable) -> Start:
    """Where the rows begin."""
    found: list[Start] = []
    next(table.rows(lambda *_: None, mark=found.append), None)
    return found[0]


def _block(stream: BinaryIO, room: int) -> bytes:
    """As many lines as stand between two marks, fewer where they are long or begin after `room` bytes."""
    lines, size = [], 0
    for _ in range(text.MARKED):
        line = stream.readline(_LONGEST)
        lines.append(line)
        size += len(line)
        if size >= min(_LARGE, room) or not line:
            break
    return b"".join(lines)


class _Group:
    """Lines that are looked at together. Where a cell with line breaks leads out of them, more are taken from `stream`;
    `lines` and `size` (bytes) hold after `rows`.
    """

    def __init__(self, table: text.TextTable, block: bytes, stream: BinaryIO, number: int) -> None:
        self.table, self.block, self.stream, self.number = table, block, stream, number
        self.lines, self.size = 0, len(block)

    def rows(self, width: int) -> list[list[str]]:
        """The first cells of each row, `width` of them at least where it has so many; raises `TableError`."""
        block = self.block
        if b'"' in block or len(block) > _LARGE:
            return list(self._parsed())
        lines = self._decoded(block).replace("\r\n", "\n").removesuffix("\n").split("\n")
        self.lines = len(lines)
        delimiter = self.table.delimiter
        return [line.split(delimiter, width) for line in lines]

    def _parsed(self) -> Iterator[list[str]]:
        """The rows as they are read, for there are quotes or long cells."""
        within = list(self._split(self.block, self.number))
        reader = self.table.parsed(self._all(within))
        while reader.line_num < len(within):
            row = self.table.next_row(reader, self.number - 1)
            if row:
                yield row
        self.lines = reader.line_num

    def _all(self, within: list[str]) -> Iterator[str]:
        yield from within
        number = self.number + len(within)
        while line := self.stream.readline(_LONGEST):
            self.size += len(line)
            yield from self._split(line, number)
            number += 1

    def _split(self, block: bytes, number: int) -> Iterator[str]:
        """The lines from line `number` on, as a file opened as text has them."""
        for place, line in enumerate(io.StringIO(self._decoded(block), newline=""), number):
            if len(line) >= text.LONGEST_LINE:
                raise text.too_long(self.table.file, place)
            yield line

    def _decoded(self, block: bytes) -> str:
        try:
            return block.decode(self.table.encoding)
        except UnicodeError as error:
            raise self.table.misread(self.number - 1, error) from error
