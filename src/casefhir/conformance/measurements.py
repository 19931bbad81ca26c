"""Layer meaning, what quantities say: units that fit, values a patient can have, ranges and interpretations, doses."""

from decimal import Decimal
from typing import Any

from casefhir.conformance.fhirpath.values import Amount, order, unwrap
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.units import contradicts, in_unit, incommensurable
from casefhir.terms.bounds import Expected, expected

UCUM = "http://unitsofmeasure.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
HIGH, LOW = frozenset({"H", "HH", "HU"}), frozenset({"L", "LL", "LU"})
LIMITED = frozenset({"type", "appliesTo", "age"})  # a range with one of these is not for everybody
# Where a dose stands, as shape and element.
DOSES = {"Dosage.doseAndRate": "dose", "MedicationAdministration.dosage": "dose", "Immunization": "doseQuantity"}


def codings(node: Node | None) -> list[tuple[str, str]]:
    """(system, code) of each coding of a CodeableConcept."""
    if node is None:
        return []
    pairs = [(each.get("system"), each.get("code")) for each in node.children.get("coding", ())]
    return [(system, code) for system, code in pairs if isinstance(system, str) and isinstance(code, str)]


class Measurements:
    """Checks quantities, doses and Observations one by one."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check `node`, of any type."""
        name = node.shape.name
        if name == "Quantity" or name == "Duration" or name == "Age":
            self._printed(node)
        elif name in DOSES:
            self._dose(node.first(DOSES[name]))
        elif name == "Observation":
            for holder in (node, *node.children.get("component", ())):
                self._measured(holder)

    def _warn(self, rule: str, node: Node, message: str, mend: str, value: Any = None) -> None:
        self.tell("warning", f"meaning.{rule}", node, message, mend, value=value)

    def _printed(self, node: Node) -> None:
        text, code = node.get("unit"), node.get("code")
        if isinstance(text, str) and isinstance(code, str) and node.get("system") == UCUM and contradicts(text, code):
            self._warn(
                "unit-text",
                node,
                f"The unit is printed as {text!r} and coded as {code!r}, which are not the same.",
                "Find out which is right, and write both so.",
                text,
            )

    def _dose(self, dose: Node | None) -> None:
        if dose is None:
            return
        holder = dose.first("high") if dose.shape.name == "Range" else dose
        value = holder.get("value") if holder is not None else None
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value <= 0:
            self._warn(
                "dose-of-nothing",
                dose,
                f"A dose of {value} is no dose.",
                "Give the dose, leave it out where it is not known, or say that the drug was not given.",
                str(value),
            )

    def _measured(self, holder: Node) -> None:
        for each in holder.children.get("referenceRange", ()):
            if order(each.first("low"), each.first("high")) == 1:
                self._warn("reversed-range", each, "The reference range begins above its end.", "Exchange the two.")
        value = holder.first("value")
        if value is None or value.shape.name != "Quantity":
            return
        for pair in codings(holder.first("code")):
            wanted = expected().get(pair)
            if wanted is not None and self._possible(value, pair[1], wanted):
                break
        amount = unwrap(value)
        if isinstance(amount, Amount):
            self._interpreted(holder, value, amount)

    def _possible(self, value: Node, code: str, wanted: Expected) -> bool:
        """True when something was told of `value`, measured under `code`."""
        coded, text = value.get("code") if value.get("system") == UCUM else None, value.get("unit")
        unit = coded if isinstance(coded, str) else text
        if not isinstance(unit, str):
            return False
        if incommensurable(unit, wanted.unit, printed=unit is not coded):
            self._warn(
                "unit-of-code",
                value,
                f"{unit} does not measure what {code} stands for, which is in {wanted.unit} or what converts to it.",
                "Check unit and code.",
                unit,
            )
            return True
        number = value.get("value")
        if not isinstance(number, int | Decimal) or isinstance(number, bool):
            return False
        found = Decimal(number) if number < 0 else in_unit(Decimal(number), unit, wanted.unit)
        if found is None or (wanted.least <= found and (wanted.most is None or found <= wanted.most)):
            return False
        bounds = f"below {wanted.least}" if found < wanted.least else f"above {wanted.most}"
        self._warn(
            "implausible-value",
            value,
            f"{number} {unit} is {bounds} {wanted.unit}, so no patient can have it.",
            "Check value and unit.",
            str(number),
        )
        return True

    def _interpreted(self, holder: Node, value: Node, amount: Amount) -> None:
        words = {
            code
            for each in holder.children.get("interpretation", ())
            for system, code in codings(each)
            if system == INTERPRETATION
        }
        ranges = [each for each in holder.children.get("referenceRange", ()) if not LIMITED & each.children.keys()]
        if not words or len(ranges) != 1:
            return
        low, high = ranges[0].first("low"), ranges[0].first("high")
        below = low is not None and order(amount, low) == -1
        above = high is not None and order(amount, high) == 1
        said = "normal" if "N" in words else "high" if words & HIGH else "low" if words & LOW else ""
        where = "below" if below else "above" if above else ""
        inside = order(amount, low) in (0, 1) and order(amount, high) in (-1, 0)
        if (inside and said in ("high", "low")) or (where and said == "normal") or (where, said) in _CROSSED:
            self._warn(
                "interpretation",
                value,
                f"{amount.value} is {where or 'within'} its reference range, but is interpreted as {said}.",
                "Check value, range and interpretation.",
            )


_CROSSED = {("below", "high"), ("above", "low")}
