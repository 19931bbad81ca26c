"""The R4 types as the checks need them: which elements, of which types, how many, with which rules."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from casefhir.conformance.definitions import CORE, core, unversioned
from casefhir.conformance.primitives import PRIMITIVES

_BACKBONE = frozenset({"BackboneElement", "Element"})
_SYSTEM_STRINGS = "http://hl7.org/fhirpath/System."


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint: `key` (obs-6), its FHIRPath, its sentence."""

    key: str
    severity: str
    human: str
    expression: str
    best_practice: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """The value set an element is bound to, how strongly, and the one no code may leave (`most`).

    `additional`: further value sets as (purpose, canonical), those that hold in every context.
    """

    strength: str
    value_set: str
    most: str | None = None
    additional: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TypeRef:
    """One type an element may have: `code`, what a reference may point at, profiles on the type."""

    code: str
    targets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """An element as its type defines it; `most` None is `*`; a choice (`value[x]`) has `choice`."""

    name: str
    path: str
    least: int
    most: int | None
    many: bool
    choice: bool
    types: tuple[TypeRef, ...]
    rules: tuple[Rule, ...]
    binding: Binding | None
    content: str | None
    short: str


@dataclass(slots=True)
class Shape:
    """A type (`Quantity`), resource (`Observation`) or backbone (`Observation.component`).

    `properties` maps a JSON key to its element and type; `required` are the elements that must be there.
    """

    name: str
    kind: str
    base: str | None
    abstract: bool = False
    rules: tuple[Rule, ...] = ()
    elements: dict[str, Element] = field(default_factory=dict)
    properties: dict[str, tuple[Element, TypeRef]] = field(default_factory=dict)
    required: tuple[Element, ...] = ()

    @property
    def fhir_type(self) -> str:
        """The FHIR type's name; `BackboneElement` for a nameless one."""
        return "BackboneElement" if "." in self.name else self.name


def rules_of(definition: dict[str, Any]) -> tuple[Rule, ...]:
    """The constraints of an ElementDefinition that have an expression."""
    return tuple(
        Rule(
            each["key"],
            each["severity"],
            each.get("human", ""),
            each["expression"],
            each.get("bestPractice") in ("true", True),
        )
        for each in definition.get("constraint", ())
        if each.get("expression")
    )


def binding_of(definition: dict[str, Any]) -> Binding | None:
    """The binding of an ElementDefinition, where it names a value set."""
    found = definition.get("binding")
    if not found or not found.get("valueSet"):
        return None
    most = found.get("maxValueSet")
    for each in found.get("extension", ()):
        if each.get("url", "").endswith("elementdefinition-maxValueSet"):
            most = each.get("valueCanonical") or each.get("valueUri")
    return Binding(
        found["strength"],
        unversioned(found["valueSet"]),
        unversioned(most) if most else None,
        tuple(_additional(found)),
    )


_ADDITIONAL = (
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional",
    "http://hl7.org/fhir/tools/StructureDefinition/additional-binding",
)


