"""Records on the command line: their schema, a case written as one, and one converted."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casefhir import convert, library, load_case
from casefhir.cli import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "example_azathioprine_dermatomyositis.py"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_the_schema_is_printed() -> None:
    found = run("schema", "record")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == library.record_schema()
    assert run("schema", "nothing").exit_code == 2


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_shown_record_converts_to_the_same_bundle(form: str, tmp_path: Path) -> None:
    record = tmp_path / f"case.{form}"
    record.write_text(run("show", EXAMPLE, "--record", form).stdout, encoding="utf-8")
    found = run("convert", record, "-o", tmp_path / "out", "--json")
    assert found.exit_code == 0, found.stderr
    key = json.loads(found.stdout)["case"]
    bundle = json.loads((tmp_path / "out" / f"{key}.json").read_text("utf-8"))
    again = json.loads(convert(load_case(EXAMPLE)).to_json())
    told = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] != "Provenance"]
    assert told == [each["resource"] for each in again["entry"] if each["resource"]["resourceType"] != "Provenance"]
    index = json.loads((tmp_path / "out" / "index" / f"{key}.json").read_text("utf-8"))
    line = next(each["line"] for each in index.values() if each["fact"] == "ck-onset")
    assert "ck-onset" in "".join(record.read_text("utf-8").splitlines()[line - 1 : line + 2])


def test_records_are_verified_as_mappings_are(tmp_path: Path) -> None:
    record = tmp_path / "case.yaml"
    record.write_text(run("show", EXAMPLE, "--record", "yaml").stdout, encoding="utf-8")
    for command in ("verify", "coverage"):
        assert run(command, record, "--sources", EXAMPLE.parent).exit_code == 0
    record.write_text(record.read_text("utf-8").replace("value: 3260 UI/l", "value: 3261 UI/l"), encoding="utf-8")
    found = run("verify", record, "--sources", EXAMPLE.parent)
    assert found.exit_code == 1
    assert "case.yaml:" in found.stdout


def test_a_folder_may_hold_records_beside_other_files(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(run("show", EXAMPLE, "--record", "yaml").stdout, encoding="utf-8")
    (tmp_path / "other.json").write_text('{"resourceType": "Patient"}', encoding="utf-8")
    (tmp_path / "settings.yml").write_text("a: b", encoding="utf-8")
    found = run("convert", tmp_path, "-o", tmp_path / "out", "--json")
    assert found.exit_code == 0, found.stderr
    assert len(found.stdout.splitlines()) == 1


def test_a_mistake_in_a_record_is_told_with_line_and_column(tmp_path: Path) -> None:
    record = tmp_path / "case.yaml"
    record.write_text("key: one\nkey: two\n", encoding="utf-8")
    found = run("convert", record, "-o", tmp_path / "out")
    assert found.exit_code == 2
    assert f"{record}:2:1: The key 'key' stands here again" in found.stderr
    assert not (tmp_path / "out").exists()
    assert "There is no such file" in run("convert", tmp_path / "none.yaml").stderr
