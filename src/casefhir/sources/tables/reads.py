"""Which columns a mapping reads, where in it, and for what: told from the mapping alone, without the tables."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Tag

from casefhir.sources.tables.elements import Cell, Labelled, Link, Part, Supplement, Time, When
from casefhir.sources.tables.expressions import named_in
from casefhir.sources.tables.person_rule import PersonRule
from casefhir.sources.tables.positions import Path
from casefhir.sources.tables.ruleset import ComponentRule, MeasurementRule, Rule

Purpose = Literal["words", "name", "time", "birth", "age", "key", "identifier", "condition"]
"""What is made of a column's words: they are written as they stand; they are what a fact is called (a concept, a drug,
a code); a time; the date of birth; an age; a key, of which ids are made and by which rows find each other; a number
that the person is known by; or nothing, for they only choose rows. Of a field that is not known words are written.
"""
_NO_COLUMN = {
    (When, "unit"),
    (Cell, "const"),
    (Cell, "default"),
    (Cell, "map"),
    (Cell, "take"),
    (Cell, "lookup"),
    (Labelled, "label"),
}
_NO_COLUMNS = (
    "name", "table", "rule", "each", "repeat", "frequencies", "convert", "pairs", "blank", "without_row", "dates",
)  # fmt: skip
_NAMES = ("concept", "drug", "codes", "value_codes", "code", "curie", "system", "display", "version")
_TIMES = ("date", "time", "start", "end", "reference", "year", "month", "day")


class Read(NamedTuple):
    """A column (or every one, see `named_in`) of `table` that the field at `path` of a rule reads; `computed` if an
    expression does.
    """

    path: Path
    table: str
    column: str
    purpose: Purpose
    computed: bool = False


def of_rule(rule: Rule | PersonRule) -> Iterator[Read]:
    """All that a rule reads."""
    yield from _part(rule, rule.table, "words", ())


def of_time(told: Time | None, table: str, path: Path) -> Iterator[Read]:
    """All that a time over the rows of `table` reads."""
    yield from _told(told, table, "time", path)


def of_expression(text: str, path: Path, table: str, purpose: Purpose) -> Iterator[Read]:
    """What an expression over the rows of `table` reads."""
    for column, compared in named_in(text).items():
        yield Read(path, table, column, "condition" if compared else purpose, computed=True)


def _part(part: Part, table: str, purpose: Purpose, path: Path) -> Iterator[Read]:
    timed = _timed(type(part))
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value is None or name in _NO_COLUMNS or (type(part), name) in _NO_COLUMN:
            continue
        if name == "system" and isinstance(value, str):
            continue  # a URI
        if name == "where":
            yield from of_expression(value, (*path, name), table, "condition")
        else:
            how = _purpose(part, name, purpose, timed=name in timed)
            yield from _told(value, table, how, (*path, name))


def _purpose(part: Part, name: str, outer: Purpose, *, timed: bool) -> Purpose:
    """What the field `name` makes of the words in it."""
    if isinstance(part, PersonRule):
        return {"birth_date": "birth", "identifiers": "identifier"}.get(name, "time" if timed else "words")  # type: ignore[return-value]
    if isinstance(part, When):
        return "age" if name == "age" else outer if name in _TIMES else "words"
    if isinstance(part, Rule) and name in ("key", "unless"):
        return "key" if name == "key" else "condition"
    if name == "visit":
        return "key"
    if isinstance(part, MeasurementRule | ComponentRule) and name == "value" and is_of_age(part):
        return "age"
    return "time" if timed else "name" if name in _NAMES else outer


def _told(value: Any, table: str, purpose: Purpose, path: Path) -> Iterator[Read]:
    if isinstance(value, str):
        yield Read(path, table, value, purpose)
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from _told(each, table, purpose, (*path, place))
    elif isinstance(value, Cell):
        yield from _cell(value, table, purpose, path)
    elif isinstance(value, Link):
        yield from _link(value, table, path)
    elif isinstance(value, Supplement):
        for name in ("label", "column", "names", "value"):
            how: Purpose = "words" if name in ("label", "column") else "condition"
            yield Read((*path, name), value.table, getattr(value, name), how)
        if value.where is not None:
            yield from of_expression(value.where, (*path, "where"), value.table, "condition")
    elif isinstance(value, Part):
        yield from _part(value, table, purpose, path)


def _cell(cell: Cell, table: str, purpose: Purpose, path: Path) -> Iterator[Read]:
    of = cell.table or table
    if cell.column is not None:
        yield Read((*path, "column"), of, cell.column, purpose)
    if cell.expr is not None:
        yield from of_expression(cell.expr, (*path, "expr"), table, purpose)
    if cell.where is not None:
        yield from of_expression(cell.where, (*path, "where"), of, "condition")
    for theirs, ours in cell.on.items():
        if cell.table is not None:
            yield Read((*path, "on"), of, theirs, "condition")
        # words that a look-up does not know are written as they stand
        yield Read((*path, "on"), table, ours, "condition" if cell.table is not None else purpose)
    if cell.choices is not None:
        yield from _told(cell.choices, table, purpose, (*path, "choices"))


def _link(link: Link, table: str, path: Path) -> Iterator[Read]:
    yield from _told(link.key, table, "key", (*path, "key"))
    for ours in link.on.values():
        yield Read((*path, "on"), table, ours, "condition")
    for name in type(link).model_fields.keys() - Link.model_fields.keys():
        yield from _told(getattr(link, name), table, "words", (*path, name))


def is_of_age(part: MeasurementRule | ComponentRule) -> bool:
    """Whether its results are ages."""
    return isinstance(part.concept, Cell) and part.concept.const == "age"


@cache
def _timed(part: type[Part]) -> frozenset[str]:
    """The fields that take a `When` beside a column."""
    return frozenset(name for name, field in part.model_fields.items() if _takes_when(field.annotation))


def _takes_when(annotation: Any) -> bool:
    within = (*get_args(annotation), *getattr(annotation, "__metadata__", ()))
    return any(each == Tag("when") or _takes_when(each) for each in within)
