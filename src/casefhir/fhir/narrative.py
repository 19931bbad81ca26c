"""Generated narratives: escaped XHTML; what a fact says in one line (its parts are worded in `wording`)."""

from collections.abc import Iterable
from html import escape

from casefhir import terms
from casefhir.fhir.constants import MONDO
from casefhir.fhir.datatypes import text_of
from casefhir.fhir.wording import (
    code_words,
    dosage_words,
    event_names,
    event_words,
    name_of,
    notes_words,
    sentence,
    value_words,
    when_words,
)
from casefhir.record import (
    AdverseEvent,
    Age,
    Case,
    Component,
    Course,
    Fact,
    Intolerance,
    Measurement,
    Moment,
    Problem,
    Procedure,
    Report,
    Text,
    Visit,
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


def _reaction(reaction: Text) -> str:
    words = text_of(reaction)
    return terms.concept(words).name if words in terms.concepts() else words


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
        f"due to {event_names(case, fact.due_to)}" if fact.due_to else "",
        f"following {event_names(case, fact.after)}" if fact.after else "",
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
    return part.text or (terms.concept(part.concept).name if part.concept else code_words(part.codes))


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
