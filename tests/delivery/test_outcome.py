"""An OperationOutcome in plain words: which entry, which fact, which line of which mapping."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import library
from casefhir.delivery import Secret
from casefhir.delivery.cases import Case
from casefhir.delivery.outcome import Index, issues_of
from casefhir.delivery.sources import read_cases

from .example import new_id, small_bundle, write_bundle


@pytest.fixture
def case(tmp_path: Path) -> Case:
    path = write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    index = {new_id("alpha", "problem"): {"fact": "alpha/problem", "mapping": "mappings/alpha.py", "line": 12}}
    write_bundle(tmp_path / "index", index, "alpha")
    (found,) = read_cases(path)
    assert isinstance(found, Case)
    return found


def outcome(**issue: Any) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid", **issue}]}


@pytest.mark.parametrize(
    "issue",
    [
        {"diagnostics": "bad", "expression": ["Bundle.entry[2].resource.code"]},
        {"diagnostics": "bad", "location": ["Bundle.entry[2].resource.ofType(Condition)"]},
        {"diagnostics": f"Invalid value in Condition/{new_id('alpha', 'problem')} at 3:4"},
        {"details": {"text": f"Condition({new_id('alpha', 'problem')}) is bad"}},
        # the id counts, not the number: servers sort the entries before they process them
        {"diagnostics": f"Condition/{new_id('alpha', 'problem')}", "expression": ["Bundle.entry[0]"]},
    ],
)
def test_the_entry_is_found_and_told_with_its_fact_and_line(case: Case, issue: dict[str, Any]) -> None:
    (found,) = issues_of(outcome(**issue), case.entries, Index(case))
    assert found.resource == f"Condition/{new_id('alpha', 'problem')}"
    assert str(found.place) == "alpha/problem (mappings/alpha.py:12)"
    assert str(found).endswith(", fact alpha/problem (mappings/alpha.py:12)")


@pytest.mark.parametrize("mapping", library.published_mappings(), ids=lambda path: path.stem)
def test_a_case_as_convert_gave_it_is_told_with_its_line_without_any_file(mapping: Path) -> None:
    conversion = library.convert(mapping)
    (found,) = read_cases(conversion)
    assert isinstance(found, Case)
    named = {entry.id: Index(found).place(entry) for entry in found.entries}
    told = {id_: (row["fact"], row["mapping"], row["line"]) for id_, row in conversion.index.items() if "line" in row}
    assert told
    assert all((named[id_].fact, named[id_].mapping, named[id_].line) == place for id_, place in told.items())


def test_a_fact_that_the_index_does_not_know_is_told_by_its_key(case: Case) -> None:
    (found,) = issues_of(outcome(expression=["Bundle.entry[1].resource"]), case.entries, Index(case))
    assert str(found.place) == "alpha/subject"


def test_an_issue_of_the_whole_is_nobodys(case: Case) -> None:
    (found,) = issues_of(outcome(diagnostics="too many"), case.entries, Index(case))
    assert (found.resource, found.place) == (None, None)
    assert str(found) == "error (invalid): too many"


def test_a_removal_in_between_does_not_shift_the_entries(case: Case) -> None:
    sent = [None, *case.entries]
    (found,) = issues_of(outcome(expression=["Bundle.entry[3]"]), sent, Index(case))
    assert found.resource == case.entries[2].name


def test_a_secret_that_the_server_echoes_is_hidden(case: Case) -> None:
    Secret("canary-in-outcome")
    (found,) = issues_of(outcome(diagnostics="token canary-in-outcome", expression=["canary-in-outcome"]), (), None)
    assert "canary-in-outcome" not in str(found)


def test_an_index_that_cannot_be_read_is_said(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    (Path(case.origin).parent / "index" / "alpha.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        (found,) = issues_of(outcome(expression=["Bundle.entry[2]"]), case.entries, Index(case))
    assert str(found.place) == "alpha/problem"
    assert "cannot be read" in caplog.text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "issue", "severity", "code", "diagnostics", "details", "text", "expression"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(_JSON)
def test_whatever_a_server_says_is_no_reason_to_fall_over(body: Any) -> None:
    issues_of(body, (), None)
    if isinstance(body, dict):
        issues_of({**body, "resourceType": "OperationOutcome"}, (), None)
    json.dumps([str(issue) for issue in issues_of({"resourceType": "OperationOutcome", "issue": [body]}, (), None)])
