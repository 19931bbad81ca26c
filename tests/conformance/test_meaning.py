"""Layer meaning: what the standard allows and no patient can have is a warning."""

import pytest

from tests.conformance.builders import TEXT, bundle, coded, condition, errors, found, observation, patient, rules, urn

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
RESOLVED = coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")


def amount(value, unit="U/L"):
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def ck(value, unit="U/L", **more):
    code, subject = coded(LOINC, "2157-6"), {"reference": urn(0)}
    return observation(code=code, subject=subject, valueQuantity=amount(value, unit), **more)


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
    ("implausible-value", ck(100), ck(3_000_000)),
    (
        "interpretation",
        ck(100, interpretation=[coded(INTERPRETATION, "N")], referenceRange=[{"low": amount(0), "high": amount(170)}]),
        ck(1000, interpretation=[coded(INTERPRETATION, "N")], referenceRange=[{"low": amount(0), "high": amount(170)}]),
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
