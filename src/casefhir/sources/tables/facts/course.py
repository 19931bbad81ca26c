"""A row to a course of a drug."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from casefhir import terms
from casefhir.record import Cells, Course, Dosage, Quantity, Range, Told
from casefhir.record.making import maker
from casefhir.sources.tables.elements import Dose
from casefhir.sources.tables.facts.moments import duration, moment
from casefhir.sources.tables.facts.naming import Name, naming, notes, phrases
from casefhir.sources.tables.facts.problem import check_order
from casefhir.sources.tables.facts.units import DECLARED, Units
from casefhir.sources.tables.frame import read_csv
from casefhir.sources.tables.links import Links
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.ruleset import CourseRule
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling
from casefhir.sources.tables.vocabulary import Frequency, frequency, vocabulary

KINDS = frozenset({"medication"})
_make = maker(Course)
_STOPPED = ("stopped", "not-taken", "on-hold", "unknown", "intended")


def courses(scope: Scope, rule: CourseRule, links: Links) -> Callable[[Row, Telling, str, Cells], Course]:
    """Compiles `rule`. The status is the row's, `active` where it says ongoing, `stopped` where it gives a reason for a
    stop, otherwise `unknown`: an end alone does not say that all was given as planned.
    """
    static = _static(scope, rule)
    start, end = moment(scope, rule.start, "start"), moment(scope, rule.end, "end")
    when, visit = moment(scope, rule.when, "when"), links.visit(scope, rule.visit)
    indication, remarks = links.many(scope, rule.indication), notes(scope, rule.notes)
    column, ongoing_column = scope.column_of(rule.end), scope.column_of(rule.ongoing)
    if rule.when and (rule.start or rule.end):
        scope.problem("a course has either `when` or `start` and `end`")

    def make(row: Row, telling: Telling, key: str, cells: Cells) -> Course:
        same = static(row, telling)
        state, goes_on, why = same.status, same.ongoing, same.reasons
        begun = start(row, telling, cells) if start else None
        ended = end(row, telling, cells) if end else None
        if ended is not None:
            check_order(begun, ended, column)
            if goes_on:
                raise Refused("it is said to be ongoing, and has an end", "mend one of the two", ongoing_column)
        if state is None:
            state = "active" if goes_on else "stopped" if why else "unknown"
        if why and state not in _STOPPED:
            telling.remarks += [f"Reason: {each.text if isinstance(each, Told) else each}" for each in why]
            why = ()
        return _make(
            key,
            same.name.concept,
            cells,
            same.name.text,
            state,
            why,
            begun,
            ended,
            when(row, telling, cells) if when else None,
            same.dosage,
            indication(row, telling) if indication else (),
            remarks(row, telling),
            (),
            same.name.codes,
            same.purposes,
            visit(row, telling) if visit else None,
        )

    return make


@dataclass(frozen=True, slots=True)
class Static:
    """What rows with the same words say alike of their courses: all but times, notes and links."""

    name: Name
    status: str | None
    ongoing: bool | None
    reasons: tuple[Told | str, ...]
    dosage: Dosage | None
    purposes: tuple[Told | str, ...]


def _static(scope: Scope, rule: CourseRule) -> Callable[[Row, Telling], Static]:
    with scope.part() as part:
        name = naming(part, rule.drug, rule.codes, rule.text, KINDS)
        status, ongoing = (
            part.choice(rule.status, "status-of-course", "Status"),
            part.truth(rule.ongoing, "truth", "Ongoing"),
        )
        reasons, purposes = phrases(part, rule.reasons, "reasons"), phrases(part, rule.purposes, "purposes")
        dosage = _dosage(part, rule.dose) if rule.dose else None

    def tell(row: Row, telling: Telling) -> Static:
        return Static(
            name(row, telling),
            status(row, telling)[0] if status else None,
            ongoing(row, telling) if ongoing else None,
            tuple([_reason(each) for each in reasons(row, telling)]) if reasons else (),
            dosage(row, telling) if dosage else None,
            purposes(row, telling) if purposes else (),
        )

    return part.remembered(tell)


def _reason(told: Told | str) -> Told | str:
    """A reason that the catalogue knows, as its key; words otherwise."""
    if isinstance(told, str):
        key = vocabulary("reason").get(told.casefold())
        return key if key and key in terms.concepts() else told
    return told


def _frequencies(scope: Scope, file: str | None) -> Callable[[str], Frequency | None]:
    """Frequencies by the mapping's own CSV file first, then the usual words."""
    if file is None:
        return frequency
    own: dict[str, Frequency] = {}
    try:
        for cells in read_csv(scope.frame.loaded.folder / file)[1:]:
            words, times, every, *_ = (*(cell.strip() for cell in cells), "", "")
            own[words.casefold()] = Frequency(int(times), Quantity.parse(every))
    except (Refused, ValueError) as error:
        scope.problem(f"frequencies = {file!r}: {error}; a line is: words, how many times, every how long (2 weeks)")
    return lambda words: own.get(words.casefold()) or frequency(words)


