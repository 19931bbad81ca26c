"""Files that tasks of Spark read, converted into files by Spark."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from casefhir.sources.tables.keys import KeyedTable
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.rows import Broken, Sheet
from casefhir.spark.work import ROWS, TALLY, Job, Placed, converted, possible, row_batches, session
from casefhir.tables.bundle_list import listed
from casefhir.tables.kept import Kept
from casefhir.tables.options import Options
from casefhir.tables.rejects import FOLDER, reject_header
from casefhir.tables.run import about_run, chosen, conclude, not_read, told
from casefhir.tables.solitude import alone
from casefhir.tables.tally import Tally


def convert_files(
    inputs: Sequence[str | Path],
    mapping: str | Path | LoadedMapping,
    out: Path,
    options: Options | None = None,
    *,
    partitions: int | None = None,
    rejects: Path | None = None,
    note: Callable[[str], None] | None = None,
) -> Tally:
    """As `casefhir.tables.convert_tables`, each file read by one task; `out` is a folder that all workers see.

    The files are the local engine's but for their order and their division into parts. Raises `NotOnSpark` too.
    """
    options = possible(options)
    loaded = chosen(mapping, options)
    opening = open_mapping(loaded, inputs, encoding=options.encoding, delimiter=options.delimiter, look=False)
    if note:
        for each in opening.notes:
            note(each)
    kept = Kept.of(out, loaded.mapping.privacy, rejects)
    spark = session()
    parts = [(place, part) for place, each in enumerate(opening.keyed) for part in range(len(each.table.parts))]
    tables = spark.sparkContext.broadcast(opening.keyed)
    frame = spark.createDataFrame(parts, "place int, part int").repartition(len(parts))
    rows = frame.mapInArrow(lambda batches: _read(batches, tables.value), ROWS)
    made = converted(rows, Job(loaded, opening.files.sheets, opening.lookups, options, {}), partitions)
    about = about_run(inputs, loaded, opening.files, options)
    out.mkdir(parents=True, exist_ok=True)
    with alone(out), kept:
        scratch = (kept.folder if kept.apart else out) / ".casefhir-spark"  # rejects are among it
        shutil.rmtree(scratch, ignore_errors=True)
        made.write.partitionBy("name").text(str(scratch.absolute()))
        tally, written = _gathered(scratch, out, kept, opening.files.sheets, loaded)
        conclude(out, about, told(tally, loaded) | not_read(loaded, opening), written, kept, listed(out))
    return tally


def _read(batches: Iterable[Any], tables: Sequence[KeyedTable]) -> Iterator[Any]:
    """The rows of the files that a task is given; rows that are none have no key, and the reason."""
    for batch in batches:
        for place, part in zip(batch.column("place").to_pylist(), batch.column("part").to_pylist()):
            yield from row_batches(_rows(tables[place], place, part))


def _rows(table: KeyedTable, place: int, part: int) -> Iterator[Placed]:
    for key, number, row in table.read(part=part):
        yield place, key, number, row, row.reason if isinstance(row, Broken) else None


def _gathered(
    scratch: Path, out: Path, kept: Kept, sheets: Mapping[str, Sheet], loaded: LoadedMapping
) -> tuple[Tally, list[Path]]:
    """Spark's files under our names: NDJSON in parts, rejects in one file with a header; the sums added up."""
    tally, written = Tally(), list[Path]()
    for each in sheets:
        tally.of(each)  # a table without rows is told too
    for folder in sorted(scratch.glob("name=*")):
        name = unquote(folder.name.removeprefix("name="))
        parts = sorted(folder.glob("part-*"))
        if name == TALLY:
            for part in parts:
                for line in part.read_text(encoding="utf-8").splitlines():
                    tally.add(Tally.from_json(json.loads(line)))
            continue
        first, _, rest = name.partition("/")
        target = kept.folder / rest if first == FOLDER else out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".csv"):
            context = target.parent.name == "context"
            with target.open("wb") as stream:
                stream.write(reject_header(sheets[target.stem], loaded.mapping.tables[target.stem], context=context))
                for part in parts:
                    for line in part.open(encoding="utf-8"):
                        stream.write(json.loads(line).encode("utf-8", "surrogatepass"))
            written.append(target)
            continue
        for number, part in enumerate(parts, 1):
            path = target.with_name(f"{target.stem}.{number:04d}{target.suffix}") if len(parts) > 1 else target
            shutil.move(part, path)
            written.append(path)
    shutil.rmtree(scratch)
    return tally, sorted(written)
