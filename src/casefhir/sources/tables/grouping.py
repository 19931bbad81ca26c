"""Rows of several tables brought together by person, in steady memory.

Tables that are sorted by their key stream side by side. Otherwise, small ones are sorted in memory and larger ones on
disk by DuckDB. The order of persons is that of the tables where they share one (as text, or as numbers without
leading zeros), else that of the key's text; so it does not depend on how the rows were brought together.
"""

import heapq
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from casefhir.extras import needed
from casefhir.sources.tables.files import OpenTable
from casefhir.sources.tables.lookups import find_column
from casefhir.sources.tables.rows import Broken, PersonRows, Row, Sheet, TableError

Order = Literal["text", "number"]
Fault = Callable[[str, int, Row, str], None]
"""Told of a row that belongs to nobody: table, number, cells, reason."""

SEPARATOR = "\x1f"
IN_MEMORY = 200_000
"""Rows of all tables together that are sorted in memory when they are not sorted already."""
_BATCH = 10_000
Keyed = tuple[str, int, Row]


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table with the columns that say whose a row is; `orders` are the ways in which its keys were found to ascend.

    Where the columns name a row of another table, `leads` leads from it to the person, and `by` is that table's name.
    """

    name: str
    table: OpenTable
    places: tuple[int, ...]
    leads: Mapping[str, str] | None = None
    by: str = ""
    orders: frozenset[Order] = frozenset()
    count: int = 0


def keyed(
    name: str, table: OpenTable, columns: Sequence[str], *, leads: Mapping[str, str] | None = None, by: str = ""
) -> KeyedTable:
    """`table` with its key columns, read through once to see how its rows are sorted.

    Raises `TableError` where a key column is not there.
    """
    found = KeyedTable(name, table, key_places(name, table, columns), leads, by)
    orders: set[Order] = {"text", "number"}
    last, count = "", 0
    for key, _, _ in keyed_rows(found, None):
        count += 1
        if not orders and count > IN_MEMORY:
            break  # enough is known: it is not sorted, and not small
        if key != last:
            if key < last:
                orders.discard("text")
            if not _plain(key) or (len(key), key) < (len(last), last):
                orders.discard("number")
            last = key
    return replace(found, orders=frozenset(orders), count=count)


def key_places(name: str, table: OpenTable, columns: Sequence[str]) -> tuple[int, ...]:
    """Where the key columns stand; raises `TableError` for one that is not there."""
    places = []
    for each in columns:
        place = find_column(table.sheet.columns, each)
        if place is None:
            raise TableError(
                f"{table.sheet.file}: The key column {each!r} of table {name!r} is not there; the columns are "
                f"{', '.join(table.sheet.columns[:12])}."
            )
        places.append(place)
    return tuple(places)


def _plain(key: str) -> bool:
    return key.isascii() and key.isdigit() and key[0] != "0"


def persons(tables: Sequence[KeyedTable], fault: Fault, *, scratch: Path | None = None) -> Iterator[PersonRows]:
    """The rows of each person, once a person; within a table in the order of the file.

    Rows that name nobody are told to `fault`. `scratch` is where large
    unsorted tables are sorted (a temporary folder).
    """
    shared = frozenset[Order]({"text", "number"}).intersection(*(each.orders for each in tables))
    order: Order = "text" if "text" in shared or not shared else "number"
    if shared:
        yield from _merged({each.name: keyed_rows(each, fault) for each in tables}, order)
    elif sum(each.count for each in tables) <= IN_MEMORY:
        yield from _merged({each.name: iter(sorted(keyed_rows(each, fault), key=_first)) for each in tables}, order)
    else:
        with tempfile.TemporaryDirectory(dir=scratch, prefix="casefhir-sort-") as folder:
            yield from _merged(_sorted_on_disk(tables, fault, Path(folder)), order)


_first = itemgetter(0)


def keyed_rows(of: KeyedTable, fault: Fault | None, part: int | None = None) -> Iterator[Keyed]:
    """The rows of a table (or of one of its parts) with their keys, among them `Broken` ones that name their person.

    Those that name nobody are told to `fault`; without it they are passed over, to be told later.
    """
    broken: list[tuple[int, Broken]] = []
    leads, find = of.leads, _key_finder(of.places)
    for number, row in of.table.rows(lambda number, row, reason: broken.append((number, Broken.of(row, reason))), part):
        if broken:
            yield from _broken(of, find, broken, fault)
        key = find(row)
        if key and leads is not None:
            key = leads.get(key, "")
        if key:
            yield key, number, row
        elif fault:
            fault(of.name, number, row, keyless(of.table.sheet, of.places, row, of.by))
    yield from _broken(of, find, broken, fault)


def _broken(
    of: KeyedTable, find: Callable[[Row], str], broken: list[tuple[int, Broken]], fault: Fault | None
) -> Iterator[Keyed]:
    width = max(of.places) + 1
    for number, row in broken:
        key = find(row) if len(row) >= width else ""
        if key and of.leads is not None:
            key = of.leads.get(key, "")
        if key:
            yield key, number, row
        elif fault:
            fault(of.name, number, tuple(row), row.reason)
    broken.clear()


def _key_finder(places: tuple[int, ...]) -> Callable[[Row], str]:
    """The key of a row: its key cells without blanks around them; empty where one is blank."""
    if len(places) == 1:
        (place,) = places

        def one(row: Row) -> str:
            key = row[place]
            if not key:
                return ""
            if key[0] <= " " or key[-1] <= " ":
                key = key.strip()
            return "" if SEPARATOR in key else key

        return one

    def several(row: Row) -> str:
        cells = [(row[place] or "").strip() for place in places]
        return SEPARATOR.join(cells) if all(cells) and not any(SEPARATOR in cell for cell in cells) else ""

    return several


def keyless(sheet: Sheet, places: Sequence[int], row: Row, by: str = "") -> str:
    """Why a whole row is nobody's: its cells at `places` are blank, or lead nowhere by the table `by`."""
    names = ", ".join(sheet.columns[place] for place in places)
    cells = ", ".join(row[place] or "" for place in places)
    if by and cells.strip(", "):
        return f"The row leads to nobody: table {by!r} has no row for {names} = {cells!r}; mend either."
    return f"The row does not say whose it is: {names} is blank; fill it in."


