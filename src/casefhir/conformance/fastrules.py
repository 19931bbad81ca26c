"""Invariants as Python expressions on plain dicts, for the fast path: true only when the rule surely holds.

An object's keys are known when its code is made, so much of a rule is decided then. Each part of an expression
becomes two Python expressions: one that is true only if the part is surely true, one only if it is surely false.
What is not understood is neither, and leaves the rule to the slow path.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from casefhir.conformance.fhirpath.parse import Tree
from casefhir.conformance.shapes import Shape, shape

YES, NO = "True", "False"


@dataclass(frozen=True, slots=True)
class Known:
    """A boolean part: `sure` is true only when it holds, `never` only when it does not."""

    sure: str
    never: str


UNKNOWN = Known(NO, NO)
TRUE, FALSE = Known(YES, NO), Known(NO, YES)


@dataclass(frozen=True, slots=True)
class Items:
    """A collection as clauses of a comprehension: `least` gives what is surely in it, `most` what may be."""

    least: str
    most: str
    name: str
    shape: Shape | None
    present: bool = False
    nothing: bool = False


NONE = Items("", "", "", None, nothing=True)


def both(*parts: str) -> str:
    """Python's `and` of expressions, decided where it can be."""
    kept = [each for each in dict.fromkeys(parts) if each != YES]
    return NO if NO in kept else " and ".join(f"({each})" for each in kept) or YES


def either(*parts: str) -> str:
    """Python's `or` of expressions, decided where it can be."""
    kept = [each for each in dict.fromkeys(parts) if each != NO]
    return YES if YES in kept else " or ".join(f"({each})" for each in kept) or NO


def inverse(part: Known) -> Known:
    """The `not` of a part."""
    return Known(part.never, part.sure)


