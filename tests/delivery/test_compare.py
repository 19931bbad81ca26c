"""What counts as a difference between what was sent and what a server holds."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import exactjson
from casefhir.delivery.compare import differences, same

from .example import full_bundle

SENT: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "meta": {"tag": [{"system": "https://example.org/t", "code": "a"}]},
    "text": {"status": "generated", "div": '<div xml:lang="en" xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'},
    "subject": {"reference": "Patient/p1"},
    "valueQuantity": {"value": Decimal("1.10"), "unit": "g"},
    "_effectiveDateTime": {"extension": [{"url": "u", "valueReference": {"reference": "Encounter/e1"}}]},
}
BASE = "https://example.org/fhir"


def held(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SENT), **fields}


def paths(theirs: dict[str, Any]) -> list[str]:
    return [one.path for one in differences(SENT, theirs, base=BASE)]


def test_a_server_may_add_its_own_meta_and_keep_labels() -> None:
    meta = {
        "versionId": "3",
        "lastUpdated": "2026-11-22T00:00:00Z",
        "source": "#x",
        "tag": [{"system": "https://example.org/t", "code": "old"}, {"code": "a", "system": "https://example.org/t"}],
        "security": [{"system": "s", "code": "kept"}],
    }
    assert paths(held(meta=meta)) == []
    assert same({"resourceType": "Patient"}, {"resourceType": "Patient", "meta": {"versionId": "1"}})


def test_a_missing_label_or_profile_is_a_difference() -> None:
    assert paths(held(meta={"tag": []})) == ["Observation.meta.tag"]
    assert paths({key: value for key, value in held().items() if key != "meta"}) == ["Observation.meta.tag"]
    assert paths(held(meta={**SENT["meta"], "profile": ["p"]})) == ["Observation.meta.profile"]


def test_key_order_and_narrative_attribute_order_do_not_count() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="en"><p>x</p></div>'
    theirs = dict(reversed(list(held(text={"div": div, "status": "generated"}).items())))
    assert paths(theirs) == []
    assert paths(held(text={"status": "generated", "div": div.replace("x</p>", "y</p>")})) == ["Observation.text.div"]


def test_a_reference_may_be_spelt_with_the_servers_address_or_a_version() -> None:
    assert paths(held(subject={"reference": f"{BASE}/Patient/p1/_history/4"})) == []
    assert paths(held(subject={"reference": "https://elsewhere.org/fhir/Patient/p1"})) == [
        "Observation.subject.reference"
    ]
    assert paths(held(subject={"reference": "Patient/p2"})) == ["Observation.subject.reference"]


@pytest.mark.parametrize(
    ("sent", "other", "equal"),
    [
        ("1.10", "1.10", True),
        ("1.10", "1.1", False),
        ("1.0", "1", False),
        ("1E3", "1000", True),
        ("5000", "5E+3", True),
        ("1E-2", "0.01", True),
        ("0.1", "0.10000000000000001", False),
        ("9007199254740993.0", "9007199254740992.0", False),
        ("1", "true", False),
        ("1", '"1"', False),
        ("1E999999999", "1E999999998", False),
    ],
)
def test_decimals_are_compared_by_their_digits(sent: str, other: str, equal: bool) -> None:
    def resource(number: str) -> dict[str, Any]:
        read: dict[str, Any] = exactjson.read(f'{{"resourceType": "Basic", "value": {number}}}'.encode())
        return read

    assert same(resource(sent), resource(other)) is equal


def test_what_is_lost_added_or_moved_is_told_by_its_path() -> None:
    ours = {"resourceType": "Patient", "name": [{"given": ["A", "B"]}], "active": True}
    theirs = {"resourceType": "Patient", "name": [{"given": ["B"]}], "gender": "male"}
    assert [str(one) for one in differences(ours, theirs)] == [
        "Patient.active: True -> (nothing)",
        "Patient.gender: (nothing) -> male",
        "Patient.name[0].given[0]: A -> B",
        "Patient.name[0].given[1]: B -> (nothing)",
    ]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for number, item in enumerate(value) for leaf in _leaves(item, (*path, number))]
    return [path]


@given(st.data())
def test_any_value_that_changes_in_a_resource_is_found(data: st.DataObject) -> None:
    resource = data.draw(st.sampled_from([entry["resource"] for entry in full_bundle("k")["entry"]]))
    leaves = [path for path in _leaves(resource) if path[0] != "meta" and path[-1] != "div"]
    path = data.draw(st.sampled_from(leaves))
    other = copy.deepcopy(resource)
    holder = other
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = "something else"
    assert same(resource, copy.deepcopy(resource))
    assert len(differences(resource, other)) == 1
