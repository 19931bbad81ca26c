"""The FHIRPath of a ViewDefinition: the engine's, with the functions that SQL on FHIR adds to it.

`getResourceKey()` and `getReferenceKey(Type)` are rewritten into paths; `lowBoundary()` and `highBoundary()` may
follow a path but not stand inside another function's argument.
"""

import re
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any

from casefhir.conformance.fhirpath.engine import translate
from casefhir.conformance.fhirpath.evaluation import Env, Failed, Items, Step
from casefhir.conformance.fhirpath.parse import Tree, Unsupported, parse
from casefhir.conformance.fhirpath.values import Item, Moment, unwrap
from casefhir.report.boundary import high, low

__all__ = ["Env", "Failed", "Items", "Step", "Unsupported", "path"]
_ID: Tree = ("name", "id")
_RESOLVED: Tree = ("call", "resolve", ())
_BOUNDARIES: dict[str, Callable[[Moment | Decimal | int], Item]] = {"lowBoundary": low, "highBoundary": high}
_GIVEN = frozenset({"resource", "rootResource", "context", "ucum", "sct", "loinc", "rowIndex"})
_GIVEN_PREFIX = re.compile(r"(vs|ext)-")


def path(text: str, constants: Collection[str] = ()) -> Step:
    """`text` translated; raises `Unsupported` for what cannot be read and for a `%constant` not in `constants`."""
    tree = parse(text)
    for name in _variables(tree):
        if name not in _GIVEN and name not in constants and not _GIVEN_PREFIX.match(name):
            raise Unsupported(f"FHIRPath {text!r}: %{name} is not a constant of this view.")
    return _spine(_rewritten(tree))


def _variables(tree: Any) -> Iterator[str]:
    if isinstance(tree, tuple) and tree and tree[0] != "literal":
        if tree[0] == "variable":
            yield str(tree[1])
        for part in tree:
            yield from _variables(part)


def _rewritten(tree: Tree) -> Tree:
    if tree and tree[0] == "literal":
        return tree
    if tree and tree[0] == "call":
        name, arguments = tree[1], tuple(_rewritten(each) for each in tree[2])
        if name == "getResourceKey" and not arguments:
            return _ID
        if name == "getReferenceKey" and len(arguments) < 2:
            target: Tree = ("step", _RESOLVED, ("call", "ofType", arguments)) if arguments else _RESOLVED
            return ("step", target, _ID)
        return ("call", name, arguments)
    return tuple(_rewritten(part) if isinstance(part, tuple) else part for part in tree)


def _spine(tree: Tree) -> Step:
    """The closure of `tree`, whose last steps may be boundaries."""
    if tree[0] == "step" and tree[2][0] == "call" and tree[2][1] in _BOUNDARIES:
        if tree[2][2]:
            raise Unsupported(f"{tree[2][1]}() with a precision is not supported; leave the precision out.")
        inner, bound = _spine(tree[1]), _BOUNDARIES[tree[2][1]]

        def bounded(focus: Items, env: Env) -> Items:
            found: Items = []
            for item in inner(focus, env):
                value = unwrap(item)
                if isinstance(value, Moment | Decimal | int) and not isinstance(value, bool):
                    try:
                        found.append(bound(value))
                    except ValueError:  # no day of the calendar, such as 2012-13, has no first and last
                        continue
            return found

        return bounded
    return translate(tree)
