"""Cases beside each other: what was measured in several of them, and the courses they can be aligned at."""

from typing import Any

from casefhir.report.facts import Case, Fact
from casefhir.report.marks import stretch, value_rows
from casefhir.report.series import series


def multiples(cases: list[Case]) -> dict[str, Any] | None:
    """`measures` (name, and rows of values with their case) and `events` (name, each case's span of the first start).

    None where no measurement and no start can be drawn together.
    """
    measures: dict[str, dict[str, Any]] = {}
    events: dict[str, dict[str, Any]] = {}
    for case in cases:
        for each in series(case):
            rows = [row | {"case": case.name} for row in value_rows(each) if "value" in row]
            if rows:
                unit = f" ({each.unit})" if each.unit else ""
                found = measures.setdefault(each.key, {"name": each.name + unit, "rows": []})
                found["rows"] += rows
        for fact in case.of_kind("Treatment courses"):
            if fact.start.known and fact.held.value.get("status") != "not-taken":
                key, name = _drug(fact)
                starts = events.setdefault(key, {"name": f"first start of {name}", "starts": {}})["starts"]
                span = stretch(fact.start)
                if case.name not in starts or span["from"] < starts[case.name]["from"]:
                    starts[case.name] = span
    for event in events.values():
        event["starts"] = {name: [span["from"], span["to"]] for name, span in event["starts"].items()}
    kept = sorted(events.values(), key=lambda each: -len(each["starts"]))
    shown = sorted(measures.values(), key=lambda each: -len({row["case"] for row in each["rows"]}))
    return {"measures": shown, "events": kept} if shown and kept else None


def _drug(fact: Fact) -> tuple[str, str]:
    """What makes two courses the same drug (its first code, else its words), and the drug's name."""
    if fact.codes:
        first = fact.codes[0]
        return f"{first.system}|{first.code}", first.display or fact.title
    return fact.title.lower(), fact.title
