"""Measurement -> Observation."""

import re
from decimal import Decimal

from casefhir import terms
from casefhir.fhir.constants import HL7, LOINC, TRANSLATION, UCUM
from casefhir.fhir.context import Context, Json
from casefhir.fhir.datatypes import (
    annotation,
    codings,
    concept,
    extended,
    given,
    original_text,
    placed,
    quantity,
    range_of,
    text_concept,
    time_choice,
)
from casefhir.fhir.narrative import div, summary
from casefhir.fhir.vital_signs import settle
from casefhir.record import (
    TITRE,
    Component,
    Measurement,
    On,
    Quantity,
    Range,
    Value,
    Words,
    parse_value,
    spans_of,
)

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
_HALVES = ("systolic-blood-pressure", "diastolic-blood-pressure")
SCALE_MEANING = "range of the scale, not the normal range"
_HEDGES = r"(?P<hedge>(?:about|approximately|around|almost|nearly|close to|more than|less than|over|up to) )?"
_FIGURE = re.compile(
    rf"{_HEDGES}(?P<figure>[0-9]{{1,3}}(?:[,\u00a0\u202f ][0-9]{{3}})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)", re.I
)


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
    found |= _result(context, fact, value)
    notes = [annotation(context, note) for note in fact.notes] + [
        {"text": text} for text in (*_flags(fact), *_remarks(context, fact, value))
    ]
    if notes:
        found["note"] = notes
    if fact.body_site:
        found["bodySite"] = text_concept(context, fact.body_site)
    if fact.method:
        found["method"] = text_concept(context, fact.method)
    ranges = _ranges(fact, value)
    if ranges:
        found["referenceRange"] = ranges
    if fact.members:
        found["hasMember"] = [context.to("Observation", key) for key in fact.members]
    if fact.derived_from:
        found["derivedFrom"] = [context.to("Observation", key) for key in fact.derived_from]
    components = [_component(context, part) for part in fact.components]
    if fact.titre and value is not None:
        components.insert(0, {"code": _titre_code(context, fact.concept), "valueQuantity": _titre(fact.titre)})
    if components:
        found["component"] = components
    settle(context, fact, value, found)
    return found


def _code(context: Context, fact: Measurement, value: Value | None) -> Json:
    if isinstance(value, Quantity) and _is_multiple(value):
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


def _is_multiple(value: Quantity) -> bool:
    return value.unit.startswith(("times", "×"))


def _quantity(value: Quantity, key: str | None, *, score: bool = False) -> Json:
    score = score or bool(key and terms.concept(key).kind == "score")
    if _is_multiple(value) or (score and not value.unit):
        return quantity(Quantity(value.value, value.unit, value.comparator)) | {
            "system": UCUM,
            "code": "1",
        }
    return quantity(value)


def _result(context: Context, fact: Measurement, value: Value | None) -> Json:
    found: Json = {}
    match value:
        case Quantity():
            words = extended([*_translation(fact), *map(original_text, _printed(fact, value))])
            found["valueQuantity"] = words | _quantity(value, fact.concept, score=bool(fact.scale))
        case Range():
            found["valueRange"] = range_of(value)
        case Words():
            found["valueCodeableConcept"] = _words(context, value)
        case None if fact.titre:
            found["valueQuantity"] = _titre(fact.titre)
    found |= _absent(context, fact)
    interpretation = _interpretation(fact, value)
    if interpretation:
        found["interpretation"] = [interpretation]
    return found


def _translation(part: Measurement | Component) -> list[Json]:
    """The value before it was converted to another unit."""
    return [{"url": TRANSLATION, "valueQuantity": quantity(part.printed)}] if part.printed else []


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


def _titre(printed: str) -> Json:
    match = TITRE.search(printed)
    if not match:
        return {"extension": [original_text(printed)]}
    return {"extension": [original_text(printed)]} | quantity(Quantity(Decimal(match[1]), "{titer}"))


def _titre_code(context: Context, key: str | None) -> Json:
    titre = f"{key}-titre"
    return concept(context, titre, None) if key and titre in terms.concepts() else {"text": "titre"}


