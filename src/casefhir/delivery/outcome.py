"""An OperationOutcome in plain words: what the server found, in which fact, from which mapping line."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefhir.delivery.cases import Case, Entry
from casefhir.delivery.secret import redact
from casefhir.delivery.shapes import obj, rows

_ENTRY = re.compile(r"\bentry\[(\d+)\]|\bentry\((\d+)\)|\bentry index (\d+)", re.IGNORECASE)
_NAME = re.compile(r"\b([A-Z][A-Za-z]+)[/(]([A-Za-z0-9.\-]{1,64})\b")
LONGEST = 2000
log = logging.getLogger("casefhir.delivery")
NO_OUTCOME = "it gave no OperationOutcome"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact was written down: its key, the mapping file and the line in it."""

    fact: str | None
    mapping: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """`fact (mapping:line)` as far as known."""
        source = f" ({self.mapping}:{self.line})" if self.mapping and self.line else ""
        source = source or (f" ({self.mapping})" if self.mapping else "")
        return f"{self.fact or 'unknown fact'}{source}"


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome; `resource` and `place` tell whose it is, if that can be known."""

    severity: str
    code: str
    diagnostics: str
    path: tuple[str, ...] = ()
    resource: str | None = None
    place: Place | None = None

    def __str__(self) -> str:
        """One line for a reader."""
        where = f" at {', '.join(self.path)}" if self.path else ""
        whose = f" in {self.resource}" if self.resource else ""
        fact = f", fact {self.place}" if self.place else ""
        return f"{self.severity} ({self.code}): {self.diagnostics}{where}{whose}{fact}"


class Index:
    """Resource id -> {"fact", "mapping", "line"}: the case's own, else `<bundles>/index/<case>.json`, else empty."""

    def __init__(self, case: Case) -> None:
        """Reads the index beside the file that the case came from, unless the case brought one."""
        self._rows: Mapping[str, Any] = case.index or {}
        if case.index is not None:
            return
        folder = Path(case.origin).parent / "index"
        name = case.key.replace("/", "_")
        file = folder / f"{name}.json"
        if file.is_file():
            try:
                found = json.loads(file.read_text("utf-8"))
            except (OSError, ValueError) as error:
                log.warning("%s cannot be read (%s); findings are told without their mapping line.", file, error)
                return
            self._rows = found if isinstance(found, dict) else {}

    def place(self, entry: Entry) -> Place:
        """Where the entry's fact comes from; only its key when the index does not know it."""
        row = self._rows.get(entry.id)
        if not isinstance(row, dict):
            return Place(entry.fact)
        line = row.get("line")
        return Place(row.get("fact") or entry.fact, row.get("mapping"), line if isinstance(line, int) else None)


def issues_of(body: Any, sent: Sequence[Entry | None], index: Index | None) -> tuple[Issue, ...]:
    """The issues of an OperationOutcome `body`, each matched to the entry of the request it speaks of.

    `sent` are the entries in the order of the transaction (None for a removal). Anything else than an
    OperationOutcome gives ().
    """
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return ()
    return tuple(_issue(row, sent, index) for row in rows(body.get("issue")))


def worst_of(body: Any) -> str:
    """The first error of an OperationOutcome as a sentence, or that there was none."""
    issues = issues_of(body, (), None)
    return next((str(issue) for issue in issues if issue.severity in ("fatal", "error")), NO_OUTCOME)


def _issue(row: dict[str, Any], sent: Sequence[Entry | None], index: Index | None) -> Issue:
    text = row.get("diagnostics") or obj(row.get("details")).get("text") or "no details given"
    said = redact(" ".join(str(text).split()))[:LONGEST]
    places = [row.get(field) for field in ("expression", "location")]
    path = tuple(redact(str(part))[:200] for place in places if isinstance(place, list) for part in place[:5])
    entry = _whose((*path, said), sent)
    return Issue(
        str(row.get("severity", "error"))[:20],
        str(row.get("code", "unknown"))[:40],
        said,
        path,
        entry.name if entry else None,
        index.place(entry) if entry and index else None,
    )


def _whose(texts: Sequence[str], sent: Sequence[Entry | None]) -> Entry | None:
    """By `Type/id` in the text first: servers may renumber the entries; then by the entry's number."""
    by_name = {entry.name: entry for entry in sent if entry}
    for text in texts:
        for kind, id_ in _NAME.findall(text):
            if f"{kind}/{id_}" in by_name:
                return by_name[f"{kind}/{id_}"]
    for text in texts:
        for found in _ENTRY.finditer(text):
            number = int(next(group for group in found.groups() if group))
            if number < len(sent):
                return sent[number]
    return None
