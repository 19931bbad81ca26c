"""Bundles and NDJSON of anyone: read, and their references followed."""

from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.report.bundles import UnreadableBundle, read
from tests.report.conftest import bundle

PATIENT = {"resourceType": "Patient", "id": "p"}


def problem(reference: str, id_: str = "c") -> dict[str, object]:
    return {"resourceType": "Condition", "id": id_, "subject": {"reference": reference}}


@pytest.mark.parametrize("reference", ["urn:uuid:abc", "Patient/p", "http://x/fhir/Patient/p", "Patient/p/_history/2"])
def test_a_reference_in_a_bundle_is_followed_however_it_is_written(reference: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(bundle(PATIENT, problem(reference), p="urn:uuid:abc"))
    resources = read([tmp_path])
    (condition,) = resources.of_type("Condition")
    found = resources.target(reference, condition)
    assert found is not None
    assert found.value == PATIENT


def test_equal_ids_in_two_bundles_stay_two_patients(tmp_path: Path) -> None:
    for name, gender in (("a", "female"), ("b", "male")):
        (tmp_path / f"{name}.json").write_bytes(bundle({**PATIENT, "gender": gender}, problem("Patient/p")))
    resources = read([tmp_path])
    found = [resources.target("Patient/p", each) for each in resources.of_type("Condition")]
    assert [each.value["gender"] for each in found if each] == ["female", "male"]


def test_ndjson_files_of_one_export_refer_to_each_other(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(exactjson.write(PATIENT) + b"\n\n")
    (tmp_path / "Condition.ndjson").write_bytes(exactjson.write(problem("Patient/p")) + b"\n")
    resources = read([tmp_path])
    (condition,) = resources.of_type("Condition")
    found = resources.target("Patient/p", condition)
    assert found is not None
    assert (found.line, found.id) == (1, "p")


def test_a_resource_without_id_has_that_of_its_full_url(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(
        exactjson.write(
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [
                    {"fullUrl": "urn:uuid:77", "resource": {"resourceType": "Patient"}},
                    {"request": {"method": "DELETE"}},
                ],
            }
        )
    )
    assert [each.id for each in read([tmp_path])] == ["77"]


def test_a_person_of_another_server_is_another_person(tmp_path: Path) -> None:
    one, other = "http://one/fhir/Patient/p", "http://other/fhir/Patient/p"
    entries = [
        {"fullUrl": one, "resource": PATIENT},
        {"fullUrl": other, "resource": PATIENT | {"gender": "female"}},
        {"fullUrl": "http://other/fhir/Condition/c", "resource": problem("Patient/p")},
        {"fullUrl": "http://one/fhir/Condition/d", "resource": problem(other, "d")},
        {"fullUrl": "http://one/fhir/Condition/e", "resource": problem("http://third/fhir/Patient/p", "e")},
    ]
    (tmp_path / "b.json").write_bytes(
        exactjson.write({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    )
    found = read([tmp_path / "b.json"])
    targets = [found.target(each.value["subject"]["reference"], each) for each in found.of_type("Condition")]
    assert [each and each.url for each in targets] == [other, other, None]


def test_a_bundle_in_a_bundle_is_opened_and_keeps_its_references(tmp_path: Path) -> None:
    inner = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"resource": PATIENT}, {"resource": problem("Patient/p")}],
    }
    entries = [{"resource": inner}, {"resource": inner | {"id": "again"}}]
    (tmp_path / "b.json").write_bytes(
        exactjson.write({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    )
    found = read([tmp_path / "b.json"])
    assert [each.pointer for each in found.of_type("Patient")] == [
        "/entry/0/resource/entry/0/resource",
        "/entry/1/resource/entry/0/resource",
    ]
    first, second = (found.target("Patient/p", each) for each in found.of_type("Condition"))
    assert [first, second] == found.of_type("Patient")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.json", '{"a": 1}', "a.json: this is no FHIR resource"),
        ("a.json", "{", "a.json: Not readable as JSON"),
        ("a.ndjson", '{"resourceType": "Patient"}\n[]\n', "a.ndjson:2: this is no FHIR resource"),
        ("a.json", '{"resourceType": "Bundle", "entry": [{"resource": 3}]}', "entry 0 holds no resource"),
        ("a.json", '{"resourceType": "Bundle", "entry": 3}', "Bundle.entry is no list"),
        ("a.json", '{"resourceType": "Patient", "id": "\\ud800"}', "a.json: Not writable"),
    ],
)
def test_what_is_no_fhir_is_told_with_its_place(name: str, text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UnreadableBundle, match=sentence):
        read([tmp_path / name])
