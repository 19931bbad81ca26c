"""Tables that are read whole, to be asked by key: code lists, a data dictionary, OMOP's concepts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from casefhir.sources.tables.open_table import OpenTable
from casefhir.sources.tables.rows import Row, TableError, find_column
from casefhir.sources.tables.whole import whole_places, with_bare


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows by the cells of their key columns (blanks around them taken off); the first of several with one key."""

    file: str
    columns: tuple[str, ...]
    rows: dict[tuple[str, ...], Row]


def read_lookup(
    name: str,
    table: OpenTable,
    key: Sequence[str],
    wanted: frozenset[str] | None = None,
    whole: Sequence[str] = (),
    names: Mapping[str, str] = MappingProxyType({}),
) -> Lookup:
    """The whole of `table`; with `wanted`, only those columns are kept, for memory. `whole` has patterns of columns
    that hold whole numbers, `names` what columns are called that may be called otherwise.

    Raises `TableError` for a key column that is not there, and for rows that say different things of one key.
    """
    columns = tuple(names.get(column.strip(), column) for column in table.sheet.columns)
    places = [find_column(columns, each) for each in key]
    for each, place in zip(key, places):
        if place is None:
            raise TableError(
                f"{table.sheet.file}: The look-up {name!r} is asked by {each!r}, which is no column of it."
            )
    needed = None if wanted is None else {find_column(columns, each) for each in wanted}
    kept = [place for place in range(len(columns)) if needed is None or place in needed]
    bare = whole_places(columns, whole)
    found: dict[tuple[str, ...], Row] = {}

    def fault(number: int, _: Row, reason: str) -> None:
        file, line = table.sheet.place(number)
        raise TableError(f"{file}, row {line}: {reason} A look-up has to be whole.")

    for number, cells in table.rows(fault):
        row = with_bare(cells, bare)
        asked = tuple((row[place] or "").strip() for place in places if place is not None)
        told = tuple(row[place] for place in kept)
        if found.setdefault(asked, told) != told:
            file, line = table.sheet.place(number)
            raise TableError(
                f"{file}, row {line}: The look-up {name!r} tells otherwise of {', '.join(asked)!r} above; keep one row."
            )
    return Lookup(table.sheet.file, tuple(columns[place] for place in kept), found)
