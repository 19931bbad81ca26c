"""What a result means: its interpretation, its range of reference, the bounds of a score."""

from casefhir import terms
from casefhir.fhir.constants import HL7
from casefhir.fhir.context import Json
from casefhir.fhir.datatypes import range_of
from casefhir.record import Component, Measurement, Quantity, Range, Value, Words, parse_value

SCALE_MEANING = "range of the scale, not the normal range"


def _coded_interpretation(code: str, display: str) -> Json:
    return {"coding": [{"system": f"{HL7}/v3-ObservationInterpretation", "code": code, "display": display}]}


def interpreted(part: Measurement | Component, value: Value | None) -> Json:
    """The interpretation of a result or of one of its parts."""
    found = _read_interpretation(part, value)
    if not found:
        return {}
    text = {"text": part.interpretation_text} if part.interpretation_text else {}
    return {"interpretation": [found | text]}


def flags(fact: Measurement) -> list[str]:
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


def ranges(part: Measurement | Component, value: Value | None) -> Json:
    """The range of reference, and the bounds of a score."""
    like = value if isinstance(value, Quantity) else None
    found: list[Json] = []
    if part.range:
        found.append(range_of(Range.parse(part.range), like=like) | {"text": part.range_text or str(part.range)})
    elif part.range_text:
        found.append({"text": part.range_text})  # words that are no figures: "negative to trace"
    if isinstance(part, Measurement) and part.scale:
        scale = range_of(Range.parse(part.scale), like=like, ucum="1")
        printed = part.scale_text or str(part.scale).replace("-", "–")
        found.append(scale | {"type": {"text": SCALE_MEANING}, "text": printed})
    return {"referenceRange": found} if found else {}
