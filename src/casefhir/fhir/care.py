"""Intolerance -> AllergyIntolerance, Procedure -> Procedure, Report -> DiagnosticReport, Visit -> Encounter."""

from casefhir import terms
from casefhir.fhir.constants import HL7
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import (
    absent,
    annotation,
    concept,
    given,
    period,
    placed,
    text_concept,
    text_of,
    time_choice,
)
from casefhir.fhir.narrative import div, summary
from casefhir.record import Between, Intolerance, Problem, Procedure, Report, Text, Visit

_SETTINGS = {
    "inpatient": ("IMP", "inpatient encounter"),
    "ambulatory": ("AMB", "ambulatory"),
    "emergency": ("EMER", "emergency"),
    "home": ("HH", "home health"),
    "virtual": ("VR", "virtual"),
    "short stay": ("SS", "short stay"),
}


def allergy_intolerance(context: Context, fact: Intolerance) -> Json:
    """The AllergyIntolerance of `fact`; R4 demands a coded clinical status (ait-1), active being the one that holds
    until the source says otherwise.
    """
    found = context.head("AllergyIntolerance", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found |= {
        "identifier": [context.identifier("AllergyIntolerance", fact.key)],
        "clinicalStatus": _coded("allergyintolerance-clinical", fact.status, fact.status.capitalize()),
        "verificationStatus": _coded("allergyintolerance-verification", fact.certainty, fact.certainty.capitalize()),
        "type": fact.kind,
        **({"category": [fact.category]} if fact.category else {}),
        "code": concept(context, fact.drug, fact.text, codes=fact.codes, kinds=("medication", "substance")),
        "patient": context.to_subject(),
    }
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    found |= time_choice(context, "onset", fact.onset)
    if fact.notes:
        found["note"] = [annotation(context, note) for note in fact.notes]
    if fact.reactions:
        found["reaction"] = [{"manifestation": [concept_or_words(context, each)]} for each in fact.reactions]
    return found


def procedure(context: Context, fact: Procedure) -> Json:
    """The Procedure of `fact`; one that was declined is not-done with the reason."""
    found = context.head("Procedure", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found["identifier"] = [context.identifier("Procedure", fact.key)]
    found["status"] = fact.status
    if fact.why_not:
        found["statusReason"] = text_concept(context, fact.why_not)
    found["code"] = concept(context, fact.concept, fact.text, codes=fact.codes)
    found["subject"] = context.to_subject()
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    found |= time_choice(context, "performed", fact.when)
    found |= _reasons(context, fact.reasons)
    if fact.body_sites:
        found["bodySite"] = [text_concept(context, site) for site in fact.body_sites]
    if fact.outcome:
        found["outcome"] = text_concept(context, fact.outcome)
    if fact.reports:
        found["report"] = [context.to("DiagnosticReport", key) for key in fact.reports]
    if fact.notes:
        found["note"] = [annotation(context, note) for note in fact.notes]
    return found


def diagnostic_report(context: Context, fact: Report) -> Json:
    """The DiagnosticReport of `fact`, its findings as `result`."""
    found = context.head("DiagnosticReport", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found["identifier"] = [context.identifier("DiagnosticReport", fact.key)]
    found["status"] = "final"
    if fact.kind:
        found["category"] = [{"text": fact.kind}]
    found["code"] = concept(context, fact.concept, fact.text, codes=fact.codes)
    found["subject"] = context.to_subject()
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    found |= time_choice(context, "effective", fact.when, required=True)
    found |= context.performed_by()
    if fact.results:
        found["result"] = [context.to("Observation", key) for key in fact.results]
    if fact.conclusion:
        found["conclusion"] = text_of(fact.conclusion)
        if not isinstance(fact.conclusion, str):
            place = placed(context, fact.conclusion.source, in_primitive=True)
            found |= {"_conclusion": place} if place else {}
            if fact.conclusion.codes:
                found["conclusionCode"] = [{"coding": [given(code) for code in fact.conclusion.codes]}]
    return found


def encounter(context: Context, fact: Visit) -> Json:
    """The Encounter of `fact`; where its class is not told, that is said."""
    found = context.head("Encounter", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found["identifier"] = [context.identifier("Encounter", fact.key)]
    found["status"] = "finished"
    if fact.setting:
        code, display = _SETTINGS[fact.setting]
        found["class"] = {"system": f"{HL7}/v3-ActCode", "code": code, "display": display}
    else:
        found["class"] = {"extension": [absent()]}
    if fact.text or fact.codes or fact.setting_text:
        own = [concept(context, None, fact.text, codes=fact.codes)] if fact.text or fact.codes else []
        found["type"] = [*own, *(text_concept(context, each) for each in (fact.setting_text,) if each)]
    found["subject"] = context.to_subject()
    if isinstance(fact.when, Between):
        found |= time_choice(context, "", fact.when)
        found["period"] = found.pop("Period")
    elif fact.when:
        # a stay starts when the source tells it; a visit is over within the time told
        found["period"] = period(context, fact.when, None if fact.setting == "inpatient" else fact.when)
    found |= _reasons(context, fact.reasons)
    if fact.discharge:
        found["hospitalization"] = {"dischargeDisposition": text_concept(context, fact.discharge)}
    return found


def _coded(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code, "display": display}]}


def _reasons(context: Context, reasons: tuple[Text, ...]) -> Json:
    """Problems of the case as references, anything else as words."""
    problems = [
        each for each in reasons if isinstance(each, str) and isinstance(context.case.by_key.get(each), Problem)
    ]
    words = [each for each in reasons if each not in problems]
    found: Json = {}
    if words:
        found["reasonCode"] = [text_concept(context, each) for each in words]
    if problems:
        found["reasonReference"] = [context.to("Condition", key) for key in problems]
    return found


def concept_or_words(context: Context, key_or_words: Text) -> Json:
    """A CodeableConcept of a key of the catalogue, or of words."""
    if isinstance(key_or_words, str) and key_or_words in terms.concepts():
        return concept(context, key_or_words, None)
    return text_concept(context, key_or_words)
