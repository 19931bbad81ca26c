"""Generated narratives: plain clinical English, escaped; what a fact says in one line."""

import calendar
import re
from collections.abc import Iterable
from html import escape

from casefhir import terms
from casefhir.fhir.constants import MONDO
from casefhir.fhir.datatypes import text_of
from casefhir.record import (
    AdverseEvent,
    Age,
    Between,
    Case,
    Code,
    Component,
    Course,
    Dosage,
    Fact,
    Intolerance,
    Measurement,
    Moment,
    On,
    Person,
    Problem,
    Procedure,
    Relative,
    Report,
    Text,
    Visit,
    Words,
)


def div(*paragraphs: str) -> str:
    """An XHTML narrative; its root's attributes stand in the order that servers write them in."""
    body = "".join(f"<p>{escape(each, quote=False)}</p>" for each in paragraphs if each)
    return f'<div xml:lang="en" xmlns="http://www.w3.org/1999/xhtml" lang="en">{body}</div>'


def list_div(title: str, items: Iterable[str]) -> str:
    """A narrative that is a title and a list."""
    rows = "".join(f"<li>{escape(each, quote=False)}</li>" for each in items)
    body = f"<p>{escape(title, quote=False)}</p>" + (f"<ul>{rows}</ul>" if rows else "")
    return f'<div xml:lang="en" xmlns="http://www.w3.org/1999/xhtml" lang="en">{body}</div>'


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
    return _code_words(fact.codes) or "visit"


def _code_words(codes: tuple[Code, ...]) -> str:
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


def _event_names(case: Case, events: tuple[str, ...]) -> str:
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
    if part.range:
        value += f" (reference range {part.range_text or part.range})"
    if isinstance(part, Measurement) and part.scale:
        value += f" (scale: {part.scale_text or part.scale})"
    return value


def summary(case: Case, fact: Fact) -> str:
    """One line of plain English that says what the fact says."""
    match fact:
        case Problem():
            return _problem(case, fact)
        case Course():
            return _course(case, fact)
        case Measurement():
            return _measurement(case, fact)
        case AdverseEvent():
            return _adverse_event(case, fact)
        case Intolerance():
            return sentence(
                f"{'no ' if fact.certainty == 'refuted' else ''}{fact.kind} to {name_of(fact)}",
                ", ".join(map(_reaction, fact.reactions)),
                f"since {when_words(case, fact.onset)}" if fact.onset else "",
                fact.status if fact.status != "active" else "",
                notes_words(fact.notes) if case.extract else "",
            )
        case Procedure():
            return _procedure(case, fact)
        case Report():
            conclusion = text_of(fact.conclusion) if fact.conclusion else ""
            return sentence(name_of(fact), when_words(case, fact.when), conclusion, notes_words(fact.notes))
        case Visit():
            setting = text_of(fact.setting_text) if fact.setting_text else fact.setting or ""
            reasons = ", ".join(event_words(case, text_of(each)) for each in fact.reasons)
            why = f"for {reasons}" if reasons else ""
            return sentence(name_of(fact), when_words(case, fact.when), setting, why, notes_words(fact.notes))


def _procedure(case: Case, fact: Procedure) -> str:
    sites = ", ".join(site for site in map(text_of, fact.body_sites) if site not in name_of(fact))
    status = {"completed": "", "unknown": "whether it was done is not told"}.get(
        fact.status, fact.status.replace("-", " ")
    )
    return sentence(
        name_of(fact),
        sites,
        status,
        text_of(fact.why_not) if fact.why_not else "",
        when_words(case, fact.when),
        text_of(fact.outcome) if fact.outcome else "",
        notes_words(fact.notes),
    )


def _reaction(reaction: Text) -> str:
    words = text_of(reaction)
    return terms.concept(words).name if words in terms.concepts() else words


