"""Case -> bundle: all resources of a case, in one of the forms in which they are handed over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.fhir.adverse_event import adverse_event
from casefhir.fhir.article import document_reference
from casefhir.fhir.care import allergy_intolerance, diagnostic_report, encounter, procedure
from casefhir.fhir.composition import composition
from casefhir.fhir.condition import condition
from casefhir.fhir.constants import URI
from casefhir.fhir.context import Context, Json, Origin, Terminology, resource_id, resource_type
from casefhir.fhir.medication_statement import medication_statement
from casefhir.fhir.observation import observation
from casefhir.fhir.patient import patient
from casefhir.fhir.provenance import device, provenance_of_article, provenances_of_extract
from casefhir.fhir.subject import Form, checked_subject
from casefhir.record import (
    AdverseEvent,
    Case,
    Course,
    Intolerance,
    Measurement,
    Problem,
    Procedure,
    Report,
    Visit,
)

SHAPES: dict[type, Callable[[Context, Any], Json]] = {
    Problem: condition,
    Course: medication_statement,
    Measurement: observation,
    AdverseEvent: adverse_event,
    Intolerance: allergy_intolerance,
    Procedure: procedure,
    Report: diagnostic_report,
    Visit: encounter,
}


_AFTER_NAME = (
    "gender", "birthDate", "_birthDate", "deceasedBoolean", "deceasedDateTime", "_deceasedDateTime", "address",
    "maritalStatus", "communication",
)  # fmt: skip


class NoBundle(CasefhirError):
    """A bundle was asked of a form that has none."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a case became.

    `resources` in the order of the case; `bundle` holds them in the form asked for (empty for ndjson); `index` leads
    from resource id to fact, mapping file and line; `remarks` are sentences on what could not be coded as printed.
    """

    case: Case
    form: Form
    resources: tuple[Json, ...]
    bundle: Json
    index: Json
    remarks: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many resources there are of each type, by type."""
        found: dict[str, int] = {}
        for resource in self.resources:
            found[resource["resourceType"]] = found.get(resource["resourceType"], 0) + 1
        return dict(sorted(found.items()))

    def to_json(self) -> bytes:
        """The bundle as files hold it: indented UTF-8, the same bytes everywhere; for ndjson see `to_ndjson`."""
        if self.form == "ndjson":
            raise NoBundle("NDJSON has no bundle: take to_ndjson(), one file a resource type.")
        return exactjson.write(self.bundle, indent=True)

    def to_ndjson(self) -> dict[str, bytes]:
        """One NDJSON file for each type: name -> bytes."""
        lines: dict[str, list[bytes]] = {}
        for resource in self.resources:
            lines.setdefault(f"{resource['resourceType']}.ndjson", []).append(exactjson.write(resource) + b"\n")
        return {name: b"".join(each) for name, each in sorted(lines.items())}


def convert(
    case: Case,
    origin: Origin | None = None,
    *,
    form: Form = "transaction",
    terminology: Terminology = "free",
    subject: str | None = None,
) -> Conversion:
    """`case` as FHIR R4.

    `origin` is the mapping it was stated in; `terminology="snomed"` adds the SNOMED CT codes that need a licence;
    `subject` attaches the facts to a patient that exists (`Patient/123`, or `Patient?identifier=system|value` in a
    transaction) instead of writing one.
    """
    if subject is not None:
        subject = checked_subject(subject, form)
    context = Context(
        case, origin, terminology, subject, urns=form != "ndjson", urns_in_primitives=form in ("collection", "document")
    )
    resources = [document_reference(context)] if case.article else []
    if subject is None:
        resources.append(patient(context))
    else:
        context.remarks.append(f"The facts are attached to {subject}; sex and origin of the person are not written.")
    resources += [SHAPES[type(fact)](context, fact) for fact in case.facts]
    resources.append(device(context))
    if form == "document":
        _prepare_document(context, resources)
    if case.extract:
        resources += provenances_of_extract(context, case.extract)
    else:
        resources.append(provenance_of_article(context, [_reference(context, resource) for resource in resources]))
    return Conversion(
        case,
        form,
        tuple(resources),
        _bundle(context, form, resources),
        _index(context),
        tuple(context.remarks),
    )


def _reference(context: Context, resource: Json) -> Json:
    kind, identity = resource["resourceType"], resource["id"]
    return {"reference": f"urn:uuid:{identity}" if context.urns else f"{kind}/{identity}"}


def _prepare_document(context: Context, resources: list[Json]) -> None:
    """A document starts with its Composition, and the patient gets the name that the summary's profile demands."""
    resources.insert(0, composition(context))
    for resource in resources:
        if resource["resourceType"] == "Patient":
            if "name" in resource:
                continue
            rest = {name: resource.pop(name) for name in [*resource] if name in _AFTER_NAME}
            resource |= {"name": [{"text": f"Patient of: {context.case.title}"}]} | rest


def _bundle(context: Context, form: Form, resources: list[Json]) -> Json:
    if form == "ndjson":
        return {}
    identity = resource_id(context.case.key, "Bundle", form)
    bundle: Json = {"resourceType": "Bundle", "id": identity}
    if form == "document":
        bundle |= {"language": "en", "identifier": {"system": URI, "value": f"urn:uuid:{identity}"}}
    bundle["type"] = form
    if form == "document":
        bundle["timestamp"] = context.case.recorded
    entries: list[Json] = []
    for resource in resources:
        entry: Json = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
        if form == "transaction":
            entry["request"] = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
        entries.append(entry)
    bundle["entry"] = entries
    return bundle


def _index(context: Context) -> Json:
    """Resource id -> type, fact, mapping file and line: what findings and server errors are explained with."""
    name = context.origin.name if context.origin else None
    lines = context.origin.lines if context.origin else {}
    return {
        context.id_of(resource_type(fact), fact.key): {
            "resource": resource_type(fact),
            "fact": fact.key,
            "mapping": name,
            "line": lines.get(fact.key),
        }
        for fact in (*(() if context.subject else (context.case.person,)), *context.case.facts)
    }
