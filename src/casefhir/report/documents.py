"""The sources beside the record: a document's text, cut where facts have their words."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from casefhir.errors import CasefhirError
from casefhir.report.bundles import Held, Resources
from casefhir.report.facts import Case
from casefhir.report.look import Place, items, places, text

_HASH_NAME = "ni:///sha-256;"


class UnreadableSource(CasefhirError):
    """A document that is no UTF-8 text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a document with the facts (by their names on the page) that are stated in it."""

    offset: int
    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A source of a case: its name on the page, its title, and its text as segments."""

    key: str
    title: str
    segments: tuple[Segment, ...]

    @property
    def share(self) -> int:
        """How much of the text facts were taken from, in per cent."""
        whole = sum(len(each.text) for each in self.segments)
        return round(100 * sum(len(each.text) for each in self.segments if each.facts) / whole) if whole else 0


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
            found.append(Document(f"{case.key}-d{number}", title or "Source", _segments(said, spans)))
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
    cuts = sorted({0, len(said), *starts, *ends})
    open_: list[str] = []
    found = []
    for begin, end in pairwise(cuts):
        for key in ends.get(begin, ()):
            open_.remove(key)
        open_ += starts.get(begin, ())
        found.append(Segment(begin, said[begin:end], tuple(dict.fromkeys(open_))))
    return tuple(found)
