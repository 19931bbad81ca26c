"""Person -> Patient."""

from casefhir.fhir.constants import CASE_SYSTEM, REPORTED_ORIGIN, URI
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import absent, derivations, text_concept, text_of
from casefhir.fhir.narrative import div, sentence

_WORDS = {
    "female": "woman",
    "male": "man",
    "other": "person of another sex",
    "unknown": "person, sex not told",
}


def patient(context: Context) -> Json:
    """The Patient of the case: no name and no birth date, for none is told; origin as an extension of ours."""
    case, person = context.case, context.case.person
    origin = text_of(person.origin) if person.origin else ""
    found = context.head("Patient", person.key, div(sentence(_WORDS[person.sex], origin, "birth date not given")))
    extensions: list[Json] = []
    if person.origin:
        extensions.append({"url": REPORTED_ORIGIN, "valueCodeableConcept": text_concept(context, person.origin)})
    found["extension"] = [*extensions, *derivations(context, person.source)]
    found["identifier"] = [
        context.identifier("Patient", person.key),
        {"system": CASE_SYSTEM, "value": case.key},
        *_published_as(context),
    ]
    found["gender"] = person.sex
    found["_birthDate"] = {"extension": [absent()]}
    return found


def _published_as(context: Context) -> list[Json]:
    """The article's identifier with the number that it gives the case."""
    article = context.case.article
    if article.doi:
        uri = f"https://doi.org/{article.doi}"
    elif article.pmcid:
        uri = f"https://www.ncbi.nlm.nih.gov/pmc/articles/{article.pmcid}"
    else:
        return []
    label = context.case.label
    return [{"system": URI, "value": f"{uri}#{label.lower().replace(' ', '-')}" if label else uri}]
