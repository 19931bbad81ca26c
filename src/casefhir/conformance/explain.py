"""`explain(rule)`: what a rule wants, from R4's own text for invariants, from `data/rules.json` for the others."""

import json
from functools import lru_cache
from pathlib import Path

from casefhir.conformance.definitions import core
from casefhir.conformance.invariants import CORRECTED
from casefhir.errors import CasefhirError

_DATA = Path(__file__).with_name("data") / "rules.json"


class UnknownRule(CasefhirError):
    """A rule id that no layer has."""


@lru_cache(maxsize=1)
def own_rules() -> dict[str, str]:
    """The rules that are not R4's invariants: id to what it wants."""
    found: dict[str, str] = json.loads(_DATA.read_bytes())["rules"]
    return found


@lru_cache(maxsize=1)
def invariants() -> dict[str, tuple[str, str, str, tuple[str, ...]]]:
    """R4's invariants: key to severity, sentence, FHIRPath and the places that have it."""
    found: dict[str, tuple[str, str, str, tuple[str, ...]]] = {}
    for url, member in core().members.items():
        if member[0] not in "sp":
            continue
        source = core().read(url) or {}
        for view in ("snapshot", "differential"):
            for element in (source.get(view) or {}).get("element", ()):
                for each in element.get("constraint", ()):
                    key = each["key"]
                    places = found[key][3] if key in found else ()
                    if element["path"] not in places:
                        places = (*places, element["path"])
                    found[key] = (each["severity"], each.get("human", ""), each.get("expression", ""), places)
    return found


def explain(rule: str) -> str:
    """A few lines on `rule`: what it wants, where it applies, its expression. Raises `UnknownRule`."""
    if rule in own_rules():
        return f"{rule}\n{own_rules()[rule]}"
    if rule in invariants():
        severity, human, expression, places = invariants()[rule]
        shown = ", ".join(places[:6]) + (f" and {len(places) - 6} more" if len(places) > 6 else "")
        lines = [f"{rule} ({severity}) on {shown}", human, f"FHIRPath: {expression}"]
        if rule in CORRECTED:
            lines.append(f"Checked as: {CORRECTED[rule]}")
        return "\n".join(lines)
    raise UnknownRule(f"No rule is called {rule!r}; use an invariant's key (obs-6) or a rule id of a finding.")
