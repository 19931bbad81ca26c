"""R4 data types from the record's values: concepts, quantities, ranges, times, and the places they stand at."""

from collections.abc import Iterable

from casefhir import terms
from casefhir.fhir.constants import (
    DATA_ABSENT_REASON,
    DERIVATION_REFERENCE,
    ORIGINAL_TEXT,
    RELATIVE_DATE,
    UCUM,
)
from casefhir.fhir.context import ARTICLE, Context, Json, resource_type
from casefhir.record import (
    Between,
    Moment,
    On,
    Quantity,
    Range,
    Relative,
    Source,
    Text,
    Told,
    spans_of,
)


def derivations(context: Context, source: Source | None, *, in_primitive: bool = False) -> list[Json]:
    """HL7's derivation-reference extensions for the places of `source`: article, offset, length in code points."""
    reference = context.in_primitive(*ARTICLE) if in_primitive else context.to(*ARTICLE)
    return [
        {
            "url": DERIVATION_REFERENCE,
            "extension": [
                {"url": "reference", "valueReference": reference},
                {"url": "offset", "valueInteger": span.offset},
                {"url": "length", "valueInteger": span.length},
            ],
        }
        for span in spans_of(source)
    ]


def original_text(words: str) -> Json:
    """The source's own words, where they are a figure or a naming phrase."""
    return {"url": ORIGINAL_TEXT, "valueString": words}


def absent(reason: str = "unknown") -> Json:
    """The data-absent-reason extension."""
    return {"url": DATA_ABSENT_REASON, "valueCode": reason}


def text_of(text: Text) -> str:
    """The words, wherever they stand."""
    return text.text if isinstance(text, Told) else text


def text_concept(context: Context, text: Text) -> Json:
    """A CodeableConcept of words alone, with their place if they have one of their own."""
    concept: Json = {}
    if isinstance(text, Told):
        concept["extension"] = derivations(context, text.source)
    return concept | {"text": text_of(text)}


def annotation(context: Context, text: Text) -> Json:
    """An Annotation, with the place of its words if they have one of their own."""
    return text_concept(context, text)


def coded(coding: terms.Coding) -> Json:
    """A Coding; without a display where the catalogue gives none (LOINC's drift between releases)."""
    found: Json = {"system": coding.system, "code": coding.code}
    return found | {"display": coding.display} if coding.display else found


def codings(context: Context, key: str, *, kinds: Iterable[str] | None = None) -> list[Json]:
    """The codings of a catalogue concept that may be written, of certain kinds only where told."""
    wanted = None if kinds is None else set(kinds)
    return [
        coded(coding)
        for coding in terms.concept(key).codings
        if context.emits(coding) and (wanted is None or coding.kind in wanted)
    ]


def concept(context: Context, key: str | None, text: str | None, *, kinds: Iterable[str] | None = None) -> Json:
    """The CodeableConcept of a fact: the catalogue's codings; the source's naming phrase or the catalogue's name."""
    found: Json = {}
    if key:
        codes = codings(context, key, kinds=kinds)
        if codes:
            found["coding"] = codes
    return found | {"text": text or terms.concept(key or "").name}


def quantity(value: Quantity, *, ucum: str | None = None) -> Json:
    """A Quantity with its digits, the unit as printed and its UCUM code (`ucum` where no unit is printed), if it has
    one.
    """
    found: Json = {"value": number(value)}
    if value.comparator:
        found["comparator"] = value.comparator
    if value.unit:
        found["unit"] = value.unit
    code = value.ucum or (ucum if not value.unit else None)
    if code:
        found |= {"system": UCUM, "code": code}
    return found


def number(value: Quantity) -> object:
    """The number as JSON takes it: whole numbers as integers, the others as exact decimals."""
    text = str(value.value)
    return int(text) if text.lstrip("-").isdigit() else value.value


def range_of(value: Range, *, like: Quantity | None = None, ucum: str | None = None) -> Json:
    """A Range; bounds printed without a unit take the unit of the result they belong to (`like`)."""
    found: Json = {}
    for name, bound in (("low", value.low), ("high", value.high)):
        if bound is not None:
            unit = bound.unit or (like.unit if like else "")
            found[name] = quantity(Quantity(bound.value, unit), ucum=ucum)
    return found


def relative_date(context: Context, moment: Relative) -> list[Json]:
    """Extensions that tell a time by an event: the words, the event, the relation, how long after or before."""
    fact = context.case.by_key.get(moment.event)
    if fact is None:
        event: Json = {"url": "event", "valueCodeableConcept": {"text": moment.event}}
    else:
        event = {"url": "event", "valueReference": context.in_primitive(resource_type(fact), moment.event)}
    offset = moment.quantity
    duration: Json = quantity(offset) if offset else {"extension": [absent()]}
    relation = {
        "url": RELATIVE_DATE,
        "extension": [
            event,
            {"url": "relationship", "valueCode": moment.relationship},
            {"url": "offset", "valueDuration": duration},
        ],
    }
    return [original_text(moment.words), relation] if moment.words else [relation]


def date_element(context: Context, name: str, moment: Moment) -> Json:
    """`moment` as the date or dateTime element `name`, with `_name` for its place and for what is no calendar date."""
    places = derivations(context, moment.source, in_primitive=True)
    match moment:
        case On():
            return {name: moment.date, f"_{name}": {"extension": places}}
        case Relative():
            return {f"_{name}": {"extension": [*relative_date(context, moment), *places]}}
        case Between():  # no single date can say this: the words stand in a note or the narrative
            return {f"_{name}": {"extension": [absent("as-text"), *places]}}


def time_choice(context: Context, stem: str, moment: Moment | None, *, required: bool = False) -> Json:
    """`moment` as `<stem>DateTime` or, between two dates, `<stem>Period`; if not told and `required`, why not."""
    if moment is None:
        return {f"_{stem}DateTime": {"extension": [absent()]}} if required else {}
    if isinstance(moment, Between):
        found: Json = {"extension": derivations(context, moment.source)}
        if moment.start:
            found["start"] = moment.start
        if moment.end:
            found["end"] = moment.end
        return {f"{stem}Period": found}
    return date_element(context, f"{stem}DateTime", moment)


def period(context: Context, start: Moment | None, end: Moment | None) -> Json:
    """A Period from the times of a start and an end, each as it was told."""
    found: Json = {}
    if start:
        found |= date_element(context, "start", start)
    if end:
        found |= date_element(context, "end", end)
    return found
