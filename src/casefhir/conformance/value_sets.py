"""ValueSets and ConceptMaps: do the systems, codes and filters that they name exist."""

import re

from casefhir.conformance.canonicals import extension_value, extension_values
from casefhir.conformance.code_systems import TYPES, property_types
from casefhir.conformance.definitions import Json
from casefhir.conformance.expression_constraints import fault
from casefhir.conformance.fhirpath.parse import Unsupported, parse
from casefhir.conformance.primitives import SCHEME
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

SNOMED = "http://snomed.info/sct"
_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter"
_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_ABOUT_CODES = frozenset({"is-a", "descendent-of", "is-not-a", "generalizes"})
_FORMS = {  # numbers may have a comparator
    "boolean": re.compile(r"true|false"),
    "dateTime": re.compile(r"\d{4}(-\d\d(-\d\d(T.+)?)?)?", re.ASCII),
}
_CODED = re.compile(r"(?P<system>[^#|]+:[^#|]*)(?:\|[^#|]*)?[#|](?P<code>[^#|]+)")


class ValueSets:
    """Checks ValueSet and ConceptMap nodes."""

    def __init__(self, vocabulary: Vocabulary, tell: Tell) -> None:
        self.vocabulary = vocabulary
        self.tell = tell

    def _tell(self, rule: str, node: Node, message: str, mend: str, value: object = None) -> None:
        self.tell("error", f"profiles.value-set-{rule}", node, message, mend, value=value)

    def check(self, node: Node) -> None:
        """Check ValueSet `node`."""
        expansion = node.first("expansion")
        for each in expansion.descendants() if expansion is not None else ():
            if each.key == "contains" and isinstance(listed := each.get("system"), str):
                self._code(each, listed)
        compose = node.first("compose")
        if compose is None:
            return
        parameters = _parameters(node.value)
        for each in (*compose.children.get("include", ()), *compose.children.get("exclude", ())):
            system = each.get("system")
            if isinstance(system, str) and self._system(each, system):
                for concept in each.children.get("concept", ()):
                    self._code(concept, system)
                for one in each.children.get("filter", ()):
                    self._filter(one, system, parameters)

    def _system(self, node: Node, system: str) -> bool:
        """Tell what is wrong with an include's system; True when its codes can be looked at."""
        definitions = self.vocabulary.definitions
        source = definitions.code_system(system)
        if not SCHEME.match(system):
            said = f"The system {system!r} is not absolute; a contained one is named by its own url."
            self._tell("system", node, said, "Give the code system's URL.", system)
        elif "|" in system:
            said = f"The system {system!r} says a version, which belongs into version."
            self._tell("system", node, said, "Give the URL alone, and the version beside it.", system)
        elif source is None and definitions.value_set(system) is not None:
            said = f"{system} is a value set; system names a code system."
            self._tell("system", node, said, "Name it in valueSet, or name its code system.", system)
        elif source is not None and source.get("supplements") is not None:
            said = f"{system} only adds to {source.get('supplements')}."
            self._tell("system", node, said, f"Name {source.get('supplements')}.", system)
        else:
            return True
        return False

    def _code(self, node: Node, system: str) -> None:
        code = node.get("code")
        if isinstance(code, str) and self.vocabulary.knows(system, code) is False:
            self._tell("code", node, f"{system} has no code {code!r}.", "Use one of its codes.", code)

    def _filter(self, node: Node, system: str, parameters: frozenset[str]) -> None:
        kind, operation, value = str(node.get("property")), node.get("op"), node.first("value")
        if value is not None and value.sibling is not None:
            self._expression(value, parameters)
        if value is None or not isinstance(value.value, str):
            return
        text = value.value
        if operation == "regex":
            try:
                re.compile(text)
            except re.error as error:
                self._tell("filter", node, f"The pattern {text!r} cannot be read: {error}.", "Correct it.", text)
        elif operation == "exists":
            if text not in ("true", "false"):
                self._tell("filter", node, f"exists asks for true or false, not {text!r}.", "Give one of both.", text)
        elif system == SNOMED and kind == "constraint":
            wrong = fault(text)
            if wrong is not None:
                self._tell("filter", node, f"The expression {text!r} {wrong}.", "Correct the expression.", text)
        elif kind == "concept" and operation in _ABOUT_CODES:
            if self.vocabulary.knows(system, text) is False:
                self._tell("filter", node, f"{system} has no code {text!r}.", "Name one of its codes.", text)
        elif operation == "=":
            self._value(node, system, kind, text)

    def _value(self, node: Node, system: str, kind: str, text: str) -> None:
        source = self.vocabulary.definitions.code_system(system)
        wanted = {**TYPES, **property_types(source or {})}.get(kind)
        if wanted == "Coding":
            match = _CODED.fullmatch(text)
            if match is None:
                said = f"Property {kind!r} is a Coding: {text!r} has not the form system#code."
                self._tell("filter", node, said, "Write system#code.", text)
            elif self.vocabulary.knows(match["system"], match["code"]) is False:
                said = f"{match['system']} has no code {match['code']!r}."
                self._tell("filter", node, said, "Use one of its codes.", text)
        elif wanted in _FORMS and not _FORMS[wanted].fullmatch(text):
            self._tell("filter", node, f"Property {kind!r} is a {wanted}, which {text!r} is not.", "Correct it.", text)

    def _expression(self, node: Node, parameters: frozenset[str]) -> None:
        """A value that is computed from the value set's parameters."""
        expression = extension_value(node.sibling or {}, _EXPRESSION)
        if not isinstance(expression, dict):
            return
        text = str(expression.get("expression"))
        if expression.get("language") != "text/fhirpath":
            said = f"The expression's language is {expression.get('language')}; here it is text/fhirpath."
            self._tell("expression", node, said, "Write it in FHIRPath.")
            return
        try:
            parse(text)
        except Unsupported as error:
            self._tell("expression", node, f"The expression cannot be read: {error}", "Correct the FHIRPath.", text)
            return
        for name in re.findall(r"%([A-Za-z_][\w-]*)", text):
            if name not in parameters:
                self._tell("expression", node, f"The value set has no parameter {name!r}.", "Define it.", text)

    def check_map(self, node: Node) -> None:
        """Check ConceptMap `node`: its codes are of its value sets and systems."""
        for each in (found for side in ("source", "target") for found in node.children.get(side, ())):
            known = self.vocabulary.definitions.get(each.value) if isinstance(each.value, str) else None
            if known is not None and known["resourceType"] != "ValueSet":
                said = f"A map is between value sets, and {each.value} is a {known['resourceType']}."
                self._tell("map", each, said, "Name a value set.", each.value)
        for group in node.children.get("group", ()):
            for element in group.children.get("element", ()):
                self._mapped(element, "source", node, group)
                for target in element.children.get("target", ()):
                    self._mapped(target, "target", node, group)

    def _mapped(self, node: Node, side: str, holder: Node, group: Node) -> None:
        system, code = group.get(side), node.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return
        value_set = holder.value.get(f"{side}Canonical") or holder.value.get(f"{side}Uri")
        if self.vocabulary.knows(system, code) is False:
            self._tell("map", node, f"{system} has no code {code!r}.", "Use one of its codes.", code)
        elif isinstance(value_set, str) and self.vocabulary.has(value_set, system, code) is False:
            said = f"The {side} code {code!r} is not in the value set {value_set}."
            severity = "error" if side == "source" else "warning"  # R4: the target value set "provides context"
            self.tell(severity, "profiles.value-set-map", node, said, "Map codes of the value sets named.", value=code)


def _parameters(source: Json) -> frozenset[str]:
    found: set[str] = set()
    extensions = source.get("extension")
    for each in extensions if isinstance(extensions, list) else ():
        if isinstance(each, dict) and each.get("url") == _PARAMETER:
            found.update(str(name) for name in extension_values(each, "name"))
    return frozenset(found)
