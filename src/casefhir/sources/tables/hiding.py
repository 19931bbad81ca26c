"""What `[privacy]` hides, and the fields of a mapping from which it would come out all the same."""

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Literal, NamedTuple

from casefhir.sources.tables.elements import Cell
from casefhir.sources.tables.expansion import expanded
from casefhir.sources.tables.expressions import EVERY
from casefhir.sources.tables.mapping import RULES, Table, TableMapping
from casefhir.sources.tables.person_rule import PersonRule
from casefhir.sources.tables.positions import Path
from casefhir.sources.tables.reads import Purpose, Read, is_of_age, of_expression, of_rule, of_time
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.ruleset import Columns, MeasurementRule, Rule

Kind = Literal["dropped", "key", "identifier", "birth", "age", "date", "row key"]
"""What is in a column that is hidden; `row key` the key of a person's row, such as a sample's or a visit's number."""
Resolve = Callable[[str, str], str]
"""The column that a name stands for in a table: `(table, name)`; without the tables it is the name itself."""
Placed = tuple[Path, Rule]
"""A rule, or one entry of it, and where it stands in the mapping."""

_WRITTEN: frozenset[Purpose] = frozenset({"words", "name"})
_REFUSED: dict[Kind, frozenset[Purpose]] = {
    "dropped": frozenset({"words", "name", "time", "birth", "age", "key", "identifier", "condition"}),
    "key": _WRITTEN | {"age"},
    "identifier": _WRITTEN | {"age", "time", "birth"},
    "birth": _WRITTEN | {"time"},
    "age": _WRITTEN | {"time", "birth"},
    "date": _WRITTEN,
    "row key": frozenset({"words"}),
}
_UNSALTED: frozenset[Kind] = frozenset({"birth", "age"})
"""What could be found out from an id that is made of it, unless it is salted."""
_OF_PARTS: frozenset[Kind] = frozenset({"identifier", "birth", "age", "date"})
"""What of a derived column is hidden in those that it is made of."""
_WHY: dict[Kind, tuple[str, str]] = {
    "dropped": ("[privacy] drops it", "take it out here or from `drop`"),
    "key": (
        "it tells whose a row is, and [privacy] hash_keys hashes it",
        "take it out here; rows may be chosen and joined by it (where, on, key)",
    ),
    "identifier": ("it is an identifier of the person, which [privacy] hash_keys hashes", "take it out here"),
    "birth": (
        "it is the date of birth, which [privacy] age_cap leaves out for the oldest",
        "take it out here; birth_date of [person] alone may tell it",
    ),
    "age": (
        "it is an age, which [privacy] age_cap caps",
        'read it as one: { age = ".." }, or as a measurement with concept = { const = "age" }',
    ),
    "date": (
        "it is a date, which [privacy] shift_dates moves, and words stay as they are written",
        "take it out here, or read it as a date alone",
    ),
    "row key": (
        "it is a key, which [privacy] hash_keys hashes",
        "take it out here; or, if its words are nobody's (the name of a visit), let [privacy] keep = [..] name it",
    ),
}


class Fault(NamedTuple):
    """A field of the mapping (`path`) by which something hidden would come out: what, and how to mend it."""

    path: Path
    text: str


