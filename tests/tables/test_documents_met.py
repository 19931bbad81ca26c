"""Phenopackets as those who write them write them: what the schema allows and published examples hold, with values
made up.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from casefhir.sources.tables.check import check_mapping
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.tables import Options, Tally, convert_tables, manifest
from tests.tables.test_layouts_met import converted, resources


def packet(name: str = "a", **more: Any) -> dict[str, Any]:
    return {"id": name, "subject": {"id": name, "sex": "FEMALE", **more.pop("subject", {})}, **more}


def told(folder: Path, *documents: dict[str, Any]) -> tuple[Path, Tally]:
    out, tally = converted(folder, "phenopackets", packets_json=json.dumps(documents))
    assert not tally.rejected
    assert not tally.errors
    return out, tally


def by_text(out: Path, kind: str = "Observation") -> dict[str, dict[str, Any]]:
    return {each["code"]["text"]: each for each in resources(out, kind)}


def quantity(value: float, unit: str = "UCUM:mg/dL", **more: Any) -> dict[str, Any]:
    return {"unit": {"id": unit, "label": "the unit"}, "value": value, **more}


def measured(**value: Any) -> dict[str, Any]:
    return packet(measurements=[{"assay": {"id": "LOINC:2157-6", "label": "CK"}, **value}])


def test_two_documents_of_one_id_and_subject_are_never_made_one_person(tmp_path: Path) -> None:
    feature = [{"type": {"id": "HP:0003326", "label": "Myalgia"}}]
    inside = tmp_path / "in"
    inside.mkdir()
    for name in ("one", "other"):
        (inside / f"{name}.json").write_text(json.dumps(packet("arbitrary.id", phenotypicFeatures=feature)))
    (inside / "third.json").write_text(json.dumps(packet("b", phenotypicFeatures=feature)))
    tally = convert_tables([inside], "phenopackets", tmp_path / "out", Options(form="ndjson"))
    assert tally.persons == 1
    assert tally.total_rejected == 4
    rejects = (tmp_path / "out" / "rejects" / "packets.csv").read_text()
    assert "one.json" in rejects
    assert "other.json" in rejects
    assert "give every person another key" in rejects


def test_complex_values_stand_where_the_schema_has_them(tmp_path: Path) -> None:
    part = {"id": "LOINC:8480-6", "label": "systolic"}
    within = {"referenceRange": {"unit": {"id": "UCUM:mm[Hg]"}, "low": 90, "high": 140}}
    parts = [{"type": part, "quantity": quantity(131, "UCUM:mm[Hg]", **within)}]
    out, _ = told(tmp_path, measured(complexValue={"typedQuantities": parts}))
    (component,) = by_text(out)["CK"]["component"]
    assert component["valueQuantity"]["value"] == 131
    assert component["valueQuantity"]["code"] == "mm[Hg]"
    assert component["referenceRange"][0]["high"]["value"] == 140
    assert "dataAbsentReason" not in by_text(out)["CK"]


@pytest.mark.thorough
@pytest.mark.parametrize("unit", ["U.L-1", "mg.dL-1", "10*3/uL", "ug.kg-1.min-1"])
def test_what_is_said_to_be_ucum_and_is_needs_to_be_no_common_unit(tmp_path: Path, unit: str) -> None:
    out, tally = told(tmp_path, measured(value={"quantity": quantity(5, f"UCUM:{unit}")}))
    assert by_text(out)["CK"]["valueQuantity"]["code"] == unit
    assert by_text(out)["CK"]["valueQuantity"]["unit"] == unit
    assert not tally.unmapped


def test_what_is_said_to_be_ucum_and_is_not_has_no_code(tmp_path: Path) -> None:
    out, tally = told(tmp_path, measured(value={"quantity": quantity(5, "UCUM:degrees of arc")}))
    assert by_text(out)["CK"]["valueQuantity"] == {"value": 5, "unit": "degrees of arc"}
    assert [words for _, _, words in tally.unmapped] == ["UCUM:degrees of arc"]


def test_a_range_in_another_unit_is_not_given_the_results(tmp_path: Path) -> None:
    other = {"referenceRange": {"unit": {"id": "UCUM:mmol/L", "label": "mmol/L"}, "low": 4, "high": 6}}
    out, _ = told(tmp_path, measured(value={"quantity": quantity(90, **other)}))
    assert "referenceRange" not in by_text(out)["CK"]
    assert "interpretation" not in by_text(out)["CK"]
    assert "Reference range: 4 - 6 mmol/L" in [note["text"] for note in by_text(out)["CK"]["note"]]


def test_doses_are_told_once_and_with_their_sum(tmp_path: Path) -> None:
    agent = {"id": "X:1", "label": "methotrexate"}
    total = {"cumulativeDose": quantity(1500, "UCUM:mg"), "drugType": "PRESCRIPTION"}
    intervals = [{"quantity": {"unit": {"id": "UCUM:mg", "label": "mg"}}, "scheduleFrequency": {"label": "Once Daily"}}]
    out, _ = told(
        tmp_path, packet(medicalActions=[{"treatment": {"agent": agent, **total, "doseIntervals": intervals}}])
    )
    (course,) = resources(out, "MedicationStatement")
    notes = [note["text"] for note in course["note"]]
    assert "Cumulative dose of the treatment: 1500 the unit" in notes
    assert "Told by: prescription" in notes
    assert "doseAndRate" not in course["dosage"][0]


def test_what_is_told_of_the_subject_and_has_no_element_in_a_patient_is_an_observation(tmp_path: Path) -> None:
    between = {"ageRange": {"start": {"iso8601duration": "P40Y"}, "end": {"iso8601duration": "P45Y"}}}
    status = {"status": "DECEASED", "timeOfDeath": {"age": {"iso8601duration": "P47Y"}}, "survivalTimeInDays": 700}
    subject = {"karyotypicSex": "XXY", "timeAtLastEncounter": between, "vitalStatus": status}
    out, _ = told(tmp_path, packet(subject=subject))
    found = by_text(out)
    assert found["karyotypic sex"]["valueCodeableConcept"]["text"] == "XXY"
    assert found["age at last encounter"]["valueCodeableConcept"]["text"] == "between P40Y and P45Y"
    assert found["age at death"]["valueCodeableConcept"]["text"] == "P47Y"
    assert found["survival time since the primary diagnosis"]["valueQuantity"]["value"] == 700
    assert resources(out, "Patient")[0]["deceasedBoolean"] is True
    plain, _ = told(tmp_path / "plain", packet(subject={"karyotypicSex": "UNKNOWN_KARYOTYPE"}))
    assert not resources(plain, "Observation")


def test_a_diagnosis_against_which_its_own_findings_speak_is_no_provisional_one(tmp_path: Path) -> None:
    def interpreted(status: str, progress: str) -> dict[str, Any]:
        found = {"subjectOrBiosampleId": "a", "interpretationStatus": status, "gene": {"symbol": "FXN"}}
        diagnosis = {"disease": {"id": "OMIM:229300", "label": "Ataxia"}, "genomicInterpretations": [found]}
        return packet(interpretations=[{"id": "i", "progressStatus": progress, "diagnosis": diagnosis}])

    found = {}
    for place, case in enumerate([("REJECTED", "COMPLETED"), ("CAUSATIVE", "COMPLETED"), ("REJECTED", "SOLVED")]):
        out, _ = told(tmp_path / str(place), interpreted(*case))
        found[case] = resources(out, "Condition")[0]["verificationStatus"]["coding"][0]["code"]
    assert [*found.values()] == ["unconfirmed", "provisional", "confirmed"]


def test_evidence_response_and_the_end_of_a_treatment_are_kept_in_notes(tmp_path: Path) -> None:
    evidence = [{"evidenceCode": {"id": "ECO:1", "label": "author statement"}, "reference": {"id": "PMID:1"}}]
    resolved = {"ageRange": {"start": {"iso8601duration": "P3Y"}, "end": {"iso8601duration": "P5Y"}}}
    feature = {"type": {"id": "HP:1", "label": "Rash"}, "evidence": evidence, "resolution": resolved}
    action = {
        "procedure": {
            "code": {"id": "NCIT:1", "label": "Thymectomy"},
            "performed": {"ontologyClass": {"label": "Adult"}},
        },
        "treatmentIntent": {"label": "Cure"}, "responseToTreatment": {"label": "Favorable"},
    }  # fmt: skip
    out, _ = told(tmp_path, packet(phenotypicFeatures=[feature], medicalActions=[action]))
    notes = {
        note["text"] for kind in ("Condition", "Procedure") for each in resources(out, kind) for note in each["note"]
    }
    assert notes == {
        "Evidence: author statement (PMID:1)", "Resolved between the ages of P3Y and P5Y",
        "Performed: Adult", "Intent: Cure", "Response: Favorable",
    }  # fmt: skip


def test_what_no_rule_reads_is_told_once_for_all_places_of_a_list(tmp_path: Path) -> None:
    samples = [{"id": name, "sampledTissue": {"id": "UBERON:1", "label": "muscle"}} for name in "xyz"]
    feature = {"type": {"id": "HP:1", "label": "Rash"}, "modifiers": [{"id": "HP:2", "label": "Left"}]}
    out, _ = told(tmp_path, packet(biosamples=samples, phenotypicFeatures=[feature, feature | {"description": "x"}]))
    assert manifest(out)["unread"] == {
        "packets": ["biosamples.*.id", "biosamples.*.sampledTissue.id", "biosamples.*.sampledTissue.label"],
        "features": ["modifiers.*.id"],
    }
    found = check_mapping(load_mapping("phenopackets"), [tmp_path / "in"])
    tissue = found.tables["packets"].unread("biosamples.*.sampledTissue.label")
    assert (tissue.filled, tissue.samples) == (3, ["muscle"])


def test_no_names_of_columns_stand_below_the_output_where_the_mapping_hides_something(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,sex,phone\n1,F,555\n")
    text = 'casefhir = 1\nname = "m"\ntitle = "M"\nversion = "1"\nrecorded = "2026-01-01T00:00:00Z"\n[tables.in]\nkey = ["id"]\n[person]\ntable = "in"\nsex = "sex"\n'  # noqa: E501
    (tmp_path / "open.toml").write_text(text)
    (tmp_path / "private.toml").write_text(text + "[privacy]\nage_cap = 89\n")
    for name, unread in (("open", {"in": ["phone"]}), ("private", None)):
        convert_tables([tmp_path / "in.csv"], tmp_path / f"{name}.toml", tmp_path / name, Options(form="ndjson"))
        assert manifest(tmp_path / name).get("unread") == unread


def test_what_stands_around_the_members_of_a_family_is_told_as_not_read(tmp_path: Path) -> None:
    family = {"id": "f", "proband": packet("p"), "pedigree": {"persons": [{"individualId": "p"}]}, "files": []}
    told(tmp_path, family)
    notes = list(open_mapping(load_mapping("phenopackets"), [tmp_path / "in"]).notes)
    assert "packets.json: around them, not read id and pedigree and files." in notes


def test_ranges_of_age_and_stages_of_version_1(tmp_path: Path) -> None:
    between = {"start": {"age": "P30Y"}, "end": {"age": "P32Y"}}
    disease = {"term": {"id": "OMIM:1", "label": "D"}, "ageRangeOfOnset": between, "tumorStage": [{"label": "T2"}]}
    out, _ = told(tmp_path, packet(diseases=[disease]))
    (condition,) = resources(out, "Condition")
    assert [note["text"] for note in condition["note"]] == ["Onset between the ages of P30Y and P32Y", "Stage: T2"]


def test_terms_without_labels_are_called_by_their_ids(tmp_path: Path) -> None:
    action = {"treatment": {"agent": {"id": "X:1"}, "doseIntervals": [{"quantity": quantity(5)}]}}
    out, _ = told(
        tmp_path,
        packet(
            phenotypicFeatures=[{"type": {"id": "HP:0003326"}}], diseases=[{"term": {"id": "OMIM:1"}}],
            measurements=[{"assay": {"id": "LOINC:2157-6"}, "value": {"quantity": quantity(5)}}],
            medicalActions=[action],
        ),
    )  # fmt: skip
    assert {each["code"]["text"] for each in resources(out, "Condition")} == {"HP:0003326", "OMIM:1"}
    assert by_text(out)["LOINC:2157-6"]["code"]["coding"][0]["code"] == "2157-6"
    assert resources(out, "MedicationStatement")[0]["medicationCodeableConcept"]["text"] == "X:1"
