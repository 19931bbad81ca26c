"""Codes of vital signs claim a profile of R4's, and are written only where it is kept."""

import json
from pathlib import Path

import pytest

from casefhir import conformance, library
from casefhir.fhir import convert
from casefhir.fhir.context import Json
from casefhir.record import Code, Component, Measurement, On, Quantity, check
from casefhir.terms.vital_signs import vital_signs

from .extracts import amount, extract, here, on

LOINC = "http://loinc.org"


def shaped(code: str, value: Quantity | None, when: On, **more: object) -> tuple[Json, tuple[str, ...]]:
    fact = Measurement("x", None, value, here(), text="vital", when=when, codes=(Code(LOINC, code),), **more)  # type: ignore[arg-type]
    case = extract(fact)
    assert check(case) == []
    made = convert(case, form="collection")
    assert library.validate_conversion(made).findings == []
    return next(each for each in made.resources if each["resourceType"] == "Observation"), made.remarks


def codes(resource: Json) -> list[str]:
    return [each["code"] for each in resource["code"].get("coding", ())]


@pytest.mark.parametrize(
    ("code", "demanded", "value"),
    [
        ("29463-7", "29463-7", amount("70.5", "kg", "kg")),
        ("3141-9", "29463-7", amount("150", "lb", "[lb_av]")),
        ("8302-2", "8302-2", amount("1.8e2", "cm", "cm")),
        ("59408-5", "2708-6", amount("98", "%", "%")),
        ("8867-4", "8867-4", amount("72", "/min", "/min")),
    ],
)
@pytest.mark.parametrize("when", ["2012-02-03", "2012-02-03T10:00:00Z"])
def test_with_a_day_and_a_unit_of_the_profile_it_is_one(code: str, demanded: str, value: Quantity, when: str) -> None:
    resource, remarks = shaped(code, value, on(when))
    assert {code, demanded} == set(codes(resource))
    assert [each["coding"][0]["code"] for each in resource["category"]] == ["vital-signs"]
    assert [*resource].index("category") < [*resource].index("code")
    assert remarks == ()


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (amount("70", "kg", "kg"), "2012"),
        (amount("11", "st", "[stone_av]"), "2012-02-03"),
        (amount("70", "", None), "2012-02-03"),
    ],
)
def test_without_them_the_name_stays_and_the_conversion_says_so(value: Quantity, when: str) -> None:
    resource, remarks = shaped("29463-7", value, on(when))
    assert codes(resource) == []
    assert resource["code"]["text"] == "vital"
    assert "bodyweight" in remarks[0]


def test_a_category_of_another_kind_stays_beside_it() -> None:
    resource, _ = shaped("29463-7", amount("70", "kg", "kg"), on("2012-02-03"), category="exam")
    assert [each["coding"][0]["code"] for each in resource["category"]] == ["vital-signs", "exam"]


def test_a_value_that_is_missing_for_a_reason_is_a_vital_sign_too() -> None:
    resource, _ = shaped("29463-7", None, on("2012-02-03"), absent_code="not-performed")
    assert codes(resource) == ["29463-7"]


def test_a_blood_pressure_has_both_its_parts_or_no_such_code() -> None:
    pressure = amount("120", "mmHg", "mm[Hg]")
    systolic, diastolic = (
        Component(each, pressure) for each in ("systolic-blood-pressure", "diastolic-blood-pressure")
    )
    resource, _ = shaped("85354-9", None, on("2012-02-03"), components=(systolic, diastolic))
    assert codes(resource) == ["85354-9"]
    resource, _ = shaped("85354-9", None, on("2012-02-03"), components=(systolic,))
    assert codes(resource) == []
    resource, _ = shaped("8480-6", pressure, on("2012-02-03"))
    assert codes(resource) == []


def test_the_codes_are_those_that_the_validator_goes_by() -> None:
    data = Path(conformance.__file__).with_name("data") / "vital_signs.json"
    profiles = json.loads(data.read_bytes())["profiles"]
    systems = {"loinc": LOINC, "snomed": "http://snomed.info/sct"}
    listed = {(systems[kind], code) for each in profiles.values() for kind in systems for code in each[kind]}
    assert set(vital_signs()) == listed
    assert all(claim.loinc in profiles[claim.name]["loinc"] for claim in vital_signs().values())
