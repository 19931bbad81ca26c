"""Layer invariants: each rule with an example that keeps it and one that breaks it."""

import pytest

from casefhir.conformance.definitions import core
from casefhir.conformance.fhirpath import compiled
from tests.conformance.builders import DIV, bundle, coded, condition, errors, observation, patient, rules, urn

UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
STATEMENT = {
    "resourceType": "MedicationStatement",
    "text": {"status": "generated", "div": DIV},
    "status": "completed",
    "medicationCodeableConcept": {"text": "x"},
    "subject": {"reference": "Patient/1"},
}


def timed(**repeat):
    return STATEMENT | {"dosage": [{"timing": {"repeat": repeat}}]}


def ranged(low, high):
    unit = {"unit": "g/L", "system": UCUM, "code": "g/L"}
    return observation(valueRange={"low": {"value": low, **unit}, "high": {"value": high, **unit}})


CASES = [
    ("obs-3", observation(referenceRange=[{"text": "low"}]), observation(referenceRange=[{"type": {"text": "x"}}])),
    ("obs-6", observation(valueString="x"), observation(valueString="x", dataAbsentReason={"text": "x"})),
    (
        "obs-7",
        observation(valueString="x", component=[{"code": coded("http://loinc.org", "8480-6")}]),
        observation(
            code=coded("http://loinc.org", "8480-6"),
            valueString="x",
            component=[{"code": coded("http://loinc.org", "8480-6")}],
        ),
    ),
    (
        "per-1",
        observation(effectiveDateTime=None, effectivePeriod={"start": "2011", "end": "2012-03"}),
        observation(effectiveDateTime=None, effectivePeriod={"start": "2012", "end": "2011-03"}),
    ),
    (
        "qty-3",
        observation(valueQuantity={"value": 1, "system": UCUM, "code": "g"}),
        observation(valueQuantity={"value": 1, "code": "g"}),
    ),
    ("rng-2", ranged(1, 2), ranged(2, 1)),
    ("tim-1", timed(duration=1, durationUnit="h"), timed(duration=1)),
    ("tim-2", timed(period=1, periodUnit="d"), timed(period=1)),
    ("tim-4", timed(duration=1, durationUnit="h"), timed(duration=-1, durationUnit="h")),
    ("tim-5", timed(period=1, periodUnit="d"), timed(period=-1, periodUnit="d")),
    ("tim-6", timed(period=1, periodMax=2, periodUnit="d"), timed(periodMax=2)),
    ("tim-8", timed(count=1, countMax=2), timed(countMax=2)),
    ("tim-9", timed(when=["AC"], offset=5), timed(when=["C"], offset=5)),
    ("tim-10", timed(timeOfDay=["10:00:00"]), timed(timeOfDay=["10:00:00"], when=["AC"])),
    ("pat-1", patient(contact=[{"name": {"text": "x"}}]), patient(contact=[{"gender": "male"}])),
    ("cpt-2", patient(telecom=[{"system": "phone", "value": "1"}]), patient(telecom=[{"value": "1"}])),
    ("att-1", patient(photo=[{"contentType": "image/png", "data": "YWJj"}]), patient(photo=[{"data": "YWJj"}])),
    (
        "con-4",
        condition(clinicalStatus=coded(CLINICAL, "resolved"), abatementDateTime="2012"),
        condition(abatementDateTime="2012"),
    ),
    ("con-1", condition(stage=[{"summary": {"text": "x"}}]), condition(stage=[{"type": {"text": "x"}}])),
    (
        "con-2",
        condition(evidence=[{"code": [{"text": "x"}]}]),
        condition(
            evidence=[
                {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/originalText", "valueString": "x"}]}
            ]
        ),
    ),
    (
        "con-3",
        condition(category=[coded(CATEGORY, "problem-list-item")]),
        condition(category=[coded(CATEGORY, "problem-list-item")], clinicalStatus=None),
    ),
    ("txt-1", patient(), patient(text={"status": "generated", "div": DIV.replace("x<", "<script>x</script><")})),
    ("txt-2", patient(), patient(text={"status": "generated", "div": DIV.replace("x<", " <")})),
    ("dom-6", patient(), patient(text=None)),
    (
        "dom-2",
        observation(contained=[patient(id="a", text=None)], subject={"reference": "#a"}),
        observation(contained=[patient(id="a", contained=[patient(id="b")])], subject={"reference": "#a"}),
    ),
    (
        "dom-4",
        observation(contained=[patient(id="a", text=None)], subject={"reference": "#a"}),
        observation(contained=[patient(id="a", meta={"versionId": "1"})], subject={"reference": "#a"}),
    ),
    ("bdl-1", bundle(patient()), bundle(patient()) | {"total": 1}),
    (
        "bdl-2",
        bundle(patient()),
        bundle() | {"entry": [{"fullUrl": urn(1), "resource": patient(), "search": {"mode": "match"}}]},
    ),
    ("bdl-3", bundle(patient()), bundle(patient(), type="transaction")),
    ("bdl-5", bundle(patient()), bundle() | {"entry": [{"fullUrl": urn(1)}]}),
    (
        "bdl-7",
        bundle(patient(), patient()),
        bundle() | {"entry": [{"fullUrl": urn(1), "resource": patient()}, {"fullUrl": urn(1), "resource": patient()}]},
    ),
    (
        "bdl-8",
        bundle(patient()),
        bundle() | {"entry": [{"fullUrl": "http://x.test/Patient/1/_history/1", "resource": patient(id="1")}]},
    ),
]


@pytest.mark.parametrize(("key", "kept", "broken"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_passes_what_keeps_it_and_names_what_breaks_it(key, kept, broken):
    assert key not in rules(kept)
    assert key in rules(broken)


@pytest.mark.parametrize(("key", "kept"), [(case[0], case[1]) for case in CASES], ids=[case[0] for case in CASES])
def test_what_keeps_a_rule_breaks_no_other(key, kept):
    assert errors(kept, layers={"structure", "invariants"}) == set()


def test_best_practice_is_a_warning():
    assert "dom-6" not in errors(patient(text=None))


def test_every_constraint_of_the_definitions_is_translated():
    for url in core().members:
        source = core().read(url)
        if source["resourceType"] != "StructureDefinition":
            continue
        for view in ("snapshot", "differential"):
            for element in source.get(view, {}).get("element", ()):
                for each in element.get("constraint", ()):
                    if "expression" in each:
                        compiled(each["expression"])


@pytest.mark.parametrize(
    "inside",
    [
        "<script>x</script>",
        "<iframe>x</iframe>",
        '<b onclick="x">x</b>',
        '<a href="javascript:x">x</a>',
        "<u>x</u>",
        "<p>x",
        "&nbsp;x",
        "&copy;",
        '<a href="#nowhere">x</a>',
        '<img src="#nowhere"/>',
        '<p xmlns="http://x.test">x</p>',
        '<a href=" java\tscript:x">x</a>',
        "<!DOCTYPE x>x",
        "<p data-x='1'>x</p>",
    ],
)
def test_a_narrative_that_browsers_should_not_get_is_an_error(inside):
    assert errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")}))


@pytest.mark.parametrize(
    "inside",
    [
        "<b>x</b>",
        '<p id="a">x</p><a href="#a">x</a>',
        "<table><tbody><tr><td>x</td></tr></tbody></table>",
        "&#160;x",
        '<p style="color: red" class="y">x</p>',
        '<img src="http://x.test/y.png" alt="y"/>',
        "<!-- x -->y",
        "a&lt;b",
    ],
)
def test_a_plain_narrative_is_valid(inside):
    assert errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")})) == set()
