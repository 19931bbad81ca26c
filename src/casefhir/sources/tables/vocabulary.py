"""The usual words of fields with a fixed choice (`data/words.tsv`) and of frequencies (`data/frequencies.tsv`)."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources

from casefhir.record import Quantity

_LONGEST = 80
_UNITS = {
    "h": "h", "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "d": "d", "day": "d", "days": "d", "w": "wk",
    "wk": "wk", "wks": "wk", "week": "wk", "weeks": "wk", "m": "mo", "mo": "mo", "month": "mo", "months": "mo",
    "y": "a", "year": "a", "years": "a", "min": "min",
    "tag": "d", "tage": "d", "jour": "d", "jours": "d", "día": "d", "dia": "d", "días": "d", "dias": "d",
    "woche": "wk", "wochen": "wk", "semaine": "wk", "semaines": "wk", "semana": "wk", "semanas": "wk",
    "monat": "mo", "monate": "mo", "mois": "mo", "mes": "mo", "meses": "mo",
}  # fmt: skip
_NUMBERS = {"once": 1, "one": 1, "twice": 2, "two": 2, "three": 3, "thrice": 3, "four": 4, "five": 5, "six": 6}
_N = r"(?P<n>\d{1,3}|once|twice|thrice|one|two|three|four|five|six)"
_OTHER_TONGUES = r"tage?|jours?|d[ií]as?|wochen?|semaines?|semanas?|monate?|mois|mes(?:es)?"
_UNIT = rf"(?P<unit>{_OTHER_TONGUES}|hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|mo|m|years?|y|min)"
_LONG_UNIT = _UNIT.replace("|m|", "|")
_EVERY = re.compile(rf"(?:q|every|each)\s?{_N}?\s?{_UNIT}", re.I)
_TIMES = re.compile(
    rf"{_N}\s?(?:x|×|times?)?\s?(?:/|per|a|an|each|every)\s?(?:(?P<every>\d{{1,3}})\s?)?{_LONG_UNIT}", re.I
)
_LY = re.compile(rf"{_N}\s?(?:x|×|times)?\s?(?P<unit>daily|weekly|monthly|yearly)", re.I)
_LY_UNITS = {"daily": "d", "weekly": "wk", "monthly": "mo", "yearly": "a"}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def vocabulary(field: str) -> Mapping[str, str]:
    """Words (in small letters) and the values they stand for, of a field."""
    return {row["word"]: row["value"] for row in _rows("words.tsv") if row["field"] == field}


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many times in so long; `as_needed` where it says so; `once`: a single time."""

    times: int | None = None
    every: Quantity | None = None
    as_needed: bool | None = None
    count: int | None = None


@cache
def _known() -> Mapping[str, Frequency]:
    return {
        row["word"]: Frequency(int(row["times"]), _period(row["every"], row["unit"]))
        for row in _rows("frequencies.tsv")
    }


def _period(number: str | int, unit: str) -> Quantity:
    return Quantity(Decimal(number), unit, None, unit)


@lru_cache(maxsize=1 << 12)
def frequency(words: str) -> Frequency | None:
    """How often `words` say (`BID`, `Q4W`, `every 2 weeks`, `3x/day`, `twice weekly`, `PRN`); None if they do not."""
    if len(words) > _LONGEST:
        return None
    text = re.sub(r"\s+", " ", words.strip().casefold()).rstrip(".")
    needed = re.fullmatch(r"(?:(.*?)[, ]+)?(?:prn|p\.r\.n|as needed|as required)", text)
    if needed:
        if not needed[1]:
            return Frequency(as_needed=True)
        rest = frequency(needed[1])
        return Frequency(rest.times, rest.every, True, rest.count) if rest else None
    if text in ("once", "single dose", "1 time"):
        return Frequency(count=1)
    if text in _known():
        return _known()[text]
    match = _EVERY.fullmatch(text)
    if match:
        times, every, unit = 1, _number(match["n"]), _UNITS[match["unit"]]
    elif match := _TIMES.fullmatch(text):
        times, every, unit = _number(match["n"]), _number(match["every"]), _UNITS[match["unit"]]
    elif match := _LY.fullmatch(text):
        times, every, unit = _number(match["n"]), 1, _LY_UNITS[match["unit"]]
    else:
        return None
    return Frequency(times, _period(every, unit)) if times and every else None


def _number(words: str | None) -> int:
    return _NUMBERS.get(words) or int(words) if words else 1
