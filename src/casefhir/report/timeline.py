"""A case's timeline as Vega-Lite: series above courses above events, on one time axis.

Partial dates are drawn as the spans they are: a bar as wide as the month or the year; a dot only for a day.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from casefhir.report.facts import Case
from casefhir.report.marks import Row, course_rows, event_rows, result_rows, value_rows
from casefhir.report.series import Series, series

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 720
# Okabe and Ito's colours, told apart by nearly everyone, on light and on dark ground
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#2b83ba", "#d98200", "#009e73", "#d55e00", "#8a8a8a"
_KINDS = {"Adverse events": _RED, "Problems": _BLUE, "Procedures": _GREEN, "Reports": _GREY, "Visits": _ORANGE}
_TIP = {"field": "label", "type": "nominal"}
_EVENT_ROW, _COURSE_ROW, _SERIES_HEIGHT = 17, 28, 110
_TOO_LATE = 0.6
_NEAR = {True: 0.17, False: 0.4}  # the part of the axis within which numbers, or words, would run into each other
_WORD_ROW = 11
_OTHER = {("from", 0): "to", ("to", 5): "from"}


def x(field: str = "from") -> Spec:
    """The shared time axis, for the field where a mark starts."""
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": {"title": None, "orient": "bottom"}}


def timeline(case: Case) -> Spec | None:
    """The panels of `case` (`id`, `title`, `shown`, `spec`) and the `domain` of time; None where nothing is dated.

    The page puts the panels it shows under one another on one axis.
    """
    panels: list[Spec] = []
    on_axis: set[str] = set()
    for at, each in enumerate(series(case)):
        rows = value_rows(each)
        if any("value" in row for row in rows):
            on_axis |= {row["fact"] for row in rows}
            panels.append(
                {
                    "id": f"s{at}",
                    "title": f"{each.name}{f' ({each.unit})' if each.unit else ''}",
                    "shown": each.followed,
                    "spec": series_panel(each, rows, f"s{at}"),
                }
            )
    lanes: list[tuple[str, str, bool, list[Row], Callable[[list[Row], str, str], Spec]]] = [
        ("courses", "Treatment courses", True, course_rows(case), course_panel),
        ("events", "Events", True, event_rows(case), event_panel),
        ("words", "Other results", False, result_rows(case, on_axis), event_panel),
    ]
    for name, title, shown, rows, panel in lanes:
        if rows:
            panels.append({"id": name, "title": title, "shown": shown, "spec": panel(rows, name, title)})
    rows = [row for each in panels for row in each["spec"]["data"]["values"]]
    if not rows:
        return None
    first, last = min(row["from"] for row in rows), max(row["to"] for row in rows)
    for one in panels:
        beside(one["spec"]["data"]["values"], first, last)
    return {"panels": panels, "domain": list(padded(first, last)), "schema": SCHEMA}


def padded(first: str, last: str) -> tuple[str, str]:
    """The days from `first` to `last` with a little room on both sides."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    room = timedelta(days=max(10, (end - begin).days // 40))
    return (max(begin, date.min + room) - room).isoformat(), (min(end, date.max - room) + room).isoformat()


def series_panel(found: Series, rows: list[Row], name: str) -> Spec:
    """One series: range bands, a bar or dot a value, words at the top where no number was told."""
    numbers = [row["value"] for row in rows if "value" in row]
    ends = [float(end) for band in found.bands for end in band if end is not None]
    low, high = min([*numbers, *ends]), max([*numbers, *ends])
    room = (high - low) * 0.18 or abs(high) * 0.2 or 1.0
    bottom, top = low - room if low < 0 or low - room > 0 else 0.0, high + room
    # words have a strip above the highest number
    strip = 20 + _WORD_ROW * 2 if len(numbers) < len(rows) else 0
    below = f"datum.level % 2 === 1 && datum.value > {bottom + (top - bottom) * 0.22}"
    domain = [bottom, top + (top - bottom) * strip / _SERIES_HEIGHT]
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": domain, "nice": False, "zero": False},
        "axis": {"title": found.unit or "value", "tickCount": 4},
    }
    told, colour = _told(), {"color": {"value": _BLUE}}
    layers: list[Spec] = [_band(band, domain) for band in found.bands]
    layers += [
        {
            "name": name,
            "transform": [{"filter": "isValid(datum.value)"}],
            "mark": {"type": "line", "strokeDash": [2, 3], "strokeWidth": 1, "color": _GREY, "aria": False},
            "encoding": {"x": x("mid"), "y": y},
        },
        {
            "transform": [{"filter": "isValid(datum.value) && datum.how !== 'day'"}],
            "mark": {"type": "rule", "strokeWidth": 5, "strokeCap": "butt"},
            "encoding": {"x": x(), "x2": {"field": "to"}, "y": y, **told, **colour, "opacity": _certain()},
        },
        {
            "transform": [{"filter": "isValid(datum.value) && datum.how === 'day'"}],
            "mark": {"type": "point", "filled": True, "size": 60},
            "encoding": {"x": x(), "y": y, **told, **colour},
        },
        *(
            {
                "transform": [{"filter": f"isValid(datum.value) && {'' if move > 0 else '!'}({below})"}],
                "mark": _text(dy=move),
                "encoding": {"x": x("mid"), "y": y, "text": {"field": "shown"}},
            }
            for move in (-9, 12)
        ),
        {
            "transform": [{"filter": "!isValid(datum.value)"}],
            "mark": {"type": "rule", "strokeWidth": 5, "strokeCap": "butt", "y": 3},
            "encoding": {"x": x(), "x2": {"field": "to"}, **told, "color": {"value": _ORANGE}, "opacity": _certain()},
        },
        *(
            {
                "transform": [{"filter": f"!isValid(datum.value) && datum.side === '{side}'"}],
                "mark": _text(fontStyle="italic", align=align),
                "encoding": {
                    "x": x(edge),
                    "y": {"value": {"expr": f"13 + {_WORD_ROW} * datum.level"}},
                    "text": {"field": "shown"},
                },
            }
            for side, align, edge in (("after", "left", "from"), ("before", "right", "to"))
        ),
    ]
    return {
        "height": _SERIES_HEIGHT + strip,
        "width": WIDTH,
        "title": found.name,
        "data": {"values": rows},
        "layer": layers,
    }


