"""A mapping tried on tables: what is unused, what matched nothing, what is unmapped, what is refused, and why."""

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from casefhir import terms
from casefhir.sources.tables.attempt import Reject
from casefhir.sources.tables.facts.naming import known_names
from casefhir.sources.tables.grouping import persons
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.plan import Plan
from casefhir.sources.tables.profile import ColumnProfile
from casefhir.sources.tables.rows import Row

_NEAR = 3


@dataclass(slots=True)
class TableCheck:
    """What became of a table: rows read = converted + rejected + filtered; its columns, those that no rule reads."""

    file: str
    read: int = 0
    converted: int = 0
    rejected: int = 0
    filtered: int = 0
    columns: dict[str, ColumnProfile] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


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
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: Counter[str] = field(default_factory=Counter)

    @property
    def silent(self) -> list[RuleCheck]:
        """Rules, or entries, that matched nothing."""
        return [rule for rule in self.rules if not rule.facts]

    @property
    def clean(self) -> bool:
        """Nothing refused, nothing unmapped, no rule in vain. Columns may be unused."""
        return not (self.refusals or self.unmapped or self.silent)


def check_mapping(loaded: LoadedMapping, inputs: Sequence[str | Path], *, limit: int | None = None) -> MappingCheck:
    """Try `loaded` on the tables in `inputs`, on the first `limit` persons where that is given."""
    opening = open_mapping(loaded, inputs)
    sheets = {each.name: each.table.sheet for each in opening.keyed}
    plan = Plan(loaded, sheets, opening.lookups)
    found = MappingCheck(str(loaded.path), notes=list(opening.notes))
    for name, sheet in sheets.items():
        columns = {column: ColumnProfile() for column in sheet.columns}
        unused = [column for column in sheet.columns if (name, column) not in plan.frame.used]
        found.tables[name] = TableCheck(sheet.file, columns=columns, unused=unused)
    rejects: list[Reject] = []
    unmapped: Counter[tuple[str, str, str]] = Counter()

    def fault(table: str, number: int, row: Row, reason: str) -> None:
        del row
        found.tables[table].read += 1
        found.tables[table].rejected += 1
        rejects.append(Reject(table, number, "", "reading", reason, "mend the row"))

    for rows in islice(persons(opening.keyed, fault), limit):
        mapped = plan.person(rows)
        found.persons += 1
        found.converted_persons += mapped.case is not None
        found.facts.update(type(fact).__name__ for fact in (mapped.case.facts if mapped.case else ()))
        unmapped += mapped.unmapped
        rejects += mapped.rejects
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
        Unmapped(rule, column, words, count, near(loaded, rule, words))
        for (rule, column, words), count in unmapped.most_common()
    ]
    found.refusals = _refusals(plan, rejects)
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


def _refusals(plan: Plan, rejects: list[Reject]) -> list[Refusal]:
    """Rejects by reason: reasons that differ in the words of the cell alone are one."""
    by_reason: dict[tuple[str, str, str, str], list[Reject]] = {}
    for each in rejects:
        alike = re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "…", each.reason)
        by_reason.setdefault((each.table, each.column, each.rule, alike), []).append(each)
    found = []
    for several in by_reason.values():
        first = min(several, key=lambda each: each.row)
        file, row = plan.sheets[first.table].place(first.row)
        found.append(
            Refusal(
                first.table, first.column, first.rule, first.reason, first.mend,
                len({each.row for each in several}), file, row,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (-each.count, each.table, each.row))
