"""The least valid resource of any type, and the examples of each constraint that are laid over one."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from casefhir.conformance.definitions import Definitions, core
from casefhir.conformance.shapes import Element, Shape, TypeRef, capital, shape
from casefhir.conformance.vocabulary import Vocabulary
from tests.conformance.builders import TEXT, Json, changed

_DATA = Path(__file__).with_name("data") / "invariants.jsonl"
_PRIMITIVES: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "positiveInt": 1,
    "unsignedInt": 0,
    "decimal": 1,
    "date": "2012-05-01",
    "dateTime": "2012-05-01",
    "instant": "2012-05-01T10:00:00Z",
    "time": "10:00:00",
    "uri": "http://x.test/a",
    "url": "http://x.test/a",
    "canonical": "http://x.test/a",
    "oid": "urn:oid:1.2.3",
    "uuid": "urn:uuid:11111111-1111-1111-1111-111111111111",
    "base64Binary": "YWJj",
    "id": "a",
    "code": "a",
}
_COMPLEX: dict[str, Json] = {
    "CodeableConcept": {"text": "x"},
    "Coding": {"system": "http://x.test/codes", "code": "a"},
    "Quantity": {"value": 1},
    "Identifier": {"value": "1"},
    "Period": {"start": "2012"},
    "Money": {"value": 1, "currency": "EUR"},
    "Expression": {"language": "text/fhirpath", "expression": "true"},
    "Attachment": {"title": "x"},
    "Annotation": {"text": "x"},
    "HumanName": {"text": "x"},
    "ContactDetail": {"name": "x"},
    "Timing": {"code": {"text": "x"}},
    "Duration": {"value": 1, "unit": "h", "system": "http://unitsofmeasure.org", "code": "h"},
    "Range": {"low": {"value": 1}},
    "Dosage": {"text": "x"},
    "UsageContext": {
        "code": {"system": "http://x.test/codes", "code": "a"},
        "valueCodeableConcept": {"text": "x"},
    },
}
# What the invariants of a type want though its elements are optional.
_BESIDE: dict[str, Json] = {
    "AllergyIntolerance": {
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        }
    },
    "Appointment": {"status": "proposed"},
    "Appointment.participant": {"actor": {"reference": "Patient/1"}},
    "AppointmentResponse": {"actor": {"reference": "Patient/1"}},
    "Basic": {"code": {"text": "x"}},
    "CapabilityStatement": {
        "kind": "requirements",
        "format": ["json"],
        "description": "x",
        "rest": [{"mode": "server"}],
    },
    "CodeSystem": {"content": "complete"},
    "Consent": {"policyRule": {"text": "x"}},
    "ImmunizationRecommendation.recommendation": {"vaccineCode": [{"text": "x"}]},
    "ImplementationGuide": {"fhirVersion": ["4.0.1"]},
    "InsurancePlan": {"name": "x"},
    "Linkage": {
        "item": [
            {"type": "source", "resource": {"reference": "Patient/1"}},
            {"type": "alternate", "resource": {"reference": "Patient/2"}},
        ]
    },
    "MolecularSequence": {"coordinateSystem": 1},
    "NamingSystem": {"kind": "identifier"},
    "NutritionOrder": {"oralDiet": {"instruction": "x"}},
    "Organization": {"name": "x"},
    "OperationDefinition.parameter": {"type": "string"},
    "Parameters.parameter": {"name": "x"},
    "StructureDefinition": {
        "url": "http://x.test/StructureDefinition/x",
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": "Basic",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Basic",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Basic", "path": "Basic"}]},
    },
    "ElementDefinition": {"id": "Basic.code", "path": "Basic.code"},
    "MeasureReport": {"type": "summary"},
    "TriggerDefinition": {"type": "named-event", "name": "x"},
    "StructureMap.group.rule.source": {"context": "a"},
    "StructureMap.group.rule.target": {"context": "a", "contextType": "variable"},
    "TerminologyCapabilities": {"kind": "requirements", "description": "x"},
    "TestScript.setup.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "TestScript.test.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "TestScript.teardown.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "Bundle": {"type": "collection"},
    "Questionnaire.item": {"linkId": "1", "type": "display"},
}


class Case(NamedTuple):
    """A constraint with what keeps it and what breaks it."""

    rule: str
    kept: Json
    broken: Json


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(Definitions())


def _code(element: Element) -> str:
    binding = element.binding
    codes = _vocabulary().codes(binding.value_set) if binding is not None and binding.strength == "required" else None
    if not codes:
        return "a"
    return min(code for each in codes.values() for code in (each if isinstance(each, frozenset) else {"a"}))


def _value(element: Element, ref: TypeRef) -> Any:
    target = shape(ref.code)
    assert target is not None
    if target.kind == "primitive-type":
        return _code(element) if ref.code == "code" else _PRIMITIVES.get(ref.code, "x")
    if ref.code == "Reference":
        named = [each.rpartition("/")[2] for each in ref.targets]
        return {"reference": f"{named[0] if named and named[0] != 'Resource' else 'Patient'}/1"}
    if target.kind == "resource":
        return {"resourceType": "Basic", "code": {"text": "x"}}
    if element.binding is not None and ref.code in ("CodeableConcept", "Coding"):
        codes = _vocabulary().codes(element.binding.value_set) if element.binding.strength == "required" else None
        for system, found in (codes or {}).items():
            if isinstance(found, frozenset):
                coding = {"system": system, "code": min(found)}
                return coding if ref.code == "Coding" else {"coding": [coding]}
    return dict(_COMPLEX[ref.code]) if ref.code in _COMPLEX else least(target)


def least(of: Shape) -> Json:
    """The required elements of a type, and what its constraints want besides."""
    found: Json = {}
    for element in of.required:
        ref = element.types[0]
        value = _value(element, ref)
        found[element.name + capital(ref.code) if element.choice else element.name] = [value] if element.many else value
    return found | _BESIDE.get(of.name, {})


def minimal(name: str) -> Json:
    """The least valid resource of type `name`, with a narrative."""
    of = shape(name)
    assert of is not None
    text = {"text": TEXT} if "text" in of.elements else {}
    return {"resourceType": name} | text | least(of)


def with_part(path: str, part: Json) -> Json:
    """The least resource that has `part`, over the least of its type, at `path` (`Patient.contact`)."""
    name, *steps = path.split(".")
    root = minimal(name)
    if not steps:
        return changed(root, part)
    holder, where = root, name
    for number, step in enumerate(steps):
        of = shape(where)
        assert of is not None
        element = of.elements[step]
        where = element.types[0].code
        target = shape(where)
        assert target is not None
        one = _BESIDE.get(path, {}) if where == "Extension" else least(target)
        one = changed(one, part) if number == len(steps) - 1 else one
        holder[step] = [one] if element.many else one
        holder = one
    return root


@cache
def cases() -> tuple[Case, ...]:
    """An example and a counter-example of each constraint of `data/invariants.jsonl`, and of those on names."""
    found = []
    for line in _DATA.read_text().splitlines():
        rule, path, kept, broken = json.loads(line, parse_float=Decimal)
        found.append(Case(rule, with_part(path, kept), with_part(path, broken)))
    for rule, path in sorted(constraints()):
        of = shape(path)
        if rule.endswith("-0") and of is not None and "name" in of.elements:
            plain = minimal(path)
            found.append(Case(rule, plain | {"name": "Right1"}, plain | {"name": "not right"}))
    return tuple(found)


@cache
def constraints() -> frozenset[tuple[str, str]]:
    """(rule, path) of every constraint of R4's resources and data types."""
    found: set[tuple[str, str]] = set()
    for url in core().members:
        source = core().read(url)
        if source is None or source["resourceType"] != "StructureDefinition" or source["kind"] == "logical":
            continue
        if source.get("derivation") == "constraint" or source.get("snapshot") is None:
            continue
        for element in source["snapshot"]["element"]:
            found.update((each["key"], element["path"]) for each in element.get("constraint", ()))
    return frozenset(found)
