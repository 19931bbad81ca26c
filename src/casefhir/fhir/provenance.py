"""Who made the bundle from what: Device for the software, Provenance for the conversion."""

from importlib.metadata import version

from casefhir.fhir.constants import HL7, URI
from casefhir.fhir.context import ARTICLE, DEVICE, PROVENANCE, Context, Json, sha256_uri
from casefhir.fhir.narrative import div


def device(context: Context) -> Json:
    """The software as a Device."""
    number = version("casefhir")
    found = context.head(*DEVICE, div(f"casefhir {number}, the software that wrote these resources."))
    found["identifier"] = [context.identifier(*DEVICE)]
    found["deviceName"] = [{"name": "casefhir", "type": "manufacturer-name"}]
    found["version"] = [{"value": number}]
    return found


def provenance(context: Context, targets: list[Json]) -> Json:
    """The Provenance of the conversion: `targets` are References to all that it made."""
    found = context.head(*PROVENANCE, div("Converted by casefhir from the source article by the mapping of this case."))
    found["target"] = targets
    found["recorded"] = context.case.recorded
    found["activity"] = {
        "coding": [{"system": f"{HL7}/v3-DataOperation", "code": "CREATE", "display": "create"}],
        "text": "conversion of a published case to FHIR",
    }
    assembler = {"system": f"{HL7}/provenance-participant-type", "code": "assembler", "display": "Assembler"}
    found["agent"] = [{"type": {"coding": [assembler]}, "who": context.to(*DEVICE)}]
    entities: list[Json] = [{"role": "source", "what": context.to(*ARTICLE)}]
    if context.origin:
        identifier = {"system": URI, "value": sha256_uri(context.origin.sha256)}
        what = {"identifier": identifier, "display": f"mapping module {context.origin.name}"}
        entities.append({"role": "derivation", "what": what})
    found["entity"] = entities
    return found
