"""The panels of a timeline as Vega-Lite: a series, the courses, the events; the page stacks them on one time axis.

Partial dates are drawn as the spans they are: a bar as wide as the month or the year; a dot only for a day.
"""

from textwrap import wrap
from typing import Any

from casefhir.report.marks import Row
from casefhir.report.series import Band, Series

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 720
GUTTER = 200  # where names stand, left of every plot
_NAME = 23  # characters of a name in a line there
# Okabe and Ito's colours, told apart by nearly everyone, on light and on dark ground
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#2b83ba", "#d98200", "#009e73", "#d55e00", "#8a8a8a"
_DRUGS = ("#009e73", "#2b83ba", "#cc79a7", "#d98200", "#7a68c4", "#a08a2c")
_KINDS = {"Adverse events": _RED, "Problems": _BLUE, "Procedures": _GREEN, "Reports": _GREY, "Visits": _ORANGE}
_TIP = {"field": "label", "type": "nominal"}
_EVENT_ROW, _COURSE_ROW, _WORD_ROW, _OVER = 18, 32, 12, 20
_MOVES = (-10, 13, -22)  # words stand over their mark, under it, or higher over it
_NARROWEST = 290  # the plot of a telephone
_DERIVED = "datum.how === 'reckoned from an event'"
_OTHER = {("from", 0): "to", ("to", 5): "from"}


def x(field: str = "from") -> Spec:
    """The shared time axis, for the field where a mark starts."""
    return {"field": field, "type": "temporal", "scale": {"type": "utc"}, "axis": {"title": None, "orient": "bottom"}}


def _room(numbers: list[float], ends: list[float], height: int) -> tuple[float, float]:
    """The stretch of the value axis, with room for the words over the highest mark.

    It starts at nothing, or at half the greatest, so that a small change looks small.
    """
    high, low = max(numbers), min([*numbers, *ends])
    most = max([high, *ends])
    bottom = low - ((most - low) * 0.2 or 1.0) if low < 0 else 0.0 if low < most / 2 else most * 0.45
    above = (high - bottom or 1.0) * _OVER / (height - _OVER)
    return bottom, max(high + above, most + (most - bottom) * 0.12)


def _spread(rows: list[Row], bottom: float, scale: float) -> None:
    """Note in each row with a value which of `_MOVES` keeps its words off those before it, on the narrowest plot."""
    taken: list[tuple[float, float, float, float]] = []
    for row in sorted((row for row in rows if "value" in row), key=lambda each: float(each["place"])):
        middle, half, mark = row["place"] * _NARROWEST, len(row["shown"]) * 3.4 + 2, (row["value"] - bottom) * scale
        boxes = [(middle - half, middle + half, mark - move - 6, mark - move + 6) for move in _MOVES]
        free = (
            level
            for level, box in enumerate(boxes)
            if box[2] >= 0 and not any(box[0] < b and a < box[1] and box[2] < d and c < box[3] for a, b, c, d in taken)
        )
        row["level"] = next(free, 0)
        taken += [boxes[row["level"]], (middle - 3, middle + 3, mark - 4, mark + 4)]


