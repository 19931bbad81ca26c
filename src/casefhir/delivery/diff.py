"""What differs between two bundles of a case, told by fact."""

import copy
import html
import re
from dataclasses import dataclass
from typing import Any, Literal

from casefhir.delivery.cases import fact_of, references
from casefhir.delivery.compare import Difference, differences
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.shapes import Json, obj

LONGEST = 300
_MARKUP = re.compile(r"<[^>]*>")
Change = Literal["only in the first", "only in the second", "different"]


@dataclass(frozen=True, slots=True)
class FactDifference:
    """One fact that is not the same in both; `differences` are first -> second.

    `summary` is what it says in words (in the second, if it is only there), `then` what it says in the second if that
    is another thing.
    """

    fact: str
    type: str
    change: Change
    summary: str
    differences: tuple[Difference, ...] = ()
    then: str | None = None

    def lines(self) -> list[str]:
        """What a reader sees: the fact, what it says in words, and each changed place."""
        if self.then is None:
            head = [f"{self.fact}: {self.change} ({self.type}{', ' + self.summary if self.summary else ''})"]
        else:
            head = [
                f"{self.fact}: {self.change} ({self.type})",
                f"    first:  {self.summary or '(nothing in words)'}",
                f"    second: {self.then or '(nothing in words)'}",
            ]
        # the narrative is told in words above, not as markup
        return [*head, *(f"    {one}" for one in self.differences if one.path != f"{self.type}.text.div")]


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
            before, after = summary(mine), summary(other)
            then = after if after != before else None
            found.append(FactDifference(fact, str(mine.get("resourceType")), "different", before, changes, then))
    return found


def summary(resource: Json) -> str:
    """What the resource says: its narrative as plain text, else its code, value and date, as far as it has them."""
    div = obj(resource.get("text")).get("div")
    told = " ".join(html.unescape(_MARKUP.sub(" ", div)).split()) if isinstance(div, str) else ""
    if told:
        return told if len(told) <= LONGEST else told[: LONGEST - 3] + "..."
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
