"""ViewDefinitions: what is refused, and with which sentence."""

from typing import Any

import pytest

from casefhir.report.runner import BadRow, rows
from casefhir.report.view import BadView, parse_view
from tests.report.conftest import held

PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "A"}, {"family": "B"}]}


def view(**changes: Any) -> dict[str, Any]:
    return {"name": "people", "resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}]} | changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"resource": "Nobody"}, "names an R4 resource type"),
        ({"select": []}, "at least one select"),
        ({"name": "../people"}, "a view's name is letters"),
        ({"select": [{"column": [{"name": "a b", "path": "id"}]}]}, "a column's name is letters"),
        ({"select": [{"column": [{"name": "a", "path": "%nothing"}]}]}, "%nothing is not a constant"),
        ({"select": [{"column": [{"name": "a", "path": "id.frobnicate()"}]}]}, "frobnicate"),
        ({"select": [{"forEach": "name", "repeat": ["name"], "column": []}]}, "forEach and repeat"),
        ({"select": [{"column": [{"name": "a", "path": "id"}, {"name": "a", "path": "id"}]}]}, "a stands twice"),
    ],
)
def test_a_view_that_cannot_run_is_refused_with_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadView, match="own.json: .*" + sentence):
        parse_view(view(**changes), "own.json")


def test_several_values_for_one_cell_are_told_with_view_column_and_resource() -> None:
    many = parse_view(view(select=[{"column": [{"name": "family", "path": "name.family"}]}]))
    with pytest.raises(BadRow, match=r"View people on Patient/p in test.json: column family finds 2 values"):
        list(rows(many, held(PATIENT)))


def test_a_complex_value_is_told_not_stringified() -> None:
    complex_ = parse_view(view(select=[{"column": [{"name": "name", "path": "name.first()"}]}]))
    with pytest.raises(BadRow, match="finds a HumanName; name one of its elements"):
        list(rows(complex_, held(PATIENT)))


def test_where_has_to_answer_yes_or_no() -> None:
    with pytest.raises(BadRow, match="is not a yes or no"):
        list(rows(parse_view(view(where=[{"path": "name.family.first()"}])), held(PATIENT)))


def test_a_contained_or_bundled_target_is_reached() -> None:
    given = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "unknown",
        "subject": {"reference": "Patient/p"},
        "contained": [{"resourceType": "Medication", "id": "x", "code": {"text": "ivig"}}],
        "medicationReference": {"reference": "#x"},
    }
    columns = [
        {"name": "drug", "path": "medication.ofType(Reference).resolve().ofType(Medication).code.text"},
        {"name": "gender", "path": "subject.resolve().ofType(Patient).gender"},
    ]
    found = parse_view({"resource": "MedicationStatement", "select": [{"column": columns}]})
    assert list(rows(found, held(given, {"resourceType": "Patient", "id": "p", "gender": "female"}))) == [
        {"drug": "ivig", "gender": "female"}
    ]
