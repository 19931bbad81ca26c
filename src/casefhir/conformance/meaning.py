"""Layer meaning: what the standard allows and no patient can have; warnings, never errors."""

from decimal import Decimal
from functools import lru_cache
from json import loads
from pathlib import Path
from typing import Any

from casefhir.conformance.fhirpath.values import Amount, order, unwrap
from casefhir.conformance.references import References
from casefhir.conformance.structure import Tell
from casefhir.conformance.tree import Node
from casefhir.conformance.units import in_unit

_DATA = Path(__file__).with_name("data") / "plausible.json"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
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
Bounds = tuple[str, Decimal, Decimal]


@lru_cache(maxsize=1)
def bounds() -> dict[tuple[str, str], Bounds]:
    """(system, code) to (unit, least, most): what a living patient can have."""
    found: dict[tuple[str, str], Bounds] = {}
    for each in loads(_DATA.read_bytes(), parse_float=Decimal)["observations"]:
        found["http://loinc.org", each["loinc"]] = (each["unit"], Decimal(each["least"]), Decimal(each["most"]))
    return found


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


def codings(node: Node | None) -> list[tuple[str, str]]:
    """(system, code) of each coding of a CodeableConcept."""
    if node is None:
        return []
    pairs = [(each.get("system"), each.get("code")) for each in node.children.get("coding", ())]
    return [(system, code) for system, code in pairs if isinstance(system, str) and isinstance(code, str)]


class Meaning:
    """Checks resources one by one and, for a Bundle, what its entries say together."""

    def __init__(self, references: References, tell: Tell) -> None:
        self.references = references
        self.tell = tell

    def check(self, node: Node) -> None:
        """Check resource `node`."""
        name = node.shape.name
        if name == "Observation":
            self._observation(node)
        elif name == "Condition":
            self._condition(node)
        elif name == "AdverseEvent":
            self._adverse_event(node)
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

    def _observation(self, node: Node) -> None:
        for holder in (node, *node.children.get("component", ())):
            value = holder.first("value")
            amount = unwrap(value) if value is not None else None
            if value is None or not isinstance(amount, Amount):
                continue
            self._plausible(holder, value, amount)
            self._interpreted(holder, value, amount)

    def _plausible(self, holder: Node, value: Node, amount: Amount) -> None:
        for pair in codings(holder.first("code")):
            if pair not in bounds():
                continue
            unit, least, most = bounds()[pair]
            found = in_unit(amount.value, amount.unit, unit)
            if found is not None and not least <= found <= most:
                self._warn(
                    "implausible-value",
                    value,
                    f"{amount.value} {amount.unit} is outside {least} to {most} {unit}, what a patient can have.",
                    "Check value and unit.",
                    str(amount.value),
                )
                return

    def _interpreted(self, holder: Node, value: Node, amount: Amount) -> None:
        words = {
            code
            for each in holder.children.get("interpretation", ())
            for system, code in codings(each)
            if system == _INTERPRETATION
        }
        ranges = [
            each
            for each in holder.children.get("referenceRange", ())
            if not {"type", "appliesTo", "age"} & each.children.keys()
        ]
        if not words or len(ranges) != 1:
            return
        low, high = ranges[0].first("low"), ranges[0].first("high")
        below = low is not None and order(amount, low) == -1
        above = high is not None and order(amount, high) == 1
        if "N" in words and (below or above):
            self._warn(
                "interpretation",
                value,
                f"{amount.value} is {'below' if below else 'above'} its reference range, but is interpreted as normal.",
                "Check value, range and interpretation.",
            )
        inside = order(amount, low) in (0, 1) and order(amount, high) in (-1, 0)
        if inside and words & {"H", "HH", "L", "LL", "HU", "LU"}:
            self._warn(
                "interpretation",
                value,
                f"{amount.value} lies within its reference range, but is interpreted as high or low.",
                "Check value, range and interpretation.",
            )

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
