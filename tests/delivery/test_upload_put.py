"""Uploading with our own ids, against a real HAPI server."""

from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from casefhir import exactjson
from casefhir.delivery import upload

from .conftest import PATIENCE, Hapi
from .example import changed, full_bundle, new_id, small_bundle, write_bundle

pytestmark = pytest.mark.java
KEYS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
TYPES = (
    "DocumentReference", "Patient", "Observation", "Condition", "MedicationStatement", "AdverseEvent",
    "AllergyIntolerance", "Encounter", "Procedure", "DiagnosticReport", "Device", "Provenance",
)  # fmt: skip


def test_a_case_arrives_whole_and_reads_back_as_it_was_sent(hapi: Hapi) -> None:
    receipt = upload(full_bundle("alpha"), hapi.base, verify=True)
    assert (receipt.created, receipt.updated, receipt.unchanged, receipt.refused) == (33, 0, 0, 0)
    assert receipt.exit_code == 0
    assert receipt.fhir_version == "4.0.1"
    assert receipt.software.startswith("HAPI FHIR Server")
    (case,) = receipt.cases
    assert case.state == "done"
    assert case.verified is True
    assert {resource.version for resource in case.resources} == {"1"}
    assert len(hapi.of_case("alpha", TYPES)) == 33


def test_no_urn_reference_is_left_on_the_server(hapi: Hapi) -> None:
    upload([full_bundle("alpha"), small_bundle("beta")], hapi.base)
    for kind in TYPES:
        page = httpx.get(f"{hapi.base}/{kind}?_count=500", timeout=PATIENCE)
        assert b"urn:uuid" not in page.content


def test_six_cases_three_times_make_no_duplicate_and_no_new_version(hapi: Hapi, tmp_path: Path) -> None:
    for key in KEYS:
        write_bundle(tmp_path, full_bundle(key), key)
    first = upload(tmp_path, hapi.base)
    before = hapi.state(TYPES)
    again = [upload(tmp_path, hapi.base, verify=True) for _ in range(2)]
    assert first.created == 6 * 33
    assert [(r.created, r.updated, r.unchanged) for r in again] == [(0, 0, 6 * 33)] * 2
    assert len(before) == 6 * 33
    assert hapi.state(TYPES) == before
    assert {resource["meta"]["versionId"] for resource in before.values()} == {"1"}


def test_a_changed_resource_is_updated_in_place_and_alone(hapi: Hapi) -> None:
    bundle = small_bundle("alpha")
    upload(bundle, hapi.base)
    receipt = upload(changed(small_bundle("alpha"), 2, code={"text": "eczema"}), hapi.base)
    assert (receipt.created, receipt.updated, receipt.unchanged) == (0, 1, 8)
    (updated,) = [r for r in receipt.cases[0].resources if r.action == "updated"]
    assert updated.version == "2"
    assert [str(difference) for difference in updated.differences] == ["Condition.code.text: eczema -> rash"]
    held = hapi.state(("Condition", "Patient"))
    assert held[f"Condition/{new_id('alpha', 'problem')}"]["code"]["text"] == "eczema"
    assert held[f"Patient/{new_id('alpha', 'subject')}"]["meta"]["versionId"] == "1"


def test_decimals_keep_their_digits(hapi: Hapi) -> None:
    upload(small_bundle("alpha", value="1.10"), hapi.base)
    reply = httpx.get(f"{hapi.base}/Observation/{new_id('alpha', 'value-1')}", timeout=PATIENCE)
    assert str(exactjson.read(reply.content)["valueQuantity"]["value"]) == "1.10"
    receipt = upload(small_bundle("alpha", value="1.1"), hapi.base)
    assert receipt.updated == 3  # 1.1 says less than 1.10
    reply = httpx.get(f"{hapi.base}/Observation/{new_id('alpha', 'value-1')}", timeout=PATIENCE)
    held = exactjson.read(reply.content)
    assert held["valueQuantity"]["value"] == Decimal("1.1")


def test_what_somebody_changed_on_the_server_is_put_right(hapi: Hapi) -> None:
    upload(small_bundle("alpha"), hapi.base)
    name = f"Condition/{new_id('alpha', 'problem')}"
    other = {**hapi.get(name), "onsetDateTime": "1999"}
    httpx.put(f"{hapi.base}/{name}", json=other, timeout=PATIENCE).raise_for_status()
    receipt = upload(small_bundle("alpha"), hapi.base, verify=True)
    assert (receipt.updated, receipt.unchanged) == (1, 8)
    assert hapi.get(name)["onsetDateTime"] == "2012-07"


