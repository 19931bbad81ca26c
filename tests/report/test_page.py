"""The page as text: every fact once, everything escaped, nothing from outside; `test_browser` opens it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import exactjson
from casefhir.report.bundles import Resources, read
from casefhir.report.check import findings
from casefhir.report.cohort import multiples
from casefhir.report.facts import KINDS
from casefhir.report.facts import cases as grouped
from casefhir.report.marks import drawn
from casefhir.report.page import embedded, page
from casefhir.report.plot import NothingToPlot, drawn_figure, figure
from casefhir.report.series import series
from casefhir.report.timeline import timeline
from tests.report.conftest import ROOT, bundle, held

SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}


def observed(id_: str, value: Any = 5, **more: Any) -> dict[str, Any]:
    quantity = (
        {"valueQuantity": {"value": value, "unit": "U/l", "code": "U/L"}}
        if isinstance(value, int)
        else {"valueCodeableConcept": {"text": value}}
    )
    coded = {"coding": [{"system": "http://loinc.org", "code": "2157-6"}], "text": "creatine kinase"}
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": coded,
        "subject": SUBJECT,
        "effectiveDateTime": "2014-05",
        **quantity,
        **more,
    }


class Reading(HTMLParser):
    """Tags with attributes, and rows by their fact."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def six(cases: Resources) -> Reading:
    return Reading(page(cases))


def test_every_fact_of_the_six_cases_is_on_the_page_exactly_once(six: Reading, cases: Resources) -> None:
    shown = [attributes["data-fact"] for tag, attributes in six.tags if tag == "tr" and "data-fact" in attributes]
    assert sorted(map(str, shown)) == sorted(f"{each.type}/{each.id}" for each in cases if each.type in KINDS)


def test_every_link_of_the_page_leads_to_a_place_on_it(six: Reading) -> None:
    names = {attributes["id"] for _, attributes in six.tags if "id" in attributes}
    links = [str(attributes["href"]) for tag, attributes in six.tags if tag == "a"]
    assert {each for each in links if each[0] != "#" or each[1:] not in names} == set()
    assert len(links) > 100