def _problem(case: Case, fact: Problem) -> str:
    if fact.certainty == "refuted":
        asserted = f"as of {when_words(case, fact.asserted)}" if fact.asserted else ""
        return sentence(f"no {name_of(fact)}", asserted, notes_words(fact.notes))
    onset = _age_or_when(case, fact.onset)
    return sentence(
        name_of(fact),
        text_of(fact.severity_text) if fact.severity_text else fact.severity or "",
        ", ".join(text_of(site) for site in fact.body_sites),
        fact.certainty if fact.certainty != "confirmed" else "",
        f"{fact.status or ''} {_age_or_when(case, fact.abatement)}".strip(),
        f"onset {onset}" if onset else "",
        f"{_asserted(fact)} {when_words(case, fact.asserted)}" if fact.asserted else "",
        f"due to {_event_names(case, fact.due_to)}" if fact.due_to else "",
        f"following {_event_names(case, fact.after)}" if fact.after else "",
        notes_words(fact.notes),
    )


def _age_or_when(case: Case, told: Moment | Age | None) -> str:
    return f"at {told.age}" if isinstance(told, Age) else when_words(case, told)


def _asserted(fact: Problem) -> str:
    """Diseases are diagnosed; signs and symptoms are found."""
    disease = fact.concept and any(coding.system == MONDO for coding in terms.concept(fact.concept).codings)
    return "diagnosed" if disease or fact.evidence else "found"


def _course(case: Case, fact: Course) -> str:
    reasons = ", ".join(_reaction(text_of(reason)) for reason in fact.reasons)
    status = {"unknown": "", "not-taken": "not taken"}.get(fact.status, fact.status)
    return sentence(
        name_of(fact),
        dosage_words(fact.dosage) if fact.dosage else "",
        when_words(case, fact.when),
        f"started {when_words(case, fact.start)}" if fact.start else "",
        f"ended {when_words(case, fact.end)}" if fact.end else "",
        f"{status} ({reasons})" if reasons and status else status or reasons,
        f"for {', '.join(map(text_of, fact.purposes))}" if fact.purposes else "",
        notes_words(fact.notes),
    )


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


def _measurement(case: Case, fact: Measurement) -> str:
    parts = ", ".join(f"{_part_name(part)} {value_words(part)}" for part in fact.components)
    site = text_of(fact.body_site) if fact.body_site else ""
    return sentence(
        f"{name_of(fact)}{f' ({site})' if site else ''}: {value_words(fact) or parts or 'see its parts'}",
        parts if value_words(fact) else "",
        when_words(case, fact.when),
        fact.interpretation if fact.interpretation and fact.interpretation not in value_words(fact) else "",
        f"flagged {fact.interpretation_text}" if fact.interpretation_text and not fact.interpretation else "",
        text_of(fact.method) if fact.method else "",
        notes_words(fact.notes),
    )


def _part_name(part: Component) -> str:
    return part.text or (terms.concept(part.concept).name if part.concept else _code_words(part.codes))


def _adverse_event(case: Case, fact: AdverseEvent) -> str:
    return sentence(
        name_of(fact),
        when_words(case, fact.when),
        *_blamed(case, fact),
        fact.severity or "",
        fact.seriousness or "",
        text_of(fact.outcome_text) if fact.outcome_text else fact.outcome or "",
        notes_words(fact.notes),
    )


def _blamed(case: Case, fact: AdverseEvent) -> list[str]:
    """The suspects by the words they are blamed with; no word of suspicion where these words judge nothing."""
    by_words: dict[tuple[str, bool], list[str]] = {}
    for suspect in fact.suspects:
        told = (
            f" (“{text_of(suspect.words)}”)"
            if suspect.words
            else f" ({suspect.causality})"
            if suspect.causality
            else ""
        )
        key = told, suspect.causality is not None
        by_words.setdefault(key, []).append(event_words(case, suspect.course))
    return [
        f"{'suspected' if judged else 'told with'} {', '.join(courses)}{told}"
        for (told, judged), courses in by_words.items()
    ]
