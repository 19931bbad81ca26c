"""Which of the files given holds which table of a mapping, and each table opened for reading."""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from casefhir.sources.tables.inputs import JSON, Inputs, is_workbook
from casefhir.sources.tables.open_table import OpenTable, places_of
from casefhir.sources.tables.points import Doubts, doubtful
from casefhir.sources.tables.readers import Table
from casefhir.sources.tables.readers.base import Layout
from casefhir.sources.tables.readers.columnar import ParquetTable, TransportTable
from casefhir.sources.tables.readers.database import QueryTable, has_table
from casefhir.sources.tables.readers.dataset_json import DatasetJsonTable, is_dataset_json
from casefhir.sources.tables.readers.documents import YAML, JsonTable
from casefhir.sources.tables.readers.packed import bare, kind
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.readers.workbook import WorkbookSheet
from casefhir.sources.tables.rows import Sheet, TableMissing, find_column

_PART = re.compile(  # numbers alone, or as programs write them: what people call `1_labs` is a table of its own
    r"data|part-\d{5}[\w.-]*|\d[\d_-]{11,}[\w.-]*"
    r"|(?:(?:part|data|chunk|batch|file)[-_.]?)?\d[\d_.-]*(?:c\d+)?(?:\.(?:snappy|gz|gzip|zstd|lz4|brotli))?",
    re.IGNORECASE,
)


