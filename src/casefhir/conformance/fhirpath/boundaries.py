"""How precise a value is, and the least and greatest value that it may stand for."""

from calendar import monthrange
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from casefhir.conformance.conversion import Incomparable, converted
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, moment

_MOST_PLACES = 28
_DIGITS = {"date": (4, 6, 8), "dateTime": (4, 6, 8, 10, 12, 17), "time": (2, 4, 9)}
_EARLIEST, _LATEST = "+14:00", "-12:00"  # the zones in which a clock's time comes first and last


def precision(item: Item) -> int | None:
    """The number of decimal places of a number, or of digits of a date or time; None for what has none."""
    if isinstance(item, Moment):
        place = len(item.parts)
        digits = sum((4 if item.kind != "time" and at == 0 else 2) for at in range(place))
        last = item.parts[-1] if place else 0
        exponent = last.as_tuple().exponent if isinstance(last, Decimal) else 0
        return digits - exponent if isinstance(exponent, int) else digits
    if isinstance(item, Amount):
        return precision(item.value)
    if isinstance(item, bool) or not isinstance(item, int | Decimal):
        return None
    exponent = Decimal(item).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None


def boundary(item: Item, sign: int, digits: int | None = None) -> Item:
    """The least (`sign` -1) or greatest (1) value that `item` may stand for, to `digits` decimal places or digits of
    a date; None where there is none of that precision.
    """
    if isinstance(item, Amount):
        found = _number(item.value, sign, digits)
        return None if found is None else Amount(found, item.unit)
    if isinstance(item, Moment):
        return _moment(item, sign, _DIGITS[item.kind][-1] if digits is None else digits)
    if isinstance(item, bool) or not isinstance(item, int | Decimal):
        return None
    return _number(Decimal(item), sign, digits)


def _number(value: Decimal, sign: int, digits: int | None) -> Decimal | None:
    places = 8 if digits is None else digits
    own = precision(value)
    if own is None or not 0 <= places <= _MOST_PLACES:
        return None
    found = value + sign * Decimal(5).scaleb(-own - 1)
    outward = (value >= 0) == (sign > 0)  # as the official tests: away from zero rounded, towards it cut
    return found.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP if outward else ROUND_DOWN)


def _moment(item: Moment, sign: int, digits: int) -> Moment | None:
    if digits not in _DIGITS[item.kind]:
        return None
    parts = list(item.parts)
    rest: list[int | Decimal] = [0, 0, Decimal(0)] if sign < 0 else [23, 59, Decimal("59.999")]
    if item.kind == "time":
        parts += rest[len(parts) :]
        return _written("time", parts[: _DIGITS["time"].index(digits) + 1], None)
    if len(parts) == 1:
        parts.append(1 if sign < 0 else 12)
    if len(parts) == 2:
        parts.append(1 if sign < 0 else monthrange(int(parts[0]), int(parts[1]))[1])
    kept = _DIGITS["dateTime"].index(digits) + 1
    if item.kind == "date" or kept <= 3:
        return _written(item.kind, parts[:kept], None)
    parts += rest[len(parts) - 3 :]
    zone = item.text[-6:] if item.zone else "Z" if item.zone == 0 else _EARLIEST if sign < 0 else _LATEST
    return _written("dateTime", parts[:kept], zone)


def _written(kind: str, parts: list[int | Decimal], zone: str | None) -> Moment | None:
    words = [f"{part:06.3f}" if isinstance(part, Decimal) else f"{part:02d}" for part in parts]
    if kind == "time":
        return moment(":".join(words), "time")
    words[0] = f"{parts[0]:04d}"
    text = "-".join(words[:3]) + ("T" + ":".join(words[3:]) if len(words) > 3 else "")
    return moment(text + (zone or "" if len(words) > 3 else ""), kind)


def comparable(one: Item, other: Item) -> bool | None:
    """Can two quantities be compared; None for what are no quantities."""
    if not isinstance(one, Amount) or not isinstance(other, Amount):
        return None
    try:
        return converted(one.value, one.ucum, other.ucum) is not None
    except Incomparable:
        return False
