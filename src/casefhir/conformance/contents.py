"""Resources whose content another definition rules, or that define: what goes beyond R4's own constraints."""

from collections.abc import Callable

from casefhir.conformance.code_systems import CodeSystems
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
from casefhir.conformance.value_sets import ValueSets
from casefhir.conformance.vocabulary import Vocabulary

RULED = frozenset(
    {
        "CapabilityStatement",
        "CodeSystem",
        "ConceptMap",
        "MeasureReport",
        "Questionnaire",
        "QuestionnaireResponse",
        "SearchParameter",
        "StructureDefinition",
        "ValueSet",
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
        self.tell = tell
        search = SearchParameters(definitions, tell)
        sets = ValueSets(vocabulary, tell)
        self._checks: dict[str, Callable[[Node], None]] = {
            "CapabilityStatement": search.check_capabilities,
            "CodeSystem": CodeSystems(vocabulary, tell).check,
            "ConceptMap": sets.check_map,
            "MeasureReport": MeasureReports(definitions, tell).check,
            "Questionnaire": Questionnaires(definitions, tell).check,
            "QuestionnaireResponse": Responses(definitions, vocabulary, tell, env).check,
            "SearchParameter": search.check,
            "StructureDefinition": StructureDefinitions(definitions, profiles, tell).check,
            "ValueSet": sets.check,
        }

    def check(self, node: Node) -> None:
        """Check resource `node`."""
        found = self._checks.get(node.shape.name)
        if found is not None:
            found(node)
            self._canonical(node)

    def _canonical(self, node: Node) -> None:
        url = node.first("url")
        if url is not None and isinstance(url.value, str) and ":" not in url.value:
            self.tell(
                "error",
                "profiles.canonical-url",
                url,
                f"A definition's url is absolute; {url.value!r} is not.",
                "Give an absolute URL.",
                value=url.value,
            )
