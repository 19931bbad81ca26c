"""Layer invariants: the constraints of R4's types and elements, translated from FHIRPath."""

from collections.abc import Callable
from functools import cache
from importlib import resources

from casefhir.conformance.fhirpath import Env, Unsupported, compiled, truth
from casefhir.conformance.fhirpath.evaluation import Failed, Step
from casefhir.conformance.findings import Severity
from casefhir.conformance.narrative import read
from casefhir.conformance.shapes import Element, Rule, Shape
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node

# Expressions of R4 that do not say what their sentence says: con-3 compares a CodeableConcept with a string, so it
# never fires; que-7 asks whether a FHIR boolean is the System's; que-12 counts more than two where it says more than
# one; bdl-8 and ras-2 come out empty, which is no yes, when the optional element is absent.
CORRECTED = {
    "que-7": "operator = 'exists' implies (answer is boolean)",
    "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
    "bdl-8": "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
    "ras-2": "probability.empty() or ((probability is decimal) implies (probability as decimal) <= 100)",
    "con-3": "clinicalStatus.exists() or verificationStatus.coding.where("
    "system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() "
    "or category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category' and "
    "code='problem-list-item').empty()",
}
_NARRATIVE = frozenset({"txt-1", "txt-2"})  # `narrative` checks the markup


def _ref_1(node: Node) -> bool:
    text = node.get("reference")
    if not isinstance(text, str) or not text.startswith("#"):
        return True
    holder = node.root_resource
    if text == "#":
        return node.resource is not holder
    return holder.contained(text[1:]) is not None


def local_references(node: Node) -> set[str]:
    """All that `node` and its descendants say that could point at a contained resource."""
    found: set[str] = set()
    for each in node.descendants():
        if each.is_primitive() and isinstance(each.value, str) and each.value.startswith("#"):
            found.add(each.value)
    return found


def _dom_3(node: Node) -> bool:
    contained = node.children.get("contained")
    if not contained:
        return True
    outside: set[str] = set()
    for name, children in node.children.items():
        if name != "contained":
            for child in children:
                outside |= local_references(child)
                if isinstance(child.value, str):
                    outside.add(child.value)
    inside = [local_references(each) for each in contained]
    for place, each in enumerate(contained):
        others = (said for number, said in enumerate(inside) if number != place)
        name = f"#{each.get('id')}"
        if name not in outside and "#" not in inside[place] and not any(name in said for said in others):
            return False
    return True


def _ids(value: object) -> set[str]:
    """Every id in `value`: what a narrative may link to."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            if isinstance(each.get("id"), str):
                found.add(each["id"])
            waiting.extend(each.values())
    return found


def _unique_codes(node: Node) -> bool:
    codes = [
        each.value
        for each in node.descendants()
        if each.key == "code" and each.parent is not None and each.parent.key == "concept"
    ]
    return len(set(codes)) == len(codes)


NATIVE: dict[str, Callable[[Node], bool]] = {"ref-1": _ref_1, "dom-3": _dom_3, "csd-1": _unique_codes}


_Ready = tuple[Rule, Step | str | None]


@cache
def _rules(shape_rules: tuple[Rule, ...], element_rules: tuple[Rule, ...]) -> tuple[_Ready, ...]:
    found: dict[str, _Ready] = {}
    for rule in (*shape_rules, *element_rules):
        if rule.key in found or rule.key in _NARRATIVE:
            continue
        found[rule.key] = (rule, None if rule.key in NATIVE else translated(CORRECTED.get(rule.key, rule.expression)))
    return tuple(found.values())


def translated(expression: str) -> Step | str:
    """The closure of `expression`, or the sentence that says why there is none."""
    try:
        return compiled(expression)
    except Unsupported as error:
        return str(error)


def words(rule: Rule) -> tuple[Severity, str, str]:
    """Severity, sentence and what mends it, of a finding that `rule` does not hold."""
    practice = " (best practice)" if rule.best_practice else ""
    severity: Severity = "warning" if rule.best_practice or rule.severity == "warning" else "error"
    message = f"{rule.human}{practice}.".replace("..", ".")
    expression = CORRECTED.get(rule.key, rule.expression)
    return severity, message, _mends().get(rule.key, f"Make this hold: {expression}")


@cache
def _mends() -> dict[str, str]:
    """What mends a broken constraint, for those that people meet; for the others its expression says it."""
    text = (resources.files(__package__) / "data" / "mends.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines()[1:])


class Invariants:
    """Evaluates the rules of each node; `make` gives the environment that expressions see."""

    def __init__(self, tell: Tell, make: Callable[[Node], Env], *, best_practice: bool = True) -> None:
        self.tell = tell
        self.make = make
        self.best_practice = best_practice

    def check(self, node: Node) -> None:
        """Check every rule that R4 gives `node`."""
        shape: Shape = node.shape
        element: Element | None = node.element
        own = () if element is None else element.rules
        if shape.rules or own:
            env: Env | None = None
            for rule, step in _rules(shape.rules, own):
                if rule.key in NATIVE:
                    if not NATIVE[rule.key](node):
                        self.fail(rule, node)
                    continue
                env = env or self.make(node)
                self.judge(rule, step, node, env)
        if shape.name == "xhtml" and isinstance(node.value, str):
            self._narrative(node, node.value)

    def _narrative(self, node: Node, markup: str) -> None:
        reading = read(markup)
        for key, words in reading.faults:
            self.tell("error", key, node, f"The narrative {words}.", "Write plain XHTML in one <div>.")
        if reading.links:
            known = _ids(node.resource.value)
            for each in reading.links:
                if each not in known:
                    self.tell(
                        "error",
                        "structure.xhtml-link",
                        node,
                        f"The narrative links to #{each}, found nowhere.",
                        "Give the target that id, or take the link out.",
                        value=each,
                    )

    def judge(self, rule: Rule, step: Step | str | None, node: Node, env: Env) -> None:
        """Evaluate one rule on `node` and tell when it does not hold or cannot be evaluated."""
        if isinstance(step, str) or step is None:
            self.tell(
                "warning",
                "invariants.not-evaluated",
                node,
                f"{rule.key} was not evaluated: {step}",
                "Check it by hand.",
            )
            return
        try:
            holds = truth(step([node], env))
        except Failed as error:
            self.tell(
                "warning",
                "invariants.not-evaluated",
                node,
                f"{rule.key} was not evaluated here: {error}.",
                "Check it by hand.",
            )
            return
        if not holds:
            self.fail(rule, node)

    def fail(self, rule: Rule, node: Node) -> None:
        """Tell that `rule` does not hold on `node`."""
        if rule.best_practice and not self.best_practice:
            return
        severity, message, mend = words(rule)
        self.tell(severity, rule.key, node, message, mend)
