"""When: dates at the precision that was told, and times told only by an event."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from casefhir.record.errors import RecordError
from casefhir.record.quantities import Quantity
from casefhir.record.spans import Source

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIME = re.compile(r"T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)")
_DAY = len("2003-11-04")

Relationship = Literal[
    "before-start", "before", "before-end",
    "concurrent-with-start", "concurrent", "concurrent-with-end",
    "after-start", "after", "after-end",
]  # fmt: skip


@lru_cache(maxsize=1 << 16)  # tables give the same days over and over
def check_date(text: str) -> str:
    """`text` when it is a year, a year and month or a day of the calendar (`2003`, `2003-11`, `2003-11-04`), or an
    instant of such a day with seconds and zone (`2003-11-04T16:17:47Z`, `2003-11-04T16:17:47.5+01:00`).
    """
    match = _DATE.fullmatch(text[:_DAY])
    if match and (len(text) <= _DAY or _TIME.fullmatch(text, _DAY)):
        year, month, day = match.groups()
        try:
            dt.date(int(year), int(month or 1), int(day or 1))
            if len(text) > _DAY:
                dt.time.fromisoformat(text[_DAY + 1 : _DAY + 9])
            return text
        except ValueError:
            pass  # not a day of the calendar, not a time of the clock
    raise RecordError(
        f"{text!r} is not a date: write 2003, 2003-11 or 2003-11-04, only as precise as it was told; an instant as "
        f"2003-11-04T16:17:47+01:00, with its zone."
    )


@dataclass(frozen=True, slots=True)
class On:
    """A date of the calendar, as precise as told, or an instant with its zone; `printed` how the source says it, where
    the date says less (a time without a zone).
    """

    date: str
    source: Source
    printed: str | None = None

    def __post_init__(self) -> None:
        check_date(self.date)


@dataclass(frozen=True, slots=True)
class Between:
    """A time told as lying between two dates, or lasting from one to the other; either end may be open (None).
    `start_printed` and `end_printed` as in `On`.
    """

    start: str | None
    end: str | None
    source: Source
    start_printed: str | None = None
    end_printed: str | None = None

    def __post_init__(self) -> None:
        start, end = (check_date(each) if each else None for each in (self.start, self.end))
        if start is None and end is None:
            raise RecordError("A time between two dates needs at least one of them.")
        if start and end and precedes(end, start):
            raise RecordError(f"The time ends ({end}) before it starts ({start}).")


@dataclass(frozen=True, slots=True)
class Relative:
    """A time told by an event: `offset` (None: not told) `relationship` the `event`.

    `event` is the key of a fact of the case, or free words for anything else; `words` are the source's, if short.
    """

    relationship: Relationship
    event: str
    source: Source
    offset: str | None = None
    words: str | None = None

    @property
    def quantity(self) -> Quantity | None:
        """The offset as value and unit; None when it was not told as a figure."""
        return Quantity.parse(self.offset) if self.offset else None


Moment = On | Between | Relative


def precedes(one: str, other: str) -> bool:
    """Whether date `one` lies before `other` for certain: compared only to the precision that both have."""
    if len(one) > _DAY and len(other) > _DAY:
        return _instant(one) < _instant(other)
    shared = min(len(one), len(other), _DAY)
    return one[:shared] < other[:shared]


def _instant(text: str) -> tuple[dt.datetime, str]:
    """Comparable to every digit of a second: Python's own instants end at the microsecond."""
    zone = text[-1:] if text.endswith("Z") else text[-6:]
    fraction = text[_DAY + 10 : -len(zone)]
    try:
        return dt.datetime.fromisoformat(text[: _DAY + 9] + zone).astimezone(dt.UTC), fraction.rstrip("0")
    except OverflowError:  # the first or last day of the calendar, moved across its end by the zone
        return dt.datetime.fromisoformat(text[: _DAY + 9]).replace(tzinfo=dt.UTC), fraction.rstrip("0")
