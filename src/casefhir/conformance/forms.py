"""A Questionnaire as a form: its items by linkId, and which of them a response enables."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from casefhir.conformance.canonicals import extension_value
from casefhir.conformance.conversion import Incomparable, converted
from casefhir.conformance.definitions import Json
from casefhir.conformance.fhirpath import Env, Unsupported, compiled, truth
from casefhir.conformance.fhirpath.evaluation import Failed
from casefhir.conformance.fhirpath.values import moment, order
from casefhir.conformance.tree import Node

ENABLE_EXPRESSIONS = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
    "http://phr.kanta.fi/StructureDefinition/fiphr-ext-questionnaire-enablewhen",
)
UCUM = "http://unitsofmeasure.org"
_TIMES = {"date": "date", "dateTime": "dateTime", "time": "time", "instant": "dateTime"}
_TESTS: dict[str, Callable[[int], bool]] = {
    ">": lambda found: found > 0,
    "<": lambda found: found < 0,
    ">=": lambda found: found >= 0,
    "<=": lambda found: found <= 0,
}


def items_of(holder: Json) -> list[Json]:
    """The items right below a Questionnaire or an item of it."""
    items = holder.get("item")
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


class Form:
    """A Questionnaire (JSON): `items` by linkId, `groups` from a linkId to those of the items around it."""

    def __init__(self, questionnaire: Json) -> None:
        self.source = questionnaire
        self.items: dict[str, Json] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self._gather(questionnaire, ())

    def _gather(self, holder: Json, around: tuple[str, ...]) -> None:
        for each in items_of(holder):
            name = str(each.get("linkId"))
            if name not in self.items:
                self.items[name] = each
                self.groups[name] = around
            self._gather(each, (*around, name))

    def common_group(self, one: str, other: str) -> str | None:
        """The innermost item that holds both; None when only the form itself does."""
        found = None
        for left, right in zip((*self.groups.get(one, ()), one), (*self.groups.get(other, ()), other)):
            if left != right:
                break
            found = left
        return found

    def enabled(self, item: Json, place: Node, env: Callable[[Node], Env]) -> bool | None:
        """Does the response enable `item`, which stands (or would stand) below `place`; None if it cannot be told."""
        expression = extension_value(item, *ENABLE_EXPRESSIONS)
        if expression is not None:
            return _expressed(expression, place.resource, env)
        conditions = [each for each in item.get("enableWhen", ()) if isinstance(each, dict)]
        if not conditions:
            return True
        answers = [self._met(item, each, place) for each in conditions]
        if item.get("enableBehavior") == "all":
            return all(answers)
        return any(answers) if item.get("enableBehavior") == "any" or len(answers) == 1 else None

    def _met(self, item: Json, condition: Json, place: Node) -> bool:
        question, operator = str(condition.get("question")), condition.get("operator")
        key, wanted = next(((key, each) for key, each in condition.items() if key.startswith("answer")), ("", None))
        answers = list(self._answers(str(item.get("linkId")), question, place))
        if operator == "exists":
            return bool(answers) == (wanted is not False)
        return any(_compares(each, str(operator), key.removeprefix("answer"), wanted) for each in answers)

    def _answers(self, source: str, question: str, place: Node) -> Iterator[Node]:
        """The answers to `question` within the innermost group that holds it and `source`."""
        group = self.common_group(source, question)
        start = place
        while start.parent is not None and start.shape.kind != "resource":
            if group is not None and start.key == "item" and start.get("linkId") == group:
                break
            start = start.parent
        inside = [start] if start.get("linkId") == question else []
        inside += [each for each in start.descendants() if each.key == "item" and each.get("linkId") == question]
        for each in inside:
            for answer in each.children.get("answer", ()):
                yield from answer.children.get("value", ())


def _expressed(expression: Any, response: Node, env: Callable[[Node], Env]) -> bool | None:
    if isinstance(expression, dict):
        if expression.get("language") != "text/fhirpath":
            return None
        expression = expression.get("expression")
    try:
        return truth(compiled(str(expression))([response], env(response)))
    except (Unsupported, Failed):
        return None


def _compares(answer: Node, operator: str, kind: str, wanted: Any) -> bool:
    if answer.type.lower() != kind.lower():
        return False
    found = compared(answer, wanted)
    if operator in ("=", "!="):
        same = found == 0 if found is not None else _same(answer.value, wanted)
        return same == (operator == "=")
    return found is not None and operator in _TESTS and _TESTS[operator](found)


def _same(answer: Any, wanted: Any) -> bool:
    if isinstance(answer, dict) and isinstance(wanted, dict):
        keys = ("system", "code") if "code" in wanted else ("reference",) if "reference" in wanted else tuple(wanted)
        return all(answer.get(key) == wanted.get(key) for key in keys if key in wanted)
    return bool(answer == wanted)


def compared(answer: Node, wanted: Any) -> int | None:
    """-1, 0 or 1 as the number, date, text or Quantity `answer` is less, equal or greater; None if it cannot be told.

    `wanted` is the JSON value of the same type. Raises nothing: quantities of different dimensions compare to None.
    """
    if isinstance(wanted, dict):
        try:
            return compared_quantity(answer.value, wanted)
        except Incomparable:
            return None
    if isinstance(wanted, bool) or isinstance(answer.value, bool):
        return 0 if wanted is answer.value else None
    if answer.type in _TIMES:
        return order(answer, moment(str(wanted), _TIMES[answer.type]))
    if isinstance(answer.value, int | Decimal) and isinstance(wanted, int | Decimal):
        return order(answer, wanted)
    return order(answer, wanted) if isinstance(answer.value, str) and isinstance(wanted, str) else None


def compared_quantity(one: Any, other: Json) -> int | None:
    """As `compared`, for two Quantities with coded units; raises `Incomparable` for different dimensions."""
    if not isinstance(one, dict) or not all(isinstance(each.get("value"), int | Decimal) for each in (one, other)):
        return None
    system, code, value = one.get("system"), one.get("code"), Decimal(one["value"])
    if not code or not other.get("code") or system != other.get("system"):
        return None
    if code != other["code"]:
        found = converted(value, str(code), str(other["code"])) if system == UCUM else None
        if found is None:
            return None
        value = found
    limit = Decimal(other["value"])
    return (value > limit) - (value < limit)
