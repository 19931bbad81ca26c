"""Layer structure: how often elements stand, and arrays where they belong."""

from typing import Any

from casefhir.conformance.shapes import Element
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node


def aligned(
    node: Node, key: str, element: Element, value: Any, sibling: Any, tell: Tell, only_sibling: bool
) -> tuple[list[Any], list[Any]]:
    """Values and siblings as lists of the same order; complains about arrays where none belongs and the reverse."""
    shown = "_" + key if only_sibling else key
    given = sibling if only_sibling else value
    if element.many and given is not None and not isinstance(given, list):
        tell(
            "error",
            "structure.not-an-array",
            node,
            f"{shown} may repeat, so it must be an array.",
            "Put it in [ ].",
            key=shown,
        )
    if not element.many and isinstance(given, list):
        tell(
            "error",
            "structure.array",
            node,
            f"{shown} may be there once, so it must not be an array.",
            "Take it out of the [ ].",
            key=shown,
        )
    if not only_sibling and sibling is not None and isinstance(sibling, list) != element.many:
        tell(
            "error",
            "structure.not-an-array" if element.many else "structure.array",
            node,
            f"_{key} must {'' if element.many else 'not '}be an array, as {key} must.",
            "Give both the same form.",
            key="_" + key,
        )
    if isinstance(given, list) and not given:
        tell("error", "structure.empty-array", node, f"{shown} is an empty array.", "Leave it out.", key=shown)
    siblings = sibling if isinstance(sibling, list) else [] if sibling is None else [sibling]
    if only_sibling:
        return [None] * len(siblings), siblings
    values = value if isinstance(value, list) else [value]
    if len(siblings) > len(values):
        values = values + [None] * (len(siblings) - len(values))
    return values, siblings


def count(node: Node, source: dict[str, Any], tell: Tell) -> None:
    """Complain about elements of `node` that are missing or too many; `source` is its JSON."""
    for element in node.shape.required:
        if element.name not in node.children and not _given(element, source):
            name = element.name + ("[x]" if element.choice else "")
            short = f" ({element.short})" if element.short else ""
            tell(
                "error",
                "structure.missing",
                node,
                f"{node.shape.name} must have {name}{short}.",
                f"Give {name}, or say why it is absent with an extension where the type allows it.",
            )
    for name, nodes in node.children.items():
        most = node.shape.elements[name].most
        if most is not None and len(nodes) > most and nodes[0].index is not None:
            tell(
                "error",
                "structure.too-many",
                node,
                f"{node.shape.name}.{name} may be there {most} times, not {len(nodes)}.",
                "Keep the right one.",
                key=nodes[0].key,
            )


def _given(element: Element, source: dict[str, Any]) -> bool:
    """True when the JSON has the element, though it could not be read (which was told already)."""
    if not element.choice:
        return bool(source.get(element.name))
    return any(key.startswith(element.name) and key != element.name and source[key] for key in source)
