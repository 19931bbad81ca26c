"""One telling of a person's rows: every rule in turn, each row's facts or the reason for refusing it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casefhir import terms
from casefhir.record import Cells, Course, Fact, Measurement, On, Person, RecordError, cells_of
from casefhir.record.making import unfrozen
from casefhir.sources.tables.expressions import Expression
from casefhir.sources.tables.facts.adverse_event import act
from casefhir.sources.tables.facts.person import RULE as PERSON
from casefhir.sources.tables.frame import passes
from casefhir.sources.tables.origins import Origins
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import PersonRows, Row
from casefhir.sources.tables.slugs import of_cells
from casefhir.sources.tables.telling import Place, Read, Telling
from casefhir.sources.tables.totals import is_total

if TYPE_CHECKING:
    from casefhir.sources.tables.plan import Plan

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
class Step:
    """A rule, or one entry of it, compiled."""

    name: str
    entry: str
    prefix: str
    table: str
    place: int
    where: Expression | None
    unless: Read | None
    key: Callable[[Row, Telling], tuple[str, str]] | None
    """The fact's key, and the part of it that links are made by; None where the rule has no key columns."""
    cells: list[int]
    columns: tuple[str, ...]
    distinct: bool
    make: Callable[[Row, Telling, str, Cells], Any]
    hits: int = 0
    blanks: int = 0


