"""AdverseEvent -> AdverseEvent."""

from casefhir.fhir.constants import HL7
from casefhir.fhir.context import ARTICLE, Context, Json
from casefhir.fhir.datatypes import concept, date_element, derivations, text_concept
from casefhir.fhir.narrative import div, summary
from casefhir.record import AdverseEvent, Suspect

# R4's spellings: later terminology releases write other ones under the same URLs
_CAUSALITY = {
    "certain": ("Certain", "Certain"),
    "probable": ("Probably-Likely", "Probably/Likely"),
    "possible": ("Possible", "Possible"),
    "unlikely": ("Unlikely", "Unlikely"),
}
_SERIOUSNESS = {
    "non-serious": "Non-serious",
    "serious": "Serious",
    "death": "SeriousResultsInDeath",
    "life-threatening": "SeriousIsLifeThreatening",
    "hospitalization": "SeriousResultsInHospitalization",
    "disability": "SeriousResultsInDisability",
    "birth-defect": "SeriousIsBirthDefect",
    "intervention-needed": "SeriousRequiresPreventImpairment",
}
_OUTCOMES = {
    "resolved": "Resolved",
    "recovering": "Recovering",
    "ongoing": "Ongoing",
    "resolvedWithSequelae": "Resolved with Sequelae",
    "fatal": "Fatal",
    "unknown": "Unknown",
}


def adverse_event(context: Context, fact: AdverseEvent) -> Json:
    """The AdverseEvent of `fact`, one suspect entry for each course it is blamed on."""
    found = context.head("AdverseEvent", fact.key, div(summary(context.case, fact)))
    found |= {
        "extension": derivations(context, fact.source),
        "identifier": context.identifier("AdverseEvent", fact.key),
        "actuality": "actual",
        "event": concept(context, fact.concept, fact.text),
        "subject": context.to_subject(),
    }
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    if fact.when:
        found |= date_element(context, "date", fact.when)
    if fact.resulting:
        found["resultingCondition"] = [context.to("Condition", key) for key in fact.resulting]
    if fact.seriousness:
        coding = {"system": f"{HL7}/adverse-event-seriousness", "code": _SERIOUSNESS[fact.seriousness]}
        found["seriousness"] = {"coding": [coding], "text": fact.seriousness_text or fact.seriousness}
    if fact.severity:
        coding = {
            "system": f"{HL7}/adverse-event-severity",
            "code": fact.severity,
            "display": fact.severity.capitalize(),
        }
        found["severity"] = {"coding": [coding], "text": fact.severity_text or fact.severity}
    if fact.outcome:
        coding = {
            "system": f"{HL7}/adverse-event-outcome",
            "code": fact.outcome,
            "display": _OUTCOMES[fact.outcome],
        }
        words = text_concept(context, fact.outcome_text) if fact.outcome_text else {"text": fact.outcome}
        found["outcome"] = {"coding": [coding]} | words
    if fact.suspects:
        found["suspectEntity"] = [_suspect(context, each) for each in fact.suspects]
    found["referenceDocument"] = [context.to(*ARTICLE)]
    return found


def _suspect(context: Context, suspect: Suspect) -> Json:
    assessment = text_concept(context, suspect.words)
    if suspect.causality:
        code, display = _CAUSALITY[suspect.causality]
        system = f"{HL7}/adverse-event-causality-assess"
        assessment = {"coding": [{"system": system, "code": code, "display": display}]} | assessment
    return {"instance": context.to_fact(suspect.course), "causality": [{"assessment": assessment}]}
