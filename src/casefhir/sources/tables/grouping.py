"""Rows of several tables brought together by person, in steady memory, in pieces that any process can read for itself.

Text tables that are sorted by their key are read side by side where they lie; the others are written out sorted
before. The order of persons is that of the tables where they share one (as text, or as numbers without leading
zeros), else that of the key's text; so it does not depend on how the rows were brought together. Nor do the pieces
depend on how many processes read them.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

from casefhir.sources.tables import keys
from casefhir.sources.tables.keys import SEPARATOR, Fault, Keyed, KeyedTable, Marks, Order, Rank, rank
from casefhir.sources.tables.rows import Broken, PersonRows, Start, TableError
from casefhir.sources.tables.sorting import SortedTable, as_they_lie, sorted_in_memory, sorted_on_disk, sorting_folder

PIECE = 4_000
"""Rows of all tables together in a piece, about."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The persons from `low` up to, not including, `high` (None: without bound), and from where each table is read."""

    low: Rank | None
    high: Rank | None
    starts: Mapping[str, Start]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Tables that are sorted by person, all in one order. It can be handed to other processes while it is open."""

    tables: tuple[KeyedTable | SortedTable, ...]
    order: Order

    def persons(self, piece: Piece, fault: Fault) -> Iterator[PersonRows]:
        """The rows of each person of a piece, once a person; within a table in the order of the file.

        Rows that name nobody are told to `fault`, in the piece of the person before them.
        """
        return _merged({each.name: self._rows(each, piece, fault) for each in self.tables}, self.order)

    def _rows(self, table: KeyedTable | SortedTable, piece: Piece, fault: Fault) -> Iterator[Keyed]:
        low, high, order = piece.low, piece.high, self.order
        nobodys: list[Keyed] = []
        last, begun = "", low is None
        for each in table.read(start=piece.starts.get(table.name)):
            key = each[0]
            if not key:
                nobodys.append(each)
                continue
            if key != last:
                last = key
                here = rank(key, order)
                if not begun:
                    begun = low is None or here >= low
                    nobodys.clear()  # those between two persons are told in the piece of the first
                if begun and high is not None and here >= high:
                    break
            if nobodys:
                if begun:
                    _tell(table.name, nobodys, fault)
                nobodys.clear()
            if begun:
                yield each
        if begun:
            _tell(table.name, nobodys, fault)


def _tell(name: str, nobodys: list[Keyed], fault: Fault) -> None:
    for _, number, row in nobodys:
        if type(row) is Broken:
            fault(name, number, tuple(row), row.reason)


@contextmanager
def grouping(tables: Sequence[KeyedTable], *, scratch: Path | None = None) -> Iterator[tuple[Grouping, list[Piece]]]:
    """The tables sorted by person, and cut into pieces; `scratch` is where tables are sorted that are not, or that
    cannot be read from their middle (a temporary folder, which is gone at the end).
    """
    shared = frozenset[Order]({"text", "number"}).intersection(*(each.orders for each in tables))
    order: Order = "text" if "text" in shared or not shared else "number"
    if shared and all(each.table.in_place for each in tables):
        yield _cut(tables, order)
        return
    with sorting_folder(scratch) as folder:
        try:
            if shared:
                written = as_they_lie(tables, folder)
            elif sum(each.count for each in tables) <= keys.IN_MEMORY:
                written = sorted_in_memory(tables, folder)
            else:
                written = sorted_on_disk(tables, folder)
        except OSError as error:
            raise TableError(
                f"{folder.parent}: The tables cannot be sorted there ({error.strerror or error}), which takes about as "
                f"much room as they have bytes; make room, or name another folder in TMPDIR."
            ) from error
        yield _cut(written, order)


def persons(tables: Sequence[KeyedTable], fault: Fault, *, scratch: Path | None = None) -> Iterator[PersonRows]:
    """All persons of `tables`, piece by piece; see `Grouping.persons`."""
    with grouping(tables, scratch=scratch) as (grouped, pieces):
        for piece in pieces:
            yield from grouped.persons(piece, fault)


def _cut(tables: Sequence[KeyedTable | SortedTable], order: Order) -> tuple[Grouping, list[Piece]]:
    """Pieces of about `PIECE` rows, as the tables' marks allow."""
    ranks = {each.name: [rank(key, order) for key, _ in each.marks.found] for each in tables}
    steps = sorted((here, each.marks.spacing) for each in tables for here in ranks[each.name])
    bounds: list[Rank | None] = [None]
    rows = 0
    for here, spacing in steps:
        if rows >= PIECE and here != bounds[-1]:
            bounds.append(here)
            rows = 0
        rows += spacing
    pieces = []
    for low, high in pairwise([*bounds, None]):
        starts = {}
        for each in tables:
            # the last place whose key comes before: all rows of the piece come after it
            place = bisect_left(ranks[each.name], low) - 1 if low is not None else -1
            if place >= 0:
                starts[each.name] = each.marks.found[place][1]
        pieces.append(Piece(low, high, starts))
    return Grouping(tuple(replace(each, marks=Marks()) for each in tables), order), pieces


def _merged(streams: Mapping[str, Iterator[Keyed]], order: Order) -> Iterator[PersonRows]:
    """Sorted streams side by side: all rows of one key together."""
    groups: dict[str, Iterator[tuple[str, Iterator[Keyed]]]] = {
        name: groupby(stream, key=itemgetter(0)) for name, stream in streams.items()
    }
    heads: list[tuple[Rank, str, Iterator[Keyed]]] = []
    for name in groups:
        _push(heads, name, groups[name], order)
    ranks = {name: place for place, name in enumerate(streams)}
    while heads:
        key = heads[0][0]
        found = PersonRows(tuple(key[1].split(SEPARATOR)))
        here = []
        while heads and heads[0][0] == key:
            here.append(heapq.heappop(heads))
        for _, name, rows in sorted(here, key=lambda head: ranks[head[1]]):
            whole = []
            for _, number, row in rows:
                if type(row) is Broken:
                    found.broken.append((name, number, row))
                else:
                    whole.append((number, row))
            if whole:
                found.rows[name] = whole
        yield found
        for _, name, _ in here:
            _push(heads, name, groups[name], order)


def _push(
    heads: list[tuple[Rank, str, Iterator[Keyed]]],
    name: str,
    groups: Iterator[tuple[str, Iterator[Keyed]]],
    order: Order,
) -> None:
    following = next(groups, None)
    if following is not None:
        key, rows = following
        heapq.heappush(heads, (rank(key, order), name, rows))
