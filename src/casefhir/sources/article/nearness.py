"""Is the date of a fact the one that its words suggest? Where it is not, a reader has to judge."""

import re
from functools import lru_cache

from casefhir.record import Fact, On, Person, spans_of
from casefhir.sources.article.figures import MONTHS
from casefhir.sources.article.prose import touching

_TIMES = ("when", "start", "end", "onset", "abatement", "asserted")
_MONTH = f"(?:{'|'.join(MONTHS)}|{'|'.join(month[:3] for month in MONTHS)}|Sept)\\.?"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}\s+)?{_MONTH},?\s+(?:\d{{1,2}},?\s+)?(?:of\s+)?{_YEAR}\b"
    rf"|\b(?:in|since|by|of|from|until|till|before|after)\s+(?:{_YEAR}|{_MONTH})\b"
)
_KEPT = 64


@lru_cache(maxsize=_KEPT)
def _dates(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(match.span() for match in _DATE.finditer(text))


def is_dated_from_apart(fact: Fact | Person, text: str) -> bool:
    """Whether a calendar date of `fact` stands neither in its sentences nor is the last date told before their end.

    So does a date that belongs to another fact, and one that an aside (`compared with 2012`) parts from its fact. In a
    table the date is a heading's, so its cells are not asked.
    """
    here = [each for span in spans_of(fact.source) for each in touching(text, span.offset, span.end)]
    if any(each.is_line for each in here):
        return False
    for name in _TIMES:
        moment = getattr(fact, name, None)
        if not isinstance(moment, On):
            continue
        places = [(span.offset, span.end) for span in spans_of(moment.source)]
        inside = any(each.start <= start < each.end for each in here for start, _ in places)
        if not inside and not any(_is_last_date(text, each.end, places) for each in here):
            return True
    return False


def _is_last_date(text: str, end: int, places: list[tuple[int, int]]) -> bool:
    """Whether the last date that is told before `end` is in one of the `places`."""
    told = [each for each in _dates(text) if each[1] <= end]
    return bool(told) and any(first < told[-1][1] and told[-1][0] < last for first, last in places)
