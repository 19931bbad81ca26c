"""Bringing a case back, comparing two bundles by fact, and taking back what was written."""

import copy
from typing import Any

import httpx
import pytest

from casefhir.delivery import diff, pull, remove, upload
from casefhir.delivery.errors import UnfitInput

from .conftest import PATIENCE, Hapi
from .example import changed, full_bundle, small_bundle

KINDS = (
    "DocumentReference", "Patient", "Observation", "Condition", "MedicationStatement", "AdverseEvent",
    "AllergyIntolerance", "Encounter", "Procedure", "DiagnosticReport", "Device", "Provenance",
)  # fmt: skip


@pytest.mark.java
@pytest.mark.parametrize("strategy", ["put", "conditional"])
def test_a_case_that_was_uploaded_comes_back_the_same_by_fact(hapi: Hapi, strategy: str) -> None:
    upload([full_bundle("alpha"), small_bundle("beta")], hapi.base, strategy=strategy)
    back = pull("alpha", hapi.base)
    assert back["type"] == "collection"
    assert len(back["entry"]) == 33
    assert diff(full_bundle("alpha"), back) == []
    assert all("versionId" not in entry["resource"]["meta"] for entry in back["entry"])
    again = upload(back, hapi.base, dry_run=True)  # what comes back can be sent again
    assert again.by_state == {"planned": 1}
    if strategy == "put":
        assert again.unchanged == 33


@pytest.mark.java
@pytest.mark.parametrize("strategy", ["put", "conditional"])
@pytest.mark.parametrize("key", ["a,b", "a|b", "a$b", "a\\\\b", "Müller & söhne/2 +1 %41", "../x"])
def test_any_key_is_found_again(hapi: Hapi, strategy: str, key: str) -> None:
    upload([small_bundle(key), small_bundle("a")], hapi.base, strategy=strategy, verify=True)
    again = upload(small_bundle(key), hapi.base, strategy=strategy, prune=True)
    assert (again.unchanged, again.created, again.updated, again.deleted) == (9, 0, 0, 0)
    assert len(pull(key, hapi.base)["entry"]) == 9
    assert remove(hapi.base, case=key).count == 9
    assert len(hapi.state(KINDS)) == 9


@pytest.mark.java
def test_a_case_of_more_than_a_page_comes_back_whole(hapi: Hapi) -> None:
    upload(small_bundle("alpha", observations=230), hapi.base)
    assert len(pull("alpha", hapi.base)["entry"]) == 236


@pytest.mark.java
def test_a_case_that_is_not_there_is_told(hapi: Hapi) -> None:
    with pytest.raises(UnfitInput, match="holds nothing"):
        pull("alpha", hapi.base)


@pytest.mark.java
def test_remove_takes_back_one_case_and_leaves_the_rest(hapi: Hapi) -> None:
    upload([full_bundle("alpha"), small_bundle("beta")], hapi.base)
    stranger = {
        "resourceType": "Patient",
        "meta": {"tag": [{"system": "https://w3id.org/casefhir/case", "code": "alpha"}]},
    }
    httpx.post(f"{hapi.base}/Patient", json=stranger, timeout=PATIENCE).raise_for_status()
    foreseen = remove(hapi.base, case="alpha", dry_run=True)
    assert (foreseen.dry_run, foreseen.count) == (True, 33)
    assert len(hapi.state(KINDS)) == 43
    told: list[tuple[str, int]] = []
    receipt = remove(hapi.base, case="alpha", on_progress=lambda case, count: told.append((case, count)))
    assert receipt.removed == foreseen.removed
    assert (receipt.count, receipt.exit_code, told) == (33, 0, [("alpha", 33)])
    left = hapi.state(KINDS)
    assert len(left) == 10  # beta, and the patient that somebody else wrote
    assert remove(hapi.base, case="alpha").count == 0


@pytest.mark.java
def test_remove_without_a_case_takes_back_everything_that_casefhir_wrote(hapi: Hapi) -> None:
    upload([small_bundle("alpha"), small_bundle("beta")], hapi.base, strategy="conditional")
    httpx.post(f"{hapi.base}/Patient", json={"resourceType": "Patient"}, timeout=PATIENCE).raise_for_status()
    receipt = remove(hapi.base)
    assert {case: len(names) for case, names in receipt.removed.items()} == {"alpha": 9, "beta": 9}
    assert len(hapi.state(KINDS)) == 1


