"""The fast path's code: one Python function for each type, place and set of keys, made when it is first met.

A function says True only when the slow path would find nothing; whatever it does not cover is a False.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fastextensions import Extensions
from casefhir.conformance.fastmeaning import Meaning
from casefhir.conformance.fastvalues import Values
from casefhir.conformance.fastwriter import Writer
from casefhir.conformance.shapes import Element, Shape, TypeRef, shape
from casefhir.conformance.vocabulary import Vocabulary

Json = dict[str, Any]
Function = Callable[[Json, "Trip"], bool]
_BAIL: Function = lambda _o, _t: False  # noqa: E731
NUMBERS = frozenset({int, float, Decimal})
_LIMIT = 20_000


@dataclass(slots=True)
class Trip:
    """What one run collects: references with the types allowed, systems not checked, ids of elements, keys met, and the
    resources without a narrative: the one finding (dom-6) that most data has, and that needs no explaining.
    """

    references: list[tuple[str, frozenset[str] | None]] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    bare: list[Json] = field(default_factory=list)
    keys: int = 0


class Kind:
    """The functions of one type at one place, by the keys of the object."""

    __slots__ = ("element", "functions", "maker", "ref", "shape")

    def __init__(self, maker: "Maker", where: Shape, element: Element | None, ref: TypeRef | None) -> None:
        self.maker = maker
        self.shape = where
        self.element = element
        self.ref = ref
        self.functions: dict[tuple[str, ...], Function] = {}

    def make(self, found: Json) -> Function:
        """The function for the keys of `found`, made now."""
        keys = tuple(found)
        if len(self.functions) > _LIMIT:
            self.functions.clear()
        function = self.functions[keys] = self.maker.function(self, keys)
        return function


class Maker:
    """Makes and keeps the functions."""

    def __init__(self, definitions: Definitions, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.values = Values(definitions, vocabulary)
        self.extensions = Extensions(definitions, self.values, self)
        self.meaning = Meaning()
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self.resources: dict[str, Kind] = {}

    def kind(self, where: Shape, element: Element | None, ref: TypeRef | None) -> Kind:
        """The functions of `where` at `element`."""
        key = (where.name, element.path if element is not None else "", ref.code if ref is not None else "")
        found = self._kinds.get(key)
        if found is None:
            found = self._kinds[key] = Kind(self, where, element, ref)
        return found

    def resource(self, name: Any) -> Kind | None:
        """The functions of resource type `name`."""
        if not isinstance(name, str):
            return None
        if name not in self.resources:
            found = shape(name)
            if found is None or found.kind != "resource" or found.abstract:
                return None
            self.resources[name] = Kind(self, found, None, None)
        return self.resources[name]

    def entry(self, found: Json) -> Kind | None:
        """The functions for resource `found` of a Bundle; none for a Bundle in it, which would need its own index."""
        name = found.get("resourceType")
        return None if name == "Bundle" else self.resource(name)

    def function(self, kind: Kind, keys: tuple[str, ...]) -> Function:
        """One function, compiled from `Writer`'s lines."""
        writer = Writer(self, kind, keys)
        lines = writer.lines()
        if lines is None:
            return _BAIL
        body = [f"t.keys += {len(keys)}", *lines, "return True"]
        source = "def f(o, t):\n" + "".join(f"    {line}\n" for line in body)
        asked = {"M": self, "V": self.values, "E": self.extensions, "S": self.meaning, "NUMBERS": NUMBERS}
        space: dict[str, Any] = writer.space | asked
        exec(compile(source, f"<{kind.shape.name}>", "exec"), space)
        made: Function = space["f"]
        return made
