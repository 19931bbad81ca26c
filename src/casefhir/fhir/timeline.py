"""The dates of a person's facts that have to fit the person's life and each other."""

from typing import Any

from casefhir.fhir.slots import Reading
from casefhir.record import AdverseEvent, Between, Course, Intolerance, On, Problem, Procedure, Report, Visit


def _edges(moment: Any, reading: Reading) -> tuple[str | None, str | None]:
    if type(moment) is On:
        return moment.date, moment.date
    if type(moment) is Between:
        if moment.start and moment.end:
            reading.ordered.append((moment.start, moment.end))
        return moment.start, moment.end
    return None, None


def note_times(fact: Any, reading: Reading) -> None:
    """Note the dates of `fact` that have to fit the person's life and each other."""
    kind = type(fact)
    if kind is Course and (fact.start or fact.end):
        begin = fact.start.date if type(fact.start) is On else None
        end = fact.end.date if type(fact.end) is On else None
        if begin and end:
            reading.ordered.append((begin, end))
    elif kind is Problem:
        begin, end = _edges(fact.onset, reading)
        _, abated = _edges(fact.abatement, reading)
        if begin and abated:
            reading.following.append((begin, abated))
    else:
        begin, end = _edges(fact.onset if kind is Intolerance else fact.when, reading)
    if begin and kind is not Report:
        reading.dated.append(begin)
    if end and (kind is Course or kind is AdverseEvent or kind is Visit):
        reading.living.append(end)
    if kind is AdverseEvent and begin:
        for suspect in fact.suspects:
            started = _started(reading.by_key.get(suspect.course))
            if started:
                reading.following.append((started, begin))


def _started(suspect: Any) -> str | None:
    """When a course or procedure began, as far as a date says it."""
    if type(suspect) is Course and (suspect.start or suspect.end):
        return suspect.start.date if type(suspect.start) is On else None
    when = suspect.when if type(suspect) is Course or type(suspect) is Procedure else None
    return when.start if type(when) is Between else when.date if type(when) is On else None
