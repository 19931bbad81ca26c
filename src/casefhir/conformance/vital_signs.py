"""The R4 vital-signs profiles that an Observation's code implies, as HL7's validator reads the standard."""

import json
from functools import lru_cache
from pathlib import Path

from casefhir.conformance.definitions import CORE
from casefhir.conformance.tree import Node

_DATA = Path(__file__).with_name("data") / "vital_signs.json"
_SYSTEMS = {"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct"}


@lru_cache(maxsize=1)
def _profiles() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, codes in json.loads(_DATA.read_bytes())["profiles"].items():
        for key, system in _SYSTEMS.items():
            for code in codes[key]:
                found[system, code] = (*found.get((system, code), ()), CORE + name)
    return found


def implied_by(system: str, code: str) -> tuple[str, ...]:
    """The profiles that one code implies."""
    return _profiles().get((system, code), ())


def implied(node: Node) -> tuple[str, ...]:
    """The profiles that the code of `node` implies; none for other resources than Observation."""
    code = node.first("code") if node.shape.name == "Observation" else None
    if code is None:
        return ()
    found: dict[str, None] = {}
    for coding in code.children.get("coding", ()):
        pair = (coding.get("system"), coding.get("code"))
        if isinstance(pair[0], str) and isinstance(pair[1], str):
            found.update(dict.fromkeys(implied_by(*pair)))
    return tuple(found)
