"""A mapping's tables and look-ups found, opened, and keyed by person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from casefhir.sources.tables.files import Opened, TableSpec, open_tables
from casefhir.sources.tables.hiding import entries
from casefhir.sources.tables.inputs import JSON, Inputs
from casefhir.sources.tables.keys import IN_MEMORY, SEPARATOR, KeyedTable, key_places, keyed
from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.looking import looked_through
from casefhir.sources.tables.lookups import Lookup, read_lookup
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.open_table import OpenTable
from casefhir.sources.tables.person_rule import PersonRule
from casefhir.sources.tables.points import Doubts, doubts
from casefhir.sources.tables.readers.packed import TEXT, kind
from casefhir.sources.tables.reads import Read, of_rule
from casefhir.sources.tables.redcap import Dictionary
from casefhir.sources.tables.rows import Broken, TableError, TableMissing
from casefhir.sources.tables.ruleset import Rule
from casefhir.sources.tables.whole import whole_places, with_bare


@dataclass(frozen=True, slots=True)
class Opening:
    """What a mapping is applied to: its tables as files, with their keys, and its look-ups."""

    files: Opened
    keyed: tuple[KeyedTable, ...]
    lookups: dict[str, Lookup] = field(default_factory=dict)

    @property
    def count(self) -> int | None:
        """How many rows there are in all; None where not all were counted."""
        counts = [each.count for each in self.keyed]
        partly = any(count > IN_MEMORY and not each.orders for count, each in zip(counts, self.keyed))
        return None if partly else sum(counts)

    @property
    def notes(self) -> Iterator[str]:
        """What a person should know of the files: encodings and delimiters found out, tables and files not used."""
        for file, found in self.files.detected.items():
            yield f"{file}: {', '.join(f'{name} {value}' for name, value in found.items())}."
        for table in self.files.tables.values():
            lacking: dict[str, list[str]] = {}
            for column, part in table.sheet.lacking:
                lacking.setdefault(part, []).append(column)
            for part, columns in lacking.items():
                yield f"{part}: It has no {', '.join(columns)}, as other parts of table {table.sheet.name} have."
        if self.files.missing:
            yield f"Not there, and not needed: {', '.join(self.files.missing)}."
        if self.files.unused:
            yield f"No table of the mapping is in: {', '.join(self.files.unused)}."
        if self.files.passed_over:
            yield f"Not read: {', '.join(self.files.passed_over)}."


def open_mapping(
    loaded: LoadedMapping,
    inputs: Sequence[str | Path],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    look: bool = True,
    jobs: int = 1,
    held: Inputs | None = None,
) -> Opening:
    """Find, open and key the tables of a mapping in `inputs`; look-ups may lie beside the mapping too. Unless `look`
    is false, the keys are looked through (by several processes if `jobs` is over 1), to see how they are sorted and how
    many rows there are. `held` are the `inputs` where they were opened before.

    Raises `TableError` for what is not there or cannot be read, `MappingError` for keys that lead nowhere.
    """
    mapping = loaded.mapping
    specs: dict[str, TableSpec] = {**mapping.tables, **mapping.lookups}
    held = held or Inputs(inputs)
    found = open_tables(
        held,
        specs,
        encoding=encoding,
        delimiter=delimiter,
        beside=_beside(loaded),
        lookups=mapping.lookups,
        dictionaries=_dictionaries(loaded, held, encoding, delimiter),
        commas=[name for name in mapping.tables if mapping.reading_of(name).decimal == ","],
        points=_points(loaded),
    )
    tables = {name: table for name, table in found.tables.items() if name in mapping.tables}
    if not tables:
        raise TableError("None of the mapping's tables is there; its look-ups alone tell nothing.")
    lookups = _lookups(mapping, found)
    missing = tuple(name for name in found.missing if name in mapping.tables)
    bare = Opened(tables, found.unused, missing, found.paths, found.detected, found.passed_over)
    keyed_tables = list(_keyed(mapping, tables))
    return Opening(bare, tuple(looked_through(keyed_tables, jobs=jobs) if look else keyed_tables), lookups)


def open_lookups(loaded: LoadedMapping, inputs: Sequence[str | Path]) -> dict[str, Lookup]:
    """A mapping's look-ups alone, in `inputs` or beside the mapping; raises as `open_mapping` does."""
    if not loaded.mapping.lookups:
        return {}
    try:
        found = open_tables(Inputs(inputs), loaded.mapping.lookups, beside=_beside(loaded))
    except TableMissing:
        if all(spec.optional for spec in loaded.mapping.lookups.values()):
            return {}
        raise
    return _lookups(loaded.mapping, found)