def test_the_page_asks_for_nothing_outside_itself(six: Reading) -> None:
    outside = ("link", "iframe", "img", "base", "object", "embed")
    assert [tag for tag, attributes in six.tags if "src" in attributes or tag in outside] == []
    (policy,) = [
        attributes["content"]
        for tag, attributes in six.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert str(policy).startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-inline'" not in str(policy).partition("style-src")[0]


def test_each_dated_fact_is_drawn_and_each_other_is_listed(cases: Resources) -> None:
    for case in grouped(cases):
        wanted = [fact.key for fact in case.facts if drawn(fact)]
        plan = timeline(case) or {"panels": []}
        marks = [row["fact"] for panel in plan["panels"] for row in panel["spec"]["data"]["values"]]
        assert sorted(set(marks)) == sorted(wanted)
        parts = sum(len(each.held.value.get("component", [])) for each in case.facts)
        assert len(marks) <= len(wanted) + parts


def test_a_partial_date_is_a_span_and_never_a_day() -> None:
    (case,) = grouped(held(PATIENT, observed("o")))
    plan = timeline(case)
    assert plan is not None
    (row,) = plan["panels"][0]["spec"]["data"]["values"]
    assert (row["from"], row["to"], row["how"]) == ("2014-05-01", "2014-06-01", "span")


def test_values_in_words_stand_with_the_numbers_of_their_code() -> None:
    (case,) = grouped(held(PATIENT, observed("a"), observed("b", "normal", effectiveDateTime="2015")))
    (found,) = series(case)
    assert [(each.number, each.text) for each in found.values] == [(5, "5"), (None, "normal")]


def test_only_a_normal_range_is_a_band() -> None:
    low, high = {"low": {"value": 3}, "text": "> 3"}, {"high": {"value": 88}, "type": {"text": "of 88"}}
    (case,) = grouped(held(PATIENT, observed("a", referenceRange=[low, high])))
    (found,) = series(case)
    assert [(each.low, each.high, each.short) for each in found.bands] == [(3, None, "> 3")]


def test_a_unit_that_is_a_code_alone_keeps_its_digits() -> None:
    cells = observed("a") | {"valueQuantity": {"value": 5, "code": "10*9/L"}}
    (found,) = series(grouped(held(PATIENT, cells))[0])
    assert found.unit == "10*9/L"


def test_a_range_in_another_unit_is_no_band() -> None:
    wrong, right = {"high": {"value": 170, "unit": "mg/l"}}, {"high": {"value": 170, "code": "U/L"}}
    (case,) = grouped(held(PATIENT, observed("a", referenceRange=[wrong]), observed("b", referenceRange=[right])))
    (found,) = series(case)
    assert [(each.ends, each.short) for each in found.bands] == [((170,), "up to 170 U/L")]


def test_cases_are_aligned_at_the_first_start_of_a_drug_that_was_given() -> None:
    found: list[dict[str, Any]] = []
    for name, status in (("a", "active"), ("b", "not-taken")):
        subject = {"subject": {"reference": f"Patient/{name}"}}
        found += [{"resourceType": "Patient", "id": name}, observed(f"o{name}") | subject]
        found += [
            {
                "resourceType": "MedicationStatement",
                "id": f"m{name}{year}",
                "status": status,
                **subject,
                "medicationCodeableConcept": {"text": "Rituximab"},
                "effectiveDateTime": year,
            }
            for year in ("2012", "2010")
        ]
    both = multiples(grouped(held(*found)))
    assert both is not None
    assert [each["starts"] for each in both["events"]] == [{"Patient/a": ["2010-01-01", "2011-01-01"]}]
    assert sorted(row["case"] for row in both["measures"][0]["rows"]) == ["Patient/a", "Patient/b"]


def test_two_patients_of_one_name_stay_apart() -> None:
    found = grouped(
        held(
            {**PATIENT, "name": [{"text": "unknown"}]},
            {"resourceType": "Patient", "id": "q", "name": [{"text": "unknown"}]},
        )
    )
    assert [each.name for each in found] == ["unknown (case1, Patient/p)", "unknown (case2, Patient/q)"]


def test_two_units_of_one_code_are_two_series() -> None:
    other = {"valueQuantity": {"value": 9, "unit": "ukat/l", "code": "ukat/L"}}
    (case,) = grouped(held(PATIENT, observed("a"), observed("b") | other))
    assert [each.unit for each in series(case)] == ["U/l", "ukat/l"]


@given(st.text())
def test_no_text_ends_the_script_element_it_stands_in(text: str) -> None:
    written = embedded(exactjson.write({"a": text}).decode("utf-8"))
    assert not re.search(r"[<>&\u2028\u2029]", written)
    assert exactjson.read(written.encode("utf-8")) == {"a": text}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "text", "coding", "value", "period", "reference", "extension"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(
        [
            "code",
            "event",
            "effectivePeriod",
            "valueQuantity",
            "dosage",
            "component",
            "suspectEntity",
            "note",
            "subject",
            "extension",
            "referenceRange",
            "medicationReference",
            "meta",
            "identifier",
            "class",
            "_effectiveDateTime",
        ]
    ),
)
def test_resources_that_do_not_conform_are_shown_as_far_as_they_go(value: Any, type_: str, key: str) -> None:
    found = grouped(held(PATIENT, {"resourceType": type_, "id": "x", "subject": SUBJECT} | {key: value}))
    assert sum(len(case.facts) for case in found) == 1
    for case in found:
        timeline(case)


def test_a_finding_stands_beside_its_fact(tmp_path: Path) -> None:
    wrong = observed("o") | {"status": "finished"}
    (tmp_path / "b.json").write_bytes(bundle(PATIENT, wrong, p="http://x/Patient/p", o="http://x/Observation/o"))
    html = page(read([tmp_path / "b.json"]), findings([tmp_path / "b.json"])).decode("utf-8")
    row = html[html.index('data-fact="Observation/o"') :]
    assert 'class="finding error"' in row[: row.index("</tr>")]
    assert "Findings of validation" in html


def test_a_page_without_dates_has_tables_and_no_plotting_library() -> None:
    html = page(held(PATIENT, {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"text": "rash"}}))
    assert b"rash" in html
    assert len(html) < 100_000


def test_a_figure_is_drawn_offline_as_svg_and_png() -> None:
    resources = read([ROOT / "bundles" / "scig-antisynthetase-jo1.json"])
    svg = drawn_figure(figure(resources, "ck"), "svg").decode("utf-8")
    assert ">489</text>" in svg
    assert "creatine kinase: 489 UI/l, 2014-05" in svg
    assert drawn_figure(figure(resources, "2157-6"), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("code", ["nothing", ""])
def test_nothing_to_plot_is_told_with_what_there_is(code: str) -> None:
    with pytest.raises(NothingToPlot, match="creatine kinase"):
        figure(held(PATIENT, observed("o")), code)
