"""Cases beside each other: what was measured in several of them, and the courses they can be aligned at."""

from typing import Any

from casefhir.report.facts import Case
from casefhir.report.marks import stretch, value_rows
from casefhir.report.series import known, series


def multiples(cases: list[Case]) -> dict[str, Any] | None:
    """`measures` (name, and rows of values with their case) and `events` (name, each case's span of the first start).

    `first` are the two that show the most cases together, a measurement of this field where there is one. None where
    no measurement and no start can be drawn together.
    """
    measures: dict[str, dict[str, Any]] = {}
    events: dict[str, dict[str, Any]] = {}
    for case in cases:
        for each in series(case):
            rows = [row | {"case": case.name} for row in value_rows(each) if "value" in row]
            if rows:
                unit = f" ({each.unit})" if each.unit else ""
                found = measures.setdefault(each.key, {"name": each.name + unit, "rank": each.rank, "rows": []})
                found["rows"] += rows
        for fact in case.of_kind("Treatment courses"):
            if fact.start.known and fact.held.value.get("status") != "not-taken":
                name = (fact.codes[0].display if fact.codes else "") or fact.title
                starts = events.setdefault(fact.about, {"name": f"first start of {name}", "starts": {}})["starts"]
                span = stretch(fact.start)
                if case.name not in starts or span["from"] < starts[case.name]["from"]:
                    starts[case.name] = span
    for event in events.values():
        event["starts"] = {name: [span["from"], span["to"]] for name, span in event["starts"].items()}
    kept = sorted(events.values(), key=lambda each: -len(each["starts"]))
    shown = sorted(measures.values(), key=lambda each: (each["rank"], -len({row["case"] for row in each["rows"]})))
    pairs = [(measure, event) for measure in range(len(shown)) for event in range(len(kept))]
    first = max(pairs, key=lambda pair: _together(shown[pair[0]], kept[pair[1]]), default=None)
    return {"measures": shown, "events": kept, "first": first} if first else None


def _together(measure: dict[str, Any], event: dict[str, Any]) -> tuple[bool, int, int]:
    """How much is seen of `measure` around `event`: one of this field's, cases, values."""
    rows = [row for row in measure["rows"] if row["case"] in event["starts"]]
    return bool(rows) and measure["rank"] < len(known()), len({row["case"] for row in rows}), len(rows)
