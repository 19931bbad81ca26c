"""CodeSystems, ValueSets and ConceptMaps: do the codes, systems, properties and filters that they name exist."""

from typing import Any

import pytest

from casefhir.conformance.expression_constraints import fault
from casefhir.conformance.findings import Report
from casefhir.conformance.validator import Validator
from casefhir.terms.check_digits import snomed_fault

HERE = "https://clinic.org/fhir/"
GENDER = "http://hl7.org/fhir/administrative-gender"
PROPERTIES = "http://hl7.org/fhir/concept-properties#"
Json = dict[str, Any]


def found(given: Json, *own: Json) -> dict[str, str]:
    """The rules told of the content of `given`, with their severities."""
    report = Report()
    Validator(own).check(given, report)
    starts = ("profiles.code-system-", "profiles.value-set-", "profiles.canonical", "terminology.supplement")
    return {each.rule.partition(".")[2]: each.severity for each in report.findings if each.rule.startswith(starts)}


def system(*codes: str, **more: Any) -> Json:
    base = {"resourceType": "CodeSystem", "url": HERE + "CodeSystem/s", "status": "active", "content": "complete"}
    return {**base, "concept": [{"code": code} for code in codes], **more}


def defined(**property: Any) -> Json:
    return system("a", property=[{"code": "p", "type": "string", **property}])


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (system("a", "b", count=2), {}),
        (system("a", "b", count=3), {"code-system-count": "error"}),
        (system("a", count=3, content="fragment"), {}),
        (system("a", content="not-present"), {"code-system-count": "error"}),
        (system("a", url="CodeSystem/s"), {"canonical-url": "error"}),
        (defined(uri=HERE + "p"), {}),
        (defined(uri="p"), {"code-system-property": "error"}),
        (defined(code="notSelectable", type="boolean", uri=PROPERTIES + "notSelectable"), {}),
        (defined(code="notSelectable", uri=PROPERTIES + "notSelectable"), {"code-system-property": "error"}),
        (
            defined(code="inactive", type="dateTime", uri=PROPERTIES + "deprecationDate"),
            {"code-system-property": "error"},
        ),
        (defined(uri=PROPERTIES + "bananas"), {"code-system-property": "error"}),
        (system(property=[{"code": "p", "type": "string"}] * 2), {"code-system-property": "error"}),
        (system(supplements=GENDER), {"code-system-supplement": "error"}),
        (system("male", supplements=GENDER, content="supplement"), {}),
        (system("bananas", supplements=GENDER, content="supplement"), {"code-system-supplement": "error"}),
        (system("8480-7", supplements="http://loinc.org", content="supplement"), {"code-system-supplement": "error"}),
    ],
)
def test_a_code_system_says_what_it_holds(given, rules):
    assert found(given) == rules


def test_a_concepts_property_has_the_type_defined():
    def valued(**value: Any) -> Json:
        concept = {"code": "a", "property": [{"code": "p", **value}]}
        return defined(type="integer") | {"concept": [concept]}

    assert found(valued(valueInteger=1)) == {}
    assert found(valued(valueString="1")) == {"code-system-value": "error"}
    assert found(valued(code="other", valueString="1")) == {"code-system-value": "warning"}


def test_a_supplements_codes_are_those_of_its_system():
    adds = system("male", supplements=GENDER, content="supplement")
    code = {"coding": [{"system": HERE + "CodeSystem/s", "code": "male"}]}
    assert found({"resourceType": "Observation", "status": "final", "code": code}, adds) == {"supplement": "error"}


def included(**include: Any) -> Json:
    return {
        "resourceType": "ValueSet",
        "url": HERE + "ValueSet/v",
        "status": "active",
        "compose": {"include": [include]},
    }


def filtered(property: str, op: str, value: str, of: str = HERE + "CodeSystem/s") -> Json:
    return included(system=of, filter=[{"property": property, "op": op, "value": value}])


