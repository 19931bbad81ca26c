"""FHIRPath's functions over collections; the ones on strings, numbers and types are in `scalars`."""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step, logical, single
from casefhir.conformance.fhirpath.host import ASKING, asking, resolve
from casefhir.conformance.fhirpath.operators import distinct
from casefhir.conformance.fhirpath.parse import Tree, Unsupported
from casefhir.conformance.fhirpath.scalars import SCALARS, type_info
from casefhir.conformance.fhirpath.types import as_type, check_type, is_type, of_type
from casefhir.conformance.fhirpath.values import key, order, unwrap
from casefhir.conformance.tree import Node

Translate = Callable[[Tree], Step]
_LIMIT = 100_000


def _type_name(tree: Tree) -> str:
    if tree[0] == "name":
        return str(tree[1])
    if tree[0] == "step" and tree[2][0] == "name":
        return f"{_type_name(tree[1])}.{tree[2][1]}"
    raise Unsupported("a type's name was expected")


def _each(items: Items, test: Step, env: Env) -> list[bool | None]:
    return [logical(test([item], env.at(item, index))) for index, item in enumerate(items)]


def _where(arguments: tuple[Step, ...]) -> Step:
    test = arguments[0]

    def apply(focus: Items, env: Env) -> Items:
        return [item for index, item in enumerate(focus) if logical(test([item], env.at(item, index)))]

    return apply


def _exists(arguments: tuple[Step, ...]) -> Step:
    if not arguments:
        return lambda focus, _env: [bool(focus)]
    kept = _where(arguments)
    return lambda focus, env: [bool(kept(focus, env))]


def _all(arguments: tuple[Step, ...]) -> Step:
    test = arguments[0]
    return lambda focus, env: [all(found is True for found in _each(focus, test, env))]


def _select(arguments: tuple[Step, ...]) -> Step:
    project = arguments[0]

    def apply(focus: Items, env: Env) -> Items:
        found: Items = []
        for index, item in enumerate(focus):
            found.extend(project([item], env.at(item, index)))
        return found

    return apply


def _repeat(arguments: tuple[Step, ...]) -> Step:
    project = arguments[0]

    def apply(focus: Items, env: Env) -> Items:
        found: dict[Any, Any] = {}
        waiting = list(focus)
        while waiting:
            item = waiting.pop(0)
            for each in project([item], env.at(item, 0)):
                if key(each) not in found:
                    found[key(each)] = each
                    waiting.append(each)
            if len(found) > _LIMIT:
                raise Failed("repeat() does not end")
        return list(found.values())

    return apply


def _iif(arguments: tuple[Step, ...]) -> Step:
    def apply(focus: Items, env: Env) -> Items:
        if len(focus) > 1:
            raise Failed("iif() of several items")
        here = env.at(focus[0], env.index) if focus else env
        if logical(arguments[0](focus, here)):
            return arguments[1](focus, here)
        return arguments[2](focus, here) if len(arguments) > 2 else []

    return apply


def _sort(arguments: tuple[Tree, ...], translate: Translate) -> Step:
    """sort(): by each argument in turn, one with a minus downwards; what has no value comes first."""
    wanted = arguments or (("special", "$this"),)
    steps = [
        (translate(each[2]), -1) if each[:2] == ("unary", "-") else (translate(each), 1)  # a minus is no arithmetic
        for each in wanted
    ]

    def apply(focus: Items, env: Env) -> Items:
        rows = [
            ([single(step([item], env.at(item, index))) for step, _ in steps], item) for index, item in enumerate(focus)
        ]

        def compare(one: tuple[Items, Any], other: tuple[Items, Any]) -> int:
            for (_, sign), mine, theirs in zip(steps, one[0], other[0], strict=True):
                if mine is None or theirs is None:
                    found: int | None = (mine is not None) - (theirs is not None)
                else:
                    found = order(mine, theirs)
                    found = None if found is None else sign * found
                if found is None:
                    raise Failed("sort() of values that have no order")
                if found:
                    return found
            return 0

        return [item for _, item in sorted(rows, key=cmp_to_key(compare))]

    return apply


def _aggregate(arguments: tuple[Step, ...]) -> Step:
    def apply(focus: Items, env: Env) -> Items:
        total = arguments[1](focus, env) if len(arguments) > 1 else []
        for index, item in enumerate(focus):
            here = env.at(item, index)
            here.total = total
            total = arguments[0]([item], here)
        return total

    return apply


def _trace(_arguments: tuple[Step, ...]) -> Step:
    return lambda focus, _env: focus


def _number(arguments: tuple[Step, ...], env: Env, focus: Items) -> int:
    found = single(arguments[0](env.this or focus, env))
    if not isinstance(found, int):
        raise Failed("a whole number was expected")
    return found


def _skip(arguments: tuple[Step, ...]) -> Step:
    return lambda focus, env: focus[max(0, _number(arguments, env, focus)) :]


