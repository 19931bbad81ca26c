"""The sources beside the record: a document's text, cut where facts have their words."""

import base64
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from casefhir.errors import CasefhirError
from casefhir.report.bundles import Held, Resources
from casefhir.report.facts import Case
from casefhir.report.look import Place, items, places, text

_HASH_NAME = "ni:///sha-256;"
_TELLS = 1 / 3  # a section tells of the case where at least this part of its words is in facts
_WORD = re.compile(r"\w\w+")


class UnreadableSource(CasefhirError):
    """A document that is no UTF-8 text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a document with the facts (by their names on the page) that are stated in it.

    `role` is "heading", "gap" (words of a section that tells of the case, in no fact), or empty.
    """

    offset: int
    text: str
    facts: tuple[str, ...]
    role: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a document: its heading, where it begins, its words and how many of them are in facts."""

    title: str
    offset: int
    words: int
    in_facts: int

    @property
    def tells(self) -> bool:
        """Whether the section tells of the case."""
        return self.words > 0 and self.in_facts >= _TELLS * self.words


@dataclass(frozen=True, slots=True)
class Document:
    """A source of a case: its name on the page, its title, and its text as segments."""

    key: str
    title: str
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]

    def section_at(self, offset: int) -> str:
        """The heading of the section that `offset` lies in; empty before the first."""
        at = bisect_right([each.offset for each in self.sections], offset) - 1
        return self.sections[at].title if at >= 0 else ""

    @property
    def gaps(self) -> tuple[Segment, ...]:
        """The stretches of the case's sections that no fact was taken from."""
        return tuple(each for each in self.segments if each.role == "gap")


class Sources:
    """The files of a folder, found by the hashes that a DocumentReference names."""

    def __init__(self, folder: Path) -> None:
        self._found: dict[str, Path] = {}
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                data = file.read_bytes()
                self._found[base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()] = file
                named = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
                self._found[_HASH_NAME + named] = file

    @property
    def names(self) -> tuple[str, ...]:
        """The hashes of the files: SHA-1 as an attachment has it, SHA-256 as an `ni:` name."""
        return tuple(self._found)

    def text_of(self, reference: Any) -> str | None:
        """The text of the document that a DocumentReference is about; None where the folder lacks it.

        Raises `UnreadableSource`.
        """
        names = [text(each, "attachment", "hash") for each in items(reference, "content")]
        names += [text(each, "value") for each in items(reference, "identifier")]
        for name in names:
            file = self._found.get(name)
            if file is not None:
                try:
                    return file.read_bytes().decode("utf-8")
                except UnicodeDecodeError as error:
                    raise UnreadableSource(f"{file}: byte {error.start} is not UTF-8; save it as UTF-8.") from error
        return None


def documents(case: Case, resources: Resources, sources: Sources) -> list[Document]:
    """The documents of `case` that `sources` has, with the places of its facts."""
    rows = {id(fact.held.value): fact.key for fact in case.facts}  # what has no row, the patient, is the case itself
    found = []
    for number, held in enumerate(each for each in case.resources if each.type == "DocumentReference"):
        said = sources.text_of(held.value)
        if said is not None:
            spans = [
                (place, rows.get(id(each.value), case.key))
                for each in case.resources
                for place in _all_places(each.value)
                if _same(place, each, held, resources)
            ]
            title = next((text(each, "attachment", "title") for each in items(held.value, "content")), "")
            segments, sections = _parted(said, _segments(said, spans))
            found.append(Document(f"{case.key}-d{number}", title or "Source", segments, sections))
    return found


def _same(place: Place, source: Held, document: Held, resources: Resources) -> bool:
    target = resources.target(place.document, source)
    return target is not None and target.value is document.value


def _all_places(value: Any) -> Iterator[Place]:
    """Every place that a resource or any of its elements names."""
    if isinstance(value, dict):
        yield from places(value)
        for each in value.values():
            yield from _all_places(each)
    elif isinstance(value, list):
        for each in value:
            yield from _all_places(each)


def _segments(said: str, spans: list[tuple[Place, str]]) -> tuple[Segment, ...]:
    starts: dict[int, list[str]] = {}
    ends: dict[int, list[str]] = {}
    for place, key in spans:
        begin, end = max(0, place.offset), min(len(said), place.offset + place.length)
        if begin < end:
            starts.setdefault(begin, []).append(key)
            ends.setdefault(end, []).append(key)
    cuts = sorted({0, len(said), *starts, *ends, *(edge for each in headings(said) for edge in each[:2])})
    open_: list[str] = []
    found = []
    for begin, end in pairwise(cuts):
        for key in ends.get(begin, ()):
            open_.remove(key)
        open_ += starts.get(begin, ())
        found.append(Segment(begin, said[begin:end], tuple(dict.fromkeys(open_))))
    return tuple(found)


@cache
def _headings() -> re.Pattern[str]:
    lines = (Path(__file__).parent / "assets" / "headings.txt").read_text("utf-8").split("\n")
    known = "|".join(filter(None, lines))
    return re.compile(
        rf"^[ \t]*(?:\#{{1,6}}[ \t]+(?P<marked>\S[^\n]{{0,120}})|(?:\d+\.?\s+)?(?P<known>{known}))[ \t]*[:.]?,?[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    )


def headings(said: str) -> list[tuple[int, int, str]]:
    """Where `said` has headings, a line each: Markdown's, and those that case reports have (assets/headings.txt)."""
    return [
        (each.start(), each.end(), (each["marked"] or each["known"]).strip(" \t#:.,"))
        for each in _headings().finditer(said)
    ]


def _parted(said: str, segments: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], tuple[Section, ...]]:
    """The segments with their roles, and the sections they lie in."""
    lines = {begin: end for begin, end, _ in headings(said)}
    begins = [0, *lines]
    titles = ["", *(title for _, _, title in headings(said))]
    words, in_facts = [0] * len(begins), [0] * len(begins)
    at = [bisect_right(begins, each.offset) - 1 for each in segments]
    heading = [any(begin <= each.offset < end for begin, end in lines.items()) for each in segments]
    for each, section, line in zip(segments, at, heading):
        count = 0 if line else len(_WORD.findall(each.text))
        words[section] += count
        in_facts[section] += count if each.facts else 0
    sections = tuple(Section(*each) for each in zip(titles, begins, words, in_facts))
    found = []
    for each, section, line in zip(segments, at, heading):
        gap = not each.facts and sections[section].tells and _WORD.search(each.text)
        found.append(replace(each, role="heading" if line else "gap" if gap else ""))
    return tuple(found), tuple(each for each in sections if each.words or each.title)
