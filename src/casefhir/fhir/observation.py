"""Measurement -> Observation."""

from casefhir import terms
from casefhir.fhir.constants import HL7, LOINC
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import annotation, concept, placed, text_concept, time_choice
from casefhir.fhir.interpretation import flags, interpreted, ranges
from casefhir.fhir.narrative import div, summary
from casefhir.fhir.observation_value import is_multiple, titre, titre_code, valued
from casefhir.fhir.vital_signs import settle
from casefhir.record import Component, Measurement, On, Quantity, Value, parse_value

_CATEGORIES = {
    "laboratory": ("laboratory", "Laboratory"),
    "lung-function": ("procedure", "Procedure"),
    "vital-signs": ("vital-signs", "Vital Signs"),
    "score": ("exam", "Exam"),
    "imaging": ("imaging", "Imaging"),
    "exam": ("exam", "Exam"),
    "survey": ("survey", "Survey"),
    "social-history": ("social-history", "Social History"),
    "demographic": ("social-history", "Social History"),
    "therapy": ("therapy", "Therapy"),
}
_HALVES = ("systolic-blood-pressure", "diastolic-blood-pressure")


def observation(context: Context, fact: Measurement) -> Json:
    """The Observation of `fact`; its time is data-absent where the source tells none."""
    value = parse_value(fact.value) if fact.value is not None else None
    found = context.head("Observation", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found |= {
        "identifier": [context.identifier("Observation", fact.key)],
        "status": "final",
    }
    category = fact.category or (terms.concept(fact.concept).kind if fact.concept else None)
    if category in _CATEGORIES:
        code, display = _CATEGORIES[category]
        found["category"] = [{"coding": [{"system": f"{HL7}/observation-category", "code": code, "display": display}]}]
    found["code"] = _code(context, fact, value)
    found["subject"] = context.to_subject()
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    found |= time_choice(context, "effective", fact.when, required=True)
    found |= context.performed_by()
    found |= valued(context, fact, value)
    found |= interpreted(fact, value)
    notes = [annotation(context, note) for note in fact.notes] + [
        {"text": text} for text in (*flags(fact), *_remarks(context, fact, value))
    ]
    if notes:
        found["note"] = notes
    if fact.body_site:
        found["bodySite"] = text_concept(context, fact.body_site)
    if fact.method:
        found["method"] = text_concept(context, fact.method)
    found |= ranges(fact, value)
    if fact.members:
        found["hasMember"] = [context.to("Observation", key) for key in fact.members]
    if fact.derived_from:
        found["derivedFrom"] = [context.to("Observation", key) for key in fact.derived_from]
    components = [_component(context, part) for part in fact.components]
    if fact.titre and value is not None:
        components.insert(0, {"code": titre_code(context, fact.concept), "valueQuantity": titre(fact.titre)})
    if components:
        found["component"] = components
    settle(context, fact, value, found)
    return found


def _code(context: Context, fact: Measurement, value: Value | None) -> Json:
    if isinstance(value, Quantity) and is_multiple(value):
        name = fact.text or terms.concept(fact.concept or "").name
        return {
            "text": name if "multiple" in name or "times" in name else f"{name}, multiple of the upper limit of normal"
        }
    code = concept(context, fact.concept, fact.text, codes=fact.codes)
    if fact.concept and terms.concept(fact.concept).kind == "vital-signs" and not _is_vital_sign(fact, value):
        # R4's vital-signs profiles, which these LOINC codes pull in, demand a day and a Quantity
        kept = [coding for coding in code.pop("coding", []) if coding["system"] != LOINC]
        return ({"coding": kept} if kept else {}) | code
    return code


def _is_vital_sign(fact: Measurement, value: Value | None) -> bool:
    if fact.concept in _HALVES:
        return False  # R4's blood pressure has both
    day = isinstance(fact.when, On) and len(fact.when.date) >= len("2003-11-04")
    return day and (isinstance(value, Quantity) or bool(fact.components))


def _component(context: Context, part: Component) -> Json:
    value = parse_value(part.value) if part.value is not None else None
    return (
        (placed(context, part.source) if part.source else {})
        | {"code": concept(context, part.concept, part.text, codes=part.codes)}
        | valued(context, part, value)
        | interpreted(part, value)
        | ranges(part, value)
    )


def _remarks(context: Context, fact: Measurement, value: Value | None) -> list[str]:
    """What a reader has to know of the result's unit or code; the conversion reports the former as well."""
    found = []
    if isinstance(value, Quantity) and value.unit and not value.ucum and not is_multiple(value):
        found.append(f"The unit is printed {value.unit}, for which no UCUM code is given.")
        context.remarks.append(f"{fact.key}: the unit {value.unit!r} has no UCUM code; it stands as printed.")
    if fact.concept and terms.concept(fact.concept).caution and fact.value is not None:
        found.append(terms.concept(fact.concept).caution)
    return found
