"""Compiles the fields of a rule to functions of a row: the column's place, its map, its default, once for all rows."""

import difflib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

from casefhir.sources.tables.cells import column_read, default_read, first_read, or_default
from casefhir.sources.tables.elements import Cell, Words
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.frame import Frame, TableFrame, answer
from casefhir.sources.tables.joins import joined, looked_up, untraced_if_blank
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row, find_column
from casefhir.sources.tables.telling import MappedWords, Read, Telling, UnmappedWords
from casefhir.sources.tables.value_maps import chosen, mapped
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
        """Where a column stands in its table's rows; None, and a problem unless it is optional, if it is not there. A
        part of the table may lack it only if it is optional.
        """
        table = of or self.of
        place = find_column(table.columns, column)
        if place is None:
            if not optional:
                # several are called so
                near = [each for each in table.columns if each.startswith(f"{column} (column ")]
                near = near or difflib.get_close_matches(column, table.columns, n=3, cutoff=0.6)
                hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(table.columns[:20])}."
                self.problem(f"table {table.name!r} has no column {column!r}. {hint}")
            return None
        part = dict(table.sheet.lacking).get(table.columns[place])
        if part is not None and not optional:
            self.problem(
                f"{part} is a part of table {table.name!r}, but has no column {column!r}. Give it one, or write "
                f"{column + '?'!r} if it may be missing."
            )
        self.frame.used.add((table.name, table.columns[place]))
        if table is self.of:
            self.columns[table.columns[place]] = None
        return place

    def words(self, told: Words | None, name: str, *, absent: bool = False) -> Read | None:
        """A function that gives the words of the field called `name`, None where they are blank; None if there is no
        such field or its column is optional and not there. `absent`: codes for missing values are not blank.
        """
        if told is None:
            return None
        if isinstance(told, tuple):
            with self.part() as part:
                reads = [each for each in (part.words(one, name, absent=absent) for one in told) if each]
            return first_read(reads, joins=not part.pure) if reads else None
        if isinstance(told, str):
            optional = told.endswith("?") and find_column(self.of.columns, told) is None
            cell = Cell(column=told[:-1] if optional else told, optional=optional)
        else:
            cell = told
        read = self._source(cell, absent=absent)
        if read is None:
            return default_read(cell.default, name) if cell.default is not None else None
        if cell.choices is not None:
            read = chosen(self, read, cell, name)
        if cell.lookup:
            read = looked_up(self, read, cell)
        if cell.map is not None:
            read = mapped(self, read, cell)
        if cell.table and (cell.map is not None or cell.lookup):
            read = untraced_if_blank(read)
        if cell.default is not None:
            read = or_default(read, cell.default, name)
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
            self.place(column, optional=column not in expression.required, of=table)
        return expression

    def column_of(self, told: object) -> str:
        """What to call the cell of a field in messages."""
        if isinstance(told, tuple):
            return ", ".join(dict.fromkeys(self.column_of(each) for each in told))
        if isinstance(told, Cell):
            if told.expr is not None:
                small = told.expr.lower()
                read = [
                    each
                    for each in self.of.columns
                    if each.lower() in small and re.search(rf"(?<!\w){re.escape(each)}(?!\w)", told.expr, re.I)
                ]
                return ", ".join(read) or f"expr {told.expr}"
            return told.column or f"const {told.const}"
        return str(told).removesuffix("?")

    def _source(self, cell: Cell, *, absent: bool) -> Read | None:
        given = [each for each in (cell.column, cell.const, cell.expr) if each is not None]
        if len(given) > 1 or (not given and not cell.lookup):
            self.problem("a field has exactly one of column, const, expr")
            return None
        if cell.table:
            return joined(self, cell)
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
            self.place(column, optional=column not in expression.required)
        return lambda row, _telling: answer(expression, row)


def _size(cells: Any) -> int:
    """How many characters there are in one cell or several."""
    if isinstance(cells, tuple):
        return sum(len(each) for each in cells if each)
    return len(cells) if cells else 0