@pytest.mark.java
def test_what_others_refer_to_is_kept_and_said(hapi: Hapi) -> None:
    alone = small_bundle("alpha")
    alone["entry"] = alone["entry"][1:2]
    del alone["entry"][0]["resource"]["extension"]
    upload([alone, small_bundle("beta")], hapi.base)
    (patient,) = hapi.of_case("alpha", ("Patient",))
    other = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient['id']}"}}
    httpx.post(f"{hapi.base}/Basic", json=other, timeout=PATIENCE).raise_for_status()
    receipt = remove(hapi.base)
    assert list(receipt.removed) == ["beta"]
    assert "409" in receipt.refused["alpha"]
    assert receipt.exit_code == 3
    assert len(hapi.of_case("alpha", KINDS)) == 1


def test_bundles_are_compared_by_fact_not_by_id_or_order() -> None:
    one, other = small_bundle("alpha"), small_bundle("alpha")
    for entry in other["entry"]:
        entry["resource"]["id"] = entry["resource"]["id"].replace("-", "")
        entry["fullUrl"] = entry["fullUrl"].upper()
    other["entry"].reverse()
    text = {entry["resource"]["id"] for entry in other["entry"]}
    assert not text & {entry["resource"]["id"] for entry in one["entry"]}
    found = diff(one, other)
    assert {row.change for row in found} == {"different"}  # the references still point to the old ids
    for entry in other["entry"]:
        entry["fullUrl"] = entry["fullUrl"].lower().replace("urn:uuid:", "urn:uuid:")
    same = [row for row in diff(one, other) if row.fact != "alpha/value-0"]
    assert same == []


def test_a_difference_is_told_in_words_a_reader_understands() -> None:
    one = small_bundle("alpha")
    other = changed(one, 5, valueQuantity={**one["entry"][5]["resource"]["valueQuantity"], "value": 7})
    gone = other["entry"].pop(2)
    added = copy.deepcopy(gone)
    added["resource"]["meta"]["tag"][2]["code"] = "alpha/new"
    added["resource"]["id"] = added["fullUrl"] = "new"
    other["entry"].append(added)
    lines = [line for row in diff(one, other) for line in row.lines()]
    assert lines[0] == "alpha/conversion: different (Provenance)"
    assert lines[2:] == [
        "alpha/new: only in the second (Condition, rash, 2012-07)",
        "alpha/problem: only in the first (Condition, rash, 2012-07)",
        "alpha/value-0: different (Observation)",
        "    first:  2157-6, 1.10 U/L",
        "    second: 2157-6, 7 U/L",
        "    Observation.valueQuantity.value: 1.10 -> 7",
    ]


def test_the_narrative_is_what_a_reader_is_told() -> None:
    def told(dose: str) -> dict[str, Any]:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>azathioprine;<br/> {dose} &lt; most</p></div>'
        return {"text": {"status": "generated", "div": div}, "dosage": [{"text": dose}]}

    (row,) = diff(changed(small_bundle("alpha"), 3, **told("50 mg")), changed(small_bundle("alpha"), 3, **told("5 mg")))
    assert row.lines() == [
        "alpha/drug: different (MedicationStatement)",
        "    first:  azathioprine; 50 mg < most",
        "    second: azathioprine; 5 mg < most",
        "    MedicationStatement.dosage[0].text: 50 mg -> 5 mg",
    ]


@pytest.mark.parametrize("broken", ["no fact", "twice", "no bundle"])
def test_what_cannot_be_compared_is_told(broken: str) -> None:
    other: dict[str, Any] = small_bundle("alpha")
    if broken == "no fact":
        other["entry"][0]["resource"]["meta"]["tag"] = []
    elif broken == "twice":
        other["entry"].append(other["entry"][0])
    else:
        other = {"resourceType": "Patient"}
    with pytest.raises(UnfitInput):
        diff(small_bundle("alpha"), other)
