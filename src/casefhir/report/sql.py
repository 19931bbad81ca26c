"""SQL over the tables, with DuckDB: read only, without files or network."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.report.columnar import arrow_table
from casefhir.report.tables import Cell, Heading, Table


class BadQuery(CasefhirError):
    """SQL that DuckDB refuses."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: column names and rows."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_table(self) -> Table:
        """The answer as a table for the writers; every cell keeps its type."""
        headings = tuple(Heading(name, "text", "", "") for name in self.names)
        return Table("answer", "", headings, tuple(tuple(_cell(each) for each in row) for row in self.rows))

    def as_objects(self) -> Iterator[dict[str, Any]]:
        """Each row as an object by column name, for JSON. Raises `BadQuery` where two columns have one name."""
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise BadQuery(f"Two columns of the answer are called {twice[0]!r}; name them apart with AS.")
        for row in self.rows:
            yield {name: _plain(_cell(each)) for name, each in zip(self.names, row)}


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | int | Decimal | list):
        return value
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else str(value)
    return value if isinstance(value, date) and not isinstance(value, datetime) else str(value)


def _plain(cell: Cell) -> Any:
    return (
        cell.isoformat()
        if isinstance(cell, date)
        else [_plain(_cell(each)) for each in cell]
        if isinstance(cell, list)
        else cell
    )


def query(statement: str, tables: list[Table]) -> Answer:
    """What DuckDB answers to `statement` over `tables` by their names. Raises `BadQuery`, `MissingExtra`."""
    duckdb = needed("duckdb", "tables", "casefhir query")
    # rows come from strangers and queries from scripts: neither may read files, load extensions or reach out
    closed = {"enable_external_access": "false", "autoload_known_extensions": "false"}
    connection = duckdb.connect(":memory:", config=closed)
    try:
        for table in tables:
            arrow = arrow_table(table)
            connection.register("arriving", arrow)
            connection.execute(f'create table "{table.name}" as select * from arriving')
            connection.unregister("arriving")
        connection.execute("set lock_configuration = true")
        cursor = connection.execute(statement)
        names = tuple(each[0] for each in cursor.description or ())
        return Answer(names, tuple(cursor.fetchall()) if names else ())
    except duckdb.Error as error:
        known = ", ".join(table.name for table in tables)
        raise BadQuery(f"DuckDB refuses the query: {error} (Tables: {known}.)") from error
    finally:
        connection.close()
