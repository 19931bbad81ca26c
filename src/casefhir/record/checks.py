"""What a case must hold to before it may become FHIR: every mistake is reported, each with the fact it is in."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from casefhir import terms
from casefhir.errors import CasefhirError
from casefhir.record.case import Case, LeftOut, Section, parts, places
from casefhir.record.errors import RecordError
from casefhir.record.facts import (
    AdverseEvent,
    Age,
    Component,
    Course,
    Dosage,
    Fact,
    Intolerance,
    Measurement,
    Person,
    Problem,
    Procedure,
    Report,
)
from casefhir.record.moments import Between, Moment, On, Relative, precedes
from casefhir.record.quantities import Quantity, Range, Words, parse_value

_ABATED = ("inactive", "remission", "resolved")


def check(case: Case) -> list[RecordError]:
    """All mistakes of `case`, in its order; none means that it can be converted."""
    found: list[RecordError] = []
    for fact in (case.person, *case.facts):
        found += [RecordError(message, fact.key) for message in _of_fact(case, fact)]
    stretches: tuple[Section | LeftOut, ...] = (*case.sections, *case.left_out)
    for stretch in stretches:
        if stretch.offset + stretch.length > case.article.characters:
            found.append(
                RecordError(
                    f"The stretch at {stretch.offset} ends after the document's {case.article.characters} characters."
                )
            )
    for left in case.left_out:
        if left.repeats and left.repeats not in case.by_key:
            found.append(
                RecordError(f"The stretch left out at {left.offset} repeats {left.repeats!r}, which no fact is called.")
            )
    return found


def _of_fact(case: Case, fact: Fact | Person) -> Iterator[str]:
    loose = [message for part in parts(fact) for message in _tuples(part)]
    if loose:
        yield from loose
        return
    yield from _spans(case, fact)
    yield from _links(case, fact)
    for part in parts(fact):
        yield from _figures(part)
        key = getattr(part, "concept", None) or getattr(part, "drug", None)
        if key is None and isinstance(
            part, Problem | Measurement | AdverseEvent | Procedure | Report | Course | Intolerance | Component
        ):
            if not part.text:
                yield "It has neither a concept nor a text; give at least the source's naming phrase as text."
        elif key is not None:
            yield from _concept(part, key)
    if isinstance(fact, Problem):
        yield from _problem(fact)
    if isinstance(fact, Course):
        yield from _order(fact.start, fact.end)
        if fact.when and (fact.start or fact.end):
            yield "It has both a time (when) and a start or end; keep one way to say it."
        if fact.reasons and fact.status in ("active", "completed"):
            yield f"It gives reasons for a stop, but its status is {fact.status}."


def _tuples(part: Any) -> Iterator[str]:
    """A single word where several belong: Python reads `("a")` as `"a"`, whose letters would become entries."""
    for field in fields(part):
        value = getattr(part, field.name)
        if str(field.type).startswith("tuple") and value is not None and not isinstance(value, tuple):
            yield f"{field.name} takes several entries: write ({value!r},) with a comma."


def _spans(case: Case, fact: Fact | Person) -> Iterator[str]:
    for span in places(fact):
        if span.end > case.article.characters:
            where = f"({span.offset}, {span.length})"
            yield f"Its span {where} ends after the document's {case.article.characters} characters."


def _links(case: Case, fact: Fact | Person) -> Iterator[str]:
    wanted: list[tuple[str, str]] = []
    match fact:
        case Problem():
            wanted = [(key, "Measurement or Report") for key in fact.evidence]
        case Course():
            wanted = [(key, "Problem or Measurement or Report") for key in fact.indication]
        case Measurement():
            wanted = [(key, "Measurement") for key in (*fact.members, *fact.derived_from)]
        case AdverseEvent():
            wanted = [(suspect.course, "Course or Procedure") for suspect in fact.suspects]
            wanted += [(key, "Problem") for key in fact.resulting]
        case Report():
            wanted = [(key, "Measurement") for key in fact.results]
        case Procedure():
            wanted = [(key, "Report") for key in fact.reports]
    visit = getattr(fact, "visit", None)
    if visit:
        wanted.append((visit, "Visit"))
    for key, kinds in wanted:
        other = case.by_key.get(key)
        if other is None:
            yield f"It names {key!r}, which no fact of the case is called."
        elif type(other).__name__ not in kinds.split(" or "):
            yield f"It names {key!r}, which is a {type(other).__name__}; a {kinds} belongs there."


def _concept(part: object, key: str) -> Iterator[str]:
    try:
        concept = terms.concept(key)
    except CasefhirError as error:
        yield str(error)
        return
    value = getattr(part, "value", None)
    if value is None or not concept.unit:
        return
    try:
        parsed = parse_value(value)
    except CasefhirError:
        return  # told by _figures
    given = parsed.low if isinstance(parsed, Range) else parsed
    if isinstance(given, Quantity) and given.ucum and not terms.commensurable(given.ucum, concept.unit):
        yield f"The unit {given.unit!r} does not fit {concept.name}, which is measured in {concept.unit} or the like."


def _figures(part: object) -> Iterator[str]:
    """Values, ranges and doses that cannot be read, each told once."""
    try:
        match part:
            case Measurement() | Component():
                if part.value is not None:
                    parse_value(part.value)
                if part.range:
                    Range.parse(part.range)
                if isinstance(part, Measurement) and part.scale:
                    Range.parse(part.scale)
                alone = (*part.components, *part.members) if isinstance(part, Measurement) else ()
                if part.value is None and not (part.absent or part.titre or alone):
                    yield "It has no value, no words, no titre, no components and no reason why it is absent."
            case Dosage():
                for text in (part.every, part.over, part.lasting):
                    if text and not Quantity.parse(text).ucum:
                        yield f"{text!r} is not a time: write 2 weeks, 1 month or 5 days."
                if part.dose:
                    dose = parse_value(part.dose)
                    if isinstance(dose, Words) or (isinstance(dose, Quantity) and dose.comparator):
                        yield f"{part.dose!r} is not a dose: write 1 g/kg or 10-20 mg; anything else stays in the text."
                if part.at_most:
                    for text in part.at_most:
                        Quantity.parse(text)
            case Relative():
                if part.offset and not Quantity.parse(part.offset).ucum:
                    yield f"{part.offset!r} is not a time: write 9 months or 2 weeks, or nothing without a figure."
            case Age():
                if Quantity.parse(part.age).ucum != "a":
                    yield f"{part.age!r} is not an age in years."
    except RecordError as error:
        yield str(error)


def _problem(fact: Problem) -> Iterator[str]:
    if fact.abatement and fact.status not in _ABATED:
        yield "It has an end (abatement), so its status has to be inactive, remission or resolved."
    if fact.certainty == "refuted" and (fact.status or fact.severity or fact.onset):
        yield "It is denied (refuted), so it has no status, severity or onset."
    if not isinstance(fact.onset, Age):
        yield from _order(fact.onset, fact.abatement)


def _order(start: Moment | None, end: Moment | None) -> Iterator[str]:
    first = start.date if isinstance(start, On) else start.start if isinstance(start, Between) else None
    last = end.date if isinstance(end, On) else end.end if isinstance(end, Between) else None
    if first and last and precedes(last, first):
        yield f"It ends ({last}) before it starts ({first})."