def _additional(binding: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The additional bindings that R5 has as an element and R4 as an extension; those for a context are left out."""
    said = list(binding.get("additional", ()))
    for each in binding.get("extension", ()):
        if each.get("url") in _ADDITIONAL:
            parts = each.get("extension", ())
            said.append({one.get("url"): value for one in parts for key, value in one.items() if key[:5] == "value"})
    for each in said:
        if each.get("purpose") and each.get("valueSet") and "usage" not in each:
            yield str(each["purpose"]), unversioned(str(each["valueSet"]))


def type_code(found: dict[str, Any]) -> str:
    """The FHIR type of an ElementDefinition.type (FHIRPath's System types are strings)."""
    code = str(found.get("code", ""))
    for each in found.get("extension", ()):
        if each.get("url", "").endswith("structuredefinition-fhir-type"):
            code = str(each.get("valueUrl") or each.get("valueUri"))
    if code.startswith(_SYSTEM_STRINGS):
        return code.removeprefix(_SYSTEM_STRINGS).lower()
    return code


def types_of(definition: dict[str, Any]) -> tuple[TypeRef, ...]:
    """The types of an ElementDefinition."""
    return tuple(
        TypeRef(type_code(each), tuple(each.get("targetProfile", ())), tuple(each.get("profile", ())))
        for each in definition.get("type", ())
    )


def _element(definition: dict[str, Any], types: tuple[TypeRef, ...], rules: tuple[Rule, ...]) -> Element:
    name = definition["path"].rpartition(".")[2]
    choice = name.endswith("[x]")
    most = definition.get("max", "*")
    return Element(
        name=name.removesuffix("[x]"),
        path=definition["path"],
        least=definition.get("min", 0),
        most=None if most == "*" else int(most),
        many=definition.get("base", definition).get("max", most) not in ("0", "1"),
        choice=choice,
        types=types,
        rules=rules,
        binding=binding_of(definition),
        content=definition.get("contentReference"),
        short=definition.get("short", ""),
    )


def capital(word: str) -> str:
    """`word` with its first letter upper case: how a choice's type is written in its JSON key."""
    return word[:1].upper() + word[1:]


def _properties(shape: Shape) -> Iterator[tuple[str, tuple[Element, TypeRef]]]:
    for element in shape.elements.values():
        for ref in element.types:
            yield (element.name + capital(ref.code) if element.choice else element.name), (element, ref)


def _element_types(path: str, definition: dict[str, Any], parents: set[str]) -> tuple[TypeRef, ...]:
    if definition.get("contentReference"):
        return (TypeRef(definition["contentReference"].partition("#")[2]),)
    found = types_of(definition)
    if path in parents and len(found) == 1 and found[0].code in _BACKBONE:
        return (TypeRef(path),)
    if path.count(".") == 1 and path.endswith(".id") and path[0].isupper() and found[0].code == "string":
        kind = shape_kind(path.partition(".")[0])
        return (TypeRef("id"),) if kind == "resource" else found
    return found


def _element_rules(definition: dict[str, Any], elements: list[dict[str, Any]]) -> tuple[Rule, ...]:
    """The constraints of an element; one that borrows the content of another (Questionnaire.item.item) borrows its
    constraints as well.
    """
    rules = rules_of(definition)
    lender = definition.get("contentReference", "").partition("#")[2]
    known = {each.key for each in rules}
    lent = next((rules_of(each) for each in elements if each["path"] == lender), ())
    return (*rules, *(each for each in lent if each.key not in known))


def shape_kind(name: str) -> str:
    """`resource`, `complex-type` or `primitive-type`; empty for an unknown type."""
    found = core().members.get(CORE + name)
    return "" if found is None else str((core().read(CORE + name) or {}).get("kind", ""))


def _build(name: str) -> dict[str, Shape]:
    """The shape of type `name` and of each backbone inside it, by name."""
    source = core().read(CORE + name)
    if source is None or "snapshot" not in source:
        return {}
    elements = source["snapshot"]["element"]
    parents = {each["path"].rpartition(".")[0] for each in elements}
    shapes: dict[str, Shape] = {}
    kind = source["kind"]
    base = source.get("baseDefinition")
    for each in elements:
        path = each["path"]
        if path in parents or path == name:
            root = path == name
            shapes[path] = Shape(
                name=path,
                kind=kind if root else "backbone",
                base=(base.removeprefix(CORE) if base else None) if root else "BackboneElement",
                abstract=root and bool(source.get("abstract")),
                rules=rules_of(each) if root else (),
            )
        if path != name and not (path == name + ".value" and name in PRIMITIVES):
            element = _element(each, _element_types(path, each, parents), _element_rules(each, elements))
            shapes[path.rpartition(".")[0]].elements[element.name] = element
    for shape in shapes.values():
        shape.properties = dict(_properties(shape))
        shape.required = tuple(each for each in shape.elements.values() if each.least)
    return shapes


@cache
def _family(name: str) -> dict[str, Shape]:
    return _build(name)


@cache
def shape(name: str) -> Shape | None:
    """The shape of `name`: a type, a resource type or a path of a backbone; None for no R4 type."""
    return _family(name.partition(".")[0]).get(name)


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """The type `name` and the types it descends from: ("Age", "Quantity", "Element")."""
    found: list[str] = []
    while name:
        found.append(name)
        each = shape(name)
        name = each.base or "" if each is not None else ""
    return tuple(found)