class Hidden:
    """The columns that `[privacy]` hides."""

    def __init__(self, mapping: TableMapping, rules: Sequence[Placed], resolve: Resolve) -> None:
        self.mapping, self.rules, self.resolve, self.privacy = mapping, rules, resolve, mapping.privacy
        placed: list[tuple[Path, Rule | PersonRule]] = [(("person",), mapping.person), *rules]
        self.reads = list(of_time(mapping.privacy.age_on, mapping.person.table, ("privacy", "age_on")))
        self.reads += [each._replace(path=(*path, *each.path)) for path, rule in placed for each in of_rule(rule)]
        self._kinds: dict[tuple[str, str], set[Kind]] = {}
        for table, column, kind in self._named():
            self._add((table, column), {kind})
        for name, spec in mapping.tables.items():
            for derived, text in reversed(spec.derive.items()):
                for made_of in self._made_of(name, text):
                    self._add(made_of, self.kinds(name, derived) & _OF_PARTS)
            for derived, text in spec.derive.items():
                for made_of in self._made_of(name, text):
                    self._add((name, derived), self.kinds(*made_of))

    def _made_of(self, table: str, text: str) -> Iterator[tuple[str, str]]:
        """The columns whose words are in those of a derived one."""
        for each in of_expression(text, (), table, "words"):
            if each.purpose == "words":
                yield table, each.column

    def _add(self, column: tuple[str, str], kinds: set[Kind]) -> None:
        self._kinds.setdefault(self._place(*column), set()).update(kinds)

    def kinds(self, table: str, column: str) -> set[Kind]:
        """What is hidden in a column; in `EVERY` one: whatever is in any column of the table."""
        if column == EVERY:
            found = {kind for (name, _), kinds in self._kinds.items() if name == table for kind in kinds}
            return found | ({"dropped"} if any(self._may_drop(table, each) for each in self.privacy.drop) else set())
        place = self._place(table, column)
        found = self._kinds.get(place, set())
        if fits(self.privacy.keep, *place):
            found = found - {"row key"}
        return found | {"dropped"} if fits(self.privacy.drop, *place) else found

    def faults(self) -> Iterator[Fault]:
        """All fields by which something hidden would come out."""
        for name, spec in self.mapping.tables.items():
            yield from self._of_table(name, spec)
        yield from self._keyless()
        called = {
            (each.path[:2], self._place(each.table, each.column)) for each in self.reads if each.purpose == "name"
        }
        of_age = {path[:2] for path, rule in self.rules if isinstance(rule, MeasurementRule) and is_of_age(rule)}
        for each in self.reads:
            kept = (each.path[:2], self._place(each.table, each.column)) in called
            for kind in _WHY:
                if kind == "age" and each.path[:2] in of_age and each.purpose != "key":
                    continue  # what is said of an age goes with it
                if kind in self.kinds(each.table, each.column) and self._is_refused(kind, each, called=kept):
                    yield Fault(each.path, _sentence(each, kind))
                    break

    def _is_refused(self, kind: Kind, read: Read, *, called: bool) -> bool:
        if read.purpose == "key" and kind in _UNSALTED:
            return not self.privacy.salted
        if kind == "row key" and called:
            return False
        if kind == "birth" and read.purpose == "identifier":
            return not self.privacy.hash_keys
        return read.purpose in _REFUSED[kind]

    def _of_table(self, name: str, spec: Table) -> Iterator[Fault]:
        path: Path = ("tables", name)
        for column in () if self.privacy.hash_keys else spec.persons:
            bad = self.kinds(name, column) & {"dropped", "birth", "date"}
            if bad:
                why = next(why for kind, (why, _) in _WHY.items() if kind in bad)
                mend = "say hash_keys = true in [privacy], or name another key"
                yield Fault((*path, "key"), f"the column {column!r} is of the key, but {why}; {mend}.")
        reads = list(of_expression(spec.where, (*path, "where"), name, "condition")) if spec.where else []
        for label, text in spec.derive.items():
            reads += of_expression(text, (*path, "derive", label), name, "condition")
        for each in reads:
            if "dropped" in self.kinds(name, each.column):
                yield Fault(each.path, _sentence(each, "dropped"))

    def _keyless(self) -> Iterator[Fault]:
        """Rules without a key whose ids are made of ages: who knows the rest of the row finds the age by trying."""
        if self.privacy.salted or not self.privacy.age_cap:
            return
        aged = {each.path[:2] for each in self.reads if each.purpose == "age"}
        for path, rule in self.rules:
            dynamic = isinstance(rule, MeasurementRule) and not (
                isinstance(rule.concept, Cell) and rule.concept.const is not None
            )
            if not rule.key and (dynamic or path[:2] in aged):
                yield Fault(
                    path,
                    "without a key its ids are made of the whole row, from which an age that [privacy] age_cap caps "
                    "could be found out; give it a key, or say hash_keys = true.",
                )

    def passed_over(self, table: str, column: str) -> bool:
        """Whether a rule for columns by pattern leaves this one out."""
        return bool(self.kinds(table, column) & {"dropped", "key", "identifier", "birth"})

    def _named(self) -> Iterator[tuple[str, str, Kind]]:
        """The columns that are hidden for what the mapping makes of them; those it drops are known by patterns."""
        privacy, mapping = self.privacy, self.mapping
        for name, spec in mapping.tables.items():
            if privacy.hash_keys:
                yield from ((name, column, "key") for column in spec.persons)
                if spec.through:
                    yield from ((spec.through, column, "key") for column in spec.via)
        for each in self.reads:
            if privacy.hash_keys and each.purpose == "identifier":
                yield each.table, each.column, "identifier"
            if (
                privacy.hash_keys and each.purpose == "key" and not each.computed
            ):  # of a part alone nobody knows the row
                yield each.table, each.column, "row key"
            if privacy.shift_dates and each.purpose in ("time", "birth"):
                yield each.table, each.column, "date"
            if privacy.age_cap and each.purpose in ("age", "birth"):
                yield each.table, each.column, "age" if each.purpose == "age" else "birth"

    def _place(self, table: str, column: str) -> tuple[str, str]:
        return table, self.resolve(table, column.removesuffix("?")).casefold()

    def _may_drop(self, table: str, pattern: str) -> bool:
        return "." not in pattern or fnmatch.fnmatchcase(table.casefold(), pattern.casefold().partition(".")[0])


def fits(patterns: Sequence[str], table: str, column: str) -> bool:
    """Whether one of `[privacy]`'s patterns for columns, `table.column` or `column`, means this one."""
    names = (column.casefold(), f"{table}.{column}".casefold())
    return any(fnmatch.fnmatchcase(each, pattern.casefold()) for each in names for pattern in patterns)


def of_mapping(mapping: TableMapping, folder: FilePath, resolve: Resolve = lambda _table, name: name) -> Hidden:
    """What is hidden, as far as the mapping tells: columns that wide rules find by pattern in the tables are not known
    yet.
    """
    placed = [(path, one) for path, rule in placed_rules(mapping) for one in entries(rule, folder)]
    return Hidden(mapping, placed, resolve)


def placed_rules(mapping: TableMapping) -> Iterator[Placed]:
    """The rules, in the order of `TableMapping.rules`, and where they stand."""
    for kind in RULES:
        for number, rule in enumerate(getattr(mapping, kind)):
            yield (kind, number), rule


def entries(rule: Rule, folder: FilePath) -> list[Rule]:
    """A rule for each of its `each`, as far as the mapping tells them; the rule itself for columns by pattern."""
    if isinstance(rule.each, Columns):
        return [rule]
    try:
        return [one for _, one in expanded(rule, folder, ())]
    except Refused:
        return [rule]  # what is wrong with its entries is told with the tables


def _sentence(read: Read, kind: Kind) -> str:
    why, mend = _WHY[kind]
    if read.column == EVERY:
        return f"an expression reads `row`, so a column of table {read.table!r} that is hidden: {why}; name columns."
    reads = "an expression reads" if read.computed else "it reads"
    return f"{reads} the column {read.column!r} of table {read.table!r}, but {why}; {mend}."
