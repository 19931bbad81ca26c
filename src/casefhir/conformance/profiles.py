"""Profiles as trees: differentials overlaid on those of the profiles they derive from (snapshot generation).

Base types need no tree, for layer structure checks them; a tree holds only what profiles add to R4.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from casefhir.conformance.definitions import CORE, Definitions, Json, unversioned
from casefhir.conformance.shapes import Binding, Rule, Shape, TypeRef, binding_of, capital, rules_of, shape, types_of

_VALUES = ("fixed", "pattern", "minValue", "maxValue")


@dataclass(slots=True)
class Slicing:
    """How an element is sliced: (type, path) discriminators, rules (open, closed, openAtEnd), ordered."""

    discriminators: tuple[tuple[str, str], ...]
    rules: str
    ordered: bool = False


@dataclass(slots=True)
class Part:
    """What a profile says about one element (`name`) or slice (`slice_name`) of it; None where it says nothing."""

    name: str
    slice_name: str | None = None
    least: int = 0
    most: int | None = None
    types: tuple[TypeRef, ...] | None = None
    fixed: Any = None
    pattern: Any = None
    least_value: Any = None
    most_value: Any = None
    longest: int | None = None
    binding: Binding | None = None
    rules: dict[str, Rule] = field(default_factory=dict)
    must_support: bool = False
    slicing: Slicing | None = None
    slices: dict[str, "Part"] = field(default_factory=dict)
    children: dict[str, "Part"] = field(default_factory=dict)

    def says_inside(self) -> bool:
        """True when it constrains something below the element."""
        return bool(self.children or self.slices)


@dataclass(slots=True)
class Profile:
    """A profile's tree; `type` is the R4 type it constrains."""

    url: str
    type: str
    root: Part


class Profiles:
    """Builds and keeps the trees of the profiles in `definitions`."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._trees: dict[str, Profile | None] = {}

    def get(self, canonical: str) -> Profile | None:
        """The tree of `canonical`; None for a base type or where no definition is known."""
        if canonical not in self._trees:
            self._trees[canonical] = None  # a profile that derives from itself ends here
            source = self.definitions.structure(canonical)
            url = unversioned(canonical)
            if source is not None and (source.get("derivation") == "constraint" or url in self.definitions.own):
                self._trees[canonical] = self._build(url, source)
        return self._trees[canonical]

    def _build(self, url: str, source: Json) -> Profile:
        base_url = source.get("baseDefinition", "")
        base = self.get(base_url) if base_url else None
        known = base is not None or shape(unversioned(base_url).removeprefix(CORE)) is not None
        name = source.get("type", "")
        root = deepcopy(base.root) if base is not None else Part(name)
        view = "differential" if known and (source.get("differential") or {}).get("element") else "snapshot"
        free = _free_choices(source)
        for each in (source.get(view) or source.get("differential") or {}).get("element", ()):
            overlay(root, shape(name), each, free)
        return Profile(url, name, root)


def segments(definition: Json) -> list[tuple[str, str | None]]:
    """An ElementDefinition's place as (name, slice) pairs, from its id, or its path where it has none."""
    text = definition.get("id") or definition["path"]
    if text.count(".") != definition["path"].count("."):
        text = definition["path"] + (":" + definition["sliceName"] if definition.get("sliceName") else "")
    found: list[tuple[str, str | None]] = []
    for step in text.split(".")[1:]:
        name, _, slice_name = step.partition(":")
        found.append((name, slice_name or None))
    if found and definition.get("sliceName") and found[-1][1] is None:
        found[-1] = (found[-1][0], definition["sliceName"])
    return found


def _resolve(name: str, here: Shape | None) -> tuple[str, str | None, TypeRef | None]:
    """(element, implied slice, type) of a path's step; `valueQuantity` is a slice of `value` by type."""
    plain = name.removesuffix("[x]")
    if here is None or plain in here.elements:
        return plain, None, None
    if plain in here.properties:
        element, ref = here.properties[plain]
        return element.name, plain, ref
    return plain, None, None


def _next_shape(here: Shape | None, name: str, part: Part) -> Shape | None:
    if part.types is not None and len(part.types) == 1 and part.types[0].code not in ("BackboneElement", "Element"):
        return shape(part.types[0].code)
    element = None if here is None else here.elements.get(name)
    if element is None:
        return None
    return shape(element.types[0].code) if len(element.types) == 1 else None


def _free_choices(source: Json) -> frozenset[str]:
    """The choices that the profile's own snapshot leaves several types, whatever its differential is short for."""
    elements = (source.get("snapshot") or {}).get("element", ())
    return frozenset(
        each["path"].removesuffix("[x]")
        for each in elements
        if each["path"].endswith("[x]") and "sliceName" not in each and len(each.get("type", ())) > 1
    )


def overlay(root: Part, start: Shape | None, definition: Json, free: frozenset[str] = frozenset()) -> None:
    """Put what `definition` (an ElementDefinition) says into the tree at `root`.

    `free`: the choices of which a path such as `valueQuantity` leaves the other types.
    """
    part, here = root, start
    steps = segments(definition)
    for place, (name, slice_name) in enumerate(steps):
        element, implied, ref = _resolve(name, here)
        holder = part.children.setdefault(element, Part(element))
        named = ref is not None and slice_name is None and place == len(steps) - 1 and definition.get("max") != "0"
        if ref is not None and named and f"{definition['path'].rpartition('.')[0]}.{element}" not in free:
            _only(holder, ref)
        label = slice_name or implied
        part = holder if label is None else _slice(holder, label, ref, here)
        here = _next_shape(here, element, part)
        if here is None and ref is not None:
            here = shape(ref.code)
    _say(part, definition)


def _only(holder: Part, ref: TypeRef) -> None:
    """A path such as `valueQuantity`, without a slice's name, allows no other type than those named so."""
    if holder.slicing is None:
        holder.types = (*holder.types, ref) if holder.types and holder.slices else (ref,)


def _slice(holder: Part, label: str, ref: TypeRef | None, here: Shape | None) -> Part:
    found = holder.slices.get(label)
    if found is None:
        found = holder.slices[label] = Part(holder.name, label)
    element = None if here is None else here.elements.get(holder.name)
    if element is not None and element.choice and found.types is None:
        ref = ref or next((each for each in element.types if holder.name + capital(each.code) == label), None)
        if ref is not None:
            found.types = (ref,)
    if element is not None and element.choice and holder.slicing is None:
        holder.slicing = Slicing((("type", "$this"),), "open")
    return found


def _say(part: Part, definition: Json) -> None:
    if "min" in definition:
        part.least = definition["min"]
    if "max" in definition:
        part.most = None if definition["max"] == "*" else int(definition["max"])
    if definition.get("type"):
        part.types = types_of(definition)
    if definition.get("mustSupport"):
        part.must_support = True
    if "maxLength" in definition:
        part.longest = definition["maxLength"]
    found = binding_of(definition)
    if found is not None:
        part.binding = found
    for rule in rules_of(definition):
        part.rules[rule.key] = rule
    slicing = definition.get("slicing")
    if slicing is not None:
        part.slicing = Slicing(
            tuple((each["type"], each["path"]) for each in slicing.get("discriminator", ())),
            slicing.get("rules", "open"),
            bool(slicing.get("ordered")),
        )
    for key, value in definition.items():
        if key.startswith("fixed"):
            part.fixed = value
        elif key.startswith("pattern"):
            part.pattern = value
        elif key.startswith("minValue"):
            part.least_value = value
        elif key.startswith("maxValue"):
            part.most_value = value
