"""The figures of a document as printed: thousands separators, decimal points, units, number words, dates."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from casefhir import terms
from casefhir.sources.article.prose import stretches

_RAW = re.compile(r"\d+(?:[.,·]\d+)*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL = re.compile(r"\d+[.·]\d+")
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}|0,\d+")
_CITATION = re.compile(r"\[\s*\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*\s*\]")
_NEXT_IN_LIST = re.compile(r"\s*(?:[-–—,;/]|to\b|and\b|or\b|,\s*and\b)\s*[<>≤≥]?\s*")
_LONGEST_UNIT = 32
_KEPT = 1024  # texts and parts of texts whose figures are remembered
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_BROKEN = re.compile(r"[^\W\d_]-[ \t]*\n\s*\Z")
TIME_WORDS = {"min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month", "a": "year"}
_ADVERBS = {"h": "hourly", "d": "daily", "wk": "weekly", "mo": "monthly", "a": "yearly|annually|annual"}
SOFT_UNITS = ("{score}", "%", "1", None)  # often not repeated beside a figure, or not printed at all


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as printed at `start` to `end`: `digits` without separators; `name` where it is part of a name
    (IgG1, Jo-1) or the number of a reference.
    """

    start: int
    end: int
    digits: str
    name: bool = False


@cache
def number_words() -> dict[str, str]:
    """English words for whole numbers, and for how often."""
    text = (resources.files(__package__) / "data" / "number_words.tsv").read_text(encoding="utf-8")
    return {row["word"]: row["value"] for row in csv.DictReader(text.splitlines(), delimiter="\t")}


@cache
def _number_word() -> re.Pattern[str]:
    words = number_words()
    tens = "|".join(word for word, value in words.items() if len(value) == 2 and value.endswith("0") and value != "10")
    ones = "|".join(
        word for word, value in words.items() if len(value) == 1 and word not in ("once", "twice", "thrice", "single")
    )
    return re.compile(rf"\b(?:({tens})-({ones})|({'|'.join(words)}))\b", re.IGNORECASE)


@lru_cache(maxsize=_KEPT)
def figures(text: str) -> tuple[Figure, ...]:
    """Every figure of `text` in order, number words included."""
    cited = [match.span() for match in _CITATION.finditer(text)]
    found: list[Figure] = []
    for stretch in stretches(text):
        here = list(_digits(text, stretch.start, stretch.end, cited))
        found += here if stretch.is_line else _joined(text, here)
        for match in _number_word().finditer(text, stretch.start, stretch.end):
            if _BROKEN.search(text[max(match.start() - 8, 0) : match.start()]):
                continue  # the second half of a word: prednis-/one
            words = number_words()
            tens, ones, one = (each and words[each.lower()] for each in match.groups())
            found.append(Figure(match.start(), match.end(), one or str(int(tens or 0) + int(ones or 0))))
    return tuple(sorted(found, key=lambda figure: figure.start))


def _digits(text: str, start: int, end: int, cited: list[tuple[int, int]]) -> Iterator[Figure]:
    for match in _RAW.finditer(text, start, end):
        raw, first, last = match.group(), match.start(), match.end()
        name = _is_name(text, first) or any(a <= first < b for a, b in cited)
        if _THOUSANDS.fullmatch(raw):
            yield Figure(first, last, raw.replace(",", ""), name)
        elif _DECIMAL.fullmatch(raw):
            yield Figure(first, last, raw.replace("·", "."), name)
        elif _DECIMAL_COMMA.fullmatch(raw):
            yield Figure(first, last, raw.replace(",", "."), name)
        else:
            for part in re.finditer(r"\d+", raw):
                dotted = len(re.findall(r"\.", raw)) > 1  # a date, a version, a number of a chapter: no figure
                yield Figure(first + part.start(), first + part.end(), part.group(), name or dotted)


def _is_name(text: str, start: int) -> bool:
    """Whether the digits at `start` are part of a name (IgG1, anti-Jo-1) or the number of a reference (`muscle.3`)."""
    before = text[max(start - 3, 0) : start]
    if re.search(r"(?:^|\d\s?)x\Z", before):
        return False  # 2x1 g
    if re.search(r"[^\W\d_]\Z", before):
        return True
    if re.search(r"[^\W\d_][.,]\Z", before):
        return True
    year = re.match(r"(?:19|20)\d\d\b", text[start : start + 5])
    return bool(re.search(r"[^\W\d_]-\Z", before)) and not year


def _joined(text: str, found: list[Figure]) -> list[Figure]:
    """`found` with thousands that blanks separate (20 000) put together."""
    chains: list[list[Figure]] = []
    for figure in found:
        blank = chains and re.fullmatch(r"[ \u00a0\u2009\u202f\n]", text[chains[-1][-1].end : figure.start])
        if blank:
            chains[-1].append(figure)
        else:
            chains.append([figure])
    joined: list[Figure] = []
    for chain in chains:
        first, rest = chain[0], chain[1:]
        if (
            rest
            and re.fullmatch(r"[1-9]\d{0,2}", first.digits)
            and all(re.fullmatch(r"\d{3}", each.digits) for each in rest)
        ):
            joined.append(Figure(first.start, rest[-1].end, "".join(each.digits for each in chain), first.name))
        else:
            joined += chain
    return joined


def within(text: str, start: int, end: int) -> tuple[Figure, ...]:
    """The figures of `text` that lie wholly between `start` and `end`."""
    return tuple(figure for figure in figures(text) if start <= figure.start and figure.end <= end)


