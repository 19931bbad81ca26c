"""AdverseEvent -> AdverseEvent."""

from casefhir.fhir.constants import HL7
from casefhir.fhir.context import ARTICLE, Context, Json
from casefhir.fhir.datatypes import concept, date_element, placed, text_concept
from casefhir.fhir.narrative import div, summary
from casefhir.record import AdverseEvent, Suspect, Text

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
    found |= placed(context, fact.source)
    found |= {
        "identifier": context.identifier("AdverseEvent", fact.key),
        "actuality": "actual",
        "event": concept(context, fact.concept, fact.text, codes=fact.codes),
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
        found["seriousness"] = _beside(context, coding, fact.seriousness_text or fact.seriousness)
    if fact.severity:
        coding = {
            "system": f"{HL7}/adverse-event-severity",
            "code": fact.severity,
            "display": fact.severity.capitalize(),
        }
        found["severity"] = _beside(context, coding, fact.severity_text or fact.severity)
    if fact.outcome:
        coding = {
            "system": f"{HL7}/adverse-event-outcome",
            "code": fact.outcome,
            "display": _OUTCOMES[fact.outcome],
        }
        found["outcome"] = _beside(context, coding, fact.outcome_text or fact.outcome)
    if fact.suspects:
        found["suspectEntity"] = [_suspect(context, each) for each in fact.suspects]
    if context.case.article:
        found["referenceDocument"] = [context.to(*ARTICLE)]
    return found


def _beside(context: Context, coding: Json, words: Text) -> Json:
    """R4's code, then the source's own, and its words."""
    told = text_concept(context, words)
    own = told.pop("coding", [])
    return {"coding": [coding, *own]} | told


def _suspect(context: Context, suspect: Suspect) -> Json:
    if suspect.words is None and suspect.causality is None:
        return {"instance": context.to_fact(suspect.course)}
    assessment = text_concept(context, suspect.words) if suspect.words else {}
    if suspect.causality:
        code, display = _CAUSALITY[suspect.causality]
        system = f"{HL7}/adverse-event-causality-assess"
        own = assessment.pop("coding", [])
        assessment = {"coding": [{"system": system, "code": code, "display": display}, *own]} | assessment
    return {"instance": context.to_fact(suspect.course), "causality": [{"assessment": assessment}]}
