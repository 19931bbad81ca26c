"""From a finding in a bundle of ours to the fact and the line of the mapping it comes from, by the index beside the
bundle.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from casefhir import exactjson
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


@lru_cache(maxsize=8)
def _ids_and_index(bundle: Path, index: Path) -> tuple[list[str], dict[str, Any]]:
    entries = exactjson.read(bundle.read_bytes()).get("entry", [])
    return [entry.get("resource", {}).get("id", "") for entry in entries], exactjson.read(index.read_bytes())


def origin_of(finding: Finding) -> FactOrigin | None:
    """Where the resource that `finding` is in comes from; None for files that have no index beside them
    (`index/<name>`).
    """
    match = _ENTRY.match(finding.pointer)
    if finding.file is None or match is None:
        return None
    bundle = Path(finding.file)
    index = bundle.parent / "index" / bundle.name
    if not index.is_file():
        return None
    ids, facts = _ids_and_index(bundle, index)
    found = facts.get(ids[int(match[1])])
    return FactOrigin(found["fact"], found.get("mapping"), found.get("line")) if found else None
