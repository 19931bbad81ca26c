"""Layer profiles: differentials, slicing, extensions of ours and the vital signs that codes imply."""

import json
from decimal import Decimal
from typing import Any

import pytest

from casefhir.conformance import validate
from casefhir.conformance.packages import UnreadablePackage, load
from tests.conformance.builders import bundle, coded, errors, found, observation, patient, urn

URL = "https://example.org/fhir/StructureDefinition/x"
BASE = "http://hl7.org/fhir/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"


def profile(*elements: dict[str, Any], type: str = "Observation", base: str | None = None, url: str = URL) -> Any:
    differential = {"element": [{"id": each["path"], **each} for each in elements]}
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "X",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": type,
        "derivation": "constraint",
        "baseDefinition": base or BASE + type,
        "differential": differential,
    }


@pytest.fixture
def broken(tmp_path):
    """The error rules of a resource against the last of some profiles."""

    def run(resource, *definitions, url=None):
        for number, each in enumerate(definitions):
            (tmp_path / f"{number}.json").write_text(json.dumps(each))
        report = validate(resource, profiles=[tmp_path], profile=url or definitions[-1]["url"])
        return {each.rule for each in report.findings if each.severity == "error"}

    return run


def quantity(value=1, **more):
    return {"value": Decimal(value), "unit": "g", "system": UCUM, "code": "g"} | more


CATEGORIES = "http://hl7.org/fhir/ValueSet/observation-category"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize(
    ("element", "kept", "broken_by", "rule"),
    [
        ({"path": "Observation.note", "min": 1}, {"note": [{"text": "x"}]}, {}, "profiles.missing"),
        ({"path": "Observation.note", "max": "0"}, {}, {"note": [{"text": "x"}]}, "profiles.too-many"),
        ({"path": "Observation.status", "fixedCode": "final"}, {}, {"status": "amended"}, "profiles.fixed"),
        (
            {"path": "Observation.code", "patternCodeableConcept": coded("http://foo.test", "a")},
            {"code": coded("http://foo.test", "a")},
            {"code": coded("http://foo.test", "b")},
            "profiles.pattern",
        ),
        (
            {"path": "Observation.value[x]", "type": [{"code": "Quantity"}]},
            {"valueQuantity": quantity()},
            {"valueString": "x"},
            "profiles.type",
        ),
        (
            {"path": "Observation.valueQuantity", "max": "0"},
            {"valueString": "x"},
            {"valueQuantity": quantity()},
            "profiles.too-many",
        ),
        (
            {"path": "Observation.value[x].value", "maxValueDecimal": 10},
            {"valueQuantity": quantity(9)},
            {"valueQuantity": quantity(11)},
            "profiles.bounds",
        ),
        ({"path": "Observation.code.text", "maxLength": 3}, {"code": {"text": "abc"}}, {}, "profiles.max-length"),
        (
            {"path": "Observation.subject", "type": [{"code": "Reference", "targetProfile": [BASE + "Group"]}]},
            {"subject": {"reference": "Group/1"}},
            {},
            "profiles.target-type",
        ),
        (
            {
                "path": "Observation",
                "constraint": [{"key": "x-1", "severity": "error", "human": "A note.", "expression": "note.exists()"}],
            },
            {"note": [{"text": "x"}]},
            {},
            "x-1",
        ),
        (
            {"path": "Observation.code", "binding": {"strength": "required", "valueSet": CATEGORIES}},
            {"code": coded(CATEGORY, "exam")},
            {"code": coded("http://foo.test", "exam")},
            "terminology.required-binding",
        ),
    ],
    ids=lambda each: each["path"] if isinstance(each, dict) and "path" in each else None,
)
def test_a_constraint_of_a_differential(broken, element, kept, broken_by, rule):
    assert broken(observation(**kept), profile(element)) == set()
    assert rule in broken(observation(**broken_by), profile(element))


SLICED = [
    {
        "path": "Observation.component",
        "slicing": {"discriminator": [{"type": "pattern", "path": "code"}], "rules": "closed"},
    },
    {"id": "Observation.component:a", "path": "Observation.component", "sliceName": "a", "min": 1, "max": "1"},
    {
        "id": "Observation.component:a.code",
        "path": "Observation.component.code",
        "patternCodeableConcept": coded("http://foo.test", "a"),
    },
    {"id": "Observation.component:a.value[x]", "path": "Observation.component.value[x]", "min": 1},
]


@pytest.mark.parametrize(
    ("components", "rule"),
    [
        ([("a", "x")], None),
        ([("a", None)], "profiles.missing"),
        ([], "profiles.missing"),
        ([("a", "x"), ("a", "x")], "profiles.too-many"),
        ([("a", "x"), ("b", "x")], "profiles.closed-slicing"),
    ],
)
def test_slices_are_told_apart_and_counted(broken, components, rule):
    made = [
        {"code": coded("http://foo.test", code)} | ({"valueString": value} if value else {})
        for code, value in components
    ]
    seen = broken(observation(component=made or None), profile(*SLICED))
    assert seen == (set() if rule is None else {rule})


