"""The value of a resource in words, and the references to what it is told with, type by type."""

from collections.abc import Callable
from typing import Any

from casefhir.report.bundles import Held
from casefhir.report.look import all_words, amount, inner, items, span, text, words


def described(held: Held) -> tuple[str, list[Any]]:
    """What the resource says beside its title and status, and its references to other facts."""
    describe = _DESCRIBED.get(held.type)
    return describe(held.value) if describe else ("", [])


def observed(value: Any) -> str:
    """The value of an Observation or component in words: number with unit, words, or why there is none."""
    for key, found in value.items() if isinstance(value, dict) else ():
        if key.startswith("value"):
            if isinstance(found, dict):
                if "numerator" in found:
                    return f"{amount(found['numerator'])} : {amount(found.get('denominator'))}"
                said = words(found) or amount(found) or span(found)
                return said or " – ".join(filter(None, (text(found, "start"), text(found, "end")))) or "a value"
            return text(value, key)
    absent = words(inner(value, "dataAbsentReason"))
    return f"no value: {absent}" if absent else ""


def _observation(value: Any) -> tuple[str, list[Any]]:
    parts = [observed(value)]
    parts += [f"{words(inner(each, 'code'))}: {observed(each)}" for each in items(value, "component")]
    parts.append(all_words(value, "interpretation"))
    for each in items(value, "referenceRange"):
        kind = words(inner(each, "type"))
        said = text(each, "text") or span(each)
        parts.append(f"{kind or 'reference'}: {said}" if said else kind)
    return "; ".join(filter(None, parts)), [*items(value, "hasMember")]


def _course(value: Any) -> tuple[str, list[Any]]:
    said = []
    for each in [*items(value, "dosage"), *items(value, "dosageInstruction")]:
        doses = [
            amount(inner(one, "doseQuantity")) or span(inner(one, "doseRange")) for one in items(each, "doseAndRate")
        ]
        repeat = inner(each, "timing", "repeat")
        often = ""
        if text(repeat, "period"):
            often = f"{text(repeat, 'frequency') or '1'} × / {text(repeat, 'period')} {text(repeat, 'periodUnit')}"
        exact = ", ".join(filter(None, (*doses, often, words(inner(each, "route")))))
        said.append(" – ".join(filter(None, (exact, text(each, "text")))))
    return "; ".join(filter(None, said)), items(value, "reasonReference")


def _event(value: Any) -> tuple[str, list[Any]]:
    parts = [
        words(inner(value, "severity")),
        words(inner(value, "seriousness")),
        f"outcome: {words(inner(value, 'outcome'))}" if inner(value, "outcome") else "",
    ]
    suspects = items(value, "suspectEntity")
    parts += dict.fromkeys(words(inner(cause, "assessment")) for each in suspects for cause in items(each, "causality"))
    linked = [each["instance"] for each in suspects if "instance" in each]
    return "; ".join(filter(None, parts)), [*linked, *items(value, "resultingCondition")]


def _condition(value: Any) -> tuple[str, list[Any]]:
    parts = [words(inner(value, "severity")), all_words(value, "bodySite"), all_words(value, "stage")]
    return "; ".join(filter(None, parts)), [one for each in items(value, "evidence") for one in items(each, "detail")]


def _report(value: Any) -> tuple[str, list[Any]]:
    return text(value, "conclusion"), items(value, "result")


def _procedure(value: Any) -> tuple[str, list[Any]]:
    said = (all_words(value, "bodySite"), words(inner(value, "outcome")))
    return "; ".join(filter(None, said)), items(value, "report")


def _visit(value: Any) -> tuple[str, list[Any]]:
    kind = inner(value, "class")
    return text(kind, "display") or text(kind, "code"), items(value, "reasonReference")


def _allergy(value: Any) -> tuple[str, list[Any]]:
    reactions = "; ".join(all_words(each, "manifestation") for each in items(value, "reaction"))
    return "; ".join(filter(None, (text(value, "type"), text(value, "criticality"), reactions))), []


_DESCRIBED: dict[str, Callable[[Any], tuple[str, list[Any]]]] = {
    "Observation": _observation,
    "MedicationStatement": _course,
    "MedicationRequest": _course,
    "MedicationAdministration": _course,
    "AdverseEvent": _event,
    "Condition": _condition,
    "DiagnosticReport": _report,
    "Procedure": _procedure,
    "Encounter": _visit,
    "AllergyIntolerance": _allergy,
}
