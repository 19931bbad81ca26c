"""Resources whose content another definition rules, or that define: what goes beyond R4's own constraints."""

from collections.abc import Callable

from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.measure_reports import MeasureReports
from casefhir.conformance.profiles import Profiles
from casefhir.conformance.questionnaires import Questionnaires
from casefhir.conformance.responses import Responses
from casefhir.conformance.search_parameters import SearchParameters
from casefhir.conformance.structure import Tell
from casefhir.conformance.structure_definitions import StructureDefinitions
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

RULED = frozenset(
    {
        "CapabilityStatement",
        "MeasureReport",
        "Questionnaire",
        "QuestionnaireResponse",
        "SearchParameter",
        "StructureDefinition",
    }
)
"""The types that have such rules; the fast path leaves them to the slow one."""


class Contents:
    """Checks nodes of the types in `RULED`."""

    def __init__(
        self,
        definitions: Definitions,
        profiles: Profiles,
        vocabulary: Vocabulary,
        tell: Tell,
        env: Callable[[Node], Env],
    ) -> None:
        search = SearchParameters(definitions, tell)
        self._checks: dict[str, Callable[[Node], None]] = {
            "CapabilityStatement": search.check_capabilities,
            "MeasureReport": MeasureReports(definitions, tell).check,
            "Questionnaire": Questionnaires(definitions, tell).check,
            "QuestionnaireResponse": Responses(definitions, vocabulary, tell, env).check,
            "SearchParameter": search.check,
            "StructureDefinition": StructureDefinitions(definitions, profiles, tell).check,
        }

    def check(self, node: Node) -> None:
        """Check resource `node`."""
        found = self._checks.get(node.shape.name)
        if found is not None:
            found(node)
