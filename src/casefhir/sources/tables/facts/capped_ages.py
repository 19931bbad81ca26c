"""Persons above the age that `[privacy]` caps: neither their date of birth nor what shows it is told.

An age beside a date tells the year of birth (85 in 2012 is 97 in 2024). So who is above the cap at the last that is
known of them has no other age either: those above the cap are told as just that, the others are masked.
"""

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from casefhir import terms
from casefhir.record import Age, Between, Component, Fact, Measurement, On, Person, Quantity, Range, Relative, Visit
from casefhir.record import Words as ResultWords
from casefhir.sources.tables.facts.moments import IN_YEARS, capped
from casefhir.sources.tables.telling import Telling

_TIMES = ("when", "start", "end", "onset", "abatement", "asserted")
_MASKED: dict[str, Any] = {
    "value": None, "titre": None, "printed": None, "absent_code": "masked", "range": None, "range_text": None,
    "interpretation": None, "interpretation_text": None,
}  # fmt: skip
Aged = TypeVar("Aged", Measurement, Component)


def cap_ages(
    person: Person, facts: tuple[Fact, ...], telling: Telling, cap: int, recorded: str
) -> tuple[Person, tuple[Fact, ...]]:
    """The person and the facts without what shows an age above `cap` years.

    Ages are counted up to the day that the mapping names for the person (`telling.counted`), else up to `recorded`; or
    to the last date of the facts, if that is later; but not beyond death.
    """
    facts = tuple([_with_capped_results(each, cap) for each in facts])
    if not _is_above(person, facts, telling, cap, recorded):
        return person, facts
    if person.birth_date is not None:
        person = replace(person, birth_date=None, birth_date_absent="masked")
    return person, tuple([_without_ages(each, cap) for each in facts])


def _is_above(person: Person, facts: tuple[Fact, ...], telling: Telling, cap: int, recorded: str) -> bool:
    """Whether the person was above the cap at the last that is known."""
    ages = [(fact, age) for fact in facts for age in _ages(fact)]
    if any(_tops(age, cap) for _, age in ages):
        return True
    until = _moved(telling.counted or recorded[:10], telling.shift, last=True)
    until = max([until, *(_day(date, last=True) for fact in facts for date in _dates(fact))])
    if isinstance(person.deceased, On):
        until = _day(person.deceased.date, last=True)
    if telling.born is not None:
        births = [_moved(telling.born, telling.shift)]
    else:
        visits = {fact.key: fact for fact in facts if isinstance(fact, Visit)}
        births = [
            _years_before(_day(date), int(_in_years(age)) + 1)
            for fact, age in ages
            for dated in (fact, visits.get(_visit(fact)))
            if dated is not None
            for date in _dates(dated)
        ]
    return any(_full_years(birth, until) > cap for birth in births)


def _ages(fact: Fact) -> Iterator[Quantity]:
    """All ages that a fact tells."""
    for name in _TIMES:
        told = getattr(fact, name, None)
        if isinstance(told, Age):
            yield _quantity(told)
        elif isinstance(told, Relative) and told.event == "birth" and told.offset:
            yield Quantity.parse(told.offset)
        elif isinstance(told, Relative) and told.event == "birth" and (told.words or "").startswith("at the age of >"):
            yield Quantity.parse((told.words or "").removeprefix("at the age of "))
    parts: tuple[Measurement | Component, ...] = (fact, *fact.components) if isinstance(fact, Measurement) else ()
    for part in parts:
        if _is_age(part) and isinstance(part.value, Quantity):
            yield part.value


def _dates(fact: Fact) -> Iterator[str]:
    for name in _TIMES:
        told = getattr(fact, name, None)
        if isinstance(told, On):
            yield told.date
        elif isinstance(told, Between):
            yield from (each for each in (told.start, told.end) if each is not None)


def _visit(fact: Fact) -> str:
    return "" if isinstance(fact, Visit) else fact.visit or ""


def _is_age(part: Any) -> bool:
    return part.concept == "age" or any((code.system, code.code) in _codes() for code in part.codes)


@cache
def _codes() -> frozenset[tuple[str, str]]:
    """The codes that mean an age."""
    return frozenset((each.system, each.code) for each in terms.concept("age").codings)


def _with_capped_results(fact: Fact, cap: int) -> Fact:
    if not isinstance(fact, Measurement):
        return fact
    parts = tuple([_capped_result(each, cap) for each in fact.components])
    if parts != fact.components:
        fact = _without_notes(replace(fact, components=parts))
    return _capped_result(fact, cap)


def _capped_result(part: Aged, cap: int) -> Aged:
    """An age above the cap as just that; a result that is no number is not told, for it may be one."""
    if not _is_age(part):
        return part
    if isinstance(part.value, Quantity):
        age = capped(part.value, cap)
        return part if age is part.value else _without_notes(replace(part, value=age, printed=None))
    if isinstance(part.value, Range | ResultWords) or part.titre is not None:
        return _mask(part)
    return part


def _without_ages(fact: Fact, cap: int) -> Fact:
    """A fact of a person above the cap: ages up to it are not told."""
    changes: dict[str, Any] = {}
    for name in _TIMES:
        told = getattr(fact, name, None)
        if isinstance(told, Age) and not _tops(_quantity(told), cap):
            changes[name] = None
        elif isinstance(told, Relative) and told.event == "birth" and told.offset:
            changes[name] = replace(told, offset=None, words=None)
    if isinstance(fact, Measurement):
        parts = tuple([_masked(each, cap) for each in fact.components])
        if parts != fact.components:
            fact = _without_notes(fact)
        return replace(_masked(fact, cap), components=parts, **changes) if _is_age(fact) or parts or changes else fact
    return replace(fact, **changes) if changes else fact


def _masked(part: Aged, cap: int) -> Aged:
    if not _is_age(part) or part.value is None or (isinstance(part.value, Quantity) and _tops(part.value, cap)):
        return part
    return _mask(part)


def _mask(part: Aged) -> Aged:
    return _without_notes(replace(part, **_MASKED))


def _without_notes(part: Aged) -> Aged:
    """An age without what is said of it, which may tell it exactly."""
    return replace(part, notes=()) if isinstance(part, Measurement) else part


def _quantity(age: Age) -> Quantity:
    return Quantity.parse(age.age) if isinstance(age.age, str) else age.age


def _tops(age: Quantity, cap: int) -> bool:
    return age.comparator in (">", ">=") and _in_years(age) >= cap


def _in_years(age: Quantity) -> Decimal:
    return age.value / IN_YEARS.get(age.unit, 1)


def _moved(iso: str, shift: int, *, last: bool = False) -> dt.date:
    """The day of a date as it stands in the table, moved as all dates of the person are."""
    return _day(iso, last=last) + dt.timedelta(days=shift)


def _day(iso: str, *, last: bool = False) -> dt.date:
    """The day of a date; of a month or a year the first, or the last."""
    parts = [int(each) for each in iso[:10].split("-")]
    if len(parts) == 1:
        parts.append(12 if last else 1)
    if len(parts) == 2:
        parts.append(calendar.monthrange(*parts)[1] if last else 1)
    return dt.date(*parts)


def _years_before(day: dt.date, years: int) -> dt.date:
    return day.replace(year=max(1, day.year - years), day=min(day.day, 28))


def _full_years(birth: dt.date, day: dt.date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
