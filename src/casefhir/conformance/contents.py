"""Resources whose content another definition rules, or that define: what goes beyond R4's own constraints."""

from collections.abc import Callable

from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.profiles import Profiles
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

Check = Callable[[Node], None]


class Contents:
    """Checks nodes of the types in `RULED`; a checker is loaded when its type is first met."""

    def __init__(
        self,
        definitions: Definitions,
        profiles: Profiles,
        vocabulary: Vocabulary,
        tell: Tell,
        env: Callable[[Node], Env],
    ) -> None:
        self.definitions = definitions
        self.profiles = profiles
        self.vocabulary = vocabulary
        self.tell = tell
        self.env = env
        self._checks: dict[str, Check] = {}

    def check(self, node: Node) -> None:
        """Check resource `node`."""
        name = node.shape.name
        if name not in RULED:
            return
        if name not in self._checks:
            self._checks[name] = _LOADERS[name](self)
        self._checks[name](node)
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


def _capabilities(by: Contents) -> Check:
    from casefhir.conformance.search_parameters import SearchParameters

    return SearchParameters(by.definitions, by.tell).check_capabilities


def _code_system(by: Contents) -> Check:
    from casefhir.conformance.code_systems import CodeSystems

    return CodeSystems(by.vocabulary, by.tell).check


def _concept_map(by: Contents) -> Check:
    from casefhir.conformance.value_sets import ValueSets

    return ValueSets(by.vocabulary, by.tell).check_map


def _guide(by: Contents) -> Check:
    from casefhir.conformance.implementation_guides import ImplementationGuides

    return ImplementationGuides(by.tell).check


def _map(by: Contents) -> Check:
    from casefhir.conformance.structure_maps import StructureMaps

    return StructureMaps(by.definitions, by.tell).check


def _operation(by: Contents) -> Check:
    from casefhir.conformance.operation_definitions import OperationDefinitions

    return OperationDefinitions(by.definitions, by.tell).check


def _measure_report(by: Contents) -> Check:
    from casefhir.conformance.measure_reports import MeasureReports

    return MeasureReports(by.definitions, by.tell).check


def _questionnaire(by: Contents) -> Check:
    from casefhir.conformance.questionnaires import Questionnaires

    return Questionnaires(by.definitions, by.tell).check


def _response(by: Contents) -> Check:
    from casefhir.conformance.responses import Responses

    return Responses(by.definitions, by.vocabulary, by.tell, by.env).check


def _search_parameter(by: Contents) -> Check:
    from casefhir.conformance.search_parameters import SearchParameters

    return SearchParameters(by.definitions, by.tell).check


def _structure_definition(by: Contents) -> Check:
    from casefhir.conformance.structure_definitions import StructureDefinitions

    return StructureDefinitions(by.definitions, by.profiles, by.tell).check


def _value_set(by: Contents) -> Check:
    from casefhir.conformance.value_sets import ValueSets

    return ValueSets(by.vocabulary, by.tell).check


_LOADERS: dict[str, Callable[[Contents], Check]] = {
    "CapabilityStatement": _capabilities,
    "CodeSystem": _code_system,
    "ConceptMap": _concept_map,
    "ImplementationGuide": _guide,
    "MeasureReport": _measure_report,
    "OperationDefinition": _operation,
    "Questionnaire": _questionnaire,
    "QuestionnaireResponse": _response,
    "SearchParameter": _search_parameter,
    "StructureDefinition": _structure_definition,
    "StructureMap": _map,
    "ValueSet": _value_set,
}
RULED = frozenset(_LOADERS)
"""The types that have such rules; the fast path leaves them to the slow one."""
