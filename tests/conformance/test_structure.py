"""Layer structure: elements, types, cardinality and JSON's two halves of a primitive."""

from decimal import Decimal

import pytest

from tests.conformance.builders import TEXT, bundle, coded, condition, errors, found, observation, patient, rules

CORE = "http://hl7.org/fhir/StructureDefinition/"
WORDS = {"url": CORE + "originalText", "valueString": "x"}
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
        (patient(extension=[{"_url": ABSENT, "valueString": "x"}]), "structure.missing"),
        (patient(extension=[WORDS | {"_url": ABSENT}]), "structure.url-extension"),
        (patient(extension=[WORDS | {"extension": [WORDS]}]), "ext-1"),
        (patient(extension=[{"url": WORDS["url"] + "|4.0.1", "valueString": "x"}]), "structure.unknown-extension"),
        (patient(modifierExtension=[WORDS]), "structure.modifier-extension"),
        (patient(name=[{"text": "x", "modifierExtension": [WORDS]}]), "structure.unknown-element"),
        (patient(name=[{"resourceType": "HumanName", "text": "x"}]), "structure.unknown-element"),
        (patient(**{"xml:id": "a"}), "structure.unknown-element"),
        (patient(fhir_comments=["x"]), "structure.unknown-element"),
        (patient() | {"_birthDate": None}, "structure.null"),
        (patient() | {"birthDate": "2012", "_birthDate": None}, "structure.null"),
        (patient(_birthDate={"id": "a"}), "ele-1"),
        (patient(_birthDate={}), "structure.empty-object"),
        (patient(name=[{"given": ["a"], "_given": [None, None]}]), "structure.null"),
        (patient(name=[{"given": [], "_given": [ABSENT]}]), "structure.empty-array"),
        (patient(name=[{"text": "x", "id": "a"}, {"text": "y", "id": "a"}]), "structure.duplicate-id"),
        (patient(birthDate="2012", _birthDate={"id": "a"}, name=[{"text": "x", "id": "a"}]), "structure.duplicate-id"),
        (patient(identifier=[{"system": "HTTP://X.TEST", "value": "1"}]), "structure.identifier-system"),
        (patient(photo=[{"contentType": "image/png", "data": "YW Jj"}]), "structure.base64Binary"),
        (patient(photo=[{"contentType": "image/png", "data": "YWJjY=Jj"}]), "structure.base64Binary"),
        (patient(gender=None, _gender=ABSENT), "terminology.required-binding"),
        ({"resourceType": "Bananas"}, "structure.unknown-resource"),
        ({"text": TEXT}, "structure.unknown-resource"),
        ({"resourceType": "Resource"}, "structure.unknown-resource"),
        ({"resourceType": "Quantity", "value": 1}, "structure.unknown-resource"),
    ],
)
def test_a_structural_fault_is_an_error(resource, rule):
    assert rule in errors(resource)


@pytest.mark.parametrize(
    "resource",
    [
        patient(name=[{"given": ["a"], "_given": [{"id": "x"}]}]),
        patient(name=[{"given": [None], "_given": [ABSENT]}]),
        patient(name=[{"_given": [ABSENT]}]),
        patient(extension=[WORDS | {"_url": {"id": "x"}}]),
        patient(extension=[{"url": WORDS["url"], "_valueString": ABSENT}]),
        patient(photo=[{"contentType": "image/png", "data": "YWJj\n YWI=\n"}]),
        patient(contact=[{"name": {"text": "x", "id": "a"}}], id="a"),
    ],
)
def test_the_odd_forms_of_r4s_json_are_valid(resource):
    assert rules(resource) == set()


@pytest.mark.parametrize("text", [" ", "\t", "a\u0001b", "\u0000"])
def test_text_that_nobody_can_read_is_a_warning(text):
    (one,) = found(patient(name=[{"text": text}]))
    assert (one.severity, one.rule) == ("warning", "structure.unreadable-text")


def test_the_same_id_in_two_resources_is_no_duplicate():
    assert "structure.duplicate-id" not in rules(
        bundle(patient(name=[{"text": "x", "id": "a"}]), patient(name=[{"text": "y", "id": "a"}]))
    )


def test_a_contained_resource_that_only_itself_refers_to_is_an_orphan():
    alone = observation(id="a", text=None, derivedFrom=[{"reference": "#a"}])
    holder = observation(id="b", text=None, derivedFrom=[{"reference": "#a"}])
    assert "dom-3" in rules(patient(contained=[alone]))
    assert "dom-3" in rules(patient(contained=[observation(id="a", text=None), holder]))
    assert "dom-3" not in rules(observation(contained=[alone], derivedFrom=[{"reference": "#a"}]))


def test_a_choice_of_a_finding_is_told_as_fhirpath_and_json_key():
    (one,) = [each for each in found(observation() | {"valueQuantity": None}) if each.rule == "structure.null"]
    assert (one.location, one.pointer) == ("Observation.value.ofType(Quantity)", "/valueQuantity")


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
