"""The value of a result: its quantity as printed and in UCUM, its words, its titre, or why there is none."""

import re
from decimal import Decimal

from casefhir import terms
from casefhir.fhir.constants import HL7, LOINC, TRANSLATION, UCUM
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import codings, concept, extended, given, original_text, quantity, range_of, text_concept
from casefhir.record import TITRE, Component, Measurement, Quantity, Range, Value, Words, spans_of

_ABSENT = {"not performed": "not-performed", "technical": "error"}
_ABSENT_NAMES = {
    "unknown": "Unknown",
    "asked-unknown": "Asked But Unknown",
    "temp-unknown": "Temporarily Unknown",
    "not-asked": "Not Asked",
    "asked-declined": "Asked But Declined",
    "masked": "Masked",
    "not-applicable": "Not Applicable",
    "unsupported": "Unsupported",
    "as-text": "As Text",
    "error": "Error",
    "not-a-number": "Not a Number (NaN)",
    "negative-infinity": "Negative Infinity (NINF)",
    "positive-infinity": "Positive Infinity (PINF)",
    "not-performed": "Not Performed",
    "not-permitted": "Not Permitted",
}
_HEDGES = r"(?P<hedge>(?:about|approximately|around|almost|nearly|close to|more than|less than|over|up to) )?"
_FIGURE = re.compile(
    rf"{_HEDGES}(?P<figure>[0-9]{{1,3}}(?:[,\u00a0\u202f ][0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)", re.I
)


def valued(context: Context, part: Measurement | Component, value: Value | None) -> Json:
    """The value[x] of a result or of one of its parts, or the reason why there is none."""
    found: Json = {}
    match value:
        case Quantity():
            score = isinstance(part, Measurement) and bool(part.scale)
            found["valueQuantity"] = extended(_as_printed(part, value)) | _quantity(value, part.concept, score=score)
        case Range():
            found["valueRange"] = range_of(value)
        case Words():
            found["valueCodeableConcept"] = _words(context, value)
        case None if part.titre:
            found["valueQuantity"] = titre(part.titre)
    return found | _absent(context, part)


def _as_printed(part: Measurement | Component, value: Quantity) -> list[Json]:
    """Extensions: the value before it was converted to another unit, and the figure as it is printed."""
    translation = [{"url": TRANSLATION, "valueQuantity": quantity(part.printed)}] if part.printed else []
    return translation + (list(map(original_text, _printed(part, value))) if isinstance(part, Measurement) else [])


def is_multiple(value: Quantity) -> bool:
    """Whether a value is a multiple of the upper limit of normal."""
    return value.unit.startswith(("times", "×"))


def _quantity(value: Quantity, key: str | None, *, score: bool = False) -> Json:
    score = score or bool(key and terms.concept(key).kind == "score")
    if is_multiple(value) or (score and not value.unit):
        return quantity(Quantity(value.value, value.unit, value.comparator)) | {
            "system": UCUM,
            "code": "1",
        }
    return quantity(value)


def _printed(fact: Measurement, value: Quantity) -> list[str]:
    """The figure as printed, where value and unit alone say it otherwise: close to 20 000 IU/L, else 3,260 UI/l."""
    found: dict[bool, str] = {}
    for span in spans_of(fact.source):
        for match in _FIGURE.finditer(span.quote):
            if re.sub(r"[^0-9.]", "", match["figure"]) != str(value.value):
                continue
            hedge = match["hedge"] or ""
            if hedge or re.search(r"[^0-9.]", match["figure"]):
                rest = span.quote[match.end() :].lstrip()
                unit = value.unit if rest.startswith(value.unit) else ""
                found.setdefault(bool(hedge), f"{hedge}{match['figure']} {unit}".strip())
    return [found[hedged] for hedged in (True, False) if hedged in found][:1]


def _words(context: Context, words: Words) -> Json:
    value = terms.concepts().get(words.text.replace(" ", "-"))
    codes = codings(context, value.key) if value and value.kind == "value" else []
    own = [(code.system, code.code) for code in words.codes]
    snomed = [each for each in codes if each["system"] != LOINC and (each["system"], each["code"]) not in own]
    both = [*map(given, words.codes), *snomed]
    return ({"coding": both} if both else {}) | {"text": words.text}


def _absent(context: Context, part: Measurement | Component) -> Json:
    """Why there is no value: R4's code of the reason, given or read from the words, and the words."""
    if part.absent is None and part.absent_code is None:
        return {}
    text = text_concept(context, part.absent) if part.absent else {}
    words = text.get("text", "").lower()
    code: str = part.absent_code or next((code for phrase, code in _ABSENT.items() if phrase in words), "unknown")
    coding = {"system": f"{HL7}/data-absent-reason", "code": code, "display": _ABSENT_NAMES[code]}
    own = text.pop("coding", [])
    return {"dataAbsentReason": {"coding": [coding, *own]} | text}


def titre(printed: str) -> Json:
    """A titre as a quantity in `{titer}`, with the words it was printed in."""
    match = TITRE.search(printed)
    if not match:
        return {"extension": [original_text(printed)]}
    return {"extension": [original_text(printed)]} | quantity(Quantity(Decimal(match[1]), "{titer}"))


def titre_code(context: Context, key: str | None) -> Json:
    """The code of the titre of what `key` measures."""
    own = f"{key}-titre"
    return concept(context, own, None) if key and own in terms.concepts() else {"text": "titre"}
