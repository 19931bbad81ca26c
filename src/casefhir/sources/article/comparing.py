"""How a printed figure is compared: `< 5`, `more than 3 months`, and which figures are the ends of one range."""

import csv
import re
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise

from casefhir.sources.article.figures import Figure, figures, units_at

_SIGNS = {"<": "<", ">": ">", "≤": "<", "≥": ">"}
_BETWEEN = re.compile(r"\s*(?:[-–—−‐‑]|\bto\b)\s*")
_LIMIT = (
    r"(?:\bN|\b(?:references?(?:\s+(?:range|values?))?|(?:upper|lower)\s+limits?(?:\s+of\s+normal)?|"
    r"normal\s+(?:range|values?|limits?|levels?)|cut-?off|ULN|LLN))"
)
_IS_LIMIT = re.compile(_LIMIT + r"\s*[:=<>≤≥]*\s*\Z")
# beside a limit that is claimed as one, looser words will do
_MAY_BE_LIMIT = re.compile(rf"(?:{_LIMIT}|\b(?:normal|norms?|limits?)\b)[^\d.;]*\Z", re.IGNORECASE)
_LOOKED_AT = 40  # code points before or after a figure
_KEPT = 64


@cache
def _phrases(where: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    text = (resources.files(__package__) / "data" / "comparisons.tsv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines(), delimiter="\t") if row["where"] == where]
    found = []
    for sign in ("<", ">"):
        words = "|".join(re.escape(row["phrase"]).replace(r"\ ", r"\s+") for row in rows if row["sign"] == sign)
        frame = rf"\b(?:{words})\s*(?:an?\s+|the\s+)?\Z" if where == "before" else rf"[\s,(]*(?:{words})\b"
        found.append((sign, re.compile(frame, re.IGNORECASE)))
    return tuple(found)


def printed_sign(text: str, start: int) -> str:
    """`<` or `>` where a comparison sign stands before the figure at `start`, else nothing."""
    before = text[max(start - 4, 0) : start].rstrip().replace("=", "").rstrip()
    return _SIGNS.get(before[-1:], "")


def comparison(text: str, start: int, end: int) -> str:
    """How the figure from `start` to `end` is compared, by a sign or in words: `<`, `>` or nothing."""
    sign = printed_sign(text, start)
    if sign:
        return sign
    before = text[max(start - _LOOKED_AT, 0) : start]
    for sign, pattern in _phrases("before"):
        if pattern.search(before):
            return sign
    unit = max((len(printed) for printed, _ in units_at(text, end)), default=0)
    after = text[end : end + _LOOKED_AT]
    after = after.lstrip()[unit:] if unit else after
    return next((sign for sign, pattern in _phrases("after") if pattern.match(after)), "")


def is_limit(text: str, start: int) -> bool:
    """Whether the figure at `start` is surely told as a limit of what is normal (`N < 195`, `ULN 5`)."""
    return bool(_IS_LIMIT.search(text[max(start - _LOOKED_AT, 0) : start]))


def may_be_limit(text: str, start: int) -> bool:
    """Whether the figure at `start` can be told as a limit of what is normal (`normal up to 5`)."""
    return bool(_MAY_BE_LIMIT.search(text[max(start - _LOOKED_AT, 0) : start]))


@lru_cache(maxsize=_KEPT)
def ranges(text: str) -> dict[int, tuple[Figure, Figure]]:
    """The printed ranges of `text` (`4.0–10.0`, `3 to 5 mg`), by the start of either figure."""
    found: dict[int, tuple[Figure, Figure]] = {}
    printed = figures(text)
    for low, high in pairwise(printed):
        between = text[low.end : high.start]
        unit = max((shown for shown, _ in units_at(text, low.end)), key=len, default="")
        rest = between.lstrip().removeprefix(unit) if unit else between
        if not low.name and not high.name and _BETWEEN.fullmatch(rest):
            found[low.start] = found[high.start] = (low, high)
    return found
