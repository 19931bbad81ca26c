"""The work of Spark's tasks: rows of all tables, brought together by person, through the code of the local engine."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.sources.tables.keys import SEPARATOR, keyless
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.plan import Plan
from casefhir.sources.tables.rows import Broken, PersonRows, Row, Sheet
from casefhir.tables.making import Chunk, Maker
from casefhir.tables.options import Options
from casefhir.tables.rejects import Rejected, context_lines, reject_lines, reject_name
from casefhir.tables.tally import Tally

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS = "place int, key string, number long, cells array<string>, reason string"
_LINES = "name string, line string"
TALLY = "tally"
_BATCH = 5_000
_CHUNK = 100
"""Persons converted at a time."""
Placed = tuple[int, str, int, Row, str | None]
"""A row: the place of its table, the person's key, its number, its cells, the reason why it is none."""


class NotOnSpark(CasefhirError):
    """Something that the local engine does and Spark does not."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers need to know; `whose`: by table, the places of the columns that tell the person, and the table
    that these lead through, if any.
    """

    mapping: LoadedMapping
    sheets: dict[str, Sheet]
    lookups: dict[str, Lookup]
    options: Options
    whose: dict[str, tuple[tuple[int, ...], str]]


def session() -> "SparkSession":
    """The Spark session at hand, or a local one over all cores whose workers run this Python.

    Raises `NotOnSpark` where Spark does not start.
    """
    sql = needed("pyspark.sql", "spark", "Converting on Spark")
    errors = needed("pyspark.errors", "spark", "Converting on Spark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        found: SparkSession = sql.SparkSession.builder.appName("casefhir").getOrCreate()
    except errors.PySparkRuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise NotOnSpark(
            f"Spark does not start: {reason}. It needs Java 17 or later (java on PATH, or JAVA_HOME)."
        ) from error
    return found


def possible(options: Options | None) -> Options:
    """The options, if Spark can do what they ask; raises `NotOnSpark`."""
    options = options or Options()
    if options.form != "ndjson" or options.on_error != "reject" or options.compression != "none" or options.part_size:
        raise NotOnSpark(
            "Spark writes NDJSON, uncompressed, in parts of its own, and rejects rows: ask for ndjson (--as ndjson), "
            "and leave out --on-error halt, --compress and --part-size; or use the local engine."
        )
    return options


def row_batches(rows: Iterable[Placed]) -> Iterator[Any]:
    """Rows as Arrow batches of `ROWS`."""
    arrow: Any = needed("pyarrow", "spark", "Converting on Spark")
    kinds = [arrow.int32(), arrow.string(), arrow.int64(), arrow.list_(arrow.string()), arrow.string()]
    for block in _blocks(rows):
        columns = [arrow.array(list(column), kind) for column, kind in zip(zip(*block), kinds)]
        yield arrow.RecordBatch.from_arrays(columns, names=["place", "key", "number", "cells", "reason"])


def _blocks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    block = []
    for each in rows:
        block.append(each)
        if len(block) == _BATCH:
            yield block
            block = []
    if block:
        yield block


def converted(
    rows: "DataFrame",
    job: Job,
    partitions: int | None,
) -> "DataFrame":
    """The lines that `rows` (as `ROWS`) become, with the names of their files: one shuffle, then `Maker`.

    Raises `MappingError` here, before any worker begins, where the mapping does not fit the tables.
    """
    Plan(job.mapping, job.sheets, job.lookups)
    functions: Any = needed("pyspark.sql.functions", "spark", "Converting on Spark")
    shared = rows.sparkSession.sparkContext.broadcast(job)
    # rows of nobody are spread over all partitions: they need not come together
    spread = functions.when(functions.col("key") == "", functions.col("number").cast("string")).otherwise(
        functions.col("key")
    )
    by_person = rows.repartition(partitions, spread) if partitions else rows.repartition(spread)
    ordered = by_person.sortWithinPartitions("key", "place", "number")
    return ordered.mapInArrow(_work(shared), _LINES)


@lru_cache(maxsize=1)
def _maker(shared: Any) -> Maker:
    """The one of this worker, which Spark uses for one task after the other."""
    job: Job = shared.value
    return Maker(job.mapping, job.sheets, job.lookups, job.options)


def _work(shared: Any) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        job: Job = shared.value
        sheets, tally, maker = job.sheets, Tally(), _maker(shared)
        for chunk in _chunks(_unpacked(batches), job):
            made = maker(chunk)
            tally.add(made.tally)
            lines = [(name, line.decode()) for name, data in made.lines.items() for line in data.split(b"\n") if line]
            for each in made.rejects:
                lines += _text_lines(reject_name(each.table), reject_lines(sheets[each.table], [each]))
            for table, others in made.context.items():
                for row in others:
                    lines += _text_lines(reject_name(table, context=True), context_lines([row]))
            yield from _line_batches(lines)
        if tally.rows:
            yield from _line_batches([(TALLY, json.dumps(tally.to_json()))])

    return work


def _text_lines(name: str, data: bytes) -> list[tuple[str, str]]:
    """A CSV row as one line of Spark's, whatever line breaks its cells hold."""
    return [(name, json.dumps(data.decode("utf-8", "surrogatepass")))]


def _line_batches(lines: Iterable[tuple[str, str]]) -> Iterator[Any]:
    arrow: Any = needed("pyarrow", "spark", "Converting on Spark")
    for block in _blocks(lines):
        columns = [arrow.array(list(column), arrow.string()) for column in zip(*block)]
        yield arrow.RecordBatch.from_arrays(columns, names=["name", "line"])


def _unpacked(batches: Iterable[Any]) -> Iterator[tuple[str, int, int, Row, str | None]]:
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("key", "place", "number", "cells", "reason"))
        for key, place, number, cells, reason in zip(*columns):
            yield key, place, number, tuple(cells), reason


def _chunks(rows: Iterable[tuple[str, int, int, Row, str | None]], job: Job) -> Iterator[Chunk]:
    names = list(job.sheets)
    persons: list[PersonRows] = []
    refused: list[Rejected] = []
    for key, group in groupby(rows, key=itemgetter(0)):
        if not key:
            for _, place, number, row, reason in group:
                name = names[place]
                refused.append(
                    Rejected(
                        name,
                        number,
                        row,
                        reason or keyless(job.sheets[name], job.whose[name][0], row, job.whose[name][1]),
                    )
                )
                if len(refused) == _CHUNK:
                    yield Chunk((), tuple(refused))
                    refused = []
            continue
        person = PersonRows(tuple(key.split(SEPARATOR)))
        for _, place, number, row, reason in group:
            if reason is None:
                person.rows.setdefault(names[place], []).append((number, row))
            else:
                person.broken.append((names[place], number, Broken.of(row, reason)))
        persons.append(person)
        if len(persons) == _CHUNK:
            yield Chunk(tuple(persons), tuple(refused))
            persons, refused = [], []
    if persons or refused:
        yield Chunk(tuple(persons), tuple(refused))
