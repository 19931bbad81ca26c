"""Course -> MedicationStatement."""

from casefhir import terms
from casefhir.fhir.context import ARTICLE, Context, Json
from casefhir.fhir.datatypes import (
    annotation,
    concept,
    number,
    period,
    placed,
    quantity,
    range_of,
    text_concept,
    text_of,
    time_choice,
)
from casefhir.fhir.narrative import div, summary
from casefhir.fhir.wording import when_words
from casefhir.record import Between, Course, Dosage, Quantity, Range, Text, Told, parse_value


def medication_statement(context: Context, fact: Course) -> Json:
    """The MedicationStatement of one course."""
    found = context.head("MedicationStatement", fact.key, div(summary(context.case, fact)))
    found |= placed(context, fact.source)
    found["identifier"] = [context.identifier("MedicationStatement", fact.key)]
    found["status"] = fact.status
    if fact.reasons:
        found["statusReason"] = [status_reason(context, each) for each in fact.reasons]
    found["medicationCodeableConcept"] = concept(context, fact.drug, fact.text, codes=fact.codes, kinds=("medication",))
    found["subject"] = context.to_subject()
    if fact.visit:
        found["context"] = context.to("Encounter", fact.visit)
    found |= time_choice(context, "effective", fact.when)
    span = period(context, fact.start, fact.end)
    if span:
        found["effectivePeriod"] = span
    article = context.case.article
    if article and article.published:
        found["dateAsserted"] = article.published
    if article:
        found["derivedFrom"] = [context.to(*ARTICLE)]
    if fact.purposes:
        found["reasonCode"] = [text_concept(context, each) for each in fact.purposes]
    if fact.indication:
        found["reasonReference"] = [context.to_fact(key) for key in fact.indication]
    notes = [annotation(context, note) for note in fact.notes]
    for what, moment in (("Started", fact.start), ("Ended", fact.end)):
        if isinstance(moment, Between):
            notes.append({"text": f"{what} {when_words(context.case, moment)}."})
    if notes:
        found["note"] = notes
    if fact.dosage:
        found["dosage"] = [_dosage(context, fact.dosage)]
    return found


def status_reason(context: Context, reason: Text) -> Json:
    """Why a course was stopped or not taken: the catalogue's reason, or the source's words, with their place."""
    key = text_of(reason)
    if key not in terms.concepts():
        return text_concept(context, reason)
    if isinstance(reason, Told):
        return placed(context, reason.source) | concept(context, key, None, codes=reason.codes)
    return concept(context, key, None)


def _dosage(context: Context, dosage: Dosage) -> Json:
    found: Json = {}
    if isinstance(dosage.text, Told):
        found |= placed(context, dosage.text.source)
    if dosage.text:
        found["text"] = text_of(dosage.text)
    repeat = _repeat(dosage)
    if repeat or dosage.schedule:
        found["timing"] = ({"repeat": repeat} if repeat else {}) | (
            {"code": text_concept(context, dosage.schedule)} if dosage.schedule else {}
        )
    if dosage.as_needed is not None:
        found["asNeededBoolean"] = dosage.as_needed
    if dosage.site:
        found["site"] = text_concept(context, dosage.site)
    if dosage.route:
        found["route"] = concept(context, f"route-{dosage.route}", dosage.route_text)
    elif dosage.route_text:
        found["route"] = text_concept(context, dosage.route_text)
    if dosage.method:
        found["method"] = text_concept(context, dosage.method)
    if dosage.dose:
        dose = parse_value(dosage.dose)
        if isinstance(dose, Range):
            found["doseAndRate"] = [{"doseRange": range_of(dose)}]
        elif isinstance(dose, Quantity):
            found["doseAndRate"] = [{"doseQuantity": quantity(dose)}]
    if dosage.at_most:
        most, per = (Quantity.parse(each) for each in dosage.at_most)
        found["maxDosePerPeriod"] = {"numerator": quantity(most), "denominator": quantity(per)}
    return found


def _repeat(dosage: Dosage) -> Json:
    found: Json = {}
    if dosage.lasting:
        found["boundsDuration"] = quantity(Quantity.parse(dosage.lasting))
    if dosage.count:
        found["count"] = dosage.count
    if dosage.over:
        over = Quantity.parse(dosage.over)
        found |= {"duration": number(over), "durationUnit": over.ucum}
    if dosage.times:
        found["frequency"] = dosage.times
    if dosage.every:
        every = Quantity.parse(dosage.every)
        found |= {"period": number(every), "periodUnit": every.ucum}
    return found
