"""By which phrases a text names what a fact is about."""

import re
from functools import lru_cache
from typing import Any

from casefhir import terms
from casefhir.record import Component, Told, Words
from casefhir.sources.article.prose import data_lines

_BROKEN = re.compile(r"[-\u00ad]\s*\n\s*")
_WORD = re.compile(r"[^\W\d_]{3,}")
_KEPT = 4096  # phrases and sentences that are remembered
_STEM = 5
_ENDING = 3
_MANY_WORDS = 4
_HYPHENS = "-‐‑–"


@lru_cache(maxsize=_KEPT)
def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """A pattern that finds `phrase` as whole words: any case, any white space, singular or plural, broken words too."""
    out: list[str] = []
    for position, char in enumerate(phrase):
        if char.isspace():
            out.append(r"\s+" if not phrase[position - 1].isspace() else "")
            continue
        if char in _HYPHENS:
            out.append(rf"[{_HYPHENS}\s]\s*")
            continue
        if position and not phrase[position - 1].isspace() and phrase[position - 1] not in _HYPHENS:
            out.append(r"(?:[-\u00ad]\s*\n\s*)?")
        out.append(r"['’]" if char in "'’" else re.escape(char))
    plural = r"(?:e?s)?" if phrase[-1:].isalpha() else ""
    return re.compile(rf"(?<![^\W_]){''.join(out)}{plural}(?![^\W_])", re.IGNORECASE)


def mentions(phrase: str, text: str) -> list[re.Match[str]]:
    """Where `text` has `phrase` (see `phrase_pattern`)."""
    if _squeezed(phrase) not in _squeezed(text):  # spares most phrases the making of a pattern
        return []
    return list(phrase_pattern(phrase).finditer(text))


@lru_cache(maxsize=_KEPT)
def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


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
    """Whether `text` names what `part` (of the fact `parent`) is about, by a phrase of the catalogue or the mapping."""
    phrases = [*concept_names(part), *own_names(part)]
    if isinstance(part, Component) and parent is not None:
        phrases += [*concept_names(parent), *own_names(parent)]
    return any(mentions(phrase, text) for phrase in phrases) or any(
        _all_words(phrase, text) for phrase in own_names(part)
    )


def is_in_catalogue(part: Any, text: str) -> bool:
    """Whether `text` names the concept of `part` as the catalogue does, or has most words of one of its names."""
    concept = concept_of(part)
    names = (*concept_names(part), *(coding.display for coding in concept.codings)) if concept else ()
    return any(mentions(name, text) or _most_words(name, text) for name in names)


def is_told(part: Any, text: str) -> bool:
    """Whether `text` has a word that tells of `part`: of its concept or text=; without a concept, of its value too."""
    phrases = [*own_names(part)]
    value = getattr(part, "value", None)
    if concept_of(part) is None:
        phrases.append(value.text if isinstance(value, Words) else value if isinstance(value, str) else "")
    told = any(shares_word(phrase, text) for phrase in phrases)
    return told or is_named(part, text) or any(_most_words(name, text) for name in concept_names(part))


def shares_word(phrase: str, text: str) -> bool:
    """Whether `phrase` and `text` have a word in common, endings and function words aside."""
    return bool(words_of(phrase)) and any(_has(word, words_of(text)) for word in words_of(phrase))


def _most_words(phrase: str, text: str) -> bool:
    """Whether more than half of the words (or two of four) of `phrase`, letters and numbers too, are in `text`."""
    wanted = words_of(phrase)
    short = {word.casefold() for word in re.findall(r"[^\W_]+", phrase)} - wanted - data_lines("function_words.txt")
    here = {word.casefold() for word in re.findall(r"[^\W_]+", text)}
    found = sum(_has(word, words_of(text)) for word in wanted) + len(short & here)
    words = len(wanted) + len(short)
    return 2 * found > words or (words >= _MANY_WORDS and 2 * found == words)


def _all_words(phrase: str, text: str) -> bool:
    wanted = words_of(phrase)
    return bool(wanted) and all(_has(word, words_of(text)) for word in wanted)


@lru_cache(maxsize=_KEPT)
def words_of(text: str) -> frozenset[str]:
    """The words of `text` that carry meaning, in lower case, broken ones put together."""
    found = _WORD.findall(_BROKEN.sub("", text)) + _WORD.findall(text)
    return frozenset(word.casefold() for word in found) - data_lines("function_words.txt")


def _has(word: str, others: frozenset[str]) -> bool:
    return word in others or any(_same_stem(word, other) for other in others)


def _same_stem(one: str, other: str) -> bool:
    """Whether two words of at least five letters begin alike, but for short endings (treated, treatment)."""
    shortest, longest = sorted((len(one), len(other)))
    stem = max(_STEM, shortest - _ENDING)
    return shortest >= _STEM and longest - stem <= 2 * _ENDING and one[:stem] == other[:stem]


def names_another(part: Any) -> tuple[str, terms.Concept] | None:
    """A phrase of the mapping's own (text=, named=) that is a name of another concept of the same kind, or holds one
    and has no word of its own concept's names; with that concept. None where there is no such phrase.
    """
    own = concept_of(part)
    if own is None:
        return None
    mine = (*own.names, own.name, *(coding.display for coding in own.codings))
    for phrase in own_names(part):
        if any(mentions(name, phrase) for name in mine):
            continue
        is_related = any(shares_word(name, phrase) for name in mine)
        for other in terms.concepts().values():
            if other.kind != own.kind:
                continue
            found = [match.group() for name in (*other.names, other.name) for match in mentions(name, phrase)]
            if phrase in found or (found and not is_related):
                return phrase, other
    return None
