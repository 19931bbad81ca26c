"""When: dates, dates with times, periods, study days, ages."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import cast

from casefhir.record import Age, Between, Cells, Moment, On, Quantity, Relative, precedes
from casefhir.record.making import unfrozen
from casefhir.record.moments import Relationship
from casefhir.sources.tables.dates import DURATION, NO_DAY, NO_YEAR, DateReader, Day, moved_from, shifted
from casefhir.sources.tables.elements import Time, When
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.telling import Telling

Tell = Callable[[Row, Telling, Cells], Moment | None]
TellAge = Callable[[Row, Telling, Cells], Moment | Age | None]
_unfrozen_on = unfrozen(On, checked=True)


def day(scope: Scope, told: Time | None, name: str) -> Callable[[Row, Telling], Day | None] | None:
    """A single date, moved by the person's shift."""
    read = unmoved_day(scope, told, name)
    if read is None:
        return None
    rule = scope.rule

    def found(row: Row, telling: Telling) -> Day | None:
        day = read(row, telling)
        return day if day is None or not telling.shift else _moved(day, telling, rule, name)

    return found


def _moved(day: Day, telling: Telling, rule: str, name: str) -> Day | None:
    """`day` moved with all dates of the person; its printed words would tell the date that was."""
    moved = shifted(day.iso, telling.shift)
    if moved is None:
        telling.unmapped[rule, name, NO_DAY] += 1
        return None
    return Day(moved, until=_moved(day.until, telling, rule, name) if day.until else None)


def unmoved_day(scope: Scope, told: Time | None, name: str) -> Callable[[Row, Telling], Day | None] | None:
    """A single date as it stands in the table."""
    if told is None:
        return None
    if isinstance(told, tuple):
        whole = tuple(each for each in told if isinstance(each, When))
        if whole:
            ways = [each for each in (unmoved_day(scope, one, name) for one in told) if each]
            return lambda row, telling: next((day for each in ways if (day := each(row, telling)) is not None), None)
    when = told if isinstance(told, When) else When(date=told)  # type: ignore[arg-type] # a list of words by now
    if when.year is not None:
        return _from_parts(scope, when, name)
    read, clock = scope.words(when.date, name), scope.words(when.time, name)
    if read is None:
        return None
    dates, column = _reader(scope, when), scope.column_of(when.date)
    rule, moves = scope.rule, scope.frame.loaded.mapping.privacy.shift_dates is not None

    def found(row: Row, telling: Telling) -> Day | None:
        words = read(row, telling)
        if words is None:
            return None
        time = clock(row, telling) if clock else None
        try:
            day = dates.with_clock(words, time) if time else dates.read(words)
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, column) from None
        if day.iso:
            return day
        telling.unmapped[rule, column, NO_YEAR if moves else words] += 1
        if not moves:
            telling.remarks.append(f"{column}: {words}.")
        return None

    return found


def _reader(scope: Scope, when: When) -> DateReader:
    reading = scope.of.reading
    if when.dates is None or when.dates == reading.dates:
        return scope.of.dates
    return DateReader(when.dates, pivot=reading.two_digit_years_from, zone=reading.timezone)


def _from_parts(scope: Scope, when: When, name: str) -> Callable[[Row, Telling], Day | None] | None:
    reads = [scope.words(each, name) for each in (when.year, when.month, when.day)]
    columns = [scope.column_of(each) for each in (when.year, when.month, when.day)]
    year = reads[0]
    if year is None:
        return None
    dates = DateReader(("iso",))

    def found(row: Row, telling: Telling) -> Day | None:
        parts = [read(row, telling) if read else None for read in reads]
        if parts[0] is None:
            return None
        whole = [parts[0]]
        for words, column in zip(parts[1:], columns[1:]):
            if words is None:
                break
            if not re.fullmatch(r"\d{1,2}", words):
                raise Refused(f"{words!r} is not a number of the calendar", "mend the cell", column)
            whole.append(words.zfill(2))
        try:
            return dates.read("-".join(whole))
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, columns[0]) from None

    return found


def moment(scope: Scope, told: Time | None, name: str) -> Tell | None:
    """A time; an age becomes a time after birth."""
    tell = moment_or_age(scope, told, name)
    if tell is None:
        return None

    def found(row: Row, telling: Telling, cells: Cells) -> Moment | None:
        when = tell(row, telling, cells)
        if not isinstance(when, Age):
            return when
        age = Quantity.parse(when.age)
        offset = None if age.comparator else str(age)
        return Relative("after", "birth", cells, offset=offset, words=f"at the age of {when.words or age}")

    return found


def moment_or_age(scope: Scope, told: Time | None, name: str) -> TellAge | None:
    """A time, or the age of the person at it."""
    if told is None:
        return None
    if isinstance(told, tuple) and any(isinstance(each, When) for each in told):
        ways = [each for each in (moment_or_age(scope, one, name) for one in told) if each]

        def first(row: Row, telling: Telling, cells: Cells) -> Moment | Age | None:
            for each in ways:
                when = each(row, telling, cells)
                if when is not None:
                    return when
            return None

        return first
    if isinstance(told, When):
        given = [each for each in ("date", "start", "study_day", "age", "year") if getattr(told, each) is not None]
        if told.end is not None and told.start is None:
            given.append("start")
        if len(given) != 1:
            scope.problem(f"{name} says when in {len(given)} ways; one of date, start and end, study_day, age, year")
            return None
        if given == ["start"]:
            return _between(scope, told, name)
        if given == ["study_day"]:
            return _study_day(scope, told, name)
        if given == ["age"]:
            return _age(scope, told, name)
    with scope.part() as part:
        plain = unmoved_day(part, told, name)
    if plain is None:
        return None
    remembered, rule = part.remembered(plain), scope.rule

    column = scope.column_of(told.date if isinstance(told, When) else told)

    def found(row: Row, telling: Telling, cells: Cells) -> On | Between | None:
        when = remembered(row, telling)
        if when is None:
            return None
        if telling.shift:
            when = _moved(when, telling, rule, name)
            if when is None:
                return None
        if when.until is not None:
            return _period(when, when.until, cells, column)
        made = _unfrozen_on(when.iso, cells, when.printed)  # a reader of dates has checked it
        made.__class__ = On
        return cast(On, made)

    return found


