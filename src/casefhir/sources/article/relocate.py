"""Finds the places of a mapping again in another rendition of its article: other line breaks, spaces, quotes, dashes.

What is found is relocated, not proven: only the document that was hashed proves a mapping.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from casefhir.record import Case, LeftOut, Span, places
from casefhir.record.spans import ELISION, LONGEST_QUOTE
from casefhir.sources.article.document import Document, DocumentError
from casefhir.sources.article.findings import Finding
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.proof import Counts
from casefhir.sources.article.verify import VerifyReport, as_span, fact_findings

_FEWEST_FOUND = 0.5  # of the places: a document with fewer is another article
_WIDEST = 2  # how much longer than before a place may get, e.g. by footnotes or page heads inside it


@dataclass(frozen=True)
class _Squeezed:
    """A text reduced to its letters, digits and decimal points, and where each of them stands in the text."""

    text: str

    @cached_property
    def _kept(self) -> tuple[str, list[int]]:
        chars: list[str] = []
        positions: list[int] = []
        for position, char in enumerate(self.text):
            for each in _folded(self.text, position, char):
                chars.append(each)
                positions.append(position)
        return "".join(chars), positions

    @property
    def chars(self) -> str:
        return self._kept[0]

    def whole_words(self, words: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """The stretches of the squeezed text that read `words` (squeezed) and do not cut a word of the text."""
        chars, positions = self._kept
        at = chars.find(words, start, end)
        while at >= 0:
            first, last = positions[at], positions[at + len(words) - 1] + 1
            if not _joins(self.text, first) and not _joins(self.text, last):
                yield at, at + len(words)
            at = chars.find(words, at + 1, end)

    def span(self, start: int, end: int, quote: str) -> Span:
        """The place in the text of a stretch of the squeezed text, with the signs that the quote has at its ends."""
        positions = self._kept[1]
        first, last = positions[start], positions[end - 1] + 1
        while quote[0] != self.text[first] and not quote[0].isalnum() and first and _is_sign(self.text[first - 1]):
            first -= 1
        while quote[-1] != self.text[last - 1] and not quote[-1].isalnum() and _is_sign(self.text[last : last + 1]):
            last += 1
        return Span(first, last - first, quote)

    def index_of(self, offset: int) -> int:
        """The position in the squeezed text of what stands at `offset` or first after it."""
        return bisect_left(self._kept[1], offset)


def _folded(text: str, position: int, char: str) -> str:
    if char.isalnum():
        return "".join(each for each in unicodedata.normalize("NFKC", char).casefold() if each.isalnum())
    if char in ".·" and text[position - 1 : position].isdigit() and text[position + 1 : position + 2].isdigit():
        return "."
    return "%" if char == "%" else ""


def _is_sign(char: str) -> bool:
    return bool(char) and not char.isalnum() and not char.isspace()


def _joins(text: str, position: int) -> bool:
    return text[position - 1 : position].isalnum() and text[position : position + 1].isalnum()


def relocate_in(mapping: Mapping, folder: Path) -> VerifyReport:
    """The places of `mapping` in the file of `folder` that holds most of them.

    Raises `DocumentError` where none holds as many as half.
    """
    best: tuple[int, Document, dict[Span, Span]] | None = None
    for path in sorted(folder.rglob("*")):
        try:
            document = Document.read(path) if path.is_file() else None
        except DocumentError:
            continue  # not a text, so not a rendition either
        if document:
            found = locations(mapping.case, document.text)
            if best is None or len(found) > best[0]:
                best = (len(found), document, found)
    wanted = len(set(_spans(mapping.case)))
    if best is None or best[0] < wanted * _FEWEST_FOUND:
        raise DocumentError(
            f"No file in {folder} is a rendition of the article of {mapping.path}: the nearest holds "
            f"{best[0] if best else 0} of its {wanted} places. Put one there as a UTF-8 text."
        )
    return relocate(mapping, best[1], best[2])


def relocate(mapping: Mapping, document: Document, found: dict[Span, Span] | None = None) -> VerifyReport:
    """The places of `mapping` in `document`, another rendition of its article, and what is not found or fails there."""
    found = locations(mapping.case, document.text) if found is None else found
    findings = list(_missing(mapping, found))
    lost = {finding.fact for finding in findings}
    now = {old: _requoted(document.text, new) for old, new in found.items()}
    moved = replace(mapping, case=_with_spans(mapping.case, now), **_moved_lines(mapping, found))
    counts = Counts()
    findings += [each for each in fact_findings(moved, document.text, counts) if each.fact not in lost]
    return VerifyReport(
        mapping.case.key,
        mapping.path,
        document.path,
        len(mapping.case.facts) + 1,
        len(found),
        counts.figures,
        counts.dates,
        counts.words,
        tuple(findings),
        tuple(counts.own_words),
        tuple(counts.dates_apart),
        found,
        is_relocation=True,
    )


def locations(case: Case, text: str) -> dict[Span, Span]:
    """Where each place of `case` stands in `text`: those that read as quoted only once fix the order of the others."""
    squeezed = _Squeezed(text)
    spans = sorted(set(_spans(case)), key=lambda span: (span.offset, span.length))
    candidates = {span: list(_candidates(squeezed, span)) for span in spans}
    anchors = _rising([(span.offset, found[0][0]) for span, found in candidates.items() if len(found) == 1])
    located = {}
    for span, found in candidates.items():
        if found:
            expected = _expected(anchors, span.offset, case.document.characters, len(squeezed.chars))
            start, end = min(found, key=lambda each: (abs(each[0] - expected), each[1] - each[0]))
            located[span] = squeezed.span(start, end, span.quote)
    return located


def _candidates(squeezed: _Squeezed, span: Span) -> Iterator[tuple[int, int]]:
    """The stretches that read as the quote of `span` does and are about as long."""
    pieces = [piece for each in span.quote.split(ELISION) if (piece := _Squeezed(each).chars)]
    if not pieces:
        return
    for start, end in squeezed.whole_words(pieces[0]):
        furthest = start + span.length * _WIDEST
        ends = [end]
        for piece in pieces[1:]:
            ends = sorted({last for each in ends[:1] for _, last in squeezed.whole_words(piece, each, furthest)})
            if not ends:
                break
        if ends:
            yield (
                start,
                min(ends, key=lambda last: abs(last - start - span.length * len(squeezed.chars) / len(squeezed.text))),
            )


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of `pairs` in which both numbers rise: the rendition keeps the order of the article."""
    tails: list[int] = []
    ends: list[int] = []
    before = [-1] * len(pairs)
    for index, (_, found) in enumerate(pairs):
        place = bisect_left(tails, found)
        before[index] = ends[place - 1] if place else -1
        tails[place : place + 1] = [found]
        ends[place : place + 1] = [index]
    run = []
    index = ends[-1] if ends else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _expected(anchors: list[tuple[int, int]], offset: int, old_length: int, new_length: int) -> float:
    """Where in the squeezed text something is to be expected that stood at `offset` in the document that was hashed."""
    marks = [(0, 0), *anchors, (old_length, new_length)]
    after = next((index for index, (old, _) in enumerate(marks) if old > offset), len(marks) - 1)
    (old, new), (next_old, next_new) = marks[max(after - 1, 0)], marks[after]
    return new + (offset - old) * (next_new - new) / max(next_old - old, 1)


