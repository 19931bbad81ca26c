"""Bundles and NDJSON as cases: what is checked before anything is sent."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest

from casefhir import exactjson
from casefhir.delivery.cases import Case, UnfitCase, references
from casefhir.delivery.errors import UnfitInput
from casefhir.delivery.sources import read_cases

from .example import full_bundle, new_id, small_bundle, write_bundle


def only(source: Any) -> Case:
    (case,) = read_cases(source)
    assert isinstance(case, Case), case
    return case


def unfit(source: Any) -> str:
    (case,) = read_cases(source)
    assert isinstance(case, UnfitCase)
    return str(case.error)


def test_references_inside_the_case_become_type_and_id() -> None:
    case = only(full_bundle("alpha"))
    assert len(case.entries) == 33
    found = {holder["reference"] for entry in case.entries for holder in references(entry.resource)}
    assert f"Patient/{new_id('alpha', '0154fcf1-c140-55f0-9bed-4aeaf428c00f')}" in found
    assert not [reference for reference in found if reference.startswith("urn:")]
    assert case.is_test_data


def test_a_reference_to_nothing_in_the_bundle_is_stopped() -> None:
    bundle = small_bundle("alpha")
    bundle["entry"][2]["resource"]["encounter"] = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}
    assert "urn:uuid:00000000" in unfit(bundle)


@pytest.mark.parametrize("same", ["id", "fullUrl", "fact"])
def test_two_entries_with_one_key_are_stopped(same: str) -> None:
    bundle = small_bundle("alpha")
    first, second = bundle["entry"][5], bundle["entry"][6]
    if same == "id":
        second["resource"]["id"] = first["resource"]["id"]
    elif same == "fullUrl":
        second["fullUrl"] = first["fullUrl"]
    else:
        second["resource"]["meta"]["tag"] = copy.deepcopy(first["resource"]["meta"]["tag"])
    assert "two entries" in unfit(bundle)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda bundle: bundle.update(type="document"), "type 'document'"),
        (lambda bundle: bundle.update(entry=[]), "no entries"),
        (lambda bundle: bundle.update(resourceType="List"), "not a FHIR Bundle"),
        (lambda bundle: bundle["entry"][1].pop("resource"), "entry[1] has no resource"),
        (lambda bundle: bundle["entry"][0]["resource"].update(id="a_b"), "not a FHIR id"),
        (lambda bundle: bundle["entry"][0]["resource"].update(id="../Patient"), "not a FHIR id"),
        (lambda bundle: bundle["entry"][0]["resource"].update(resourceType="$expunge"), "not a FHIR type"),
    ],
)
def test_what_is_no_case_is_told_and_not_sent(change: Any, said: str) -> None:
    bundle = small_bundle("alpha")
    change(bundle)
    assert said in unfit(bundle)


def test_a_resource_without_a_case_tag_is_stopped() -> None:
    bundle = small_bundle("alpha")
    for entry in bundle["entry"]:
        entry["resource"]["meta"]["tag"] = []
    assert "no case tag" in unfit(bundle)


def test_a_bundle_of_two_cases_is_taken_apart_only_where_nothing_crosses() -> None:
    both = small_bundle("alpha")
    both["entry"] += small_bundle("beta")["entry"]
    assert [case.key for case in read_cases(copy.deepcopy(both))] == ["alpha", "beta"]
    both["entry"][-1]["resource"]["target"].append({"reference": both["entry"][1]["fullUrl"]})
    assert "'beta' refers to" in unfit(both)


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    assert only(path).digest == only(small_bundle("alpha")).digest
    assert only(path).digest != only(small_bundle("alpha", value="1.1")).digest


def test_ndjson_holds_bundles_or_resources_in_any_order(tmp_path: Path) -> None:
    alpha, beta = only(small_bundle("alpha")), only(small_bundle("beta"))
    rows = [entry.resource for pair in zip(alpha.entries, beta.entries) for entry in pair]
    rows.append(small_bundle("gamma"))
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"\n".join(exactjson.write(row) for row in rows) + b"\n\n")
    cases = {case.key: case for case in read_cases(path)}
    assert set(cases) == {"alpha", "beta", "gamma"}
    found = cases["alpha"]
    assert isinstance(found, Case)
    assert found.digest == alpha.digest
    assert [entry.name for entry in found.entries] == [entry.name for entry in alpha.entries]


def test_a_broken_line_is_told_with_its_number_and_the_others_go_on() -> None:
    lines = io.BytesIO(exactjson.write(small_bundle("alpha")) + b'\n{"resourceType": \n[1]\n')
    first, second, third = read_cases(lines)
    assert isinstance(first, Case)
    assert isinstance(second, UnfitCase)
    assert isinstance(third, UnfitCase)
    assert second.origin == "stream:2"
    assert third.origin == "stream:3"


def test_a_folder_gives_its_bundles_and_not_its_index(tmp_path: Path) -> None:
    write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    write_bundle(tmp_path / "index", {"x": 1}, "alpha")
    assert [case.key for case in read_cases(tmp_path)] == ["alpha"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnfitInput, match="no such file"):
        list(read_cases(tmp_path / "missing.json"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnfitInput, match=r"no \.json"):
        list(read_cases(tmp_path / "empty"))