def _between(scope: Scope, when: When, name: str) -> Tell | None:
    start, end = day(scope, when.start, f"{name} start"), day(scope, when.end, f"{name} end")
    column = scope.column_of(when.end)

    def found(row: Row, telling: Telling, cells: Cells) -> Moment | None:
        first = start(row, telling) if start else None
        last = end(row, telling) if end else None
        if first is None and last is None:
            return None
        last = last.until or last if last else first.until if first else None
        if first is not None and last is None and end is None:
            return On(first.iso, cells, first.printed)
        return _period(first, last, cells, column)

    return found


def _period(first: Day | None, last: Day | None, cells: Cells, column: str) -> Between:
    if first is not None and last is not None and precedes(last.iso, first.iso):
        raise Refused(f"it ends ({last.iso}) before it starts ({first.iso})", "mend one of the dates", column)
    return Between(
        first.iso if first else None, last.iso if last else None, cells,
        first.printed if first else None, last.printed if last else None,
    )  # fmt: skip


def _study_day(scope: Scope, when: When, name: str) -> Tell | None:
    read, reference = (
        scope.words(when.study_day, name),
        unmoved_day(scope, When(date=when.reference), f"{name} reference"),
    )
    column, first_day = scope.column_of(when.study_day), when.first_day
    if when.reference is None:
        scope.problem(f"{name}: study_day needs the `reference` that days are counted from")
    if read is None:
        return None
    rule = scope.rule

    def found(row: Row, telling: Telling, cells: Cells) -> Moment | None:
        words = read(row, telling)
        if words is None:
            return None
        if not re.fullmatch(r"[-−+]?\d{1,6}(\.0+)?", words):
            raise Refused(f"{words!r} is not a study day", "write a whole number of days", column)
        number = int(words.partition(".")[0].replace("−", "-"))
        if first_day == 1 and number == 0:
            raise Refused("there is no study day 0", "the day before day 1 is -1; or say first_day = 0", column)
        days = number - 1 if first_day == 1 and number > 0 else number
        since = reference(row, telling) if reference else None
        if since is not None and len(since.iso) >= 10:
            iso: str | None = moved_from(since.iso, days)
            if telling.shift and iso is not None:
                iso = shifted(iso, telling.shift)
            if iso is not None:
                return On(iso, cells, f"study day {number}")
            telling.unmapped[rule, name, NO_DAY] += 1
            return None
        relation: Relationship = "after" if days > 0 else "before" if days < 0 else "concurrent"
        return Relative(
            relation,
            "the study's reference date",
            cells,
            offset=f"{abs(days)} {'day' if abs(days) == 1 else 'days'}" if days else None,
            words=f"study day {number}",
        )

    return found


def _age(scope: Scope, when: When, name: str) -> TellAge | None:
    read, column, unit = scope.words(when.age, name), scope.column_of(when.age), when.unit
    if read is None:
        return None
    numbers, cap = scope.of.results, scope.frame.loaded.mapping.privacy.age_cap

    def found(row: Row, telling: Telling, cells: Cells) -> Age | None:
        words = read(row, telling)
        if words is None:
            return None
        try:
            # its days would tell an age that is capped
            exactly = telling if cap is None else Telling({})
            age = duration(words, exactly) if words.startswith("P") else Quantity(numbers.number(words), unit)
        except Refused as refused:
            raise Refused(refused.reason, refused.mend, column) from None
        if age.value < 0:
            raise Refused(f"{words!r} is no age", "mend the cell", column)
        return Age(capped(age, cap), cells, words if words.startswith("P") and cap is None else None)

    return found


IN_YEARS = {"years": 1, "year": 1, "a": 1, "months": 12, "mo": 12, "weeks": 52, "wk": 52, "days": 365, "d": 365}


def capped(age: Quantity, cap: int | None) -> Quantity:
    """An age above `cap` years as just that."""
    if cap is None or age.value / IN_YEARS.get(age.unit, 1) <= cap:
        return age
    return Quantity(Decimal(cap), "years", ">")


def duration(words: str, telling: Telling) -> Quantity:
    """An ISO 8601 duration (`P5Y11M`) in the one unit that says it whole, or the longest; a remark tells more."""
    match = DURATION.fullmatch(words)
    told = {unit: int(number) for unit, number in match.groupdict().items() if number} if match else {}
    if not told:
        raise Refused(f"{words!r} is not a duration", "write P5Y11M, or a number with unit = ..")
    parts = {unit: number for unit, number in told.items() if number} or dict([next(iter(told.items()))])
    if len(parts) > 1 or "T" in words:
        telling.remarks.append(f"Told exactly as {words}.")
    if {*parts} == {"wk", "d"}:
        return Quantity(Decimal(parts["wk"] * 7 + parts["d"]), "days")
    if {"a", "mo"} <= {*parts}:
        return Quantity(Decimal(parts["a"] * 12 + parts["mo"]), "months")
    unit, number = next(iter(parts.items()))  # the longest
    return Quantity(Decimal(number), {"a": "years", "mo": "months", "wk": "weeks", "d": "days"}[unit])
