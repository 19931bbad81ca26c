"""Writes the skeleton of a mapping module for a further document."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from casefhir.record import Section, Span
from casefhir.record.case import KEY
from casefhir.record.spans import ELISION, LONGEST_QUOTE
from casefhir.sources.article.document import Document
from casefhir.sources.article.modules import MappingError
from casefhir.sources.article.verify import UNTITLED

_FRONT = 2000  # code points in which title, DOI and PMCID are looked for
_LONGEST_HEADING = 60
_PEOPLE = r"\b(woman|man|female|male|girl|boy)\b"
_WHO = re.compile(
    rf"\b\d{{1,3}}[-\s]+years?[-\s]+old\b[^.;,]{{0,40}}?{_PEOPLE}|{_PEOPLE}[^.;,]{{0,20}}\baged\s+\d{{1,3}}\b",
    re.IGNORECASE,
)
_SEX = {"woman": "female", "female": "female", "girl": "female", "man": "male", "male": "male", "boy": "male"}


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    end: int
    title: str
    tells: bool


def scaffold(key: str, document: Document, folder: Path, recorded: str) -> Path:
    """Writes the skeleton for the case `key` of `document` into `folder` and returns its path; it loads as it is.

    `recorded` is the instant of the conversion that the bundle will show (`2026-11-22T00:00:00Z`). Raises
    `MappingError` for a key that cannot be one, and where the file is already there.
    """
    if not KEY.fullmatch(key):
        raise MappingError(
            f"The case key {key!r} has other characters than a-z, 0-9 and hyphens; write drug-disease-feature."
        )
    path = folder / f"{key.replace('-', '_').replace('.', '_')}.py"
    if path.exists():
        raise MappingError(
            f"{path}:1: The mapping is already there and is not overwritten; choose another key, or remove it first."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_skeleton(key, document, recorded), encoding="utf-8", newline="\n")
    return path


def _skeleton(key: str, document: Document, recorded: str) -> str:
    template = (resources.files(__package__) / "data" / "skeleton.txt").read_text(encoding="utf-8")
    sex, person = _person(document)
    sections = "\n".join(
        f"        Section({_literal(each.title)}, {each.offset}, {each.length})," for each in sections_of(document.text)
    )
    return Template(template).substitute(
        summary=f"The case {key}: say in one plain sentence of your own who it tells of.",
        title=_literal(title_of(document.text)),
        sha256=document.sha256,
        sha1=document.sha1,
        size=len(document.data),
        characters=len(document.text),
        shown="".join(_shown(document.text)),
        key=key,
        recorded=recorded,
        sex=sex,
        person=f"at({person.offset}, {person.length}, {_literal(person.quote)})",
        sections=sections,
    )


def _literal(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def title_of(text: str) -> str:
    """A guess at the title: the longest line of the front that reads like one; else words to be replaced."""
    found = [f"{UNTITLED}: say in your own words what it is"]
    for line in text[:_FRONT].splitlines():
        words = line.strip().lstrip("#").strip()
        is_title = len(words.split()) >= 5 and words[:1].isalpha() and not words.endswith((".", ",", ";", ":", "-"))
        if is_title and len(words) < 250 and "@" not in words and "doi" not in words.lower():
            found.append(words)
        if len(words) > 250 or words.casefold() in _headings():
            break
    return max(found[1:], key=len, default=found[0])


def _shown(text: str) -> Iterator[str]:
    """The identifiers that the front of the document shows, as lines of the Article."""
    front = text[:_FRONT]
    doi = re.search(r"\b10\.\d{4,9}/[^\s\"<>]+[^\s\"<>.,;)]", front)
    pmcid = re.search(r"\bPMC\d+\b", front)
    pmid = re.search(r"\bPMID:?\s*(\d+)", front)
    for name, found in (("doi", doi and doi[0]), ("pmcid", pmcid and pmcid[0]), ("pmid", pmid and pmid[1])):
        if found:
            yield f"\n    {name}={_literal(found)},"


def sections_of(text: str) -> list[Section]:
    """The sections that tell of the person, by the headings of the document; all of it where it has none."""
    headings = list(_found_headings(text))
    if not any(each.tells for each in headings):
        return [_trimmed(text, "Whole document", 0, len(text))]
    ends = [*(each.start for each in headings[1:]), len(text)]
    sections = [_trimmed(text, each.title, each.end, end) for each, end in zip(headings, ends) if each.tells]
    return [each for each in sections if each.length > 0]


def _headings() -> dict[str, bool]:
    """The headings of articles, in small letters, and whether what follows tells of the person."""
    lines = (resources.files(__package__) / "data" / "headings.tsv").read_text(encoding="utf-8").splitlines()
    return {row["heading"]: row["tells_of_the_person"] == "yes" for row in csv.DictReader(lines, delimiter="\t")}


def _found_headings(text: str) -> Iterator[_Heading]:
    known = _headings()
    for match in re.finditer(r"[^\n]+", text):
        title = match.group().strip().lstrip("#").strip().rstrip(":.")
        plain = re.sub(r"\s+(?:\d+|[ivx]+)$", "", re.sub(r"^(?:\d+\.?\d*\.?)\s+", "", title.casefold()))
        if len(title) <= _LONGEST_HEADING and plain in known:
            yield _Heading(match.start(), match.end(), title, known[plain])


def _trimmed(text: str, title: str, start: int, end: int) -> Section:
    words = text[start:end]
    offset = start + len(words) - len(words.lstrip())
    return Section(title, offset, max(start + len(words.rstrip()) - offset, 0))


def _person(document: Document) -> tuple[str, Span]:
    """A guess at the sex, and the place that tells it; the document's first word where nothing does."""
    match = _WHO.search(document.text)
    if match:
        quote = " ".join(match.group().split())
        if len(quote) > LONGEST_QUOTE:
            quote = f"{quote.split()[0]} {ELISION} {quote.split()[-1]}"
        return _SEX[(match[1] or match[2]).lower()], Span(match.start(), match.end() - match.start(), quote)
    first = re.search(r"\w+", document.text)
    start, end = first.span() if first else (0, 1)
    return "unknown", Span(start, end - start, document.text[start:end])