def _spans(case: Case) -> Iterator[Span]:
    for fact in (case.person, *case.facts):
        yield from places(fact)
    for left in case.left_out:
        yield as_span(left)


def _missing(mapping: Mapping, found: dict[Span, Span]) -> Iterator[Finding]:
    case = mapping.case
    wanted = [(fact.key, span) for fact in (case.person, *case.facts) for span in places(fact)]
    wanted += [("", as_span(left)) for left in case.left_out]
    for key, span in dict.fromkeys(wanted):
        if span not in found:
            line = mapping.line_at(key, span.offset, span.length)
            yield Finding(
                str(mapping.path),
                line,
                key or None,
                f"“{span.quote}” is not found again.",
                "Look for it there by hand: the rendition may leave it out or word it in another way.",
            )


def _with_spans(thing: Any, found: dict[Span, Span]) -> Any:
    """`thing` (a case, a fact, a part) with every span that was found replaced by where it is now."""
    if isinstance(thing, Span):
        return found.get(thing, thing)
    if isinstance(thing, tuple):
        return tuple(_with_spans(each, found) for each in thing)
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    if isinstance(thing, LeftOut):
        now = found.get(as_span(thing))
        return replace(thing, offset=now.offset, length=now.length, quote=now.quote) if now else thing
    return replace(
        thing, **{each.name: _with_spans(getattr(thing, each.name), found) for each in fields(thing) if each.init}
    )


def _requoted(text: str, span: Span) -> Span:
    """`span` with the quote that the rendition prints there, so that its own quotes and dashes are no findings."""
    words = text[span.offset : span.end].split()
    ends = words[0] if len(words) == 1 else f"{words[0]} {ELISION} {words[-1]}"
    return Span(span.offset, span.length, ends if len(ends) <= LONGEST_QUOTE else span.quote)


def _moved_lines(mapping: Mapping, found: dict[Span, Span]) -> dict[str, Any]:
    """The line tables of `mapping` for the places as they are now."""
    now = {(old.offset, old.length): (new.offset, new.length) for old, new in found.items()}
    return {
        "span_lines": {now.get(place, place): line for place, line in mapping.span_lines.items()},
        "place_lines": {
            (key, *now.get((offset, length), (offset, length))): line
            for (key, offset, length), line in mapping.place_lines.items()
        },
    }