def _merged(streams: Mapping[str, Iterator[Keyed]], order: Order) -> Iterator[PersonRows]:
    """Sorted streams side by side: all rows of one key together."""
    groups: dict[str, Iterator[tuple[str, Iterator[Keyed]]]] = {
        name: groupby(stream, key=_first) for name, stream in streams.items()
    }
    heads: list[tuple[tuple[int, str], str, Iterator[Keyed]]] = []
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
    heads: list[tuple[tuple[int, str], str, Iterator[Keyed]]],
    name: str,
    groups: Iterator[tuple[str, Iterator[Keyed]]],
    order: Order,
) -> None:
    following = next(groups, None)
    if following is not None:
        key, rows = following
        heapq.heappush(heads, ((len(key) if order == "number" else 0, key), name, rows))


def _sorted_on_disk(tables: Sequence[KeyedTable], fault: Fault, folder: Path) -> dict[str, Iterator[Keyed]]:
    """Every table in a DuckDB file, read back in the order of its keys and, within one, of its rows."""
    duckdb = needed("duckdb", "tables", "Sorting large tables by person")
    link = duckdb.connect(str(folder / "rows.duckdb"))
    link.execute(f"set temp_directory = '{folder}'; set memory_limit = '1GB'; set threads = 2")
    link.execute("set preserve_insertion_order = false")
    arrow = needed("pyarrow", "tables", "Sorting large tables by person")
    found: dict[str, Iterator[Keyed]] = {}
    for place, each in enumerate(tables):
        batches = arrow.RecordBatchReader.from_batches(_schema(arrow), _batches(arrow, keyed_rows(each, fault)))
        link.register("incoming", batches)
        link.execute(f"create table t{place} as select * from incoming")
        link.unregister("incoming")
        found[each.name] = _read_back(link.cursor(), f"t{place}")
    return found


def _schema(arrow: Any) -> Any:
    return arrow.schema([("key", arrow.string()), ("number", arrow.int64()), ("cells", arrow.string())])


def _batches(arrow: Any, rows: Iterator[Keyed]) -> Iterator[Any]:
    batch: list[Keyed] = []
    for each in rows:
        batch.append(each)
        if len(batch) == _BATCH:
            yield _batch(arrow, batch)
            batch = []
    yield _batch(arrow, batch)


def _batch(arrow: Any, rows: list[Keyed]) -> Any:
    columns = [
        [key for key, _, _ in rows],
        [number for _, number, _ in rows],
        [
            json.dumps({"broken": cells, "reason": cells.reason} if type(cells) is Broken else cells)
            for _, _, cells in rows
        ],
    ]
    return arrow.RecordBatch.from_arrays(
        [arrow.array(column, field.type) for column, field in zip(columns, _schema(arrow))], schema=_schema(arrow)
    )


def _read_back(cursor: Any, name: str) -> Iterator[Keyed]:
    done = cursor.execute(f"select key, number, cells from {name} order by key, number")
    while block := done.fetchmany(_BATCH):
        for key, number, cells in block:
            row = json.loads(cells)
            yield key, number, tuple(row) if type(row) is list else Broken.of(tuple(row["broken"]), row["reason"])
