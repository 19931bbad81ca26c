"""Reports for others' tools, explanations and baselines."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from casefhir.conformance import validate
from casefhir.conformance.api import Checker
from casefhir.conformance.baseline import Baseline, UnreadableBaseline, read_baseline
from casefhir.conformance.output import to_json_lines, to_junit, to_operation_outcome, to_sarif
from tests.conformance.builders import errors, patient

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

BAD = b'{"resourceType": "Patient",\n "gender": "<secret>"}'


def test_json_lines_end_with_counts_and_layers():
    lines = [json.loads(each) for each in to_json_lines(validate(BAD))]
    assert {"file", "severity", "rule", "location", "pointer", "line", "message", "mend"} <= lines[0].keys()
    assert lines[-1]["counts"] == {"fatal": 0, "error": 1, "warning": 1, "information": 0}
    assert lines[-1]["layers"]["json"] == "ran"


def test_an_operation_outcome_is_valid_r4():
    assert errors(to_operation_outcome(validate(BAD))) == set()
    assert errors(to_operation_outcome(validate(patient()))) == set()


def test_sarif_has_a_rule_and_line_for_every_result():
    run = to_sarif(validate(BAD))["runs"][0]
    known = {each["id"] for each in run["tool"]["driver"]["rules"]}
    assert {each["ruleId"] for each in run["results"]} == known
    places = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in run["results"]]
    assert 2 in places


def test_junit_fails_for_errors_only():
    suite = ET.fromstring(to_junit(validate(BAD)))
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall("testcase/failure"))) == ("2", "1", 1)


@pytest.mark.parametrize(
    "shape",
    [
        lambda r: "\n".join(to_json_lines(r, redact=True)),
        lambda r: to_junit(r, redact=True),
        lambda r: json.dumps(to_operation_outcome(r, redact=True)),
        lambda r: json.dumps(to_sarif(r, redact=True)),
    ],
)
def test_redaction_takes_the_value_out_of_every_shape(shape):
    assert "secret" not in shape(validate(BAD))


SECRET = "Zyzzyva"


def everywhere(value):
    """`value` with every string that is no type or URL replaced by the secret."""
    if isinstance(value, dict):
        return {key: each if key == "resourceType" else everywhere(each) for key, each in value.items()}
    if isinstance(value, list):
        return [everywhere(each) for each in value]
    return SECRET if isinstance(value, str) else value


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("long", [1, 40])
def test_whatever_a_finding_quotes_is_redacted(number, long):
    import validate as bench

    makers = [bench.observation, bench.condition, bench.statement, lambda _: json.loads(bench.bundle(0))]
    data = json.dumps(everywhere(makers[number](1))).replace(SECRET, SECRET * long)
    report = validate(data.encode())
    assert report.counts["error"] > 3
    for said in (*to_json_lines(report, redact=True), to_junit(report, redact=True)):
        assert SECRET not in said


def test_a_baseline_takes_known_findings_out_and_names_entries_without_use(tmp_path):
    path = tmp_path / "known.json"
    path.write_text(
        json.dumps([{"rule": "dom-6", "reason": "no narrative in this feed"}, {"rule": "obs-6", "reason": "gone"}])
    )
    baseline = Baseline(read_baseline(path))
    checker = Checker(accepts=baseline)
    kept = checker.report()
    checker.check(BAD, kept)
    assert [each.rule for each in kept.findings] == ["terminology.required-binding"]
    assert kept.counts["warning"] == 0
    assert kept.accepted == {0: 1}
    assert [each.rule for each in baseline.unused(kept)] == ["obs-6"]


@pytest.mark.parametrize("text", ["{", "{}", '[{"rule": "dom-6"}]'])
def test_a_baseline_without_reasons_is_refused(tmp_path, text):
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(UnreadableBaseline):
        read_baseline(path)
