"""Compiles the fields of a rule to functions of a row: the column's place, its map, its default, once for all rows."""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

from casefhir.sources.tables.elements import Cell, Words
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.frame import Frame, TableFrame, answer, passes
from casefhir.sources.tables.lookups import find_column
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.telling import MappedWords, Read, Telling, UnmappedWords
from casefhir.sources.tables.vocabulary import vocabulary

Choice = Callable[[Row, Telling], tuple[str | None, str | None]]
"""A field with a fixed choice: the value (None: blank, or not understood), and the words as printed."""
_MEMO = 1 << 13
_LONGEST = 1 << 10
"""Characters of the cells that are remembered with what they became; longer ones are told anew each time."""
Found = TypeVar("Found")


class Scope:
    """The fields of one rule over one table."""

    def __init__(self, frame: Frame, table: str, rule: str) -> None:
        self.frame = frame
        self.rule = rule
        self.table = table
        self.of = frame.tables[table]
        self.columns: dict[str, None] = {}
        """The columns that the rule reads, in order."""
        self.pure = True
        """Whether all that is compiled with it follows from the row's cells alone."""

    @contextmanager
    def part(self) -> Iterator["Scope"]:
        """A scope for some of the fields; what it reads counts for this one too."""
        part = Scope(self.frame, self.table, self.rule)
        yield part
        self.columns |= part.columns
        self.pure = self.pure and part.pure

    def remembered(self, tell: Callable[[Row, Telling], Found]) -> Callable[[Row, Telling], Found]:
        """`tell`, which was compiled with this scope, asked once for rows with the same cells in the columns it reads;
        what it counts and remarks is repeated each time.
        """
        if not self.pure:
            return tell
        places = [self.of.columns.index(column) for column in self.columns]
        asked = itemgetter(*places) if places else lambda _: None
        memo: dict[Any, tuple[Found, Telling | None]] = {}
        aside = Telling({})

        def found(row: Row, telling: Telling) -> Found:
            nonlocal aside
            cells = asked(row)
            known = memo.get(cells)
            if known is None:
                if len(memo) >= _MEMO:
                    memo.clear()
                try:
                    told = tell(row, aside)
                except Refused:
                    aside = Telling({})  # what was remarked of a refused row is not said of the next
                    raise
                if aside.unmapped or aside.defaulted or aside.remarks:
                    known, aside = (told, aside), Telling({})
                else:
                    known = (told, None)
                if _size(cells) <= _LONGEST:
                    memo[cells] = known
            if known[1] is not None:
                telling.unmapped.update(known[1].unmapped)
                telling.defaulted += known[1].defaulted
                telling.remarks += known[1].remarks
            return known[0]

        return found

    def problem(self, text: str) -> None:
        """Something is wrong with the rule."""
        loaded = self.frame.loaded
        line = loaded.lines.get(self.rule)
        where = f"{loaded.path}:{line}" if line else str(loaded.path)
        self.frame.problems.append(f"{where}: {self.rule}: {text}")

    def place(self, column: str, *, optional: bool = False, of: TableFrame | None = None) -> int | None:
        """Where a column stands in its table's rows; None, and a problem unless it is optional, if it is not there."""
        table = of or self.of
        place = find_column(table.columns, column)
        if place is None:
            if not optional:
                near = difflib.get_close_matches(column, table.columns, n=3, cutoff=0.6)
                hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(table.columns[:20])}."
                self.problem(f"table {table.name!r} has no column {column!r}. {hint}")
            return None
        self.frame.used.add((table.name, table.columns[place]))
        if table is self.of:
            self.columns[table.columns[place]] = None
        if place in table.dropped:
            self.problem(f"the column {column!r} is read here, but [privacy] drops it")
        return place

    def words(self, told: Words | None, name: str, *, absent: bool = False) -> Read | None:
        """A function that gives the words of the field called `name`, None where they are blank; None if there is no
        such field or its column is optional and not there. `absent`: codes for missing values are not blank.
        """
        if told is None:
            return None
        if isinstance(told, tuple):
            reads = [each for each in (self.words(one, name, absent=absent) for one in told) if each]
            return _first(reads) if reads else None
        if isinstance(told, str):
            optional = told.endswith("?") and find_column(self.of.columns, told) is None
            cell = Cell(column=told[:-1] if optional else told, optional=optional)
        else:
            cell = told
        read = self._source(cell, absent=absent)
        if read is None:
            return _default(cell.default, name) if cell.default is not None else None
        if cell.choices is not None:
            read = self._chosen(read, cell, name)
        if cell.lookup:
            read = self._looked_up(read, cell)
        if cell.map is not None:
            read = self._mapped(read, cell)
        if cell.default is not None:
            read = _or_default(read, cell.default, name)
        return read

    def plain(self, told: Words | None, name: str) -> Read | None:
        """Like `words`, for text that is written as it is: plain strings."""
        read = self.words(told, name)
        if read is None:
            return None

        def text(row: Row, telling: Telling) -> str | None:
            found = read(row, telling)
            return found if found is None or type(found) is str else str(found)

        return text

    def choice(self, told: Words | None, name: str, label: str | None = None) -> Choice | None:
        """A field with a fixed choice of values, for which the usual words are known. With a `label`, words that are
        not understood stand in the fact's notes under it; without, whoever asks keeps them.
        """
        read = self.words(told, name)
        if read is None:
            return None
        known, column = vocabulary(name), self.column_of(told)

        def chosen(row: Row, telling: Telling) -> tuple[str | None, str | None]:
            words = read(row, telling)
            if words is None:
                return None, None
            printed = words.raw if isinstance(words, MappedWords) else words
            found = known.get(words.casefold())
            if found is None and not isinstance(words, UnmappedWords):
                telling.unmapped[self.rule, column, printed] += 1
            if found is None and label is not None:
                telling.remarks.append(f"{label}: {printed}")
            return (found or None), printed

        return chosen

    def truth(
        self, told: Words | None, name: str, label: str | None = None
    ) -> Callable[[Row, Telling], bool | None] | None:
        """A field that is yes or no."""
        choice = self.choice(told, name, label)
        if choice is None:
            return None

        def found(row: Row, telling: Telling) -> bool | None:
            value, _ = choice(row, telling)
            return None if value is None else value == "yes"

        return found

    def condition(self, text: str | None, of: TableFrame | None = None) -> Expression | None:
        """An expression that is true or false."""
        if text is None:
            return None
        table = of or self.of
        try:
            expression = Expression(text, table.columns, table.clean, truth=True)
        except ExpressionError as error:
            self.problem(f"where = {text!r}: {error}")
            return None
        for column in expression.columns:
            self.place(column, of=table)
        return expression

    def column_of(self, told: object) -> str:
        """What to call the cell of a field in messages."""
        if isinstance(told, tuple):
            return ", ".join(self.column_of(each) for each in told)
        if isinstance(told, Cell):
            return told.column or (f"expr {told.expr}" if told.expr else f"const {told.const}")
        return str(told).removesuffix("?")

    def _source(self, cell: Cell, *, absent: bool) -> Read | None:
        given = [each for each in (cell.column, cell.const, cell.expr) if each is not None]
        if len(given) > 1 or (not given and not cell.lookup):
            self.problem("a field has exactly one of column, const, expr")
            return None
        if cell.table:
            return self._joined(cell)
        if cell.const is not None:
            const = cell.const.strip() or None
            return lambda _row, _telling: const
        if cell.expr is not None:
            return self._expression(cell.expr)
        if cell.column is None:  # a look-up asked by `on`
            return lambda _row, _telling: None
        place = self.place(cell.column, optional=cell.optional)
        if place is None:
            return None
        return column_read(place, self.of.missing if absent else self.of.blank, self.of.columns[place])

    def _expression(self, text: str) -> Read | None:
        try:
            expression = Expression(text, self.of.columns, self.of.clean)
        except ExpressionError as error:
            self.problem(f"expr = {text!r}: {error}")
            return None
        for column in expression.columns:
            self.place(column)
        return lambda row, _telling: answer(expression, row)

    def _joined(self, cell: Cell) -> Read | None:
        """A cell of the person's row in another table."""
        self.pure = False
        other = self.frame.tables.get(cell.table or "")
        if other is None:
            if cell.table not in self.frame.loaded.mapping.tables:
                self.problem(f"there is no table {cell.table!r}")
            return None
        if cell.column is None:
            self.problem("`table` goes with `column`")
            return None
        place = self.place(cell.column, optional=cell.optional, of=other)
        theirs = [self.place(column, of=other) for column in cell.on]
        ours = [self.words(column, "on") for column in cell.on.values()]
        where = self.condition(cell.where, other)
        if place is None or None in theirs or None in ours:
            return None
        take = column_read(place, other.blank, other.columns[place])
        asked = [column_read(each, other.blank, other.columns[each]) for each in theirs if each is not None]
        given = [each for each in ours if each]
        name, table = other.name, object()

        def read(row: Row, telling: Telling) -> str | None:
            index = telling.indexes.get(id(table))
            if index is None:
                index = telling.indexes[id(table)] = {}
                for number, their in telling.rows.get(name, ()):
                    index.setdefault(tuple([each(their, telling) for each in asked]), []).append((number, their))
            wanted = tuple([each(row, telling) for each in given])
            if None in wanted:
                return None
            found: dict[str, None] = {}
            for number, their in index.get(wanted, ()):
                if where is None or passes(where, their):
                    telling.touched.add((name, number))
                    words = take(their, telling)
                    if words is not None:
                        found[words] = None
            if len(found) > 1:
                raise Refused(
                    f"table {name!r} has several rows for it that differ in {cell.column}: {', '.join(found)}",
                    "mend the one that is wrong, or say with `on` and `where` which row is meant",
                )
            return next(iter(found), None)

        return read

    def _looked_up(self, read: Read, cell: Cell) -> Read:
        lookup = self.frame.lookups.get(cell.lookup or "")
        if lookup is None:
            declared = self.frame.loaded.mapping.lookups.get(cell.lookup or "")
            if declared is None:
                self.problem(f"there is no look-up {cell.lookup!r}")
            elif not declared.optional:
                self.problem(f"the look-up {cell.lookup!r} is not there")
            return lambda _row, _telling: None
        place = find_column(lookup.columns, cell.take or "")
        if place is None:
            if not cell.optional:
                self.problem(f"the look-up {cell.lookup!r} has no column {cell.take!r}")
            return lambda _row, _telling: None
        keys = self.frame.loaded.mapping.lookups[cell.lookup or ""].key
        asked = [self.words(cell.on[key], "on") for key in keys] if cell.on and {*keys} <= {*cell.on} else None
        rows, rule, column, blank = lookup.rows, self.rule, self.column_of(cell), self.of.blank

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
                return _marked(UnmappedWords, words, words)
            cell_found = line[place]
            text = cell_found.strip() if cell_found else ""
            return None if text in blank else text

        return found

    def _chosen(self, read: Read, cell: Cell, name: str) -> Read:
        choices = self.words(cell.choices, name)
        rule, column = self.rule, self.column_of(cell)
        memo: dict[str, dict[str, str]] = {}

        def found(row: Row, telling: Telling) -> str | None:
            words = read(row, telling)
            told = choices(row, telling) if choices and words is not None else None
            if words is None or told is None:
                return words
            labels = memo.get(told)
            if labels is None:
                parts = [part.partition(",") for part in told.split("|")]
                labels = memo[told] = {code.strip(): label.strip() for code, _, label in parts if label.strip()}
            label = labels.get(words)
            if label is None:
                telling.unmapped[rule, column, words] += 1
                return _marked(UnmappedWords, words, words)
            return _marked(MappedWords, label, label)

        return found

    def _mapped(self, read: Read, cell: Cell) -> Read:
        try:
            table = self.frame.csv_map(cell.map) if isinstance(cell.map, str) else (cell.map or {})
        except Refused as refused:
            self.problem(refused.reason)
            return read
        rule, column, hit = self.rule, self.column_of(cell), self.frame.maps_hit
        folded = {words.strip().casefold(): becomes for words, becomes in table.items()}
        memo: dict[str, MappedWords | None] = {}

        def mapped(row: Row, telling: Telling) -> str | None:
            words = read(row, telling)
            if words is None:
                return None
            if words not in memo:
                if len(memo) >= _MEMO or len(words) > _LONGEST:
                    memo.clear()
                becomes = table.get(words, folded.get(words.casefold()))
                if becomes is None:
                    memo[words] = _marked(UnmappedWords, words, words)
                else:
                    hit.add((rule, words))
                    memo[words] = _marked(MappedWords, becomes, words) if becomes else None
            found = memo[words]
            if type(found) is UnmappedWords:
                telling.unmapped[rule, column, words] += 1
            return found

        return mapped


