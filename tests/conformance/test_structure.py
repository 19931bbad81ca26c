"""Layer structure: elements, types, cardinality and JSON's two halves of a primitive."""

from decimal import Decimal

import pytest

from tests.conformance.builders import TEXT, coded, condition, errors, found, observation, patient, rules

CORE = "http://hl7.org/fhir/StructureDefinition/"
ABSENT = {"extension": [{"url": CORE + "data-absent-reason", "valueCode": "unknown"}]}


@pytest.mark.parametrize("resource", [patient(), observation(), condition()])
def test_a_valid_resource_has_no_findings(resource):
    assert found(resource) == []


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        (patient(nickname="x"), "structure.unknown-element"),
        (patient(value=1), "structure.unknown-element"),
        (observation(value={"text": "x"}), "structure.unknown-element"),
        (observation(_status="x"), "structure.type"),
        (observation(_code={"id": "x"}), "structure.unknown-element"),
        (observation(status=None), "structure.missing"),
        (observation(valueString="x", valueInteger=1), "structure.choice"),
        (patient(name={"text": "x"}), "structure.not-an-array"),
        (patient(gender=["female"]), "structure.array"),
        (patient(name=[]), "structure.empty-array"),
        (patient(name=[{}]), "structure.empty-object"),
        (patient(name=[{"id": "a"}]), "ele-1"),
        (patient(birthDate=None, name=[None]), "structure.type"),
        (patient(name=[{"given": ["a", None]}]), "structure.null"),
        (patient(active="true"), "structure.type"),
        (patient(active=1), "structure.type"),
        (patient(multipleBirthInteger=True), "structure.type"),
        (patient(multipleBirthInteger=Decimal("1.0")), "structure.integer"),
        (patient(multipleBirthInteger=2**31), "structure.integer"),
        (patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]), "structure.positiveInt"),
        (observation(valueQuantity={"value": "1"}), "structure.type"),
        (patient(id="a" * 65), "structure.id"),
        (patient(id="a_b"), "structure.id"),
        (patient(language=" en"), "structure.code"),
        (patient(name=[{"text": ""}]), "structure.string"),
        (patient(identifier=[{"system": "not absolute", "value": "1"}]), "structure.uri"),
        (patient(identifier=[{"system": "mrn", "value": "1"}]), "structure.identifier-system"),
        (patient(identifier=[{"system": "urn:oid:x", "value": "1"}]), "structure.uri"),
        (patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "x"}]), "structure.identifier-uri"),
        (patient(photo=[{"contentType": "image/png", "data": "abc"}]), "structure.base64Binary"),
        (patient(photo=[{"contentType": "image/png", "data": "YWJj", "size": 9}]), "structure.attachment-size"),
        (patient(photo=[{"contentType": "image/png", "data": "YWJj", "hash": "YWJj"}]), "structure.attachment-hash"),
        ({"resourceType": "Bananas"}, "structure.unknown-resource"),
        ({"text": TEXT}, "structure.unknown-resource"),
        ({"resourceType": "Resource"}, "structure.unknown-resource"),
        ({"resourceType": "Quantity", "value": 1}, "structure.unknown-resource"),
    ],
)
def test_a_structural_fault_is_an_error(resource, rule):
    assert rule in errors(resource)


def test_a_null_aligned_array_with_extensions_is_valid():
    assert rules(patient(name=[{"given": ["Ada", None], "_given": [None, ABSENT]}])) == set()


def test_a_primitive_may_have_only_an_extension():
    assert rules(patient(_birthDate=ABSENT)) == set()


def test_a_finding_says_where_in_fhirpath_and_json_pointer():
    (one,) = found(observation(component=[{"code": {"text": "x"}, "valueQuantity": {"value": 1, "bananas": 2}}]))
    assert one.location == "Observation.component[0].value.ofType(Quantity).bananas"
    assert one.pointer == "/component/0/valueQuantity/bananas"


def test_an_unknown_element_is_told_with_the_nearest_name():
    (one,) = found(patient(birthdate="2001"))
    assert "birthDate" in one.mend


@pytest.mark.parametrize(
    ("extension", "rule"),
    [
        ({"url": "http://hl7.org/fhir/StructureDefinition/originalText"}, "ext-1"),
        ({"url": "http://hl7.org/fhir/StructureDefinition/originalText", "valueCode": "x"}, "profiles.type"),
        ({"url": "http://unknown.test/x", "valueString": "x"}, "structure.unknown-extension"),
        ({"url": "x", "valueString": "x"}, "structure.extension-url"),
        ({"valueString": "x"}, "structure.missing"),
        (
            {"url": CORE + "condition-dueTo", "valueReference": {"reference": "Condition/1"}},
            "structure.extension-context",
        ),
        (
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-nationality",
                "extension": [{"url": "bananas", "valueString": "x"}],
            },
            "profiles.sub-extension",
        ),
    ],
)
def test_an_extension_is_known_and_as_defined(extension, rule):
    assert rule in errors(patient(extension=[extension]))


def test_an_extension_that_does_not_modify_is_no_modifier():
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/originalText", "valueString": "x"}
    assert "structure.modifier-extension" in errors(patient(modifierExtension=[extension]))


@pytest.mark.parametrize(
    ("contained", "reference", "rule"),
    [
        ([{"resourceType": "Patient", "id": "p"}], "Patient/1", "dom-3"),
        ([{"resourceType": "Patient"}], "#p", "structure.contained-id"),
        ([{"resourceType": "Patient", "id": "p"}] * 2, "#p", "structure.contained-id"),
        ([], "#p", "ref-1"),
    ],
)
def test_contained_resources_have_ids_and_are_referred_to(contained, reference, rule):
    assert rule in errors(observation(contained=contained or None, subject={"reference": reference}))


def test_a_contained_resource_that_is_referred_to_is_valid():
    contained = [{"resourceType": "Patient", "id": "p", "gender": "female"}]
    assert errors(observation(contained=contained, subject={"reference": "#p"})) == set()


def test_a_layer_that_was_not_asked_for_says_nothing():
    wrong = condition(bananas=1, clinicalStatus=coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "x"))
    assert "structure.unknown-element" not in rules(wrong, layers={"terminology"})
    assert "terminology.required-binding" not in rules(wrong, layers={"structure"})
