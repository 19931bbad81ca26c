"""Tables to FHIR on Spark: the same conversion as the local engine's, over files or over any tables that Spark reads.

Rows of all tables are brought together by person with one shuffle; every partition is converted by the same code as
locally, streaming; the driver collects sums only.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.sources.tables.grouping import SEPARATOR, KeyedTable, keyed_rows
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.lookups import Lookup, find_column
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.rows import OURS, Broken, PersonRows, Row, Sheet, TableError
from casefhir.tables.making import Chunk, Maker
from casefhir.tables.options import Options
from casefhir.tables.rejects import Rejected, context_lines, reject_header, reject_lines, reject_name
from casefhir.tables.run import CHUNK, MANIFEST, about_run, chosen
from casefhir.tables.tally import Tally

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS = "place int, key string, number long, cells array<string>, reason string"
_LINES = "name string, line string"
_TALLY = "tally"
_BATCH = 5_000


class NotOnSpark(CasefhirError):
    """Something that the local engine does and Spark does not."""


@dataclass(frozen=True, slots=True)
class _Column(Sheet):
    """A table of Spark's: its rows have Spark's own running numbers."""

    def place(self, number: int) -> tuple[str, int]:
        return self.files[0], number


def session() -> "SparkSession":
    """The Spark session at hand, or a local one over all cores whose workers run this Python."""
    sql = needed("pyspark.sql", "spark", "Converting on Spark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    found: SparkSession = sql.SparkSession.builder.appName("casefhir").getOrCreate()
    return found


def convert(
    tables: "Mapping[str, DataFrame]",
    mapping: str | Path | LoadedMapping,
    *,
    options: Options | None = None,
    lookups: Mapping[str, Lookup] | None = None,
    partitions: int | None = None,
) -> "DataFrame":
    """The output of `mapping` over Spark's tables, by the mapping's names of the tables.

    Columns are read as text, so read CSV without inferring types. Gives a table of `name` (the file the local engine
    would write: `Observation.ndjson`, `rejects/lb.csv`, `tally`) and `line`; nothing runs before it is written, and
    nothing is collected. Raises `MappingError` and `TableError` as the local engine does.
    """
    functions: Any = needed("pyspark.sql.functions", "spark", "Converting on Spark")
    options = options or Options()
    loaded = chosen(mapping, options)
    kept = {name: frame for name, frame in tables.items() if name in loaded.mapping.tables}
    sheets: dict[str, Sheet] = {name: _Column(name, (name,), _columns(frame)) for name, frame in kept.items()}
    frames = []
    for place, (name, frame) in enumerate(kept.items()):
        key, led = _key(functions, loaded, kept, name, frame)
        cells = [functions.col(f"`{column}`").cast("string") for column in sheets[name].columns]
        frames.append(
            led.select(
                functions.lit(place).alias("place"),
                key.alias("key"),
                (functions.monotonically_increasing_id() + 1).alias("number"),
                functions.array(*cells).alias("cells"),
                functions.lit(None).cast("string").alias("reason"),
            )
        )
    rows = frames[0]
    for each in frames[1:]:
        rows = rows.unionAll(each)
    return _converted(rows, loaded, sheets, lookups or {}, options, partitions)


def convert_files(
    inputs: Sequence[str | Path],
    mapping: str | Path | LoadedMapping,
    out: Path,
    options: Options | None = None,
    *,
    partitions: int | None = None,
) -> Tally:
    """As `casefhir.tables.convert_tables`, each file read by one task; `out` is a folder that all workers see.

    The files are the local engine's but for their order and their division into parts.
    """
    options = options or Options()
    if options.form != "ndjson" or options.on_error != "reject":
        raise NotOnSpark(
            "Spark writes NDJSON and rejects rows; leave out --as and --on-error, or use the local engine."
        )
    spark = session()
    loaded = chosen(mapping, options)
    opening = open_mapping(loaded, inputs, encoding=options.encoding, delimiter=options.delimiter)
    parts = [(place, part) for place, each in enumerate(opening.keyed) for part in range(len(each.table.parts))]
    tables = spark.sparkContext.broadcast(opening.keyed)
    frame = spark.createDataFrame(parts, "place int, part int").repartition(len(parts))
    rows = frame.mapInArrow(lambda batches: _read(batches, tables.value), _ROWS)
    made = _converted(rows, loaded, opening.files.sheets, opening.lookups, options, partitions)
    scratch = out / ".casefhir-spark"
    shutil.rmtree(scratch, ignore_errors=True)
    made.write.partitionBy("name").text(str(scratch.absolute()))
    tally, written = _gathered(scratch, out, opening.files.sheets)
    manifest = {**about_run(inputs, loaded, opening.files, options), **tally.to_json(), "files": written}
    (out / MANIFEST).write_bytes(exactjson.write(manifest, indent=True))
    return tally


def _columns(frame: "DataFrame") -> tuple[str, ...]:
    return tuple(name for name in frame.columns if not name.startswith(OURS))


def _key(
    functions: Any, loaded: LoadedMapping, tables: "Mapping[str, DataFrame]", name: str, frame: "DataFrame"
) -> "tuple[Any, DataFrame]":
    """The person's key as a column of `frame`, which may have been joined to the table that leads to it."""
    spec = loaded.mapping.tables[name]
    if spec.key:
        return _joined(functions, [_found(frame, name, each) for each in spec.key]), frame
    through = spec.through or ""
    if through not in tables:
        raise TableError(f"Table {name!r} leads to the person by table {through!r}, which is not there.")
    other = tables[through]
    theirs = _joined(functions, [_found(other, through, each) for each in spec.via]).alias("casefhir_via")
    person = _joined(functions, [_found(other, through, each) for each in loaded.mapping.tables[through].key])
    leads = other.select(theirs, person.alias("casefhir_key")).distinct()
    ours = _joined(functions, [_found(frame, name, each) for each in spec.via.values()])
    joined = frame.withColumn("casefhir_via", ours).join(leads, "casefhir_via", "left")
    return functions.coalesce(functions.col("casefhir_key"), functions.lit("")), joined


