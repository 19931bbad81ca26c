"""Codes that claim one of R4's vital-signs profiles are written only on Observations that the profile takes: with a
day, and a value in its units or a reason for none. Otherwise the measurement keeps its name and its other codes.
"""

from casefhir.fhir.constants import HL7, LOINC
from casefhir.fhir.context import Context, Json
from casefhir.record import Measurement, On, Quantity, Value
from casefhir.terms.vital_signs import VitalSign, vital_signs

_CATEGORY = {"system": f"{HL7}/observation-category", "code": "vital-signs", "display": "Vital Signs"}
_PRESSURES = ("8480-6", "8462-4")
_DAY = len("2003-11-04")
LEFT_OUT = "; it is left out."
"""How remarks on codes end that are not written."""


def settle(context: Context, fact: Measurement, value: Value | None, found: Json) -> None:
    """Make the code and category of the Observation `found` fit the vital-signs profiles that its codes claim."""
    codings: list[Json] = found["code"].get("coding", [])
    claims = {(each["system"], each["code"]): vital_signs().get((each["system"], each["code"])) for each in codings}
    kept: list[Json] = []
    demanded: dict[str, None] = {}
    for coding in codings:
        claim = claims[coding["system"], coding["code"]]
        if claim is None:
            kept.append(coding)
        elif _takes(claim, fact, value, found):
            kept.append(coding)
            demanded[claim.loinc] = None
        else:
            context.remarks.append(
                f"{fact.key}: the code {coding['code']} would claim R4's profile {claim.name}, which wants a day and a "
                f"value in {' or '.join(claim.units) or 'its parts'}{LEFT_OUT}"
            )
    if not any(claims.values()):
        return
    kept += [
        {"system": LOINC, "code": code}
        for code in demanded
        if (LOINC, code) not in {(each["system"], each["code"]) for each in kept}
    ]
    found["code"] = ({"coding": kept} if kept else {}) | {
        name: part for name, part in found["code"].items() if name != "coding"
    }
    if demanded and _CATEGORY["code"] not in _categories(found):
        categories = [{"coding": [_CATEGORY]}, *found.pop("category", [])]
        rest = {name: found.pop(name) for name in [*found][[*found].index("code") :]}
        found |= {"category": categories} | rest


def _categories(found: Json) -> set[str]:
    return {coding["code"] for each in found.get("category", ()) for coding in each["coding"]}


def _takes(profile: VitalSign, fact: Measurement, value: Value | None, found: Json) -> bool:
    if not isinstance(fact.when, On) or len(fact.when.date) < _DAY:
        return False
    if profile.name == "bp":
        return value is None and all(code in _measured_parts(found) for code in _PRESSURES)
    if not profile.units:
        return True
    if value is None:
        return bool(fact.absent or fact.absent_code)
    return isinstance(value, Quantity) and bool(value.unit) and value.ucum in profile.units


def _measured_parts(found: Json) -> set[str]:
    """The codes of the parts whose values are pressures."""
    return {
        coding["code"]
        for part in found.get("component", ())
        if part.get("valueQuantity", {}).get("code") == "mm[Hg]" and part["valueQuantity"].get("unit")
        for coding in part["code"].get("coding", ())
        if coding["system"] == LOINC
    }
