"""Proves one fact against the text: its spans, its figures with what names them, its dates, its words."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from casefhir import terms
from casefhir.record import (
    Age,
    Course,
    Dosage,
    Fact,
    Measurement,
    Person,
    Relative,
    Span,
    Suspect,
    Told,
    parts,
    places,
    spans_of,
)
from casefhir.sources.article import naming
from casefhir.sources.article.claims import Amount, Claim, Ratio, Time, claims_of, dates_of, texts_of
from casefhir.sources.article.document import quote_pattern
from casefhir.sources.article.figures import (
    SOFT_UNITS,
    Figure,
    figures,
    has_unit,
    states_date,
    states_time,
    units_at,
    within,
)
from casefhir.sources.article.prose import preceding, touching

_SEXES = {"female": "woman|female|girl|lady|mother|she|her", "male": "man|male|boy|gentleman|father|he|his"}
_EITHER = frozenset("<>")
_SHOWN = 60

Mistake = tuple[Span | None, str, str]  # the span it is about, if it is about one; what; how to mend it


@dataclass
class Counts:
    """What was proven of a case."""

    spans: int = 0
    figures: int = 0
    dates: int = 0
    words: int = 0


@dataclass
class Proof:
    """The proof of one fact (or the person) against `text`; `mistakes` is what does not hold, `counts` what does.

    `elsewhere` are the figures that stand in spans of the whole case: a note may refer to those of another fact.
    """

    fact: Fact | Person
    text: str
    counts: Counts
    elsewhere: frozenset[str] = frozenset()
    mistakes: list[Mistake] = field(default_factory=list)
    _named: int = 0

    def run(self) -> list[Mistake]:
        """All mistakes of the fact, in the order of its parts."""
        for part in parts(self.fact):
            for span in spans_of(getattr(part, "source", None)):
                self._span(span)
            for claim in claims_of(part):
                self._claim(part, claim)
            self._dates(part)
            self._figures_of_texts(part)
            self._words(part)
        return self.mistakes

    def _no(self, what: str, mend: str, span: Span | None = None) -> None:
        self.mistakes.append((span, what, mend))

    def _spans(self, part: Any) -> tuple[Span, ...]:
        """The places where what `part` says has to stand: its own, or the fact's."""
        if isinstance(part, Dosage) and isinstance(part.text, Told):
            return (*spans_of(self.fact.source), *spans_of(part.text.source))
        return spans_of(getattr(part, "source", None)) or spans_of(self.fact.source)

    def _span(self, span: Span) -> None:
        mistake = span_mistake(self.text, span)
        if mistake:
            self._no(*mistake, span)
            return
        self.counts.spans += 1
        if is_bare(self.text, span) and not any(
            naming.is_told(self.fact, self.text[each.start : each.end])
            for each in touching(self.text, span.offset, span.end)
        ):
            self._no(
                f"the span at {span.offset} is a figure alone, “{span.quote}”, in a sentence or table line that does not name the fact.",
                "Move it to the figure that is meant, or give named=(…) the word by which its sentence names it.", span,
            )  # fmt: skip

    def _claim(self, part: Any, claim: Claim) -> None:
        said = _shown(claim)
        found = [each for span in self._spans(part) for each in _matches(self.text, span, claim)]
        if not found:
            self._no(
                f"{claim.what}: {said} stands in none of its spans.", "Correct it, or give the span where it stands."
            )
        elif isinstance(part, Relative) or any(self._is_named_at(part, claim, each) for each in found):
            self.counts.figures += 1
            self._named += not isinstance(part, Relative)
        else:
            phrases = ", ".join(dict.fromkeys((*naming.concept_names(self.fact), *naming.own_names(self.fact))))
            self._no(
                f"{claim.what}: {said} stands in its spans, but no phrase that names the fact ({phrases}) belongs to it in the same "
                f"sentence or table line.",
                "Correct the concept or the span; or give named=(…) or text= the word by which that sentence names it; or, where only "
                "the sentence before names it, the place in that sentence too.",
            )

    def _is_named_at(self, part: Any, claim: Claim, place: tuple[int, int]) -> bool:
        """Whether the sentence or table line of `place` names the fact, or the sentence before it, if the fact has a place there."""
        start, end = place
        about = part if not isinstance(part, Dosage | Age) else self.fact
        age = terms.concept("age").names if isinstance(part, Age) else ()
        for here in touching(self.text, start, end):
            words = self.text[here.start : here.end]
            if any(naming.phrase_pattern(name).search(words) for name in age):
                return True
            if naming.is_named(about, words, self.fact):
                return here.is_line or not self._belongs_to_another(claim, here.start, here.end, start, end)
            before = preceding(self.text, here)
            if before is None or here.is_line or before.is_line:
                continue
            has_place = any(span.offset < before.end and before.start < span.end for span in self._spans(part))
            if has_place and naming.is_named(about, self.text[before.start : before.end], self.fact):
                return not self._belongs_to_another(claim, here.start, here.end, start, end)
        return False

    def _belongs_to_another(self, claim: Claim, first: int, last: int, start: int, end: int) -> bool:
        """Whether, from `first` to `last`, the figure follows the name of another concept of the same kind more closely."""
        concept = naming.concept_of(self.fact)
        if (
            concept is None
            or not isinstance(self.fact, Measurement | Course)
            or claim.what not in ("value", "dose", "titre")
        ):
            return False
        before, after = self.text[first:start], self.text[end:last]
        if "respectively" in before + after:
            return False
        mine = {*naming.concept_names(self.fact), *naming.own_names(self.fact)}
        behind = max(
            (match.end() for name in mine for match in naming.phrase_pattern(name).finditer(before)), default=-1
        )
        ahead = min(
            (match.start() for name in mine for match in naming.phrase_pattern(name).finditer(after)), default=last
        )
        rivals = [
            other
            for other in terms.concepts().values()
            if other.kind == concept.kind and not mine & {*other.names, other.name}
        ]
        nearest = max(
            (
                match.end()
                for other in rivals
                for name in other.names
                for match in naming.phrase_pattern(name).finditer(before, max(behind, 0))
            ),
            default=-1,
        )
        return nearest > behind and len(before) - nearest < ahead

    def _dates(self, part: Any) -> None:
        spans = [(span.offset, span.end) for span in self._spans(part)]
        for date in dates_of(part):
            if states_date(self.text, spans, date):
                self.counts.dates += 1
            else:
                self._no(
                    f"the date {date} stands in none of its moment's spans.",
                    "Correct it, or add the span with its month or year.",
                )

    def _figures_of_texts(self, part: Any) -> None:
        spans = spans_of(part.source) if isinstance(part, Told) else tuple(places(self.fact))
        for name, words in texts_of(part):
            for figure in figures(words):
                if words[figure.start].isalpha() or self._has_figure(spans, words, figure):
                    continue  # a number word in words of our own may count anything
                if name == "scale_text" and figure.digits == "0":
                    continue  # where a scale begins is seldom printed
                if name == "notes" and figure.digits in self.elsewhere:
                    continue
                self._no(
                    f"{name}: the figure {words[figure.start : figure.end]} of “{_short(words)}” stands in none of its spans.",
                    "Correct it, or tell it with its place: Told(words, at(…)).",
                )

    def _has_figure(self, spans: tuple[Span, ...], words: str, figure: Figure) -> bool:
        if not figure.name:
            unit = max((printed for printed, _ in units_at(words, figure.end)), key=len, default="")
            claim = Amount("", figure.digits, unit, _EITHER)
            return any(_matches(self.text, span, claim) for span in spans)
        start = max(words.rfind(char, 0, figure.start) for char in " (/,;“") + 1
        word = naming.phrase_pattern(words[start : figure.end])
        nearby = (self.text[each.start : each.end] for span in spans for each in touching(self.text, span.offset, span.end))
        return any(word.search(sentence) for sentence in nearby)

    def _words(self, part: Any) -> None:
        here = " … ".join(self.text[span.offset : span.end] for span in self._spans(part))
        match part:
            case Told() if terms.concepts().get(part.text, None):
                pass  # a key of the catalogue is our reading of the words there
            case Told() if naming.words_of(part.text) and not naming.shares_word(part.text, here):
                self._no(
                    f"“{_short(part.text)}” has no word in common with its span.", "Correct the span or the words."
                )
            case Relative() if part.words and not quote_pattern(part.words).search(here):
                self._no(
                    f"the words “{part.words}” of its time do not stand in the moment's spans.",
                    "Quote them as they are printed.",
                )
            case Person():
                self._person(part, here)
            case Suspect() if isinstance(part.words, str):
                everywhere = " … ".join(self.text[span.offset : span.end] for span in places(self.fact))
                if not naming.shares_word(part.words, everywhere):
                    self._no(
                        f"the words of the suspect, “{_short(part.words)}”, stand in none of its spans.",
                        "Quote the source.",
                    )
            case _ if part is self.fact:
                self._naming(here)

    def _person(self, person: Person, here: str) -> None:
        words = _SEXES.get(person.sex)
        if words and not re.search(rf"\b(?:{words})\b", here, re.IGNORECASE):
            self._no(f"no word of its spans says {person.sex}.", "Give the span that does, or correct sex=.")
        elif isinstance(person.origin, str) and not naming.shares_word(person.origin, here):
            self._no(
                f"the origin “{_short(person.origin)}” stands in none of its spans.", "Give the span that tells it."
            )
        else:
            self.counts.words += 1

    def _naming(self, here: str) -> None:
        other = naming.names_another(self.fact)
        concept = naming.concept_of(self.fact)
        if other and concept:
            self._no(
                f"“{_short(other[0])}” names {other[1].name} ({other[1].key}), not {concept.name} ({concept.key}).",
                "Correct the concept, the text or named=.",
            )
        elif self._named or (concept is None and not naming.own_names(self.fact)) or naming.is_told(self.fact, here):
            self.counts.words += 1
        else:
            phrases = ", ".join(dict.fromkeys((*naming.concept_names(self.fact), *naming.own_names(self.fact))))
            self._no(
                f"none of its spans holds a phrase that names it ({phrases}).",
                "Give the span that names it, or text= the source's own naming phrase.",
            )


