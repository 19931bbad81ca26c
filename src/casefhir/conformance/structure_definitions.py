"""StructureDefinitions: does a differential fit the type and the profile that it derives from."""

from dataclasses import dataclass, field
from typing import Any

from casefhir.conformance.definitions import CORE, Definitions, Json, unversioned
from casefhir.conformance.fhirpath import Unsupported, compiled
from casefhir.conformance.fhirpath.parse import parse
from casefhir.conformance.paths import Unsound, types_at
from casefhir.conformance.profiles import Part, Profiles, segments
from casefhir.conformance.shapes import Element, Shape, ancestors, shape, type_code
from casefhir.conformance.slicing import same_value
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_BACKBONE = frozenset({"BackboneElement", "Element"})
_STRENGTHS = ("example", "preferred", "extensible", "required")


class UnknownPath(Exception):
    """A step of a path that the type does not have."""


@dataclass
class _Place:
    """What is known of an element before the differential: its R4 definition, and the base profile's word on it."""

    element: Element | None
    part: Part | None
    types: frozenset[str] = field(default_factory=frozenset)


class StructureDefinitions:
    """Checks StructureDefinition nodes."""

    def __init__(self, definitions: Definitions, profiles: Profiles, tell: Tell) -> None:
        self.definitions = definitions
        self.profiles = profiles
        self.tell = tell

    def _tell(
        self, rule: str, node: Node, message: str, mend: str, severity: str = "error", *, value: Any = None
    ) -> None:
        self.tell(severity, f"profiles.{rule}", node, message, mend, value=value)

    def check(self, node: Node) -> None:
        """Check StructureDefinition `node`."""
        url, kind = node.get("baseDefinition"), node.get("type")
        if not isinstance(url, str) or not isinstance(kind, str):
            return
        base = self.definitions.structure(url)
        if base is None:
            self._tell(
                "definition-base",
                node,
                f"{url} is not known, so this definition was not compared with it.",
                "Load it with the profiles.",
                "warning",
            )
            return
        if node.get("derivation") != "constraint":
            return
        self._same_type(node, kind, base)
        if kind == "Extension":
            self._extension_url(node, url)
        if shape(kind) is not None:
            self._differential(node, kind, self.profiles.get(url))

    def _same_type(self, node: Node, kind: str, base: Json) -> None:
        if kind.removeprefix(CORE) != str(base.get("type")).removeprefix(CORE):
            said = f"A constraint keeps its base's type, {base.get('type')}; this says {kind}."
            self._tell("definition-type", node, said, "Name that type, or derive from another base.", value=kind)
        elif node.get("kind") != base.get("kind"):
            said = f"A constraint keeps its base's kind, {base.get('kind')}; this says {node.get('kind')}."
            self._tell("definition-type", node, said, "Name that kind.", value=node.get("kind"))

    def _extension_url(self, node: Node, base: str) -> None:
        elements = (node.value.get("differential") or {}).get("element", ())
        if unversioned(base) != CORE + "Extension" or not elements:
            return
        fixed = [each.get("fixedUri") for each in elements if each.get("path") == "Extension.url"]
        url = node.get("url")
        if url not in fixed:
            said = f"Extension.url is fixed to {fixed[0]}" if fixed else "Extension.url is not fixed"
            self._tell("definition-url", node, f"{said}; it must be {url}.", "Fix it to the definition's url.")

    def _differential(self, node: Node, kind: str, base: Any) -> None:
        holder = node.first("differential")
        root = base.root if base is not None else None
        narrowed: dict[str, frozenset[str]] = {}
        for each in holder.children.get("element", ()) if holder is not None else ():
            source = each.value
            path = source.get("path")
            if not isinstance(path, str) or path.partition(".")[0] != kind:
                continue  # an invariant says that
            identity = str(source.get("id") or path)
            try:
                place = _place(source, kind, root, narrowed)
            except UnknownPath as error:
                self._tell("differential-path", each, f"{path}: {error}.", "Name an element of the type.", value=path)
                continue
            codes = frozenset(type_code(one) for one in source.get("type", ()))
            narrowed[identity] = codes or place.types
            self._element(each, source, place, codes)

    def _element(self, node: Node, source: Json, place: _Place, codes: frozenset[str]) -> None:
        self._cardinality(node, source, place)
        self._types(node, source, place, codes)
        self._fixed(node, source, place)
        self._binding(node, source, place)
        self._discriminators(node, source, codes or place.types)
        for each in node.children.get("constraint", ()):
            self._constraint(each, codes if codes and not codes & _BACKBONE else place.types)

    def _cardinality(self, node: Node, source: Json, place: _Place) -> None:
        least, most = source.get("min"), source.get("max")
        wanted = [each.least for each in (place.element, place.part) if each is not None]
        if source.get("sliceName"):  # a new slice is one of several
            wanted = [place.part.least] if place.part is not None and place.part.slice_name else [0]
        if isinstance(least, int) and wanted and least < max(wanted):
            said = f"{source['path']} has min {least}, its base {max(wanted)}."
            self._tell("differential-cardinality", node, said, "A constraint may only ask for more.", value=least)
        limits = [each.most for each in (place.element, place.part) if each is not None and each.most is not None]
        if isinstance(most, str) and limits and (most == "*" or (most.isdigit() and int(most) > min(limits))):
            said = f"{source['path']} has max {most}, its base {min(limits)}."
            self._tell("differential-cardinality", node, said, "A constraint may only allow fewer.", value=most)

    def _types(self, node: Node, source: Json, place: _Place, codes: frozenset[str]) -> None:
        if not place.types or "Resource" in place.types or "Element" in place.types:
            return
        for code in sorted(codes):
            if code in ("", "BackboneElement", "Element") or place.types & set(ancestors(code)) or "." in code:
                continue
            if any("." in each for each in place.types):
                continue
            allowed = ", ".join(sorted(place.types))
            self._tell(
                "differential-type",
                node,
                f"{source['path']} cannot be a {code}; its base allows {allowed}.",
                "Keep to those types.",
                value=code,
            )

    def _fixed(self, node: Node, source: Json, place: _Place) -> None:
        before = place.part.fixed if place.part is not None else None
        for key, value in source.items():
            if key.startswith("fixed") and before is not None and not same_value(before, value):
                self._tell(
                    "differential-fixed",
                    node,
                    f"{source['path']} is fixed to {before!r} by the base, and to {value!r} here.",
                    "Keep the base's value.",
                )

    def _binding(self, node: Node, source: Json, place: _Place) -> None:
        own = source.get("binding") or {}
        value_set = own.get("valueSet")
        found = self.definitions.get(value_set) if isinstance(value_set, str) else None
        if found is not None and found["resourceType"] != "ValueSet":
            said = f"{source['path']} is bound to {value_set}, which is a {found['resourceType']}."
            self._tell("differential-binding", node, said, "Name a value set.", value=value_set)
        before = [each.binding for each in (place.element, place.part) if each is not None and each.binding is not None]
        strength = own.get("strength")
        if strength not in _STRENGTHS or not before:
            return
        strongest = max((each.strength for each in before), key=_STRENGTHS.index)
        if strongest == "required" and strength != "required":
            said = f"{source['path']} has a required binding, which this makes {strength}."
            self._tell("differential-binding", node, said, "Keep it required.", value=strength)

    def _discriminators(self, node: Node, source: Json, types: frozenset[str]) -> None:
        slicing = node.first("slicing")
        if slicing is None or not types:
            return
        for each in slicing.children.get("discriminator", ()):
            path = each.get("path")
            if not isinstance(path, str):
                continue
            try:
                types_at(parse(path), types, keys=True)
            except Unsupported as error:
                self._tell("discriminator", each, f"{path!r} cannot be read: {error}", "Correct the path.", value=path)
            except Unsound as error:
                said = f"The discriminator {path!r} of {source['path']} leads nowhere: {error}."
                self._tell("discriminator", each, said, "Name an element of what is sliced.", value=path)

    def _constraint(self, node: Node, types: frozenset[str]) -> None:
        expression = node.get("expression")
        if not isinstance(expression, str):
            return
        try:
            compiled(expression)
            types_at(parse(expression), types or None)
        except Unsound as error:
            said = f"The expression of {node.get('key')} never holds: {error}."
            self._tell("constraint-expression", node, said, "Name an element of the type.", value=expression)
        except Unsupported as error:
            said = f"The expression of {node.get('key')} cannot be read: {error}"
            self._tell("constraint-expression", node, said, "Correct the FHIRPath.", value=expression)


