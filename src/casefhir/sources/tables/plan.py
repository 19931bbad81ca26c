"""A mapping compiled for the tables at hand: the rows of one person become a case, rejects and counts."""

import fnmatch
import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casefhir.record import Case, Cells, Course, Extract, Fact, On, Person, RecordError
from casefhir.record.making import unfrozen
from casefhir.sources.tables.expansion import expanded
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.facts.adverse_event import act, adverse_events
from casefhir.sources.tables.facts.care import intolerances, procedures, visits
from casefhir.sources.tables.facts.course import courses
from casefhir.sources.tables.facts.measurement import measurements
from casefhir.sources.tables.facts.person import RULE as PERSON
from casefhir.sources.tables.facts.person import persons
from casefhir.sources.tables.facts.problem import problems
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.order import in_order
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import PersonRows, Row, Sheet
from casefhir.sources.tables.ruleset import Rule
from casefhir.sources.tables.scope import Frame, Scope, TableFrame, passes
from casefhir.sources.tables.slugs import joined, of_cells, salted, slug
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
    "IntoleranceRule": intolerances,
    "AdverseEventRule": adverse_events,
}


_unfrozen_cells = unfrozen(Cells)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not converted, and why: `row` as in `Sheet.place`, `column` "" where it is the whole row."""

    table: str
    row: int
    column: str
    rule: str
    reason: str
    mend: str


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
    """Rule, column, words that were kept as text only (or lead nowhere), and how often."""

    @property
    def rejected(self) -> dict[str, int]:
        """How many rows of each table were rejected; a row may have several reasons."""
        return dict(Counter(table for table, _ in {(each.table, each.row) for each in self.rejects}))


@dataclass(slots=True)
class Step:
    """A rule, or one entry of it, compiled."""

    name: str
    entry: str
    prefix: str
    table: str
    place: int
    where: Expression | None
    key: Callable[[Row, Telling], tuple[str, str]] | None
    """The fact's key, and the part of it that links are made by; None where the rule has no key columns."""
    cells: list[int]
    columns: tuple[str, ...]
    distinct: bool
    make: Callable[[Row, Telling, str, Cells], Any]
    hits: int = 0
    blanks: int = 0


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
        self._person = self._compile_person()
        self._compile_rules()
        if self.frame.problems:
            raise MappingError("\n".join(dict.fromkeys(self.frame.problems)))
        self._files = {name: sheet.file for name, sheet in sheets.items()}
        self._started = {step.name for step in self.steps if self._is_course(step.name)}

    def person(self, rows: PersonRows) -> Mapped:
        """What the rows of one person become. A row is converted whole or not at all: where a rule refuses one, the
        person is told again without it.
        """
        excluded: set[Place] = set()
        rejects: list[Reject] = []
        while True:
            attempt = _Attempt(self, rows, excluded)
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
            table = TableFrame(name, sheet, spec.reading or self.mapping.reading, dropped)
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
        frame.used.update((name, column) for column in (*spec.key, *spec.via.values()))
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
                for entry, one in expanded(rule, self.loaded.folder, tuple(scope.of.columns)):
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

    def _mapped(self, rows: PersonRows, attempt: "_Attempt", rejects: list[Reject]) -> Mapped:
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
        found = Mapped(None, rejects, unmapped=attempt.telling.unmapped)
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


