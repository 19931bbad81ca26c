"""From a finding in a bundle of ours to the fact and the line of the mapping it comes from, by the index beside the
bundle.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from casefhir.conformance.findings import Finding

_ENTRY = re.compile(r"/entry/([0-9]+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class FactOrigin:
    """The fact behind a resource: its key, the mapping's file name and line (from 1)."""

    fact: str
    mapping: str | None
    line: int | None

    def __str__(self) -> str:
        return f"{self.mapping}:{self.line}: {self.fact}" if self.mapping else self.fact


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in `path`, empty for anything else: what is wrong with the file is told by its findings."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=8)
def _facts(bundle: Path, index: Path, _changed: tuple[int, int]) -> list[FactOrigin | None]:
    """The fact behind each entry of `bundle`."""
    entries, known = _read(bundle).get("entry"), _read(index)
    found: list[FactOrigin | None] = []
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        name = resource.get("id") if isinstance(resource, dict) else None
        about = known.get(name) if isinstance(name, str) else None
        told = isinstance(about, dict) and isinstance(about.get("fact"), str)
        found.append(FactOrigin(about["fact"], about.get("mapping"), about.get("line")) if told and about else None)
    return found


def origin_of(finding: Finding) -> FactOrigin | None:
    """Where the resource that `finding` is in comes from; None for files that have no index beside them
    (`index/<name>`).
    """
    match = _ENTRY.match(finding.pointer)
    if finding.file is None or match is None:
        return None
    bundle = Path(finding.file)
    index = bundle.parent / "index" / bundle.name
    if not index.is_file() or not bundle.is_file():
        return None
    facts = _facts(bundle, index, (bundle.stat().st_mtime_ns, index.stat().st_mtime_ns))
    number = int(match[1])
    return facts[number] if number < len(facts) else None
