"""One measurement as a figure, SVG or PNG, made offline."""

from typing import Any, Literal

from casefhir.errors import CasefhirError
from casefhir.extras import needed
from casefhir.report.bundles import Resources
from casefhir.report.facts import cases
from casefhir.report.marks import value_rows
from casefhir.report.panels import SCHEMA, series_panel
from casefhir.report.series import chosen, series
from casefhir.report.timeline import beside, padded

_HEIGHT = 200


class NothingToPlot(CasefhirError):
    """No series of that code with a number and a time."""


def figure(resources: Resources, code: str) -> dict[str, Any]:
    """The Vega-Lite specification of the series that `code` names (ck, 2157-6, "creatine kinase"), a panel a case.

    Raises `NothingToPlot` with what could be plotted instead.
    """
    panels: list[dict[str, Any]] = []
    others: set[str] = set()
    several: list[str] = []
    for case in cases(resources):
        named = series(case)
        others |= {each.name for each in named if any(value.number is not None for value in each.drawn)}
        for each in chosen(named, code):
            rows = value_rows(each)
            if any("value" in row for row in rows):
                first, last = padded(min(row["from"] for row in rows), max(row["to"] for row in rows))
                beside(rows, first, last)
                panel = series_panel(each, rows, f"s{len(panels)}", _HEIGHT)
                panel["layer"][-1]["encoding"]["x"]["scale"]["domain"] = [first, last]
                for layer in panel["layer"]:
                    layer["encoding"].pop("href", None)  # a figure has no page that its marks could lead into
                    if "axis" in layer["encoding"].get("y", {}):
                        layer["encoding"]["y"]["axis"]["title"] = each.unit or "value"
                several.append(case.name)
                panels.append(panel | {"title": each.name})
    if not panels:
        raise NothingToPlot(
            f"No dated number is told for {code!r}. With dates there are: {', '.join(sorted(others)) or 'none'}."
        )
    if len(panels) > 1:
        for panel, name in zip(panels, several):
            panel["title"] = f"{panel['title']} – {name}"
    return {
        "$schema": SCHEMA,
        "background": "white",
        "vconcat": panels,
        "config": {"title": {"anchor": "start", "frame": "group"}, "view": {"stroke": None}},
    }


def drawn_figure(spec: dict[str, Any], form: Literal["svg", "png"]) -> bytes:
    """`spec` drawn: SVG, or PNG at 300 dots an inch."""
    converter = needed("vl_convert", "report", "A plot")
    if form == "svg":
        return str(converter.vegalite_to_svg(spec)).encode("utf-8")
    return bytes(converter.vegalite_to_png(spec, ppi=300))
