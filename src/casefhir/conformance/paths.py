"""Which types a FHIRPath leads to, told from the definitions alone: does each name exist where it is said."""

from collections.abc import Iterable

from casefhir.conformance.fhirpath.parse import Tree
from casefhir.conformance.shapes import Shape, ancestors, shape

Types = frozenset[str] | None
"""The names of the shapes that a path can lead to; None where they cannot be told."""

_SAME = frozenset(
    {"where", "first", "last", "tail", "skip", "take", "single", "distinct", "trace", "exclude", "intersect"}
)
_FOR_ALL = frozenset({"Resource", "DomainResource"})


class UnknownName(Exception):
    """A name that no type has at that place."""


def types_at(tree: Tree, start: Types, *, root: bool = True) -> Types:
    """The types that `tree` leads to from types `start`; raises `UnknownName`."""
    kind = tree[0]
    if kind == "name":
        return _name(tree[1], start, root)
    if kind == "step":
        before = types_at(tree[1], start, root=root)
        return types_at(tree[2], before, root=False)
    if kind == "binary" and tree[1] == "|":
        sides = [types_at(each, start, root=root) for each in tree[2:]]
        return None if None in sides else frozenset().union(*(each for each in sides if each is not None))
    if kind == "binary":
        for each in tree[2:]:
            types_at(each, start, root=root)
        return None
    if kind == "as":
        types_at(tree[1], start, root=root)
        return _type(tree[2])
    if kind == "is":
        types_at(tree[1], start, root=root)
        return None
    if kind == "index":
        return types_at(tree[1], start, root=root)
    if kind == "call":
        return _call(tree[1], tree[2], start)
    return start if tree == ("special", "$this") else None


def _type(name: str) -> Types:
    plain = name.rpartition(".")[2]
    return frozenset({plain}) if shape(plain) is not None else None


def _call(name: str, arguments: tuple[Tree, ...], start: Types) -> Types:
    if name in ("as", "ofType") and len(arguments) == 1 and arguments[0][0] == "name":
        return _type(str(arguments[0][1]))
    if name in ("where", "exists", "all", "select") and arguments:
        inner = types_at(arguments[0], start, root=False)
        return inner if name == "select" else start if name == "where" else None
    if name == "extension":
        return frozenset({"Extension"})
    return start if name in _SAME else None


def _name(name: str, start: Types, root: bool) -> Types:
    if start is None:
        return None
    shapes = [one for each in start if (one := shape(each)) is not None]
    if root and name[:1].isupper() and any(name in ancestors(each.name) for each in shapes):
        return frozenset(each.name for each in shapes if name in ancestors(each.name))
    if root and name in _FOR_ALL:
        return frozenset({name})
    if not shapes or any(each.abstract for each in shapes):
        return None
    found = [code for each in shapes for code in _element(each, name)]
    if not found:
        raise UnknownName(f"{name!r} is not found on {_listed(start)}")
    return frozenset(found)


def _element(here: Shape, name: str) -> Iterable[str]:
    element = here.elements.get(name)
    if element is not None:
        return [ref.code for ref in element.types]
    return [here.properties[name][1].code] if name in here.properties else ()


def _listed(types: frozenset[str]) -> str:
    names = sorted(types)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
