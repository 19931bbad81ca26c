"""`validate` takes what people have, keeps what it can hold, and says what it left out; several jobs say the same."""

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casefhir.conformance import Finding, Report, validate
from casefhir.conformance.api import Checker
from casefhir.conformance.jobs import checked
from casefhir.conformance.pieces import NothingToValidate, files, from_stream, looks_like_lines, passed_over, pieces
from tests.conformance.builders import patient

GOOD = json.dumps(patient()).encode()
BAD = b'{"resourceType": "Patient", "gender": "bananas"}'
PRETTY = b'{\n  "resourceType": "Patient",\n  "gender": "bananas"\n}\n'


def test_an_iterable_is_validated_item_by_item(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(BAD)
    report = validate(each for each in [GOOD, patient(gender="q"), b"\n", BAD, path])
    errors = {each.file for each in report.findings if each.severity == "error"}
    assert report.resources == 4
    assert errors == {"item 2", "item 4", str(path)}
    assert report.layers["json"].startswith("skipped")


def test_a_file_of_lines_is_an_iterable():
    assert validate(BytesIO(GOOD + b"\n\n" + BAD + b"\n")).counts["error"] == 1


@pytest.mark.parametrize("source", ["bundle.json", 7, [7], [None]])
def test_what_is_nothing_to_validate_is_said(source):
    with pytest.raises(NothingToValidate, match=r"str|int|NoneType"):
        validate(source)


def test_files_are_known_by_suffix_in_any_case_and_others_are_counted(tmp_path):
    for name in ("a.JSON", "b.ndjson", "c.jsonl", "d.xml", "e", "index/f.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(GOOD)
    assert [each.name for each in files(tmp_path)] == ["a.JSON", "b.ndjson", "c.jsonl"]
    assert passed_over(tmp_path) == {".xml": 1, "": 1}
    assert validate(tmp_path).resources == 3


def test_the_sums_of_a_conversion_are_no_fhir_but_another_manifest_is_read(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text('{\n  "software": "casefhir 1.0",\n  "persons": 1\n}\n')
    (tmp_path / "manifest.json").write_bytes(GOOD)
    assert list(files(tmp_path)) == [tmp_path / "manifest.json"]


def test_nothing_to_validate_is_said(tmp_path):
    with pytest.raises(NothingToValidate, match=r"no \.json"):
        validate(tmp_path)
    with pytest.raises(NothingToValidate, match="no such"):
        validate(tmp_path / "x")


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_read(tmp_path):
    (tmp_path / "a.json").write_bytes(BAD)
    file = tmp_path / "b.json"
    file.write_bytes(BAD)
    work = list(pieces(tmp_path))
    file.unlink()
    checker = Checker()
    whole = checker.report()
    for _, report in checked(checker, work):
        whole.merge(report)
    assert [each.file for each in whole.findings if each.rule == "json.unreadable"] == [str(file)]
    assert whole.counts["error"] == 1


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        (GOOD, False),
        (GOOD + b"\n", True),
        (GOOD + b"\n" + GOOD, True),
        (b'{"a": 1\n{"a": 2}\n', True),
        (PRETTY, False),
        (b"[1,\n2]", False),
        (b"", False),
        (b"{\n{", False),
    ],
)
def test_ndjson_is_known_by_its_first_lines(start, lines):
    assert looks_like_lines(start) is lines


@pytest.mark.parametrize("data", [PRETTY, BAD + b"\n" + BAD, BAD + b"\n" + b" " * 70_000 + BAD + b"\n"])
def test_a_stream_gives_the_findings_of_the_same_file(data, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    checker = Checker()
    streamed = checker.report()
    for piece in from_stream(BytesIO(data), str(path)):
        checker.check_piece(piece, streamed)
    assert streamed.findings == validate(path).findings
    assert all(data[each.offset :].startswith((b"{", b'"bananas"')) for each in streamed.findings)


@given(some.lists(some.sampled_from([GOOD, BAD, b"", b"{", b"[" * 200]), max_size=40), some.integers(1, 9))
def test_lines_keep_their_numbers_and_bytes(rows, width):
    rows = [GOOD, *rows]
    data = b"".join(row.ljust(width * 7) + b"\n" for row in rows)
    report = CHECKER.report()
    for piece in from_stream(BytesIO(data), "x"):
        CHECKER.check_piece(piece, report)
    lines = data.split(b"\n")
    assert report.resources == sum(1 for row in rows if row)
    for each in report.findings:
        start = sum(len(line) + 1 for line in lines[: each.line - 1])
        assert start <= each.offset <= start + len(lines[each.line - 1])


CHECKER = Checker()


def test_several_jobs_find_what_one_finds(tmp_path):
    (tmp_path / "a.ndjson").write_bytes((BAD + b"\n" + GOOD + b"\n") * 1_500)
    (tmp_path / "b.json").write_bytes(PRETTY)
    (tmp_path / "c.json").write_bytes(b"{")
    reports = []
    for jobs in (1, 2):
        checker = Checker(limit=50)
        whole = checker.report()
        for _, report in checked(checker, pieces(tmp_path), jobs):
            whole.merge(report)
        reports.append(whole)
    one, two = reports
    assert one.findings == two.findings
    assert (one.counts, one.left_out, one.layers, one.resources) == (two.counts, two.left_out, two.layers, 3_002)
    assert one.counts["error"] == 1_501


def test_of_a_rule_in_a_file_so_many_are_kept_and_all_are_counted():
    report = Report(limit=3)
    for number in range(10):
        report.add(Finding("error", "a", "", "", "", file="x"))
        report.add(Finding("warning", "b", "", "", "", file="x" if number < 9 else "y"))
    assert report.counts["error"] == 10
    assert report.left_out == {"a": 7, "b": 6}
    assert len(report.findings) == 7


def test_without_a_limit_all_are_kept():
    report = Report(limit=None)
    for _ in range(2_000):
        report.add(Finding("error", "a", "", "", ""))
    assert len(report.findings) == 2_000


def test_a_resource_with_very_many_faults_is_bounded():
    data = b'{"resourceType": "Patient", "name": [' + b",".join([b'{"x": 1}'] * 5_000) + b"]}"
    report = validate(data)
    assert report.counts["error"] >= 5_000
    assert sum(each.rule == "structure.unknown-element" for each in report.findings) == 1_000
    assert report.left_out["structure.unknown-element"] == 4_000


def test_very_many_repeated_keys_are_counted():
    data = b'{"resourceType": "Patient",' + b",".join([b'"active": true'] * 5_000) + b"}"
    report = validate(data)
    assert report.counts["error"] == 4_999
    assert report.left_out == {"json.duplicate-key": 3_999}


def test_a_very_long_value_is_not_in_the_report():
    secret = "0123456789" * 100
    data = json.dumps(patient(gender=secret, birthDate=secret, photo=[{"url": secret}], **{"k" * 5000: 1})).encode()
    for each in validate(data).findings:
        assert secret[:200] not in each.message
        assert len(each.message) <= 1000
        assert len(each.location) <= 1000
