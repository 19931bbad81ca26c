"""What others wrote: HL7's official examples, and bundles shaped as generators and hospitals shape them."""

from pathlib import Path
from typing import Any

import pytest

from casefhir import exactjson
from casefhir.report.bundles import read
from casefhir.report.facts import Case, Fact
from casefhir.report.facts import cases as grouped
from casefhir.report.ladder import ladder
from casefhir.report.marks import drawn
from casefhir.report.page import page
from casefhir.report.phenopacket import packets
from casefhir.report.tables import tables
from casefhir.report.timeline import timeline
from tests.report.conftest import bundle, held, suite

SUBJECT = {"reference": "urn:uuid:p"}
UCUM = "http://unitsofmeasure.org"


@pytest.mark.thorough
def test_every_official_example_opens_and_loses_no_fact() -> None:
    files = [
        each for each in sorted(suite("fhirpath/r4/examples").glob("*.json")) if b"resourceType" in each.read_bytes()
    ]
    assert len(files) > 60
    resources = read(files)
    html = page(resources).decode("utf-8")
    for case in grouped(resources):
        plan = timeline(case) or {"panels": []}
        marks = {row["fact"] for panel in plan["panels"] for row in panel["spec"]["data"]["values"]}
        listed = {each.fact.key for top in ladder(case).hung for each in top if each.listed and each.fact}
        listed |= {each.key for _, facts in ladder(case).loose for each in facts}
        assert marks | listed == {each.key for each in case.facts}
        assert not marks & listed
        assert all(f'id="{each.key}"' in html for each in case.facts)
    packets(resources, "2026-01-01T00:00:00Z", "test")
    tables(resources)


def synthea() -> list[dict[str, Any]]:
    """A bundle as Synthea writes them: instants with zones, panels with components, contained and referenced drugs."""
    when = {"effectiveDateTime": "2011-03-05T10:20:30-05:00", "status": "final", "subject": SUBJECT}

    def amount(value: int, unit: str) -> dict[str, Any]:
        return {"value": value, "unit": unit, "system": UCUM, "code": unit}

    def coded(code: str, text: str) -> dict[str, Any]:
        return {"coding": [{"system": "http://loinc.org", "code": code, "display": text}], "text": text}

    return [
        {
            "resourceType": "Patient",
            "id": "p",
            "name": [{"family": "Doe", "given": ["Jane", "Q."]}],
            "birthDate": "1950-02",
        },
        {
            "resourceType": "Observation",
            "id": "bp",
            "code": coded("85354-9", "Blood Pressure"),
            "component": [
                {"code": coded("8462-4", "Diastolic"), "valueQuantity": amount(75, "mm[Hg]")},
                {"code": coded("8480-6", "Systolic"), "valueQuantity": amount(120, "mm[Hg]")},
            ],
            **when,
        },
        {"resourceType": "Observation", "id": "range", "code": {"text": "CK"}, **when}
        | {"valueRange": {"low": amount(3000, "U/L"), "high": amount(5000, "U/L")}},
        {
            "resourceType": "Observation",
            "id": "string",
            "code": {"text": "Smoking"},
            **when,
            "valueString": "Never smoked",
        },
        {"resourceType": "Observation", "id": "bool", "code": {"text": "Fever"}, **when, "valueBoolean": False},
        {"resourceType": "Observation", "id": "ratio", "code": {"text": "Titre"}, **when}
        | {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}},
        {
            "resourceType": "Observation",
            "id": "time",
            "code": {"text": "Last meal"},
            **when,
            "valueDateTime": "2011-03-04",
        },
        {"resourceType": "Observation", "id": "nothing", "status": "final", "code": {}, "subject": SUBJECT},
        {
            "resourceType": "MedicationRequest",
            "id": "contained",
            "status": "active",
            "intent": "order",
            "subject": SUBJECT,
            "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "prednisone 5 MG"}}],
            "medicationReference": {"reference": "#m"},
            "authoredOn": "2011-03-05T10:20:30-05:00",
        },
        {"resourceType": "Medication", "id": "drug", "code": {"text": "azathioprine 50 MG"}},
        {
            "resourceType": "MedicationAdministration",
            "id": "referenced",
            "status": "completed",
            "subject": SUBJECT,
            "medicationReference": {"reference": "urn:uuid:drug"},
            "effectivePeriod": {"start": "2011-03-05", "end": "2011-04"},
        },
        {
            "resourceType": "CarePlan",
            "id": "plan",
            "status": "active",
            "intent": "plan",
            "subject": SUBJECT,
            "title": "Plan",
        },
        {"resourceType": "Claim", "id": "claim", "status": "active", "patient": SUBJECT, "created": "2011-03-05"},
        {"resourceType": "Organization", "id": "org", "name": "Hospital"},
    ]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "synthea.json").write_bytes(bundle(*synthea()))
    (found,) = grouped(read([tmp_path / "synthea.json"]))
    return found


