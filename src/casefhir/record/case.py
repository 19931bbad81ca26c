"""A case: one person, one article or one extract of tables, every fact that it tells of that person."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from casefhir.record.errors import RecordError
from casefhir.record.facts import Age, Component, Dosage, Fact, Suspect
from casefhir.record.moments import Between, On, Relative
from casefhir.record.person import Person
from casefhir.record.spans import Source, Span, Told, cells_of, spans_of

KEY = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
Reason = Literal["background", "literature", "other patient", "repeats", "no clinical content"]


@dataclass(frozen=True, slots=True)
class Article:
    """The document a case is told in: known by its hashes, never by a file name; its text is not kept.

    `title` as printed (or what it is, where none is printed); `size` in bytes, `characters` in code points, `sha256`
    and `sha1` in hexadecimal, all of the file as it is; `doi`, `pmcid`, `pmid`, `authors`, `published` only where the
    document shows them.
    """

    title: str
    sha256: str
    sha1: str
    size: int
    characters: int
    authors: tuple[str, ...] = ()
    doi: str | None = None
    pmcid: str | None = None
    pmid: str | None = None
    published: str | None = None
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Extract:
    """The tables a case is told in: what they are called together, the mapping that read them (name, version, SHA-256
    in hexadecimal), the file of each table by the table's name, and the mapping's rule that made each fact, by the
    fact's key.
    """

    title: str
    mapping: str
    mapping_sha256: str
    files: dict[str, str]
    rules: dict[str, str] = field(default_factory=dict)
    mapping_version: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the document that tells of the person, all of which the case has to account for."""

    title: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stretch of a section that becomes no fact, and why; `repeats` names the fact it repeats.

    `quote` pins it like a span's (`first … last words`).
    """

    offset: int
    length: int
    quote: str
    reason: Reason
    repeats: str | None = None

    def __post_init__(self) -> None:
        Span(self.offset, self.length, self.quote)
        if (self.reason == "repeats") != bool(self.repeats):
            raise RecordError(
                f"The stretch left out at {self.offset} names the fact it repeats if it repeats one, and only then."
            )


@dataclass(frozen=True, slots=True)
class Case:
    """One person as one article, or one extract of tables, tells of them. `recorded` is the instant of the conversion
    that the bundle shows, pinned so that its bytes never change (`2026-11-22T00:00:00Z`); `label` how the article
    numbers the case, if it does. `test_data`: not to be taken for a record of care, and marked so.
    """

    key: str
    title: str
    article: Article | None
    person: Person
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    recorded: str
    left_out: tuple[LeftOut, ...] = ()
    label: str | None = None
    extract: Extract | None = None
    test_data: bool = True
    by_key: dict[str, "Fact | Person"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not KEY.fullmatch(self.key):
            raise RecordError(f"The case key {self.key!r} has other characters than a-z, 0-9 and hyphens.")
        if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", self.recorded):
            raise RecordError(f"`recorded` is an instant such as 2026-11-22T00:00:00Z, not {self.recorded!r}.")
        if (self.article is None) == (self.extract is None):
            raise RecordError("A case is told in an article or in an extract of tables, in one of the two.")
        found: dict[str, Fact | Person] = {self.person.key: self.person}
        for fact in self.facts:
            if not KEY.fullmatch(fact.key):
                raise RecordError(
                    f"The fact key {fact.key!r} has other characters than a-z, 0-9, hyphens and points.",
                    fact.key,
                )
            if fact.key in found:
                raise RecordError(f"Two facts have the key {fact.key!r}; give one of them another.", fact.key)
            found[fact.key] = fact
        object.__setattr__(self, "by_key", found)

    @property
    def document(self) -> Article:
        """The article of a case that is told in one; raises `RecordError` where it is told in tables."""
        if self.article is None:
            raise RecordError(f"The case {self.key} is told in tables, not in an article.")
        return self.article


_HAS_PLACES = (Told, Age, On, Between, Relative, Component, Dosage, Suspect)


def parts(fact: Any) -> Iterator[Any]:
    """`fact` itself and everything in it that can have places of its own: words told elsewhere, moments, components."""
    yield fact
    for name in fact.__dataclass_fields__:
        value = getattr(fact, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, _HAS_PLACES):
                yield from parts(each)


def tables_of(fact: Any) -> tuple[str, ...]:
    """The tables that `fact` comes from, that of its own row first; none where it comes from an article."""
    return tuple(dict.fromkeys(each.table for each in cells_of(fact.source)))


def places(fact: Any) -> Iterator[Span]:
    """Every span of `fact` and of its parts."""
    for part in parts(fact):
        source: Source | None = getattr(part, "source", None)
        yield from spans_of(source)
