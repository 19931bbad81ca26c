"""OperationDefinitions: the profiles of all their parameters together."""

from casefhir.conformance.canonicals import named
from casefhir.conformance.definitions import Definitions
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node


class OperationDefinitions:
    """Checks OperationDefinition nodes."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check that inputProfile and outputProfile of OperationDefinition `node` are known profiles of Parameters."""
        for name in ("inputProfile", "outputProfile"):
            profile = node.first(name)
            if profile is None or not isinstance(profile.value, str):
                continue
            found = named(profile.value, "StructureDefinition", node, self.definitions)
            if found is None:
                message = f"Profile {profile.value} is not known, so the parameters were not compared with it."
                self._tell("unknown", profile, message, f"Load it with the profiles, or leave {name} out.")
            elif found.get("type") != "Parameters":
                message = f"{profile.value} is a profile of {found.get('type')}, not of Parameters."
                self._tell("operation-profile", profile, message, "Name a profile of Parameters.")

    def _tell(self, rule: str, node: Node, message: str, mend: str) -> None:
        self.tell("error", f"profiles.{rule}", node, message, mend, value=node.value)