def fact(case: Case, id_: str) -> Fact:
    (found,) = (each for each in case.facts if each.held.id == id_)
    return found


@pytest.mark.parametrize(
    ("id_", "title", "value"),
    [
        ("bp", "Blood Pressure", "Diastolic: 75 mm[Hg]; Systolic: 120 mm[Hg]"),
        ("range", "CK", "3000 U/L to 5000 U/L"),
        ("string", "Smoking", "Never smoked"),
        ("bool", "Fever", "false"),
        ("ratio", "Titre", "1 : 128"),
        ("time", "Last meal", "2011-03-04"),
        ("nothing", "Observation", ""),
        ("contained", "prednisone 5 MG", ""),
        ("referenced", "azathioprine 50 MG", ""),
    ],
)
def test_values_and_names_of_every_shape_are_read(case: Case, id_: str, title: str, value: str) -> None:
    assert (fact(case, id_).title, fact(case, id_).value) == (title, value)


def test_an_instant_with_a_zone_is_the_day_it_names(case: Case) -> None:
    assert str(fact(case, "bp").start.first) == "2011-03-05"
    assert fact(case, "bp").start.exact
    assert not drawn(fact(case, "nothing"))


def test_what_we_never_write_is_a_fact_too_and_the_rest_is_counted(case: Case) -> None:
    assert case.name == "Jane Q. Doe"
    assert [each.held.id for each in case.of_kind("Other facts")] == ["plan", "claim"]
    assert case.others == {"Medication": 1, "Organization": 1}


def test_a_panel_is_a_series_for_each_of_its_parts(case: Case) -> None:
    plan = timeline(case)
    assert plan is not None
    titles = [each["title"] for each in plan["panels"]]
    assert {"Diastolic (mm[Hg])", "Systolic (mm[Hg])"} <= set(titles)


def test_a_patient_with_nothing_is_a_case() -> None:
    html = page(held({"resourceType": "Patient", "id": "p"})).decode("utf-8")
    assert "Patient/p" in html
    assert "No fact of this case has a date that can be drawn." in html


def test_what_tells_of_no_patient_is_counted_on_the_page() -> None:
    html = page(held({"resourceType": "Foo", "id": "f"}, {"resourceType": "Organization", "id": "o"})).decode()
    assert "Not shown, for it tells of no patient: 1 Foo, 1 Organization." in html
    assert "Not shown" not in page(held({"resourceType": "Patient", "id": "p"})).decode()


def test_a_case_of_results_in_words_alone_has_them_drawn_at_once() -> None:
    person = {"resourceType": "Patient", "id": "p"}
    result = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}, "code": {"text": "rash"}}
    (case,) = grouped(held(person, result | {"effectiveDateTime": "2012", "valueString": "none"}))
    assert [(each["id"], each["shown"]) for each in (timeline(case) or {})["panels"]] == [("words", True)]


@pytest.mark.parametrize("said", ["2012-13", "yesterday", "0000", "2012-02-30"])
def test_what_is_no_date_is_kept_as_told_and_has_no_days(said: str) -> None:
    result = {"resourceType": "Observation", "id": "o", "code": {"text": "rash"}, "effectiveDateTime": said}
    table = next(each for each in tables(held(result)) if each.name == "observations")
    row = dict(zip((each.name for each in table.headings), table.rows[0]))
    assert row["effective"] == said
    assert row["effective_first"] is None
    assert row["effective_last"] is None
    assert said in page(held(result)).decode()


def test_ndjson_of_several_patients_is_a_case_each(tmp_path: Path) -> None:
    lines = [
        {"resourceType": "Patient", "id": "a"},
        {"resourceType": "Patient", "id": "b"},
        *(
            {"resourceType": "Observation", "id": f"o{who}", "subject": {"reference": f"Patient/{who}"}}
            for who in "bab"
        ),
        {"resourceType": "Observation", "id": "lost", "subject": {"reference": "Patient/nobody"}},
    ]
    (tmp_path / "all.ndjson").write_bytes(b"\n".join(exactjson.write(each) for each in lines))
    found = grouped(read([tmp_path / "all.ndjson"]))
    assert [(each.name, len(each.facts)) for each in found] == [
        ("Patient/a", 1),
        ("Patient/b", 2),
        ("Facts without a patient", 1),
    ]