def _take(arguments: tuple[Step, ...]) -> Step:
    return lambda focus, env: focus[: max(0, _number(arguments, env, focus))]


def _pairwise(combine: Callable[[Items, Items], Items]) -> Callable[[tuple[Step, ...]], Step]:
    def make(arguments: tuple[Step, ...]) -> Step:
        other = arguments[0]
        return lambda focus, env: combine(focus, other(env.this or ([env.context] if env.context else focus), env))

    return make


def _intersect(left: Items, right: Items) -> Items:
    keys = {key(item) for item in right}
    return distinct([item for item in left if key(item) in keys])


def _exclude(left: Items, right: Items) -> Items:
    keys = {key(item) for item in right}
    return [item for item in left if key(item) not in keys]


def _subset(left: Items, right: Items) -> Items:
    return [{key(item) for item in left} <= {key(item) for item in right}]


def _children(items: Items) -> Items:
    return [child for item in items if isinstance(item, Node) for child in item.all_children()]


def _descendants(items: Items) -> Items:
    return [child for item in items if isinstance(item, Node) for child in item.descendants()]


def _single(items: Items) -> Items:
    if len(items) > 1:
        raise Failed("single() of several items")
    return items


def _not(items: Items) -> Items:
    found = logical(items)
    return [] if found is None else [not found]


def _has_value(items: Items) -> Items:
    return [
        len(items) == 1 and (not isinstance(items[0], Node) or (items[0].is_primitive() and items[0].value is not None))
    ]


def _booleans(items: Items) -> list[bool]:
    found = [unwrap(item) for item in items]
    if not all(isinstance(each, bool) for each in found):
        raise Failed("booleans were expected")
    return found


def _value(items: Items) -> Items:
    return [unwrap(items[0])] if _has_value(items)[0] else []


_PLAIN: dict[str, Callable[[Items], Items]] = {
    "empty": lambda items: [not items],
    "count": lambda items: [len(items)],
    "not": _not,
    "first": lambda items: items[:1],
    "last": lambda items: items[-1:],
    "tail": lambda items: items[1:],
    "single": _single,
    "distinct": distinct,
    "isDistinct": lambda items: [len({key(item) for item in items}) == len(items)],
    "children": _children,
    "descendants": _descendants,
    "hasValue": _has_value,
    "getValue": _value,
    "allTrue": lambda items: [all(_booleans(items))],
    "anyTrue": lambda items: [any(_booleans(items))],
    "allFalse": lambda items: [not any(_booleans(items))],
    "anyFalse": lambda items: [not all(_booleans(items))],
    "htmlChecks": lambda _items: [True],  # the narrative layer reads the markup itself
    "htmlChecks2": lambda _items: [True],
    "type": type_info,
}
_WITH_EXPRESSIONS: dict[str, Callable[[tuple[Step, ...]], Step]] = {
    "where": _where,
    "exists": _exists,
    "all": _all,
    "select": _select,
    "repeat": _repeat,
    "iif": _iif,
    "aggregate": _aggregate,
    "trace": _trace,
    "skip": _skip,
    "take": _take,
    "intersect": _pairwise(_intersect),
    "exclude": _pairwise(_exclude),
    "union": _pairwise(lambda left, right: distinct([*left, *right])),
    "combine": _pairwise(lambda left, right: [*left, *right]),
    "subsetOf": _pairwise(_subset),
    "supersetOf": _pairwise(lambda left, right: _subset(right, left)),
}
_LEAST_ARGUMENTS = {"exists": 0, "iif": 2}


def call(name: str, arguments: tuple[Tree, ...], translate: Translate) -> Step:
    """The closure of function `name`; raises `Unsupported` for one it does not know or cannot take."""
    if name in ("is", "as", "ofType") and len(arguments) == 1:
        wanted = check_type(_type_name(arguments[0]))
        if name == "is":
            return lambda focus, _env: [is_type(_single_item(focus), wanted)] if focus else []
        if name == "as":
            return lambda focus, _env: as_type(focus, wanted)
        return lambda focus, _env: of_type(focus, wanted)
    if name == "sort":
        return _sort(arguments, translate)
    steps = tuple(translate(each) for each in arguments)
    if name in _PLAIN and not steps:
        plain = _PLAIN[name]
        return lambda focus, _env: plain(focus)
    if name in _WITH_EXPRESSIONS and len(steps) >= _LEAST_ARGUMENTS.get(name, 1):
        return _WITH_EXPRESSIONS[name](steps)
    if name == "resolve":
        return resolve
    if name in ASKING and len(steps) == 1:
        return asking(name, steps[0])
    if name in SCALARS:
        return SCALARS[name](steps)
    raise Unsupported(f"FHIRPath function {name}() with {len(steps)} arguments is not supported.")


def _single_item(items: Items) -> Any:
    """The one item as it is; fails for several."""
    if len(items) > 1:
        raise Failed("a single value was expected")
    return items[0]
