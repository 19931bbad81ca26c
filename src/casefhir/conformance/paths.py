"""What a FHIRPath leads to, told from the definitions alone: does each name exist where it is said."""

from casefhir.conformance.fhirpath.parse import Tree
from casefhir.conformance.shapes import Shape, ancestors, shape

Types = frozenset[str] | None
"""The names of the shapes that a path can lead to; None where they cannot be told."""

_SAME = frozenset(
    {"where", "first", "last", "tail", "skip", "take", "single", "distinct", "trace", "exclude", "intersect"}
)
_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})
_FOR_ALL = frozenset({"Resource", "DomainResource"})


class Unsound(Exception):
    """An expression that cannot be right on any instance: a name that no type has, an order of what has none."""


def types_at(tree: Tree, start: Types, *, keys: bool = False) -> Types:
    """The types that `tree` leads to from types `start`; raises `Unsound`.

    `keys`: may a choice be called by its JSON key (valueQuantity), as discriminators do and expressions must not.
    """
    return _Walk(keys).types(tree, start, root=True)


class _Walk:
    def __init__(self, keys: bool) -> None:
        self.keys = keys

    def types(self, tree: Tree, start: Types, *, root: bool) -> Types:
        kind = tree[0]
        if kind == "name":
            return self._name(tree[1], start, root)
        if kind == "step":
            if tree[2][:1] == ("call",) and tree[2][1] in _ORDERED and _last_call(tree[1]) in _UNORDERED:
                raise Unsound(f"{_last_call(tree[1])}() has no order, so {tree[2][1]}() of it is chance")
            return self.types(tree[2], self.types(tree[1], start, root=root), root=False)
        if kind == "binary":
            sides = [self.types(each, start, root=root) for each in tree[2:]]
            known = [each for each in sides if each is not None]
            return frozenset().union(*known) if tree[1] == "|" and len(known) == len(sides) else None
        if kind in ("as", "is"):
            self.types(tree[1], start, root=root)
            return _type(tree[2]) if kind == "as" else None
        if kind == "index":
            return self.types(tree[1], start, root=root)
        if kind == "call":
            return self._call(tree[1], tree[2], start)
        return start if tree == ("special", "$this") else None

    def _call(self, name: str, arguments: tuple[Tree, ...], start: Types) -> Types:
        if name in ("as", "ofType") and len(arguments) == 1 and arguments[0][0] == "name":
            return _type(str(arguments[0][1]))
        if name == "iif" and arguments and arguments[0][0] == "literal" and arguments[0][1] != "boolean":
            raise Unsound(f"iif() asks for a yes or no, not for the {arguments[0][1]} {arguments[0][2]!r}")
        if name in ("where", "exists", "all", "select") and arguments:
            inner = self.types(arguments[0], start, root=False)
            return inner if name == "select" else start if name == "where" else None
        if name == "extension":
            return frozenset({"Extension"})
        return start if name in _SAME else None

    def _name(self, name: str, start: Types, root: bool) -> Types:
        if start is None:
            return None
        shapes = [one for each in start if (one := shape(each)) is not None]
        if root and name[:1].isupper() and any(name in ancestors(each.name) for each in shapes):
            return frozenset(each.name for each in shapes if name in ancestors(each.name))
        if root and name in _FOR_ALL:
            return frozenset({name})
        if not shapes or any(each.abstract for each in shapes):
            return None
        found = [code for each in shapes for code in self._element(each, name)]
        if not found:
            raise Unsound(f"{name!r} is not found on {_listed(start)}")
        return frozenset(found)

    def _element(self, here: Shape, name: str) -> list[str]:
        element = here.elements.get(name)
        if element is not None:
            return [ref.code for ref in element.types]
        return [here.properties[name][1].code] if self.keys and name in here.properties else []


def _last_call(tree: Tree) -> str:
    """The function that `tree` ends in, empty for none."""
    last = tree[2] if tree[0] == "step" else tree
    return str(last[1]) if last[0] == "call" else ""


def _type(name: str) -> Types:
    plain = name.rpartition(".")[2]
    return frozenset({plain}) if shape(plain) is not None else None


def _listed(types: frozenset[str]) -> str:
    names = sorted(types)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