def test_a_deleted_case_comes_back(hapi: Hapi) -> None:
    upload(small_bundle("alpha"), hapi.base)
    gone = [{"request": {"method": "DELETE", "url": f"{resource['resourceType']}/{resource['id']}"}}
            for resource in hapi.of_case("alpha", TYPES)]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": gone}
    httpx.post(hapi.base, json=bundle, timeout=PATIENCE).raise_for_status()
    receipt = upload(small_bundle("alpha"), hapi.base, verify=True)
    assert receipt.created == 9
    assert receipt.ok


@pytest.mark.parametrize("strategy", ["put", "conditional"])
def test_an_invalid_last_entry_leaves_nothing_of_its_case_and_does_not_stop_the_others(
    hapi: Hapi, tmp_path: Path, strategy: str
) -> None:
    for key in KEYS:
        bundle = small_bundle(key)
        if key == "gamma":
            bundle = changed(bundle, -1, recorded="the day before")
        write_bundle(tmp_path, bundle, key)
    index = {new_id("gamma", "conversion"): {"fact": "gamma/conversion", "mapping": "gamma.py", "line": 42}}
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "gamma.json").write_bytes(exactjson.write(index))
    receipt = upload(tmp_path, hapi.base, strategy=strategy)
    assert receipt.exit_code == 3
    assert receipt.by_state == {"done": 5, "refused": 1}
    assert (receipt.created, receipt.refused) == (45, 9)
    assert hapi.of_case("gamma", TYPES) == []
    assert len(hapi.state(TYPES)) == 45
    (refused,) = receipt.troubled()
    assert refused.case == "gamma"
    assert "the day before" in (refused.problem or "")
    assert "400" in (refused.problem or "")


def test_a_missing_reference_is_explained_with_its_fact_and_mapping_line(hapi: Hapi, tmp_path: Path) -> None:
    bundle = changed(small_bundle("alpha"), 2, encounter={"reference": "Encounter/not-there"})
    path = write_bundle(tmp_path, bundle, "alpha")
    index = {new_id("alpha", "problem"): {"fact": "alpha/problem", "mapping": "mappings/alpha.py", "line": 7}}
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "alpha.json").write_bytes(exactjson.write(index))
    (case,) = upload(path, hapi.base).cases
    assert case.state == "refused"
    (issue,) = case.issues
    assert issue.severity == "error"
    assert issue.code
    assert "Encounter/not-there" in issue.diagnostics
    assert hapi.state(("Patient",)) == {}


def test_two_entries_of_one_key_are_stopped_before_anything_is_sent(hapi: Hapi) -> None:
    bundle = small_bundle("alpha")
    bundle["entry"].append(bundle["entry"][2])
    hapi.control()
    receipt = upload([bundle, small_bundle("beta")], hapi.base)
    assert receipt.by_state == {"refused": 1, "done": 1}
    assert "two entries" in (receipt.cases[0].problem or "")
    assert hapi.of_case("alpha", TYPES) == []
    assert len(hapi.of_case("beta", TYPES)) == 9


def test_prune_removes_what_the_case_no_longer_has_and_nothing_else(hapi: Hapi) -> None:
    upload([small_bundle("alpha", observations=4), small_bundle("beta")], hapi.base)
    receipt = upload(small_bundle("alpha", observations=2), hapi.base, prune=True)
    assert receipt.deleted == 2
    assert receipt.updated == 1  # the Provenance, which no longer points to them
    assert len(hapi.of_case("alpha", ("Observation",))) == 2
    assert len(hapi.of_case("beta", TYPES)) == 9
    kept = upload(small_bundle("alpha", observations=1), hapi.base)
    assert kept.deleted == 0
    assert len(hapi.of_case("alpha", ("Observation",))) == 2  # without prune nothing is removed


def test_a_dry_run_says_what_would_change_and_changes_nothing(hapi: Hapi) -> None:
    new = upload(small_bundle("alpha"), hapi.base, dry_run=True)
    assert (new.created, hapi.state(("Patient",))) == (9, {})
    upload(small_bundle("alpha"), hapi.base)
    before = hapi.state(TYPES)
    receipt = upload(changed(small_bundle("alpha"), 1, gender="male"), hapi.base, dry_run=True)
    assert (receipt.updated, receipt.unchanged) == (1, 8)
    (patient,) = [r for r in receipt.cases[0].resources if r.action == "updated"]
    assert str(patient.differences[0]) == "Patient.gender: male -> female"
    assert hapi.state(TYPES) == before


def test_verify_names_what_reads_back_differently(hapi: Hapi) -> None:
    bundle = changed(small_bundle("alpha"), 2, colour="red")  # HAPI stores it without the unknown element
    receipt = upload(bundle, hapi.base, verify=True)
    assert receipt.exit_code == 3
    (case,) = receipt.cases
    assert case.state == "mismatch"
    ((name, found),) = case.mismatches
    assert name == f"Condition/{new_id('alpha', 'problem')}"
    assert [str(one) for one in found] == ["Condition.colour: red -> (nothing)"]
