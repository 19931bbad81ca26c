"""A mapping tried on tables: what is unused, what matched nothing, what is unmapped, what is refused, and why."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from casefhir import terms
from casefhir.sources.tables.attempt import Reject
from casefhir.sources.tables.counts import MOST_KINDS, OTHERS, Kind, add_counts
from casefhir.sources.tables.facts.naming import known_names
from casefhir.sources.tables.grouping import persons
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.plan import Plan
from casefhir.sources.tables.privacy import identifying, masked, plain, without_cells
from casefhir.sources.tables.profile import ColumnProfile
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.unread import unread

_NEAR = 3
READING = "reading"
"""The rule that refuses rows which are none, or are nobody's."""
SUGGESTED = 100
"""Words that lead to nothing for which the nearest names are looked up: the commonest."""


@dataclass(slots=True)
class TableCheck:
    """What became of a table: rows read = converted + rejected + filtered; its columns; those that no rule
    reads, each with the columns that it stands for.
    """

    file: str
    read: int = 0
    converted: int = 0
    rejected: int = 0
    filtered: int = 0
    columns: dict[str, ColumnProfile] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)

    def unread(self, name: str) -> ColumnProfile:
        """What one of `unused` holds."""
        return ColumnProfile.of_all([self.columns[each] for each in self.unused[name]])


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """How many facts a rule (or one entry of its `each`) made, and how many rows it passed over for a blank value."""

    rule: str
    entry: str
    table: str
    facts: int
    blank: int
    line: int | None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Words that lead to nothing: kept as text, and how often; the nearest words that would lead to something."""

    rule: str
    column: str
    words: str
    count: int
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Default:
    """A value that the mapping gave a field of a rule where cells were blank, and how often."""

    rule: str
    field: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason for rejecting rows: how many, and the first of them."""

    table: str
    column: str
    rule: str
    reason: str
    mend: str
    count: int
    file: str
    row: int


@dataclass(slots=True)
class MappingCheck:
    """The whole report."""

    mapping: str
    persons: int = 0
    converted_persons: int = 0
    tables: dict[str, TableCheck] = field(default_factory=dict)
    rules: list[RuleCheck] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    defaults: list[Default] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: Counter[str] = field(default_factory=Counter)

    @property
    def silent(self) -> list[RuleCheck]:
        """Rules, or entries, that matched nothing."""
        return [rule for rule in self.rules if not rule.facts]

    @property
    def clean(self) -> bool:
        """Nothing refused, nothing unmapped, no rule in vain. Columns may be unused, defaults used."""
        return not (self.refusals or self.unmapped or self.silent)