def _coded_interpretation(code: str, display: str) -> Json:
    return {"coding": [{"system": f"{HL7}/v3-ObservationInterpretation", "code": code, "display": display}]}


def _interpretation(part: Measurement | Component, value: Value | None) -> Json | None:
    found = _read_interpretation(part, value)
    return found | {"text": part.interpretation_text} if found and part.interpretation_text else found


def _flags(fact: Measurement) -> list[str]:
    """Flags that have no code: the binding wants one, so their words are a note."""
    parts: tuple[Measurement | Component, ...] = (fact, *fact.components)
    return [
        f"Flagged {part.interpretation_text}."
        for part in parts
        if part.interpretation_text
        and not _read_interpretation(part, parse_value(part.value) if part.value is not None else None)
    ]


def _read_interpretation(part: Measurement | Component, value: Value | None) -> Json | None:
    """What the source says; else what follows from the words alone, or from the value and its stated range."""
    if part.interpretation:
        code = terms.interpretation_code(part.interpretation)
        return _coded_interpretation(*code) if code else None
    if isinstance(value, Words):
        code = terms.interpretation_code(value.text.lower())
        return _coded_interpretation(*code) if code else None
    if isinstance(value, Quantity) and part.range and not value.comparator:
        printed = part.range_text or "" if isinstance(part.range, Range) else part.range
        return _from_range(value, Range.parse(part.range), printed)
    return None


def _from_range(value: Quantity, normal: Range, printed: str) -> Json | None:
    for bound in (normal.low, normal.high):
        if bound is not None and bound.unit and bound.ucum != value.ucum and bound.unit != value.unit:
            return None
    # "N < 5": a value of exactly 5 is not normal; within "4.0-10.0" both ends are
    strict = printed.lstrip().startswith(("<", ">")) and not printed.lstrip().startswith(("<=", ">="))
    if normal.low is not None and (value.value < normal.low.value or (strict and value.value == normal.low.value)):
        return _coded_interpretation("L", "Low")
    if normal.high is not None and (value.value > normal.high.value or (strict and value.value == normal.high.value)):
        return _coded_interpretation("H", "High")
    return _coded_interpretation("N", "Normal")


def _ranges(part: Measurement | Component, value: Value | None) -> list[Json]:
    like = value if isinstance(value, Quantity) else None
    found: list[Json] = []
    if part.range:
        found.append(range_of(Range.parse(part.range), like=like) | {"text": part.range_text or str(part.range)})
    if isinstance(part, Measurement) and part.scale:
        scale = range_of(Range.parse(part.scale), like=like, ucum="1")
        printed = part.scale_text or str(part.scale).replace("-", "–")
        found.append(scale | {"type": {"text": SCALE_MEANING}, "text": printed})
    return found


def _component(context: Context, part: Component) -> Json:
    value = parse_value(part.value) if part.value is not None else None
    found: Json = {}
    if part.source:
        found |= placed(context, part.source)
    found["code"] = concept(context, part.concept, part.text, codes=part.codes)
    match value:
        case Quantity():
            found["valueQuantity"] = extended(_translation(part)) | _quantity(value, part.concept)
        case Range():
            found["valueRange"] = range_of(value)
        case Words():
            found["valueCodeableConcept"] = _words(context, value)
        case None if part.titre:
            found["valueQuantity"] = _titre(part.titre)
    found |= _absent(context, part)
    interpretation = _interpretation(part, value)
    if interpretation:
        found["interpretation"] = [interpretation]
    ranges = _ranges(part, value)
    if ranges:
        found["referenceRange"] = ranges
    return found


def _remarks(context: Context, fact: Measurement, value: Value | None) -> list[str]:
    """What a reader has to know of the result's unit or code; the conversion reports the former as well."""
    found = []
    if isinstance(value, Quantity) and value.unit and not value.ucum and not _is_multiple(value):
        found.append(f"The unit is printed {value.unit}, for which no UCUM code is given.")
        context.remarks.append(f"{fact.key}: the unit {value.unit!r} has no UCUM code; it stands as printed.")
    if fact.concept and terms.concept(fact.concept).caution and fact.value is not None:
        found.append(terms.concept(fact.concept).caution)
    return found