def series_panel(found: Series, rows: list[Row], name: str, height: int) -> Spec:
    """One series: range bands, a bar or dot a value, words at the top where no number was told."""
    numbers = [row["value"] for row in rows if "value" in row]
    bottom, top = _room(numbers, [float(end) for band in found.bands for end in band.ends], height)
    worded = [row["level"] for row in rows if "value" not in row]
    strip = 16 + _WORD_ROW * (max(worded) + 1) if worded else 0  # words have a strip above the highest number
    _spread(rows, bottom, height / (top - bottom))
    domain = [bottom, top + (top - bottom) * strip / height]
    named = [*wrap(found.name, _NAME, max_lines=2, placeholder=" …"), *([found.unit] if found.unit else [])]
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": domain, "nice": False, "zero": False},
        "axis": {"title": named, "tickCount": max(2, height // 30)},
    }
    told, colour = described(), {"color": {"condition": {"test": "datum.flag", "value": _RED}, "value": _BLUE}}
    number, words = "isValid(datum.value)", "!isValid(datum.value)"
    layers: list[Spec] = [each for band in found.bands for each in _band(band, domain)]
    layers += [
        {
            "name": name,
            "transform": [{"filter": number}],
            "mark": {"type": "line", "strokeDash": [2, 3], "strokeWidth": 1, "color": _GREY, "aria": False},
            "encoding": {"x": x("mid"), "y": y},
        },
        {
            "transform": [{"filter": f"{number} && datum.how !== 'day'"}],
            "mark": {"type": "rule", "strokeWidth": 6, "strokeCap": "butt"},
            "encoding": {"x": x(), "x2": {"field": "to"}, "y": y, **told, **colour, "opacity": _certain()},
        },
        {
            "transform": [{"filter": f"{number} && datum.how === 'day'"}],
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
            "encoding": {"x": x(), "y": y, **told, **colour},
        },
        *(
            {
                "transform": [{"filter": f"{number} && datum.level === {level}"}],
                "mark": _text(dy=move, fontSize=11),
                "encoding": {"x": x("mid"), "y": y, "text": {"field": "shown"}},
            }
            for level, move in enumerate(_MOVES)
        ),
        {
            "transform": [{"filter": words}],
            "mark": {"type": "rule", "strokeWidth": 6, "strokeCap": "butt", "y": 4},
            "encoding": {"x": x(), "x2": {"field": "to"}, **told, **colour, "opacity": _certain()},
        },
        *(
            {
                "transform": [{"filter": f"{words} && datum.side === '{side}'"}],
                "mark": _text(fontStyle="italic", align=align),
                "encoding": {
                    "x": x(edge),
                    "y": {"value": {"expr": f"14 + {_WORD_ROW} * datum.level"}},
                    "text": {"field": "shown"},
                },
            }
            for side, align, edge in (("after", "left", "from"), ("before", "right", "to"))
        ),
    ]
    return {"height": height + strip, "width": WIDTH, "data": {"values": rows}, "layer": layers}


def _certain() -> Spec:
    return {"condition": {"test": _DERIVED, "value": 0.5}, "value": 1}


def _band(band: Band, domain: list[float]) -> list[Spec]:
    """The range as a band, and as it was printed at the right of the plot."""
    low, high = (domain[at] if end is None else float(end) for at, end in enumerate((band.low, band.high)))
    said = f"reference range {band.text}"
    one: Spec = {"data": {"values": [{}]}}
    return [
        one
        | {
            "mark": {"type": "rect", "color": _GREEN, "opacity": 0.22, "description": said},
            "encoding": {"y": {"datum": low, "type": "quantitative"}, "y2": {"datum": high}},
        },
        one
        | {
            "mark": _text(text=band.short, align="left", dx=6, opacity=0.8, clip=False),
            "encoding": {
                "x": {"value": "width"},
                "y": {"datum": (max(low, domain[0]) + min(high, domain[1])) / 2, "type": "quantitative"},
            },
        },
    ]


def course_panel(rows: list[Row]) -> Spec:
    """One lane a course, a colour a drug: solid where it surely ran, pale where its start or end can lie."""
    drugs = list(dict.fromkeys(row["drug"] for row in rows))
    colour = {
        "color": {
            "condition": {"test": "datum.taken === 'no'", "value": _GREY},
            "field": "drug",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": drugs, "range": [_DRUGS[at % len(_DRUGS)] for at in range(len(drugs))]},
        }
    }
    bar = {"type": "bar", "height": 9, "yOffset": 6}
    return {
        "height": {"step": _COURSE_ROW},
        "width": WIDTH,
        "data": {"values": rows},
        "layer": [
            {
                "name": "courses",
                "mark": {**bar, "opacity": 0.6},
                "encoding": {"x": x(), "x2": {"field": "to"}, "y": _lane(), **described(), **colour},
            },
            {
                "transform": [{"filter": "isValid(datum.sure_from)"}],
                "mark": {**bar, "aria": False},
                "encoding": {
                    "x": x("sure_from"),
                    "x2": {"field": "sure_to"},
                    "y": _lane(),
                    **colour,
                    "tooltip": _TIP,
                    "href": {"field": "href"},
                },
            },
            *_labels("detail", dx=0, dy=-6, at="from"),
            *_labels("after", dx=5, dy=6, at="to", opacity=0.8),
        ],
    }


def event_panel(rows: list[Row], name: str) -> Spec:
    """Adverse events, problems, procedures, reports and visits: a lane each, the kind beside the first of its lanes.

    A bar that has its words over it is thin and lies at the foot of its lane.
    """
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    colour = {
        "color": {
            "field": "kind",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": kinds, "range": [_KINDS.get(each, _GREY) for each in kinds]},
        }
    }
    bar = {"x": x(), "x2": {"field": "to"}, "y": _lane(), **described(), **colour, "opacity": _certain()}
    return {
        "height": {"step": _EVENT_ROW},
        "width": WIDTH,
        "data": {"values": rows},
        "layer": [
            {
                "name": name,
                "transform": [{"filter": "datum.side !== 'over'"}],
                "mark": {"type": "bar", "height": 9, "cornerRadius": 2},
                "encoding": bar,
            },
            {
                "transform": [{"filter": "datum.side === 'over'"}],
                "mark": {"type": "bar", "height": 4, "yOffset": 7},
                "encoding": bar,
            },
            *_labels("shown", dx=5, dy=0, at="to"),
            {
                "transform": [{"filter": "datum.side === 'over'"}],
                "mark": _text(align="left", dy=-2),
                "encoding": {"x": x(), "y": _lane(), "text": {"field": "shown"}},
            },
        ],
    }


def described() -> Spec:
    """What a mark says: to a screen reader, on hover, and where a click leads."""
    return {"description": {"field": "label"}, "tooltip": _TIP, "href": {"field": "href"}}


def _lane() -> Spec:
    """The lanes in the order of their numbers, which stand before the name and are not shown."""
    return {
        "field": "lane",
        "type": "nominal",
        "title": None,
        "axis": {"labelExpr": "slice(datum.value, 4)", "labelLimit": GUTTER - 10, "ticks": False},
    }


def _labels(field: str, *, dx: int, dy: int, at: str, **more: Any) -> list[Spec]:
    """Words beside the marks: after them, or before them where they would run out of the plot."""
    return [
        {
            "transform": [{"filter": f"datum.side === '{side}'"}],
            "mark": _text(align=align, dx=move, dy=dy, **more),
            "encoding": {"x": x(place), "y": _lane(), "text": {"field": field}},
        }
        for side, align, move, place in (("after", "left", dx, at), ("before", "right", -dx, _OTHER[at, dx]))
    ]


def _text(**more: Any) -> Spec:
    return {"type": "text", "fontSize": 10.5, "fill": "currentColor", "aria": False, **more}
