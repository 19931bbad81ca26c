"""A mapping compiled for the tables at hand: the rows of one person become a case, rejects and counts."""

import fnmatch
import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casefhir.record import Case, Extract, Person
from casefhir.sources.tables.attempt import Attempt, Reject, Step
from casefhir.sources.tables.expansion import expanded
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.facts.adverse_event import adverse_events
from casefhir.sources.tables.facts.care import intolerances, procedures, reports, visits
from casefhir.sources.tables.facts.course import courses
from casefhir.sources.tables.facts.measurement import measurements
from casefhir.sources.tables.facts.person import RULE as PERSON
from casefhir.sources.tables.facts.person import persons
from casefhir.sources.tables.facts.problem import problems
from casefhir.sources.tables.frame import Frame, TableFrame
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.order import in_order
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import PersonRows, Row, Sheet, find_column
from casefhir.sources.tables.ruleset import Rule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.slugs import joined, salted, slug
from casefhir.sources.tables.telling import Place, Telling

SALT = "CASEFHIR_SALT"
_SHORTEST_SALT = 16
_MEMO = 1 << 16
_LONGEST = 200
_COMPILERS: dict[str, Callable[..., Callable[..., Any]]] = {
    "VisitRule": visits,
    "ProblemRule": problems,
    "CourseRule": courses,
    "MeasurementRule": measurements,
    "ProcedureRule": procedures,
    "ReportRule": reports,
    "IntoleranceRule": intolerances,
    "AdverseEventRule": adverse_events,
}


@dataclass(slots=True)
class Mapped:
    """What became of one person's rows. For every table: rows = converted + rejected + filtered."""

    case: Case | None
    rejects: list[Reject] = field(default_factory=list)
    converted: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    places: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Fact key -> rule, table, row."""
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defaults: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Rule, column, words that were kept as text only (or lead nowhere), and how often."""

    @property
    def rejected(self) -> dict[str, int]:
        """How many rows of each table were rejected; a row may have several reasons."""
        return dict(Counter(table for table, _ in {(each.table, each.row) for each in self.rejects}))


