"""The command line: help that teaches, stdout for data, stderr for talk, documented exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import casefhir.tables
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


def test_tables_without_a_mapping_are_told_how_to_be_converted(tmp_path: Path) -> None:
    for source in (ROOT / "examples" / "tables", ROOT / "examples" / "tables" / "visits.csv"):
        found = run("convert", source, "-o", tmp_path)
        assert found.exit_code == 2
        assert "Tables are converted by a mapping of theirs" in found.stderr


@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupted_conversion_of_tables_says_how_to_go_on(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(casefhir.tables, "convert_tables", interrupted)
    monkeypatch.setattr(casefhir.tables, "is_unfinished", lambda out: kept and out == tmp_path)
    tables = ROOT / "examples" / "tables"
    found = run("convert", tables, "--mapping", tables / "registry.toml", "-o", tmp_path)
    assert found.exit_code == 130
    assert ("the same command with --resume goes on from there" in found.stderr) is kept


def test_the_summary_of_tables_says_where_findings_lead_from(tmp_path: Path) -> None:
    for path in (ROOT / "examples" / "tables").glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text().replace("08.03.2023", "08.03.1823"))
    mapping = ROOT / "examples" / "tables" / "registry.toml"
    found = run("convert", tmp_path, "--mapping", mapping, "-o", tmp_path / "out", "--as", "ndjson")
    assert "Findings of validation:" in found.stderr
    assert f"findings.ndjson in {tmp_path / 'out' / 'index'} leads to the rows behind each." in found.stderr
    assert (tmp_path / "out" / "index" / "findings.ndjson").is_file()


@pytest.mark.parametrize("asked", [("--compress", "gzip"), ("--part-size", "5")])
def test_what_bundles_cannot_be_is_refused_not_passed_over(asked: tuple[str, str], tmp_path: Path) -> None:
    tables = ROOT / "examples" / "tables"
    found = run("convert", tables, "--mapping", tables / "registry.toml", "-o", tmp_path, *asked)
    assert found.exit_code == 2
    assert "Bundles are neither packed nor divided: ask for NDJSON too (--as ndjson)." in found.stderr


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
    bundle = tmp_path / "example-azathioprine-dermatomyositis.json"
    found = run("upload", "http://127.0.0.1:9/fhir", bundle, "--attempts", 1)
    assert found.exit_code == 4
    assert "127.0.0.1" in found.stderr


def loaded_by(*words: str) -> set[str]:
    """The modules that the command of `words` reads."""
    import subprocess
    import sys

    script = (
        "import sys; from casefhir.cli import main; main(sys.argv[1:], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_loads_nothing_heavy() -> None:
    assert not {"httpx", "pydantic", "ucumvert", "pint", "fhir", "orjson", "lark"} & loaded_by("--help")


def test_a_command_reads_no_other_command() -> None:
    loaded = loaded_by("validate", "--help")
    assert "casefhir.cli.validate" in loaded
    assert not {"casefhir.cli.convert", "casefhir.cli.upload", "casefhir.conformance"} & loaded


@pytest.mark.parametrize(
    ("subject", "form", "code"),
    [
        ("Patient/123", "transaction", 0),
        ("https://example.org/fhir/Patient/123", "ndjson", 0),
        ("Patient?identifier=urn:x|17", "transaction", 0),
        ("Patient?identifier=urn:x|17", "ndjson", 2),
        ("Patient/123", "document", 2),
        ("Group/1", "transaction", 2),
        ("garbage", "ndjson", 2),
        ("", "transaction", 2),
        ("Patient/1' x", "ndjson", 2),
    ],
)
def test_facts_are_attached_to_patients_only(subject: str, form: str, code: int, tmp_path: Path) -> None:
    found = run("convert", EXAMPLE, "-o", tmp_path, "--as", form, "--subject", subject)
    assert found.exit_code == code, found.stderr
    assert "attached to" in found.stderr if code == 0 else "Error:" in found.stderr
    assert not [path for path in tmp_path.rglob("*.json") if '"resourceType": "Patient"' in path.read_text("utf-8")]


def test_a_folder_without_mappings_is_no_reason_to_convert_others(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("print('run')", encoding="utf-8")
    found = run("convert", tmp_path, "-o", tmp_path / "out")
    assert found.exit_code == 2
    assert found.stdout == ""
    assert "No file in this folder is a mapping" in found.stderr


def test_a_folder_of_mappings_is_converted_once_each(tmp_path: Path) -> None:
    found = run("convert", ROOT / "examples", ROOT / "examples", "-o", tmp_path, "--json")
    assert found.exit_code == 0
    assert len(found.stdout.splitlines()) == 1


def test_a_place_that_cannot_be_written_is_a_matter_of_usage() -> None:
    found = run("convert", EXAMPLE, "-o", "/dev/null/x")
    assert found.exit_code == 2
    assert "/dev/null" in found.stderr


def test_what_does_not_conform_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casefhir import library
    from casefhir.conformance import Finding, Report

    def refuse(conversion: library.Conversion) -> Report:
        report = Report()
        report.add(Finding("error", "test", "Bundle", "", "It is refused."))
        return report

    monkeypatch.setattr(library, "validate_conversion", refuse)
    found = run("convert", EXAMPLE, "-o", tmp_path)
    assert found.exit_code == 1
    assert "Not written" in found.stderr
    assert not list(tmp_path.glob("*.json"))
    assert run("convert", EXAMPLE, "-o", tmp_path, "--allow-errors").exit_code == 0
    assert list(tmp_path.glob("*.json"))


def test_a_defect_of_ours_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    from casefhir import library

    def fail() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(library, "list_cases", fail)
    found = run("list")
    assert found.exit_code == 5
    assert "a defect of ours; -v shows where" in found.stderr
    assert isinstance(run("list", "-v").exception, RuntimeError)


def test_an_interruption_has_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from casefhir import library

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "list_cases", interrupt)
    assert run("list").exit_code == 130


def test_a_reader_who_stops_reading_is_no_error() -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m casefhir show {EXAMPLE} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0", done.stderr
    assert "Traceback" not in done.stderr


def test_licensed_codes_are_written_only_when_asked(tmp_path: Path) -> None:
    case = "ivig-antisynthetase-ku"
    assert run("convert", case, "-o", tmp_path / "free").exit_code == 0
    assert run("convert", case, "-o", tmp_path / "all", "--terminology", "snomed").exit_code == 0
    assert "445187004" not in (tmp_path / "free" / f"{case}.json").read_text("utf-8")
    assert "445187004" in (tmp_path / "all" / f"{case}.json").read_text("utf-8")


def test_a_finding_in_a_bundle_of_ours_leads_to_its_fact(tmp_path: Path) -> None:
    assert run("convert", EXAMPLE, "-o", tmp_path).exit_code == 0
    bundle = tmp_path / "example-azathioprine-dermatomyositis.json"
    bundle.write_text(bundle.read_text("utf-8").replace('"code": "U/L"', '"code": "UI/L"', 1), encoding="utf-8")
    found = run("validate", bundle)
    assert found.exit_code == 1
    assert "comes from example_azathioprine_dermatomyositis.py:" in found.stdout
    rows = [json.loads(line) for line in run("validate", bundle, "--json").stdout.splitlines()]
    origin = next(row["origin"] for row in rows if row.get("rule") == "terminology.ucum")
    assert f'"{origin["fact"]}"' in "".join(MAPPING.splitlines()[origin["line"] - 1 : origin["line"] + 1])


@pytest.mark.parametrize(
    ("form", "holds"),
    [
        ("sarif", '"ruleId"'),
        ("operation-outcome", '"OperationOutcome"'),
        ("junit", "<testsuite"),
        ("json", '"pointer"'),
    ],
)
def test_findings_come_in_the_forms_of_other_tools(form: str, holds: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"resourceType": "Patient", "gender": "bananas"}', encoding="utf-8")
    found = run("validate", bad, "--format", form, "--redact")
    assert found.exit_code == 1
    assert holds in found.stdout
    assert "bananas" not in found.stdout


def test_a_resource_is_validated_from_stdin() -> None:
    found = CliRunner().invoke(main, ["validate", "-"], input='{"resourceType": "Patient"}')
    assert found.exit_code == 0
    assert "stdin:1:1  Patient" in found.stdout


def test_a_rule_is_explained() -> None:
    assert "dataAbsentReason" in run("explain", "obs-6").stdout
    assert run("explain", "no-such-rule").exit_code == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_cannot_be_printed_is_escaped(form: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(rb'{"resourceType": "Patient", "\ud800": 1, "x\u001b[31m": 2}')
    found = run("validate", bad, "--format", form)
    assert found.exit_code == 1, found.stderr
    assert "\x1b" not in found.stdout
    assert "\\ud800" in found.stdout