def units_at(text: str, end: int) -> tuple[tuple[str, str | None], ...]:
    """The units that the print directly after a figure can be read as: as printed, and the UCUM code."""
    return _units(re.sub(r"\s+", " ", text[end : end + _LONGEST_UNIT]).lstrip(" -‐‑–"))


@lru_cache(maxsize=_KEPT)
def _units(following: str) -> tuple[tuple[str, str | None], ...]:
    if not following or following[0].isdigit():
        return ()
    found = []
    for length in range(1, len(following) + 1):
        whole_word = length == len(following) or not following[length].isalnum() or not following[length - 1].isalnum()
        part = following[:length]
        if whole_word and part == part.strip() and terms.ucum_of(part):
            rest = following[length:]
            if not re.match(r"\s?(?:/\s?|per\s)(?:kg|m2|m²|m\?|ml|l\b)", rest, re.IGNORECASE):
                found.append((part, terms.ucum_of(part)))
    return tuple(found)


def has_unit(text: str, figure: Figure, unit: str) -> bool | None:
    """Whether `unit` stands after the figure, or at the end of a list (3 and 6 months); None: no known unit does."""
    wanted = terms.ucum_of(unit) if unit else None
    end, direct = figure.end, True
    for _ in range(5):
        if unit and _reads(text, end, unit):
            return True
        printed = units_at(text, end)
        if printed:
            same = any(code == wanted for _, code in printed) if wanted else False
            return True if same else (False if direct else None)
        more = _NEXT_IN_LIST.match(text, end)
        following = next((each for each in figures(text) if more and each.start == more.end()), None)
        if following is None:
            return None
        end, direct = following.end, False
    return None


def _reads(text: str, end: int, unit: str) -> bool:
    pattern = r"\s*".join(re.escape(part) for part in unit.split())
    match = re.compile(rf"[\s‐‑–-]*{pattern}").match(text, end)
    return bool(match) and not re.match(r"[^\W\d_]|/\w", text[match.end() : match.end() + 2])  # type: ignore[union-attr]


def states_time(text: str, start: int, end: int, digits: str, ucum: str) -> list[int]:
    """Where between `start` and `end` the time of `digits` × `ucum` stands (`2 weeks`, `three months`, `monthly`)."""
    word = TIME_WORDS.get(ucum)
    found = []
    for figure in within(text, start, end):
        if figure.digits != digits or figure.name:
            continue
        given = has_unit(text, figure, word or "") if word else True
        printed = {code for _, code in units_at(text, figure.end)}
        loose = given is None and word and re.search(rf"{word}s?\b", text[figure.end : end])
        if given or ucum in printed or loose:
            found.append(figure.start)
    if word:
        for pattern in _time_patterns(digits, ucum, word):
            found += [match.start() for match in re.compile(pattern, re.IGNORECASE).finditer(text, start, end)]
    return found


def _time_patterns(digits: str, ucum: str, word: str) -> Iterator[str]:
    if digits == "1":
        yield rf"\b(?:an?|per|each|every|first|last|past|next|following|previous)\s+{word}\b"
        yield rf"/\s*{word}\b"
        yield rf"\b(?:{_ADVERBS[ucum]})\b" if ucum in _ADVERBS else rf"\b{word}ly\b"
    if digits == "2":
        yield rf"\bevery\s+(?:other|second)\s+{word}\b"
        if ucum == "wk":
            yield r"\bfortnight(?:ly)?\b"


def states_date(text: str, places: list[tuple[int, int]], date: str) -> bool:
    """Whether the stretches `places` of `text` together tell the `date` (2003, 2003-11 or 2003-11-04)."""
    year, month, day = (*date.split("-"), "", "")[:3]
    parts = [text[start:end] for start, end in places]
    if any(_numeric(part, year, month, day) for part in parts):
        return True
    if not any(re.search(rf"(?<!\d){year}(?!\d)", part) for part in parts):
        return False
    if not month:
        return True
    name = MONTHS[int(month) - 1]
    word = rf"\b(?:{name}|{name[:3]}|{name[:4]})\b\.?"
    return any(_month_with_year(part, word, year) and (not day or _day(part, word, day)) for part in parts)


def _month_with_year(part: str, word: str, year: str) -> bool:
    """Whether the month stands in `part`; where every mention has a year of its own, with this one."""
    mentions = list(
        re.finditer(rf"(?:(?P<before>\b\d{{4}})\s+)?{word}(?:\s*,?\s*(?:\d\d?,\s+|of\s+)?(?P<after>\d{{4}})\b)?", part)
    )
    return any(
        year in (match["after"], match["before"]) or not (match["after"] or match["before"]) for match in mentions
    )


def _day(part: str, word: str, day: str) -> bool:
    number = rf"0?{int(day)}(?:st|nd|rd|th)?"
    return bool(re.search(rf"\b{number}(?:\s+of)?\s+{word}|{word}\s*{number}\b", part))


def _numeric(part: str, year: str, month: str, day: str) -> bool:
    if not month:
        return bool(re.search(rf"(?<!\d){year}(?!\d)", part))
    first = rf"0?{int(month)}"
    if day:
        second = rf"0?{int(day)}"
        forms = rf"{year}-{month}-{day}|{second}[./-]{first}[./-]{year}|{first}[./-]{second}[./-]{year}"
    else:
        forms = rf"{year}-{month}|(?:\d\d?[./-])?{first}[./-]{year}|{first}[./-]\d\d?[./-]{year}"
    return bool(re.search(rf"(?<!\d)(?:{forms})(?!\d)", part))
