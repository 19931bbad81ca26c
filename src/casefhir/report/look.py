"""Looking into R4 JSON that may not conform: what is not as R4 says is not there, and `validate` tells it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
_SHORT_SYSTEMS = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.whocc.no/atc": "ATC",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://human-phenotype-ontology.org": "HPO",
    "http://purl.obolibrary.org/obo/mondo.owl": "MONDO",
    "http://fdasis.nlm.nih.gov": "UNII",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A coding: system, code, display; `short` names the system for people."""

    system: str
    code: str
    display: str

    @property
    def short(self) -> str:
        """The system's usual name, else what its URL ends with."""
        return _SHORT_SYSTEMS.get(self.system, self.system.rstrip("/").rpartition("/")[2] or "no system")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source: the reference to the document, offset and length in code points."""

    document: str
    offset: int
    length: int


def inner(value: Any, *keys: str) -> Any:
    """What lies under `keys` in nested objects; None where one is missing or no object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any, key: str) -> list[dict[str, Any]]:
    """The objects listed under `key` (one object counts as a list of one)."""
    found = inner(value, key)
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def text(value: Any, *keys: str) -> str:
    """The text under `keys`; numbers and booleans as text; empty for anything else."""
    found = inner(value, *keys)
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | Decimal) else ""


def number(value: Any, *keys: str) -> Decimal | None:
    """The number under `keys`, exact."""
    found = inner(value, *keys)
    return Decimal(found) if isinstance(found, int | Decimal) and not isinstance(found, bool) else None


def codes(concept: Any) -> tuple[Code, ...]:
    """The codings of a CodeableConcept."""
    return tuple(
        Code(text(each, "system"), text(each, "code"), text(each, "display")) for each in items(concept, "coding")
    )


def words(concept: Any) -> str:
    """A CodeableConcept in words: its text, else a display, else a code."""
    found = codes(concept)
    return (
        text(concept, "text")
        or next((each.display for each in found if each.display), "")
        or next((each.code for each in found if each.code), "")
    )


def all_words(value: Any, key: str) -> str:
    """The CodeableConcepts under `key` in words, joined."""
    return "; ".join(filter(None, (words(each) for each in items(value, key))))


def extension(value: Any, name: str) -> list[dict[str, Any]]:
    """The extensions of `value` called `name` (R4's own by their last part, inner ones by their name)."""
    return [each for each in items(value, "extension") if each.get("url") in (EXTENSIONS + name, name)]


def places(value: Any) -> tuple[Place, ...]:
    """Where the source states `value`, the clearest place first."""
    found = []
    for each in extension(value, "derivation-reference"):
        parts = {text(part, "url"): part for part in items(each, "extension")}
        offset, length = inner(parts.get("offset"), "valueInteger"), inner(parts.get("length"), "valueInteger")
        if isinstance(offset, int) and isinstance(length, int):
            found.append(Place(text(parts.get("reference"), "valueReference", "reference"), offset, length))
    return tuple(found)


def unit(quantity: Any) -> str:
    """A Quantity's unit as written, else its UCUM code: annotations without braces, 1 as nothing."""
    coded = text(quantity, "code").strip("{}")
    return text(quantity, "unit") or ("" if coded == "1" else coded)


def amount(quantity: Any) -> str:
    """A Quantity as people write it: "< 4.0 mg/l"."""
    return " ".join(filter(None, (text(quantity, "comparator"), text(quantity, "value"), unit(quantity))))


def span(range_: Any) -> str:
    """A Range as people write it: "2 to 4 mg"."""
    low, high = amount(inner(range_, "low")), amount(inner(range_, "high"))
    return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else ""
