"""Small valid resources for the tests, and what a check says about a change to them."""

import copy
from collections.abc import Collection
from typing import Any

from casefhir.conformance import Finding, validate

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'
TEXT = {"status": "generated", "div": DIV}
Json = dict[str, Any]


def patient(**changes: Any) -> Json:
    return changed({"resourceType": "Patient", "text": TEXT, "gender": "female"}, changes)


def observation(**changes: Any) -> Json:
    base = {
        "resourceType": "Observation",
        "text": TEXT,
        "status": "final",
        "code": {"text": "strength"},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2012-05",
    }
    return changed(base, changes)


def condition(**changes: Any) -> Json:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    base = {
        "resourceType": "Condition",
        "text": TEXT,
        "subject": {"reference": "Patient/1"},
        "code": {"text": "rash"},
        "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
    }
    return changed(base, changes)


def bundle(*resources: Json, type: str = "collection") -> Json:
    entries = [
        {"fullUrl": f"urn:uuid:00000000-0000-0000-0000-{number:012d}", "resource": each}
        for number, each in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": type, "entry": entries}


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-0000-0000-{number:012d}"


def changed(base: Json, changes: Json) -> Json:
    """`base` with `changes`; a change to None takes the element out."""
    found = copy.deepcopy(base) | changes
    return {key: value for key, value in found.items() if value is not None}


def coded(system: str, code: str, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


def found(resource: Any, layers: Collection[str] | None = None) -> list[Finding]:
    return validate(resource, layers=layers).findings


def rules(resource: Any, layers: Collection[str] | None = None) -> set[str]:
    """The rules that `resource` breaks."""
    return {each.rule for each in found(resource, layers)}


def errors(resource: Any, layers: Collection[str] | None = None) -> set[str]:
    return {each.rule for each in found(resource, layers) if each.severity in ("error", "fatal")}