class TableSpec(Protocol):
    """What a mapping says of a table's whereabouts.

    `files`: patterns of file or sheet names, with or without the ending (`lb`, `lb.csv`, `visit_*.csv`); `rows`,
    `camel`, `within` and `who`: for JSON, see `JsonTable`; `query`: for databases, instead of the whole table of that
    name; `encoding` and `delimiter` for text where they should not be found out; `header` and `skip_after`: where the
    header of a text file or sheet stands, see `Layout`; `fill`: columns whose blank cells say what the cell above
    says, of the same person; `persons`: the columns that tell whose a row is; `optional`: it may be missing.
    """

    @property
    def files(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def rows(self) -> str | None: ...  # noqa: D102
    @property
    def camel(self) -> bool: ...  # noqa: D102
    @property
    def within(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def who(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def query(self) -> str | None: ...  # noqa: D102
    @property
    def encoding(self) -> str | None: ...  # noqa: D102
    @property
    def delimiter(self) -> str | None: ...  # noqa: D102
    @property
    def header(self) -> int | None: ...  # noqa: D102
    @property
    def skip_after(self) -> int: ...  # noqa: D102
    @property
    def fill(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def persons(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def optional(self) -> bool: ...  # noqa: D102


class ReadsLabels(Protocol):
    """A data dictionary, by which labels in a table are read as what they are labels of."""

    def columns(self, file: str, given: list[str]) -> list[str]:
        """The names of columns for the headers of a file."""

    def read(self, part: Table) -> Table:
        """A file's rows with codes for the labels in its cells."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The tables that were found, by the mapping's names; the files that no table wanted; what was not found; the files
    that might be tables and are not read.
    """

    tables: dict[str, OpenTable]
    unused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    detected: dict[str, dict[str, str]] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    @property
    def sheets(self) -> dict[str, Sheet]:
        """The shape of every table."""
        return {name: table.sheet for name, table in self.tables.items()}


def open_tables(
    inputs: Inputs,
    specs: Mapping[str, TableSpec],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    beside: Mapping[str, Sequence[Path]] | None = None,
    lookups: Collection[str] = (),
    dictionaries: Mapping[str, ReadsLabels] = MappingProxyType({}),
    commas: Collection[str] = (),
    points: Mapping[str, Callable[[Sequence[str]], Doubts]] = MappingProxyType({}),
) -> Opened:
    """Find and open the tables of `specs` in `inputs`.

    A table's own name is always one of its patterns. `encoding` and `delimiter` hold for text files whose table says
    nothing of its own; `beside` has further files for tables that are not among the inputs. A file that one of
    `lookups` asks for by a longer pattern is no part of another table. By its data dictionary (`dictionaries`) a table
    that is one of REDCap's exports of labels is read as if it were one of raw values; `commas` are the tables whose
    texts have decimal commas, `points` those with decimal points and nothing said of thousands, each with the columns
    in which numbers may be. Raises `TableError` for a table that is not there and not optional, and for files that
    cannot be read.
    """
    found, halves = _without_halves(inputs.files)
    asked = [(*spec.files, name) for name, spec in specs.items()]
    names = {}
    for path in found:
        by_itself = inputs.names(path)
        known = any(_wanted(by_itself, each, alone=False) for each in asked)  # then it is that table, wherever it lies
        names[path] = by_itself if known else by_itself | _of_folder(path)
    tables: dict[str, OpenTable] = {}
    missing: list[str] = []
    used: set[Path] = set()
    for name, spec in specs.items():
        parts: list[Table] = []
        patterns = (*spec.files, name)
        own = {path.parent for path in found if _wanted(inputs.names(path), patterns, alone=False)}  # none of parts
        called = {path: inputs.names(path) if path.parent in own else names[path] for path in found}
        for path in found:
            if name not in lookups and any(
                _fit(called[path], (*specs[each].files, each)) > _fit(called[path], patterns) for each in lookups
            ):
                continue
            for sheet in _wanted(called[path], patterns, alone=len(found) == len(specs) == 1 and not lookups):
                used.add(path)
                part = _opened(inputs, path, sheet, spec, encoding, delimiter, dictionaries.get(name))
                if _of_folder(path) and not _wanted(inputs.names(path), patterns, alone=False):
                    part.file = f"{path.parent.name}/{part.file}"  # such parts of all tables are called alike
                if name in dictionaries:
                    parts.append(dictionaries[name].read(part))
                elif name in points and isinstance(part, TextTable | WorkbookSheet):
                    parts.append(doubtful(part, points[name](part.columns)))
                else:
                    parts.append(part)
        parts = [part for part in parts if part.columns]  # JSON documents need not have such rows
        if not parts and beside:
            for path in beside.get(name, ()):
                for sheet in _wanted(inputs.names(path), patterns, alone=False):
                    parts.append(_opened(inputs, path, sheet, spec, encoding, delimiter, None))
        if not parts:
            parts += [
                QueryTable(url, spec.query or f'select * from "{name}"', name=name)
                for url in inputs.urls
                if spec.query or not spec.optional or has_table(url, name)
            ]
        if parts:
            shape = _sheet(name, parts)
            fill = places_of(shape, spec.fill)
            tables[name] = OpenTable(shape, tuple(parts), name in commas, fill, _known(shape, spec.persons))
        elif spec.optional:
            missing.append(name)
        else:
            raise TableMissing(_not_found(name, spec, found))
    if not tables:
        raise TableMissing(f"None of the mapping's tables is there. {_there(found)}")
    read = {part.file for table in tables.values() for part in table.parts}
    unused = tuple(
        name
        for path in found
        for name in ([_called(path)] if path not in used else [*_sheets(path, names[path])])
        if path not in used or name not in read
    )
    detected = {part.file: part.detected for table in tables.values() for part in table.parts if part.detected}
    detected |= {f"split/{part.name}": {"left out, for its rows are in": whole.name} for part, whole in halves.items()}
    return Opened(tables, unused, tuple(missing), tuple(sorted(used)), detected, inputs.passed_over)


def _of_folder(path: Path) -> dict[str, str | None]:
    """The names of a file that is a part of the table that its folder is called after, as programs for large tables
    write them: `person/part-0.parquet`, `person.parquet/part-00000-….snappy.parquet`, `person/000000000000.csv`.
    """
    if is_workbook(path) or not _PART.fullmatch(bare(path).stem):
        return {}
    return {path.parent.name: None, path.parent.stem: None}


def _called(path: Path) -> str:
    """The name of a file, for people."""
    return f"{path.parent.name}/{path.name}" if _of_folder(path) else path.name


def _without_halves(paths: list[Path]) -> tuple[list[Path], dict[Path, Path]]:
    """`paths` without the parts of datasets whose whole lies beside them, and these: submissions to authorities hold a
    large dataset twice, whole (lb.xpt) and in parts in a folder called split (split/lbch.xpt).
    """
    halves = {
        path: whole
        for path in paths
        if path.parent.name.lower() == "split"
        for whole in paths
        if whole.parent == path.parent.parent and bare(path).stem.lower().startswith(bare(whole).stem.lower())
    }
    return [path for path in paths if path not in halves], halves


def _sheets(path: Path, names: Mapping[str, str | None]) -> dict[str, None]:
    """The sheets of a workbook, as its tables' files are called; of other files none."""
    return dict.fromkeys(f"{path.name}#{sheet}" for sheet in names.values() if sheet is not None)


def _wanted(names: dict[str, str | None], patterns: Sequence[str], *, alone: bool) -> list[str | None]:
    """The sheets (None: the file itself) that `patterns` ask for; the only file is that of the only table."""
    found = {
        sheet: None
        for name, sheet in names.items()
        for pattern in patterns
        if fnmatch.fnmatchcase(name.lower(), pattern.lower())
    }
    if not found and alone and len(set(names.values())) == 1:
        return [next(iter(names.values()))]
    return [*found]


def _fit(names: Iterable[str], patterns: Sequence[str]) -> int:
    """How many letters the longest pattern has, without its *, that asks for one of `names`; -1 where none does."""
    return max(
        (
            len(pattern.replace("*", ""))
            for name in names
            for pattern in patterns
            if fnmatch.fnmatchcase(name.lower(), pattern.lower())
        ),
        default=-1,
    )


def _opened(
    inputs: Inputs,
    path: Path,
    sheet: str | None,
    spec: TableSpec,
    encoding: str | None,
    delimiter: str | None,
    dictionary: ReadsLabels | None,
) -> WorkbookSheet | DatasetJsonTable | JsonTable | ParquetTable | TransportTable | TextTable:
    suffix = kind(path)
    layout = Layout(spec.header, spec.skip_after, dictionary.columns if dictionary else None)
    if is_workbook(path):
        return WorkbookSheet(inputs.workbook(path), sheet or "", layout)
    if suffix in JSON and is_dataset_json(path):
        return DatasetJsonTable(path)
    if suffix in (*JSON, *YAML):
        return JsonTable(path, rows=spec.rows, camel=spec.camel, within=spec.within, who=spec.who)
    if suffix == ".parquet":
        return ParquetTable(path)
    if suffix == ".xpt":
        return TransportTable(path, encoding=spec.encoding or encoding)
    # a copy, for one that is a part of its folder is called otherwise
    return copy(inputs.text(path, spec.encoding or encoding, spec.delimiter or delimiter, layout))


def _known(sheet: Sheet, columns: Sequence[str]) -> tuple[int, ...]:
    """The places of those of `columns` that are there."""
    places = (find_column(sheet.columns, column) for column in columns)
    return tuple(place for place in places if place is not None)


def _sheet(name: str, parts: list[Table]) -> Sheet:
    """The columns of all parts together; those that documents lack are blank there, others are told."""
    columns = tuple(dict.fromkeys(column for part in parts for column in part.columns))
    lacking = {
        column: part.file
        for part in parts
        if not isinstance(part, JsonTable)
        for column in columns
        if column not in part.columns
    }
    return Sheet(name, tuple(part.file for part in parts), columns, tuple(lacking.items()))


def _not_found(name: str, spec: TableSpec, found: list[Path]) -> str:
    wanted = " or ".join(spec.files or (name,))
    return f"The mapping's table {name!r} is not there: no file or sheet is called {wanted}. {_there(found)}"


def _there(found: list[Path]) -> str:
    told = ", ".join(path.name for path in found[:8]) or "no file"
    return f"There is {told}{' …' if len(found) > 8 else ''}."
