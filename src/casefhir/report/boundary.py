"""The least and greatest value that a partial date or a rounded decimal can stand for (FHIRPath's boundaries)."""

from calendar import monthrange
from datetime import date
from decimal import Decimal

from casefhir.conformance.fhirpath.values import Item, Moment, moment

_EARLIEST_ZONE, _LATEST_ZONE = "+14:00", "-12:00"


def low(value: Moment | Decimal | int) -> Item:
    """The least value: 2012-05 gives 2012-05-01, 1.0 gives 0.95. Raises `ValueError` for 2012-13, which is no month."""
    return _moment(value, first=True) if isinstance(value, Moment) else _decimal(value, -1)


def high(value: Moment | Decimal | int) -> Item:
    """The greatest value: 2012-05 gives 2012-05-31, 1.0 gives 1.05."""
    return _moment(value, first=False) if isinstance(value, Moment) else _decimal(value, 1)


def _decimal(value: Decimal | int, sign: int) -> Decimal:
    exact = Decimal(value)
    exponent = exact.as_tuple().exponent
    return exact + sign * Decimal(5).scaleb(int(exponent) - 1)


def _moment(value: Moment, *, first: bool) -> Moment:
    if value.kind == "time":
        return _said("T" + _clock(value.parts, first=first), "time", value)
    year = int(value.parts[0])
    month = int(value.parts[1]) if len(value.parts) > 1 else (1 if first else 12)
    day = int(value.parts[2]) if len(value.parts) > 2 else (1 if first else monthrange(year, month)[1])
    told = date(year, month, day).isoformat()  # a ValueError where the calendar has no such day
    if value.kind == "date":
        return _said(told, "date", value)
    zone = value.text[-6:] if value.zone else "Z" if value.zone == 0 else _EARLIEST_ZONE if first else _LATEST_ZONE
    return _said(f"{told}T{_clock(value.parts[3:], first=first)}{zone}", "dateTime", value)


def _clock(parts: tuple[int | Decimal, ...], *, first: bool) -> str:
    hour = int(parts[0]) if parts else (0 if first else 23)
    minute = int(parts[1]) if len(parts) > 1 else (0 if first else 59)
    if len(parts) > 2:
        seconds = Decimal(parts[2])
        whole, fraction = int(seconds), str(seconds).partition(".")[2]
    else:
        whole, fraction = (0 if first else 59), ""
    return f"{hour:02d}:{minute:02d}:{whole:02d}.{fraction[:3].ljust(3, '0' if first else '9')}"


def _said(text: str, kind: str, source: Moment) -> Moment:
    found = moment(text.removeprefix("T") if kind == "time" else text, kind)
    if found is None:  # a moment that was read has a boundary that can be read
        raise ValueError(f"{source.text} has no boundary")
    return found
