"""Calendar arithmetic: a partial date moved by a quantity of time."""

from calendar import monthrange
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from casefhir.conformance.fhirpath.values import Amount, Moment

_SECONDS = {"wk": 604800, "d": 86400, "h": 3600, "min": 60, "s": 1}


def shifted(start: Moment, by: Amount, sign: int) -> Moment | None:
    """`start` moved by `by` (`sign` 1 or -1), as precise as it was; None where the calendar ends."""
    unit = by.ucum
    count = int(by.value.to_integral_value(ROUND_DOWN)) * sign
    if start.kind == "time":
        return _time(start, by, sign)
    parts = [int(each) for each in start.parts[:5]]
    year, month, day, hour, minute = parts + [1970, 1, 1, 0, 0][len(parts) :]
    seconds = Decimal(start.parts[5]) if len(start.parts) > 5 else Decimal(0)
    try:
        if unit in ("a", "mo"):
            months = year * 12 + month - 1 + count * (12 if unit == "a" else 1)
            year, month = months // 12, months % 12 + 1
            moved = datetime(year, month, min(day, monthrange(year, month)[1]), hour, minute)
        elif unit in _SECONDS or unit == "ms":
            amount = by.value * sign / 1000 if unit == "ms" else Decimal(count * _SECONDS[unit])
            whole = (seconds + amount) // 1
            seconds = (seconds + amount) % 60 if unit in ("s", "ms") else seconds
            if unit in ("s", "ms"):
                moved = datetime(year, month, day, hour, minute) + timedelta(minutes=int((whole - int(seconds)) // 60))
            else:
                moved = datetime(year, month, day, hour, minute) + timedelta(seconds=int(amount))
        else:
            return None
    except (ValueError, OverflowError):
        return None
    full = (moved.year, moved.month, moved.day, moved.hour, moved.minute, seconds)
    return _said(start, full[: len(start.parts)])


def _time(start: Moment, by: Amount, sign: int) -> Moment | None:
    if by.ucum not in ("h", "min", "s", "ms"):
        return None
    hour, minute, second = [*start.parts, 0, 0][:3]
    amount = by.value * sign / 1000 if by.ucum == "ms" else by.value * sign * _SECONDS[by.ucum]
    total = (Decimal(hour) * 3600 + Decimal(minute) * 60 + Decimal(second) + amount) % 86400
    full = (int(total // 3600), int(total % 3600 // 60), total % 60)
    return _said(start, full[: len(start.parts)])


def _said(start: Moment, parts: tuple[int | Decimal, ...]) -> Moment:
    widths = (2, 2, 2) if start.kind == "time" else (4, 2, 2, 2, 2, 2)
    words = [
        f"{part:0{width}d}" if isinstance(part, int) else f"{part:06.3f}" if part % 1 else f"{int(part):02d}"
        for part, width in zip(parts, widths)
    ]
    text = ":".join(words) if start.kind == "time" else "-".join(words[:3])
    if start.kind != "time" and len(words) > 3:
        text += "T" + ":".join(words[3:])
    if start.zone is not None:
        hours, minutes = divmod(abs(start.zone), 60)
        text += "Z" if not start.zone else f"{'-' if start.zone < 0 else '+'}{hours:02d}:{minutes:02d}"
    return Moment(start.kind, parts, start.zone, text)