def _certain() -> Spec:
    return {"condition": {"test": "datum.how === 'reckoned from an event'", "value": 0.45}, "value": 1}


def _band(band: tuple[Decimal | None, Decimal | None], domain: list[float]) -> Spec:
    low, high = (domain[at] if end is None else float(end) for at, end in enumerate(band))
    return {
        "data": {"values": [{}]},
        "mark": {
            "type": "rect",
            "color": _GREEN,
            "opacity": 0.14,
            "description": f"reference range {band[0] or '…'} to {band[1] or '…'}",
        },
        "encoding": {"y": {"datum": low, "type": "quantitative"}, "y2": {"datum": high}},
    }


def course_panel(rows: list[Row], name: str, title: str) -> Spec:
    """One lane a course: solid where it surely ran, pale where its start or end can lie."""
    colour = {"color": {"condition": {"test": "datum.taken === 'no'", "value": _GREY}, "value": _GREEN}}
    return {
        "height": {"step": _COURSE_ROW},
        "width": WIDTH,
        "title": title,
        "data": {"values": rows},
        "layer": [
            {
                "name": name,
                "mark": {"type": "bar", "height": 9, "opacity": 0.55, "yOffset": 5},
                "encoding": {"x": x(), "x2": {"field": "to"}, "y": _lane(), **_told(), **colour},
            },
            {
                "transform": [{"filter": "isValid(datum.sure_from)"}],
                "mark": {"type": "bar", "height": 9, "yOffset": 5, "aria": False},
                "encoding": {
                    "x": x("sure_from"),
                    "x2": {"field": "sure_to"},
                    "y": _lane(),
                    **colour,
                    "tooltip": _TIP,
                    "href": {"field": "href"},
                },
            },
            {
                "transform": [{"filter": "datum.end === 'not told' && datum.taken === 'yes'"}],
                "mark": _text(align="left", dx=4, dy=5, text="› end not told", opacity=0.7),
                "encoding": {"x": x("to"), "y": _lane()},
            },
            *_labels("detail", dx=0, dy=-6, at="from"),
        ],
    }


def event_panel(rows: list[Row], name: str, title: str) -> Spec:
    """Adverse events, problems, procedures, reports and visits: a lane each, the kind beside the first of its lanes."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    colour = {
        "color": {
            "field": "kind",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": kinds, "range": [_KINDS.get(each, _GREY) for each in kinds]},
        }
    }
    return {
        "height": {"step": _EVENT_ROW},
        "width": WIDTH,
        "title": title,
        "data": {"values": rows},
        "layer": [
            {
                "name": name,
                "mark": {"type": "bar", "height": 8, "cornerRadius": 2},
                "encoding": {"x": x(), "x2": {"field": "to"}, "y": _lane(), **_told(), **colour, "opacity": _certain()},
            },
            *_labels("shown", dx=5, dy=0, at="to"),
        ],
    }


def _told() -> Spec:
    return {"description": {"field": "label"}, "tooltip": _TIP, "href": {"field": "href"}}


def _lane() -> Spec:
    """The lanes in the order of their numbers, which stand before the name and are not shown."""
    return {
        "field": "lane",
        "type": "nominal",
        "title": None,
        "axis": {"labelExpr": "slice(datum.value, 4)", "labelLimit": 190, "ticks": False},
    }


def _labels(field: str, *, dx: int, dy: int, at: str) -> list[Spec]:
    """Words beside the marks: after them, or before them where they would run out of the plot."""
    return [
        {
            "transform": [{"filter": f"datum.side === '{side}'"}],
            "mark": _text(align=align, dx=move, dy=dy),
            "encoding": {"x": x(place), "y": _lane(), "text": {"field": field}},
        }
        for side, align, move, place in (("after", "left", dx, at), ("before", "right", -dx, _OTHER[at, dx]))
    ]


def _text(**more: Any) -> Spec:
    return {"type": "text", "fontSize": 10, "fill": "currentColor", "aria": False, **more}


def beside(rows: list[Row], first: str, last: str) -> None:
    """Note in each row on which side of its mark there is room for words, and on which `level` among its neighbours."""
    begin, whole = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days or 1
    before: dict[bool, tuple[float, int]] = {}
    for row in sorted(rows, key=lambda each: str(each["from"])):
        place = (date.fromisoformat(row["from"]) - begin).days / whole
        row["side"] = "before" if place > _TOO_LATE else "after"
        number = "value" in row
        near, level = before.get(number, (-1.0, -1))
        row["level"] = (level + 1) % (2 if number else 3) if place - near < _NEAR[number] else 0
        before[number] = (place, row["level"])
