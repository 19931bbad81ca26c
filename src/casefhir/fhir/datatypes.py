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
    Code,
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
    """HL7's derivation-reference extensions for the places of `source`: article, offset, length in code points.

    None for cells of a table, which are in the index beside the output.
    """
    spans = spans_of(source)
    if not spans:
        return []
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
        for span in spans
    ]


def extended(extensions: list[Json]) -> Json:
    """`extensions` as an element holds them: nothing where there are none, for FHIR has no empty arrays."""
    return {"extension": extensions} if extensions else {}


def placed(context: Context, source: Source | None, *, in_primitive: bool = False) -> Json:
    """The extensions for the places of `source`, as an element holds them."""
    return extended(derivations(context, source, in_primitive=in_primitive))


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
    """A CodeableConcept of words and the codes the source gives for them, with their place if they have one of their
    own.
    """
    if not isinstance(text, Told):
        return {"text": text}
    codes = {"coding": [given(code) for code in text.codes]} if text.codes else {}
    return placed(context, text.source) | codes | {"text": text.text}


def annotation(context: Context, text: Text) -> Json:
    """An Annotation, with the place of its words if they have one of their own."""
    place = placed(context, text.source) if isinstance(text, Told) else {}
    return place | {"text": text_of(text)}


def given(code: Code) -> Json:
    """A Coding as the source gives it."""
    found: Json = {"system": code.system}
    if code.version:
        found["version"] = code.version
    found["code"] = code.code
    return found | {"display": code.display} if code.display else found


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


def concept(
    context: Context,
    key: str | None,
    text: Text | None,
    *,
    codes: tuple[Code, ...] = (),
    kinds: Iterable[str] | None = None,
) -> Json:
    """The CodeableConcept of a fact: the source's own `codes`, then the catalogue's codings; the source's naming phrase
    or the catalogue's name.
    """
    told = text if isinstance(text, Told) else None
    found: Json = placed(context, told.source) if told else {}
    both = [*map(given, codes), *map(given, told.codes if told else ())]
    if key:
        both += codings(context, key, kinds=kinds)
    if both:
        once: dict[tuple[str, str], Json] = {}
        for coding in both:
            once.setdefault((coding["system"], coding["code"]), coding)
        found["coding"] = list(once.values())
    words = text_of(text) if text else terms.concept(key).name if key else None
    return found | {"text": words} if words else found


def quantity(value: Quantity, *, ucum: str | None = None, extensions: Iterable[Json] = ()) -> Json:
    """A Quantity with its digits, the unit as printed and its UCUM code (`ucum` where no unit is printed), if it has
    one.
    """
    found: Json = extended(list(extensions))
    found["value"] = number(value)
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
            owner = bound if bound.unit or bound.code or not like else like
            found[name] = quantity(Quantity(bound.value, owner.unit, code=owner.code), ucum=ucum)
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
            return dated(name, moment.date, moment.printed, places)
        case Relative():
            return {f"_{name}": {"extension": [*relative_date(context, moment), *places]}}
        case Between():  # no single date can say this: the words stand in a note or the narrative
            return {f"_{name}": {"extension": [absent("as-text"), *places]}}


def dated(name: str, date: str, printed: str | None, places: list[Json]) -> Json:
    """A calendar date as the element `name`; how the source says it, and where, beside it."""
    beside = [original_text(printed), *places] if printed else places
    return {name: date} | ({f"_{name}": {"extension": beside}} if beside else {})


def time_choice(context: Context, stem: str, moment: Moment | None, *, required: bool = False) -> Json:
    """`moment` as `<stem>DateTime` or, between two dates, `<stem>Period`; if not told and `required`, why not."""
    if moment is None:
        return {f"_{stem}DateTime": {"extension": [absent()]}} if required else {}
    if isinstance(moment, Between):
        found = placed(context, moment.source)
        ends = (moment.start, moment.start_printed), (moment.end, moment.end_printed)
        for name, (date, printed) in zip(("start", "end"), comparable(*ends), strict=True):
            if date:
                found |= dated(name, date, printed, [])
        return {f"{stem}Period": found}
    return date_element(context, f"{stem}DateTime", moment)


_Printed = tuple[str | None, str | None]


def comparable(start: _Printed, end: _Printed) -> tuple[_Printed, _Printed]:
    """The dates of a Period, each with how it is printed, so that R4 can tell that it does not end before it starts
    (per-1): of two that are the same as far as the vaguer one goes, the finer is written as vaguely, its own words
    beside it.
    """
    one, other = start[0], end[0]
    if one is None or other is None or not vaguely_same(one, other):
        return start, end
    shared = min(len(one), len(other))
    return (one[:shared], start[1] or (one if len(one) > shared else None)), (
        other[:shared],
        end[1] or (other if len(other) > shared else None),
    )


def vaguely_same(one: str, other: str) -> bool:
    """Whether two dates of different precision are the same as far as the vaguer one goes."""
    shared = min(len(one), len(other))
    return len(one) != len(other) and shared <= len("2003-11-04") and one[:shared] == other[:shared]


def period(context: Context, start: Moment | None, end: Moment | None) -> Json:
    """A Period from the times of a start and an end, each as it was told."""
    found: Json = {}
    if isinstance(start, On) and isinstance(end, On):
        ends = comparable((start.date, start.printed), (end.date, end.printed))
        for name, told, (date, printed) in zip(("start", "end"), (start, end), ends, strict=True):
            found |= dated(name, date or "", printed, derivations(context, told.source, in_primitive=True))
        return found
    if start:
        found |= date_element(context, "start", start)
    if end:
        found |= date_element(context, "end", end)
    return found
