"""What differs between two bundles of a case, told by fact."""

import copy
from dataclasses import dataclass
from typing import Any, Literal

from casefhir.delivery.cases import fact_of, references
from casefhir.delivery.compare import Difference, differences
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.shapes import Json

Change = Literal["only in the first", "only in the second", "different"]


@dataclass(frozen=True, slots=True)
class FactDifference:
    """One fact that is not the same in both; `differences` are first -> second."""

    fact: str
    type: str
    change: Change
    summary: str
    differences: tuple[Difference, ...] = ()

    def lines(self) -> list[str]:
        """What a reader sees: the fact, what it is, and each changed place."""
        head = f"{self.fact}: {self.change} ({self.type}{', ' + self.summary if self.summary else ''})"
        return [head, *(f"    {one}" for one in self.differences)]


def diff(first: Json, second: Json) -> list[FactDifference]:
    """The facts that differ between two Bundles, by fact key.

    Resources are matched by fact, references compared by the fact they point to, so ids and the form of the bundle
    do not count. Raises `UnfitInput` for a Bundle with a resource without a fact key or two of one.
    """
    ours, theirs = _by_fact(first), _by_fact(second)
    found = []
    for fact in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(fact), theirs.get(fact)
        if mine is None or other is None:
            change: Change = "only in the second" if mine is None else "only in the first"
            there = other if mine is None else mine
            found.append(FactDifference(fact, str((there or {}).get("resourceType")), change, summary(there or {})))
        elif changes := differences(mine, other) or differences(other, mine):
            found.append(FactDifference(fact, str(mine.get("resourceType")), "different", summary(mine), changes))
    return found


def summary(resource: Json) -> str:
    """A few words on what the resource says: its code, value and date, as far as it has them."""
    words = [_text(resource.get(key)) for key in ("code", "medicationCodeableConcept", "event", "type")]
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict):
        words.append(f"{quantity.get('comparator', '')}{quantity.get('value', '')} {quantity.get('unit', '')}".strip())
    words.append(_text(resource.get("valueCodeableConcept")))
    words += [str(resource[key]) for key in ("valueString", "effectiveDateTime", "onsetDateTime") if key in resource]
    return ", ".join(word for word in words if word)


def _text(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    coding = concept.get("coding")
    first = coding[0] if isinstance(coding, list) and coding and isinstance(coding[0], dict) else {}
    return str(concept.get("text") or first.get("display") or first.get("code") or "")


def _by_fact(bundle: Json) -> dict[str, Json]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise UnfitInput("Only two FHIR Bundles can be compared.")
    found: dict[str, Json] = {}
    names: dict[str, str] = {}
    for number, entry in enumerate(bundle.get("entry", [])):
        resource = entry.get("resource", {})
        fact = fact_of(resource)
        if fact is None:
            raise UnfitInput(f"entry[{number}] ({resource.get('resourceType')}) has no fact key to compare by.")
        if fact in found:
            raise UnfitInput(f"Two entries are of fact {fact!r}; nothing can be compared by it.")
        found[fact] = {key: value for key, value in copy.deepcopy(resource).items() if key != "id"}
        names[f"{resource.get('resourceType')}/{resource.get('id')}"] = fact
        if entry.get("fullUrl"):
            names[entry["fullUrl"]] = fact
    for resource in found.values():
        for holder in references(resource):
            holder["reference"] = (
                f"fact {names[holder['reference']]}" if holder["reference"] in names else holder["reference"]
            )
    return found
