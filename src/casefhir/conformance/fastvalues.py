"""What the functions of the fast path ask of single values; each answers True only when nothing is wrong."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from casefhir.conformance.definitions import Definitions, unversioned
from casefhir.conformance.fastrules import NO, Rules
from casefhir.conformance.fhirpath.parse import Unsupported, parse
from casefhir.conformance.measurements import HIGH, LIMITED, LOW, UCUM
from casefhir.conformance.narrative import XHTML, read
from casefhir.conformance.primitives import SCHEME, TEXTS, doubt, fault
from casefhir.conformance.profiles import Part, Profiles
from casefhir.conformance.references import allowed
from casefhir.conformance.shapes import Element, Shape, TypeRef, ancestors, capital, shape
from casefhir.conformance.slicing import extension_url
from casefhir.conformance.units import contradicts, in_unit, incommensurable, unit_fault
from casefhir.conformance.vital_signs import implied_by
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.terms.bounds import Expected, expected
from casefhir.terms.check_digits import loinc_fault, snomed_fault

if TYPE_CHECKING:
    from casefhir.conformance.fastcode import Kind, Maker, Trip

Json = dict[str, Any]
VALUES: dict[str, Any] = {"NUMBERS": frozenset({int, float, Decimal})}
_KEPT = 50_000
_PLAIN_DIV = re.compile(
    r'<div(?: (?:xml:)?lang="[A-Za-z-]*")*(?: xmlns="' + re.escape(XHTML) + r'")(?: (?:xml:)?lang="[A-Za-z-]*")*>'
    r"[^<>&\x00-\x1f]*[^<>&\s\x00-\x1f][^<>&\x00-\x1f]*</div>\Z"
)
_CHECKED = {"http://loinc.org": loinc_fault, "http://snomed.info/sct": snomed_fault}
Holder = tuple[Element | None, TypeRef | None, Shape]


class Values:
    """The questions; answers about text, codes and codings are remembered."""

    def __init__(self, definitions: Definitions, vocabulary: Vocabulary, maker: "Maker") -> None:
        self.definitions = definitions
        self.vocabulary = vocabulary
        self.maker = maker
        self.profiles = Profiles(definitions)
        self.known: dict[str, set[str]] = {name: set() for name in TEXTS}
        self._codings: dict[tuple[Any, Any, Any], str | None] = {}
        self._members: dict[tuple[str, str | None, str], bool | None] = {}
        self._rules: dict[tuple[str, tuple[str, ...]], Callable[[Json], bool]] = {}
        self._extensions: dict[tuple[str, str, str], Part | None] = {}
        self._units: set[tuple[str, Any]] = set()
        self.expected = expected()

    def resource(self, found: Json) -> "Kind | None":
        """The functions for resource `found`; none for a Bundle, which would need its own index."""
        name = found.get("resourceType")
        return None if name == "Bundle" else self.maker.resource(name)

    def learn(self, kind: str, text: str) -> bool:
        """Is `text` a right value of primitive `kind`; right ones are kept."""
        if kind == "xhtml":
            if _PLAIN_DIV.match(text):
                return True
            reading = read(text)
            return not reading.faults and not reading.links
        if fault(kind, text) is not None or doubt(text) is not None:
            return False
        if kind in ("date", "dateTime", "instant") and not "1800" <= text[:4] <= "2100":
            return False
        kept = self.known[kind]
        if len(kept) > _KEPT:
            kept.clear()
        if len(text) < 200:
            kept.add(text)
        return True

    def text(self, text: str) -> bool:
        """Is `text` a right string."""
        return fault("string", text) is None and doubt(text) is None

    def member(self, value_set: str, system: str | None, code: str, trip: "Trip") -> bool:
        """Is `code` in `value_set`, or not to be told."""
        key = (value_set, system, code)
        if key not in self._members:
            if len(self._members) > _KEPT:
                self._members.clear()
            self._members[key] = self.vocabulary.has(value_set, system, code)
        answer = self._members[key]
        if answer is None:
            trip.unchecked.append(unversioned(value_set))
        return answer is not False

    def bound(self, holders: Any, value_set: str, needs: bool, trip: "Trip") -> bool:
        """Is one of the codes of `holders` in `value_set`; without any, only where none is needed."""
        pairs = [(each.get("system"), each["code"]) for each in holders if "code" in each]
        if not pairs:
            return not needs
        answers = [False if system is None else self.vocabulary_has(value_set, system, code) for system, code in pairs]
        if True in answers:
            return True
        if None in answers:
            trip.unchecked.append(value_set)
            return True
        return False

    def vocabulary_has(self, value_set: str, system: str, code: str) -> bool | None:
        """`Vocabulary.has`, remembered."""
        key = (value_set, system, code)
        if key not in self._members:
            if len(self._members) > _KEPT:
                self._members.clear()
            self._members[key] = self.vocabulary.has(value_set, system, code)
        return self._members[key]

    def coding(self, found: Json, trip: "Trip") -> bool:
        """Is a Coding as it should be; "" is remembered for a wrong one, a system for one not to be checked."""
        key = (found.get("system"), found.get("code"), found.get("display"))
        try:
            answer = self._codings[key]
        except KeyError:
            if len(self._codings) > _KEPT:
                self._codings.clear()
            answer = self._codings[key] = self._coding(*key)
        if answer:
            trip.unchecked.append(answer)
        return answer != ""

    def _coding(self, system: str | None, code: str | None, display: str | None) -> str | None:
        if system is None:
            return None if code is None else ""
        if not SCHEME.match(system):
            return ""
        if code is None:
            return None
        if implied_by(system, code):
            return ""
        if system in _CHECKED:
            return "" if _CHECKED[system](code) else system
        if system == UCUM:
            return "" if unit_fault(code) else None
        known = self.vocabulary.system(system)
        if known is None:
            answer = self.vocabulary.knows(system, code)
            if answer is not None:
                return None if answer else ""
            return "" if self.definitions.value_set(system) else system
        if code not in known.codes:
            return "" if known.whole else system
        return None if display is None or display == known.codes[code] else ""

    def quantity(self, found: Json) -> bool:
        """Is the unit of a Quantity with a code UCUM, and its printed unit no other."""
        key = (found["code"], found.get("unit"))
        return found.get("system") == UCUM and (key in self._units or self._unit(*key))

    def _unit(self, code: str, text: str | None) -> bool:
        if unit_fault(code) is not None or (text is not None and contradicts(text, code)):
            return False
        if len(self._units) > _KEPT:
            self._units.clear()
        self._units.add((code, text))
        return True

    def identifier(self, found: Json) -> bool:
        """Is the system of an Identifier absolute."""
        system = found.get("system")
        if system == "urn:ietf:rfc:3986":
            return SCHEME.match(found.get("value", "").lower()) is not None
        return system is None or SCHEME.match(system) is not None

    def period(self, found: Json) -> bool:
        """Does a Period surely end at or after its start (per-1)."""
        start, end = found.get("start"), found.get("end")
        if start is None or end is None:
            return "start" not in found or "end" not in found
        if len(start) == len(end) and len(start) <= 10:
            return bool(start <= end)
        return bool(start[:4] < end[:4] and len(start) <= 10 and len(end) <= 10)

    def range(self, found: Json) -> bool:
        """Is low of a Range surely not above high (rng-2)."""
        low, high = found.get("low"), found.get("high")
        if low is None or high is None:
            return True
        same = low.get("unit") == high.get("unit") and low.get("code") == high.get("code")
        return bool(same and "value" in low and "value" in high and low["value"] <= high["value"])

    def sensible(self, name: str, found: Json) -> bool:
        """Does layer meaning surely say nothing of this resource alone."""
        if name == "Observation":
            return all(self._measured(each) for each in (found, *found.get("component", ())))
        if name == "Condition":
            end = [key for key in found if key.startswith("abatement")]
            begin = [key for key in found if key.startswith("onset")]
            return not (end and begin) or _later(found, end[0], begin[0])
        if name == "Patient" and "deceasedDateTime" in found and "birthDate" in found:
            return _later(found, "deceasedDateTime", "birthDate")
        return not (name == "AdverseEvent" and "date" in found and "suspectEntity" in found)

    def _measured(self, found: Json) -> bool:
        if "referenceRange" in found and not all(_forward(each) for each in found["referenceRange"]):
            return False
        value = found.get("valueQuantity")
        if value is None:
            return True
        for each in found["code"].get("coding", ()):
            wanted = self.expected.get((each.get("system"), each.get("code")))
            if wanted is not None and not _possible(value, wanted):
                return False
        if "interpretation" in found and "referenceRange" in found and "value" in value and "comparator" not in value:
            return _interpreted(found, value)
        return True

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
        if bound is not None and (value.__class__ is not str or not self.member(bound, None, value, trip)):
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
                return ref.code in self.known and (value in self.known[ref.code] or self.learn(ref.code, value))
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


def _later(found: Json, end: str, begin: str) -> bool:
    """Is `end` surely in a later year than `begin`, both plain dates."""
    last, first = found[end], found[begin]
    return bool(last.__class__ is str and first.__class__ is str and last[:4] > first[:4])


def _possible(value: Json, wanted: Expected) -> bool:
    """Is a quantity surely in a unit that fits, and within its bounds."""
    unit, number = value.get("code"), value.get("value")
    if unit.__class__ is not str or (unit != wanted.unit and incommensurable(unit, wanted.unit)):
        return False
    if number is None:
        return True
    if unit != wanted.unit and number > 0:
        number = in_unit(Decimal(number), unit, wanted.unit)
        if number is None:
            return True
    most = wanted.most
    return bool(
        number >= wanted.least and (most is None or number < most or (number.__class__ is int and number == most))
    )


def _forward(found: Json) -> bool:
    """Does a reference range surely not begin above its end."""
    low, high = found.get("low"), found.get("high")
    if low is None or high is None or "value" not in low or "value" not in high:
        return True
    return bool(low.get("code") == high.get("code") and low["value"] < high["value"])


def _interpreted(found: Json, value: Json) -> bool:
    """Do interpretation, value and the one untyped reference range surely agree."""
    untyped = [each for each in found["referenceRange"] if not LIMITED & each.keys()]
    words = {coding.get("code") for each in found["interpretation"] for coding in each.get("coding", ())}
    if len(untyped) != 1:
        return True
    low, high = untyped[0].get("low"), untyped[0].get("high")
    for each in (low, high):
        if each is not None and (each.get("code") != value.get("code") or "value" not in each):
            return False
        if each is not None and each["value"] == value["value"] and value["value"].__class__ is not int:
            return False  # as binary fractions the two may be equal and as decimals not
    below = low is not None and value["value"] < low["value"]
    above = high is not None and value["value"] > high["value"]
    if below or above:
        return "N" not in words and not words & (HIGH if below else LOW)
    return low is None or high is None or not words & (HIGH | LOW)