def _dosage(scope: Scope, rule: Dose) -> Callable[[Row, Telling], Dosage | None]:
    amount, high, unit = (
        scope.words(each, name)
        for each, name in ((rule.amount, "dose"), (rule.high, "dose, high"), (rule.unit, "dose unit"))
    )
    often, route = scope.words(rule.frequency, "frequency"), scope.choice(rule.route, "route")
    method, site = scope.plain(rule.method, "method"), scope.plain(rule.site, "site")
    text, lasting = scope.plain(rule.text, "dosage"), scope.words(rule.lasting, "lasting")
    known, units, numbers, name = (
        _frequencies(scope, rule.frequencies), Units(scope.of.reading.units), scope.of.results, scope.rule,
    )  # fmt: skip
    columns = {each: scope.column_of(getattr(rule, each)) for each in ("amount", "unit", "frequency", "lasting")}

    def made(row: Row, telling: Telling) -> Dosage | None:
        told_amount, told_high = amount(row, telling) if amount else None, high(row, telling) if high else None
        told_unit, told_often = unit(row, telling) if unit else None, often(row, telling) if often else None
        way, way_words = route(row, telling) if route else (None, None)
        how, where = method(row, telling) if method else None, site(row, telling) if site else None
        long = lasting(row, telling) if lasting else None
        said = text(row, telling) if text else None
        figure = " - ".join(each for each in (told_amount, told_high) if each)
        shown_unit = told_unit.removeprefix(DECLARED) if told_unit else None
        parts = (figure, shown_unit if figure else None, _raw(told_often), way_words, how, where, _for(long))
        if shown_unit and not figure and shown_unit not in (said or ""):
            telling.remarks.append(f"Unit of the dose, which is not told: {shown_unit}")
        words = said or " ".join(str(each) for each in parts if each)
        if not words:
            return None
        dose = _dose(told_amount, told_high, told_unit, telling) if told_amount else None
        rhythm = known(str(told_often)) if told_often else None
        if told_often and rhythm is None:
            telling.unmapped[name, columns["frequency"], str(told_often)] += 1
        rhythm = rhythm or Frequency()
        return Dosage(
            words,
            dose=dose,
            times=rhythm.times,
            every=rhythm.every,
            count=rhythm.count,
            lasting=_lasting(long, telling) if long else None,
            route=way,  # type: ignore[arg-type]
            route_text=way_words,
            method=how,
            schedule=_raw(told_often),
            as_needed=rhythm.as_needed,
            site=where,
        )

    def _dose(low: str, top: str | None, unit_words: str | None, telling: Telling) -> Quantity | Range | None:
        try:
            found = numbers.read(str(low), "auto")
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, columns["amount"]) from None
        given = units.of(found.unit or str(unit_words or ""))
        if found.number is None or found.comparator or not given.ucum or _is_time(given.ucum):
            what = (
                (columns["unit"], str(unit_words)) if unit_words and not given.ucum else (columns["amount"], str(low))
            )
            telling.unmapped[name, *what] += 1
            return None
        if found.number < 0:
            raise Refused(f"a dose of {low} is below nothing", "mend the cell", columns["amount"])
        end = found.high
        if top is not None:
            try:
                end = numbers.number(str(top))
            except Refused as refused:
                raise Refused(refused.reason, refused.mend, columns["amount"]) from None
            if end < found.number:
                raise Refused(
                    f"the dose ends ({top}) below its start ({low})", "mend one of the two", columns["amount"]
                )
        first = Quantity(found.number, given.printed, None, given.code)
        return first if end is None else Range(first, Quantity(end, given.printed, None, given.code))

    def _lasting(words: str, telling: Telling) -> Quantity | None:
        try:
            if words.startswith("P"):
                return duration(str(words), telling)
            found = numbers.read(str(words), "auto")
        except Refused:
            found = None
        given = units.of(found.unit) if found else None
        if found is None or given is None or found.number is None or found.high or not _is_time(given.ucum):
            telling.unmapped[name, columns["lasting"], str(words)] += 1
            return None
        return Quantity(Decimal(found.number), given.printed, None, given.code)

    return made


def _is_time(ucum: str | None) -> bool:
    return bool(ucum) and terms.dimension(str(ucum)) == "[time]"


def _raw(words: str | None) -> str | None:
    return None if words is None else str(getattr(words, "raw", words))


def _for(long: str | None) -> str | None:
    return f"for {long}" if long else None
