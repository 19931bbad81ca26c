"""When facts are: partial dates as the days they span, dates told by an event hung on that event."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from casefhir.conformance.fhirpath.values import Moment, moment
from casefhir.report.boundary import high, low
from casefhir.report.bundles import Held, Resources
from casefhir.report.look import amount, extension, inner, items, number, text, words

_TIMES = (
    "effective",
    "onset",
    "performed",
    "date",
    "period",
    "recordedDate",
    "authoredOn",
    "occurrence",
    "started",
    "abatement",
)
_DAYS = {"d": 1, "wk": 7}
_MONTHS = {"mo": 1, "a": 12}
_UNIT_WORDS = {"day": "d", "week": "wk", "month": "mo", "year": "a"}


@dataclass(frozen=True, slots=True)
class When:
    """A point in time: the first and last day it can be (None where unknown), and how the source tells it.

    `text` is for people; `derived` is True where the days are reckoned from an event's; `exact` where it is one day.
    """

    first: date | None
    last: date | None
    text: str
    derived: bool = False

    @property
    def known(self) -> bool:
        """True where the days are known."""
        return self.first is not None and self.last is not None

    @property
    def exact(self) -> bool:
        """True for one day, as told."""
        return self.known and self.first == self.last and not self.derived


NOT_TOLD = When(None, None, "")


@dataclass(frozen=True, slots=True)
class Hang:
    """How a time hangs on an event: `event` is the fact (None where the event is words alone), `name` its words.

    `told` is the length of time and the relationship in words: "9 months after start"; `said` are the source's words.
    """

    event: Held | None
    name: str
    told: str
    said: str


def days(written: str) -> tuple[date, date] | None:
    """The first and last day that a FHIR date ("2012", "2012-05", an instant) spans; None for no date."""
    kind = "dateTime" if "T" in written else "date"
    found = moment(written, kind)
    if found is None:
        return None
    try:
        bounds = [bound(Moment("date", found.parts[:3], None, written)).text for bound in (low, high)]
        return date.fromisoformat(bounds[0]), date.fromisoformat(bounds[1])
    except ValueError:
        return None


class Chronology:
    """When the facts of some resources are, told by dates or by each other."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self._found: dict[tuple[int, str], When] = {}
        self._hangs: dict[int, Hang] = {}

    def start(self, held: Held) -> When:
        """When the fact was, or started."""
        return self._edge(held, "start")

    def end(self, held: Held) -> When:
        """When it ended; unknown for facts at one time."""
        return self._edge(held, "end")

    def hang(self, held: Held) -> Hang | None:
        """The event that the fact's start (its end where no start is told) hangs on; None where dates tell it."""
        self.start(held)
        self.end(held)
        return self._hangs.get(id(held.value))

    def _edge(self, held: Held, side: str) -> When:
        key = (id(held.value), side)
        if key not in self._found:
            self._found[key] = NOT_TOLD  # an event that hangs on itself in a circle has no date
            self._found[key] = self._read(held, side)
        return self._found[key]

    def _read(self, held: Held, side: str) -> When:
        value = held.value
        if held.type == "Condition" and side == "end":
            return self._element(held, value, "abatementDateTime")
        for name in _TIMES:
            if name == "abatement" and side == "start":
                continue
            period = next((value[each] for each in (f"{name}Period", name) if isinstance(value.get(each), dict)), None)
            if period is not None:
                return self._element(held, period, side)
            for each in (f"{name}DateTime", f"{name}Instant", name):
                if each in value or f"_{each}" in value:
                    return self._element(held, value, each) if side == "start" else NOT_TOLD
            said = text(value, f"{name}String") or amount(inner(value, f"{name}Age"))
            if said and side == "start":
                return When(None, None, said)
        return NOT_TOLD

    def _element(self, held: Held, holder: Any, key: str) -> When:
        written, beside = text(holder, key), inner(holder, f"_{key}")
        said = next((text(each, "valueString") for each in extension(beside, "originalText")), "")
        if written:
            span = days(written)
            shown = f"{written} ({said})" if said and said != written else written
            return When(*span, shown) if span else When(None, None, shown)
        for each in extension(beside, "relative-date"):
            return self._relative(held, each, said)
        return When(None, None, said)

    def _relative(self, held: Held, relative: Any, said: str) -> When:
        event, how, offset = (
            next(iter(extension(relative, name)), None) for name in ("event", "relationship", "offset")
        )
        relationship = text(how, "valueCode")
        length = inner(offset, "valueDuration")
        target = self.resources.target(text(event, "valueReference", "reference"), held)
        name = words(inner(event, "valueCodeableConcept")) or text(event, "valueReference", "display")
        how_long = " ".join(filter(None, (amount(length), relationship.replace("-", " "))))
        self._hangs.setdefault(id(held.value), Hang(target, title(target) if target else name, how_long, said))
        told = " ".join(filter(None, (how_long, f"“{title(target)}”" if target else name)))
        shown = f"{said} ({told})" if said else told
        span = self._hung(target, relationship, length) if target is not None else None
        return When(*span, shown, derived=True) if span else When(None, None, shown)

    def _hung(self, target: Held, relationship: str, length: Any) -> tuple[date, date] | None:
        anchor = self.start(target)
        ended = self.end(target)
        if ended.known and (relationship.endswith("-end") or relationship == "after"):
            anchor = ended
        elif relationship.endswith("-end"):
            return None
        if anchor.first is None or anchor.last is None:
            return None
        if relationship.startswith("concurrent"):
            return (anchor.first, anchor.last)
        sign = -1 if relationship.startswith("before") else 1
        count, unit = number(length, "value"), unit_of(length)
        comparator = text(length, "comparator")
        if count is None or unit is None or comparator in (">", ">="):
            return None
        try:
            moved = (shifted(anchor.first, count * sign, unit), shifted(anchor.last, count * sign, unit))
        except (ValueError, OverflowError):
            return None
        if comparator in ("<", "<="):
            return (anchor.first, moved[1]) if sign > 0 else (moved[0], anchor.last)
        return moved


def unit_of(length: Any) -> str | None:
    """The UCUM code (d, wk, mo, a) of a Duration; None for another unit."""
    code = text(length, "code") or _UNIT_WORDS.get(text(length, "unit").rstrip("s"), "")
    return code if code in _DAYS or code in _MONTHS else None


def shifted(day: date, count: Decimal, unit: str) -> date:
    """`day` moved by `count` of `unit` (d, wk, mo, a); a month's last days stay in the month."""
    if unit in _DAYS:
        return day + timedelta(days=int((count * _DAYS[unit]).to_integral_value(ROUND_HALF_UP)))
    months = count * _MONTHS[unit]
    whole = int(months)
    total = day.year * 12 + day.month - 1 + whole
    year, month = total // 12, total % 12 + 1
    # the last day of a month stays the last: a span of months stays a span of months
    last = day.day == monthrange(day.year, day.month)[1]
    most = monthrange(year, month)[1]
    moved = date(year, month, most if last else min(day.day, most))
    return moved + timedelta(days=int(((months - whole) * 30).to_integral_value(ROUND_HALF_UP)))


def title(held: Held) -> str:
    """What a resource is about, in words: its code, drug, event, type or kind."""
    value = held.value
    for key in ("code", "medicationCodeableConcept", "event", "vaccineCode", "type"):
        for concept in items(value, key):
            if words(concept):
                return words(concept)
    return text(value, "medicationReference", "display") or text(value, "description") or held.type
