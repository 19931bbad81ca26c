"""Bundles as flat, typed, documented tables, through the shipped views or the user's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.published import folder
from casefhir.report.bundles import Resources
from casefhir.report.runner import Row, rows
from casefhir.report.view import BadView, Column, View, parse_view

Kind = Literal["text", "integer", "decimal", "boolean", "date", "list"]
Cell = str | int | Decimal | bool | date | list[Any] | None
_KINDS: dict[str, Kind] = {
    "boolean": "boolean",
    "integer": "integer",
    "positiveInt": "integer",
    "unsignedInt": "integer",
    "integer64": "integer",
    "decimal": "decimal",
}
_SQL_KINDS: dict[str, Kind] = {
    "DATE": "date",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DECIMAL": "decimal",
    "NUMERIC": "decimal",
    "CHARACTER VARYING": "text",
    "VARCHAR": "text",
}
_READ_KIND: dict[Kind, str] = {
    "text": "text",
    "integer": "a whole number",
    "decimal": "an exact number",
    "boolean": "true or false",
    "date": "a whole date (YYYY-MM-DD)",
    "list": "a list",
}


class BadCell(CasefhirError):
    """A value that is not of its column's type."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a table: its name, the kind of its cells, what it means and the path it comes from."""

    name: str
    kind: Kind
    description: str
    path: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: name, what a row is, headings, and rows with one cell a heading (None for nothing said)."""

    name: str
    description: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]


def shipped_views() -> list[View]:
    """The views that come with casefhir, in order of their names."""
    return [read_view(file) for file in sorted(folder("views").glob("*.json"))]


def read_view(file: Path) -> View:
    """The ViewDefinition in `file`; raises `BadView`."""
    try:
        value = exactjson.read(file.read_bytes())
    except exactjson.UnreadableJson as error:
        raise BadView(f"{file}: {error}") from error
    return parse_view(value, str(file))


def views_with(own: Iterable[Path]) -> list[View]:
    """The shipped views, those of the same name replaced by the ones in `own`, others added."""
    found = {each.name: each for each in shipped_views()}
    for file in own:
        view = read_view(file)
        found[view.name] = view
    return list(found.values())


def tables(resources: Resources, views: Iterable[View] | None = None) -> list[Table]:
    """One table a view (default: the shipped ones). Raises `BadRow`, `BadCell`, `BadView`."""
    return [table(resources, view) for view in (shipped_views() if views is None else views)]


def table(resources: Resources, view: View) -> Table:
    """The table that `view` gives on `resources`."""
    headings = tuple(_heading(each, view) for each in view.columns)
    return Table(
        view.name, view.description, headings, tuple(_cells(row, headings, view) for row in rows(view, resources))
    )


def _heading(column: Column, view: View) -> Heading:
    kind: Kind = _KINDS.get(column.type, "text")
    if column.sql_type is not None:
        plain = column.sql_type.upper().partition("(")[0].strip()
        if plain not in _SQL_KINDS:
            raise BadView(
                f"View {view.name}, column {column.name}: ansi/type {column.sql_type!r} is not supported; "
                f"give one of {', '.join(_SQL_KINDS)}."
            )
        kind = _SQL_KINDS[plain]
    return Heading(column.name, "list" if column.collection else kind, column.description, column.text)


def _cells(row: Row, headings: tuple[Heading, ...], view: View) -> tuple[Cell, ...]:
    return tuple(_cell(row[each.name], each, view) for each in headings)


def _cell(value: Any, heading: Heading, view: View) -> Cell:
    if value is None or value == "":  # FHIR has no empty strings; join() of nothing gives one
        return None
    if heading.kind == "list":
        return list(value) or None
    fits = {
        "text": isinstance(value, str | int | Decimal),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "decimal": isinstance(value, int | Decimal) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "date": isinstance(value, str) and len(value) == len("2012-05-01"),
    }[heading.kind]
    if not fits:
        raise BadCell(
            f"View {view.name}, column {heading.name}: {value!r} is not {_READ_KIND[heading.kind]}; "
            "mend the value or the column's type."
        )
    if heading.kind == "date":
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise BadCell(f"View {view.name}, column {heading.name}: {value!r} is no date of the calendar.") from error
    if heading.kind == "text":
        return str(value).lower() if isinstance(value, bool) else str(value)
    found: Cell = Decimal(value) if heading.kind == "decimal" else value
    return found


def catalogue(found: Iterable[Table]) -> Table:
    """What every column of `found` means, as a table: table, column, kind, description, path."""
    names = ("table", "column", "kind", "description", "path")
    return Table(
        "columns",
        "One row a column of the other tables.",
        tuple(Heading(name, "text", "", "") for name in names),
        tuple(
            (each.name, head.name, head.kind, head.description, head.path) for each in found for head in each.headings
        ),
    )
