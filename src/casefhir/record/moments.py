"""When: dates at the precision that was told, and times told only by an event."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from casefhir.record.errors import RecordError
from casefhir.record.quantities import Quantity
from casefhir.record.spans import Source

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")

Relationship = Literal[
    "before-start", "before", "before-end",
    "concurrent-with-start", "concurrent", "concurrent-with-end",
    "after-start", "after", "after-end",
]  # fmt: skip


def check_date(text: str) -> str:
    """`text` when it is a year, a year and month or a day of the calendar (`2003`, `2003-11`, `2003-11-04`)."""
    match = _DATE.fullmatch(text)
    if match:
        year, month, day = match.groups()
        try:
            dt.date(int(year), int(month or 1), int(day or 1))
        except ValueError:
            match = None
    if not match:
        raise RecordError(f"{text!r} is not a date: write 2003, 2003-11 or 2003-11-04, only as precise as it was told.")
    return text


@dataclass(frozen=True, slots=True)
class On:
    """A date of the calendar, as precise as told."""

    date: str
    source: Source

    def __post_init__(self) -> None:
        check_date(self.date)


@dataclass(frozen=True, slots=True)
class Between:
    """A time told as lying between two dates, or lasting from one to the other; either end may be open (None)."""

    start: str | None
    end: str | None
    source: Source

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
    shared = min(len(one), len(other))
    return one[:shared] < other[:shared]
