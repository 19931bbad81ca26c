"""Phenopackets: accepted by the schema's own package, whole as the schema's documents ask, and nothing invented."""

from collections.abc import Iterator
from typing import Any

import phenopackets
import pytest
from google.protobuf import json_format

from casefhir import exactjson
from casefhir.report.bundles import Resources
from casefhir.report.facts import cases as grouped
from casefhir.report.phenopacket import Packet, left_out, packets
from casefhir.terms.units import parsed_dimension
from tests.report.conftest import held

NOW, BY = "2026-01-02T03:04:05Z", "casefhir test"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}
SUBJECT = {"reference": "Patient/p"}
SNOMED, LOINC, HPO = "http://snomed.info/sct", "http://loinc.org", "http://human-phenotype-ontology.org"
# What the schema's documents call required, by message; protobuf itself requires nothing.
# https://phenopacket-schema.readthedocs.io
REQUIRED = {
    "Phenopacket": ("id", "meta_data"),
    "Individual": ("id",),
    "OntologyClass": ("id", "label"),
    "PhenotypicFeature": ("type",),
    "Disease": ("term",),
    "Measurement": ("assay",),
    "Quantity": ("unit",),
    "ReferenceRange": ("unit",),
    "Treatment": ("agent",),
    "DoseInterval": ("quantity", "schedule_frequency", "interval"),
    "Procedure": ("code",),
    "TimeInterval": ("start", "end"),
    "MetaData": ("created", "created_by", "resources", "phenopacket_schema_version"),
    "Resource": ("id", "name", "url", "version", "namespace_prefix", "iri_prefix"),
}


def coded(system: str, code: str, display: str = "a thing") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def written(*facts: dict[str, Any]) -> Packet:
    (packet,) = packets(held(PATIENT, *facts), NOW, BY)
    return packet


def condition(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": coded(HPO, "HP:0003326"), **more}


def measured(**more: Any) -> dict[str, Any]:
    quantity = {"value": 4, "unit": "g/l", "system": "http://unitsofmeasure.org", "code": "g/L"}
    value = {"code": coded(LOINC, "2465-3"), "valueQuantity": quantity}
    return {"resourceType": "Observation", "id": "o", "status": "final", "subject": SUBJECT, **value, **more}


def course(**more: Any) -> dict[str, Any]:
    drug = {"medicationCodeableConcept": coded("http://www.whocc.no/atc", "L04AX03", "methotrexate")}
    return {"resourceType": "MedicationStatement", "id": "m", "status": "completed", "subject": SUBJECT, **drug, **more}


def messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                yield from messages(each)


@pytest.fixture(scope="module")
def six(cases: Resources) -> list[Packet]:
    return packets(cases, NOW, BY)


def test_the_six_cases_are_phenopackets_with_all_that_is_required(six: list[Packet]) -> None:
    assert len(six) == 6
    for packet in six:
        message = json_format.Parse(packet.as_json().decode(), phenopackets.Phenopacket())
        missing = [
            (each.DESCRIPTOR.name, name)
            for each in messages(message)
            for name in REQUIRED.get(each.DESCRIPTOR.name, ())
            if not getattr(each, name)
            or (each.DESCRIPTOR.fields_by_name[name].message_type and not str(getattr(each, name)))
        ]
        assert missing == []
        prefixes = {each.id.partition(":")[0] for each in messages(message) if each.DESCRIPTOR.name == "OntologyClass"}
        assert prefixes == {each.namespace_prefix for each in message.meta_data.resources}


def test_each_fact_of_the_six_cases_is_told_or_said_to_be_left_out(six: list[Packet], cases: Resources) -> None:
    for packet, case in zip(six, grouped(cases)):
        whole = {each.resource for each in packet.left_out if each.what == "all"}
        for key, types in (
            ("phenotypicFeatures diseases", ["Condition"]),
            ("medicalActions", ["MedicationStatement", "Procedure"]),
        ):
            told = sum(len(packet.value.get(name, [])) for name in key.split())
            facts = [fact for fact in case.facts if fact.held.type in types]
            left = [fact for fact in facts if f"{fact.held.type}/{fact.held.id}" in whole]
            assert told + len(left) == len(facts)
        some = {each.resource for each in packet.left_out}
        rest = [
            f"{each.held.type}/{each.held.id}"
            for each in case.facts
            if each.kind in ("Reports", "Visits", "Adverse events")
        ]
        assert set(rest) <= some


def test_numbers_keep_their_digits() -> None:
    quantity = {"value": exactjson.read(b"4.0"), "unit": "g/l", "system": "http://unitsofmeasure.org", "code": "g/L"}
    packet = written(measured(valueQuantity=quantity))
    assert b'"value":4.0' in packet.as_json()
    assert packet.value["measurements"][0]["value"]["quantity"]["unit"] == {"id": "UCUM:g/L", "label": "g/l"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"valueQuantity": {"comparator": "<", "value": 4, "system": "http://unitsofmeasure.org", "code": "g/L"}},
            "no word for <",
        ),
        ({"valueQuantity": {"value": 4, "unit": "U/l/ml"}}, "no UCUM code"),
        ({"code": {"text": "IgG"}}, "no code of what was measured"),
        ({"status": "entered-in-error"}, "its status is entered-in-error"),
        ({"valueQuantity": None, "valueString": "normal"}, "words alone"),
    ],
)
def test_a_value_that_a_packet_would_change_is_left_out(change: dict[str, Any], why: str) -> None:
    value = {key: each for key, each in measured(**change).items() if each is not None}
    packet = written(value)
    assert "measurements" not in packet.value
    assert why in packet.left_out[0].why


