"""What is wrong with the figures of a part of a fact: values, ranges, doses, times, units, scales."""

from collections.abc import Iterator

from casefhir import terms
from casefhir.record.errors import RecordError
from casefhir.record.facts import Age, Component, Dosage, Measurement
from casefhir.record.moments import Relative
from casefhir.record.quantities import TITRE, Quantity, Range, Value, parse_value


def unit_fits(part: Measurement | Component, concept: terms.Concept) -> Iterator[str]:
    """A value in a unit that its concept is never measured in."""
    try:
        value = parse_value(part.value) if part.value is not None else None
    except RecordError:
        return  # told by figures
    given = value.low if isinstance(value, Range) else value
    if isinstance(given, Quantity) and given.ucum and not terms.commensurable(given.ucum, concept.unit):
        yield f"The unit {given.unit!r} does not fit {concept.name}, which is measured in {concept.unit} or the like."


def figures(part: object) -> Iterator[str]:
    """Values, ranges, doses and times that cannot be read, each told once."""
    try:
        match part:
            case Measurement() | Component():
                value = parse_value(part.value) if part.value is not None else None
                if part.range:
                    yield from _range_fits(Range.parse(part.range), value)
                if part.titre and not TITRE.search(part.titre):
                    yield f"{part.titre!r} is not a titre: write it as printed, 1/640 or 1:640."
            case Dosage():
                for time in (part.every, part.over, part.lasting, part.at_most[1] if part.at_most else None):
                    yield from _time(time)
                for dose in (part.dose, part.at_most[0] if part.at_most else None):
                    yield from _dose(dose)
                if any(number is not None and number < 1 for number in (part.times, part.count)):
                    yield "times and count are whole numbers from 1 on."
            case Relative():
                yield from _time(part.offset)
            case Age():
                yield from _time(part.age)
    except RecordError as error:
        yield str(error)


def _time(text: str | Quantity | None) -> Iterator[str]:
    if text:
        unit = Quantity.parse(text).ucum
        if not unit or not terms.commensurable(unit, "s"):
            yield f"'{text}' is not a time: write 9 months or 2 weeks, or nothing without a figure."


def _dose(text: str | Value | None) -> Iterator[str]:
    if text:
        dose = parse_value(text)
        one = dose.low if isinstance(dose, Range) else dose
        unit = one.ucum if isinstance(one, Quantity) else None
        if not isinstance(one, Quantity) or one.comparator or not unit or terms.commensurable(unit, "s"):
            yield f"'{text}' is not a dose: write 1 g/kg or 10-20 mg; anything else stays in the text."


def _range_fits(normal: Range, value: object) -> Iterator[str]:
    bound = normal.low or normal.high
    units = (bound.ucum, value.ucum) if bound and isinstance(value, Quantity) else (None, None)
    if units[0] and units[1] and not terms.commensurable(units[0], units[1]):
        yield f"Its range is in {units[0]} and its value in {units[1]}: they cannot be compared."


def measurement(fact: Measurement) -> Iterator[str]:
    """A measurement of nothing; a value that is not on its scale."""
    alone = (fact.absent, fact.absent_code, fact.titre, *fact.components, *fact.members)
    if fact.value is None and not any(alone):
        yield "It has no value, no words, no titre, no components and no reason why it is absent."
    try:
        scale = Range.parse(fact.scale) if fact.scale else None
    except RecordError as error:
        yield str(error)
        return
    try:
        value = parse_value(fact.value) if fact.value is not None else None
    except RecordError:
        return  # told by figures
    if scale and isinstance(value, Quantity):
        below = scale.low is not None and value.value < scale.low.value
        if below or (scale.high is not None and value.value > scale.high.value):
            yield f"Its value {value} is not on its scale {fact.scale}."