def _place(source: Json, kind: str, root: Part | None, narrowed: dict[str, frozenset[str]]) -> _Place:
    """Follow the element's path from type `kind`; raises `UnknownPath`."""
    here: Shape | None = shape(kind)
    part, element = root, None
    types: frozenset[str] = frozenset({kind})
    identity = kind
    names = source["path"].split(".")[1:]
    for name, (_, slice_name) in zip(names, segments(source), strict=True):
        plain = name.removesuffix("[x]")
        found, ref = None, None
        if here is not None:
            found = here.elements.get(plain)
            if found is None and plain in here.properties:
                found, ref = here.properties[plain]
            if found is None:
                raise UnknownPath(f"{here.name} has no element {name}")
        element = found
        part = _inside(part, found.name if found is not None else plain, slice_name or (plain if ref else None))
        identity = f"{identity}.{name}" + (f":{slice_name}" if slice_name else "")
        types = _types_of(found, ref.code if ref else None, part, narrowed.get(identity))
        here = None
        if len(types) == 1:
            here = shape(next(iter(types)))
            here = None if here is not None and here.abstract else here
    return _Place(element, part, types)


def _types_of(
    found: Element | None, named: str | None, part: Part | None, own: frozenset[str] | None
) -> frozenset[str]:
    if own:
        backbone = found is not None and own <= {"BackboneElement", "Element"}
        return own if not backbone or found is None else frozenset(ref.code for ref in found.types)
    if named is not None:
        return frozenset({named})
    if part is not None and part.types and not {ref.code for ref in part.types} <= {"BackboneElement", "Element"}:
        return frozenset(ref.code for ref in part.types)
    return frozenset() if found is None else frozenset(ref.code for ref in found.types)


def _inside(part: Part | None, name: str, slice_name: str | None) -> Part | None:
    child = part.children.get(name) if part is not None else None
    if child is None or slice_name is None:
        return child
    return child.slices.get(slice_name)