def test_a_range_with_one_end_is_not_given_another() -> None:
    end = {"value": 3, "unit": "g/l", "system": "http://unitsofmeasure.org", "code": "g/L"}
    one, both = [{"low": end}], [{"low": end, "high": end | {"value": 9}}]
    (found,) = written(measured(referenceRange=one)).value["measurements"]
    assert "referenceRange" not in found["value"]["quantity"]
    (found,) = written(measured(referenceRange=both)).value["measurements"]
    assert (
        found["value"]["quantity"]["referenceRange"]["low"],
        found["value"]["quantity"]["referenceRange"]["high"],
    ) == (3, 9)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("2012", {"interval": {"start": "2012-01-01T00:00:00Z", "end": "2012-12-31T23:59:59Z"}}),
        ("2012-02", {"interval": {"start": "2012-02-01T00:00:00Z", "end": "2012-02-29T23:59:59Z"}}),
        ("2012-02-03", {"interval": {"start": "2012-02-03T00:00:00Z", "end": "2012-02-03T23:59:59Z"}}),
        ("2012-02-03T04:05:06+02:00", {"timestamp": "2012-02-03T04:05:06+02:00"}),
    ],
)
def test_a_date_is_the_stretch_it_tells_and_no_other(told: str, wanted: dict[str, Any]) -> None:
    (found,) = written(measured(effectiveDateTime=told)).value["measurements"]
    assert found["timeObserved"] == wanted


def test_a_time_told_by_an_event_is_left_out_and_said() -> None:
    parts = [
        {"url": "event", "valueReference": {"reference": "MedicationStatement/m"}},
        {"url": "relationship", "valueCode": "after-start"},
        {"url": "offset", "valueDuration": {"value": 3, "code": "mo", "unit": "months"}},
    ]
    relative = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/relative-date", "extension": parts}]}
    packet = written(course(effectivePeriod={"start": "2012"}), measured(_effectiveDateTime=relative))
    assert "timeObserved" not in packet.value["measurements"][0]
    assert ("Observation/o", "when") in [(each.resource, each.what) for each in packet.left_out]


def test_what_is_refuted_is_excluded_and_what_is_doubted_is_left_out() -> None:
    refuted = {"verificationStatus": coded("x", "refuted")}
    assert written(condition(**refuted)).value["phenotypicFeatures"][0]["excluded"] is True
    doubted = written(condition(verificationStatus=coded("x", "provisional")))
    assert "phenotypicFeatures" not in doubted.value
    assert "provisional" in doubted.left_out[0].why


def test_an_ontology_of_diseases_names_diseases() -> None:
    packet = written(condition(code=coded("http://purl.obolibrary.org/obo/mondo.owl", "MONDO:0019344")))
    assert packet.value["diseases"] == [{"term": {"id": "MONDO:0019344", "label": "a thing"}}]


def dosage(**more: Any) -> dict[str, Any]:
    amount = {"value": exactjson.read(b"7.50"), "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    repeat = {"frequency": 1, "period": 1, "periodUnit": "wk"}
    return {"text": "7.5 mg a week", "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": amount}], **more}


PERIOD = {"effectivePeriod": {"start": "2012-02", "end": "2013"}}


