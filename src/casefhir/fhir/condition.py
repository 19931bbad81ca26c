"""Problem -> Condition."""

from casefhir.fhir.constants import (
    CONDITION_ASSERTED,
    CONDITION_DUE_TO,
    CONDITION_FOLLOWING,
    CONDITION_RELATED,
    HL7,
)
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import (
    annotation,
    codings,
    concept,
    dated,
    derivations,
    extended,
    placed,
    quantity,
    text_concept,
    time_choice,
)
from casefhir.fhir.narrative import div, summary
from casefhir.fhir.wording import name_of, when_words
from casefhir.record import Age, Moment, On, Problem, Quantity, spans_of


def condition(context: Context, fact: Problem) -> Json:
    """The Condition of `fact`: on the problem list only where its status is told, and then with that status."""
    found = context.head("Condition", fact.key, div(summary(context.case, fact)))
    # an extension's own value can carry no place (ext-1), so the place of the diagnosis' date stands with the
    # resource's
    diagnosed = spans_of(fact.asserted.source) if fact.asserted else ()
    places = tuple(dict.fromkeys((*spans_of(fact.source), *diagnosed)))
    found |= extended([*_links(context, fact), *derivations(context, places)])
    found["identifier"] = [context.identifier("Condition", fact.key)]
    if fact.status:
        found["clinicalStatus"] = _status("condition-clinical", fact.status)
    found["verificationStatus"] = _status("condition-ver-status", fact.certainty)
    category = fact.category or ("problem-list-item" if fact.status else None)
    if category:
        found["category"] = [_status("condition-category", category, category.replace("-", " ").title())]
    if fact.severity or fact.severity_text:
        severity: Json = {}
        if fact.severity:
            severity["coding"] = codings(context, f"severity-{fact.severity}")
        words = text_concept(context, fact.severity_text or fact.severity or "")
        own = words.pop("coding", [])
        if own:
            severity["coding"] = [*own, *severity.get("coding", [])]
        found["severity"] = severity | words
    found["code"] = concept(context, fact.concept, fact.text, codes=fact.codes)
    if fact.body_sites:
        found["bodySite"] = [text_concept(context, site) for site in fact.body_sites]
    found["subject"] = context.to_subject()
    if fact.visit:
        found["encounter"] = context.to("Encounter", fact.visit)
    found |= _time_or_age(context, "onset", fact.onset)
    found |= _time_or_age(context, "abatement", fact.abatement)
    if fact.evidence:
        found["evidence"] = [{"detail": [context.to_fact(key) for key in fact.evidence]}]
    notes = [annotation(context, note) for note in fact.notes]
    if fact.asserted and not isinstance(fact.asserted, On):
        notes.append({"text": f"Diagnosed {when_words(context.case, fact.asserted)}."})
    if notes:
        found["note"] = notes
    return found


def _time_or_age(context: Context, stem: str, told: Moment | Age | None) -> Json:
    if not isinstance(told, Age):
        return time_choice(context, stem, told)
    age = Quantity.parse(told.age)
    if age.value > 0:
        return {f"{stem}Age": placed(context, told.source) | quantity(age)}
    return {f"{stem}String": f"at {age}"}  # R4 knows no age of 0 (age-1)


def _status(system: str, code: str, display: str | None = None) -> Json:
    return {
        "coding": [
            {
                "system": f"{HL7}/{system}",
                "code": code,
                "display": display or code.capitalize(),
            }
        ]
    }


def _links(context: Context, fact: Problem) -> list[Json]:
    found: list[Json] = []
    if isinstance(fact.asserted, On):
        asserted = dated("valueDateTime", fact.asserted.date, fact.asserted.printed, [])
        found.append({"url": CONDITION_ASSERTED} | asserted)
    for url, keys in ((CONDITION_DUE_TO, fact.due_to), (CONDITION_FOLLOWING, fact.after)):
        for key in keys:
            if key in context.case.by_key:
                found.append({"url": url, "valueReference": named_reference(context, key)})
            else:
                found.append({"url": url, "valueCodeableConcept": {"text": key}})
    found += [{"url": CONDITION_RELATED, "valueReference": named_reference(context, key)} for key in fact.related]
    return found


def named_reference(context: Context, key: str) -> Json:
    """A Reference to a fact's resource, with what it is called."""
    return context.to_fact(key) | {"display": name_of(context.case.by_key[key])}
