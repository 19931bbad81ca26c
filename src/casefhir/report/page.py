"""The report: one HTML file that needs nothing but a browser."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.conformance import Finding
from casefhir.extras import needed
from casefhir.report.bundles import Resources
from casefhir.report.check import Found, placed
from casefhir.report.cohort import multiples
from casefhir.report.documents import Sources, documents
from casefhir.report.facts import ORDER, Case, cases
from casefhir.report.ladder import ladder
from casefhir.report.look import items, text
from casefhir.report.panels import SCHEMA
from casefhir.report.timeline import timeline

_ASSETS = Path(__file__).parent / "assets"
_MOST_COPIED = 20
_OPENED = 12
_LONGEST_HEAD = 90  # characters of a case's name over a printed page
_SEVERITIES = ("fatal", "error", "warning", "information")


def page(resources: Resources, findings: Sequence[Finding] | None = None, sources: Sources | None = None) -> bytes:
    """The report on `resources` as HTML.

    `findings` of validation are shown beside their facts (None: not validated), the documents of `sources` beside the
    record. Raises `MissingExtra` where the plotting library is not installed.
    """
    jinja = needed("jinja2", "report", "The report")
    safe = needed("markupsafe", "report", "The report").Markup
    found = cases(resources)
    marked = placed(findings or (), resources, found)
    shown = [_shown(each, found, safe) for each in found]
    library = _library() if any(each["timeline"] for each in shown) else ""
    beside = multiples(found) if len(found) > 1 else None
    parts = ("page.js", "cohort.js", "print.js") if beside else ("page.js", "print.js")
    script = "".join((_ASSETS / each).read_text("utf-8") for each in parts)
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["packed"] = lambda body: safe(str(body).replace("</script", "<\\/script"))
    kinds = [kind for kind in ORDER if any(each.of_kind(kind) for each in found)]
    for each, case in zip(shown, found):
        each["texts"] = documents(case, resources, sources) if sources is not None else []
        each["starts"] = {
            part.offset: (f"{said.key}-{part.offset}", said.section_at(part.offset))
            for said in each["texts"]
            for part in said.segments
            if part.facts
        }
        each["counts"] = [len(case.of_kind(kind)) for kind in kinds]
    count = f"{len(found)} case{'' if len(found) == 1 else 's'}"
    heading = found[0].name if len(found) == 1 else count
    html = environment.get_template("page.html.j2").render(
        heading=heading,
        intro=f"{count}, {len(resources)} resources, drawn by casefhir from FHIR R4. Everything here is in this file.",
        policy=_policy(library, script),
        css=safe((_ASSETS / "page.css").read_text("utf-8") + _paper(heading, found)),
        multiples=beside,
        multiples_data=safe(embedded(json.dumps({**(beside or {}), "schema": SCHEMA}))),
        cases=shown,
        unplaced=_unplaced(resources, found),
        kinds=kinds,
        opened=len(found) <= _OPENED,
        validated=findings is not None,
        findings=[
            (severity, kept)
            for severity in _SEVERITIES
            if (kept := [each for each in marked if each.severity == severity])
        ],
        findings_summary=_summary(marked),
        library=safe(library),
        script=safe(script),
    )
    return str(html).encode("utf-8")


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, out of their package."""
    bundle = needed("vl_convert", "report", "The timeline").javascript_bundle()
    return str(bundle).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _policy(*scripts: str) -> str:
    """What the page may do: run its own scripts (Vega compiles expressions), show its own styles, reach nothing."""
    hashes = [base64.b64encode(hashlib.sha256(each.encode("utf-8")).digest()).decode() for each in scripts if each]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"


def _unplaced(resources: Resources, found: Sequence[Case]) -> list[tuple[str, int]]:
    """What stands in no case, by type: it tells of no patient, and a page that says nothing of it would hide it."""
    placed_ = {id(each.value) for case in found for each in case.resources}
    return sorted(Counter(each.type for each in resources if id(each.value) not in placed_).items())


def _paper(heading: str, found: Sequence[Case]) -> str:
    """The names that stand at the head of each printed page: of the report, and of the case that the page tells."""
    names = [("", heading), *((each.key, each.name) for each in found)]
    rules = (f"@page {key} {{ @top-left {{ content: {_quoted(name)} }} }}" for key, name in names)
    apart = (f"#{each.key} {{ page: {each.key} }}" for each in found if len(found) > 1)
    return "\n".join([*rules, *apart, ""])


def _quoted(said: str) -> str:
    """`said` as a string of CSS in which nothing can end the string or the style."""
    kept = said if len(said) <= _LONGEST_HEAD else said[: _LONGEST_HEAD - 1] + "…"
    return '"' + "".join(each if each.isascii() and each.isalnum() else f"\\{ord(each):x} " for each in kept) + '"'


def _shown(case: Case, all_cases: list[Case], safe: Any) -> dict[str, Any]:
    """A case as the template takes it."""
    plan = timeline(case)
    starts = [each.start for each in case.facts if each.start.known]
    patient = case.patient.value if case.patient else {}
    gender, born = text(patient, "gender"), text(patient, "birthDate")
    copied = ""
    if len(all_cases) <= _MOST_COPIED:
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                ({"fullUrl": each.url} if each.url else {}) | {"resource": each.value} for each in case.resources
            ],
        }
        copied = embedded(exactjson.write(bundle).decode("utf-8"))
    counts = [f"{kind.lower()}: {len(case.of_kind(kind))}" for kind in ORDER if case.of_kind(kind)]
    return {
        "key": case.key,
        "name": case.name,
        "gender": gender,
        "summary": "; ".join(filter(None, (gender, f"born {born}" if born else "", *counts))),
        # years alone: a first and a last day would be days that nobody told
        "first": min((f"{each.first:%Y}" for each in starts), default=""),
        "last": max((f"{each.last:%Y}" for each in starts), default=""),
        "timeline": plan,
        "data": safe(embedded(json.dumps({**plan, "name": case.name}))) if plan else "",
        "ladder": ladder(case),
        "bundle": safe(copied),
        "articles": {
            name: _document(each.value)
            for each in case.resources
            if each.type == "DocumentReference"
            for name in (each.url, f"DocumentReference/{each.id}")
        },
        "documents": [_document(each.value) for each in case.resources if each.type == "DocumentReference"],
        "tables": [(kind, kept) for kind in ORDER if (kept := case.of_kind(kind))],
        "others": sorted(case.others.items()),
    }


def _document(value: Any) -> str:
    names = [text(each, "attachment", "title") for each in items(value, "content")]
    known = [text(each, "value") for each in items(value, "identifier") if "doi.org" in text(each, "value")]
    return " – ".join(filter(None, (*names, *known))) or f"DocumentReference/{text(value, 'id')}"


def embedded(written: str) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or the line."""
    for letter in "<>&\u2028\u2029":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return written


def _summary(found: Sequence[Found]) -> str:
    counts = [(severity, sum(each.severity == severity for each in found)) for severity in _SEVERITIES]
    return ", ".join(f"{count} {severity}" for severity, count in counts if count) or "No findings."
