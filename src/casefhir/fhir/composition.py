"""The document form: a Composition with the sections of the International Patient Summary, and one for visits and
sources.
"""

from casefhir.fhir.constants import HL7, LOINC
from casefhir.fhir.context import ARTICLE, COMPOSITION, DEVICE, Context, Json
from casefhir.fhir.narrative import div, list_div, summary
from casefhir.record import AdverseEvent, Course, Intolerance, Measurement, Problem, Procedure, Report, Visit

_Kind = (
    type[Problem]
    | type[Course]
    | type[Intolerance]
    | type[AdverseEvent]
    | type[Measurement]
    | type[Report]
    | type[Procedure]
    | type[Visit]
)
_SECTIONS: tuple[tuple[str, str | None, str, tuple[_Kind, ...]], ...] = (
    ("Problem list", "11450-4", "Problem list - Reported", (Problem,)),
    ("Medication summary", "10160-0", "History of Medication use Narrative", (Course,)),
    ("Allergies and intolerances", "48765-2", "Allergies and adverse reactions Document", (Intolerance,)),
    ("Results", "30954-2", "Relevant diagnostic tests/laboratory data Narrative", (Measurement, Report)),
    ("History of procedures", "47519-4", "History of Procedures Document", (Procedure,)),
    ("Adverse events", None, "", (AdverseEvent,)),
    ("Visits", None, "", (Visit,)),
)
_REQUIRED = ("Problem list", "Medication summary", "Allergies and intolerances")


def composition(context: Context) -> Json:
    """The Composition of the case; every entry of the document but its Provenance is reachable from it."""
    case = context.case
    found = context.head(*COMPOSITION, div(f"{case.title}."))
    found["identifier"] = context.identifier(*COMPOSITION)
    found["status"] = "final"
    found["type"] = {
        "coding": [{"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}],
        "text": "Patient summary",
    }
    found["subject"] = context.to_subject()
    found["date"] = case.recorded
    found["author"] = [context.to(*DEVICE)]
    found["title"] = case.title
    found["section"] = [each for each in (_section(context, *row) for row in _SECTIONS) if each]
    found["section"].append(_source(context))
    return found


def _source(context: Context) -> Json:
    if context.case.extract:
        extract = context.case.extract
        return {
            "title": "Source",
            "text": {"status": "generated", "div": list_div(extract.title, extract.files.values())},
        }
    return {
        "title": "Source",
        "text": {"status": "generated", "div": div(f"{context.case.document.title}.")},
        "entry": [context.to(*ARTICLE)],
    }


def _section(context: Context, title: str, code: str | None, display: str, kinds: tuple[_Kind, ...]) -> Json | None:
    facts = [fact for fact in context.case.facts if isinstance(fact, kinds)]
    if not facts and title not in _REQUIRED:
        return None
    found: Json = {"title": title}
    if code:
        found["code"] = {"coding": [{"system": LOINC, "code": code, "display": display}], "text": title}
    lines = [summary(context.case, fact) for fact in facts] or ["The source tells nothing of these."]
    found["text"] = {"status": "generated", "div": list_div(title, lines)}
    if facts:
        found["entry"] = [context.to_fact(fact.key) for fact in facts]
    else:
        unavailable = {"system": f"{HL7}/list-empty-reason", "code": "unavailable", "display": "Unavailable"}
        found["emptyReason"] = {"coding": [unavailable], "text": "not told in the source"}
    return found
