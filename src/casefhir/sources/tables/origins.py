"""The rows that a fact comes from beside its own: that gave it words, or by which its table leads to the person."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from casefhir.record import Cells, Fact, Person, cells_of
from casefhir.sources.tables.keys import key_finder
from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.rows import PersonRows, Sheet, find_column
from casefhir.sources.tables.whole import whole_places

MOST_ALIKE = 10
"""Of rows that all tell a fact the same, so many are named: else facts of a long table would name thousands each."""
Known = TypeVar("Known", bound=Fact | Person)


@dataclass(frozen=True, slots=True)
class Way:
    """From a table without the person's key to the rows of the table `through` that it leads there by; `ours` and
    `theirs` give the key that they share, which stands in `columns` there.
    """

    through: str
    ours: Callable[[Sequence[str | None]], str]
    theirs: Callable[[Sequence[str | None]], str]
    columns: tuple[str, ...]


def ways(mapping: TableMapping, sheets: dict[str, Sheet]) -> dict[str, Way]:
    """Those of the tables that have one."""
    found = {}
    for name, spec in mapping.tables.items():
        if spec.through is None or spec.key or name not in sheets or spec.through not in sheets:
            continue
        theirs = sheets[spec.through].columns
        ours, asked = (
            _finder(mapping, sheets[name], spec.via.values()),
            _finder(mapping, sheets[spec.through], spec.via),
        )
        if ours and asked:
            places = [find_column(theirs, column) for column in spec.via]
            columns = tuple([theirs[place] for place in places if place is not None])
            found[name] = Way(spec.through, ours, asked, columns)
    return found


def _finder(
    mapping: TableMapping, sheet: Sheet, columns: Iterable[str]
) -> Callable[[Sequence[str | None]], str] | None:
    places = [find_column(sheet.columns, column) for column in columns]
    known = tuple([place for place in places if place is not None])
    if len(known) < len(places):
        return None
    whole = whole_places(sheet.columns, mapping.reading_of(sheet.name).whole)
    return key_finder(known, tuple([place for place in known if place in whole]))


@dataclass(slots=True)
class Origins:
    """The other rows behind the facts of one person, whose `rows` are all that the tables have."""

    ways: dict[str, Way]
    ranks: dict[str, int]
    """The tables in the order of the mapping."""
    rows: PersonRows
    given: dict[str, tuple[Cells, ...]] = field(default_factory=dict)
    """Fact key -> cells of other rows, in the order of tables and rows; only of facts that have such."""
    _led: dict[str, dict[int, tuple[Cells, ...]]] = field(default_factory=dict)

    def add(self, key: str, table: str, number: int, given: Iterable[Cells]) -> None:
        """The fact `key`, whose own row this is, has words of these cells too."""
        merged: dict[tuple[str, int], dict[str, None]] = {}
        led = self._leading(table).get(number, ()) if table in self.ways else ()
        for each in (*self.given.get(key, ()), *led, *given):
            if (each.table, each.row) != (table, number):
                merged.setdefault((each.table, each.row), {}).update(dict.fromkeys(each.columns))
        if merged:
            places = sorted(merged, key=lambda place: (self.ranks.get(place[0], 0), place[1]))
            self.given[key] = tuple([Cells(*place, tuple(merged[place])) for place in places])

    def _leading(self, table: str) -> dict[int, tuple[Cells, ...]]:
        """The row of `table` -> the rows by which it is this person's."""
        known = self._led.get(table)
        if known is None:
            way, index = self.ways[table], dict[str, list[Cells]]()
            for number, row in self.rows.rows.get(way.through, ()):
                found = index.setdefault(way.theirs(row), [])
                if len(found) < MOST_ALIKE:
                    found.append(Cells(way.through, number, way.columns))
            known = self._led[table] = {
                number: tuple(index.get(way.ours(row), ())) for number, row in self.rows.rows.get(table, ())
            }
        return known


def with_origins(fact: Known, given: tuple[Cells, ...]) -> Known:
    """`fact` with the cells of other rows behind its own."""
    return replace(fact, source=(*cells_of(fact.source), *given)) if given else fact