def _size(cells: Any) -> int:
    """How many characters there are in one cell or several."""
    if isinstance(cells, tuple):
        return sum(len(each) for each in cells if each)
    return len(cells) if cells else 0


def column_read(place: int, blank: frozenset[str], column: str) -> Read:
    """A cell's words without blanks around them; None where they are as good as blank."""

    def read(row: Row, _: Telling) -> str | None:
        cell = row[place]
        if cell is None or cell in blank:
            return None
        text = cell.strip()
        if text is not cell and text in blank:
            return None
        if not text.isprintable():
            check_text(text, column)
        return text

    return read


def check_text(text: str, column: str) -> None:
    """Raises `Refused` for control characters, which FHIR's strings cannot hold."""
    for each in text:
        if (each < " " and each not in "\t\n\r") or "\x7f" <= each < "\xa0" or "\ud800" <= each <= "\udfff":
            raise Refused(f"the cell holds the control character U+{ord(each):04X}", "take it out", column)


def _marked(kind: type[MappedWords], words: str, raw: str) -> MappedWords:
    found = kind(words)
    found.raw = raw
    return found


def _first(reads: list[Read]) -> Read:
    def first(row: Row, telling: Telling) -> str | None:
        for read in reads:
            words = read(row, telling)
            if words is not None:
                return words
        return None

    return first


def _default(default: str, name: str) -> Read:
    return _or_default(lambda _row, _telling: None, default, name)


def _or_default(read: Read, default: str, name: str) -> Read:
    def words(row: Row, telling: Telling) -> str | None:
        found = read(row, telling)
        if found is None:
            telling.defaulted.append((name, default))
            return default
        return found

    return words
