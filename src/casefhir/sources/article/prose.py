"""The sentences and table lines of a document: the stretches in which a figure belongs to what names it."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

_BLOCK_END = re.compile(r"\n[ \t\u00a0]*\n\s*")
_CLOSING = r"[\"”’')\]]*"
_STOP = re.compile(rf"(?:(?<!\d)[.!?]{_CLOSING}\d[\d, –-]*|[.!?]{_CLOSING})(?=\s+[^\sa-z])")
_CELLS = re.compile(r"\t|\||\S {2,}\S")
_PURE_NUMBER = re.compile(r"[<>≤≥]?\d+(?:[.,]\d+)?%?")
_FEWEST_CELLS = 3
_KEPT = 1024  # texts and parts of texts whose sentences are remembered


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sentence, or a line of a table (`is_line`): code points `start` to `end` (exclusive)."""

    start: int
    end: int
    is_line: bool


@cache
def data_lines(name: str) -> frozenset[str]:
    """The lines of a word list beside this module."""
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


@lru_cache(maxsize=_KEPT)
def stretches(text: str) -> tuple[Stretch, ...]:
    """All sentences and table lines of `text`, in order, without the white space between them."""
    found: list[Stretch] = []
    for start, end in _blocks(text):
        lines = _line_bounds(text, start, end)
        if any(_is_table_line(text[first:last]) for first, last in lines):
            found += [Stretch(first, last, True) for first, last in lines]
        else:
            found += _sentences(text, start, end)
    return tuple(found)


def touching(text: str, start: int, end: int) -> tuple[Stretch, ...]:
    """The sentences or table lines that the code points from `start` to `end` have part in."""
    every = stretches(text)
    first = max(bisect_right(_starts(text), start) - 1, 0)
    found = []
    for stretch in every[first:]:
        if stretch.start >= end:
            break
        if stretch.end > start:
            found.append(stretch)
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def _starts(text: str) -> list[int]:
    return [each.start for each in stretches(text)]


def _blocks(text: str) -> list[tuple[int, int]]:
    """Paragraphs; those that a column or page break cut inside a sentence are put together again."""
    bounds: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    for match in [*_BLOCK_END.finditer(text, start), None]:
        end = match.start() if match else len(text)
        end = start + len(text[start:end].rstrip())
        if end > start:
            goes_on = bounds and text[start].islower() and text[bounds[-1][1] - 1] not in ".!?:|"
            if goes_on:
                bounds[-1] = (bounds[-1][0], end)
            else:
                bounds.append((start, end))
        start = match.end() if match else len(text)
    return bounds


def _line_bounds(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    for match in re.finditer(r"[^\n]+", text[start:end]):
        line = match.group()
        first = start + match.start() + len(line) - len(line.lstrip())
        last = start + match.start() + len(line.rstrip())
        if last > first:
            found.append((first, last))
    return found


def _is_table_line(line: str) -> bool:
    """Whether a line holds cells: mostly bare numbers, or several parted by tabs, bars or wide gaps."""
    words = line.split()
    numbers = sum(1 for word in words if _PURE_NUMBER.fullmatch(word))
    if numbers >= _FEWEST_CELLS and numbers * 5 >= len(words) * 2:
        return True
    cells = len(_CELLS.findall(line.strip())) + 1
    return cells >= _FEWEST_CELLS and bool(re.search(r"\d", line))


def _sentences(text: str, start: int, end: int) -> list[Stretch]:
    found = []
    for match in _STOP.finditer(text, start, end):
        if not _is_abbreviation(text[start : match.start()]) and match.end() > start:
            found.append(Stretch(start, match.end(), False))
            start = match.end() + len(text[match.end() : end]) - len(text[match.end() : end].lstrip())
    if start < end:
        found.append(Stretch(start, end, False))
    return found


def _is_abbreviation(before: str) -> bool:
    """Whether the point after `before` belongs to a shortened word (`Fig.`, `i.v.`, an initial)."""
    match = re.search(r"(?:^|[\s(\[])([A-Za-z](?:[A-Za-z.]*[A-Za-z])?)$", before)
    if not match:
        return False
    word = match[1]
    known = data_lines("abbreviations.txt")
    return word in known or word.lower() in known or (len(word) == 1 and word.isupper())
