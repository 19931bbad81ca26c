"""Resources whose content another definition rules, or that define: what goes beyond R4's own constraints."""

from collections.abc import Callable

from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.questionnaires import Questionnaires
from casefhir.conformance.responses import Responses
from casefhir.conformance.structure import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

RULED = frozenset({"Questionnaire", "QuestionnaireResponse"})
"""The types that have such rules; the fast path leaves them to the slow one."""


class Contents:
    """Checks nodes of the types in `RULED`."""

    def __init__(
        self, definitions: Definitions, vocabulary: Vocabulary, tell: Tell, env: Callable[[Node], Env]
    ) -> None:
        self._checks: dict[str, Callable[[Node], None]] = {
            "Questionnaire": Questionnaires(definitions, tell).check,
            "QuestionnaireResponse": Responses(definitions, vocabulary, tell, env).check,
        }

    def check(self, node: Node) -> None:
        """Check resource `node`."""
        found = self._checks.get(node.shape.name)
        if found is not None:
            found(node)
