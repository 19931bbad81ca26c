"""Layer meaning: what the standard allows and no patient can have; warnings, never errors. Here dates and series."""

from decimal import Decimal
from typing import Any

from casefhir.conformance.fhirpath.values import Amount, order, unwrap
from casefhir.conformance.measurements import Measurements, codings
from casefhir.conformance.references import References
from casefhir.conformance.tell import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.units import in_unit

_AGE = ("http://loinc.org", "30525-0")
_DATED = {
    "Observation": "effective",
    "Condition": "onset",
    "Procedure": "performed",
    "MedicationStatement": "effective",
    "Encounter": "period",
    "AdverseEvent": "date",
    "AllergyIntolerance": "onset",
}
_OF_THE_LIVING = frozenset({"MedicationStatement", "Encounter", "AdverseEvent"})


def _edges(node: Node | None) -> tuple[Node | None, Node | None]:
    """The start and end of a dateTime or Period."""
    if node is None:
        return None, None
    if node.shape.name == "Period":
        return node.first("start"), node.first("end")
    return (node, node) if node.is_primitive() and node.value is not None else (None, None)


def _later(first: Node | None, second: Node | None) -> bool:
    """True when `first` is surely later than `second`, whatever their precision."""
    if first is None or second is None or not isinstance(first.value, str) or not isinstance(second.value, str):
        return False
    return order(first, second) == 1


class Meaning:
    """Checks resources one by one and, for a Bundle, what its entries say together."""

    def __init__(self, references: References, tell: Tell) -> None:
        self.references = references
        self.tell = tell
        self.measurements = Measurements(tell)

    def check(self, node: Node) -> None:
        """Check `node`, of any type."""
        self.measurements.check(node)
        if node.shape.kind != "resource":
            return
        name = node.shape.name
        if name == "Condition":
            self._condition(node)
        elif name == "AdverseEvent":
            self._adverse_event(node)
        elif name == "Patient":
            self._life(node)
        elif name == "Bundle":
            self._series(node)
        if name in _DATED:
            self._lifetime(node, node.first(_DATED[name]))

    def _warn(self, rule: str, node: Node, message: str, mend: str, value: Any = None) -> None:
        self.tell("warning", f"meaning.{rule}", node, message, mend, value=value)

    def _condition(self, node: Node) -> None:
        onset, _ = _edges(node.first("onset"))
        _, end = _edges(node.first("abatement"))
        if end is not None and _later(onset, end):
            self._warn(
                "end-before-start",
                end,
                "The condition abates before it begins.",
                "Check onset and abatement.",
                end.value,
            )

    def _life(self, patient: Node) -> None:
        birth, death = patient.first("birthDate"), patient.first("deceased")
        if death is not None and death.shape.name == "dateTime" and _later(birth, death):
            self._warn("death-before-birth", death, "The patient dies before birth.", "Check both dates.", death.value)

    def _adverse_event(self, node: Node) -> None:
        date = node.first("date")
        for suspect in node.children.get("suspectEntity", ()):
            instance = suspect.first("instance")
            text = instance.get("reference") if instance is not None else None
            target = self.references.resolve(text, node) if isinstance(text, str) else None
            if target is None or date is None:
                continue
            begin, _ = _edges(target.first("effective") or target.first("occurrence") or target.first("performed"))
            if _later(begin, date):
                self._warn(
                    "event-before-suspect",
                    suspect,
                    "The adverse event is dated before its suspect began.",
                    "Check the event's date, the course's start, or the suspect.",
                    date.value,
                )

    def _lifetime(self, node: Node, when: Node | None) -> None:
        subject = node.first("subject") or node.first("patient")
        text = subject.get("reference") if subject is not None else None
        patient = self.references.resolve(text, node) if isinstance(text, str) else None
        if patient is None or patient.shape.name != "Patient":
            return
        begin, end = _edges(when)
        birth, death = patient.first("birthDate"), patient.first("deceased")
        if birth is not None and begin is not None and _later(birth, begin):
            self._warn(
                "before-birth", begin, "This is dated before the patient's birth.", "Check both dates.", begin.value
            )
        dead = death is not None and death.shape.name == "dateTime" and _later(end, death)
        if dead and end is not None and node.shape.name in _OF_THE_LIVING:
            self._warn("after-death", end, "This is dated after the patient's death.", "Check both dates.", end.value)

    def _series(self, bundle: Node) -> None:
        """Observations of one code and subject whose unit changes between entries; ages against the birth date."""
        first: dict[tuple[str, str, str], tuple[str, Node]] = {}
        for entry in bundle.children.get("entry", ()):
            node = entry.first("resource")
            if node is None or node.shape.name != "Observation":
                continue
            value, subject = node.first("value"), node.first("subject")
            amount = unwrap(value) if value is not None else None
            if value is None or not isinstance(amount, Amount) or value.get("code") is None:
                continue
            who = str(subject.get("reference")) if subject is not None else ""
            for pair in codings(node.first("code")):
                unit, _ = first.setdefault((*pair, who), (amount.unit, node))
                if unit != amount.unit and in_unit(Decimal(1), unit, amount.unit) is None:
                    self._warn(
                        "unit-changes",
                        value,
                        f"This series of {pair[1]} was in {unit} before and is in {amount.unit} here.",
                        "Check whether both are meant.",
                        amount.unit,
                    )
                if pair == _AGE:
                    self._age(node, value, amount)

    def _age(self, node: Node, value: Node, amount: Amount) -> None:
        subject = node.first("subject")
        patient = self.references.resolve(str(subject.get("reference")), node) if subject is not None else None
        birth = patient.get("birthDate") if patient is not None else None
        when, _ = _edges(node.first("effective"))
        if not isinstance(birth, str) or when is None or not isinstance(when.value, str):
            return
        years = in_unit(amount.value, amount.unit, "a")
        if years is not None and abs(int(when.value[:4]) - int(birth[:4]) - int(years)) > 1:
            self._warn(
                "age",
                value,
                f"The age of {amount.value} {amount.unit} does not fit the dates of birth and of this observation.",
                "Check age and dates.",
                str(amount.value),
            )
