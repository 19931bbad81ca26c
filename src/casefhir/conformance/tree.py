"""The resource as a tree of nodes that know their type, place and parent: what every check walks."""

from collections.abc import Iterator
from typing import Any

from casefhir.conformance.shapes import Element, Shape, TypeRef


class Node:
    """One element: its JSON value, its `_sibling` (primitives), type, definition, parent and place.

    `children` maps an element's name (`value`, not `valueQuantity`) to its nodes in order. `key` is the JSON key,
    `index` the place in its array or None.
    """

    __slots__ = ("_contained", "children", "element", "index", "key", "parent", "ref", "shape", "sibling", "value")

    def __init__(
        self,
        value: Any,
        shape: Shape,
        *,
        parent: "Node | None" = None,
        element: Element | None = None,
        ref: TypeRef | None = None,
        key: str = "",
        index: int | None = None,
        sibling: dict[str, Any] | None = None,
    ) -> None:
        self.value = value
        self.shape = shape
        self.parent = parent
        self.element = element
        self.ref = ref
        self.key = key
        self.index = index
        self.sibling = sibling
        self.children: dict[str, list[Node]] = {}
        self._contained: dict[str, Node] | None = None

    @property
    def type(self) -> str:
        """The name of the FHIR type."""
        return self.shape.fhir_type

    @property
    def location(self) -> str:
        """The place as FHIRPath, from the resource that was given."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None:
            if node.parent is None or node.element is None:
                parts.append(node.shape.name)
            else:
                step = node.element.name
                if node.element.choice and node.ref is not None:
                    step += f".ofType({node.ref.code})"
                elif node.index is not None:
                    step += f"[{node.index}]"
                parts.append(step)
            node = node.parent
        return ".".join(reversed(parts))

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer; what belongs to a primitive stands below its `_key`."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            beside = node.is_primitive() and (node is not self or (node.value is None and node.sibling is not None))
            key = f"_{node.key}" if beside else node.key
            parts.append(key if node.index is None else f"{key}/{node.index}")
            node = node.parent
        return "".join("/" + part for part in reversed(parts))

    @property
    def resource(self) -> "Node":
        """The resource this element stands in."""
        node = self
        while node.shape.kind != "resource" and node.parent is not None:
            node = node.parent
        return node

    @property
    def root_resource(self) -> "Node":
        """The resource that holds this one as contained, else the resource itself."""
        found = self.resource
        while found.key == "contained" and found.parent is not None:
            found = found.parent.resource
        return found

    def contained(self, identity: str) -> "Node | None":
        """The resource contained in this one whose id is `identity`, the first of several; only for whole trees."""
        if self._contained is None:
            inside = reversed(self.children.get("contained", []))
            self._contained = {name: each for each in inside if isinstance(name := each.get("id"), str)}
        return self._contained.get(identity)

    def first(self, name: str) -> "Node | None":
        """The first child called `name`."""
        found = self.children.get(name)
        return found[0] if found else None

    def get(self, name: str) -> Any:
        """The JSON value of the first child called `name`, or None."""
        found = self.children.get(name)
        return found[0].value if found else None

    def all_children(self) -> Iterator["Node"]:
        """Every child, in the order of the definitions met."""
        for each in self.children.values():
            yield from each

    def descendants(self) -> Iterator["Node"]:
        """Every node below this one, parents before children."""
        for each in self.all_children():
            yield each
            yield from each.descendants()

    def is_primitive(self) -> bool:
        """True for a primitive type."""
        return self.shape.kind == "primitive-type"
