"""The command line: help that teaches, stdout for data, stderr for talk, documented exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casefhir.cli import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "example_azathioprine_dermatomyositis.py"
MAPPING = EXAMPLE.read_text(encoding="utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    found = run(name, "--help")
    assert found.exit_code == 0
    assert f"Example: casefhir {name}" in " ".join(found.stdout.split())


def test_help_names_the_exit_codes() -> None:
    said = run("--help").stdout
    assert "0 done" in said
    assert "4 network" in said


def test_convert_writes_bundle_and_index_and_tells_machines(tmp_path: Path) -> None:
    found = run("convert", EXAMPLE, "-o", tmp_path, "--json")
    assert found.exit_code == 0, found.stderr
    row = json.loads(found.stdout)
    assert row["case"] == "example-azathioprine-dermatomyositis"
    assert row["findings"]["error"] == 0
    bundle = json.loads((tmp_path / f"{row['case']}.json").read_text(encoding="utf-8"))
    index = json.loads((tmp_path / "index" / f"{row['case']}.json").read_text(encoding="utf-8"))
    ids = {entry["resource"]["id"] for entry in bundle["entry"]}
    assert set(index) < ids
    line = next(each for each in index.values() if each["fact"] == "ck-onset")["line"]
    assert '"ck-onset"' in MAPPING.splitlines()[line - 1] + MAPPING.splitlines()[line]


def test_ndjson_is_one_file_a_type(tmp_path: Path) -> None:
    assert run("convert", EXAMPLE, "-o", tmp_path, "--as", "ndjson").exit_code == 0
    names = {path.name for path in tmp_path.glob("*.ndjson")}
    assert {"Patient.ndjson", "Observation.ndjson", "AdverseEvent.ndjson"} <= names


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ck"', '"ckk"', "Did you mean ck"),
        ("3260 UI/l", "3260 kg", "does not fit"),
        ("3260 UI/l", "3,260 UI/l", "without thousands separators"),
        ("characters=", "characters=1 + 0 *", "ends after the document"),
        ('key="example-azathioprine-dermatomyositis"', 'key="An Example"', "other characters"),
        ("CASE = ", "CASE = = ", "not Python"),
        ("CASE = Case", "CAS = Case", "defines no CASE"),
    ],
)
def test_a_mistake_in_a_mapping_is_told_with_file_and_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in MAPPING
    broken = tmp_path / "broken.py"
    broken.write_text(MAPPING.replace(old, new), encoding="utf-8")
    found = run("convert", broken, "-o", tmp_path / "out")
    assert found.exit_code == 2
    assert found.stdout == ""
    assert said in found.stderr
    assert f"{broken}:" in found.stderr
    assert not (tmp_path / "out").exists()


def test_what_does_not_exist_is_a_matter_of_usage() -> None:
    found = run("convert", "no-such-case")
    assert found.exit_code == 2
    assert "scig-antisynthetase-jo1" in found.stderr
    assert run("validate", "no/such/file").exit_code == 2
    assert run("frobnicate").exit_code == 2


def test_validate_finds_and_says_where(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"resourceType": "Patient",\n "gender": "bananas"}', encoding="utf-8")
    found = run("validate", bad, "--json")
    assert found.exit_code == 1
    *findings, closing = (json.loads(line) for line in found.stdout.splitlines())
    assert closing["counts"]["error"] == 1
    error = next(each for each in findings if each["severity"] == "error")
    assert (error["location"], error["pointer"], error["line"]) == ("Patient.gender", "/gender", 2)
    assert run("validate", bad).exit_code == 1


def test_list_and_show_read_the_record() -> None:
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert len(rows) == 6
    facts = [json.loads(line) for line in run("show", EXAMPLE, "--json").stdout.splitlines()]
    assert "ck-onset" in {row["fact"] for row in facts}
    assert "ck-onset" in run("show", EXAMPLE).stdout


def test_an_unreachable_server_is_a_matter_of_the_network(tmp_path: Path) -> None:
    run("convert", EXAMPLE, "-o", tmp_path)
    found = run("upload", "http://127.0.0.1:9/fhir", tmp_path / "example-azathioprine-dermatomyositis.json")
    assert found.exit_code == 4
    assert "127.0.0.1" in found.stderr


def test_help_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    script = (
        "import sys; from casefhir.cli import main; main(['--help'], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr.split()
    assert not {"httpx", "pydantic", "ucumvert", "pint", "fhir", "orjson", "lark"} & set(loaded)
