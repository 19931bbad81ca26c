"""Columns of the tables that no rule of the mapping reads, as a person wants to see them."""

import re
from collections.abc import Iterator, Mapping

from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.plan import Plan

_PLACE = re.compile(r"\.\d+(?=\.|$)")


def unread(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """By table, the columns that no rule reads, each with those that it stands for. Of documents, what another table
    reads is not said again here; paths that differ in the places of lists alone are one (`biosamples.*.id`), unless
    rules read some of these places.
    """
    tables, used = plan.mapping.tables, plan.frame.used
    found = {}
    for name, sheet in plan.sheets.items():
        dropped = {sheet.columns[place] for place in plan.frame.tables[name].dropped}
        inner = _inner(name, tables)
        read = {_PLACE.sub(".*", column) for table, column in used if table == name}
        told: dict[str, list[str]] = {}
        for column in sheet.columns:
            shape = _PLACE.sub(".*", column)
            if (name, column) in used or column in dropped or _elsewhere(column, shape, tables[name], inner):
                continue
            told.setdefault(column if shape in read else shape, []).append(column)
        if told:
            found[name] = told
    return found


def _inner(name: str, tables: Mapping[str, Table]) -> tuple[str, ...]:
    """The paths of lists in the documents of a table whose items are rows of another table of the same files."""
    own = tables[name]
    return tuple(_paths(own, (each for other, each in tables.items() if other != name)))


def _paths(own: Table, others: Iterator[Table]) -> Iterator[str]:
    above = f"{own.rows}." if own.rows else ""
    for other in others:
        if other.rows and other.files == own.files and other.rows.startswith(above) and other.rows != own.rows:
            yield other.rows.removeprefix(above)


def _elsewhere(column: str, shape: str, own: Table, inner: tuple[str, ...]) -> bool:
    """Whether the column is of a document around the row, or is read as rows of another table."""
    if own.rows and column.startswith(("/", "../")):
        return True
    plain = shape.replace(".*", "")
    return any(plain == path or plain.startswith(f"{path}.") for path in inner)
