"""Agreement with HL7's public test cases: the goal, and the table in the documentation."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import compare_test_cases  # noqa: E402

SCOPE, GOAL = 230, 0.98


@pytest.fixture(scope="module")
def table(testcases_jar):
    return compare_test_cases.run(testcases_jar)


@pytest.mark.java
def test_verdicts_agree_as_the_goal_wants(table):
    assert len(table.rows) >= SCOPE
    assert table.agreed / len(table.rows) >= GOAL


@pytest.mark.java
def test_what_both_refuse_is_refused_at_the_same_place(table):
    both = [row for row in table.rows if row.theirs == row.ours == "fail"]
    assert sum(row.placed for row in both) / len(both) >= 0.95


@pytest.mark.java
def test_the_documentation_has_the_table_of_today(table):
    shown = compare_test_cases.DOCS.read_text(encoding="utf-8")
    assert shown.endswith(compare_test_cases.markdown(table)), "run tools/compare_test_cases.py --docs"
