"""Tables and mappings made in a test: text in, persons' cases out, as the engine would bring them together."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from casefhir.sources.tables.load import LoadedMapping, load_mapping
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.plan import Mapped, Plan
from casefhir.sources.tables.rows import PersonRows, Row, Sheet

HEAD = """
casefhir = 1
name = "t"
title = "Test"
version = "1"
recorded = "2026-01-01T00:00:00Z"
"""
PERSON = '[tables.dm]\nkey = ["ID"]\n[person]\ntable = "dm"\nsex = "SEX"\n'
Tables = Mapping[str, Sequence[Mapping[str, str | None]]]


def loaded(text: str, head: str = HEAD, files: Mapping[str, str] | None = None) -> LoadedMapping:
    """A mapping from the text of its file, with files beside it."""
    folder = Path(tempfile.mkdtemp())
    for name, content in (files or {}).items():
        (folder / name).write_text(content)
    path = folder / "t.toml"
    path.write_text(head + text)
    return load_mapping(path)


def columns_of(rows: Sequence[Mapping[str, str | None]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row))


def planned(mapping: LoadedMapping, tables: Tables, lookups: Mapping[str, Lookup] | None = None) -> Plan:
    sheets = {name: Sheet(name, (f"{name}.csv",), columns_of(rows)) for name, rows in tables.items()}
    return Plan(mapping, sheets, lookups, salt="a salt of the tests" * 2)


def grouped(tables: Tables, key: str = "ID") -> list[PersonRows]:
    """The rows of each person, in the order in which persons first appear; lines count from 2, below the header."""
    found: dict[str, PersonRows] = {}
    for name, rows in tables.items():
        columns = columns_of(rows)
        for line, row in enumerate(rows, 2):
            who = row.get(key) or ""
            person = found.setdefault(who, PersonRows((who,)))
            cells: Row = tuple(row.get(column) for column in columns)
            person.rows.setdefault(name, []).append((line, cells))
    return list(found.values())


def told(text: str, tables: Tables, **more: object) -> list[Mapped]:
    """What a mapping makes of tables, person by person."""
    mapping = loaded(text, files=more.pop("files", None))  # type: ignore[arg-type]
    plan = planned(mapping, tables, more.pop("lookups", None))  # type: ignore[arg-type]
    return [plan.person(rows) for rows in grouped(tables)]


def one(text: str, tables: Tables, **more: object) -> Mapped:
    """What a mapping makes of the tables of a single person."""
    (found,) = told(text, tables, **more)
    return found
