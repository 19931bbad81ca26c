"""A mapping compiled for the tables at hand: the rows of one person become a case, rejects and counts."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casefhir.record import Case, Cells, Extract, Person
from casefhir.sources.tables.attempt import Attempt, Reject, Step
from casefhir.sources.tables.expansion import expanded
from casefhir.sources.tables.expressions import Expression, ExpressionError
from casefhir.sources.tables.facts.adverse_event import adverse_events
from casefhir.sources.tables.facts.capped_ages import cap_ages
from casefhir.sources.tables.facts.care import intolerances, procedures, reports, visits
from casefhir.sources.tables.facts.course import courses
from casefhir.sources.tables.facts.measurement import measurements
from casefhir.sources.tables.facts.moved_words import moved_facts
from casefhir.sources.tables.facts.pairs import Pairing, pairings
from casefhir.sources.tables.facts.person import RULE as PERSON
from casefhir.sources.tables.facts.person import persons
from casefhir.sources.tables.facts.problem import problems
from casefhir.sources.tables.frame import Frame, TableFrame
from casefhir.sources.tables.hiding import Hidden, Placed, fits, of_mapping, placed_rules
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.load import LoadedMapping, MappingError
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.order import in_order
from casefhir.sources.tables.origins import ways, with_origins
from casefhir.sources.tables.privacy import CalledAfter
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import PersonRows, Row, Sheet, TableError, find_column
from casefhir.sources.tables.ruleset import MeasurementRule, Rule
from casefhir.sources.tables.salting import Salting
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.slugs import slug
from casefhir.sources.tables.telling import Place, Telling

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
    given: dict[str, tuple[Cells, ...]] = field(default_factory=dict)
    """Fact key -> cells of other rows that it comes from too, in the order of tables and rows; only if there are."""
    repeats: dict[tuple[str, int, str], str] = field(default_factory=dict)
    """Table, row, rule -> the fact that the row only tells again."""
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
        self.salting = Salting(loaded, salt)
        self.frame = Frame(loaded, {}, dict(lookups or {}))
        for name in mapping.tables:
            if name in sheets:
                self._add_table(name, sheets[name])
            elif not mapping.tables[name].optional:
                self.frame.problems.append(
                    f"{loaded.path}: table {name!r} is not there; say optional = true if it need not be."
                )
        self.ways = ways(mapping, self.sheets)
        self.ranks = {name: rank for rank, name in enumerate(mapping.tables)}
        self.links = Links(mapping, self.salting.slug)
        self.steps: list[Step] = []
        self.pairings: dict[str, list[Pairing]] = {}
        """By the name of the rule that makes the measurements."""
        self.told_by = self._compile_person()
        self._compile_rules()
        if self.frame.problems:
            raise MappingError("\n".join(dict.fromkeys(self.frame.problems)))
        files = [file for sheet in sheets.values() for file in sheet.files]
        self._called_after = CalledAfter(files) if mapping.privacy.hash_keys else None
        self._files = {name: sheet.file for name, sheet in sheets.items()}
        self.started = {step.name for step in self.steps if self._is_course(step.name)}

    def person(self, rows: PersonRows) -> Mapped:
        """What the rows of one person become. A row is converted whole or not at all: where a rule refuses one, the
        person is told again without it. Raises `TableError` for a file that is called after the person, where that
        is hidden.
        """
        if self._called_after is not None and (file := self._called_after.find(rows.key)):
            raise TableError(
                f"{file}: The file is called after a person, whose key [privacy] hash_keys hashes; index, manifest and "
                f"Provenance name the files. Give the files of all persons other names, and begin again."
            )
        excluded: set[Place] = set()
        rejects: list[Reject] = []
        while True:
            attempt = Attempt(self, rows, excluded)
            attempt.run()
            rejects += attempt.rejects
            if attempt.person is None or not attempt.rejects:
                return self._mapped(rows, attempt, rejects)
            excluded |= {(each.table, each.row) for each in attempt.rejects}

    def _add_table(self, name: str, sheet: Sheet) -> None:
        spec, frame = self.mapping.tables[name], self.frame

        def dropped(column: str) -> bool:
            return fits(self.mapping.privacy.drop, name, column)

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
        make = persons(scope, rule, self.salting.salt if self.mapping.privacy.hash_keys else None)
        return scope.condition(rule.where), make

    def _compile_rules(self) -> None:
        frame, links = self.frame, self.links
        hidden = of_mapping(self.mapping, self.loaded.folder, frame.resolve) if self.mapping.privacy.hides else None
        entries: list[Placed] = []
        for place, (path, rule) in enumerate(placed_rules(self.mapping)):
            if rule.table not in frame.tables:
                if rule.table not in self.mapping.tables:
                    line = self.loaded.lines.get(rule.name, 1)
                    frame.problems.append(f"{self.loaded.path}:{line}: {rule.name}: there is no table {rule.table!r}.")
                continue
            scope = Scope(frame, rule.table, rule.name)
            if isinstance(rule, MeasurementRule) and rule.pairs:
                self.pairings[rule.name] = pairings(scope, rule)
            try:
                keys = {find_column(scope.of.columns, each) for each in self.mapping.tables[rule.table].key}
                columns = tuple([
                    each
                    for place, each in enumerate(scope.of.columns)
                    if place not in keys and not (hidden and hidden.passed_over(rule.table, each))
                ])  # fmt: skip
                for entry, one in expanded(rule, self.loaded.folder, columns, self.frame.lookups):
                    entries.append((path, one))
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
        if hidden:
            self._check_hidden(Hidden(self.mapping, entries, frame.resolve))
        for name in links.led_to & self.pairings.keys():
            line = self.loaded.lines.get(name, 1)
            frame.problems.append(f"{self.loaded.path}:{line}: {name}: it has pairs, so no other rule can link to it.")
        try:
            order = {name: number for number, name in enumerate(in_order(self.mapping))}
        except Refused as refused:
            frame.problems.append(f"{self.loaded.path}: {refused.reason}; {refused.mend}.")
            return
        self.steps.sort(key=lambda step: order[step.name])

    def _check_hidden(self, hidden: Hidden) -> None:
        """What the tables' headers show of what would come out although it is hidden; the rest was told before."""
        names = {path: rule.name for path, rule in placed_rules(self.mapping)}
        for fault in hidden.faults():
            name = names.get(fault.path[:2], ".".join(str(part) for part in fault.path[:2]))
            line = self.loaded.lines.get(name)
            where = f"{self.loaded.path}:{line}" if line else str(self.loaded.path)
            self.frame.problems.append(f"{where}: {name}: {fault.text}")

    def _compile_key(self, scope: Scope, rule: Rule, prefix: str) -> Callable[[Row, Telling], tuple[str, str]] | None:
        with scope.part() as part:
            reads = [each for each in (part.words(words, "key") for words in rule.key) if each]
        if not reads:
            return None

        def tell(row: Row, telling: Telling) -> tuple[str, str]:
            words = [read(row, telling) or "" for read in reads]
            if not any(words):
                raise Refused("the key is blank", "fill it in: the row's id comes from it")
            short = self.salting.slug([str(each) for each in words])
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
        found.places, found.given = attempt.places, attempt.origins.given
        found.repeats = attempt.repeats
        mapping, telling = self.mapping, attempt.telling
        facts = tuple(attempt.facts())
        if telling.shift:
            facts = moved_facts(facts, {name: table.dates for name, table in self.frame.tables.items()}, telling)
        if mapping.privacy.age_cap is not None:
            person, facts = cap_ages(person, facts, telling, mapping.privacy.age_cap, mapping.recorded)
        if found.given:
            person = with_origins(person, found.given.get(person.key, ()))
            facts = tuple([with_origins(each, found.given.get(each.key, ())) for each in facts])
        key = self.salting.whose(rows.key)
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
            facts,
            (),
            mapping.recorded,
            extract=extract,
            test_data=mapping.test_data,
        )
        return found
