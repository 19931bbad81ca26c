"""A QuestionnaireResponse against its Questionnaire: which items, where, how often, and their answers."""

from collections.abc import Callable

from casefhir.conformance.answers import Answers
from casefhir.conformance.canonicals import extension_value, named
from casefhir.conformance.definitions import CORE, Definitions, Json
from casefhir.conformance.fhirpath import Env
from casefhir.conformance.fhirpath.values import moment, order
from casefhir.conformance.forms import Form, items_of
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.vocabulary import Vocabulary

_DONE = ("completed", "amended")
_EXAMPLE = ("http://example.org", "https://example.org")


class Responses:
    """Checks QuestionnaireResponse nodes; `env` gives what an expression on a node can see."""

    def __init__(
        self, definitions: Definitions, vocabulary: Vocabulary, tell: Tell, env: Callable[[Node], Env]
    ) -> None:
        self.definitions = definitions
        self.tell = tell
        self.env = env
        self.answers = Answers(vocabulary, tell)

    def check(self, node: Node) -> None:
        """Check QuestionnaireResponse `node`."""
        said = node.first("questionnaire")
        if said is None or not isinstance(said.value, str):
            self.tell(
                "information",
                "profiles.questionnaire",
                node,
                "The response names no Questionnaire, so its answers were checked against none.",
                "Name it in questionnaire.",
            )
            return
        found = named(said.value, "Questionnaire", node, self.definitions)
        if found is None:
            self.tell(
                "information" if said.value.startswith(_EXAMPLE) else "warning",
                "profiles.questionnaire",
                said,
                f"Questionnaire {said.value} is not known, so the answers were not checked against it.",
                "Load it with the profiles.",
                value=said.value,
            )
            return
        self._period(node, found)
        _Response(self, Form(found), node).items(node, found)

    def _period(self, node: Node, questionnaire: Json) -> None:
        authored, period = node.first("authored"), questionnaire.get("effectivePeriod")
        if authored is None or not isinstance(period, dict):
            return
        for end, sign, words in (("start", -1, "before"), ("end", 1, "after")):
            limit = moment(str(period[end]), "dateTime") if end in period else None
            if limit is not None and order(authored, limit) == sign:
                self.tell(
                    "warning",
                    "profiles.questionnaire-period",
                    authored,
                    f"Authored {words} the Questionnaire's effective period ({end} {period[end]}).",
                    "Answer the Questionnaire that was in use then.",
                    value=authored.value,
                )


class _Response:
    """One response's walk along its form."""

    def __init__(self, checker: Responses, form: Form, root: Node) -> None:
        self.tell = checker.tell
        self.answers = checker.answers
        self.env = checker.env
        self.form = form
        self.missing = "error" if root.get("status") in _DONE else "warning"

    def _tell(self, rule: str, node: Node, message: str, mend: str, severity: str = "error") -> None:
        self.tell(severity, f"profiles.{rule}", node, message, mend)

    def items(self, holder: Node, definition: Json) -> None:
        """Check the items below `holder` (the response, an item or an answer) against those of `definition`."""
        wanted = items_of(definition)
        places = {str(each.get("linkId")): place for place, each in reversed(list(enumerate(wanted)))}
        given: dict[str, list[Node]] = {}
        last = 0
        for node in holder.children.get("item", ()):
            name = str(node.get("linkId"))
            if name not in places:
                self._misplaced(node, name)
                continue
            if places[name] < last:
                self._tell("item-order", node, f"Item {name!r} comes too late.", "Keep the Questionnaire's order.")
            last = max(last, places[name])
            given.setdefault(name, []).append(node)
        for each in wanted:
            self._group(holder, each, given.get(str(each.get("linkId")), []))

    def _misplaced(self, node: Node, name: str) -> None:
        found = self.form.items.get(name)
        if found is None:
            self._tell("item-unknown", node, f"The Questionnaire has no item {name!r}.", "Correct its linkId.")
            return
        around = self.form.groups[name]
        where = f"inside {around[-1]!r}" if around else "at the top"
        self._tell("item-place", node, f"Item {name!r} stands {where} in the Questionnaire, not here.", "Move it.")
        self._item(node, found, True)

    def _group(self, holder: Node, item: Json, nodes: list[Node]) -> None:
        """Check the `nodes` that answer one item of the form."""
        name, enabled = item.get("linkId"), self.form.enabled(item, holder, self.env)
        if enabled is None:
            self._tell(
                "not-evaluated",
                holder,
                f"Whether item {name!r} is enabled was not evaluated.",
                "Check it by hand.",
                "warning",
            )
        if not nodes and enabled and item.get("required") is True:
            self._required(holder, item)
        if len(nodes) > 1 and item.get("repeats") is not True:
            self._tell("item-repeats", nodes[1], f"Item {name!r} may be there once.", "Keep one, or answer it twice.")
        if item.get("type") == "group":
            self._occurrences(nodes[0] if nodes else holder, item, len(nodes))
        for node in nodes:
            if enabled is False and (node.children.get("answer") or node.children.get("item")):
                self._tell(
                    "item-disabled",
                    node,
                    f"Item {name!r} is not enabled by the other answers, so it has none.",
                    "Take its answers out, or correct those that disable it.",
                )
            self._item(node, item, enabled)

    def _required(self, node: Node, item: Json) -> None:
        self._tell(
            "item-missing",
            node,
            f"Item {item.get('linkId')!r} is required and has no answer.",
            "Answer it, or do not say that the response is completed.",
            self.missing,
        )

    def _occurrences(self, node: Node, item: Json, count: int) -> None:
        least = extension_value(item, CORE + "questionnaire-minOccurs")
        most = extension_value(item, CORE + "questionnaire-maxOccurs")
        name = item.get("linkId")
        if isinstance(least, int) and count < least and node.key == "item" and node.get("linkId") == name:
            self._tell("item-count", node, f"Item {name!r} has {count} of at least {least}.", "Add.", self.missing)
        if isinstance(most, int) and count > most:
            self._tell("item-count", node, f"Item {name!r} has {count} of at most {most}.", "Keep the right ones.")

    def _item(self, node: Node, item: Json, enabled: bool | None) -> None:
        """Check one item of the response."""
        name, kind = item.get("linkId"), item.get("type")
        answers, inner = node.children.get("answer", []), node.children.get("item", [])
        text = node.get("text")
        if isinstance(text, str) and text != item.get("text"):
            self._tell("item-text", node, f"Item {name!r} has another text in the Questionnaire.", "Copy its text.")
        if kind in ("group", "display", "question"):
            if answers:
                self._tell("item-answers", node, f"Item {name!r} is a {kind}, which has no answers.", "Take them out.")
            if inner and kind == "display":
                self._tell("item-inside", node, f"Item {name!r} is a display, which has no items.", "Take them out.")
            if kind == "group":
                if item.get("required") is True and enabled and not inner:
                    self._required(node, item)
                self.items(node, item)
            return
        if not answers and item.get("required") is True and enabled:
            self._required(node, item)
        if len(answers) > 1 and item.get("repeats") is not True:
            self._tell("item-repeats", node, f"Item {name!r} takes one answer, not {len(answers)}.", "Keep one.")
        self._occurrences(node, item, len(answers))
        if inner:
            self._tell(
                "item-inside",
                node,
                f"Item {name!r} is a question: items inside it belong to its answers.",
                "Move them into the answer.",
            )
        for each in answers:
            self.answers.check(each, item, self.form, len(answers))
            self.items(each, item)
