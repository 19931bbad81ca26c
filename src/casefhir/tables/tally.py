"""The sums of a conversion, which have to add up: rows read = converted + rejected + filtered, table by table."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from casefhir.sources.tables.counts import add_counts


@dataclass(slots=True)
class Tally:
    """What was counted: `rows` by table (read, converted, rejected, filtered); `resources` by type; `findings` by
    (severity, rule, message); `unmapped` by (rule, column, value); `defaults` by (rule, field, value); `rejected` by
    (table, rule, reason).
    """

    persons: int = 0
    rows: dict[str, Counter[str]] = field(default_factory=dict)
    resources: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defaults: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unchecked: Counter[str] = field(default_factory=Counter)

    def of(self, table: str) -> Counter[str]:
        """The counts of one table."""
        found = self.rows.get(table)
        if found is None:
            found = self.rows[table] = Counter(read=0, converted=0, rejected=0, filtered=0)
        return found

    def add(self, other: "Tally") -> None:
        """Add what another piece of the work counted."""
        self.persons += other.persons
        for table, counts in other.rows.items():
            self.of(table).update(counts)
        self.resources.update(other.resources)
        for mine, others in (
            (self.findings, other.findings),
            (self.unmapped, other.unmapped),
            (self.rejected, other.rejected),
            (self.defaults, other.defaults),
        ):
            add_counts(mine, others)
        self.unchecked.update(other.unchecked)

    @property
    def total_rejected(self) -> int:
        """Rows that could not be converted."""
        return sum(counts["rejected"] for counts in self.rows.values())

    @property
    def errors(self) -> int:
        """Errors among the findings of validation on what was written."""
        return sum(count for (severity, _, _), count in self.findings.items() if severity in ("fatal", "error"))

    def unaccounted(self) -> dict[str, int]:
        """Tables whose sums do not add up, which is a defect of ours: the difference."""
        return {
            table: difference
            for table, counts in self.rows.items()
            if (difference := counts["read"] - counts["converted"] - counts["rejected"] - counts["filtered"])
        }

    def to_json(self) -> dict[str, Any]:
        """As the manifest and `--json` show it; `from_json` reads it back."""
        return {
            "persons": self.persons,
            "rows": {table: dict(sorted(counts.items())) for table, counts in sorted(self.rows.items())},
            "resources": dict(sorted(self.resources.items())),
            "findings": _rows(self.findings, ("severity", "rule", "message")),
            "unmapped": _rows(self.unmapped, ("rule", "column", "value")),
            "defaults": _rows(self.defaults, ("rule", "field", "value")),
            "rejected": _rows(self.rejected, ("table", "rule", "reason")),
            "unchecked": dict(sorted(self.unchecked.items())),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Tally":
        """The tally that `to_json` wrote."""
        return cls(
            found["persons"],
            {table: Counter(counts) for table, counts in found["rows"].items()},
            Counter(found["resources"]),
            _counted(found["findings"], ("severity", "rule", "message")),
            _counted(found["unmapped"], ("rule", "column", "value")),
            _counted(found["rejected"], ("table", "rule", "reason")),
            _counted(found["defaults"], ("rule", "field", "value")),
            unchecked=Counter(found["unchecked"]),
        )


def _rows(counts: Counter[tuple[str, str, str]], names: tuple[str, str, str]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [dict(zip(names, key)) | {"count": count} for key, count in ordered]


def _counted(rows: list[dict[str, Any]], names: tuple[str, str, str]) -> Counter[tuple[str, str, str]]:
    first, second, third = names
    return Counter({(row[first], row[second], row[third]): row["count"] for row in rows})
