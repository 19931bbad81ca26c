"""Names, times, results and regimens in plain clinical English."""

import calendar
import re

from casefhir import terms
from casefhir.fhir.datatypes import text_of
from casefhir.record import (
    Between,
    Case,
    Code,
    Component,
    Course,
    Dosage,
    Fact,
    Measurement,
    Moment,
    On,
    Person,
    Relative,
    Text,
    Words,
)


def sentence(*parts: str) -> str:
    """Parts joined by semicolons, the first letter large, a full stop at the end."""
    text = opening("; ".join(part for part in parts if part))
    return text + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def opening(text: str) -> str:
    """`text` as a sentence begins with it: the first letter large, but for words whose letters mean something."""
    first = re.split(r"[\s,:;]", text, maxsplit=1)[0]
    plain = first.isalpha() and first.islower() and len(first) > 1  # aSS, anti-Jo-1 and m² keep their letters
    return text[:1].upper() + text[1:] if plain else text


def name_of(fact: Fact | Person) -> str:
    """What a fact is called in a sentence."""
    if isinstance(fact, Person):
        return "the patient"
    text = getattr(fact, "text", None)
    if text:
        return str(text)
    key = getattr(fact, "concept", None) or getattr(fact, "drug", None)
    if key:
        return terms.concept(key).name
    return code_words(fact.codes) or "visit"


def code_words(codes: tuple[Code, ...]) -> str:
    """What the first code is called; the code itself where it has no name."""
    return (codes[0].display or codes[0].code) if codes else ""


def date_words(date: str) -> str:
    """`2003-11-04` as 4 November 2003, at its own precision."""
    parts = date[:10].split("-")
    if len(parts) == 1:
        return date
    month = f"{calendar.month_name[int(parts[1])]} {parts[0]}"
    if len(parts) == 2:
        return month
    day, _, time = date[8:].partition("T")
    return f"{int(day)} {month}{f', {time}' if time else ''}"


_RELATIONS = {
    "before-start": "before the start of", "before": "before", "before-end": "before the end of",
    "concurrent-with-start": "at the start of", "concurrent": "at the time of", "concurrent-with-end": "at the end of",
    "after-start": "after the start of", "after": "after", "after-end": "after the end of",
}  # fmt: skip


def when_words(case: Case, moment: Moment | None) -> str:
    """A time as a reader would say it; nothing where none is told."""
    match moment:
        case On():
            return _as_printed(moment.date, moment.printed)
        case Between():
            start = _as_printed(moment.start, moment.start_printed) if moment.start else ""
            end = _as_printed(moment.end, moment.end_printed) if moment.end else ""
            return f"between {start} and {end}" if start and end else f"from {start} on" if start else f"by {end}"
        case Relative():
            offset = f"{moment.offset} " if moment.offset else ""
            told = f"{offset}{_RELATIONS[moment.relationship]} {event_words(case, moment.event)}"
            return f"{told} (“{moment.words}”)" if moment.words else told
    return ""


def _as_printed(date: str, printed: str | None) -> str:
    return f"{date_words(date)} (“{printed}”)" if printed else date_words(date)


def event_words(case: Case, event: str) -> str:
    """An event of the case by name and, so that it is not taken for another one, its date or dose."""
    fact = case.by_key.get(event)
    if fact is None:
        return event
    start, when = getattr(fact, "start", None), getattr(fact, "when", None)
    told = date_words(when.date) if isinstance(when, On) else ""
    if isinstance(start, On):
        told = f"started {date_words(start.date)}"
    elif not told and isinstance(fact, Course) and fact.dosage:
        told = dosage_words(fact.dosage)
    return f"{name_of(fact)} ({told})" if told else name_of(fact)


def event_names(case: Case, events: tuple[str, ...]) -> str:
    """Several events (see `event_words`)."""
    return ", ".join(event_words(case, each) for each in events)


def notes_words(notes: tuple[Text, ...]) -> str:
    """Notes in one line, each a sentence."""
    return " ".join(sentence(text_of(note).rstrip(".")) for note in notes)


def value_words(part: Measurement | Component) -> str:
    """A result with its range, as printed."""
    value = part.value.text if isinstance(part.value, Words) else "" if part.value is None else str(part.value)
    if part.printed:
        value += f" (given as {part.printed})"
    if part.titre:
        value = f"{value} {part.titre}".strip()
    if part.absent or part.absent_code:
        reason = text_of(part.absent) if part.absent else (part.absent_code or "").replace("-", " ")
        value = f"not available ({reason})"
    if part.range or part.range_text:
        value += f" (reference range {part.range_text or part.range})"
    if isinstance(part, Measurement) and part.scale:
        value += f" (scale: {part.scale_text or part.scale})"
    return value


def dosage_words(dosage: Dosage) -> str:
    """A regimen as said; from its parts where the source has no words for it."""
    if dosage.text:
        return text_of(dosage.text)
    how_often = text_of(dosage.schedule) if dosage.schedule else ""
    if not how_often and dosage.every:
        times = "" if dosage.times in (None, 1) else f"{dosage.times} times "
        how_often = f"{times}every {dosage.every}"
    return " ".join(
        part
        for part in (
            str(dosage.dose) if dosage.dose else "",
            how_often,
            text_of(dosage.route_text) if dosage.route_text else dosage.route or "",
            f"over {dosage.over}" if dosage.over else "",
            f"for {dosage.lasting}" if dosage.lasting else "",
            "as needed" if dosage.as_needed else "",
        )
        if part
    )
