"""FHIRPath's operators: equality, order, membership, arithmetic and logic."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Any

from casefhir.conformance.fhirpath.clock import shifted
from casefhir.conformance.fhirpath.equivalence import equivalent
from casefhir.conformance.fhirpath.evaluation import FALSE, TRUE, Env, Failed, Items, Step, boolean, logical, single
from casefhir.conformance.fhirpath.values import Amount, Item, Moment, equal, key, order, text_of, unwrap


def _compare(test: Callable[[int], bool]) -> Callable[[Items, Items], Items]:
    def apply(left: Items, right: Items) -> Items:
        if not left or not right:
            return []
        if len(left) > 1 or len(right) > 1:
            raise Failed("a single value was expected")
        found = order(left[0], right[0])
        if found is None and _of_different_types(unwrap(left[0]), unwrap(right[0])):
            raise Failed("values of different types have no order")
        return [] if found is None else [test(found)]

    return apply


def _of_different_types(one: Item, other: Item) -> bool:
    kinds = [bool if isinstance(each, bool) else str if isinstance(each, str) else int for each in (one, other)]
    plain = all(isinstance(each, bool | str | int | Decimal) for each in (one, other))
    return plain and kinds[0] is not kinds[1]


def same(left: Items, right: Items) -> bool | None:
    """`=` of two collections: None when either is empty or a date leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answers = [equal(one, other) for one, other in zip(left, right)]
    if False in answers:
        return False
    return None if None in answers else True


def _negated(found: bool | None) -> Items:
    return [] if found is None else [not found]


def _union(left: Items, right: Items) -> Items:
    return distinct([*left, *right])


def distinct(items: Items) -> Items:
    """`items` without repetition, first ones kept."""
    found: dict[Any, Item] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())


def _contains(left: Items, right: Items) -> Items:
    if not right:
        return []
    if len(right) > 1:
        raise Failed("a single value was expected")
    wanted = right[0]
    return [any(equal(item, wanted) for item in left)]


def _arithmetic(operator: str) -> Callable[[Items, Items], Items]:
    def apply(left: Items, right: Items) -> Items:
        if operator == "&":
            if len(left) > 1 or len(right) > 1:
                raise Failed("a single value was expected")
            return [(text_of(left[0]) or "" if left else "") + (text_of(right[0]) or "" if right else "")]
        first, second = single(left), single(right)
        if first is None or second is None:
            return []
        if operator == "+" and isinstance(first, str) and isinstance(second, str):
            return [first + second]
        if isinstance(first, Moment) and isinstance(second, Amount) and operator in "+-":
            if second.ucum not in _TIMES or (second.unit in ("a", "mo")):
                raise Failed(f"{second.unit!r} is no length of time on a calendar")
            found = shifted(first, second, 1 if operator == "+" else -1)
            return [] if found is None else [found]
        if isinstance(first, Amount) and isinstance(second, Amount) and operator in "+-" and first.ucum == second.ucum:
            total = first.value + second.value if operator == "+" else first.value - second.value
            return [Amount(total, first.unit)]
        if operator in "*/" and Amount in (type(first), type(second)):
            return _scaled(operator, first, second)
        return _numbers(operator, first, second)

    return apply


_TIMES = frozenset({"a", "mo", "wk", "d", "h", "min", "s", "ms"})


def _scaled(operator: str, first: Item, second: Item) -> Items:
    """The product or quotient of two quantities, or of one and a number."""
    sides = [
        each if isinstance(each, Amount) else Amount(Decimal(each), "1") for each in (first, second) if is_number(each)
    ]
    if len(sides) < 2:
        raise Failed(f"{operator} wants numbers")
    one, other = sides
    if operator == "/" and other.value == 0:
        return []
    value = one.value * other.value if operator == "*" else one.value / other.value
    if other.ucum == "1":
        return [Amount(value, one.unit)]
    if operator == "/":
        return [Amount(value, "1" if one.ucum == other.ucum else f"({one.ucum})/({other.ucum})")]
    return [Amount(value, other.unit if one.ucum == "1" else f"({one.ucum}).({other.ucum})")]


def is_number(item: Item) -> bool:
    """Is `item` a number or a quantity."""
    return isinstance(item, Amount | int | Decimal) and not isinstance(item, bool)


def _numbers(operator: str, first: Item, second: Item) -> Items:
    for each in (first, second):
        if isinstance(each, bool) or not isinstance(each, int | Decimal):
            raise Failed(f"{operator} wants numbers")
    whole = isinstance(first, int) and isinstance(second, int)
    if operator in ("/", "div", "mod") and second == 0:
        return []
    if operator == "/":
        return [Decimal(first) / Decimal(second)]
    if operator == "div":
        return [int((Decimal(first) / Decimal(second)).to_integral_value(ROUND_DOWN))]
    if operator == "mod":
        found = Decimal(first) % Decimal(second)
        return [int(found) if whole else found]
    return [{"+": first + second, "-": first - second, "*": first * second}[operator]]


_STRICT: dict[str, Callable[[Items, Items], Items]] = {
    "=": lambda left, right: boolean(same(left, right)),
    "!=": lambda left, right: _negated(same(left, right)),
    "~": lambda left, right: [equivalent(left, right)],
    "!~": lambda left, right: [not equivalent(left, right)],
    "<": _compare(lambda found: found < 0),
    "<=": _compare(lambda found: found <= 0),
    ">": _compare(lambda found: found > 0),
    ">=": _compare(lambda found: found >= 0),
    "|": _union,
    "contains": _contains,
    "in": lambda left, right: _contains(right, left),
} | {operator: _arithmetic(operator) for operator in ("+", "-", "&", "*", "/", "div", "mod")}


def _and(left: bool | None, right: bool | None) -> Items:
    if left is False or right is False:
        return FALSE
    return TRUE if left and right else []


def _or(left: bool | None, right: bool | None) -> Items:
    if left or right:
        return TRUE
    return FALSE if left is False and right is False else []


def _xor(left: bool | None, right: bool | None) -> Items:
    return [] if left is None or right is None else [left != right]


def _implies(left: bool | None, right: bool | None) -> Items:
    if left is False or right:
        return TRUE
    return FALSE if left and right is False else []


_LOGICAL = {"and": (_and, False), "or": (_or, True), "implies": (_implies, None), "xor": (_xor, None)}


def binary(operator: str, left: Step, right: Step) -> Step:
    """The closure of two operands; and, or, implies and xor leave the second alone where the first decides."""
    if operator in _LOGICAL:
        combine, decided = _LOGICAL[operator]

        def lazily(focus: Items, env: Env) -> Items:
            first = logical(left(focus, env))
            if (decided is not None and first is decided) or (operator == "implies" and first is False):
                return TRUE if operator != "and" else FALSE
            return combine(first, logical(right(focus, env)))

        return lazily
    apply = _STRICT[operator]
    return lambda focus, env: apply(left(focus, env), right(focus, env))
