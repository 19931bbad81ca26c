"""Two measurements of one moment that are parts of one: systolic and diastolic pressure, each told in its own row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casefhir import terms
from casefhir.record import Component, Measurement, On, Quantity, Text
from casefhir.sources.tables.ruleset import MeasurementRule
from casefhir.sources.tables.scope import Scope

_DAY = len("2003-11-04")
Pairs = Iterator[tuple[Measurement, Measurement, Measurement]]
"""Measurements of two parts, each with the two that it is made of."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What becomes one: the rule that makes the measurements, the concept of the whole, those of its two parts."""

    rule: str
    concept: str
    parts: tuple[str, str]
    codes: dict[tuple[str, str], str]
    """Codes (system, code) of the parts -> part."""

    def pairs(self, facts: Iterable[Measurement]) -> Pairs:
        """Just one of each part, of the same moment (a day at least) and visit, with numbers in the parts' units, and
        nothing said of one alone that the whole could not hold. Others are left as they are.
        """
        found: dict[tuple[str, str | None, str | None], tuple[list[Measurement], list[Measurement]]] = {}
        first, second = self.parts
        for fact in facts:
            part = self._part(fact)
            when = fact.when
            if part is not None and type(when) is On and len(when.date) >= _DAY:
                both = found.setdefault((when.date, when.printed, fact.visit), ([], []))
                both[part != first].append(fact)
        for ones, others in found.values():
            if len(ones) == len(others) == 1:
                one, other = ones[0], others[0]
                if _fits(one, first) and _fits(other, second) and _around(one) == _around(other):
                    yield self._whole(one, other), one, other

    def _part(self, fact: Measurement) -> str | None:
        if fact.concept in self.parts:
            return fact.concept
        codes = self.codes
        for each in fact.codes:
            part = codes.get((each.system, each.code))
            if part is not None:
                return part
        return None

    def _whole(self, one: Measurement, other: Measurement) -> Measurement:
        return Measurement(
            f"{one.key}.with.{other.key.removeprefix(f'{self.rule}.')}",
            self.concept,
            None,
            one.source,
            when=one.when,
            category=one.category,
            method=one.method,
            body_site=one.body_site,
            components=(_component(one, self.parts[0]), _component(other, self.parts[1])),
            notes=_notes(one, other),
            visit=one.visit,
        )


def pairings(scope: Scope, rule: MeasurementRule) -> list[Pairing]:
    """Compiles the `pairs` of a rule."""
    found = []
    for each in rule.pairs:
        unknown = [key for key in (each.concept, *each.parts) if key not in terms.concepts()]
        if unknown or each.parts[0] == each.parts[1]:
            scope.problem(
                f"pairs: {', '.join(unknown) or each.parts[0]} is no concept of the catalogue, or there twice"
            )
            continue
        codes = {(coding.system, coding.code): part for part in each.parts for coding in terms.concept(part).codings}
        found.append(Pairing(rule.name, each.concept, each.parts, codes))
    return found


def _fits(fact: Measurement, part: str) -> bool:
    """Whether its value can stand in a part, and nothing is lost by that."""
    more = (
        fact.titre, fact.absent, fact.absent_code, fact.scale, fact.scale_text, fact.components, fact.members,
        fact.derived_from, fact.named,
    )  # fmt: skip
    value = fact.value
    return isinstance(value, Quantity) and value.ucum == terms.concept(part).unit and not any(more)


def _around(fact: Measurement) -> tuple[object, ...]:
    return fact.category, fact.method, fact.body_site


def _component(fact: Measurement, part: str) -> Component:
    return Component(
        part,
        fact.value,
        text=fact.text,
        interpretation=fact.interpretation,
        range=fact.range,
        range_text=fact.range_text,
        codes=fact.codes,
        printed=fact.printed,
        interpretation_text=fact.interpretation_text,
    )


def _notes(one: Measurement, other: Measurement) -> tuple[Text, ...]:
    """The notes of both; those of one alone say of which."""
    found: list[Text] = [each for each in one.notes if each in other.notes]
    for fact, others in ((one, other.notes), (other, one.notes)):
        name = fact.text or (terms.concept(fact.concept).name if fact.concept else "")
        found += [f"{name}: {each}" if name else each for each in fact.notes if each not in others]
    return tuple(found)