class Plan:
    """A mapping compiled for sheets and look-ups. Raises `MappingError` with all that does not fit.

    The salt of `[privacy]` comes from CASEFHIR_SALT unless `salt` is given. A plan keeps memos and is not for several
    threads at once; each process has its own.
    """

    def __init__(
        self,
        loaded: LoadedMapping,
        sheets: Mapping[str, Sheet],
        lookups: Mapping[str, Lookup] | None = None,
        *,
        salt: str | None = None,
    ) -> None:
        self.loaded = loaded
        self.mapping = mapping = loaded.mapping
        self.sheets = dict(sheets)
        self._salt = self._salted(salt)
        self._slugs: dict[str | tuple[str, ...], str] = {}
        self.frame = Frame(loaded, {}, dict(lookups or {}))
        for name in mapping.tables:
            if name in sheets:
                self._add_table(name, sheets[name])
            elif not mapping.tables[name].optional:
                self.frame.problems.append(
                    f"{loaded.path}: table {name!r} is not there; say optional = true if it need not be."
                )
        self.links = Links(mapping, self.slug)
        self.steps: list[Step] = []
        self.told_by = self._compile_person()
        self._compile_rules()
        if self.frame.problems:
            raise MappingError("\n".join(dict.fromkeys(self.frame.problems)))
        self._files = {name: sheet.file for name, sheet in sheets.items()}
        self.started = {step.name for step in self.steps if self._is_course(step.name)}

    def person(self, rows: PersonRows) -> Mapped:
        """What the rows of one person become. A row is converted whole or not at all: where a rule refuses one, the
        person is told again without it.
        """
        excluded: set[Place] = set()
        rejects: list[Reject] = []
        while True:
            attempt = Attempt(self, rows, excluded)
            attempt.run()
            rejects += attempt.rejects
            if attempt.person is None or not attempt.rejects:
                return self._mapped(rows, attempt, rejects)
            excluded |= {(each.table, each.row) for each in attempt.rejects}

    def slug(self, words: list[str]) -> str:
        """The key of key words; hashed with the salt where `[privacy]` says so."""
        asked = words[0] if len(words) == 1 else tuple(words)
        found = self._slugs.get(asked)
        if found is None:
            if len(self._slugs) >= _MEMO:
                self._slugs.clear()
            if self._salt is not None and self.mapping.privacy.hash_keys:
                found = salted("\x1f".join(words), self._salt)
            else:
                found = joined(words)
            if len(words[0]) <= _LONGEST:
                self._slugs[asked] = found
        return found

    def shift(self, key: tuple[str, ...]) -> int:
        """The days by which all dates of a person move; never 0."""
        most = self.mapping.privacy.shift_dates
        if not most or self._salt is None:
            return 0
        digest = hmac.new(self._salt, b"shift\x1f" + "\x1f".join(key).encode(), hashlib.sha256).digest()
        moved = int.from_bytes(digest[:8], "big") % (2 * most)
        return moved - most if moved < most else moved - most + 1

    def _salted(self, salt: str | None) -> bytes | None:
        privacy = self.mapping.privacy
        if not privacy.hash_keys and not privacy.shift_dates:
            return None
        told = salt if salt is not None else os.environ.get(SALT, "")
        if len(told) < _SHORTEST_SALT:
            raise MappingError(
                f"{self.loaded.path}: [privacy] needs a salt of {_SHORTEST_SALT} characters or more in the environment "
                f"variable {SALT}; keep it secret, and the same for the same ids."
            )
        return told.encode()

    def _add_table(self, name: str, sheet: Sheet) -> None:
        spec, frame = self.mapping.tables[name], self.frame
        patterns = [each.lower() for each in self.mapping.privacy.drop]

        def dropped(column: str) -> bool:
            names = (column.lower(), f"{name}.{column}".lower())
            return any(fnmatch.fnmatchcase(each, pattern) for each in names for pattern in patterns)

        where = f"{self.loaded.path}: table {name!r}"
        try:
            table = TableFrame(name, sheet, self.mapping.reading_of(name), dropped)
            frame.tables[name] = table
            for column, text in spec.derive.items():
                if column in table.columns:
                    frame.problems.append(f"{where}: the derived column {column!r} is there already; rename it.")
                    continue
                table.derived.append(Expression(text, table.columns, table.clean))
                frame.used.update((name, each) for each in table.derived[-1].columns)
                table.columns.append(column)
            if spec.where:
                table.where = Expression(spec.where, table.columns, table.clean, truth=True)
                frame.used.update((name, each) for each in table.where.columns)
        except ExpressionError as error:
            frame.problems.append(f"{where}: an expression cannot be used: {error}.")
        except Refused as refused:
            frame.problems.append(f"{where}: {refused.reason}; {refused.mend}.")
        places = [find_column(table.columns, column) for column in (*spec.key, *spec.via.values())]
        frame.used.update((name, table.columns[place]) for place in places if place is not None)
        if spec.through:
            frame.used.update((spec.through, column) for column in spec.via)

    def _compile_person(self) -> tuple[Expression | None, Callable[[list[tuple[int, Row]], Telling], Person]] | None:
        rule = self.mapping.person
        if rule.table not in self.frame.tables:
            if rule.table not in self.mapping.tables:
                self.frame.problems.append(f"{self.loaded.path}: person: there is no table {rule.table!r}.")
            return None
        scope = Scope(self.frame, rule.table, PERSON)
        make = persons(scope, rule, self._salt if self.mapping.privacy.hash_keys else None)
        return scope.condition(rule.where), make

    def _compile_rules(self) -> None:
        frame, links = self.frame, self.links
        for place, rule in enumerate(self.mapping.rules):
            if rule.table not in frame.tables:
                if rule.table not in self.mapping.tables:
                    line = self.loaded.lines.get(rule.name, 1)
                    frame.problems.append(f"{self.loaded.path}:{line}: {rule.name}: there is no table {rule.table!r}.")
                continue
            scope = Scope(frame, rule.table, rule.name)
            try:
                keys = {find_column(scope.of.columns, each) for each in self.mapping.tables[rule.table].key}
                columns = tuple([each for place, each in enumerate(scope.of.columns) if place not in keys])
                for entry, one in expanded(rule, self.loaded.folder, columns, self.frame.lookups):
                    scope = Scope(frame, rule.table, rule.name)
                    prefix = ".".join([rule.name, *(slug(each) for each in entry.split(".") if each), ""])
                    key = self._compile_key(scope, one, prefix)
                    make = _COMPILERS[type(one).__name__](scope, one, links)
                    where = scope.condition(one.where)
                    self.steps.append(
                        Step(
                            name=rule.name,
                            entry=entry,
                            prefix=prefix,
                            table=rule.table,
                            place=place,
                            where=where,
                            unless=scope.words(one.unless, "unless"),
                            key=key,
                            cells=[scope.of.columns.index(column) for column in scope.columns],
                            columns=tuple(scope.columns),
                            distinct=rule.distinct,
                            make=make,
                        )
                    )  # fmt: skip
            except Refused as refused:
                scope.problem(f"{refused.reason}; {refused.mend}")
        try:
            order = {name: number for number, name in enumerate(in_order(self.mapping))}
        except Refused as refused:
            frame.problems.append(f"{self.loaded.path}: {refused.reason}; {refused.mend}.")
            return
        self.steps.sort(key=lambda step: order[step.name])

    def _compile_key(self, scope: Scope, rule: Rule, prefix: str) -> Callable[[Row, Telling], tuple[str, str]] | None:
        with scope.part() as part:
            reads = [each for each in (part.words(words, "key") for words in rule.key) if each]
        if not reads:
            return None

        def tell(row: Row, telling: Telling) -> tuple[str, str]:
            words = [read(row, telling) or "" for read in reads]
            if not any(words):
                raise Refused("the key is blank", "fill it in: the row's id comes from it")
            short = self.slug([str(each) for each in words])
            return prefix + short, short

        return part.remembered(tell)

    def _is_course(self, name: str) -> bool:
        return any(rule.name == name for rule in self.mapping.course)

    def _mapped(self, rows: PersonRows, attempt: Attempt, rejects: list[Reject]) -> Mapped:
        person = attempt.person
        refused = {(each.table, each.row) for each in rejects}
        if person is None:  # nothing can be told of nobody
            reason, mend = attempt.no_person or ("the person cannot be told", "mend the person's row")
            rejects += [
                Reject(table, number, "", PERSON, reason, mend)
                for table, listed in rows.rows.items()
                for number, _ in listed
                if (table, number) not in refused and (table, number) not in attempt.left_out
            ]
            refused = {(each.table, each.row) for each in rejects}
        found = Mapped(None, rejects, unmapped=attempt.telling.unmapped, defaults=attempt.telling.defaults)
        touched = attempt.telling.touched if person is not None else set()
        for table, listed in rows.rows.items():
            gone = sum((table, number) in refused for number, _ in listed) if refused else 0
            done = sum((table, number) in touched and (table, number) not in refused for number, _ in listed)
            found.converted[table] = done
            found.filtered[table] = len(listed) - done - gone
        if person is None:
            return found
        found.places = attempt.places
        mapping = self.mapping
        key = self.slug(list(rows.key))
        shown = key if mapping.privacy.hash_keys else ", ".join(rows.key)
        extract = Extract(
            mapping.title,
            mapping.name,
            self.loaded.sha256,
            self._files,
            {fact: place[0] for fact, place in attempt.places.items()},
            mapping.version,
        )
        found.case = Case(
            f"{mapping.dataset or mapping.name}-{key}",
            f"{mapping.title}: {shown}",
            None,
            person,
            tuple(attempt.facts()),
            (),
            mapping.recorded,
            extract=extract,
            test_data=mapping.test_data,
        )
        return found
