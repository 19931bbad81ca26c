"""Checking many resources that share a shape: all layers on the first, what they learn from it, and what may still be
found in the others or between them.

Where `fits` and the learnt limits hold, the layers would find in a resource what they found in the first of its shape,
and nothing between the resources of a person. They are as strict as is cheap; `judge` asks the layers themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from casefhir import exactjson
from casefhir.conformance.api import Checker
from casefhir.conformance.findings import Finding, Report
from casefhir.conformance.measurements import UCUM
from casefhir.conformance.units import in_unit
from casefhir.conformance.vital_signs import implied_by
from casefhir.terms.bounds import expected

_ENTRY = re.compile(r"/entry/([0-9]+)/resource")
_HEAD = re.compile(r"Bundle\.entry\[[0-9]+\]\.resource")
_AGE = ("http://loinc.org", "30525-0")
_DAY = len("2003-11-04")
Series = tuple[tuple[tuple[str, str], ...], str]


@dataclass(slots=True)
class Learnt:
    """What the first resource of a shape tells of all of them.

    `findings` of all layers; `limits` between which the value of an Observation (None) or of its component (place)
    brings no other finding; `series`: codes and unit; `age`: whether the value is the person's age; `apart`: False
    where what it points at decides too, so that the layers have to see both.
    """

    findings: tuple[Finding, ...] = ()
    limits: list[tuple[int | None, Decimal, Decimal]] = field(default_factory=list)
    series: Series | None = None
    age: bool = False
    apart: bool = True


class TemplateChecker:
    """Checks by the layers of `checker`."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self._units: dict[tuple[str, str], str] = {}  # of each code, as long as there is one
        self._mixed: set[tuple[str, str]] = set()  # codes with units that are no factor apart

    def learn(self, line: bytes) -> Learnt:
        """Check one resource through all layers."""
        report = Report()
        self.checker.check_bytes(line, report)
        learnt = Learnt(tuple(replace(each, line=None, file=None) for each in report.findings))
        resource = exactjson.read(line)
        if resource["resourceType"] == "Observation":
            self._observation(resource, learnt)
        return learnt

    def _observation(self, resource: dict[str, Any], learnt: Learnt) -> None:
        codes = resource["code"].get("coding", ())
        if "hasMember" in resource or "derivedFrom" in resource:  # vital signs want vital signs there
            learnt.apart = not any(implied_by(each.get("system", ""), each.get("code", "")) for each in codes)
        for place, holder in ((None, resource), *enumerate(resource.get("component", ()))):
            quantity = holder.get("valueQuantity")
            if quantity is None:
                continue
            coded = quantity.get("code") if quantity.get("system") == UCUM else None
            unit = str(coded or quantity.get("unit") or "1")
            pairs = [(each.get("system", ""), each.get("code", "")) for each in holder["code"].get("coding", ())]
            learnt.limits += [(place, *limits) for pair in pairs for limits in _limits(pair, unit)]
            if place is None and "code" in quantity and pairs:
                dated = any(name.startswith("effective") for name in resource)  # without a date no age is wrong
                learnt.series, learnt.age = (tuple(pairs), unit), dated and _AGE in pairs
                self._learn_series(pairs, unit)

    def _learn_series(self, pairs: Sequence[tuple[str, str]], unit: str) -> None:
        for pair in pairs:
            known = self._units.setdefault(pair, unit)
            if known != unit and in_unit(Decimal(1), known, unit) is None:
                self._mixed.add(pair)

    def judge(self, lines: Sequence[bytes], ids: Sequence[str]) -> list[tuple[int, Finding]]:
        """Check a person's resources together: the place of the resource among `lines` (-1: none), and the finding, its
        location within that resource.
        """
        entries = (
            b'{"fullUrl":"urn:uuid:%b","resource":%b}' % (identity.encode(), line)
            for identity, line in zip(ids, lines, strict=True)
        )
        data = b'{"resourceType":"Bundle","type":"collection","entry":[%b]}' % b",".join(entries)
        report = Report()
        self.checker.check_bytes(data, report)
        return [_placed(each, lines) for each in report.findings]

    def fits(
        self,
        life: tuple[str | None, str | None],
        times: tuple[list[str], list[str], list[tuple[str, str]], list[tuple[str, str]]],
        series: list[Series],
        ages: list[tuple[Decimal, str]],
    ) -> bool:
        """Whether there is surely nothing to find between the resources of a person, nor between the dates of one.

        `life`: birth and death. `times`: when things were or began, when those of the living ended, starts with their
        ends, dates of which the second may not lie before the first.
        """
        birth, death = life
        dated, living, ordered, following = times
        if birth is not None and death is not None and _may_be_later(birth, death):
            return False
        for start, end in ordered:
            if not _in_order(start, end):
                return False
        for start, date in following:
            if _may_be_later(start, date):
                return False
        if birth is not None:
            after = birth + "~"  # sorts behind all that begins like the date of birth
            for date in dated:
                if date < after and _may_be_later(birth, date):
                    return False
        if death is not None:
            for date in living:
                if date >= death and _may_be_later(date, death):
                    return False
        if ages and not (birth is None or _ages_fit(birth, ages, series)):
            return False
        return not self._mixed or self._units_fit(series)

    def _units_fit(self, series: list[Series]) -> bool:
        first: dict[tuple[str, str], str] = {}
        return all(first.setdefault(pair, unit) == unit for pairs, unit in series for pair in pairs)


def _limits(pair: tuple[str, str], unit: str) -> list[tuple[Decimal, Decimal]]:
    """Between what values in `unit` nothing is told of what the code measures."""
    wanted = expected().get(pair)
    if wanted is None:
        return []
    factor = in_unit(Decimal(1), unit, wanted.unit)
    if factor is None:
        return [(Decimal(0), Decimal("Infinity"))]
    most = Decimal("Infinity") if wanted.most is None else wanted.most / factor
    return [(max(wanted.least / factor, Decimal(0)), most)]


def _placed(finding: Finding, lines: Sequence[bytes]) -> tuple[int, Finding]:
    match = _ENTRY.match(finding.pointer)
    if match is None:
        return -1, replace(finding, line=None, file=None)
    place = int(match[1])
    kind = exactjson.read(lines[place])["resourceType"]
    location = _HEAD.sub(lambda _: kind, finding.location, count=1)
    return place, replace(finding, location=location, pointer=finding.pointer[match.end() :], line=None, file=None)


def _may_be_later(one: str, other: str) -> bool:
    """Whether a validator may take date `one` for surely later than `other`."""
    shared = min(len(one), len(other))
    if shared > _DAY:
        return not (one.endswith("Z") and other.endswith("Z") and len(one) == len(other) and one <= other)
    return one[:shared] > other[:shared]


def _in_order(start: str, end: str) -> bool:
    """Whether date `start` is surely not later than `end`: neither told by a validator nor left open."""
    if len(start) == len(end):
        return start <= end and (len(start) <= _DAY or start[-1] == end[-1] == "Z")
    shared = min(len(start), len(end))
    return shared <= _DAY and start[:shared] < end[:shared]


def _ages_fit(birth: str, ages: list[tuple[Decimal, str]], series: list[Series]) -> bool:
    if any(_AGE in pairs and unit != "a" for pairs, unit in series):
        return False
    return all(abs(int(date[:4]) - int(birth[:4]) - int(age)) <= 1 for age, date in ages)