def _found(frame: "DataFrame", table: str, name: str) -> str:
    columns = frame.columns
    place = find_column(columns, name)
    if place is None:
        raise TableError(
            f"Table {table!r}: The key column {name!r} is not there; the columns are {', '.join(columns)}."
        )
    return columns[place]


def _joined(functions: Any, columns: list[str]) -> Any:
    """The columns as one key; blank where one of them is."""
    cells = [functions.trim(functions.col(f"`{column}`").cast("string")) for column in columns]
    blank = None
    for cell in cells:
        none = cell.isNull() | (cell == "")
        blank = none if blank is None else blank | none
    return functions.when(blank, functions.lit("")).otherwise(functions.concat_ws(SEPARATOR, *cells))


def _read(batches: Iterable[Any], tables: Sequence[KeyedTable]) -> Iterator[Any]:
    """The rows of the files that a task is given; rows that are none have no key, and the reason."""
    for batch in batches:
        for place, part in zip(batch.column("place").to_pylist(), batch.column("part").to_pylist()):
            refused: list[tuple[int, str, int, Row, str | None]] = []

            def fault(_: str, number: int, row: Row, reason: str, place: int = place, to: Any = refused) -> None:
                to.append((place, "", number, row, reason))

            rows = (
                (place, key, number, row, row.reason if isinstance(row, Broken) else None)
                for key, number, row in keyed_rows(tables[place], fault, part)
            )
            yield from _row_batches(rows)
            yield from _row_batches(refused)


def _row_batches(rows: Iterable[tuple[int, str, int, Row, str | None]]) -> Iterator[Any]:
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


def _converted(
    rows: "DataFrame",
    loaded: LoadedMapping,
    sheets: Mapping[str, Sheet],
    lookups: Mapping[str, Lookup],
    options: Options,
    partitions: int | None,
) -> "DataFrame":
    functions: Any = needed("pyspark.sql.functions", "spark", "Converting on Spark")
    shared = rows.sparkSession.sparkContext.broadcast((loaded, dict(sheets), dict(lookups), options))
    # rows of nobody are spread over all partitions: they need not come together
    spread = functions.when(functions.col("key") == "", functions.col("number").cast("string")).otherwise(
        functions.col("key")
    )
    by_person = rows.repartition(partitions, spread) if partitions else rows.repartition(spread)
    ordered = by_person.sortWithinPartitions("key", "place", "number")
    return ordered.mapInArrow(_work(shared), _LINES)


def _work(shared: Any) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def work(batches: Iterable[Any]) -> Iterator[Any]:
        loaded, sheets, lookups, options = shared.value
        maker, names, tally = Maker(loaded, sheets, lookups, options), list(sheets), Tally()
        for chunk in _chunks(_unpacked(batches), names):
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
            yield from _line_batches([(_TALLY, json.dumps(tally.to_json()))])

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


def _chunks(rows: Iterable[tuple[str, int, int, Row, str | None]], names: list[str]) -> Iterator[Chunk]:
    persons: list[PersonRows] = []
    refused: list[Rejected] = []
    for key, group in groupby(rows, key=itemgetter(0)):
        if not key:
            for _, place, number, row, reason in group:
                refused.append(Rejected(names[place], number, row, reason or "The row does not say whose it is."))
                if len(refused) == CHUNK:
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
        if len(persons) == CHUNK:
            yield Chunk(tuple(persons), tuple(refused))
            persons, refused = [], []
    if persons or refused:
        yield Chunk(tuple(persons), tuple(refused))


def _gathered(scratch: Path, out: Path, sheets: Mapping[str, Sheet]) -> tuple[Tally, list[str]]:
    """Spark's files under our names: NDJSON in parts, rejects in one file with a header; the sums added up."""
    tally, written = Tally(), []
    for folder in sorted(scratch.glob("name=*")):
        name = folder.name.removeprefix("name=").replace("%2F", "/")
        parts = sorted(folder.glob("part-*"))
        if name == _TALLY:
            for part in parts:
                for line in part.read_text(encoding="utf-8").splitlines():
                    tally.add(Tally.from_json(json.loads(line)))
            continue
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            table = target.stem
            lines = [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").splitlines()]
            context = "context" in target.parts
            target.write_bytes(reject_header(sheets[table], context=context) + "".join(lines).encode())
            written.append(name)
            continue
        for number, part in enumerate(parts, 1):
            path = target.with_name(f"{target.stem}.{number:04d}{target.suffix}") if len(parts) > 1 else target
            os.replace(part, path)
            written.append(str(path.relative_to(out)))
    shutil.rmtree(scratch)
    return tally, sorted(written)
