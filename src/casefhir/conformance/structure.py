"""Layer structure: known elements, their types and number, primitive formats; builds the tree on the way."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from casefhir.conformance.cardinality import aligned, count
from casefhir.conformance.primitives import doubt, fault, wrong_type
from casefhir.conformance.reader import DEPTH
from casefhir.conformance.shapes import Element, Shape, TypeRef, shape
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_HIDDEN = frozenset({"resourceType"})
_LONGEST_NAME = 100


def resource_shape(value: Any, tell: Callable[[str, str, str], None]) -> Shape | None:
    """The shape of the resource that `value` is; tells why there is none."""
    if not isinstance(value, dict):
        tell("structure.not-a-resource", "A resource is a JSON object.", "Give an object with a resourceType.")
        return None
    name = value.get("resourceType")
    found = shape(name) if isinstance(name, str) and "." not in name else None
    if found is None or found.kind != "resource" or found.abstract:
        said = "has no resourceType" if name is None else f"says resourceType {name!r}, which R4 does not have"
        near = get_close_matches(
            str(name)[:_LONGEST_NAME], ("Observation", "Condition", "Patient", "MedicationStatement"), 1
        )
        hint = f"Perhaps {near[0]}." if near and name is not None else "Name one of R4's resource types."
        tell("structure.unknown-resource", f"This object {said}.", hint)
        return None
    return found


def build(value: Any, tell: Tell) -> Node | None:
    """The tree of resource `value`; every structural fault goes to `tell`. None when it is no resource."""
    stub = Shape("$", "resource", None)

    def complain(rule: str, message: str, mend: str) -> None:
        tell("fatal", rule, Node(value, stub), message, mend)

    found = resource_shape(value, complain)
    if found is None:
        return None
    if too_deep(value):
        complain("json.depth", "The resource is nested too deeply.", f"Nest {DEPTH} levels at most.")
        return None
    node = Node(value, found)
    _fill(node, tell)
    return node


def too_deep(value: Any) -> bool:
    """True when objects and arrays are nested deeper than `DEPTH` levels."""
    level = [value]
    for _ in range(DEPTH + 1):
        inner: list[Any] = []
        for each in level:
            inner.extend(each.values() if isinstance(each, dict) else each)
        level = [each for each in inner if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _fill(node: Node, tell: Tell) -> None:
    """Give `node` (an object) its children."""
    source: dict[str, Any] = node.value if node.shape.kind != "primitive-type" else (node.sibling or {})
    properties = node.shape.properties
    for key, value in source.items():
        if key[:1] == "_":
            if value is None:
                _null(node, key, tell)
            elif key[1:] not in source:
                _property(node, key[1:], None, value, tell, only_sibling=True)
            elif key[1:] not in properties:
                _unknown(node, key, tell)
            continue
        if key in properties:
            sibling = source.get("_" + key) if "_" + key in source else None
            _property(node, key, value, sibling, tell)
        elif key != "resourceType" or node.shape.kind != "resource":
            _unknown(node, key, tell)
    if node.shape.kind == "primitive-type":
        if not source and node.sibling is not None:
            tell("error", "structure.empty-object", node, "An object without any content.", "Remove it.")
        elif node.sibling is not None and node.value is None and not node.children.get("extension"):
            tell(
                "error",
                "ele-1",
                node,
                "An element must have a value or an extension; this has neither.",
                "Give the value, or an extension such as data-absent-reason.",
            )
    else:
        if not [key for key in source if key != "id"] or (
            len(source) == 1 and "resourceType" in source and node.parent is not None
        ):
            rule = "ele-1" if source else "structure.empty-object"
            tell("error", rule, node, "An element must have a value or children; this has neither.", "Remove it.")
    count(node, source, tell)


def _null(node: Node, key: str, tell: Tell) -> None:
    message = f"{key} is null; FHIR JSON has null only inside arrays."
    tell("error", "structure.null", node, message, "Leave the element out.", key=key)


def _unknown(node: Node, key: str, tell: Tell) -> None:
    names = [*node.shape.properties, *(element.name for element in node.shape.elements.values())]
    near = get_close_matches(key, names, 1, 0.75) if len(key) < _LONGEST_NAME else []
    element = node.shape.elements.get(key)
    if element is not None and element.choice:
        mend = f"Its type belongs to its name: {key}{element.types[0].code[:1].upper()}{element.types[0].code[1:]} ..."
    else:
        mend = f"Perhaps {near[0]} was meant." if near else "Remove it, or say it in an extension."
    tell("error", "structure.unknown-element", node, f"{node.shape.name} has no element {key!r} in R4.", mend, key=key)


def _property(node: Node, key: str, value: Any, sibling: Any, tell: Tell, *, only_sibling: bool = False) -> None:
    found = node.shape.properties.get(key)
    if found is None:
        _unknown(node, "_" + key if only_sibling else key, tell)
        return
    element, ref = found
    target = shape(ref.code)
    primitive = target is not None and target.kind == "primitive-type"
    if sibling is not None and not primitive:
        tell(
            "error",
            "structure.unknown-element",
            node,
            f"{key} is no primitive, so it has no {'_' + key!r}.",
            f"Move its content into {key}.",
            key="_" + key,
        )
        sibling = None
        if only_sibling:
            return
    if value is None and not only_sibling:
        _null(node, key, tell)
        if sibling is None:
            return
    values, siblings = aligned(node, key, element, value, sibling, tell, only_sibling)
    listed = isinstance(value, list) or isinstance(sibling, list)
    kept = node.children.setdefault(element.name, [])
    if kept:
        tell(
            "error",
            "structure.choice",
            node,
            f"{element.name}[x] is given twice, as {kept[0].key} and as {key}.",
            "Keep one of them.",
            key=key,
        )
    for index, one in enumerate(values):
        beside = siblings[index] if index < len(siblings) else None
        child = _child(node, key, element, ref, one, beside, index if listed else None, tell)
        if child is not None:
            kept.append(child)
    if not kept:
        del node.children[element.name]


def _child(
    node: Node, key: str, element: Element, ref: TypeRef, value: Any, sibling: Any, index: int | None, tell: Tell
) -> Node | None:
    target = shape(ref.code)
    assert target is not None, ref.code
    child = Node(value, target, parent=node, element=element, ref=ref, key=key, index=index)
    if target.kind == "primitive-type":
        return _primitive(child, sibling, tell)
    if not isinstance(value, dict):
        tell(
            "error",
            "structure.type",
            child,
            f"{key} must be an object ({ref.code}), not {_kind(value)}.",
            f"Give a {ref.code} object.",
            value=value,
        )
        return None
    if target.kind == "resource":

        def complain(rule: str, message: str, mend: str) -> None:
            tell("error", rule, child, message, mend)

        real = resource_shape(value, complain)
        if real is None:
            return None
        child.shape = real
    _fill(child, tell)
    return child


def _primitive(child: Node, sibling: Any, tell: Tell) -> Node | None:
    value, kind = child.value, child.shape.name
    if sibling is not None and not isinstance(sibling, dict):
        tell(
            "error",
            "structure.type",
            child,
            f"_{child.key} must be an object, not {_kind(sibling)}.",
            "Give an object with id or extension.",
        )
        sibling = None
    if value is None and sibling is None:
        if child.index is not None:
            tell(
                "error", "structure.null", child, "This place of the array is null and has no extension.", "Remove it."
            )
        return None
    child.sibling = sibling
    if value is not None:
        wanted = wrong_type(kind, value)
        if wanted is not None:
            tell(
                "error",
                "structure.type",
                child,
                f"{child.key} is {_kind(value)}; a {kind} is {wanted}.",
                f"Write {wanted}.",
                value=value,
            )
            child.value = None
        else:
            wrong = fault(kind, value)
            if wrong is not None:
                tell(
                    "error",
                    f"structure.{kind}",
                    child,
                    f"{child.key} {wrong}.",
                    "Write it in that form, or leave it out.",
                    value=value,
                )
            elif kind in ("string", "markdown") and (said := doubt(value)) is not None:
                tell("warning", "structure.unreadable-text", child, f"{child.key} {said}.", "Take it out.", value=value)
    if sibling is not None:
        _fill(child, tell)
    elif value is not None and child.value is None:
        child.value = value if isinstance(value, str | bool | int) else None
    return child


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else "a number"
