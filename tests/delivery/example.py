"""Invented cases to deliver: the full example bundle under any key, and small ones."""

import copy
import json
import uuid
from pathlib import Path
from typing import Any

from casefhir import exactjson

CASE = "https://w3id.org/casefhir/case"
FACT = "https://w3id.org/casefhir/fact"
_EXAMPLE = exactjson.read((Path(__file__).parent / "data" / "transaction.json").read_bytes())
_KEY = "example-azathioprine-dermatomyositis"
_SPACE = uuid.UUID("6f0a7c52-6f0a-4c52-8f0a-7c526f0a7c52")


def new_id(*parts: object) -> str:
    return str(uuid.uuid5(_SPACE, "/".join(map(str, parts))))


def full_bundle(key: str) -> dict[str, Any]:
    """The 33 resources of the example as another case: its own key and ids, a fact tag on each."""
    text = exactjson.write(_EXAMPLE).decode().replace(_KEY, key)
    for entry in _EXAMPLE["entry"]:
        text = text.replace(entry["resource"]["id"], new_id(key, entry["resource"]["id"]))
    bundle = _exact(text)
    for number, entry in enumerate(bundle["entry"]):
        resource = entry["resource"]
        fact = f"{key}/{resource['resourceType']}/{number}"
        identifiers = resource.get("identifier", [])
        for row in identifiers if isinstance(identifiers, list) else [identifiers]:
            fact = row["value"] if row["system"] == FACT else fact
        resource["meta"]["tag"].append({"system": FACT, "code": fact})
    return bundle


def _meta(key: str, fact: str) -> dict[str, Any]:
    return {
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}],
        "tag": [
            {"system": "https://w3id.org/casefhir/CodeSystem/written-by", "code": "casefhir"},
            {"system": CASE, "code": key},
            {"system": FACT, "code": fact},
        ],
    }


def small_bundle(key: str, observations: int = 3, value: str = "1.10") -> dict[str, Any]:
    """A Patient, a Condition, a MedicationStatement, an AdverseEvent, a Provenance and some Observations.

    The first Observation's date refers to the MedicationStatement from an extension of a primitive; Patient and
    DocumentReference refer to each other; the values are decimals with a digit that must not get lost.
    """
    urns: dict[str, str] = {}

    def ref(fact: str) -> dict[str, str]:
        return {"reference": f"urn:uuid:{new_id(key, fact)}"}

    def add(fact: str, resource: dict[str, Any]) -> dict[str, Any]:
        urns[fact] = new_id(key, fact)
        body = {**resource, "id": urns[fact], "meta": _meta(key, f"{key}/{fact}")}
        url = f"{body['resourceType']}/{body['id']}"
        return {"fullUrl": f"urn:uuid:{urns[fact]}", "resource": body, "request": {"method": "PUT", "url": url}}

    drug = {"text": "azathioprine"}
    entries = [
        add(
            "article",
            {"resourceType": "DocumentReference", "status": "current", "subject": ref("subject"),
             "content": [{"attachment": {"contentType": "text/plain", "title": "An invented case"}}]},
        ),
        add(
            "subject",
            {"resourceType": "Patient", "gender": "female", "identifier": [{"system": CASE, "value": key}],
             "extension": [{"url": "https://example.org/told-in", "valueReference": ref("article")}]},
        ),
        add("problem", {"resourceType": "Condition", "subject": ref("subject"), "code": {"text": "rash"},
                        "onsetDateTime": "2012-07"}),
        add("drug", {"resourceType": "MedicationStatement", "status": "unknown", "subject": ref("subject"),
                     "medicationCodeableConcept": drug}),
        add("event", {"resourceType": "AdverseEvent", "actuality": "actual", "subject": ref("subject"),
                      "suspectEntity": [{"instance": ref("drug")}]}),
    ]  # fmt: skip
    for number in range(observations):
        entries.append(
            add(
                f"value-{number}",
                {"resourceType": "Observation", "status": "final", "subject": ref("subject"),
                 "code": {"coding": [{"system": "http://loinc.org", "code": "2157-6"}]},
                 "valueQuantity": {"value": json.loads(value), "unit": "U/L",
                                   "system": "http://unitsofmeasure.org", "code": "U/L"}},
            )
        )  # fmt: skip
    when = {"url": "http://hl7.org/fhir/StructureDefinition/relative-date", "extension": [
        {"url": "event", "valueReference": {"reference": f"MedicationStatement/{urns['drug']}"}},
        {"url": "relationship", "valueCode": "after-start"},
        {"url": "offset", "valueDuration": {"value": 2, "system": "http://unitsofmeasure.org", "code": "wk"}},
    ]}  # fmt: skip
    if observations:
        entries[5]["resource"]["_effectiveDateTime"] = {"extension": [when]}
    targets = [ref(fact) for fact in urns]
    entries.append(
        add("conversion", {"resourceType": "Provenance", "target": targets, "recorded": "2026-11-22T00:00:00Z",
                           "agent": [{"who": {"display": "casefhir"}}]})
    )  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    text = json.dumps(bundle).replace(f'"value": {json.loads(value)}', f'"value": {value}')
    return _exact(text)


def _exact(text: str) -> dict[str, Any]:
    exact: dict[str, Any] = exactjson.read(text.encode())
    return exact


def write_bundle(folder: Path, bundle: dict[str, Any], name: str) -> Path:
    """The bundle as a file of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_bytes(exactjson.write(bundle))
    return path


def changed(bundle: dict[str, Any], number: int, **fields: Any) -> dict[str, Any]:
    """A copy of the bundle with fields of one entry's resource set."""
    other = copy.deepcopy(bundle)
    other["entry"][number]["resource"].update(fields)
    return other
