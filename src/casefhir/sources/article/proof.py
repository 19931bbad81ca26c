"""Proves one fact against the text: its spans, its figures with what names them, its dates, its words."""

import re
from dataclasses import dataclass, field
from functools import cached_property
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
from casefhir.sources.article.claims import Amount, Claim, claims_of, dates_of, texts_of
from casefhir.sources.article.document import quote_pattern
from casefhir.sources.article.figures import Figure, figures, states_date, units_at, within
from casefhir.sources.article.matching import EITHER, is_bare, matches, plain, short, shown, span_mistake, word_after
from casefhir.sources.article.nearness import is_dated_from_apart
from casefhir.sources.article.prose import touching

_LONGEST, _MOST_SENTENCES = 450, 3  # of a span: a paragraph proves nothing
_SEXES = {"female": "woman|female|girl|lady|mother|she|her", "male": "man|male|boy|gentleman|father|he|his"}

Mistake = tuple[Span | None, str, str]  # the span it is about, if it is about one; what; how to mend it


@dataclass
class Counts:
    """What was proven of a case; `own_words` are the keys of facts that only the mapping's own words name,
    `dates_apart` of those dated from another sentence though a date stands nearer.
    """

    spans: int = 0
    figures: int = 0
    dates: int = 0
    words: int = 0
    own_words: list[str] = field(default_factory=list)
    dates_apart: list[str] = field(default_factory=list)


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
        if is_dated_from_apart(self.fact, self.text):
            self.counts.dates_apart.append(self.fact.key)
        return self.mistakes

    @cached_property
    def _everywhere(self) -> tuple[Span, ...]:
        return tuple(places(self.fact))

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
        sentences = [each for each in touching(self.text, span.offset, span.end) if not each.is_line]
        if span.length > _LONGEST or len(sentences) > _MOST_SENTENCES:
            self._no(
                f"the span at {span.offset} holds {span.length} characters of {len(sentences)} sentences: that shows "
                f"where to look, not where it stands.",
                f"Give the words that state it: at most {_MOST_SENTENCES} sentences and {_LONGEST} characters a span.",
                span,
            )
        if is_bare(self.text, span) and not any(
            naming.is_told(self.fact, self.text[each.start : each.end])
            for each in touching(self.text, span.offset, span.end)
        ):
            self._no(
                f"the span at {span.offset} is a figure alone, “{span.quote}”, in a sentence or table line that does "
                f"not name the fact.",
                "Move it to the figure that is meant, or give named=(…) the word by which its sentence names it.",
                span,
            )

    def _claim(self, part: Any, claim: Claim) -> None:
        said = shown(claim)
        found = [each for span in self._spans(part) for each in matches(self.text, span, claim)]
        if not found:
            self._no(
                f"{claim.what}: {said} stands in none of its spans.",
                "Correct it, or give the span where it stands; a comparison (<, more than) is claimed as printed, and "
                "a limit of what is normal is no value.",
            )
        elif isinstance(part, Relative) or any(self._is_named_at(part, claim, each) for each in found):
            self.counts.figures += 1
            self._named += not isinstance(part, Relative)
        else:
            phrases = ", ".join(dict.fromkeys((*naming.concept_names(self.fact), *naming.own_names(self.fact))))
            self._no(
                f"{claim.what}: {said} stands in its spans, but no phrase that names the fact ({phrases}) belongs to "
                f"it in the same sentence or table line.",
                "Correct the concept or the span; or give named=(…) or text= the word by which that sentence names it.",
            )

    def _is_named_at(self, part: Any, claim: Claim, place: tuple[int, int]) -> bool:
        """Whether the sentence or table line of `place` names the fact."""
        start, end = place
        about = part if not isinstance(part, Dosage | Age) else self.fact
        age = terms.concept("age").names if isinstance(part, Age) else ()
        for here in touching(self.text, start, end):
            words = self.text[here.start : here.end]
            if any(naming.mentions(name, words) for name in age):
                return True
            if naming.is_named(about, words, self.fact):
                return here.is_line or not self._belongs_to_another(claim, here.start, here.end, start, end)
        return False

    def _belongs_to_another(self, claim: Claim, first: int, last: int, start: int, end: int) -> bool:
        """Whether, from `first` to `last`, the figure follows another name of the same kind more closely."""
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
        behind = max((match.end() for name in mine for match in naming.mentions(name, before)), default=-1)
        ahead = min((match.start() for name in mine for match in naming.mentions(name, after)), default=last)
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
                for match in naming.mentions(name, before)
                if match.start() >= behind
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
        spans = spans_of(part.source) if isinstance(part, Told) else self._everywhere
        for name, words in texts_of(part):
            for figure in figures(words):
                if words[figure.start].isalpha() or self._has_figure(spans, words, figure):
                    continue  # a number word in words of our own may count anything
                if name == "scale_text" and figure.digits == "0":
                    continue  # where a scale begins is seldom printed
                if name == "notes" and figure.digits in self.elsewhere:
                    continue
                self._no(
                    f"{name}: the figure {words[figure.start : figure.end]} of “{short(words)}” stands in none of its "
                    f"spans.",
                    "Correct it, or tell it with its place: Told(words, at(…)).",
                )

    def _has_figure(self, spans: tuple[Span, ...], words: str, figure: Figure) -> bool:
        if not figure.name:
            unit = max((printed for printed, _ in units_at(words, figure.end)), key=len, default="")
            counted = word_after(words, figure.end)
            same = [
                each.digits for each in self._figures(spans) if counted and word_after(self.text, each.end) == counted
            ]
            if same and figure.digits not in same:
                return False  # 5 consecutive days are not 6, though 6 months stand there too
            claim = Amount("", figure.digits, unit, EITHER)
            return any(matches(self.text, span, claim) for span in spans)
        start = max(words.rfind(char, 0, figure.start) for char in " (/,;“") + 1
        word = naming.phrase_pattern(words[start : figure.end])
        nearby = (
            self.text[each.start : each.end] for span in spans for each in touching(self.text, span.offset, span.end)
        )
        return any(word.search(sentence) for sentence in nearby)

    def _figures(self, spans: tuple[Span, ...]) -> list[Figure]:
        return [each for span in spans for each in within(self.text, span.offset, span.end)]

    def _words(self, part: Any) -> None:
        here = " … ".join(self.text[span.offset : span.end] for span in self._spans(part))
        match part:
            case Told() if terms.concepts().get(part.text, None):
                pass  # a key of the catalogue is our reading of the words there
            case Told() if naming.words_of(part.text) and not naming.shares_word(part.text, here):
                self._no(f"“{short(part.text)}” has no word in common with its span.", "Correct the span or the words.")
            case Relative() if part.words and not quote_pattern(plain(part.words)).search(plain(here)):
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
                        f"the words of the suspect, “{short(part.words)}”, stand in none of its spans.",
                        "Quote the source.",
                    )
            case _ if part is self.fact:
                lines = (each for span in self._spans(part) for each in touching(self.text, span.offset, span.end))
                self._naming(" … ".join([here, *(self.text[each.start : each.end] for each in lines if each.is_line)]))

    def _own_words(self) -> None:
        stretches = [each for span in self._everywhere for each in touching(self.text, span.offset, span.end)]
        nearby = " … ".join(self.text[each.start : each.end] for each in dict.fromkeys(stretches))
        if naming.concept_of(self.fact) and not naming.is_in_catalogue(self.fact, nearby):
            self.counts.own_words.append(self.fact.key)

    def _person(self, person: Person, here: str) -> None:
        words = _SEXES.get(person.sex)
        if words and not re.search(rf"\b(?:{words})\b", here, re.IGNORECASE):
            self._no(f"no word of its spans says {person.sex}.", "Give the span that does, or correct sex=.")
        elif isinstance(person.origin, str) and not naming.shares_word(person.origin, here):
            self._no(
                f"the origin “{short(person.origin)}” stands in none of its spans.", "Give the span that tells it."
            )
        else:
            self.counts.words += 1

    def _naming(self, here: str) -> None:
        other = naming.names_another(self.fact)
        concept = naming.concept_of(self.fact)
        if other and concept:
            self._no(
                f"“{short(other[0])}” names {other[1].name} ({other[1].key}), not {concept.name} ({concept.key}).",
                "Correct the concept, the text or named=.",
            )
        elif self._named or (concept is None and not naming.own_names(self.fact)) or naming.is_told(self.fact, here):
            self.counts.words += 1
            self._own_words()
        else:
            phrases = ", ".join(dict.fromkeys((*naming.concept_names(self.fact), *naming.own_names(self.fact))))
            self._no(
                f"none of its spans holds a phrase that names it ({phrases}).",
                "Give the span that names it, or text= the source's own naming phrase.",
            )
