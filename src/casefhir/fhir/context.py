"""What every resource of one case is written with: ids, references, the article, the terminology switch."""

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from casefhir import terms
from casefhir.fhir.constants import BASE, CASE_SYSTEM, FACT_SYSTEM, HL7, WRITTEN_BY
from casefhir.record import (
    AdverseEvent,
    Case,
    Course,
    Fact,
    Intolerance,
    Measurement,
    Person,
    Problem,
    Procedure,
    Report,
    Visit,
)

Json = dict[str, Any]
Terminology = Literal["free", "snomed"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, BASE)
_HASHED = hashlib.sha1(_NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_TYPES: dict[type, str] = {
    Person: "Patient",
    Problem: "Condition",
    Course: "MedicationStatement",
    Measurement: "Observation",
    AdverseEvent: "AdverseEvent",
    Intolerance: "AllergyIntolerance",
    Procedure: "Procedure",
    Report: "DiagnosticReport",
    Visit: "Encounter",
}
ARTICLE = ("DocumentReference", "article")
DEVICE = ("Device", "casefhir")
PROVENANCE = ("Provenance", "conversion")
COMPOSITION = ("Composition", "document")


@dataclass(frozen=True, slots=True)
class Origin:
    """The mapping that a case was stated in: file name, SHA-256 (hexadecimal) of its bytes, line of each fact."""

    name: str
    sha256: str
    lines: dict[str, int] = field(default_factory=dict)


def resource_type(fact: Fact | Person) -> str:
    """The R4 resource type that `fact` becomes."""
    return _TYPES[type(fact)]


def resource_id(case_key: str, kind: str, key: str) -> str:
    """The UUIDv5 of a resource: the same in every run, whatever its place in the case."""
    digest = _HASHED.copy()  # as uuid.uuid5, without its detours: tables ask for millions
    digest.update(f"{case_key}/{kind}/{key}".encode())
    found = digest.hexdigest()
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{_VARIANT[found[16]]}{found[17:20]}-{found[20:32]}"


@dataclass(slots=True)
class Context:
    """One conversion. `subject` replaces the patient by one that exists (`Patient/123` or a conditional reference);
    `urns` tells whether references between resources are `urn:uuid:` (bundles) or `Type/id` (NDJSON),
    `urns_in_primitives` the same for those inside extensions of primitives; `remarks` collects
    what a user should know of the conversion, one sentence each.
    """

    case: Case
    origin: Origin | None = None
    terminology: Terminology = "free"
    subject: str | None = None
    urns: bool = True
    urns_in_primitives: bool = False
    remarks: list[str] = field(default_factory=list)

    def id_of(self, kind: str, key: str) -> str:
        """The id of the resource of type `kind` made from the fact `key`."""
        return resource_id(self.case.key, kind, key)

    def _reference(self, kind: str, key: str, urns: bool) -> Json:
        identity = self.id_of(kind, key)
        return {"reference": f"urn:uuid:{identity}" if urns else f"{kind}/{identity}"}

    def to(self, kind: str, key: str) -> Json:
        """A Reference to the resource of that type and key."""
        return self._reference(kind, key, self.urns)

    def to_fact(self, key: str) -> Json:
        """A Reference to the resource that the fact `key` becomes."""
        return self.to(resource_type(self.case.by_key[key]), key)

    def in_primitive(self, kind: str, key: str) -> Json:
        """A Reference for an extension of a primitive: `Type/id` in transactions, for servers do not rewrite
        `urn:uuid:` there; as everywhere else in bundles that are only read.
        """
        return self._reference(kind, key, self.urns_in_primitives)

    def to_subject(self) -> Json:
        """The Reference to the person: the case's own Patient or the one that was given."""
        if self.subject:
            return {"reference": self.subject}
        return self.to("Patient", self.case.person.key)

    def performed_by(self) -> Json:
        """`performer`: the article's authors, by display; nothing where the document does not print them."""
        names = ", ".join(self.case.article.authors) if self.case.article else ""
        return {"performer": [{"display": f"{names} (authors of the report)"}]} if names else {}

    def head(self, kind: str, key: str, narrative: str) -> Json:
        """What every resource starts with: type, id, meta, language, narrative."""
        fact_id = f"{self.case.key}/{kind}/{key}"
        test = {"system": f"{HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}
        return {
            "resourceType": kind,
            "id": self.id_of(kind, key),
            "meta": {
                **({"security": [test]} if self.case.test_data else {}),
                "tag": [
                    {"system": WRITTEN_BY, "code": "casefhir", "display": "Written by casefhir"},
                    {"system": CASE_SYSTEM, "code": self.case.key},
                    {"system": FACT_SYSTEM, "code": fact_id},
                ],
            },
            "language": "en",
            "text": {"status": "generated", "div": narrative},
        }

    def identifier(self, kind: str, key: str) -> Json:
        """The business identifier of a resource: case, type and fact."""
        return {"system": FACT_SYSTEM, "value": f"{self.case.key}/{kind}/{key}"}

    def emits(self, coding: terms.Coding) -> bool:
        """Whether a coding may be written: free ones always, the others where the user has a licence and says so."""
        return coding.free or self.terminology == "snomed"


def sha256_uri(hexadecimal: str) -> str:
    """A SHA-256 as a `ni:` URI (RFC 6920)."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).rstrip(b"=").decode("ascii")
    return f"ni:///sha-256;{digest}"