def span_mistake(text: str, span: Span) -> tuple[str, str] | None:
    """What is wrong with `span` in `text`, and how to mend it; None where it reads exactly as its quote says."""
    locate = f"Find it again: casefhir locate DOCUMENT '{span.quote}'."
    if span.end > len(text):
        return f"the span at {span.offset} ends at {span.end}, after the document's {len(text)} characters.", locate
    words = text[span.offset : span.end]
    if not quote_pattern(span.quote).fullmatch(words):
        return f"the span at {span.offset} reads “{_short(words)}”, not “{span.quote}”.", locate
    if _cuts(text, span.offset) or _cuts(text, span.end):
        return f"the span at {span.offset} starts or ends inside a word or number: “{_short(words)}”.", locate
    return None


def _cuts(text: str, position: int) -> bool:
    """Whether a border at `position` cuts a word, a number, or a word broken at a line end."""
    before, after = text[max(position - 30, 0) : position], text[position : position + 30]
    if before[-1:].isalnum() and after[:1].isalnum():
        return True
    if re.search(r"\d[.,·]\Z", before) and after[:1].isdigit():
        return True
    if before[-1:].isdigit() and re.match(r"[.,·]\d", after):
        return True
    return bool(re.search(r"[^\W\d_][-\u00ad]\s*\n\s*$", before) and re.match(r"[a-z]", after))


