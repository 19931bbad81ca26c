"""What is taken for granted of resources that share a shape is never more than the layers would say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import exactjson, validate
from casefhir.conformance.api import Checker
from casefhir.conformance.fhirpath.values import order
from casefhir.conformance.structure import build
from casefhir.conformance.templates import TemplateChecker, _in_order, _may_be_later
from casefhir.conformance.tree import Node

CHECKER = TemplateChecker(Checker())
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'
DATES = st.sampled_from(
    ["2011", "2012", "2011-05", "2011-06", "2011-05-04", "2011-05-05", "2011-05-04T08:00:00Z", "2011-05-04T08:00:00.5Z",
     "2011-05-04T23:30:00-05:00", "2011-05-05T00:15:00+02:00", "2011-05-05T00:15:00Z"]
)  # fmt: skip
NO_TIMES: tuple[list[str], list[str], list[tuple[str, str]], list[tuple[str, str]]] = ([], [], [], [])


def encounter(start: str, end: str) -> Node:
    resource = {
        "resourceType": "Encounter",
        "text": {"status": "generated", "div": DIV},
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "period": {"start": start, "end": end},
    }
    root = build(resource, lambda *args, **more: None)
    assert root is not None
    return root


def observation(code: str, value: str, unit: str) -> bytes:
    return exactjson.write(
        {
            "resourceType": "Observation",
            "text": {"status": "generated", "div": DIV},
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": "2011-05-04",
            "performer": [{"display": "x"}],
            "valueQuantity": {
                "value": Decimal(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
            },
        }
    )  # fmt: skip


@given(DATES, DATES)
def test_dates_that_may_not_be_later_are_not(one: str, other: str) -> None:
    period = encounter(one, other).first("period")
    assert period is not None
    if order(period.first("start"), period.first("end")) == 1:
        assert _may_be_later(one, other)
        assert not _in_order(one, other)


@given(DATES, DATES)
def test_a_period_taken_to_be_in_order_is_found_in_order(start: str, end: str) -> None:
    if _in_order(start, end):
        assert not [each for each in validate(encounter(start, end).value).findings if each.rule == "per-1"]


@pytest.mark.parametrize(
    ("code", "unit"), [("718-7", "g/dL"), ("718-7", "g/L"), ("1988-5", "mg/dL"), ("8310-5", "Cel")]
)
@given(value=st.decimals("-5", "5000", places=2))
def test_values_within_the_limits_learnt_bring_nothing_to_find(code: str, unit: str, value: Decimal) -> None:
    learnt = CHECKER.learn(observation(code, "40", unit))
    assert learnt.limits
    if all(least <= value <= most for _, least, most in learnt.limits):
        findings = validate(observation(code, str(value), unit)).findings
        assert [each.rule for each in findings if each.rule == "meaning.implausible-value"] == []


def test_a_series_in_units_that_are_no_factor_apart_has_to_be_judged() -> None:
    checker = TemplateChecker(Checker())
    grams, other = (checker.learn(observation("2465-3", "9", unit)).series for unit in ("g/L", "mmol/L"))
    assert checker.fits((None, None), NO_TIMES, [grams, grams], [])
    assert not checker.fits((None, None), NO_TIMES, [grams, other], [])


def test_a_person_is_judged_with_findings_at_their_resources() -> None:
    lines = [observation("718-7", "13", "g/dL"), observation("718-7", "900", "g/dL")]
    ((place, finding),) = CHECKER.judge(
        lines, ["0a3f2c1e-0000-4000-8000-000000000001", "0a3f2c1e-0000-4000-8000-000000000002"]
    )
    assert (place, finding.rule, finding.pointer) == (1, "meaning.implausible-value", "/valueQuantity")
    assert finding.location.startswith("Observation.value")


def test_what_lies_before_birth_or_after_death_has_to_be_judged() -> None:
    life = ("1966-07", "2011-05-04")
    assert CHECKER.fits(life, (["1966-07-01"], ["2011-05-04T10:00:00Z"], [], []), [], [])
    assert not CHECKER.fits(life, (["1966-06"], [], [], []), [], [])
    assert not CHECKER.fits(life, ([], ["2011-06"], [], []), [], [])
    assert not CHECKER.fits(("2012", "2011"), NO_TIMES, [], [])
