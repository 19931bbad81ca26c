"""Tables that Spark has read, converted by Spark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casefhir.extras import needed
from casefhir.sources.tables.keys import SEPARATOR, two_persons
from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.opening import open_lookups
from casefhir.sources.tables.rows import OURS, Sheet, TableError, column_places
from casefhir.sources.tables.whole import PADDED, whole_places
from casefhir.spark.work import Job, converted, possible
from casefhir.tables.options import Options
from casefhir.tables.run import chosen

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_BLANKS = " \t\n\r\v\f"


@dataclass(frozen=True, slots=True)
class _Frame(Sheet):
    """A table of Spark's: its rows have Spark's own running numbers."""

    def place(self, number: int) -> tuple[str, int]:
        return self.files[0], number


def convert(
    tables: "Mapping[str, DataFrame] | DataFrame",
    mapping: str | Path | LoadedMapping,
    *,
    options: Options | None = None,
    lookups: Sequence[str | Path] = (),
    partitions: int | None = None,
) -> "DataFrame":
    """The output of `mapping` over Spark's tables, by the mapping's names of the tables; a table alone will do for a
    mapping that needs one alone.

    Columns are read as text, so read CSV without inferring types. `lookups` are files or folders with the mapping's
    look-ups. Gives a table of `name` (the file the local engine would write: `Observation.ndjson`, `rejects/lb.csv`,
    `tally`) and `line` (of rejects and their context: the CSV row as a JSON string, without header); nothing runs
    before it is written, and nothing is collected. Raises `MappingError`, `TableError` and `NotOnSpark`.
    """
    functions: Any = needed("pyspark.sql.functions", "spark", "Converting on Spark")
    options = possible(options)
    loaded = chosen(mapping, options)
    specs = loaded.mapping.tables
    if not isinstance(tables, Mapping):
        tables = {_only(loaded): tables}
    kept = {name: tables[name] for name in specs if name in tables}
    missing = [name for name, spec in specs.items() if name not in kept and not spec.optional]
    if missing or not kept:
        raise TableError(
            f"Tables of the mapping are not there: {', '.join(missing or specs)}; "
            f"given are {', '.join(tables) or 'none'}."
        )
    sheets: dict[str, Sheet] = {
        name: _Frame(name, (name,), tuple(each for each in frame.columns if not each.startswith(OURS)))
        for name, frame in kept.items()
    }
    whose = {}
    parts = []
    for place, (name, frame) in enumerate(kept.items()):
        spec = specs[name]
        reading = loaded.mapping.reading_of(name)
        whose[name] = (_places(sheets[name], spec.key or tuple(spec.via.values())), spec.through or "")
        found = frame.select(
            functions.lit(place).alias("place"),
            _joined(functions, loaded, sheets[name], whose[name][0]).alias("key"),
            (functions.monotonically_increasing_id() + 1).alias("number"),
            functions.array(*_cells(functions, frame, sheets[name], comma=reading.decimal == ",")).alias("cells"),
            functions.lit(None).cast("string").alias("reason"),
        )
        if not spec.key:
            found = _led(functions, loaded, kept, sheets, name, found)
        parts.append(found)
    rows = reduce(lambda one, other: one.unionByName(other), parts)
    return converted(rows, Job(loaded, sheets, open_lookups(loaded, lookups), options, whose), partitions)


def _only(loaded: LoadedMapping) -> str:
    """The one table that the mapping needs."""
    specs = loaded.mapping.tables
    needs = [*specs] if len(specs) == 1 else [name for name, spec in specs.items() if not spec.optional]
    if len(needs) != 1:
        raise TableError(
            f"The mapping has several tables; give each by its name: {{{', '.join(f'{name!r}: …' for name in specs)}}}."
        )
    return needs[0]


def _places(sheet: Sheet, columns: Iterable[str]) -> tuple[int, ...]:
    return column_places(
        sheet.columns,
        columns,
        lambda column: (
            f"Table {sheet.name!r}: The key column {column!r} is not there; the columns are {', '.join(sheet.columns)}."
        ),
    )


def _led(
    functions: Any,
    loaded: LoadedMapping,
    frames: "Mapping[str, DataFrame]",
    sheets: Mapping[str, Sheet],
    name: str,
    rows: "DataFrame",
) -> "DataFrame":
    """`rows` whose key names a row of another table, with the person's key instead."""
    spec = loaded.mapping.tables[name]
    through = spec.through
    if through is None or not spec.via or not loaded.mapping.tables[through].key:
        raise MappingError(f"Table {name!r} has no key, and no table that has one is named by through and via.")
    if through not in frames:
        raise TableError(f"Table {name!r} leads to the person by table {through!r}, which is not there.")
    other, key = sheets[through], loaded.mapping.tables[through].key
    leads = (
        frames[through]
        .select(
            _joined(functions, loaded, other, _places(other, spec.via)).alias("key"),
            _joined(functions, loaded, other, _places(other, key)).alias("person"),
        )
        .where("key != ''")
        .groupBy("key")
        .agg(functions.min("person").alias("person"), functions.max("person").alias("last"))
    )
    two = functions.col("person") != functions.col("last")
    told = functions.lit(two_persons(through))
    return rows.join(leads, "key", "left").select(
        "place",
        functions.when(two | functions.col("person").isNull(), "").otherwise(functions.col("person")).alias("key"),
        "number",
        "cells",
        functions.when(two, told).alias("reason"),
    )


def _cells(functions: Any, frame: "DataFrame", sheet: Sheet, *, comma: bool) -> list[Any]:
    """The columns as text. Where texts have decimal commas (`comma`), numbers of typed columns are written so too."""
    typed = {each.name for each in frame.schema if each.dataType.typeName() in ("double", "float", "decimal")}
    return [
        functions.regexp_replace(_cell(functions, column), r"\.", ",")
        if comma and column in typed
        else _cell(functions, column)
        for column in sheet.columns
    ]


def _cell(functions: Any, column: str) -> Any:
    quoted = column.replace("`", "``")
    return functions.col(f"`{quoted}`").cast("string")


def _joined(functions: Any, loaded: LoadedMapping, sheet: Sheet, places: Sequence[int]) -> Any:
    """The cells at `places` as one key without blanks around them, whole numbers bare; empty where one is blank."""
    bare = whole_places(sheet.columns, loaded.mapping.reading_of(sheet.name).whole)
    cells = [functions.btrim(_cell(functions, sheet.columns[place]), functions.lit(_BLANKS)) for place in places]
    cells = [
        functions.regexp_replace(cell, PADDED, "$1") if place in bare else cell for place, cell in zip(places, cells)
    ]
    whole = functions.lit(True)
    for cell in cells:
        whole = whole & cell.isNotNull() & (cell != "") & ~cell.contains(SEPARATOR)
    return functions.when(whole, functions.concat_ws(SEPARATOR, *cells)).otherwise("")
