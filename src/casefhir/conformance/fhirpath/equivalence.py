"""FHIRPath's `~`: the same but for case, white space, order and needless precision."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from casefhir.conformance.conversion import Incomparable, converted
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, equal, unwrap


def equivalent(left: list[Item], right: list[Item]) -> bool:
    """Do two collections have equivalent items, in any order."""
    if len(left) != len(right):
        return False
    open_items = list(right)
    for item in left:
        found = next((place for place, each in enumerate(open_items) if _alike(item, each)), None)
        if found is None:
            return False
        del open_items[found]
    return True


def _alike(one: Item, other: Item) -> bool:
    first, second = unwrap(one), unwrap(other)
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, str) and isinstance(second, str):
        return first.lower().split() == second.lower().split()
    if isinstance(first, int | Decimal) and isinstance(second, int | Decimal):
        return _rounded(Decimal(first), Decimal(second))
    if isinstance(first, Amount) and isinstance(second, Amount):
        return _alike_amounts(first, second)
    if isinstance(first, Moment) and isinstance(second, Moment):
        return len(first.parts) == len(second.parts) and equal(first, second) is True
    return equal(one, other) is True


def _alike_amounts(one: Amount, other: Amount) -> bool:
    """Are two quantities the same to the step of the less precise: 4 g and 4040 mg, to a gram."""
    try:
        value = converted(other.value, other.ucum, one.ucum)
        step = converted(Decimal(1).scaleb(-_places(other.value)), other.ucum, one.ucum)
    except Incomparable:
        return False
    if value is None or step is None:
        return False
    mine = Decimal(1).scaleb(-_places(one.value))
    if mine >= step:
        return value.quantize(mine, ROUND_HALF_UP) == one.value
    back = converted(one.value, one.ucum, other.ucum)
    theirs = Decimal(1).scaleb(-_places(other.value))
    return back is not None and back.quantize(theirs, ROUND_HALF_UP) == other.value.quantize(theirs)


def _rounded(one: Decimal, other: Decimal) -> bool:
    """Are two numbers the same when rounded to the places of the less precise."""
    places = min(_places(one), _places(other))
    step = Decimal(1).scaleb(-places)
    try:
        return one.quantize(step, ROUND_HALF_UP) == other.quantize(step, ROUND_HALF_UP)
    except InvalidOperation:  # more digits than are kept
        return one == other


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