def check_mapping(
    loaded: LoadedMapping,
    inputs: Sequence[str | Path],
    *,
    limit: int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> MappingCheck:
    """Try `loaded` on the tables in `inputs`, on the first `limit` persons where that is given; `encoding` and
    `delimiter` as for `open_mapping`.
    """
    opening = open_mapping(loaded, inputs, encoding=encoding, delimiter=delimiter)
    sheets = {each.name: each.table.sheet for each in opening.keyed}
    plan = Plan(loaded, sheets, opening.lookups)
    hidden, moved = identifying(plan.frame), loaded.mapping.privacy.shift_dates is not None
    found = MappingCheck(str(loaded.path), notes=list(opening.notes))
    not_read = unread(plan)
    for name, sheet in sheets.items():
        columns = {column: ColumnProfile((name, column) in hidden, dates=not moved) for column in sheet.columns}
        found.tables[name] = TableCheck(sheet.file, columns=columns, unused=not_read.get(name, {}))
    refusals = _Refusals(plan, hidden)
    unmapped: Counter[Kind] = Counter()
    defaults: Counter[Kind] = Counter()

    def fault(table: str, number: int, row: Row, reason: str) -> None:
        del row
        found.tables[table].read += 1
        found.tables[table].rejected += 1
        what, _, mend = without_cells(reason).removesuffix(".").partition("; ")
        refusals.add([Reject(table, number, "", READING, what[:1].lower() + what[1:], mend or "mend the row")])

    for rows in islice(persons(opening.keyed, fault), limit):
        for broken_table, number, cells in rows.broken:
            fault(broken_table, number, cells, cells.reason)
        if not rows.rows:
            continue
        mapped = plan.person(rows)
        found.persons += 1
        found.converted_persons += mapped.case is not None
        found.facts.update(type(fact).__name__ for fact in (mapped.case.facts if mapped.case else ()))
        add_counts(unmapped, masked(loaded.mapping, mapped.unmapped, hidden))
        add_counts(defaults, mapped.defaults)
        refusals.add(mapped.rejects)
        for name, count in mapped.rejected.items():
            found.tables[name].rejected += count
        for name, listed in rows.rows.items():
            table = found.tables[name]
            table.read += len(listed)
            table.converted += mapped.converted.get(name, 0)
            table.filtered += mapped.filtered.get(name, 0)
            profiles = list(table.columns.values())
            for _, row in listed:
                for profile, cell in zip(profiles, row):
                    profile.see(cell)
    found.rules = [
        RuleCheck(step.name, step.entry, step.table, step.hits, step.blanks, loaded.lines.get(step.name))
        for step in sorted(plan.steps, key=lambda step: step.place)
    ]
    found.unmapped = [
        Unmapped(rule, column, words, count, near(loaded, rule, words) if place < SUGGESTED else ())
        for place, ((rule, column, words), count) in enumerate(unmapped.most_common())
    ]
    found.defaults = [Default(*kind, count) for kind, count in defaults.most_common()]
    found.refusals = refusals.told()
    return found


def near(loaded: LoadedMapping, rule: str, words: str) -> tuple[str, ...]:
    """What `words` may have meant: names of the catalogue, and words of the mapping's own maps."""
    kinds = {concept.kind for concept in terms.concepts().values()}
    of_rule = next((each for each in loaded.mapping.rules if each.name == rule), None)
    if of_rule is not None:
        kind = type(of_rule).__name__
        if kind in ("CourseRule", "IntoleranceRule"):
            kinds = {"medication", "substance"}
        elif kind in ("ProblemRule", "AdverseEventRule"):
            kinds = {"condition"}
    known = {name: key for name, key in known_names(frozenset(kinds)).items() if key}
    own: set[str] = set()
    if of_rule is not None:
        _maps(of_rule.model_dump(), own)
    close = difflib.get_close_matches(
        words.casefold(), [*known, *(each.casefold() for each in own)], n=_NEAR, cutoff=0.7
    )
    return tuple(dict.fromkeys(known.get(each) or each for each in close))


def _maps(part: Any, found: set[str]) -> None:
    if isinstance(part, dict):
        if isinstance(part.get("map"), dict):
            found.update(part["map"])
        for each in part.values():
            _maps(each, found)
    elif isinstance(part, list | tuple):
        for each in part:
            _maps(each, found)


class _Refusals:
    """Rejects by reason: reasons that differ in the words of the cell alone are one. The first row's is shown."""

    def __init__(self, plan: Plan, hidden: set[tuple[str, str]]) -> None:
        self._sheets = plan.sheets
        self._hidden = hidden
        self._hides = plan.mapping.privacy.hides
        self._first: dict[tuple[str, str, str, str], Reject] = {}
        self._rows: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, rejects: Sequence[Reject]) -> None:
        """Those of one person, or of one row."""
        found: dict[tuple[str, str, str, str], set[int]] = {}
        for each in rejects:
            kind = (each.table, each.column, each.rule, plain(each.reason))
            if kind not in self._first and len(self._first) >= MOST_KINDS:
                kind = (each.table, each.column, each.rule, OTHERS)
            found.setdefault(kind, set()).add(each.row)
            if kind not in self._first or each.row < self._first[kind].row:
                self._first[kind] = each
        self._rows.update({kind: len(rows) for kind, rows in found.items()})

    def told(self) -> list[Refusal]:
        """The commonest first."""
        found = []
        for kind, first in self._first.items():
            file, row = self._sheets[first.table].place(first.row)
            told = first.column and not self._hides and (first.table, first.column) not in self._hidden
            reason = first.reason if told or first.rule == READING else kind[3]
            found.append(
                Refusal(first.table, first.column, first.rule, reason, first.mend, self._rows[kind], file, row)
            )
        return sorted(found, key=lambda each: (-each.count, each.table, each.row))
