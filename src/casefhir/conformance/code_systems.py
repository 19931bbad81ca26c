"""CodeSystems: supplements, properties and counts, beyond R4's own constraints."""

from collections.abc import Iterator

from casefhir.conformance.definitions import Json
from casefhir.conformance.shapes import capital
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
# http://hl7.org/fhir/concept-properties: the codes that FHIR defines for any code system, and their types
TYPES = {
    "status": "code",
    "inactive": "boolean",
    "deprecated": "dateTime",
    "effectiveDate": "dateTime",
    "deprecationDate": "dateTime",
    "retirementDate": "dateTime",
    "notSelectable": "boolean",
    "parent": "code",
    "child": "code",
    "partOf": "code",
    "synonym": "code",
    "comment": "string",
    "itemWeight": "decimal",
}


class CodeSystems:
    """Checks CodeSystem nodes."""

    def __init__(self, vocabulary: Vocabulary, tell: Tell) -> None:
        self.vocabulary = vocabulary
        self.tell = tell

    def _tell(self, rule: str, node: Node, message: str, mend: str, severity: str = "error") -> None:
        self.tell(severity, f"profiles.code-system-{rule}", node, message, mend)

    def check(self, node: Node) -> None:
        """Check CodeSystem `node`."""
        concepts = list(_concepts(node))
        self._supplement(node, concepts)
        self._value_set(node)
        types = self._properties(node)
        for concept in concepts:
            for each in concept.children.get("property", ()):
                self._value(each, types)
        if concepts and node.get("content") == "not-present":
            said = f"The system says that its content is not present, and lists {len(concepts)} concepts."
            self._tell("count", node, said, "Say that it is a fragment, an example or complete.")
        count = node.get("count")
        if node.get("content") == "complete" and isinstance(count, int) and count != len(concepts):
            said = f"The system says that it has {count} concepts and is complete, and lists {len(concepts)}."
            self._tell("count", node, said, "Correct the count, or say that it is a fragment.")

    def _supplement(self, node: Node, concepts: list[Node]) -> None:
        base = node.get("supplements")
        if (node.get("content") == "supplement") != (base is not None):
            said = "A supplement names the system it adds to and has the content 'supplement'; this does one of both."
            self._tell("supplement", node, said, "Give both, or neither.")
        for concept in concepts if isinstance(base, str) else ():
            code = concept.get("code")
            if isinstance(code, str) and self.vocabulary.knows(str(base).partition("|")[0], code) is False:
                self._tell("supplement", concept, f"{base} has no code {code!r}.", "Add to a code that it has.")

    def _value_set(self, node: Node) -> None:
        """The value set of all codes, where it is known, includes this system and no part of it."""
        url = node.get("valueSet")
        known = self.vocabulary.definitions.value_set(url) if isinstance(url, str) else None
        if known is None:
            return
        included = known.get("compose", {}).get("include", ())
        whole = len(included) == 1 and not {"concept", "filter", "valueSet"} & included[0].keys()
        if not whole or included[0].get("system") != node.get("url"):
            said = f"{url} is not the value set of all codes of this system."
            self._tell("value-set", node, said, "Name the value set that includes the whole system, or none.")

    def _properties(self, node: Node) -> dict[str, str]:
        types: dict[str, str] = {}
        uris: set[str] = set()
        for each in node.children.get("property", ()):
            code, kind, uri = str(each.get("code")), str(each.get("type")), each.get("uri")
            if code in types:
                self._tell("property", each, f"Property {code!r} is defined twice.", "Keep one.")
            types.setdefault(code, kind)
            if not isinstance(uri, str):
                continue
            if ":" not in uri:
                self._tell("property", each, f"The property's uri {uri!r} is not absolute.", "Give an absolute URI.")
            if uri in uris:
                self._tell("property", each, f"Two properties have the uri {uri}.", "Keep one.")
            uris.add(uri)
            if uri.startswith(_PROPERTIES):
                self._defined(each, uri.removeprefix(_PROPERTIES), code, kind)
        return types

    def _defined(self, node: Node, name: str, code: str, kind: str) -> None:
        """A property that FHIR defines has FHIR's code and type."""
        if name not in TYPES:
            self._tell("property", node, f"FHIR defines no property {name!r}.", "Use a URI of your own.")
            return
        if code != name and code in TYPES:
            self._tell("property", node, f"{code!r} is another property of FHIR's than {name!r}.", f"Call it {name}.")
        if kind != TYPES[name]:
            self._tell("property", node, f"{name!r} is a {TYPES[name]}, not a {kind}.", f"Make it a {TYPES[name]}.")

    def _value(self, node: Node, types: dict[str, str]) -> None:
        code, value = str(node.get("code")), node.first("value")
        if code not in types:
            if code not in TYPES:
                self._tell("value", node, f"Property {code!r} is not defined.", "Define it in property.", "warning")
            return
        if value is not None and capital(value.type) != capital(types[code]):
            said = f"Property {code!r} is a {types[code]}, not a {value.type}."
            self._tell("value", node, said, "Give a value of the type that is defined.")


def _concepts(node: Node) -> Iterator[Node]:
    for each in node.children.get("concept", ()):
        yield each
        yield from _concepts(each)


def property_types(source: Json) -> dict[str, str]:
    """The types of the properties that CodeSystem `source` (JSON) defines, by code."""
    return {str(each.get("code")): str(each.get("type")) for each in source.get("property", ())}
