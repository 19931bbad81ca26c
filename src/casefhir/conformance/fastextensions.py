"""What the fast path asks of extensions: known, allowed where they are, and as their definitions say."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fastrules import NO, Rules
from casefhir.conformance.fastvalues import Values
from casefhir.conformance.fhirpath.parse import Unsupported, parse
from casefhir.conformance.primitives import fault
from casefhir.conformance.profiles import Part, Profiles
from casefhir.conformance.references import allowed
from casefhir.conformance.shapes import Element, Shape, TypeRef, ancestors, capital, shape
from casefhir.conformance.slicing import extension_url

if TYPE_CHECKING:
    from casefhir.conformance.fastcode import Maker, Trip

Json = dict[str, Any]
Holder = tuple[Element | None, TypeRef | None, Shape]


class Extensions:
    """Answers True only when nothing is wrong; what is no plain extension is left to the slow path by a False."""

    def __init__(self, definitions: Definitions, values: Values, maker: "Maker") -> None:
        self.definitions = definitions
        self.values = values
        self.maker = maker
        self.profiles = Profiles(definitions)
        self._rules: dict[tuple[str, tuple[str, ...]], Callable[[Json], bool]] = {}
        self._extensions: dict[tuple[str, str, str], Part | None] = {}

    def extensions(self, found: Any, holder: Holder, trip: "Trip") -> bool:
        """Are all extensions known, allowed at `holder` and as their definitions say."""
        if found.__class__ is not list or not found:
            return False
        for each in found:
            url = each.get("url") if each.__class__ is dict else None
            if url.__class__ is not str:
                return False
            element, _, where = holder
            key = (url, where.name, element.path if element is not None else "")
            if key not in self._extensions:
                self._extensions[key] = self._definition(url, holder)
            known = self._extensions[key]
            if known is None or not self._extension(each, known, trip):
                return False
        return True

    def _definition(self, url: str, holder: Holder) -> Part | None:
        source = None if "|" in url else self.definitions.structure(url)
        profile = self.profiles.get(url)
        if source is None or profile is None or source.get("type") != "Extension" or source.get("contextInvariant"):
            return None
        element, _, where = holder
        places = {"Element", where.name, *(ancestors(where.name) if "." not in where.name else ())}
        if element is not None:
            places.add(element.path)
        contexts = source.get("context", [])
        allowed_here = (each.get("type") == "element" and each.get("expression") in places for each in contexts)
        if contexts and not any(allowed_here):
            return None
        views = [source[view]["element"] for view in ("differential", "snapshot") if source.get(view)]
        if any(each.get("isModifier") for view in views for each in view if "." not in each["path"]):
            return None
        return profile.root

    def _extension(self, found: Json, part: Part, trip: "Trip") -> bool:
        trip.keys += len(found)
        return self._content(found, part, trip) and all(
            self._rule(rule.expression, tuple(found))(found) for rule in part.rules.values()
        )

    def _content(self, found: Json, part: Part, trip: "Trip") -> bool:
        if set(part.children) - {"extension", "url", "value", "id"}:
            return False
        inner, value = part.children.get("extension"), part.children.get("value")
        values = [key for key in found if key.startswith("value")]
        if "extension" in found:
            return (
                len(found) == 2
                and not (value and value.least)
                and inner is not None
                and self._parts(found["extension"], inner, trip)
            )
        if len(found) != 2 or len(values) != 1 or value is None or (inner is not None and inner.least):
            return False
        return not any(each.least for each in (inner.slices.values() if inner else ())) and self._typed(
            found, values[0], value, trip
        )

    def _rule(self, expression: str, keys: tuple[str, ...]) -> Callable[[Json], bool]:
        """A rule of an extension's definition as a Python function, made once for each set of keys."""
        key = (expression, keys)
        if key not in self._rules:
            where = shape("Extension")
            try:
                test = Rules(where, keys).holds(parse(expression)) if where is not None else NO
            except Unsupported:
                test = NO
            self._rules[key] = eval(f"lambda o: {test}")  # noqa: S307 - our own text, keys only as repr
        return self._rules[key]

    def _parts(self, found: Any, inner: Part, trip: "Trip") -> bool:
        if found.__class__ is not list or not found or inner.most == 0 or inner.rules or not inner.slices:
            return False
        by_url = {extension_url(each): each for each in inner.slices.values()}
        counted: dict[str, int] = {}
        for each in found:
            url = each.get("url") if each.__class__ is dict else None
            if url.__class__ is not str or url not in by_url or ":" in url:
                return False
            part = by_url[url]
            if (part.types and any(ref.profiles for ref in part.types)) or not self._extension(each, part, trip):
                return False
            counted[str(url)] = counted.get(str(url), 0) + 1
        total = len(found)
        if total < inner.least or (inner.most is not None and total > inner.most):
            return False
        return all(
            part.least <= counted.get(str(url), 0) and (part.most is None or counted.get(str(url), 0) <= part.most)
            for url, part in by_url.items()
        )

    def _typed(self, found: Json, key: str, part: Part, trip: "Trip") -> bool:
        plain = (part.fixed, part.pattern, part.longest, part.least_value, part.most_value)
        if any(each is not None for each in plain) or part.rules or part.says_inside() or part.most == 0:
            return False
        binding, value = part.binding, found[key]
        strength = binding.strength if binding is not None else ""
        bound = binding.value_set if binding is not None and strength in ("required", "extensible") else None
        if bound is not None and (value.__class__ is not str or not self.values.member(bound, None, value, trip)):
            return False
        if binding is not None and binding.most:
            return False
        base = shape("Extension")
        if base is None or key not in base.properties:
            return False
        element, ref = base.properties[key]
        if part.types is not None:
            fitting = [each for each in part.types if "value" + capital(each.code) == key]
            if len(fitting) != 1 or fitting[0].profiles:
                return False
            if fitting[0].targets:
                targets = allowed(fitting[0].targets)
                text = found[key].get("reference") if found[key].__class__ is dict else None
                if targets is None and any(not each.endswith("/Resource") for each in fitting[0].targets):
                    return False
                if text.__class__ is str:
                    trip.references.append((text, targets))
        return self._value(found[key], element, ref, trip)

    def _value(self, value: Any, element: Element, ref: TypeRef, trip: "Trip") -> bool:
        target = shape(ref.code)
        if target is None:
            return False
        if target.kind == "primitive-type":
            if value.__class__ is str:
                return ref.code in self.values.known and (
                    value in self.values.known[ref.code] or self.values.learn(ref.code, value)
                )
            if ref.code == "boolean":
                return value is True or value is False
            return (
                ref.code in ("integer", "unsignedInt", "positiveInt")
                and value.__class__ is int
                and (fault(ref.code, value) is None)
            )
        if value.__class__ is not dict:
            return False
        kind = self.maker.kind(target, element, ref)
        return (kind.functions.get(tuple(value)) or kind.make(value))(value, trip)
