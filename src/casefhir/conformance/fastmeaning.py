"""What the fast path asks of a resource's own clinical sense (layer meaning): True only when nothing is doubtful."""

from decimal import Decimal
from typing import Any

from casefhir.conformance.measurements import HIGH, LIMITED, LOW
from casefhir.conformance.units import in_unit, incommensurable
from casefhir.terms.bounds import Expected, expected

Json = dict[str, Any]


class Meaning:
    """The one question, with what values are to be expected of each code."""

    def __init__(self) -> None:
        self.expected = expected()

    def sensible(self, name: str, found: Json) -> bool:
        """Does layer meaning surely say nothing of this resource alone."""
        if name == "Observation":
            return all(self._measured(each) for each in (found, *found.get("component", ())))
        if name == "Condition":
            end = [key for key in found if key.startswith("abatement")]
            begin = [key for key in found if key.startswith("onset")]
            return not (end and begin) or _later(found, end[0], begin[0])
        if name == "Patient" and "deceasedDateTime" in found and "birthDate" in found:
            return _later(found, "deceasedDateTime", "birthDate")
        return not (name == "AdverseEvent" and "date" in found and "suspectEntity" in found)

    def _measured(self, found: Json) -> bool:
        if "referenceRange" in found and not all(_forward(each) for each in found["referenceRange"]):
            return False
        value = found.get("valueQuantity")
        if value is None:
            return True
        for each in found["code"].get("coding", ()):
            wanted = self.expected.get((each.get("system"), each.get("code")))
            if wanted is not None and not _possible(value, wanted):
                return False
        if "interpretation" in found and "referenceRange" in found and "value" in value and "comparator" not in value:
            return _interpreted(found, value)
        return True


def _later(found: Json, end: str, begin: str) -> bool:
    """Is `end` surely in a later year than `begin`, both plain dates."""
    last, first = found[end], found[begin]
    return bool(last.__class__ is str and first.__class__ is str and last[:4] > first[:4])


def _possible(value: Json, wanted: Expected) -> bool:
    """Is a quantity surely in a unit that fits, and within its bounds."""
    unit, number = value.get("code"), value.get("value")
    if unit.__class__ is not str or (unit != wanted.unit and incommensurable(unit, wanted.unit)):
        return False
    if number is None:
        return True
    if unit != wanted.unit and number > 0:
        number = in_unit(Decimal(number), unit, wanted.unit)
        if number is None:
            return True
    most = wanted.most
    return bool(
        number >= wanted.least and (most is None or number < most or (number.__class__ is int and number == most))
    )


def _forward(found: Json) -> bool:
    """Does a reference range surely not begin above its end."""
    low, high = found.get("low"), found.get("high")
    if low is None or high is None or "value" not in low or "value" not in high:
        return True
    return bool(low.get("code") == high.get("code") and low["value"] < high["value"])


def _interpreted(found: Json, value: Json) -> bool:
    """Do interpretation, value and the one untyped reference range surely agree."""
    untyped = [each for each in found["referenceRange"] if not LIMITED & each.keys()]
    words = {coding.get("code") for each in found["interpretation"] for coding in each.get("coding", ())}
    if len(untyped) != 1:
        return True
    low, high = untyped[0].get("low"), untyped[0].get("high")
    for each in (low, high):
        if each is not None and (each.get("code") != value.get("code") or "value" not in each):
            return False
        if each is not None and each["value"] == value["value"] and value["value"].__class__ is not int:
            return False  # as binary fractions the two may be equal and as decimals not
    below = low is not None and value["value"] < low["value"]
    above = high is not None and value["value"] > high["value"]
    if below or above:
        return "N" not in words and not words & (HIGH if below else LOW)
    return low is None or high is None or not words & (HIGH | LOW)