SYSTEM = system(
    "a",
    property=[
        {"code": "kind", "type": "Coding"},
        {"code": "open", "type": "boolean"},
        {"code": "since", "type": "dateTime"},
        {"code": "size", "type": "integer"},
    ],
)
SNOMED = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (included(system=GENDER, concept=[{"code": "male"}]), None),
        (included(system=GENDER, concept=[{"code": "bananas"}]), "code"),
        (included(system=SNOMED, concept=[{"code": "1"}]), "code"),
        (included(system="#s"), "system"),
        (included(system="http://hl7.org/fhir/ValueSet/observation-status"), "system"),
        (filtered("concept", "is-a", "a"), None),
        (filtered("concept", "is-a", "b"), "filter"),
        (filtered("concept", "is-a", "something", SNOMED), "filter"),
        (filtered("code", "regex", "a.*"), None),
        (filtered("code", "regex", "a("), "filter"),
        (filtered("open", "exists", "maybe"), "filter"),
        (filtered("open", "=", "true"), None),
        (filtered("open", "=", "1"), "filter"),
        (filtered("notSelectable", "=", "1"), "filter"),
        (filtered("since", "=", "2020-01"), None),
        (filtered("since", "=", "yesterday"), "filter"),
        (filtered("size", "=", "lt2"), None),
        (filtered("kind", "=", GENDER + "#male"), None),
        (filtered("kind", "=", GENDER + "|4.0.1#male"), None),
        (filtered("kind", "=", GENDER + "|male"), None),
        (filtered("kind", "=", GENDER + "#bananas"), "filter"),
        (filtered("kind", "=", "male"), "filter"),
        (filtered("constraint", "=", "<< 404684003", SNOMED), None),
        (filtered("constraint", "=", "404684003 << 404684003", SNOMED), "filter"),
    ],
)
def test_a_value_set_names_what_there_is(given, rule):
    assert found(given, SYSTEM) == ({} if rule is None else {f"value-set-{rule}": "error"})


@pytest.mark.parametrize(
    ("language", "text", "right"),
    [
        ("text/fhirpath", "%open", True),
        ("text/fhirpath", "%closed", False),
        ("text/fhirpath", "%open and", False),
        ("text/cql", "%open", False),
    ],
)
def test_a_filters_expression_is_over_the_value_sets_parameters(language, text, right):
    expression = {"language": language, "expression": text}
    url = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
    one = {
        "property": "open",
        "op": "=",
        "_value": {"extension": [{"url": url, "valueExpression": expression}]},
    }
    name = {
        "url": "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter",
        "extension": [{"url": "name", "valueCode": "open"}],
    }
    given = included(system=HERE + "CodeSystem/s", filter=[one]) | {"extension": [name]}
    assert found(given, SYSTEM) == ({} if right else {"value-set-expression": "error"})


@pytest.mark.parametrize(
    ("source", "target", "rules"),
    [
        ("male", "a", {}),
        ("bananas", "a", {"value-set-map": "error"}),
        ("male", "z", {"value-set-map": "error"}),
        ("male", "b", {"value-set-map": "warning"}),
    ],
)
def test_a_map_maps_codes_of_its_value_sets(source, target, rules):
    element = {"code": source, "target": [{"code": target, "equivalence": "equivalent"}]}
    given = {
        "resourceType": "ConceptMap",
        "url": HERE + "ConceptMap/m",
        "status": "active",
        "sourceCanonical": "http://hl7.org/fhir/ValueSet/administrative-gender",
        "targetCanonical": HERE + "ValueSet/v",
        "group": [{"source": GENDER, "target": HERE + "CodeSystem/s", "element": [element]}],
    }
    both = SYSTEM | {"concept": [{"code": "a"}, {"code": "b"}]}
    assert found(given, both, included(system=HERE + "CodeSystem/s", concept=[{"code": "a"}])) == rules


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("<< 404684003 |Clinical finding (finding)|", True),
        ("< 404684003 AND ^ 700043003", True),
        ("(<< 73211009 OR << 404684003) MINUS 22298006", True),
        ("<< 404684003 : 363698007 = *", True),
        ("404684003 404684003", False),
        ("<<", False),
        ("404684003)", False),
        ("73211009 or", False),
        ("diabetes", False),
    ],
)
def test_an_expression_constraint_has_a_form(text, right):
    assert (fault(text) is None) == right


@pytest.mark.parametrize(("code", "right"), [("73211009", True), ("73211009x", False), ("22298006|MI|", True)])
def test_a_snomed_identifier_is_digits_and_an_expression_more(code, right):
    assert (snomed_fault(code) is None) == right
