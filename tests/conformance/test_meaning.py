"""Layer meaning: what the standard allows and no patient can have is a warning."""

from decimal import Decimal
from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.conformance import validate
from casefhir.conformance.units import incommensurable
from casefhir.terms import catalogue, concepts
from tests.conformance.builders import TEXT, bundle, coded, condition, errors, found, observation, patient, rules, urn

DATA = Path(catalogue.__file__).parent / "data"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
RESOLVED = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")


def amount(value, unit="U/L"):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def ck(value, unit="U/L", **more):
    code, subject = coded(LOINC, "2157-6"), {"reference": urn(0)}
    return observation(code=code, subject=subject, valueQuantity=amount(value, unit), **more)


def measured(code, value, unit):
    return observation(code=coded(LOINC, code), valueQuantity=amount(value, unit))


def dosed(value, text, code):
    dose = {"value": value, "unit": text, "system": UCUM, "code": code}
    return course("2012") | {
        "subject": {"reference": "Patient/1"},
        "dosage": [{"doseAndRate": [{"doseQuantity": dose}]}],
    }


def course(begin):
    return {
        "resourceType": "MedicationStatement",
        "text": TEXT,
        "status": "completed",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": urn(0)},
        "effectiveDateTime": begin,
    }


def event(date):
    return {
        "resourceType": "AdverseEvent",
        "text": TEXT,
        "actuality": "actual",
        "event": {"text": "headache"},
        "subject": {"reference": urn(0)},
        "date": date,
        "suspectEntity": [{"instance": {"reference": urn(1)}}],
    }


CASES = [
    (
        "end-before-start",
        condition(onsetDateTime="2010", abatementDateTime="2011", clinicalStatus=RESOLVED),
        condition(onsetDateTime="2012", abatementDateTime="2011", clinicalStatus=RESOLVED),
    ),
    (
        "event-before-suspect",
        bundle(patient(), course("2012-05"), event("2012-05-02")),
        bundle(patient(), course("2012-05"), event("2012-04-30")),
    ),
    ("before-birth", bundle(patient(birthDate="1990"), ck(100)), bundle(patient(birthDate="2013"), ck(100))),
    (
        "after-death",
        bundle(patient(deceasedDateTime="2012-06"), course("2012-05")),
        bundle(patient(deceasedDateTime="2012-04"), course("2012-05")),
    ),
    ("implausible-value", ck(100), ck(300_000_000)),
    (
        "interpretation",
        ck(100, interpretation=[coded(INTERPRETATION, "N")], referenceRange=[{"low": amount(0), "high": amount(170)}]),
        ck(1000, interpretation=[coded(INTERPRETATION, "N")], referenceRange=[{"low": amount(0), "high": amount(170)}]),
    ),
    (
        "interpretation",
        ck(9, interpretation=[coded(INTERPRETATION, "L")], referenceRange=[{"low": amount(10), "high": amount(170)}]),
        ck(9, interpretation=[coded(INTERPRETATION, "H")], referenceRange=[{"low": amount(10), "high": amount(170)}]),
    ),
    (
        "interpretation",
        ck(900, interpretation=[coded(INTERPRETATION, "H")], referenceRange=[{"low": amount(10), "high": amount(170)}]),
        ck(900, interpretation=[coded(INTERPRETATION, "L")], referenceRange=[{"low": amount(10), "high": amount(170)}]),
    ),
    ("implausible-value", ck(0), ck(-1)),
    ("implausible-value", measured("59408-5", 100, "%"), measured("59408-5", Decimal("100.00000000000000000001"), "%")),
    ("implausible-value", measured("8310-5", Decimal("98.6"), "[degF]"), measured("8310-5", Decimal("98.6"), "Cel")),
    ("implausible-value", measured("718-7", 150, "g/L"), measured("718-7", 150, "g/dL")),
    ("unit-of-code", ck(100, "ukat/L"), ck(100, "kg")),
    ("unit-of-code", ck(100, "[IU]/L"), ck(100, "%")),
    ("unit-of-code", measured("26464-8", 5000, "/uL"), measured("26464-8", 5, "g/L")),
    (
        "unit-of-code",
        ck(1) | {"valueQuantity": {"value": 1, "unit": "IU"}},
        ck(1) | {"valueQuantity": {"value": 1, "unit": "kg"}},
    ),
    ("unit-of-code", measured("20150-9", 3, "L"), measured("20150-9", 80, "%")),
    (
        "reversed-range",
        ck(9, referenceRange=[{"low": amount(10), "high": amount(170)}]),
        ck(9, referenceRange=[{"low": amount(170), "high": amount(10)}]),
    ),
    ("unit-text", dosed(4, "mcg", "ug"), dosed(4, "mg", "g")),
    ("unit-text", dosed(4, "mg per day", "mg/d"), dosed(4, "mg/day", "mg/wk")),
    ("unit-text", dosed(4, "tablets", "{tablet}"), dosed(4, "g", "mg")),
    ("dose-of-nothing", dosed(Decimal("0.1"), "mg", "mg"), dosed(0, "mg", "mg")),
    ("dose-of-nothing", dosed(1, "mg", "mg"), dosed(Decimal("-0.5"), "mg", "mg")),
    (
        "death-before-birth",
        patient(birthDate="1970-05", deceasedDateTime="1970"),
        patient(birthDate="1970-05", deceasedDateTime="1970-04-30"),
    ),
    ("unit-changes", bundle(patient(), ck(100), ck(200)), bundle(patient(), ck(100), ck(200, "ug/L"))),
    (
        "age",
        bundle(
            patient(birthDate="1970"),
            observation(code=coded(LOINC, "30525-0"), subject={"reference": urn(0)}, valueQuantity=amount(42, "a")),
        ),
        bundle(
            patient(birthDate="1970"),
            observation(code=coded(LOINC, "30525-0"), subject={"reference": urn(0)}, valueQuantity=amount(24, "a")),
        ),
    ),
]


@pytest.mark.parametrize(("rule", "plausible", "doubtful"), CASES, ids=[case[0] for case in CASES])
def test_what_cannot_be_is_a_warning(rule, plausible, doubtful):
    assert f"meaning.{rule}" not in rules(plausible)
    assert f"meaning.{rule}" in rules(doubtful)
    assert f"meaning.{rule}" not in errors(doubtful)


def test_dates_of_different_precision_are_not_called_wrong():
    assert found(condition(onsetDateTime="2011-05", abatementDateTime="2011", clinicalStatus=RESOLVED)) == []


def test_a_range_with_a_type_says_nothing_about_normal():
    typed = [{"low": amount(0), "high": amount(88), "type": {"text": "scale"}}]
    normal = [coded(INTERPRETATION, "N")]
    assert "meaning.interpretation" not in rules(ck(1000, interpretation=normal, referenceRange=typed))


def test_a_percentage_that_is_more_than_all_by_a_digit_is_found_in_bytes_too():
    data = exactjson.write(measured("59408-5", Decimal("100.00000000000000000001"), "%"))
    assert "meaning.implausible-value" in {each.rule for each in validate(data).findings}


def test_every_bound_has_a_reason_and_a_unit_that_fits_the_catalogue():
    rows = [line.split("\t") for line in (DATA / "bounds.tsv").read_text().splitlines()[1:]]
    units = {coding.code: each.unit for each in concepts().values() for coding in each.codings if each.unit}
    assert len({row[0] for row in rows}) == len(rows)
    for code, unit, least, most, why in rows:
        assert why
        assert Decimal(least) < Decimal(most)
        assert not incommensurable(unit, units.get(code, unit))
