"""Writes the fast path's functions, line by line, from the shapes, bindings and rules of R4.

In their text `o` is the object, `t` the `Trip`, `x` the value at hand; `M` is the `Maker`, `V` its `Values`, `E` its
`Extensions`, `S` its `Meaning`; `G0`, `G1`, … are what `Writer.name` gave a name.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from casefhir.conformance.contents import RULED
from casefhir.conformance.fastrules import NO, YES, Rules
from casefhir.conformance.fhirpath.parse import Unsupported, parse
from casefhir.conformance.invariants import CORRECTED
from casefhir.conformance.measurements import DOSES
from casefhir.conformance.references import allowed
from casefhir.conformance.shapes import Element, Rule, Shape, TypeRef, shape

if TYPE_CHECKING:
    from casefhir.conformance.fastcode import Kind, Maker

SEEN_ELSEWHERE = frozenset({"ref-1", "dom-3", "txt-1", "txt-2"})  # by references, no contained, xhtml values
NATIVE = {"per-1": "V.period(o)", "rng-2": "V.range(o)"}
_SIMPLE = "http://hl7.org/fhir/StructureDefinition/SimpleQuantity"
BARE = "dom-6"


class Bail(Exception):
    """Something the fast path leaves to the slow one."""


class Writer:
    """Writes the body of one function."""

    def __init__(self, maker: "Maker", kind: "Kind", keys: tuple[str, ...]) -> None:
        self.maker = maker
        self.kind = kind
        self.shape = kind.shape
        self.keys = keys
        self.space: dict[str, Any] = {}
        self.body: list[str] = []

    def lines(self) -> list[str] | None:
        """The function's lines; None when this set of keys is for the slow path."""
        try:
            self._keys()
            self._needed()
            for rule in self._rules():
                self._rule(rule)
            self._type()
        except (Bail, Unsupported):
            return None
        return self.body

    def name(self, value: Any) -> str:
        """A name in the function's globals for `value`."""
        name = f"G{len(self.space)}"
        self.space[name] = value
        return name

    def _keys(self) -> None:
        seen: set[str] = set()
        for key in self.keys:
            if key == "resourceType" and self.shape.kind == "resource":
                continue
            sibling = key.startswith("_")
            found = self.shape.properties.get(key[1:] if sibling else key)
            if found is None or key == "contained":
                raise Bail
            element, ref = found
            if not (sibling and key[1:] in self.keys):
                if element.name in seen:
                    raise Bail
                seen.add(element.name)
            if sibling:
                self._sibling(key, element, ref)
            else:
                self._property(key, element, ref)
        if not seen - {"id"}:
            raise Bail

    def _sibling(self, key: str, element: Element, ref: TypeRef) -> None:
        target = shape(ref.code)
        if element.many or target is None or target.kind != "primitive-type" or element.name == "id":
            raise Bail
        strength = element.binding.strength if element.binding is not None else ""
        if key[1:] not in self.keys and strength == "required":
            raise Bail
        holder = self.name((element, ref, target))
        self.body += [
            "t.keys += 1",
            f"x = o[{key!r}]",
            "if x.__class__ is not dict or len(x) != 1: return False",
            "x = x.get('extension')",
            f"if not E.extensions(x, {holder}, t): return False",
        ]

    def _property(self, key: str, element: Element, ref: TypeRef) -> None:
        target = shape(ref.code)
        if target is None or (element.most not in (None, 1) and element.many):
            raise Bail
        self.body.append(f"x = o[{key!r}]")
        if not element.many:
            self.body += self._value(target, element, ref)
            if element.name == "id" and self.shape.kind != "resource":
                self.body.append("t.ids.append(x)")
            return
        self.body.append("if x.__class__ is not list or not x: return False")
        if ref.code == "Extension":
            if key == "modifierExtension":
                raise Bail
            holder = self.name((self.kind.element, self.kind.ref, self.shape))
            self.body.append(f"if not E.extensions(x, {holder}, t): return False")
            return
        inner = self._value(target, element, ref)
        self.body += ["for x in x:", *(f"    {line}" for line in inner)]

    def _value(self, target: Shape, element: Element, ref: TypeRef) -> list[str]:
        if element.content is not None:
            raise Bail
        if target.kind == "primitive-type":
            return self._primitive(target, element)
        if target.kind == "resource":
            if self.shape.name != "Bundle.entry":
                raise Bail
            return [
                "if x.__class__ is not dict: return False",
                "k = M.entry(x)",
                "if k is None: return False",
                "if not (k.functions.get(tuple(x)) or k.make(x))(x, t): return False",
            ]
        if any(url != _SIMPLE for url in ref.profiles):
            raise Bail
        made = self.maker.kind(target, element, ref)
        kind, functions = self.name(made), self.name(made.functions.get)
        lines = [
            "if x.__class__ is not dict: return False",
            f"if not ({functions}(tuple(x)) or {kind}.make(x))(x, t): return False",
        ]
        if ref.profiles:
            lines.append("if 'comparator' in x: return False")
        return lines

    def _primitive(self, target: Shape, element: Element) -> list[str]:
        name = target.name
        if any(rule.key not in SEEN_ELSEWHERE for rule in element.rules):
            raise Bail
        if name == "boolean":
            return ["if x is not True and x is not False: return False"]
        if name in ("integer", "unsignedInt", "positiveInt"):
            least = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}[name]
            return [f"if x.__class__ is not int or not {least} <= x < {2**31}: return False"]
        if name == "decimal":
            return ["if x.__class__ not in NUMBERS: return False"]
        if name in ("string", "markdown"):
            lines = [
                "if x.__class__ is not str or not ((x.isprintable() and x and not x.isspace() and len(x) < 9999) "
                "or V.text(x)): return False"
            ]
        else:
            known = self.name(self.maker.values.known[name])
            lines = [f"if x.__class__ is not str or not (x in {known} or V.learn({name!r}, x)): return False"]
        return lines + self._bound(element)

    def _bound(self, element: Element) -> list[str]:
        binding = element.binding
        if binding is None:
            return []
        lines: list[str] = []
        sets = [binding.value_set] if binding.strength in ("required", "extensible") else []
        for value_set in [*sets, *([binding.most] if binding.most else [])]:
            codes = self.maker.vocabulary.codes(value_set)
            if codes is None:
                lines.append(f"t.unchecked.append({value_set!r})")
                continue
            lists = [each for each in codes.values() if isinstance(each, frozenset)]
            if len(lists) == len(codes):
                every = self.name(frozenset().union(*lists))
                lines.append(f"if x not in {every}: return False")
            else:
                lines.append(f"if not V.member({value_set!r}, None, x, t): return False")
        return lines

    def _needed(self) -> None:
        given = {self.shape.properties[key.removeprefix("_")][0].name for key in self.keys if key != "resourceType"}
        if any(element.name not in given for element in self.shape.required):
            raise Bail

    def _rules(self) -> Collection[Rule]:
        own = () if self.kind.element is None else self.kind.element.rules
        if self.shape.name in ("Bundle", "Bundle.entry"):
            return ()  # `fast` looks at the whole Bundle
        return {rule.key: rule for rule in (*self.shape.rules, *own) if rule.key not in SEEN_ELSEWHERE}.values()

    def _rule(self, rule: Rule) -> None:
        if rule.key == BARE and "text" not in self.keys:
            self.body.append("t.bare.append(o)")
            return
        if rule.key in NATIVE:
            test = NATIVE[rule.key]
        else:
            test = Rules(self.shape, self.keys).holds(parse(CORRECTED.get(rule.key, rule.expression)))
        if test == NO:
            raise Bail
        if test != YES:
            self.body.append(f"if not ({test}): return False")

    def _type(self) -> None:
        name, keys, element = self.shape.name, self.keys, self.kind.element
        if name == "Reference":
            self._reference()
        elif name == "Coding":
            self.body.append("if not V.coding(o, t): return False")
        elif name == "Quantity" or name in ("Age", "Duration", "Distance", "Count"):
            if "code" in keys:
                self.body.append("if not V.quantity(o): return False")
        elif name == "Identifier":
            self.body.append("if not V.identifier(o): return False")
        elif (name == "Attachment" and "data" in keys) or (name == "Meta" and "profile" in keys) or name in RULED:
            raise Bail
        elif name == "Meta" and "security" in keys:
            self.body.append("if len(o['security']) > 1: return False")
        elif self.shape.kind == "resource":
            self.body.append(f"if not S.sensible({name!r}, o): return False")
        if name in DOSES:
            self._dose(DOSES[name])
        if element is not None and element.binding is not None and name in ("Coding", "CodeableConcept", "Quantity"):
            self._concept(element, name)

    def _dose(self, element: str) -> None:
        for key, most in ((element, "x"), (element + "Quantity", "x"), (element + "Range", "x.get('high', {})")):
            if key in self.keys:
                self.body += [f"x = o[{key!r}]", f"if not {most}.get('value', 1) > 0: return False"]

    def _reference(self) -> None:
        if "type" in self.keys or not {"reference", "identifier", "display"} & set(self.keys):
            raise Bail
        if "reference" in self.keys:
            targets = allowed(self.kind.ref.targets) if self.kind.ref is not None else None
            self.body.append(f"t.references.append((o['reference'], {self.name(targets)}))")

    def _concept(self, element: Element, name: str) -> None:
        binding = element.binding
        assert binding is not None
        strong = binding.strength in ("required", "extensible")
        holders = "o.get('coding', ())" if name == "CodeableConcept" else "(o,)"
        if strong:
            needs = name == "CodeableConcept"
            self.body.append(f"if not V.bound({holders}, {binding.value_set!r}, {needs}, t): return False")
        if binding.most:
            self.body.append(f"if not V.bound({holders}, {binding.most!r}, False, t): return False")
