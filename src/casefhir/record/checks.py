"""What a case must hold to before it may become FHIR: every mistake is reported, each with the fact it is in."""

import difflib
import re
from collections.abc import Iterator

from casefhir import terms
from casefhir.errors import CasefhirError
from casefhir.record.case import Article, Case, Extract, LeftOut, Section, parts, places
from casefhir.record.codes import Code, Identifier, code_mistakes
from casefhir.record.errors import RecordError
from casefhir.record.facts import (
    AdverseEvent,
    Age,
    Component,
    Course,
    Fact,
    Intolerance,
    Measurement,
    Problem,
    Procedure,
    Report,
    Visit,
)
from casefhir.record.figure_checks import figures, measurement, unit_fits
from casefhir.record.moments import Between, Moment, On, Relative, check_date, precedes
from casefhir.record.person import Person
from casefhir.record.quantities import Quantity, Range, Words
from casefhir.record.spans import Told, cells_of, spans_of
from casefhir.record.types import misfits

_ABATED = ("inactive", "remission", "resolved")
_NAMED = Problem | Measurement | AdverseEvent | Procedure | Report | Course | Intolerance | Component
_NO_OBSERVATION = ("medication", "substance", "route", "reason", "severity", "value")
_KINDS: dict[type, tuple[str, ...]] = {
    Course: ("medication",),
    Intolerance: ("medication", "substance"),
    Problem: ("condition",),
    AdverseEvent: ("condition",),
    Procedure: ("procedure",),
    Report: ("imaging", "report", "procedure", "lung-function", "laboratory"),
}


def check(case: Case) -> list[RecordError]:
    """All mistakes of `case`, in its order; none means that it can be converted."""
    found = [RecordError(message) for message in _of_frame(case)]
    for fact in (case.person, *case.facts):
        loose = [message for part in parts(fact) for each in (part, *_held(part)) for message in misfits(each)]
        found += [RecordError(message, fact.key) for message in loose or _of_fact(case, fact)]
    return found


def _of_frame(case: Case) -> Iterator[str]:
    """The article or the extract, the sections, what is left out."""
    for part in (case.article or case.extract, *case.sections, *case.left_out):
        yield from misfits(part)
    if case.extract:
        yield from _of_extract(case, case.extract)
    if case.article:
        yield from _of_article(case, case.article)


def _of_extract(case: Case, extract: Extract) -> Iterator[str]:
    if not re.fullmatch("[0-9a-f]{64}", str(extract.mapping_sha256)):
        yield "The mapping's SHA-256 is not 64 hexadecimal digits."
    for key in extract.rules:
        if key not in case.by_key:
            yield f"A rule is named for {key!r}, which no fact of the case is called."
    if case.sections or case.left_out:
        yield "Sections, and what is left out of them, belong to articles; the case is told in tables."


def _of_article(case: Case, article: Article) -> Iterator[str]:
    for name, length in (("sha256", 64), ("sha1", 40)):
        if not re.fullmatch(f"[0-9a-f]{{{length}}}", str(getattr(article, name))):
            yield f"The article's {name} is not {length} hexadecimal digits; casefhir new writes it."
    end = article.characters
    stretches: tuple[Section | LeftOut, ...] = (*case.sections, *case.left_out)
    for stretch in stretches:
        if stretch.offset < 0 or stretch.length < 1 or stretch.offset + stretch.length > end:
            yield f"The stretch ({stretch.offset}, {stretch.length}) is not within the document's {end} characters."
    for left in case.left_out:
        if left.repeats and left.repeats not in case.by_key:
            yield f"The stretch left out at {left.offset} repeats {left.repeats!r}, which no fact is called."


def _of_fact(case: Case, fact: Fact | Person) -> Iterator[str]:
    yield from _spans(case, fact)
    yield from _links(case, fact)
    yield from _words(case, fact)
    for part in parts(fact):
        yield from figures(part)
        yield from _named(part)
        for each in _held(part):
            if isinstance(each, Code | Identifier):
                yield from code_mistakes(each)
            if isinstance(each, Quantity) and not each.value.is_finite():
                yield f"{each} is not a number that can be measured; give its reason as absent_code (not-a-number)."
    if isinstance(fact, Person):
        yield from _person(fact)
    if isinstance(fact, Measurement):
        yield from measurement(fact)
    if isinstance(fact, Problem):
        yield from _problem(fact)
    if isinstance(fact, Course):
        yield from _order(fact.start, fact.end)
        if fact.when and (fact.start or fact.end):
            yield "It has both a time (when) and a start or end; keep one way to say it."
        if fact.reasons and fact.status in ("active", "completed"):
            yield f"It gives reasons for a stop, but its status is {fact.status}."


def _held(part: object) -> Iterator[object]:
    """Codes, identifiers and figures in the fields of `part`, which have no place of their own."""
    for name in part.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(part, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Code | Identifier | Quantity):
                yield each
            elif isinstance(each, Words):
                yield from each.codes
            elif isinstance(each, Range):
                yield from (bound for bound in (each.low, each.high) if bound)


def _person(person: Person) -> Iterator[str]:
    if person.birth_date is not None:
        try:
            if len(check_date(person.birth_date)) > len("2003-11-04"):
                yield f"{person.birth_date!r} has a time; a birth date is a year, month or day."
        except RecordError as error:
            yield str(error)
        if isinstance(person.deceased, On) and precedes(person.deceased.date, person.birth_date):
            yield f"The person died ({person.deceased.date}) before being born ({person.birth_date})."
    if person.language is not None and not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", person.language):
        yield f"{person.language!r} is not a language tag, such as de or pt-BR."