def _dictionaries(
    loaded: LoadedMapping, inputs: Inputs, encoding: str | None, delimiter: str | None
) -> dict[str, Dictionary]:
    """The data dictionaries of tables that have one, by the table's name."""
    mapping = loaded.mapping
    asked = {name for spec in mapping.tables.values() for name in (spec.dictionary, spec.events) if name}
    specs = {name: spec for name, spec in mapping.lookups.items() if name in asked}
    if not specs:
        return {}
    try:
        found = open_tables(
            inputs, specs, encoding=encoding, delimiter=delimiter, beside=_beside(loaded), lookups=specs
        )
    except TableMissing as error:
        raise TableMissing(
            f"{error} It is the project's data dictionary: download it in REDCap (Project Setup > Data Dictionary) "
            f"and put it beside the data."
        ) from None
    read = {
        name: read_lookup(name, found.tables[name], spec.key, whole=mapping.reading.whole, names=spec.names)
        for name, spec in specs.items()
        if name in found.tables
    }
    return {
        name: Dictionary(read[spec.dictionary], read.get(spec.events or ""))
        for name, spec in mapping.tables.items()
        if spec.dictionary is not None and spec.dictionary in read
    }


def _points(loaded: LoadedMapping) -> dict[str, Callable[[Sequence[str]], Doubts]]:
    """The tables of whose marks nothing is said, and where in their columns numbers may be."""
    mapping = loaded.mapping
    silent = [
        name for name in mapping.tables if not {"decimal", "thousands"} & mapping.reading_of(name).model_fields_set
    ]
    reads: dict[str, list[Read]] = {name: [] for name in silent}
    rules: list[Rule | PersonRule] = [
        mapping.person,
        *(one for rule in mapping.rules for one in entries(rule, loaded.folder)),
    ]
    for each in chain.from_iterable(of_rule(rule) for rule in rules):
        if each.table in reads:
            reads[each.table].append(each)
    return {name: partial(doubts, keys=mapping.tables[name].persons, reads=reads[name]) for name in silent}


def _lookups(mapping: TableMapping, found: Opened) -> dict[str, Lookup]:
    return {
        name: read_lookup(
            name, found.tables[name], spec.key, wanted_columns(mapping, name), mapping.reading.whole, spec.names
        )
        for name, spec in mapping.lookups.items()
        if name in found.tables
    }


def _beside(loaded: LoadedMapping) -> dict[str, list[Path]]:
    """Files that lie beside the mapping, for its look-ups."""
    files = sorted(path for path in loaded.folder.iterdir() if kind(path) in (*TEXT, *JSON))
    return dict.fromkeys(loaded.mapping.lookups, files)


def wanted_columns(mapping: TableMapping, lookup: str) -> frozenset[str] | None:
    """The columns of a look-up that some field takes; None (all of them) where that cannot be told."""
    taken: set[str] = set()

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if part.get("lookup") == lookup and part.get("take"):
                taken.add(part["take"])
            for each in part.values():
                walk(each)
        elif isinstance(part, list | tuple):
            for each in part:
                walk(each)

    walk(mapping.model_dump())
    return frozenset(taken) or None


def _keyed(mapping: TableMapping, tables: dict[str, OpenTable]) -> Iterator[KeyedTable]:
    for name, table in tables.items():
        spec = mapping.tables[name]
        whole = mapping.reading_of(name).whole
        if spec.key:
            yield keyed(name, table, spec.key, whole=whole)
            continue
        through = spec.through
        if through is None or not spec.via or not mapping.tables[through].key:
            raise MappingError(
                f"Table {name!r} has no key: give it key = [..], or through = a table that has one and "
                f"via = {{ its column = this table's column }}."
            )
        if through not in tables:
            raise TableError(f"Table {name!r} leads to the person by table {through!r}, which is not there.")
        leads = _leads(mapping, through, tables[through], tuple(spec.via))
        yield keyed(name, table, tuple(spec.via.values()), leads=leads, by=through, whole=whole)


def _leads(mapping: TableMapping, name: str, table: OpenTable, asked: Sequence[str]) -> dict[str, str]:
    """From the cells of `asked` to the person's key, over all rows of `table`; a row that is none leads nowhere. Cells
    of several persons lead to the empty key.
    """
    spec = mapping.tables[name]
    whole = whole_places(table.sheet.columns, mapping.reading_of(name).whole)
    by_row = KeyedTable(name, table, key_places(name, table, asked), whole=whole)
    places = key_places(name, table, spec.key)
    found: dict[str, str] = {}
    for cells, _, row in by_row.read():
        if type(row) is Broken:
            continue
        row = with_bare(row, whole)
        person = SEPARATOR.join((row[place] or "").strip() for place in places)
        if found.setdefault(cells, person) != person:
            found[cells] = ""
    return found
