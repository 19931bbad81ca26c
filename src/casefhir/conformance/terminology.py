"""Layer terminology: bindings, codes of known systems, displays, UCUM, check digits."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from casefhir.conformance.primitives import SCHEME
from casefhir.conformance.shapes import Binding
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.units import unit_fault
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.terms.check_digits import loinc_fault, snomed_fault

if TYPE_CHECKING:
    from casefhir.conformance.tx import TerminologyServer

UCUM = "http://unitsofmeasure.org"
_FAULTS = {
    "http://loinc.org": ("terminology.loinc", loinc_fault, "LOINC"),
    "http://snomed.info/sct": ("terminology.snomed", snomed_fault, "SNOMED CT"),
}
_STRENGTHS = {"required": "error", "extensible": "warning"}
_QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Distance", "Count", "SimpleQuantity"})


class Terminology:
    """Checks codes against `vocabulary`, asks `server` for what is not known here, counts the rest in `unchecked`."""

    def __init__(self, vocabulary: Vocabulary, tell: Tell, server: "TerminologyServer | None" = None) -> None:
        self.vocabulary = vocabulary
        self.server = server
        self.tell = tell
        self.unchecked: Counter[str] = Counter()

    def check(self, node: Node) -> None:
        """Check the codes of `node` itself and the binding of its element."""
        kind = node.shape.name
        if kind == "Coding":
            self._coding(node)
        elif kind in _QUANTITIES:
            self._unit(node)
        if node.element is not None and node.element.binding is not None:
            self.bound(node, node.element.binding)

    def bound(self, node: Node, binding: Binding, *, profile: str = "") -> None:
        """Check `node` against `binding`; required is an error, extensible a warning, others nothing."""
        severity = _STRENGTHS.get(binding.strength)
        if severity is not None:
            self._against(node, binding.value_set, severity, profile)
        if binding.most is not None:
            self._against(node, binding.most, "error", profile, most=True)
        for purpose, value_set in binding.additional:
            if purpose in _STRENGTHS or purpose == "maximum":
                self._against(node, value_set, _STRENGTHS.get(purpose, "error"), profile, most=purpose == "maximum")

    def _against(self, node: Node, value_set: str, severity: str, profile: str, *, most: bool = False) -> None:
        kind = node.shape.name
        codes = codes_of(node)
        if not codes:
            if kind == "code" and severity == "error" and node.value is None:
                self._complain(node, value_set, severity, profile, "has no code, and one is required", None)
            if kind == "CodeableConcept" and not most and self._wants_code(node):
                self._complain(
                    node,
                    value_set,
                    severity,
                    profile,
                    "has no code, and one from this value set "
                    + ("is required" if severity == "error" else "should be given"),
                    None,
                )
            return
        if kind == "code" or kind in ("string", "uri", "canonical", "url", "id", "markdown"):
            answers = [self.vocabulary.has(value_set, None, code) for _, code in codes]
        else:
            answers = [False if system is None else self._has(value_set, system, code) for system, code in codes]
        if True in answers or None in answers:
            if True not in answers:
                self.unchecked[value_set] += 1
            return
        if severity == "warning" and kind == "CodeableConcept" and not codes:
            return
        shown = " / ".join(
            f"{system or ''}#{code}" if kind not in ("code", "string", "uri") else code for system, code in codes
        )
        self._complain(node, value_set, severity, profile, f"{shown} is not in the value set", codes[0][1])

    def _wants_code(self, node: Node) -> bool:
        return bool(node.value)

    def _complain(self, node: Node, value_set: str, severity: str, profile: str, said: str, value: str | None) -> None:
        name = node.element.name if node.element is not None else node.key
        strength = "required" if severity == "error" else "extensible"
        source = f", as {profile} wants" if profile else ""
        few = self._few(value_set)
        self.tell(
            severity,
            f"terminology.{strength}-binding",
            node,
            f"{name}: {said} ({value_set}){source}.",
            f"Use one of: {few}." if few else "Use a code of that value set.",
            value=value,
        )

    def _few(self, value_set: str) -> str:
        codes = self.vocabulary.codes(value_set) or {}
        found = sorted(code for each in codes.values() if isinstance(each, frozenset) for code in each)
        return ", ".join(found[:12]) + (" ..." if len(found) > 12 else "")

    def _coding(self, node: Node) -> None:
        system, code, display = node.get("system"), node.get("code"), node.get("display")
        if not isinstance(system, str):
            if isinstance(code, str):
                self.tell(
                    "warning",
                    "terminology.no-system",
                    node,
                    f"Code {code!r} without a system means nothing.",
                    "Give the code system's URL.",
                    value=code,
                )
            return
        if not SCHEME.match(system):
            binding = node.element.binding if node.element is not None else None
            inside = node.parent is not None and node.parent.shape.name == "CodeableConcept"
            inside = inside or (binding is not None and binding.strength != "example")
            self._relative(node, system, "warning" if inside else "error")
            return
        if not isinstance(code, str) or not code:
            return
        if system in _FAULTS:
            rule, fault, name = _FAULTS[system]
            wrong = fault(code)
            if wrong is not None:
                self.tell("error", rule, node, f"{code} {wrong}.", f"Look the code up in {name}.", value=code)
            else:
                self._elsewhere(node, system, code, display)
        elif system == UCUM:
            self._ucum(node, code)
        else:
            self._listed(node, system, code, display)

    def _relative(self, node: Node, system: str, severity: str) -> None:
        """As HL7's validator: an error for Quantity and for an unbound Coding, else a warning (R4 says "should")."""
        self.tell(
            severity,
            "terminology.relative-system",
            node,
            f"The code system {system!r} is not absolute.",
            "Give the code system's URL.",
            value=system,
        )

    def _listed(self, node: Node, system: str, code: str, display: Any) -> None:
        source = self.vocabulary.definitions.code_system(system)
        if source is not None and source.get("supplements") is not None:
            self.tell(
                "error",
                "terminology.supplement",
                node,
                f"{system} only adds to {source.get('supplements')}; its codes are those of that system.",
                f"Name {source.get('supplements')}.",
                value=system,
            )
            return
        found = self.vocabulary.system(system)
        if found is None:
            if system.startswith("http://hl7.org/fhir/") and self.vocabulary.definitions.value_set(system):
                self.tell(
                    "error",
                    "terminology.value-set-as-system",
                    node,
                    f"{system} is a value set; a Coding's system is a code system.",
                    "Name the code system.",
                    value=system,
                )
                return
            known = self.vocabulary.knows(system, code)  # by the system's grammar
            if known is False:
                message = f"{code!r} has not the form of a code of {system}."
                self.tell("error", "terminology.unknown-code", node, message, "Use one of its codes.", value=code)
            elif known is None:
                self._elsewhere(node, system, code, display)
            return
        if code not in found.codes:
            if found.whole:
                self.tell(
                    "error",
                    "terminology.unknown-code",
                    node,
                    f"Code system {system} has no code {code!r}.",
                    "Use one of its codes.",
                    value=code,
                )
            else:
                self._elsewhere(node, system, code, display)
            return
        wanted = found.codes[code]
        if isinstance(display, str) and wanted is not None:
            said = _plain(display)
            if said != _plain(wanted) and said not in map(_plain, found.others.get(code, ())):
                self.tell(
                    "warning",
                    "terminology.display",
                    node,
                    f"Display {display!r} is not what {system} calls {code}: {wanted!r}.",
                    f"Write {wanted!r}, or leave the display out.",
                    value=display,
                )

    def _has(self, value_set: str, system: str, code: str) -> bool | None:
        answer = self.vocabulary.has(value_set, system, code)
        if answer is None and self.server is not None:
            return self.server.member(value_set, system, code)
        return answer

    def _elsewhere(self, node: Node, system: str, code: str, display: Any) -> None:
        """Ask the server for a code that cannot be told here; without one, or its answer, the code is unchecked."""
        answer = None
        if self.server is not None:
            answer = self.server.code(system, code, display if isinstance(display, str) else None)
        if answer is None or self.server is None:
            self.unchecked[system] += 1
        elif not answer.right:
            self.tell(
                "error",
                "terminology.unknown-code",
                node,
                f"{self.server.name} does not know code {code!r} of {system}: {answer.message}",
                "Look the code up.",
                value=code,
            )
        elif answer.message:
            self.tell(
                "warning",
                "terminology.display",
                node,
                f"{self.server.name} says of display {display!r}: {answer.message}",
                f"Write {answer.display!r}, or leave the display out." if answer.display else "Leave it out.",
                value=display,
            )

    def _unit(self, node: Node) -> None:
        system, code = node.get("system"), node.get("code")
        if not isinstance(code, str) or not code or not isinstance(system, str):
            return
        if system == UCUM:
            self._ucum(node, code)
        elif not SCHEME.match(system):
            self._relative(node, system, "error")
        elif system not in _FAULTS:
            self._listed(node, system, code, None)

    def _ucum(self, node: Node, code: str) -> None:
        wrong = unit_fault(code)
        if wrong is not None:
            self.tell(
                "error",
                "terminology.ucum",
                node,
                f"{code!r} is not a UCUM unit: it {wrong}.",
                "Write the unit in UCUM; keep the printed one in unit.",
                value=code,
            )


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def codes_of(node: Node) -> list[tuple[str | None, str]]:
    """(system, code) of a code, Coding, CodeableConcept or Quantity."""
    kind = node.shape.name
    if node.is_primitive():
        return [(None, node.value)] if isinstance(node.value, str) and node.value else []
    holders = node.children.get("coding", []) if kind == "CodeableConcept" else [node]
    found: list[tuple[str | None, str]] = []
    for each in holders:
        code, system = each.get("code"), each.get("system")
        if isinstance(code, str) and code:
            found.append((system if isinstance(system, str) else None, code))
    return found