def _spans(case: Case, fact: Fact | Person) -> Iterator[str]:
    tables = case.extract.files if case.extract else {}
    for cells in (each for part in parts(fact) for each in cells_of(getattr(part, "source", None))):
        if cells.table not in tables:
            yield f"It stands in the table {cells.table!r}, whose file the case's extract does not name."
    if case.article is not None and not spans_of(fact.source):
        yield "It has no place in the document (source); give the span that tells it."
    for span in places(fact):
        if case.article is None:
            yield "It stands at a place of a document, but the case is told in tables."
            return
        if span.end > case.article.characters:
            where = f"({span.offset}, {span.length})"
            yield f"Its span {where} ends after the document's {case.article.characters} characters."


def _links(case: Case, fact: Fact | Person) -> Iterator[str]:
    """Keys of other facts: they exist, and are of a kind that belongs there."""
    wanted: list[tuple[str, str]] = []
    match fact:
        case Problem():
            wanted = [(key, "Measurement or Report") for key in fact.evidence]
            wanted += [(key, "") for key in fact.related]
        case Course():
            wanted = [(key, "Problem or Measurement or Report") for key in fact.indication]
        case Measurement():
            wanted = [(key, "Measurement") for key in (*fact.members, *fact.derived_from)]
        case AdverseEvent():
            wanted = [(suspect.course, "Course or Procedure") for suspect in fact.suspects]
            wanted += [(key, "Problem") for key in fact.resulting]
        case Report():
            wanted = [(key, "Measurement") for key in fact.results]
        case Procedure():
            wanted = [(key, "Report") for key in fact.reports]
    visit = getattr(fact, "visit", None)
    if visit:
        wanted.append((visit, "Visit"))
    for key, kinds in wanted:
        other = case.by_key.get(key)
        if other is None:
            yield f"It names {key!r}, which no fact of the case is called."
        elif key == fact.key:
            yield f"It names itself ({key!r})."
        elif isinstance(other, Person) or (kinds and type(other).__name__ not in kinds.split(" or ")):
            yield f"It names {key!r}, which is a {type(other).__name__}; a {kinds or 'fact'} belongs there."


def _words(case: Case, fact: Fact | Person) -> Iterator[str]:
    """Words where a key may stand too: a misspelled key must not become words."""
    told: list[str] = [part.event for part in parts(fact) if isinstance(part, Relative)]
    if case.person.key in told:
        yield f"A time cannot hang on the person ({case.person.key!r}); name a fact or say the event in words."
    match fact:
        case Problem():
            told += [*fact.due_to, *fact.after]
        case Course():
            told += [each.text if isinstance(each, Told) else each for each in fact.reasons]
        case Procedure() | Visit():
            told += [each for each in fact.reasons if isinstance(each, str)]
        case Intolerance():
            told += [each for each in fact.reactions if isinstance(each, str)]
    if cells_of(fact.source):
        return  # a cell's words are not typed by hand: anti-Jo-1 there is no misspelled key
    known = {*case.by_key, *terms.concepts()}
    for each in told:
        if each in known or " " in each or "-" not in each:
            continue
        near = difflib.get_close_matches(each, known, n=1, cutoff=0.75)
        if near or any(letter.isdigit() for letter in each):
            hint = f" Did you mean {near[0]}?" if near else ""
            yield f"{each!r} looks like a key, but neither a fact nor a concept is called so.{hint}"


def _named(part: object) -> Iterator[str]:
    if not isinstance(part, _NAMED):
        return
    key = part.drug if isinstance(part, Course | Intolerance) else part.concept
    if key is None:
        if not part.text and not part.codes:
            yield "It has neither a concept nor a text; give at least the source's naming phrase as text."
        return
    try:
        concept = terms.concept(key)
    except CasefhirError as error:
        yield str(error)
        return
    kinds = _KINDS.get(type(part))
    if (kinds and concept.kind not in kinds) or (not kinds and concept.kind in _NO_OBSERVATION):
        yield f"{key!r} is a {concept.kind}, which is no concept for a {type(part).__name__}."
    if isinstance(part, Measurement | Component) and concept.unit:
        yield from unit_fits(part, concept)


def _problem(fact: Problem) -> Iterator[str]:
    if fact.abatement and fact.status not in _ABATED:
        yield "It has an end (abatement), so its status has to be inactive, remission or resolved."
    if fact.category == "problem-list-item" and not fact.status:
        yield "It is on the problem list (category), so its status has to be told."
    if fact.certainty == "refuted" and (fact.status or fact.severity or fact.onset):
        yield "It is denied (refuted), so it has no status, severity or onset."
    if not isinstance(fact.onset, Age) and not isinstance(fact.abatement, Age):
        yield from _order(fact.onset, fact.abatement)


def _order(start: Moment | None, end: Moment | None) -> Iterator[str]:
    first = start.date if isinstance(start, On) else start.start if isinstance(start, Between) else None
    last = end.date if isinstance(end, On) else end.end if isinstance(end, Between) else None
    if first and last and precedes(last, first):
        yield f"It ends ({last}) before it starts ({first})."
