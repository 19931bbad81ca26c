"""`explain(rule)`: what a rule wants, from R4's own text for invariants, from `data/rules.json` for the others."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from casefhir.conformance.definitions import Json, core
from casefhir.conformance.invariants import CORRECTED
from casefhir.errors import CasefhirError

Constraints = dict[str, tuple[str, str, str, tuple[str, ...]]]
_DATA = Path(__file__).with_name("data") / "rules.json"


class UnknownRule(CasefhirError):
    """A rule id that no layer has."""


@lru_cache(maxsize=1)
def own_rules() -> dict[str, str]:
    """The rules that are not R4's invariants: id to what it wants."""
    found: dict[str, str] = json.loads(_DATA.read_bytes())["rules"]
    return found


def _constraints(source: Json, found: Constraints) -> None:
    for view in ("snapshot", "differential"):
        for element in (source.get(view) or {}).get("element", ()):
            for each in element.get("constraint", ()):
                key = each["key"]
                places = found[key][3] if key in found else ()
                if element["path"] not in places:
                    places = (*places, element["path"])
                found[key] = (each["severity"], each.get("human", ""), each.get("expression", ""), places)


@lru_cache(maxsize=1)
def invariants() -> Constraints:
    """R4's invariants: key to severity, sentence, FHIRPath and the places that have it."""
    found: Constraints = {}
    for url, member in core().members.items():
        if member[0] in "sp":
            _constraints(core().read(url) or {}, found)
    return found


def explain(rule: str, own: Iterable[Json] = ()) -> str:
    """A few lines on `rule`: what it wants, where it applies, its expression.

    `own`: definitions of the caller's, whose constraints have names too. Raises `UnknownRule`.
    """
    if rule in own_rules():
        return f"{rule}\n{own_rules()[rule]}"
    theirs: Constraints = {}
    for each in own:
        if each.get("resourceType") == "StructureDefinition":
            _constraints(each, theirs)
    for known in (theirs, invariants()):
        if rule in known:
            severity, human, expression, places = known[rule]
            shown = ", ".join(places[:6]) + (f" and {len(places) - 6} more" if len(places) > 6 else "")
            lines = [f"{rule} ({severity}) on {shown}", human, f"FHIRPath: {expression}"]
            if rule in CORRECTED and known is not theirs:
                lines.append(f"Checked as: {CORRECTED[rule]}")
            return "\n".join(lines)
    near = get_close_matches(rule, [*own_rules(), *theirs, *invariants()], 3)
    meant = f" Perhaps {' or '.join(near)}." if near else ""
    raise UnknownRule(
        f"No rule is called {rule!r}.{meant} Use an invariant's key (obs-6) or a rule id of a finding; "
        "rules of your own profiles need --profiles."
    )
