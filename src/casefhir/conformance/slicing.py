"""Which slice an element belongs to: discriminators by value, pattern, type, existence and profile."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from casefhir.conformance.definitions import CORE, unversioned
from casefhir.conformance.profiles import Part, Slicing
from casefhir.conformance.shapes import TypeRef, ancestors
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

Conforms = Callable[[str, Node], bool | None]
Resolve = Callable[[str, Node | None], Node | None]
_STEP = re.compile(r"(?:[^.()]|\([^)]*\))+")


def same_value(wanted: Any, found: Any) -> bool:
    """Fixed: `found` is exactly `wanted` (numbers by value, for definitions may be text)."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = set(wanted) | set(found)
        return all(key in wanted and key in found and same_value(wanted[key], found[key]) for key in keys)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(same_value(one, two) for one, two in zip(wanted, found))
    return _same(wanted, found)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return bool(wanted is found)
    if isinstance(found, int | Decimal) and isinstance(wanted, str | int | Decimal):
        try:
            return Decimal(wanted) == Decimal(found)
        except InvalidOperation:
            return False
    return bool(wanted == found)


def fits_pattern(wanted: Any, found: Any) -> bool:
    """Pattern: everything in `wanted` is in `found`; more may be."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and fits_pattern(value, found[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(fits_pattern(one, two) for two in found) for one in wanted)
    return _same(wanted, found)


def _parts_at(part: Part, name: str) -> list[Part]:
    """What `part` says of its child `name`, its slices' and its pattern's word included."""
    found: list[Part] = []
    child = part.children.get(name)
    if child is not None:
        found += [child, *child.slices.values()]
    for whole in (part.fixed, part.pattern):
        if isinstance(whole, dict) and name in whole:
            value = whole[name]
            for each in value if isinstance(value, list) else [value]:
                found.append(Part(name, pattern=each))
    return found


class Slicer:
    """Sorts elements into slices."""

    def __init__(self, vocabulary: Vocabulary, resolve: Resolve, conforms: Conforms) -> None:
        self.vocabulary = vocabulary
        self.resolve = resolve
        self.conforms = conforms

    def belongs(self, node: Node, part: Part, slicing: Slicing | None) -> bool:
        """Does `node` belong to slice `part`."""
        if node.shape.name == "Extension":
            return bool(node.get("url") == extension_url(part))
        discriminators = slicing.discriminators if slicing is not None else ()
        if not discriminators:
            return self._type(node, part) if part.types else False
        return all(self._meets(node, part, kind, path) for kind, path in discriminators)

    def _meets(self, node: Node, part: Part, kind: str, path: str) -> bool:
        nodes, parts = [node], [part]
        for step in _STEP.findall(path):
            if step == "$this":
                continue
            nodes, parts = self._step(step, nodes, parts)
        if kind in ("value", "pattern"):
            return self._value(nodes, parts)
        if kind == "exists":
            return self._exists(nodes, parts)
        if kind == "type":
            return bool(nodes) and any(self._type(each, one) for each in nodes for one in parts if one.types)
        if kind == "profile":
            return bool(nodes) and any(self._profile(each, one) for each in nodes for one in parts if one.types)
        return False

    def _step(self, step: str, nodes: list[Node], parts: list[Part]) -> tuple[list[Node], list[Part]]:
        name, _, argument = step.partition("(")
        argument = argument.rstrip(")").strip("'\"")
        if name == "resolve":
            targets = [
                found
                for each in nodes
                if isinstance(text := each.get("reference"), str)
                for found in [self.resolve(text, each)]
                if found is not None
            ]
            return targets, [_target(each) for each in parts]
        if name == "ofType":
            return [each for each in nodes if argument in ancestors(each.shape.name)], parts
        if name == "extension":
            kept = [x for each in nodes for x in each.children.get("extension", ()) if x.get("url") == argument]
            inner = [
                one
                for each in parts
                if "extension" in each.children
                for one in each.children["extension"].slices.values()
                if extension_url(one) == argument
            ]
            return kept, inner
        name = name.removesuffix("[x]")
        for each in parts:  # a discriminator may name the type, as valueCodeableConcept does
            if each.children and name not in each.children:
                name = next(
                    (key for key in each.children if name.startswith(key) and name[len(key) :][:1].isupper()), name
                )
        below = [child for each in nodes for child in each.children.get(name, ())]
        return below, [one for each in parts for one in _parts_at(each, name)]

    def _value(self, nodes: list[Node], parts: list[Part]) -> bool:
        criteria = [
            each
            for each in parts
            if each.fixed is not None
            or each.pattern is not None
            or (each.binding is not None and each.binding.strength == "required")
        ]
        if not criteria:
            deeper = [each for each in parts if each.says_inside()]
            if deeper:
                return any(self._inside(node, each) for node in nodes for each in deeper)
            return not parts or bool(nodes) or any(each.most == 0 for each in parts)
        return any(self._criterion(node, each) for node in nodes for each in criteria)

    def _inside(self, node: Node, part: Part) -> bool:
        """Every fixed value or pattern below `part` has a match below `node`."""
        for name in part.children:
            wanted = [
                each
                for each in _parts_at(part, name)
                if each.fixed is not None or each.pattern is not None or each.says_inside()
            ]
            if wanted and not any(
                self._criterion(child, each) if not each.says_inside() else self._inside(child, each)
                for child in node.children.get(name, ())
                for each in wanted
            ):
                return False
        return True

    def _criterion(self, node: Node, part: Part) -> bool:
        if part.fixed is not None and not same_value(part.fixed, node.value):
            return False
        if part.pattern is not None and not fits_pattern(part.pattern, node.value):
            return False
        if part.fixed is None and part.pattern is None and part.binding is not None:
            from casefhir.conformance.terminology import codes_of

            return any(
                self.vocabulary.has(part.binding.value_set, system, code) is not False
                for system, code in codes_of(node)
            )
        return True

    def _exists(self, nodes: list[Node], parts: list[Part]) -> bool:
        if any(each.most == 0 for each in parts):
            return not nodes
        return bool(nodes) if any(each.least for each in parts) else True

    def _type(self, node: Node, part: Part) -> bool:
        known = ancestors(node.shape.name) if node.shape.kind == "resource" else (node.type, node.shape.name)
        return any(each.code in known for each in part.types or ())

    def _profile(self, node: Node, part: Part) -> bool:
        profiles = [url for each in part.types or () for url in each.profiles]
        return any(self.conforms(url, node) is True for url in profiles)


def _target(part: Part) -> Part:
    """What a slice says of the resource its reference points at."""
    types: list[TypeRef] = []
    for each in part.types or ():
        for url in each.targets:
            name = unversioned(url).removeprefix(CORE)
            types.append(TypeRef(name if "/" not in name else "Resource", (), (url,)))
    return Part(part.name, types=tuple(types))


def extension_url(part: Part) -> str | None:
    """The url of the extension that a slice of `extension` stands for."""
    child = part.children.get("url")
    if child is not None and isinstance(child.fixed, str):
        return child.fixed
    for each in part.types or ():
        if each.profiles:
            return unversioned(each.profiles[0])
    return part.slice_name