def is_bare(text: str, span: Span) -> bool:
    """Whether a span holds a figure and no word but units."""
    left = text[span.offset : span.end]
    found = within(text, span.offset, span.end)
    if not found:
        return False
    for figure in reversed(found):
        printed = max((unit for unit, _ in units_at(text, figure.end)), key=len, default="")
        tail = figure.end - span.offset + (len(printed) + 1 if printed else 0)
        left = left[: figure.start - span.offset] + " " + left[tail:]
    return not naming.words_of(left)


def _matches(text: str, span: Span, claim: Claim) -> list[tuple[int, int]]:
    """Where in `span` the claimed figure stands."""
    if isinstance(claim, Time):
        return [(start, start + 1) for start in states_time(text, span.offset, span.end, claim.digits, claim.ucum)]
    here = within(text, span.offset, span.end)
    if isinstance(claim, Ratio):
        return _ratios(text, here, claim)
    return [
        (each.start, each.end)
        for each in here
        if each.digits == claim.digits and (not each.name or claim.what == "scale") and _fits(text, each, claim)
    ]


def _fits(text: str, figure: Figure, claim: Amount) -> bool:
    """Whether sign and unit beside the printed figure allow the claim."""
    before = text[max(figure.start - 4, 0) : figure.start].rstrip().replace("=", "").rstrip()
    sign = {"<": "<", ">": ">", "≤": "<", "≥": ">"}.get(before[-1:])
    allowed = {"<" if each in "<≤" else ">" for each in claim.signs}
    if sign and sign not in allowed:
        return False
    if claim.negative and before[-1:] not in ("-", "−", "–"):
        return False
    if claim.unit:
        return has_unit(text, figure, claim.unit) is not False
    printed = [] if claim.signs == _EITHER else units_at(text, figure.end)
    return not printed or any(code in SOFT_UNITS for _, code in printed)


def _ratios(text: str, here: tuple[Figure, ...], claim: Ratio) -> list[tuple[int, int]]:
    found = []
    for first in range(len(here) - len(claim.digits) + 1):
        row = here[first : first + len(claim.digits)]
        apart = (text[one.end : other.start] for one, other in pairwise(row))
        if tuple(each.digits for each in row) == claim.digits and all(
            re.fullmatch(r"\s*[/:]\s*", gap) for gap in apart
        ):
            found.append((row[0].start, row[-1].end))
    return found


def _shown(claim: Claim) -> str:
    match claim:
        case Amount():
            return f"{'-' if claim.negative else ''}{claim.digits} {claim.unit}".strip()
        case Time():
            return f"{claim.digits} {claim.ucum}"
        case Ratio():
            return "/".join(claim.digits)


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN // 2].rstrip()} … {flat[-_SHOWN // 2 :].lstrip()}"
