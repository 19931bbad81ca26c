"""Person -> Patient."""

from casefhir.fhir.constants import CASE_SYSTEM, HL7, REPORTED_ORIGIN, URI
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import absent, date_element, derivations, extended, text_concept, text_of
from casefhir.fhir.narrative import div
from casefhir.fhir.wording import date_words, sentence, when_words
from casefhir.record import Address, Case, Person

_WORDS = {
    "female": "woman",
    "male": "man",
    "other": "person of another sex",
    "unknown": "person, sex not told",
}
_MARITAL = {
    "married": ("M", "Married"),
    "never married": ("S", "Never Married"),
    "unmarried": ("U", "unmarried"),
    "divorced": ("D", "Divorced"),
    "legally separated": ("L", "Legally Separated"),
    "widowed": ("W", "Widowed"),
    "domestic partner": ("T", "Domestic partner"),
    "annulled": ("A", "Annulled"),
    "interlocutory": ("I", "Interlocutory"),
    "polygamous": ("P", "Polygamous"),
}


def patient(context: Context) -> Json:
    """The Patient of the case: what the source tells of the person and no more; origin as an extension of ours."""
    case, person = context.case, context.case.person
    found = context.head("Patient", person.key, div(_sentence(case)))
    extensions: list[Json] = []
    if person.origin:
        extensions.append({"url": REPORTED_ORIGIN, "valueCodeableConcept": text_concept(context, person.origin)})
    found |= extended([*extensions, *derivations(context, person.source)])
    found["identifier"] = [
        context.identifier("Patient", person.key),
        {"system": CASE_SYSTEM, "value": case.key},
        *({"system": each.system, "value": each.value} for each in person.identifiers),
        *_published_as(context),
    ]
    if person.family or person.given:
        family = {"family": person.family} if person.family else {}
        found["name"] = [family | ({"given": [*person.given]} if person.given else {})]
    found["gender"] = person.sex
    if person.birth_date:
        found["birthDate"] = person.birth_date
    else:
        found["_birthDate"] = {"extension": [absent(person.birth_date_absent)]}
    if isinstance(person.deceased, bool):
        found["deceasedBoolean"] = person.deceased
    elif person.deceased:
        found |= date_element(context, "deceasedDateTime", person.deceased)
    if person.address:
        found["address"] = [_address(person.address)]
    if person.marital_status or person.marital_status_text:
        found["maritalStatus"] = _marital_status(context, person)
    if person.language:
        coding = {"system": "urn:ietf:bcp:47", "code": person.language}
        found["communication"] = [{"language": {"coding": [coding]}}]
    return found


def _sentence(case: Case) -> str:
    person, died = case.person, ""
    if person.deceased is True:
        died = "deceased"
    elif person.deceased:
        died = f"died {when_words(case, person.deceased)}"
    return sentence(
        " ".join((*person.given, person.family or "")).strip(),
        _WORDS[person.sex],
        text_of(person.origin) if person.origin else "",
        f"born {date_words(person.birth_date)}" if person.birth_date else "birth date not given",
        died,
    )


def _address(address: Address) -> Json:
    parts = {
        "line": [*address.lines],
        "city": address.city,
        "district": address.district,
        "state": address.state,
        "postalCode": address.postal_code,
        "country": address.country,
    }
    return {name: value for name, value in parts.items() if value}


def _marital_status(context: Context, person: Person) -> Json:
    found = text_concept(context, person.marital_status_text or person.marital_status or "")
    if person.marital_status:
        code, display = _MARITAL[person.marital_status]
        own = found.pop("coding", [])
        found = {"coding": [*own, {"system": f"{HL7}/v3-MaritalStatus", "code": code, "display": display}]} | found
    return found


def _published_as(context: Context) -> list[Json]:
    """The article's identifier with the number that it gives the case."""
    article = context.case.article
    if article is None:
        return []
    if article.doi:
        uri = f"https://doi.org/{article.doi}"
    elif article.pmcid:
        uri = f"https://www.ncbi.nlm.nih.gov/pmc/articles/{article.pmcid}"
    else:
        return []
    label = context.case.label
    return [{"system": URI, "value": f"{uri}#{label.lower().replace(' ', '-')}" if label else uri}]
