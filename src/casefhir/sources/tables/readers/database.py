"""Queries of databases: DuckDB files by DuckDB, everything else by SQLAlchemy. Values come to text without rounding."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from casefhir.extras import needed
from casefhir.sources.tables.readers.base import OnFault, as_text, header
from casefhir.sources.tables.rows import Row, TableError

_ROWS = 10_000


class QueryTable:
    """The rows of `query` on the database at `url`; user and password of the URL are never shown."""

    def __init__(self, url: str, query: str, *, name: str) -> None:
        self.url = url
        self.query = query
        self.file = f"{shown(url)}#{name}"
        self._duckdb = url.startswith("duckdb:")
        names, rows = self._run(f"select * from ({query}) as told where 1 = 0")
        list(rows)
        self._header = header(self.file, names)
        self.columns = self._header.columns
        self.detected = {"query": query}

    def rows(self, fault: OnFault) -> Iterator[tuple[int, Row]]:
        """The records, counted from 1 in the query's order."""
        _, rows = self._run(self.query)
        for number, values in enumerate(rows, 1):
            cells = tuple(as_text(values[place]) for place in self._header.kept)
            if any(cell is not None and "\0" in cell for cell in cells):
                fault(number, cells, "A value holds a NUL character.")
            else:
                yield number, cells

    def _run(self, query: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
        return self._by_duckdb(query) if self._duckdb else self._by_sqlalchemy(query)

    def _by_duckdb(self, query: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
        duckdb = needed("duckdb", "tables", "A DuckDB database")
        path = self.url.removeprefix("duckdb:").removeprefix("///")
        try:
            link = duckdb.connect(path, read_only=True)
            done = link.execute(query)
        except duckdb.Error as error:
            raise TableError(f"{self.file}: The query failed ({_first_line(error)}).") from error
        names = [each[0] for each in done.description or ()]

        def rows() -> Iterator[Sequence[Any]]:
            with closing(link):
                while block := done.fetchmany(_ROWS):
                    yield from block

        return names, rows()

    def _by_sqlalchemy(self, query: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
        sql = needed("sqlalchemy", "tables", "A database")
        try:
            engine = sql.create_engine(self.url)
            link = engine.connect().execution_options(yield_per=_ROWS)
            done = link.execute(sql.text(query))
        except ModuleNotFoundError as error:
            raise TableError(f"{self.file}: {_no_driver(error)}") from error
        except (sql.exc.ArgumentError, sql.exc.NoSuchModuleError) as error:
            raise TableError(
                f"{self.file}: There is no driver for this database, or its address is mistyped ({_first_line(error)})."
            ) from error
        except sql.exc.SQLAlchemyError as error:
            raise TableError(f"{self.file}: The query failed ({_first_line(error)}).") from error

        def rows() -> Iterator[Sequence[Any]]:
            with closing(link):
                yield from done
            engine.dispose()

        return list(done.keys()), rows()


def has_table(url: str, name: str) -> bool:
    """Whether the database at `url` has a table or view called `name`, in whatever capitals; raises `TableError`."""
    return name.lower() in {each.lower() for each in table_names(url)}


def table_names(url: str) -> list[str]:
    """The tables and views of the database at `url`; raises `TableError`."""
    if url.startswith("duckdb:"):
        listed = "select table_name from information_schema.tables where table_schema = current_schema() order by 1"
        return [name for _, (name,) in QueryTable(url, listed, name="tables").rows(lambda *_: None) if name]
    sql = needed("sqlalchemy", "tables", "A database")
    try:
        engine = sql.create_engine(url)
        look = sql.inspect(engine)
        found: list[str] = sorted([*look.get_table_names(), *look.get_view_names()])
        engine.dispose()
    except ModuleNotFoundError as error:
        raise TableError(f"{shown(url)}: {_no_driver(error)}") from error
    except sql.exc.SQLAlchemyError as error:
        raise TableError(f"{shown(url)}: Its tables cannot be listed ({_first_line(error)}).") from error
    return found


def _no_driver(error: ModuleNotFoundError) -> str:
    return f"The driver of this database, the Python package {error.name}, is not installed; install it with pip."


def shown(url: str) -> str:
    """`url` without user and password, for people."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
