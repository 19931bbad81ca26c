"""StructureMaps: names, variables and groups that their rules use."""

import re
from dataclasses import dataclass, field

from casefhir.conformance.definitions import CORE, Definitions
from casefhir.conformance.shapes import Shape, shape
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]*\Z")
_DEFAULT_GROUP = "$fhir-def-group$"  # HL7's engine writes it for `->` without a rule


@dataclass(slots=True)
class _Variables:
    """Names that are known at a place, each with the shape of what it holds where that is known."""

    source: dict[str, Shape | None] = field(default_factory=dict)
    target: dict[str, Shape | None] = field(default_factory=dict)

    def copy(self) -> "_Variables":
        return _Variables(dict(self.source), dict(self.target))

    def of(self, mode: object) -> dict[str, Shape | None]:
        return self.target if mode == "target" else self.source


class StructureMaps:
    """Checks StructureMap nodes."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check the groups of StructureMap `node`."""
        groups = node.children.get("group", [])
        by_name = {str(each.get("name")): each for each in groups}
        for group in groups:
            self._name(group, "name")
            extended = group.first("extends")
            if extended is not None:
                self._known(extended, extended.value, by_name, node)
            known = _Variables()
            for each in group.children.get("input", ()):
                self._input(each, node, known)
            for each in group.children.get("rule", ()):
                self._rule(each, by_name, node, known)

    def _tell(self, rule: str, node: Node, message: str, mend: str) -> None:
        value = node.value if node.is_primitive() else None
        self.tell("error", f"profiles.{rule}", node, message, mend, value=value)

    def _name(self, node: Node, key: str) -> str | None:
        """The name under `key`, told when the mapping language could not read it."""
        found = node.first(key)
        if found is None or not isinstance(found.value, str):
            return None
        if not _NAME.match(found.value):
            message = f"{found.value!r} cannot be a name in a map."
            self._tell("map-name", found, message, "Write letters and digits, a letter first.")
            return None
        return found.value

    def _known(self, node: Node, name: object, groups: dict[str, Node], whole: Node) -> Node | None:
        """The group called `name`; what an imported map has is not looked into."""
        found = groups.get(str(name))
        if found is None and not whole.children.get("import"):
            self._tell(
                "map-group", node, f"There is no group {name!r} in this map.", "Name a group, or import its map."
            )
        return found

    def _input(self, node: Node, whole: Node, known: _Variables) -> None:
        name, mode, kind = self._name(node, "name"), node.get("mode"), node.get("type")
        if name is None:
            return
        if name in known.source or name in known.target:
            self._tell("map-variable", node, f"Another input is called {name!r} too.", "Give it a name of its own.")
        alias = next((each for each in whole.children.get("structure", ()) if each.get("alias") == kind), None)
        if kind is None or alias is not None:
            definition = None if alias is None else self._structure(alias.get("url"))
            if alias is not None and alias.get("mode") != mode and (alias.get("mode"), mode) != ("target", "source"):
                message = f"{kind} is declared as {alias.get('mode')}, and used as {mode}."
                self._tell("map-mode", node, message, "Declare and use it alike.")
        else:
            definition = self._structure(kind if ":" in str(kind) else CORE + str(kind))
            if definition is None:
                message = f"The type {kind!r} is neither one of R4 nor an alias of a structure of this map."
                self._tell("map-type", node, message, "Declare it as a structure with this alias.")
        known.of(mode)[name] = shape(definition) if definition is not None else None

    def _structure(self, url: object) -> str | None:
        found = self.definitions.structure(url) if isinstance(url, str) else None
        return str(found.get("type")) if found is not None else None

    def _rule(self, rule: Node, groups: dict[str, Node], whole: Node, outer: _Variables) -> None:
        known = outer.copy()
        self._name(rule, "name")
        for each in rule.children.get("source", ()):
            self._part(each, known, "source")
        for each in rule.children.get("target", ()):
            if each.get("contextType") == "type":
                continue
            if "context" in each.children:
                self._part(each, known, "target")
            elif (name := self._name(each, "variable")) is not None:
                known.target[name] = None
        for each in rule.children.get("rule", ()):
            self._rule(each, groups, whole, known)
        for each in rule.children.get("dependent", ()):
            self._dependent(each, groups, whole, known)

    def _part(self, node: Node, known: _Variables, mode: str) -> None:
        """A source or target: its context is a variable, its element one of the type's."""
        context = self._name(node, "context")
        if context is None:
            return
        variables = known.of(mode)
        if context not in variables:
            message = f"There is no {mode} {context!r} here."
            self._tell("map-variable", node, message, f"Name a {mode} of the group or of a rule around it.")
            return
        where, name = variables[context], node.get("element")
        found: Shape | None = where
        if isinstance(name, str):
            element = where.elements.get(name.removesuffix("[x]")) if where is not None else None
            if where is not None and element is None:
                self._tell("map-element", node, f"{where.name} has no element {name!r}.", "Name one that it has.")
                return
            types = element.types if element is not None else ()
            found = shape(types[0].code) if len(types) == 1 and mode == "source" else None
        if (variable := self._name(node, "variable")) is not None:
            variables[variable] = None if found is not None and found.abstract else found

    def _dependent(self, node: Node, groups: dict[str, Node], whole: Node, known: _Variables) -> None:
        name = node.get("name")
        group = self._known(node, name, groups, whole) if name != _DEFAULT_GROUP else None
        if group is None:
            return
        given, wanted = node.children.get("variable", []), group.children.get("input", [])
        if len(given) != len(wanted):
            message = f"Group {name!r} takes {len(wanted)} inputs, and is given {len(given)}."
            self._tell("map-inputs", node, message, "Give it what it takes.")
            return
        for variable, one in zip(given, wanted):
            fitting = known.target.keys() | (known.source.keys() if one.get("mode") == "source" else set())
            if variable.value not in fitting:
                message = f"There is no {one.get('mode')} {variable.value!r} here."
                self._tell("map-variable", variable, message, "Name a variable that is known here.")
