"""By which phrases a text names what a fact is about."""

import re
from functools import cache
from typing import Any

from casefhir import terms
from casefhir.record import Component, Told, Words
from casefhir.sources.article.prose import data_lines

_BROKEN = re.compile(r"[-\u00ad]\s*\n\s*")
_WORD = re.compile(r"[^\W\d_]{3,}")
_STEM = 5
_ENDING = 3


@cache
def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """A pattern that finds `phrase` as whole words: any case, any white space, singular or plural, broken words too."""
    out: list[str] = []
    for position, char in enumerate(phrase):
        if char.isspace():
            out.append(r"\s+" if not phrase[position - 1].isspace() else "")
            continue
        if char in "-‐‑":
            out.append(r"[-‐‑\s]\s*")
            continue
        if position and not phrase[position - 1].isspace() and phrase[position - 1] not in "-‐‑":
            out.append(r"(?:[-\u00ad]\s*\n\s*)?")
        out.append(r"['’]" if char in "'’" else re.escape(char))
    plural = r"(?:e?s)?" if phrase[-1:].isalpha() else ""
    return re.compile(rf"(?<![^\W_]){''.join(out)}{plural}(?![^\W_])", re.IGNORECASE)


def concept_of(part: Any) -> terms.Concept | None:
    """The concept that a fact or component gives by key, if it gives one."""
    key = getattr(part, "concept", None) or getattr(part, "drug", None)
    return terms.concept(key) if key else None


def concept_names(part: Any) -> tuple[str, ...]:
    """The catalogue's naming phrases for the concept of `part`, and its name."""
    concept = concept_of(part)
    return (*concept.names, concept.name) if concept else ()


def own_names(part: Any) -> tuple[str, ...]:
    """The naming phrases that the mapping gives itself: text= and named=."""
    text = getattr(part, "text", None)
    words = text.text if isinstance(text, Told) else text
    return (*((words,) if words else ()), *getattr(part, "named", ()))


def is_named(part: Any, text: str, parent: Any = None) -> bool:
    """Whether `text` names what `part` (of the fact `parent`) is about: by a phrase of the catalogue or of the mapping."""
    phrases = [*concept_names(part), *own_names(part)]
    if isinstance(part, Component) and parent is not None:
        phrases += [*concept_names(parent), *own_names(parent)]
    return any(phrase_pattern(phrase).search(text) for phrase in phrases) or any(
        _all_words(phrase, text) for phrase in own_names(part)
    )


def is_told(part: Any, text: str) -> bool:
    """Whether `text` has a word that tells of `part`: of its concept or the mapping's text; without a concept, of its value."""
    phrases = [*concept_names(part), *own_names(part)]
    value = getattr(part, "value", None)
    if concept_of(part) is None:
        phrases.append(value.text if isinstance(value, Words) else value if isinstance(value, str) else "")
    return is_named(part, text) or any(shares_word(phrase, text) for phrase in phrases)


def shares_word(phrase: str, text: str) -> bool:
    """Whether `phrase` and `text` have a word in common, endings and function words aside."""
    return bool(words_of(phrase)) and any(_has(word, words_of(text)) for word in words_of(phrase))


def _all_words(phrase: str, text: str) -> bool:
    wanted = words_of(phrase)
    return bool(wanted) and all(_has(word, words_of(text)) for word in wanted)


@cache
def words_of(text: str) -> frozenset[str]:
    """The words of `text` that carry meaning, in lower case, broken ones put together."""
    found = _WORD.findall(_BROKEN.sub("", text)) + _WORD.findall(text)
    return frozenset(word.casefold() for word in found) - data_lines("function_words.txt")


def _has(word: str, others: frozenset[str]) -> bool:
    return word in others or any(_same_stem(word, other) for other in others)


def _same_stem(one: str, other: str) -> bool:
    """Whether two words of at least five letters begin alike, but for an ending of up to three (treated, treatment)."""
    shortest = min(len(one), len(other))
    stem = max(_STEM, shortest - _ENDING)
    return shortest >= _STEM and one[:stem] == other[:stem]


def names_another(part: Any) -> tuple[str, terms.Concept] | None:
    """A phrase of the mapping's own (text=, named=) that has no word of its concept's names, and the concept of the same
    kind that it names instead; None where there is no such phrase.
    """
    own = concept_of(part)
    if own is None:
        return None
    mine = (*own.names, own.name, *(coding.display for coding in own.codings))
    for phrase in own_names(part):
        if any(shares_word(name, phrase) or phrase_pattern(name).search(phrase) for name in mine):
            continue
        for other in terms.concepts().values():
            if other.kind == own.kind and any(phrase_pattern(name).search(phrase) for name in (*other.names, other.name)):
                return phrase, other
    return None
