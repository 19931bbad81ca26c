"""Tables as far as a draft looks at them: columns with profiles, whose rows they are, which column has which part."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path

from casefhir import terms
from casefhir.sources import tables
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.open_table import OpenTable
from casefhir.sources.tables.profile import ColumnProfile
from casefhir.sources.tables.readers.base import Number, likely_header
from casefhir.sources.tables.readers.database import table_names
from casefhir.sources.tables.readers.packed import bare
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.readers.workbook import WorkbookSheet
from casefhir.sources.tables.rows import Row, TableError
from casefhir.sources.tables.totals import is_total

_ROWS = 2_000
SUPPLEMENT = ("IDVAR", "IDVARVAL", "QLABEL", "QVAL")
"""Columns by which supplemental qualifiers are known: of what row they tell, and what."""
_UNITS = ("", "unit", "units", "einheit", "einheiten", "unite", "unites")


@dataclass(slots=True)
class Seen:
    """A table as far as it was read: its columns with profiles, and which column has which part in it."""

    name: str
    file: str
    columns: dict[str, ColumnProfile]
    rows: list[Row]
    query: str = ""
    """What asks a database for it."""
    key: str = ""
    """The column that says whose row it is; "" where none was found."""
    roles: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    unreadable: tuple[int, str] | None = None
    """How many rows are none, of those that were read, and why the first is not."""
    supplement: str = ""
    """The table of supplemental qualifiers (SDTM's SUPP--) of its rows, while no rule has it in its notes."""
    header: int | None = None
    """The row of the header, where a title stands above it."""
    units: dict[str, str] = field(default_factory=dict)
    """Units by column, where a row of them stands under the header."""
    hidden: bool = False
    """Whether it is a sheet that a spreadsheet program does not show."""
    typed: set[str] = field(default_factory=set)
    """Numbers that a typed format holds, whose mark says nothing of how the texts are written."""

    def take(self, role: str) -> str | None:
        """The column with a part, which counts as used then."""
        column = self.roles.get(role)
        if column:
            self.used.add(column)
        return column


@cache
def known_headers() -> dict[str, list[str]]:
    """Part -> the headers that mean it, in plain letters."""
    text = (resources.files(tables) / "data" / "headers.tsv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        found.setdefault(row["role"], []).append(row["header"])
    return found


def _stem(name: str) -> str:
    return bare(Path(name)).stem


@cache
def _identifying() -> frozenset[str]:
    """The headers of columns whose cells may tell who a person is."""
    known = known_headers()
    return frozenset(
        header for role in ("person", "identity", "birth", "birth_year", "death") for header in known[role]
    )


def look(held: Inputs, *, encoding: str | None = None, delimiter: str | None = None) -> Iterator[Seen]:
    """The tables in `held`; raises `TableError` where there is none."""
    names = held.table_names
    asked = {plain(name): f'select * from "{name}"' for url in held.urls for name in table_names(url)}
    stems = Counter(_stem(name).lower() for name in names)
    shorts = {name: plain(_stem(name) if stems[_stem(name).lower()] == 1 else name) or "table" for name in names}
    specs = {short: Table(files=(name,)) for name, short in shorts.items()}
    specs |= {short: Table(query=query) for short, query in asked.items() if short not in specs}
    if not specs:
        raise TableError(
            "There is no table here; name files (CSV, XLSX, Parquet, JSON, XPT), a folder with some, or a database."
        )
    opened = open_tables(held, specs, encoding=encoding, delimiter=delimiter)
    below = {name: _header_of(table) for name, table in opened.tables.items()}
    if any(below.values()):
        specs = {name: spec.model_copy(update={"header": below.get(name)}) for name, spec in specs.items()}
        opened = open_tables(held, specs, encoding=encoding, delimiter=delimiter)
    for name, table in opened.tables.items():
        columns = {column: ColumnProfile() for column in table.sheet.columns}
        rows, unreadable = _read(table)
        units = _units(table, rows[0]) if rows else {}
        if units:
            del rows[0]
        rows = [row for row in rows if not is_total(next((cell for cell in row if cell and cell.strip()), ""))]
        for row in rows:
            for profile, cell in zip(columns.values(), row):
                profile.see(cell)
        typed = {str(cell) for row in rows for cell in row if type(cell) is Number}
        seen = Seen(name, table.sheet.file, columns, rows, header=below[name], units=units, typed=typed)
        seen.hidden = any(
            isinstance(part, WorkbookSheet) and part.sheet in part.workbook.hidden for part in table.parts
        )
        for header, profile in columns.items():
            profile.masked = plain(header) in _identifying() or profile.numbers_persons
        seen.unreadable, seen.query = unreadable, specs[name].query or ""
        by_plain = {plain(column): column for column in reversed(columns)}
        for role, headers in known_headers().items():
            column = next((by_plain[each] for each in headers if each in by_plain), None)
            if column:
                seen.roles[role] = column
        yield seen


def _read(table: OpenTable) -> tuple[list[Row], tuple[int, str] | None]:
    """The first rows, and how many between them are none, with the reason of the first."""
    found: tuple[int, str] | None = None

    def fault(number: int, _: Row, reason: str) -> None:
        nonlocal found
        found = (found[0] + 1, found[1]) if found else (1, f"row {number}: {reason}")

    rows = [row for _, row in islice(table.rows(fault), _ROWS)]
    return rows, found


def _header_of(table: OpenTable) -> int | None:
    """The row of the header where a title stands above it."""
    (part, *_) = table.parts
    return likely_header(part.beginning()) if isinstance(part, TextTable | WorkbookSheet) else None


def _units(table: OpenTable, first: Row) -> dict[str, str]:
    """The units by column, if the first row under the header is one of units: it is nobody's, and has some."""
    if not isinstance(table.parts[0], TextTable | WorkbookSheet) or plain(first[0] or "") not in _UNITS:
        return {}
    cells = {column: (cell or "").strip() for column, cell in zip(table.sheet.columns, first)}
    found = {column: cell for column, cell in cells.items() if ("/" in cell or cell == "%") and terms.ucum_code(cell)}
    filled = [cell for cell in cells.values() if plain(cell) not in _UNITS]
    return found if len(found) > 1 or len(found) == len(filled) else {}


def plain(header: str) -> str:
    """A header in small letters without accents, digits and underscores."""
    bare = unicodedata.normalize("NFKD", header.lower().replace("ß", "ss").replace("ł", "l").replace("ø", "o"))
    return re.sub(r"[^a-z0-9]+", "_", "".join(each for each in bare if not unicodedata.combining(each))).strip("_")


def _person_key(tables: list[Seen]) -> str:
    """The column that most tables share and that is called like a person's key; else the one that most share."""
    counts = Counter(column for table in tables for column in table.columns)
    named = [column for column in counts if plain(column) in known_headers()["person"]]
    if named:
        order = known_headers()["person"]
        return min(named, key=lambda column: (-counts[column], order.index(plain(column))))
    column, count = counts.most_common(1)[0]
    if count < len(tables):
        heads = "; ".join(f"{table.file}: {', '.join([*table.columns][:4])}" for table in tables[:4])
        raise TableError(
            f"No column of these tables looks like the person's key. The first rows were read as headers ({heads}): "
            f"delete what stands above a header. Else begin with a mapping of your own (docs/mapping.md), or call the "
            f"column patient_id."
        )
    return column


def find_keys(tables: list[Seen]) -> None:
    """The person's key of every table: the shared column, or the one that has most of its words."""
    key = _person_key(tables)
    shared = {value for table in tables if key in table.columns for value in table.columns[key].values}
    for table in tables:
        if key in table.columns:
            table.key = key
        else:
            alike = {column: len(shared & profile.values.keys()) for column, profile in table.columns.items()}
            best = max(alike, key=lambda column: alike[column])
            table.key = best if alike[best] * 2 > len(table.columns[best].values) else ""
        table.used.add(table.key)
    if not all(table.hidden for table in tables):
        for table in tables:
            table.key = "" if table.hidden else table.key
    _join_supplements(tables)


def _join_supplements(tables: list[Seen]) -> None:
    """SDTM's supplemental qualifiers go with the tables whose rows they qualify."""
    by_name = {table.name: table for table in tables}
    for table in tables:
        whose = by_name.get(table.name.removeprefix("supp"))
        if whose is not None and whose is not table and {*SUPPLEMENT} <= {*table.columns}:
            whose.supplement = table.name
            table.used.update((*SUPPLEMENT, "RDOMAIN"))


def row_key(table: Seen) -> list[str]:
    """Columns that tell a person's rows apart in what was read: one, or two together."""
    place = {column: number for number, column in enumerate(table.columns)}
    if not table.key:
        return []
    key = table.key

    def apart(columns: Sequence[str]) -> bool:
        cells = [tuple(row[place[column]] for column in (key, *columns)) for row in table.rows]
        return len(set(cells)) == len(cells) and all(all(each) for each in cells)

    if apart(()) and len(table.rows) > 1:
        return []
    roles = [column for column in table.columns if plain(column) in ("id", f"{table.name}_id") and column != key]
    roles += [table.roles[role] for role in ("number", "visit", "date", "start") if role in table.roles]
    for column in roles:
        if apart((column,)):
            return [column]
    names = [table.roles[role] for role in ("code", "test", "drug", "event", "problem") if role in table.roles]
    for first in names:
        for second in roles:
            if apart((first, second)):
                return [first, second]
    return []
