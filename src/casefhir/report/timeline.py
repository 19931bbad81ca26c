"""A case's timeline: series above courses above events, on one time axis."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from casefhir.report.facts import Case
from casefhir.report.marks import Row, course_rows, event_rows, result_rows, value_rows
from casefhir.report.panels import GUTTER, SCHEMA, Spec, course_panel, event_panel, series_panel
from casefhir.report.series import Series, series

_HEIGHT = 62
_TOO_LATE = 0.6
_NEAR, _LETTER, _WIDEST = (
    0.05,
    0.017,
    0.42,
)  # of a narrow axis: between words, a letter, the longest words
_WORD_LEVELS = 3


def timeline(case: Case) -> Spec | None:
    """The panels of `case` (`id`, `title`, `shown`, `spec`) and the `domain` of time; None where nothing is dated.

    The page puts the panels it shows under one another on one axis.
    """
    plans: list[tuple[str, str, bool, list[Row], Callable[[list[Row]], Spec]]] = []
    on_axis: set[str] = set()
    for at, each in enumerate(series(case)):
        rows = value_rows(each)
        if any("value" in row for row in rows):
            on_axis |= {row["fact"] for row in rows}
            ranges = "".join(f", {band.text}" for band in each.bands)
            title = f"{each.name}{f' ({each.unit})' if each.unit else ''}{ranges}"
            name = f"s{at}"
            plans.append((name, title, each.followed, rows, partial(_series, each, name)))
    plans += [
        ("courses", "Treatment courses", True, course_rows(case), course_panel),
        ("events", "Events", True, event_rows(case), lambda rows: event_panel(rows, "events")),
        ("words", "Other results", False, result_rows(case, on_axis), lambda rows: event_panel(rows, "words")),
    ]
    plans = [plan for plan in plans if plan[3]]
    if not plans:
        return None
    all_rows = [row for _, _, _, rows, _ in plans for row in rows]
    first, last = min(row["from"] for row in all_rows), max(row["to"] for row in all_rows)
    panels = []
    some = any(shown for _, _, shown, _, _ in plans)
    for name, title, shown, rows, panel in plans:
        beside(rows, first, last)
        panels.append({"id": name, "title": title, "shown": shown or not some, "spec": panel(rows)})
    return {"panels": panels, "domain": list(padded(first, last)), "schema": SCHEMA, "gutter": GUTTER}


def _series(found: Series, name: str, rows: list[Row]) -> Spec:
    return series_panel(found, rows, name, _HEIGHT)


def padded(first: str, last: str) -> tuple[str, str]:
    """The days from `first` to `last` with a little room on both sides."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    room = timedelta(days=max(10, (end - begin).days // 40))
    return (max(begin, date.min + room) - room).isoformat(), (min(end, date.max - room) + room).isoformat()


def beside(rows: list[Row], first: str, last: str) -> None:
    """Note in each row its `place` on the axis (0 to 1), the `side` with room for words, and words' `level`.

    The words of an event stand beside its bar, or over a bar that leaves no room on either side.
    """
    begin, whole = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days or 1
    near, level, longest = -1.0, -1, 0
    for row in sorted(rows, key=lambda each: str(each["from"])):
        place = _place(row["from"], begin, whole)
        late = place > _TOO_LATE
        if "kind" in row and not late and _place(row["to"], begin, whole) > _TOO_LATE:
            row["side"] = "before" if place > 1 - _TOO_LATE else "over"
        else:
            row["side"] = "before" if late else "after"
        if row.get("after") and row["side"] == "after" and _place(row["to"], begin, whole) > _TOO_LATE:
            # no room behind a bar that ends late: how it ended stands with its dose
            row["detail"], row["full"] = (
                "; ".join(filter(None, (row[key], row["after"]))) for key in ("detail", "full")
            )
            row["after"] = ""
        row["place"] = _place(row["mid"], begin, whole) if "mid" in row else place
        if "value" in row:
            continue
        length = len(row.get("shown", ""))
        runs = place - near < min(_WIDEST, _NEAR + _LETTER * max(length, longest))
        level = (level + 1) % _WORD_LEVELS if runs else 0
        row["level"] = level
        near, longest = place, length


def _place(day: str, begin: date, whole: int) -> float:
    """Where on the axis `day` lies, from 0 to 1."""
    return (date.fromisoformat(day) - begin).days / whole
