"""Tables that cannot be read by person where they lie, written out sorted: in memory if small, else by DuckDB.

A row is a line of JSON: key, number, cells, and for one that is none the reason; rows that name nobody have no key.
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.keys import Keyed, KeyedTable, Marks
from casefhir.sources.tables.readers.text import MARKED
from casefhir.sources.tables.rows import Broken, Row, Start

_BATCH = 10_000
_PREFIX = "casefhir-sort-"
_ABANDONED = 60  # seconds after which a folder that nobody has locked is taken out; a new one is not locked at once
_Line = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class SortedTable:
    """A table's rows in the order of their keys, as lines of JSON in a file of ours."""

    name: str
    path: Path
    marks: Marks

    def read(self, *, start: Start | None = None) -> Iterator[Keyed]:
        """As `KeyedTable.read`."""
        with self.path.open("rb") as stream:
            stream.seek(start.at if start else 0)
            for line in stream:
                key, number, cells, *reason = json.loads(line)
                row: Row = tuple(cells)
                yield key, number, Broken.of(row, reason[0]) if reason else row


@contextmanager
def sorting_folder(scratch: Path | None = None) -> Iterator[Path]:
    """A folder in `scratch` (in TMPDIR, unless given) that is gone at the end, or, if the process is killed, when the
    next one makes its own.
    """
    parent = Path(scratch or tempfile.gettempdir())
    for stray in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(stray):  # that of somebody else, or of a run that goes on
            if time.time() - stray.stat().st_mtime > _ABANDONED:
                shutil.rmtree(stray)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else has it; raises `OSError`."""
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def as_they_lie(tables: Sequence[KeyedTable], folder: Path) -> list[SortedTable]:
    """`tables`, which are sorted already, each in a file in `folder`."""
    return [_written(each, _lines(each), folder / f"{place}.lines") for place, each in enumerate(tables)]


def sorted_in_memory(tables: Sequence[KeyedTable], folder: Path) -> list[SortedTable]:
    """`tables`, which are small, each in a file in `folder`, in the order of `sorted_on_disk`."""
    return [
        _written(each, sorted(_lines(each), key=itemgetter(0)), folder / f"{place}.lines")
        for place, each in enumerate(tables)
    ]


def _written(table: KeyedTable, lines: Iterable[_Line], path: Path) -> SortedTable:
    with path.open("w", encoding="ascii") as stream:
        stream.writelines(f"{line}\n" for _, _, line in lines)
    return SortedTable(table.name, path, _marks(path))


def sorted_on_disk(tables: Sequence[KeyedTable], folder: Path) -> list[SortedTable]:
    """`tables` of any size, each in a file in `folder`, in the order of the keys' text and, within one, of the rows.

    Raises `OSError` where the disk is full.
    """
    duckdb = needed("duckdb", "tables", "Sorting large tables by person")
    arrow = needed("pyarrow", "tables", "Sorting large tables by person")
    try:
        with duckdb.connect(str(folder / "rows.duckdb")) as link:
            link.execute(f"set temp_directory = '{folder}'; set memory_limit = '1GB'; set threads = 2")
            found = [_sorted_by(link, arrow, each, folder / f"{place}.lines") for place, each in enumerate(tables)]
    except (
        duckdb.IOException,
        duckdb.TransactionException,
        duckdb.FatalException,
        duckdb.OutOfMemoryException,
    ) as error:
        raise OSError(str(error)) from error
    (folder / "rows.duckdb").unlink()
    return found


def _sorted_by(link: Any, arrow: Any, table: KeyedTable, path: Path) -> SortedTable:
    schema = arrow.schema([("key", arrow.string()), ("number", arrow.int64()), ("line", arrow.string())])
    link.register("incoming", arrow.RecordBatchReader.from_batches(schema, _batches(arrow, schema, _lines(table))))
    link.execute("create or replace table rows as select * from incoming")
    link.unregister("incoming")
    # lines of JSON hold neither line ends nor the control character that parts columns which there are not
    link.execute(
        f"copy (select line from rows order by key, number) to '{path}' "
        "(format csv, header false, quote '', escape '', delimiter '\x01')"
    )
    return SortedTable(table.name, path, _marks(path))


def _lines(table: KeyedTable) -> Iterator[_Line]:
    for key, number, row in table.read():
        told = [key, number, row, row.reason] if type(row) is Broken else [key, number, row]
        yield key, number, json.dumps(told)


def _marks(path: Path) -> Marks:
    marks, at = Marks(), 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream):
            if number % MARKED == 0:
                marks.place(Start(0, at))
            if marks.waiting and (key := json.loads(line)[0]):
                marks.key(key)
            at += len(line)
    return marks


def _batches(arrow: Any, schema: Any, rows: Iterable[_Line]) -> Iterator[Any]:
    for _, batch in groupby(enumerate(rows), key=lambda each: each[0] // _BATCH):
        columns = zip(*(row for _, row in batch))
        yield arrow.RecordBatch.from_arrays(
            [arrow.array(list(column), field.type) for column, field in zip(columns, schema)], schema=schema
        )
