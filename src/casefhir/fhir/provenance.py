"""Who made the bundle from what: Device for the software, Provenance for the conversion."""

from importlib.metadata import version

from casefhir.fhir.constants import FILE_SYSTEM, HL7, URI
from casefhir.fhir.context import ARTICLE, DEVICE, PROVENANCE, Context, Json, sha256_uri
from casefhir.fhir.narrative import div
from casefhir.record import Extract, Fact, Person, tables_of


def device(context: Context) -> Json:
    """The software as a Device."""
    number = version("casefhir")
    found = context.head(*DEVICE, div(f"casefhir {number}, the software that wrote these resources."))
    found["identifier"] = [context.identifier(*DEVICE)]
    found["deviceName"] = [{"name": "casefhir", "type": "manufacturer-name"}]
    found["version"] = [{"value": number}]
    return found


def provenance_of_article(context: Context, targets: list[Json]) -> Json:
    """The Provenance of a case told in an article: `targets` are References to all that the conversion made."""
    told = "Converted by casefhir from the source article by the mapping of this case."
    found = _provenance(context, PROVENANCE[1], told, targets, "conversion of a published case to FHIR")
    found["entity"] = [{"role": "source", "what": context.to(*ARTICLE)}]
    if context.origin:
        found["entity"].append(_mapping(context.origin.sha256, f"mapping module {context.origin.name}"))
    return found


def provenances_of_extract(context: Context, extract: Extract) -> list[Json]:
    """A Provenance for each table that the case has rows in, in the order of the extract: what was made from it, wholly
    or with rows of other tables too, and by which rules. No hash of the file: another person's row changes it; a
    manifest beside the output has it.
    """
    case = context.case
    by_table: dict[str, list[Fact | Person]] = {}
    for fact in (*(() if context.subject else (case.person,)), *case.facts):
        for table in tables_of(fact):
            by_table.setdefault(table, []).append(fact)
    version = f" {extract.mapping_version}" if extract.mapping_version else ""
    found = []
    for table, file in extract.files.items():
        facts = by_table.get(table)
        if not facts:
            continue
        rules = sorted({extract.rules[fact.key] for fact in facts if fact.key in extract.rules})
        told = f"mapping {extract.mapping}{version}" + (f", rules {', '.join(rules)}" if rules else "")
        made = _provenance(
            context,
            f"file-{table}",
            f"Converted by casefhir from {file} by the {told}.",
            [context.to_fact(fact.key) for fact in facts],
            "conversion of table rows to FHIR",
        )
        source = {"identifier": {"system": FILE_SYSTEM, "value": file}, "display": file}
        made["entity"] = [{"role": "source", "what": source}, _mapping(extract.mapping_sha256, told)]
        found.append(made)
    return found


def _provenance(context: Context, key: str, told: str, targets: list[Json], activity: str) -> Json:
    found = context.head(PROVENANCE[0], key, div(told))
    found["target"] = targets
    found["recorded"] = context.case.recorded
    found["activity"] = {
        "coding": [{"system": f"{HL7}/v3-DataOperation", "code": "CREATE", "display": "create"}],
        "text": activity,
    }
    assembler = {"system": f"{HL7}/provenance-participant-type", "code": "assembler", "display": "Assembler"}
    found["agent"] = [{"type": {"coding": [assembler]}, "who": context.to(*DEVICE)}]
    return found


def _mapping(sha256: str, display: str) -> Json:
    identifier = {"system": URI, "value": sha256_uri(sha256)}
    return {"role": "derivation", "what": {"identifier": identifier, "display": display}}