class _Attempt:
    """One telling of a person's rows without those that are excluded."""

    def __init__(self, plan: Plan, rows: PersonRows, excluded: set[Place]) -> None:
        self.plan = plan
        self.rejects: list[Reject] = []
        self.left_out: set[Place] = set()
        self.person: Person | None = None
        self.no_person: tuple[str, str] | None = None
        self.made: dict[str, tuple[int, Fact]] = {}
        self.places: dict[str, tuple[str, str, int]] = {}
        self._seen: dict[str, tuple[int, Row, Cells, Any]] = {}
        self._counts: Counter[str] = Counter()
        self.telling = Telling({}, plan.shift(rows.key))
        for table, listed in rows.rows.items():
            self.telling.rows[table] = self._counting(table, listed, excluded)

    def run(self) -> None:
        """Tells the person, then every fact."""
        self._tell_person()
        if self.person is None:
            return
        telling = self.telling
        by_rows = self.plan.links.by_rows
        made, places, known, touched = self.made, self.places, self._seen, telling.touched
        for step in self.plan.steps:
            name, table = step.name, step.table
            where, make, key_of, columns = step.where, step.make, step.key, step.columns
            keep_rows, is_course = name in by_rows, name in self.plan._started
            made_of_rule = telling.made.setdefault(name, {})
            place, entry = step.place, step.entry
            for number, row in telling.rows.get(table, ()):
                if telling.defaulted:
                    telling.defaulted = []
                if telling.remarks:
                    telling.remarks = []
                try:
                    if where is not None and not passes(where, row):
                        continue
                    key, short = key_of(row, telling) if key_of is not None else self._key(step, row, telling)
                    seen = known.get(key)
                    if seen is not None and not (step.distinct and seen[3] is None):
                        self._again(step, key, seen, number, row)
                        continue
                    cells = _unfrozen_cells(table, number, columns)
                    cells.__class__ = Cells
                    # known before it is made: that a key is there twice must not depend on which row comes first
                    known[key] = (number, row, cells, None)
                    found = make(row, telling, key, cells)
                except Refused as refused:
                    self._reject(table, number, step, refused)
                    continue
                except RecordError as error:
                    self._reject(table, number, step, Refused(str(error), "mend the row"))
                    continue
                if found is None:
                    step.blanks += 1
                    continue
                step.hits += 1
                touched.add((table, number))
                known[key] = (number, row, cells, found)
                if type(found) is tuple:
                    for fact in found:
                        made[fact.key] = (place, fact)
                        places[fact.key] = (name, table, number)
                else:
                    made[key] = (place, found)
                    places[key] = (name, table, number)
                if short in made_of_rule:
                    made_of_rule[short].append((entry, key))
                else:
                    made_of_rule[short] = [(entry, key)]
                if keep_rows:
                    telling.made_rows.setdefault(name, []).append((row, step.entry, key))
                if is_course:
                    _remember(telling, found)

    def facts(self) -> Iterator[Fact]:
        """All facts, rule by rule, whatever the order of the rows."""
        led: dict[str, list[Any]] = {}
        for each in self.telling.withdrawn:
            led.setdefault(each.course, []).append(each)
        for _, fact in sorted(self.made.values(), key=lambda made: (made[0], made[1].key)):
            if led and isinstance(fact, Course) and fact.key in led:
                yield act(fact, led[fact.key])
            else:
                yield fact

    def _counting(self, table: str, listed: list[tuple[int, Row]], excluded: set[Place]) -> list[tuple[int, Row]]:
        """The rows that count: without those excluded, those that the table's `where` leaves out."""
        frame = self.plan.frame.tables.get(table)
        if frame is None:
            return []
        if excluded:
            listed = [(number, row) for number, row in listed if (table, number) not in excluded]
        if not frame.derived and not frame.dropped and frame.where is None:
            return listed
        kept = []
        for number, row in listed:
            try:
                whole = frame.whole(row)
                if frame.where is None or passes(frame.where, whole):
                    kept.append((number, whole))
                else:
                    self.left_out.add((table, number))
            except Refused as refused:
                self.rejects.append(
                    Reject(table, number, refused.column or "", f"table {table}", refused.reason, refused.mend)
                )
        return kept

    def _tell_person(self) -> None:
        compiled, telling = self.plan._person, self.telling
        rule = self.plan.mapping.person
        if compiled is None:
            self.person = Person("unknown", Cells(next(iter(self.plan.frame.tables)), 0))
            return
        where, make = compiled
        try:
            rows = [
                (number, row) for number, row in telling.rows.get(rule.table, ()) if where is None or passes(where, row)
            ]
            if not rows and rule.without_row == "reject":
                self.no_person = (
                    f"table {rule.table!r} has no row for this person",
                    'add it, or say without_row = "unknown" under [person]',
                )
                return
            self.person = make(rows, telling)
        except (Refused, RecordError) as error:
            refused = error if isinstance(error, Refused) else Refused(str(error), "mend the row")
            self.no_person = (f"the person cannot be told: {refused.reason}", refused.mend)
            for number, _ in telling.rows.get(rule.table, ()):
                self.rejects.append(
                    Reject(rule.table, number, refused.column or "", PERSON, refused.reason, refused.mend)
                )
            return
        for number, _ in rows:
            telling.touched.add((rule.table, number))
        if rows:
            self.places[self.person.key] = (PERSON, rule.table, rows[0][0])

    def _key(self, step: Step, row: Row, telling: Telling) -> tuple[str, str]:
        """The key of a row of a rule without key columns, and the part of it that links are made by."""
        del telling
        short = of_cells([row[place] for place in step.cells])
        if self.plan.mapping.privacy.hash_keys:
            short = self.plan.slug([short])
        key = f"{step.prefix}{short}"
        self._counts[key] += 1
        return (key if self._counts[key] == 1 else f"{key}.{self._counts[key]}"), short

    def _again(self, step: Step, key: str, seen: tuple[int, Row, Cells, Any], number: int, row: Row) -> None:
        """A second row with the same key."""
        first, first_row, cells, fact = seen
        if step.distinct:
            if step.make(row, self.telling, key, cells) == fact:
                self.telling.touched.add((step.table, number))
                return
            reason = f"it tells otherwise of the same key than row {self._line(step.table, first)}"
            mend = "mend one of the two, or name more columns in the rule's key"
        elif row == first_row:
            reason, mend = f"it repeats row {self._line(step.table, first)} exactly", "take one of the two out"
            self._reject(step.table, number, step, Refused(reason, mend))
            return
        else:
            reason = f"its key is that of row {self._line(step.table, first)}, and the rows differ"
            mend = "mend one of the two, or name more columns in the rule's key"
        self._reject(step.table, number, step, Refused(reason, mend))
        other = reason.replace(f"row {self._line(step.table, first)}", f"row {self._line(step.table, number)}")
        self._reject(step.table, first, step, Refused(other, mend))

    def _line(self, table: str, number: int) -> str:
        file, line = self.plan.sheets[table].place(number)
        return f"{line}" if len(self.plan.sheets[table].files) == 1 else f"{line} of {file}"

    def _reject(self, table: str, number: int, step: Step, refused: Refused) -> None:
        self.rejects.append(Reject(table, number, refused.column or "", step.name, refused.reason, refused.mend))


def _remember(telling: Telling, course: Course) -> None:
    for moment, where in ((course.start or course.when, telling.starts), (course.end, telling.ends)):
        if isinstance(moment, On):
            where[course.key] = moment.date