class Attempt:
    """One telling of a person's rows without those that are excluded."""

    def __init__(self, plan: "Plan", rows: PersonRows, excluded: set[Place]) -> None:
        self.plan = plan
        self.rows = rows
        self.rejects: list[Reject] = []
        self.left_out: set[Place] = set()
        self.person: Person | None = None
        self.no_person: tuple[str, str] | None = None
        self.made: dict[str, tuple[int, Fact]] = {}
        self.places: dict[str, tuple[str, str, int]] = {}
        self.repeats: dict[tuple[str, int, str], str] = {}
        self._seen: dict[str, tuple[int, Row, Cells, Any]] = {}
        self.origins = Origins(plan.ways, plan.ranks, rows)
        self._counts: Counter[str] = Counter()
        self.telling = Telling({}, plan.salting.shift(rows.key))
        for table, listed in rows.rows.items():
            self.telling.rows[table] = self._counting(table, listed, excluded)

    def run(self) -> None:
        """Tells the person, then every fact."""
        if _is_bare(self.rows):
            self.no_person = (
                "the row holds nothing but its key, as a note under a table does",
                "leave it out, or fill in what it tells",
            )
            return
        if is_total(self.rows.key[0] if len(self.rows.key) == 1 else ""):
            self.no_person = (
                f"the row of {self.rows.key[0]!r} is one of sums or means, not of a person",
                "leave it out, or call the person otherwise",
            )
            return
        self._tell_person()
        if self.person is None:
            return
        telling = self.telling
        by_rows = self.plan.links.by_rows
        made, places, known, touched = self.made, self.places, self._seen, telling.touched
        ways, origins = self.plan.ways, self.origins
        for step in self.plan.steps:
            name, table = step.name, step.table
            where, unless, make, key_of, columns = step.where, step.unless, step.make, step.key, step.columns
            keep_rows, is_course = name in by_rows, name in self.plan.started
            made_of_rule = telling.made.setdefault(name, {})
            place, entry = step.place, step.entry
            for number, row in telling.rows.get(table, ()):
                if telling.defaulted:
                    telling.defaulted = []
                if telling.remarks:
                    telling.remarks = []
                try:
                    if (where is not None and not passes(where, row)) or (unless and unless(row, telling) is not None):
                        continue
                    if telling.given:  # by the row before, or to no fact: words for `unless`
                        telling.given = []
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
                if telling.defaulted:
                    telling.defaults.update((name, *each) for each in telling.defaulted)
                touched.add((table, number))
                known[key] = (number, row, cells, found)
                if type(found) is tuple:
                    for fact in found:
                        made[fact.key] = (place, fact)
                        places[fact.key] = (name, table, number)
                else:
                    made[key] = (place, found)
                    places[key] = (name, table, number)
                if telling.given or table in ways:
                    for fact in found if type(found) is tuple else (found,):
                        origins.add(fact.key, table, number, telling.given)
                if short in made_of_rule:
                    made_of_rule[short].append((entry, key))
                else:
                    made_of_rule[short] = [(entry, key)]
                if keep_rows:
                    telling.made_rows.setdefault(name, []).append((row, step.entry, key))
                if is_course:
                    _remember(telling, found)
        if self.plan.pairings:
            self._pair()
        for led in telling.withdrawn:
            _, table, number = places[led.course]
            origins.add(led.course, table, number, led.cells)
        for count_left in self.plan.frame.left:
            count_left(telling)

    def _pair(self) -> None:
        """Makes one of the measurements that are parts of one; the whole has the place of the first."""
        made, places, origins = self.made, self.places, self.origins
        for name, listed in self.plan.pairings.items():
            keys = [key for each in self.telling.made.get(name, {}).values() for _, key in each]
            for pairing in listed:
                facts = [fact for key in keys if key in made and isinstance(fact := made[key][1], Measurement)]
                for whole, one, other in [*pairing.pairs(facts)]:
                    given = [cells for each in (one, other) for cells in cells_of(each.source)]
                    for each in (one, other):
                        given += origins.given.pop(each.key, ())
                    made[whole.key], places[whole.key] = (made[one.key][0], whole), places[one.key]
                    _, table, number = places[one.key]
                    for each in (one, other):
                        del made[each.key], places[each.key]
                    origins.add(whole.key, table, number, given)

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
        if not (frame.bare or frame.derived or frame.dropped) and frame.where is None:
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
        compiled, telling = self.plan.told_by, self.telling
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
                self.no_person = self._why_nobody(rule.table)
                return
            self.person = make(rows, telling)
            telling.defaults.update((PERSON, *each) for each in dict.fromkeys(telling.defaulted))
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
            self.origins.add(self.person.key, rule.table, rows[0][0], telling.given)

    def _why_nobody(self, table: str) -> tuple[str, str]:
        """Why there is no row that says who the person is, and how to mend it."""
        if any(each == table for each, _, _ in self.rows.broken):
            return f"the person's row in table {table!r} cannot be read", "mend that row: it is rejected too"
        if self.rows.rows.get(table):
            return f"the person's row in table {table!r} is filtered or rejected", "mend that row, if it is wrong"
        mend = 'add it, or say without_row = "unknown" under [person]'
        return f"table {table!r} has no row for this person", mend

    def _key(self, step: Step, row: Row, telling: Telling) -> tuple[str, str]:
        """The key of a row of a rule without key columns, and the part of it that links are made by."""
        del telling
        short = of_cells([row[place] for place in step.cells])
        if self.plan.salting.salt is not None:
            short = self.plan.salting.slug([short])
        key = f"{step.prefix}{short}"
        self._counts[key] += 1
        return (key if self._counts[key] == 1 else f"{key}.{self._counts[key]}"), short

    def _again(self, step: Step, key: str, seen: tuple[int, Row, Cells, Any], number: int, row: Row) -> None:
        """A second row with the same key."""
        first, first_row, cells, fact = seen
        if step.distinct:
            if step.make(row, self.telling, key, cells) == fact:
                self.telling.touched.add((step.table, number))
                self.repeats[step.table, number, step.name] = key
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


def _is_bare(rows: PersonRows) -> bool:
    """Whether a person has one row alone, in which nothing is filled in but the key."""
    listed = [row for each in rows.rows.values() for _, row in each]
    return len(listed) == 1 and sum(1 for cell in listed[0] if cell and cell.strip()) <= len(rows.key) < len(listed[0])


def _remember(telling: Telling, course: Course) -> None:
    for moment, where in ((course.start or course.when, telling.starts), (course.end, telling.ends)):
        if isinstance(moment, On):
            where[course.key] = moment.date
    told = course.text or (terms.concept(course.drug).name if course.drug else course.key)
    if isinstance(course.source, Cells):
        telling.drugs[course.key] = told, course.source