class Rules:
    """Translates rules for an object of `shape` in variable `variable` whose keys are `keys`."""

    def __init__(self, where: Shape, keys: Iterable[str], variable: str = "o") -> None:
        self.shape = where
        self.keys = frozenset(keys)
        self.variable = variable
        self._names = (f"i{number}" for number in count())

    def holds(self, tree: Tree) -> str:
        """A Python expression that is true only when the rule of syntax tree `tree` holds."""
        return self.known(tree, None).sure

    def known(self, tree: Tree, at: Items | None) -> Known:
        """What is known of a boolean part; `at` is the item inside a where() or all()."""
        kind = tree[0]
        if kind == "binary":
            return self._binary(tree, at)
        if kind == "step" and tree[2][0] == "call":
            return self._call(tree[1], tree[2], at)
        if kind == "call":
            return self._call(None, tree, at)
        if kind == "literal" and tree[1] == "boolean":
            return TRUE if tree[2] else FALSE
        return UNKNOWN

    def _binary(self, tree: Tree, at: Items | None) -> Known:
        _, operator, left, right = tree
        if operator in ("and", "or", "implies", "xor"):
            one, other = self.known(left, at), self.known(right, at)
            if operator == "and":
                return Known(both(one.sure, other.sure), either(one.never, other.never))
            if operator == "or":
                return Known(either(one.sure, other.sure), both(one.never, other.never))
            if operator == "implies":
                return Known(either(one.never, other.sure), both(one.sure, other.never))
            return inverse(self._same(one, other))
        if operator in ("=", "!="):
            found = self._equal(left, right, at)
            return found if operator == "=" else inverse(found)
        if operator == "in":
            return self._in(left, right, at)
        if operator in ("<", ">", "<=", ">="):
            return self._compared(operator, left, right, at)
        return UNKNOWN

    def _same(self, one: Known, other: Known) -> Known:
        return Known(
            either(both(one.sure, other.sure), both(one.never, other.never)),
            either(both(one.sure, other.never), both(one.never, other.sure)),
        )

    def _equal(self, left: Tree, right: Tree, at: Items | None) -> Known:
        if right[0] == "literal" and right[1] in ("string", "boolean"):
            return self._test(left, at, "==", repr(right[2]))
        if right[0] == "literal" and right[1] == "integer":
            number = self._count(left, at)
            if number is not None:
                return Known(f"{number} == {right[2]}", f"{number} != {right[2]}")
            return self._test(left, at, "==", right[2])
        if right[0] == "variable" and right[1] == "ucum":
            return self._test(left, at, "==", repr("http://unitsofmeasure.org"))
        return self._same(self.known(left, at), self.known(right, at))

    def _test(self, left: Tree, at: Items | None, operator: str, wanted: str) -> Known:
        items = self.items(left, at)
        if items is None or items.nothing or items.least != items.most:
            return UNKNOWN
        values = f"[{items.name} {items.least}]"
        one = f"len(q := {values}) == 1 and q[0] is not None and q[0]"
        never = {"==": "!=", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}[operator]
        return Known(f"{one} {operator} {wanted}", f"{one} {never} {wanted}")

    def _in(self, left: Tree, right: Tree, at: Items | None) -> Known:
        words = _literals(right)
        items = self.items(left, at)
        if words is None or items is None or items.nothing or items.least != items.most:
            return UNKNOWN
        one = f"len(q := [{items.name} {items.least}]) == 1 and q[0] is not None and q[0]"
        return Known(f"{one} in {words!r}", f"{one} not in {words!r}")

    def _compared(self, operator: str, left: Tree, right: Tree, at: Items | None) -> Known:
        if right[0] != "literal" or right[1] not in ("integer", "decimal"):
            return UNKNOWN
        number = self._count(left, at)
        if number is not None:
            test = f"{number} {operator} {right[2]}"
            return Known(test, f"not ({test})")
        return self._test(left, at, operator, right[2])

    def _count(self, tree: Tree, at: Items | None) -> str | None:
        if tree[0] == "binary" and tree[1] == "+":
            one, other = self._count(tree[2], at), self._count(tree[3], at)
            return None if one is None or other is None else f"({one} + {other})"
        if tree[0] == "step" and tree[2] == ("call", "count", ()):
            items = self.items(tree[1], at)
            if items is None:
                return None
            if items.nothing:
                return "0"
            return f"sum(1 {items.least})" if items.least == items.most else None
        return None

    def _call(self, before: Tree | None, call: Tree, at: Items | None) -> Known:
        _, name, arguments = call
        if name == "not" and before is not None and not arguments:
            return inverse(self.known(before, at))
        if name == "trace" and before is not None:
            return self.known(before, at)
        if name in ("exists", "empty") and len(arguments) <= (name == "exists"):
            tree = before if not arguments else ("step", before, ("call", "where", arguments))
            items = at if tree is None else self.items(tree, at)
            if items is None:
                return UNKNOWN
            found = _exists(items)
            return found if name == "exists" else inverse(found)
        if name == "hasValue" and before is not None and before[0] == "name" and at is None:
            return self._has_value(before[1])
        if name == "all" and before is not None and len(arguments) == 1:
            return self._all(before, arguments[0], at)
        return UNKNOWN

    def _has_value(self, name: str) -> Known:
        element = self.shape.elements.get(name)
        if element is None or element.choice:
            return UNKNOWN
        return TRUE if name in self.keys else FALSE

    def _all(self, before: Tree, test: Tree, at: Items | None) -> Known:
        items = self.items(before, at)
        if items is None:
            return UNKNOWN
        if items.nothing:
            return TRUE
        if items.shape is None:
            return UNKNOWN
        inside = self.known(test, replace(items, least="", most=""))
        return Known(f"not any(not ({inside.sure}) {items.most})", f"any(({inside.never}) {items.least})")

    def items(self, tree: Tree | None, at: Items | None) -> Items | None:
        """The collection that a path gives; None for one that is not understood."""
        if tree is None:
            return at
        if tree[0] == "name":
            return self._root(tree[1]) if at is None else self._below(at, tree[1])
        if tree[0] == "step" and tree[2][0] == "name":
            base = self._start(tree[1], at)
            if base == "root":
                return self._root(tree[2][1])
            return self._below(base, tree[2][1]) if isinstance(base, Items) else None
        if tree[0] == "step" and tree[2][0] == "call":
            _, name, arguments = tree[2]
            base = self.items(tree[1], at)
            if base is None or base.nothing:
                return base
            if name == "where" and len(arguments) == 1 and base.shape is not None:
                inside = self.known(arguments[0], replace(base, least="", most=""))
                return replace(
                    base,
                    least=f"{base.least} if {inside.sure}",
                    present=False,
                    most=f"{base.most} if not ({inside.never})",
                )
            if name == "trace":
                return base
        return None

    def _start(self, tree: Tree, at: Items | None) -> Items | str | None:
        if at is None and tree == ("name", self.shape.name):
            return "root"
        return self.items(tree, at)

    def _root(self, name: str) -> Items | None:
        element = self.shape.elements.get(name)
        if element is None:
            return None
        for key, (one, ref) in self.shape.properties.items():
            if one is element and (key in self.keys or "_" + key in self.keys):
                item = next(self._names)
                if key not in self.keys:
                    return Items(f"for {item} in (None,)", f"for {item} in (None,)", item, None, present=True)
                source = f"{self.variable}[{key!r}]"
                clause = f"for {item} in {source if element.many else f'({source},)'}"
                return Items(clause, clause, item, shape(ref.code), present=True)
        return NONE

    def _below(self, base: Items, name: str) -> Items | None:
        if base.nothing:
            return NONE
        element = base.shape.elements.get(name) if base.shape is not None else None
        if element is None or element.choice or base.shape is None or base.shape.kind == "primitive-type":
            return None
        item = next(self._names)
        if element.many:
            clause = f" for {item} in {base.name}.get({name!r}, ())"
        else:
            given = f"{name!r} in {base.name} or {'_' + name!r} in {base.name}"
            clause = f" for {item} in (({base.name}.get({name!r}),) if {given} else ())"
        return Items(base.least + clause, base.most + clause, item, shape(element.types[0].code))


def _exists(items: Items) -> Known:
    if items.nothing:
        return FALSE
    if items.present:
        return TRUE
    return Known(f"any(True {items.least})", f"not any(True {items.most})")


def _literals(tree: Tree) -> tuple[Any, ...] | None:
    if tree[0] == "literal" and tree[1] == "string":
        return (tree[2],)
    if tree[0] == "binary" and tree[1] == "|":
        one, other = _literals(tree[2]), _literals(tree[3])
        return None if one is None or other is None else (*one, *other)
    return None
