"""A Questionnaire's own rules: whom enableWhen asks, and what a derived form may change."""

from collections.abc import Iterator

from casefhir.conformance.canonicals import extension_value, named
from casefhir.conformance.definitions import CORE, Definitions, Json
from casefhir.conformance.forms import Form
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

_DERIVATION = CORE + "questionnaire-derivationType"
_EXTENDS, _COMPLIES = "extends", "compliesWith"


class Questionnaires:
    """Checks Questionnaire nodes."""

    def __init__(self, definitions: Definitions, tell: Tell) -> None:
        self.definitions = definitions
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check Questionnaire `node`."""
        form = Form(node.value)
        order = {name: place for place, name in enumerate(form.items)}
        bases = [*self._bases(node)]
        for item in node.descendants():
            if item.key != "item":
                continue
            name = str(item.get("linkId"))
            for condition in item.children.get("enableWhen", ()):
                self._condition(condition, name, form, order)
            for base, derivation in bases:
                self._derived(item, name, base, derivation)

    def _tell(self, rule: str, node: Node, message: str, mend: str, severity: str = "error") -> None:
        self.tell(severity, f"profiles.{rule}", node, message, mend)

    def _condition(self, node: Node, name: str, form: Form, order: dict[str, int]) -> None:
        question = node.get("question")
        if not isinstance(question, str):
            return
        if question not in form.items:
            self._tell("enable-when", node, f"No item has the linkId {question!r}.", "Name an item of this form.")
        elif question == name:
            self._tell("enable-when", node, f"Item {name!r} asks its own answer.", "Ask another item.")
        elif name in form.groups[question]:
            self._tell("enable-when", node, f"{question!r} is inside {name!r}, which it would enable.", "Ask another.")
        elif order[question] > order.get(name, 0):
            self._tell("enable-when", node, f"{question!r} comes after {name!r}.", "Ask an earlier item.", "warning")

    def _bases(self, node: Node) -> Iterator[tuple[Form, str]]:
        for each in node.children.get("derivedFrom", ()):
            kind = extension_value(each.sibling or {}, _DERIVATION)
            code = kind.get("code") if isinstance(kind, dict) else None
            if not isinstance(each.value, str) or code not in (_EXTENDS, _COMPLIES):
                continue
            found = named(each.value, "Questionnaire", node, self.definitions)
            if found is None:
                self._tell(
                    "questionnaire",
                    each,
                    f"Questionnaire {each.value} is not known, so this one was not compared with it.",
                    "Load it with the profiles.",
                    "warning",
                )
                continue
            yield Form(found), code

    def _derived(self, node: Node, name: str, base: Form, derivation: str) -> None:
        wanted, source = base.items.get(name), str(base.source.get("url"))
        if wanted is None:
            if derivation == _COMPLIES:
                self._differs(node, name, source, "is not there")
            return
        item: Json = node.value
        if item.get("type") != wanted.get("type"):
            self._differs(node, name, source, f"has type {wanted.get('type')}, not {item.get('type')}")
        if item.get("repeats") is True and wanted.get("repeats") is not True:
            self._differs(node, name, source, "does not repeat")
        if item.get("required") is False and wanted.get("required") is True:
            self._differs(node, name, source, "is required")
        most = wanted.get("maxLength")
        if isinstance(most, int) and not (isinstance(item.get("maxLength"), int) and item["maxLength"] <= most):
            self._differs(node, name, source, f"has at most {most} characters")
        if wanted.get("answerOption"):
            options = item.get("answerOption", ())
            if item.get("answerValueSet") or not options or any(not _among(x, wanted["answerOption"]) for x in options):
                self._differs(node, name, source, "has a fixed list of options, which may only get shorter")
        elif wanted.get("answerValueSet") and item.get("answerOption"):
            self._differs(node, name, source, "draws its answers from a value set")

    def _differs(self, node: Node, name: str, source: str, said: str) -> None:
        self._tell(
            "questionnaire-derived",
            node,
            f"Item {name!r} {said} in {source}, from which this form derives.",
            "Keep to the form that it derives from, or derive it otherwise.",
        )


def _among(option: Json, options: list[Json]) -> bool:
    return any(_value(option) == _value(each) for each in options)


def _value(option: Json) -> object:
    key, value = next(((key, each) for key, each in option.items() if key.startswith("value")), ("", None))
    if isinstance(value, dict):
        return key, tuple(value.get(part) for part in ("system", "version", "code", "reference"))
    return key, value