@pytest.mark.parametrize(
    ("discriminator", "element", "inside", "outside"),
    [
        (
            {"type": "value", "path": "code.coding.code"},
            {
                "id": "Observation.component:a.code.coding.code",
                "path": "Observation.component.code.coding.code",
                "fixedCode": "a",
            },
            {"code": coded("http://foo.test", "a")},
            {"code": coded("http://foo.test", "b")},
        ),
        (
            {"type": "type", "path": "value"},
            {
                "id": "Observation.component:a.value[x]",
                "path": "Observation.component.value[x]",
                "type": [{"code": "Quantity"}],
            },
            {"code": {"text": "x"}, "valueQuantity": quantity()},
            {"code": {"text": "x"}, "valueString": "x"},
        ),
        (
            {"type": "exists", "path": "value"},
            {"id": "Observation.component:a.value[x]", "path": "Observation.component.value[x]", "min": 1},
            {"code": {"text": "x"}, "valueString": "x"},
            {"code": {"text": "x"}, "dataAbsentReason": {"text": "x"}},
        ),
    ],
    ids=["value", "type", "exists"],
)
def test_discriminators(broken, discriminator, element, inside, outside):
    one = profile(
        {"path": "Observation.component", "slicing": {"discriminator": [discriminator], "rules": "open"}},
        {"id": "Observation.component:a", "path": "Observation.component", "sliceName": "a", "min": 1},
        element,
    )
    assert broken(observation(component=[inside]), one) == set()
    assert broken(observation(component=[outside]), one) == {"profiles.missing"}


def test_a_profile_adds_to_the_one_it_derives_from(broken):
    parent = profile({"path": "Observation.note", "min": 1})
    child = profile({"path": "Observation.method", "min": 1}, base=URL, url=URL + "2")
    assert broken(observation(method={"text": "x"}), parent, child) == {"profiles.missing"}
    assert broken(observation(method={"text": "x"}, note=[{"text": "x"}]), parent, child) == set()


def test_a_resolved_target_must_follow_its_profile(broken):
    target = profile({"path": "Patient.birthDate", "min": 1}, type="Patient", url=URL + "-patient")
    reference = {"code": "Reference", "targetProfile": [URL + "-patient"]}
    wanted = profile({"path": "Observation.subject", "type": [reference]})
    claim = observation(subject={"reference": urn(0)}, meta={"profile": [URL]})
    holder = profile({"path": "Bundle.type", "min": 1}, type="Bundle", url=URL + "-bundle")
    assert "profiles.target-profile" in broken(bundle(patient(), claim), target, wanted, holder)
    assert broken(bundle(patient(birthDate="2000"), claim), target, wanted, holder) == set()


def test_a_profile_that_is_not_known_is_an_error_not_a_pass():
    assert "profiles.unknown" in errors(observation(meta={"profile": ["http://nowhere.test/x"]}))
    report = validate(observation(), profile="http://nowhere.test/x")
    assert {each.rule for each in report.findings} == {"profiles.unknown"}


def test_an_extension_of_ours_is_checked_against_its_definition(broken):
    value = {"path": "Extension.value[x]", "min": 1, "type": [{"code": "code"}]}
    extension = profile({"path": "Extension.url", "fixedUri": URL + "-e"}, value, type="Extension", url=URL + "-e")
    extension["context"] = [{"type": "element", "expression": "Patient"}]
    holder = profile({"path": "Patient.gender", "min": 1}, type="Patient")
    assert broken(patient(extension=[{"url": URL + "-e", "valueCode": "x"}]), extension, holder) == set()
    assert "profiles.type" in broken(patient(extension=[{"url": URL + "-e", "valueString": "x"}]), extension, holder)


def weight(**changes):
    vital = coded(CATEGORY, "vital-signs")
    kilos = {"value": 70, "unit": "kg", "system": UCUM, "code": "kg"}
    base = {
        "code": coded("http://loinc.org", "29463-7"),
        "category": [vital],
        "effectiveDateTime": "2012-05-01",
        "valueQuantity": kilos,
    }
    return observation(**(base | changes))


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        (weight(effectiveDateTime="2012-05"), "vs-1"),
        (weight(category=None), "profiles.missing"),
        (weight(valueQuantity=None, valueString="70"), "profiles.type"),
        (weight(valueQuantity=None), "vs-2"),
        (weight(valueQuantity=quantity(unit="mg", code="mg")), "terminology.required-binding"),
    ],
)
def test_a_loinc_code_of_a_vital_sign_implies_its_profile(resource, rule):
    assert errors(weight()) == set()
    assert rule in errors(resource)


def test_a_path_without_definitions_is_refused(tmp_path):
    with pytest.raises(UnreadablePackage, match="none of StructureDefinition"):
        load([tmp_path])
    with pytest.raises(UnreadablePackage, match="no such file"):
        load([tmp_path / "x"])


def test_simple_quantities_have_no_comparator():
    statement = {
        "resourceType": "MedicationStatement",
        "status": "completed",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "dosage": [{"doseAndRate": [{"doseQuantity": quantity(comparator="<")}]}],
    }
    assert {"sqty-1", "profiles.too-many"} & {each.rule for each in found(statement)}


def test_a_choice_s_short_path_leaves_the_other_types_where_the_snapshot_does(broken):
    short = profile({"path": "Observation.valueString", "max": "1"})
    types = [{"code": "string"}, {"code": "Quantity"}]
    element = {"id": "Observation.value[x]", "path": "Observation.value[x]", "type": types}
    whole = short | {"snapshot": {"element": [element]}}
    assert broken(observation(valueQuantity=quantity()), short) == {"profiles.type"}
    assert broken(observation(valueQuantity=quantity()), whole) == set()
    assert broken(observation(valueString="x"), short) == broken(observation(valueString="x"), whole) == set()
