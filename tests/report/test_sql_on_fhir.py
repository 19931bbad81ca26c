"""The runner is measured against the public SQL-on-FHIR v2 cases."""

from typing import Any

import pytest

from casefhir import exactjson
from casefhir.errors import CasefhirError
from casefhir.report.runner import rows
from casefhir.report.view import parse_view
from tests.report.conftest import held, suite

FILES = [
    "basic",
    "collection",
    "combinations",
    "constant",
    "constant_types",
    "fhirpath",
    "fhirpath_numbers",
    "fn_boundary",
    "fn_empty",
    "fn_extension",
    "fn_first",
    "fn_join",
    "fn_oftype",
    "fn_reference_keys",
    "foreach",
    "logic",
    "repeat",
    "row_index",
    "union",
    "validate",
    "view_resource",
    "where",
]


def unordered(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(each.items())) for each in found)


@pytest.mark.parametrize("name", FILES)
def test_every_public_case_gives_the_rows_it_expects(name: str) -> None:
    given = exactjson.read((suite("sql-on-fhir/tests") / f"{name}.json").read_bytes())
    resources = held(*given["resources"])
    for case in given["tests"]:
        if case.get("expectError"):
            with pytest.raises(CasefhirError):
                list(rows(parse_view(case["view"]), resources))
            continue
        view = parse_view(case["view"])
        assert unordered(list(rows(view, resources))) == unordered(case["expect"]), case["title"]
        if "expectColumns" in case:
            assert [each.name for each in view.columns] == case["expectColumns"], case["title"]


def test_no_file_of_the_suite_is_left_out() -> None:
    folder = suite("sql-on-fhir/tests")
    assert sorted(each.stem for each in folder.glob("*.json")) == sorted(FILES)
    assert sum(len(exactjson.read(each.read_bytes())["tests"]) for each in folder.glob("*.json")) == 134
