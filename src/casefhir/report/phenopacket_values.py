"""Values and doses of FHIR as Phenopackets have them, or the reason why a packet would say something else.

Source: https://phenopacket-schema.readthedocs.io, Quantity, ReferenceRange and DoseInterval, whose three parts are all
required: how much, how often, and from when to when.
"""

from typing import Any

from casefhir.report.look import Code, inner, items, number, text
from casefhir.report.ontology import UCUM, Terms

_REGULAR = frozenset({"frequency", "period", "periodUnit"})
_LESS = frozenset({"id", "extension"})
_CONDITIONS = (
    "asNeededBoolean",
    "asNeededCodeableConcept",
    "maxDosePerPeriod",
    "maxDosePerAdministration",
    "maxDosePerLifetime",
)


def value(part: Any, terms: Terms) -> dict[str, Any] | str:
    """The value of an Observation or of a component of one, or why it cannot be told."""
    measured = inner(part, "valueQuantity")
    if measured is not None:
        told = quantity(measured, terms)
        if isinstance(told, str):
            return told
        ranges = [each for each in items(part, "referenceRange") if "type" not in each]
        if len(ranges) == 1:
            low, high = (quantity(inner(ranges[0], end), terms) for end in ("low", "high"))
            if isinstance(low, dict) and isinstance(high, dict):
                told["referenceRange"] = {"unit": low["unit"], "low": low["value"], "high": high["value"]}
        return {"quantity": told}
    term = terms.first(inner(part, "valueCodeableConcept"), ("SNOMEDCT", "LOINC", "HP", "MONDO"))
    return {"ontologyClass": term} if term else "the value has words alone"


def quantity(measured: Any, terms: Terms) -> dict[str, Any] | str:
    """A FHIR Quantity as a Quantity of a packet."""
    amount, code = number(measured, "value"), text(measured, "code")
    if amount is None:
        return "no number"
    if text(measured, "comparator"):
        return f"a phenopacket has no word for {text(measured, 'comparator')}"
    if not code or text(measured, "system") != UCUM:
        return "the unit has no UCUM code"
    unit = terms.term(Code(UCUM, code, ""), text(measured, "unit") or code)
    return {"unit": unit, "value": amount}


def dose(dosages: list[Any], terms: Terms) -> dict[str, Any] | str:
    """How much and how often, the first two parts of a DoseInterval, of the one Dosage of a course."""
    if len(dosages) != 1:
        return f"{len(dosages)} dosages" if dosages else "no dosage"
    (dosage,) = dosages
    rates = items(dosage, "doseAndRate")
    if len(rates) != 1 or set(rates[0]) - _LESS - {"type", "doseQuantity"} or "doseQuantity" not in rates[0]:
        return "no single amount of a dose"
    limited = [name for name in _CONDITIONS if dosage.get(name) not in (None, False)]
    if limited:
        return f"a phenopacket has no word for {limited[0]}"
    repeat = inner(dosage, "timing", "repeat") or {}
    often = frequency(repeat) if set(repeat) - _LESS == _REGULAR else None
    if often is None:
        return "no regular frequency, or more than that"
    amount = quantity(rates[0]["doseQuantity"], terms)
    if isinstance(amount, str):
        return amount
    code, said = often
    return {"quantity": amount, "scheduleFrequency": terms.term(Code(UCUM, code, ""), said)}


def frequency(repeat: Any) -> tuple[str, str] | None:
    """A regular Timing as a frequency in UCUM, and in words: twice a day is `2/d`, once in six months `1/(6.mo)`."""
    count, period, unit = number(repeat, "frequency"), number(repeat, "period"), text(repeat, "periodUnit")
    if not count or not period or not unit or count % 1 or period % 1:
        return None
    code = f"{int(count)}/{unit}" if period == 1 else f"{int(count)}/({int(period)}.{unit})"
    return code, f"{int(count)} in {int(period)} {unit}"
