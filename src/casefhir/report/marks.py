"""Facts as the rows that plots are drawn from: spans of days, lanes, words, links into the page."""

from datetime import date, timedelta
from typing import Any

from casefhir.report.chronology import When
from casefhir.report.facts import Case, Fact
from casefhir.report.look import all_words, text
from casefhir.report.series import Series

Row = dict[str, Any]
MARKED = (
    "Adverse events",
    "Problems",
    "Allergies and intolerances",
    "Procedures",
    "Reports",
    "Visits",
    "Immunizations",
    "Family history",
    "Other facts",
)
_LONGEST = 60


def shortened(said: str) -> str:
    """`said`, cut where a plot has no room for more (tooltips and tables have it whole)."""
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def stretch(when: When) -> dict[str, str]:
    """The days of a known `when`: `from`, `to` (the day after the last) and `mid`, as plots take them."""
    first, last = when.first, when.last
    if first is None or last is None:
        raise ValueError("only a known time can be drawn")
    after = min(last, date.max - timedelta(days=1)) + timedelta(days=1)
    return {"from": first.isoformat(), "to": after.isoformat(), "mid": (first + (after - first) / 2).isoformat()}


def _common(fact: Fact, label: str) -> Row:
    return {"fact": fact.key, "href": f"#{fact.key}", "label": label}


def value_rows(series: Series) -> list[Row]:
    """One row a drawn value; values in words have no `value`."""
    found = []
    for each in series.drawn:
        said = (
            f"{series.name}: {each.text} {each.unit}".strip()
            if each.number is not None
            else f"{series.name}: {each.text}"
        )
        row = _common(each.fact, f"{said}, {each.start.text}") | stretch(each.start)
        row |= {"shown": shortened(f"{each.text} {each.flag}".strip()), "how": _how(each.start), "flag": each.flag}
        if each.number is not None:
            row["value"] = float(each.number)  # a place on the axis; the text beside it has the digits
        found.append(row)
    return found


def _how(when: When) -> str:
    return "reckoned from an event" if when.derived else "day" if when.exact else "span"


def course_rows(case: Case) -> list[Row]:
    """One row a drawn course, drug by drug: where it surely ran (`sure`), where it may have started or ended."""
    courses = [each for each in case.of_kind("Treatment courses") if drawn(each)]
    first: dict[str, date] = {}
    for fact in courses:
        first[fact.about] = min(first.get(fact.about, date.max), _begin(fact))
    courses.sort(key=lambda each: (first[each.about], each.about, _begin(each)))
    found, last = [], ""
    for lane, fact in enumerate(courses):
        said = ", ".join(filter(None, (fact.label, fact.value, fact.status, fact.when)))
        drug = fact.about
        row = _common(fact, said) | {
            "lane": f"{lane:03d} {shortened(fact.title) if fact.title != last else ''}",
            "drug": drug,
            "detail": shortened(fact.brief),
            "full": shortened(": ".join(filter(None, (fact.title, fact.brief)))),
        }
        row["how"] = "reckoned from an event" if fact.start.derived or fact.end.derived else "as told"
        row["taken"] = "no" if fact.held.value.get("status") == "not-taken" else "yes"
        start = stretch(fact.start) if fact.start.known else None
        end = stretch(fact.end) if fact.end.known else None
        row |= {"from": (start or end or {})["from"], "to": (end or start or {})["to"]}
        if start and end and start["to"] < end["from"]:
            row |= {"sure_from": start["to"], "sure_to": end["from"]}
        # a course told at one point in time has no end to tell
        whole = "effectiveDateTime" in fact.held.value or row["taken"] == "no"
        row["after"] = shortened("; ".join(_ends(fact, told=bool(end) or whole, began=bool(start))))
        found.append(row)
        last = fact.title
    return found


def _begin(fact: Fact) -> date:
    return fact.start.first or fact.end.first or date.max


def _ends(fact: Fact, *, told: bool, began: bool) -> list[str]:
    """How a course ended, for its bar: status and why where they say more than that it went on."""
    status = text(fact.held.value, "status")
    said = ["‹ start not told"] if not began else []
    reason = all_words(fact.held.value, "statusReason")
    if reason or status in ("stopped", "completed", "not-taken", "on-hold", "active", "intended"):
        said.append(": ".join(filter(None, (status.replace("-", " "), reason))))
    if not told and status != "active":
        said.append("› end not told")
    return said


def drawn(fact: Fact) -> bool:
    """Whether the fact has a time that can be drawn."""
    return fact.start.known or (fact.kind == "Treatment courses" and fact.end.known)


def event_rows(case: Case) -> list[Row]:
    """One row a drawn fact that is neither course nor result: by kind, then by time."""
    return _lanes([fact for fact in case.facts if fact.kind in MARKED and drawn(fact)])


def result_rows(case: Case, on_axis: set[str]) -> list[Row]:
    """One row a dated result that is in no series (`on_axis`: the keys of those that are)."""
    return _lanes([fact for fact in case.of_kind("Results") if drawn(fact) and fact.key not in on_axis])


def _lanes(facts: list[Fact]) -> list[Row]:
    order = (*MARKED, "Results")
    found, last = [], ""
    for lane, fact in enumerate(sorted(facts, key=lambda each: (order.index(each.kind), each.start.first or date.max))):
        linked = ", ".join(link.text for link in fact.links) if fact.kind == "Adverse events" else ""
        said = ", ".join(
            filter(
                None, (f"{fact.kind}: {fact.label}", fact.value, f"linked with: {linked}" if linked else "", fact.when)
            )
        )
        shown = f"{fact.label}: {fact.value}" if fact.kind == "Results" and fact.value else fact.label
        if linked:
            shown = f"{shown} ← {linked}"
        found.append(
            _common(fact, said)
            | stretch(fact.start)
            | {
                "lane": f"{lane:03d} {fact.kind if fact.kind != last else ''}",
                "kind": fact.kind,
                "shown": shortened(shown),
                "how": _how(fact.start),
            }
        )
        last = fact.kind
    return found