def test_a_dose_is_told_where_amount_frequency_and_dates_are() -> None:
    packet = written(course(dosage=[dosage()], **PERIOD))
    assert packet.value["medicalActions"][0]["treatment"]["doseIntervals"] == [
        {
            "quantity": {"unit": {"id": "UCUM:mg", "label": "mg"}, "value": exactjson.read(b"7.50")},
            "scheduleFrequency": {"id": "UCUM:1/wk", "label": "1 in 1 wk"},
            "interval": {"start": "2012-02-01T00:00:00Z", "end": "2013-12-31T23:59:59Z"},
        }
    ]
    assert b'"value":7.50' in packet.as_json()
    assert packet.left_out == []


@pytest.mark.parametrize(
    ("repeat", "code"),
    [
        ({"frequency": 2, "period": 1, "periodUnit": "d"}, "2/d"),
        ({"frequency": 1, "period": 6, "periodUnit": "mo"}, "1/(6.mo)"),
        ({"frequency": 3, "period": 8, "periodUnit": "h"}, "3/(8.h)"),
    ],
)
def test_how_often_is_told_in_ucum(repeat: dict[str, Any], code: str) -> None:
    (action,) = written(course(dosage=[dosage(timing={"repeat": repeat})], **PERIOD)).value["medicalActions"]
    assert action["treatment"]["doseIntervals"][0]["scheduleFrequency"]["id"] == f"UCUM:{code}"
    assert parsed_dimension(code) == parsed_dimension("Hz")  # ucumvert reads it as a frequency


REGULAR = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"effectivePeriod": {"start": "2012"}}, "no dates of both"),
        ({"dosage": [dosage(), dosage()]}, "2 dosages"),
        ({"dosage": [dosage(asNeededBoolean=True)]}, "asNeededBoolean"),
        ({"dosage": [dosage(doseAndRate=[{"doseRange": {"low": {"value": 1}}}])]}, "no single amount"),
        ({"dosage": [dosage(timing={"repeat": REGULAR | {"count": 3}})]}, "no regular frequency"),
        ({"dosage": [dosage(timing={"repeat": REGULAR | {"frequencyMax": 3}})]}, "no regular frequency"),
        ({"dosage": [dosage(timing={"repeat": REGULAR | {"period": exactjson.read(b"1.5")}})]}, "no regular frequency"),
        ({"dosage": [dosage(doseAndRate=[{"doseQuantity": {"value": 1, "unit": "tablet"}}])]}, "no UCUM code"),
    ],
)
def test_a_dose_that_a_packet_would_change_is_left_out(more: dict[str, Any], why: str) -> None:
    packet = written(course(**{"dosage": [dosage()], **PERIOD, **more}))
    assert "doseIntervals" not in packet.value["medicalActions"][0]["treatment"]
    assert [why in each.why for each in packet.left_out if each.what == "dose"] == [True]
    assert [each["namespacePrefix"] for each in packet.value["metaData"]["resources"]] == ["ATC"]


def test_an_adverse_event_stands_under_the_one_course_that_is_suspected() -> None:
    event = {
        "resourceType": "AdverseEvent",
        "id": "e",
        "subject": SUBJECT,
        "event": coded(SNOMED, "25064002", "Headache"),
        "suspectEntity": [{"instance": {"reference": "MedicationStatement/m"}}],
    }
    (action,) = written(course(), event).value["medicalActions"]
    assert action["adverseEvents"] == [{"id": "SNOMEDCT:25064002", "label": "Headache"}]
    two = event | {"suspectEntity": [*event["suspectEntity"], {"instance": {"reference": "MedicationStatement/n"}}]}
    packet = written(course(), course(id="n"), two)
    assert not any("adverseEvents" in each for each in packet.value["medicalActions"])
    assert "AdverseEvent/e" in [each.resource for each in packet.left_out]


def test_a_drug_that_was_not_taken_is_no_treatment() -> None:
    assert "medicalActions" not in written(course(status="not-taken")).value


def test_packets_are_named_so_that_each_has_a_file_of_its_own() -> None:
    patients = [{"resourceType": "Patient", "id": each, "name": [{"text": "../etc/passwd"}]} for each in "ab"]
    found = packets(held(*patients), NOW, BY)
    assert len({each.file_name for each in found}) == 2
    assert all("/" not in each.file_name and "." not in each.file_name for each in found)


def test_what_is_left_out_is_a_table() -> None:
    table = left_out([written(condition(code={"text": "rash"}))])
    assert [each.name for each in table.headings] == ["case", "resource", "title", "what", "why"]
    assert table.rows == (("Patient/p", "Condition/c", "rash", "all", "no code of a system that phenopackets use"),)
