"""Words from elsewhere than the rule's own table: the person's row in another table, a look-up."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from casefhir.record import Cells
from casefhir.sources.tables.cells import column_read
from casefhir.sources.tables.elements import Cell, Supplement
from casefhir.sources.tables.facts.moved_words import NOT_SHOWN, as_moved, moved_words
from casefhir.sources.tables.frame import passes
from casefhir.sources.tables.origins import MOST_ALIKE
from casefhir.sources.tables.privacy import MASK
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row, find_column
from casefhir.sources.tables.telling import Read, Telling, UnmappedWords, marked

if TYPE_CHECKING:
    from casefhir.sources.tables.scope import Scope

_PLAIN = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?").fullmatch


def joined(scope: "Scope", cell: Cell) -> Read | None:
    """A cell of the person's row in another table."""
    scope.pure = False
    other = scope.frame.tables.get(cell.table or "")
    if other is None:
        if cell.table not in scope.frame.loaded.mapping.tables:
            scope.problem(f"there is no table {cell.table!r}")
        return None
    if cell.column is None:
        scope.problem("`table` goes with `column`")
        return None
    place = scope.place(cell.column, optional=cell.optional, of=other)
    theirs = [scope.place(column, of=other) for column in cell.on]
    ours = [scope.words(column, "on") for column in cell.on.values()]
    where = scope.condition(cell.where, other)
    if place is None or None in theirs or None in ours:
        return None
    take = column_read(place, other.blank, other.columns[place])
    asked = [column_read(each, other.blank, other.columns[each]) for each in theirs if each is not None]
    given = [each for each in ours if each]
    name, table, taken = other.name, object(), (other.columns[place],)

    def read(row: Row, telling: Telling) -> str | None:
        index = telling.indexes.get(id(table))
        if index is None:
            index = telling.indexes[id(table)] = {}
            for number, their in telling.rows.get(name, ()):
                index.setdefault(tuple([each(their, telling) for each in asked]), []).append((number, their))
        wanted = tuple([each(row, telling) for each in given])
        if None in wanted:
            return None
        found: dict[str, int] = {}
        for number, their in index.get(wanted, ()):
            if where is None or passes(where, their):
                telling.touched.add((name, number))
                words = take(their, telling)
                if words is not None:
                    found[words] = found.get(words, 0) + 1
                    if found[words] <= MOST_ALIKE:
                        telling.given.append(Cells(name, number, taken))
        if len(found) > 1:
            raise Refused(
                f"table {name!r} has several rows for it that differ in {cell.column}: {', '.join(map(repr, found))}",
                "mend the one that is wrong, or say with `on` and `where` which row is meant",
            )
        return next(iter(found), None)

    return read


def untraced_if_blank(read: Read) -> Read:
    """`read`, where the words of another row may become nothing: then that row gave the fact none."""

    def words(row: Row, telling: Telling) -> str | None:
        before = len(telling.given)
        found = read(row, telling)
        if found is None:
            del telling.given[before:]
        return found

    return words


def looked_up(scope: "Scope", read: Read, cell: Cell) -> Read:
    """What a look-up says of the words that `read` gives, or of those that `on` names."""
    lookup = scope.frame.lookups.get(cell.lookup or "")
    if lookup is None:
        declared = scope.frame.loaded.mapping.lookups.get(cell.lookup or "")
        if declared is None:
            scope.problem(f"there is no look-up {cell.lookup!r}")
        elif not declared.optional:
            scope.problem(f"the look-up {cell.lookup!r} is not there")
        return lambda _row, _telling: None
    place = find_column(lookup.columns, cell.take or "")
    if place is None:
        if not cell.optional:
            scope.problem(f"the look-up {cell.lookup!r} has no column {cell.take!r}")
        return lambda _row, _telling: None
    keys = scope.frame.loaded.mapping.lookups[cell.lookup or ""].key
    asked = [scope.words(cell.on[key], "on") for key in keys] if cell.on and {*keys} <= {*cell.on} else None
    rows, rule, column, blank = lookup.rows, scope.rule, scope.column_of(cell), scope.of.blank

    def found(row: Row, telling: Telling) -> str | None:
        if asked is None:
            words = read(row, telling)
            if words is None:
                return None
            key: tuple[str, ...] = (words,)
        else:
            told = [each(row, telling) if each else None for each in asked]
            key = tuple([each for each in told if each is not None])
            if len(key) < len(told):
                return None
            words = " / ".join(key)
        line = rows.get(key)
        if line is None:
            telling.unmapped[rule, column, words] += 1
            return marked(UnmappedWords, words, words)
        cell_found = line[place]
        text = cell_found.strip() if cell_found else ""
        return None if text in blank else text

    return found


def supplements(scope: "Scope", told: Supplement) -> Callable[[Row, Telling], list[str]] | None:
    """All words of another table's rows that name a column of this row and what stands there. Rows that lead to none
    are counted as unmapped in the end.
    """
    scope.pure = False
    other = scope.frame.tables.get(told.table)
    if other is None:
        if told.table not in scope.frame.loaded.mapping.tables:
            scope.problem(f"there is no table {told.table!r}")
        return None
    places = [scope.place(column, of=other) for column in (told.names, told.value, told.label, told.column)]
    if None in places:
        return None
    reads = [column_read(each, other.blank, other.columns[each]) for each in places if each is not None]
    taken = tuple([other.columns[each] for each in places[2:] if each is not None])
    where = scope.condition(told.where, other)
    name, rule, ours, column = other.name, scope.rule, scope.of, f"{told.value} -> {scope.of.name}"
    token, hidden = object(), scope.frame.loaded.mapping.privacy.hash_keys
    known: dict[str, Read | None] = {}

    def read_of(named: str) -> Read | None:
        if named not in known:
            place = find_column(ours.columns, named)
            known[named] = None if place is None else column_read(place, ours.blank, ours.columns[place])
        return known[named]

    def indexed(telling: Telling) -> dict[str, dict[str, list[tuple[int, Row]]]]:
        index = telling.supplements.get(id(token))
        if index is None:
            index = telling.supplements[id(token)] = {}
            for number, their in telling.rows.get(name, ()):
                if where is not None and not passes(where, their):
                    continue
                named, value = reads[0](their, telling), reads[1](their, telling)
                index.setdefault(named or "", {}).setdefault(_figure(value or ""), []).append((number, their))
        return index

    def found(row: Row, telling: Telling) -> list[str]:
        notes: list[str] = []
        for named, index in indexed(telling).items():
            read = read_of(named)
            cell = read(row, telling) if read else None
            for number, their in index.get(_figure(cell), ()) if cell else ():
                telling.touched.add((name, number))
                label, words = reads[2](their, telling), reads[3](their, telling)
                if words and telling.shift:
                    words = moved_words(words, other.dates, telling.shift) or NOT_SHOWN
                if words:
                    notes.append(as_moved(f"{label}: {words}" if label else words, telling))
                    telling.given.append(Cells(name, number, taken))
        return notes

    def left(telling: Telling) -> None:
        for named, index in indexed(telling).items():
            for value, rows in index.items():
                lost = sum((name, number) not in telling.touched for number, _ in rows)
                if lost:
                    telling.unmapped[rule, column, f"{named} = {MASK if hidden else value}"] += lost

    scope.frame.left.append(left)
    return found


def _figure(cell: str) -> str:
    """`cell`, or its number where it is a plain one: 01, 1 and 1.0 are the same row."""
    return format(Decimal(cell).normalize(), "f") if _PLAIN(cell) else cell
