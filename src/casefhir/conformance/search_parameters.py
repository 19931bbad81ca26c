"""SearchParameters, and the CapabilityStatements that name them."""

from casefhir.conformance.canonicals import named
from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fhirpath.parse import Unsupported, parse
from casefhir.conformance.paths import Unsound, types_at
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_RESERVED = ".$|"  # chains, modifiers' prefixes and token values


class SearchParameters:
    """Checks SearchParameter nodes."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def _tell(self, rule: str, node: Node, message: str, mend: str, severity: str = "error") -> None:
        self.tell(severity, f"profiles.{rule}", node, message, mend, value=node.value if node.is_primitive() else None)

    def check(self, node: Node) -> None:
        """Check SearchParameter `node`."""
        code = node.first("code")
        if code is not None and isinstance(code.value, str) and any(each in code.value for each in _RESERVED):
            self._tell(
                "search-code", code, "A search code has none of . $ |, which mean something in a search.", "", "warning"
            )
        bases = [each.value for each in node.children.get("base", ()) if isinstance(each.value, str)]
        expression = node.first("expression")
        if expression is not None and isinstance(expression.value, str) and bases:
            self._expression(expression, expression.value, frozenset(bases))
        if node.get("type") == "composite" and len(node.children.get("component", ())) < 2:
            self._tell("search-components", node, "A composite parameter has two components or more.", "Name them.")
        source = node.first("derivedFrom")
        if source is not None and isinstance(source.value, str):
            self._derived(node, source, source.value, bases)

    def _expression(self, node: Node, text: str, bases: frozenset[str]) -> None:
        try:
            types_at(parse(text), bases)
        except Unsupported as error:
            self._tell("search-expression", node, f"The expression cannot be read: {error}", "Correct the FHIRPath.")
        except Unsound as error:
            self._tell("search-expression", node, f"In the expression {error}.", "Name an element of the base types.")

    def _derived(self, node: Node, source: Node, url: str, bases: list[str]) -> None:
        found = named(url, "SearchParameter", node, self.definitions)
        if found is None:
            self._tell(
                "search-derived",
                source,
                f"SearchParameter {url} is not known, so this one was not compared with it.",
                "Load it with the profiles.",
                "warning",
            )
            return
        theirs = found.get("base", ())
        for each in bases:
            if each not in theirs and "Resource" not in theirs:
                self._tell("search-derived", node, f"{each} is no base of {url}.", "Keep to its base types.")
        if node.get("type") is not None and node.get("type") != found.get("type"):
            said = f"Its type is {node.get('type')}, that of {url} {found.get('type')}."
            self._tell("search-derived", node, said, "Keep to its type.")

    def check_capabilities(self, node: Node) -> None:
        """Check the search parameters that CapabilityStatement `node` names."""
        for rest in node.children.get("rest", ()):
            for resource in rest.children.get("resource", ()):
                for each in resource.children.get("searchParam", ()):
                    url, kind = each.get("definition"), each.get("type")
                    if not isinstance(url, str):
                        continue
                    found = named(url, "SearchParameter", node, self.definitions)
                    if found is not None and found.get("type") != kind:
                        said = f"{url} is of type {found.get('type')}, not {kind}."
                        self._tell("search-type", each, said, "Give the type of its definition.")
