"""The report room's commands: files on disk, data on stdout, sentences on stderr, the documented exit codes."""

import sys
from pathlib import Path

import pytest
import rich_click as click
from click.testing import CliRunner, Result

from casefhir import exactjson
from casefhir.cli.common import Commands
from casefhir.cli.plot import plot
from casefhir.cli.query import query
from casefhir.cli.report import report
from casefhir.cli.table import table
from tests.report.conftest import ROOT

SCIG = str(ROOT / "bundles" / "scig-antisynthetase-jo1.json")


@click.group(cls=Commands)
def main() -> None:
    """The commands of this room."""


for command in (plot, query, report, table):
    main.add_command(command)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [str(each) for each in words])


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (
            "csv",
            [
                "adverse_events.csv",
                "columns.csv",
                "conditions.csv",
                "medications.csv",
                "observations.csv",
                "patients.csv",
                "procedures.csv",
                "visits.csv",
            ],
        ),
        (
            "parquet",
            [
                "adverse_events.parquet",
                "columns.parquet",
                "conditions.parquet",
                "medications.parquet",
                "observations.parquet",
                "patients.parquet",
                "procedures.parquet",
                "visits.parquet",
            ],
        ),
        ("xlsx", ["tables.xlsx"]),
    ],
)
def test_table_writes_a_file_a_table_and_one_that_explains_the_columns(
    form: str, names: list[str], tmp_path: Path
) -> None:
    result = run("table", SCIG, "-o", str(tmp_path / "out"), "--format", form)
    assert result.exit_code == 0, result.stderr
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == names
    assert result.stdout == ""
    assert "patients (1)" in result.stderr


def test_table_takes_a_view_of_the_user(tmp_path: Path) -> None:
    own = {"name": "patients", "resource": "Patient", "select": [{"column": [{"name": "key", "path": "id"}]}]}
    (tmp_path / "own.json").write_bytes(exactjson.write(own))
    result = run("table", SCIG, "-o", str(tmp_path), "--view", str(tmp_path / "own.json"))
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "patients.csv").read_text().splitlines()[0] == "key"


def test_query_answers_on_stdout() -> None:
    asked = "select value_written as ck from observations where observation_code = '2157-6' and value is not null"
    assert run("query", asked, SCIG).stdout.split() == ["ck", "489", "63"]
    assert run("query", asked, SCIG, "--json").stdout.splitlines()[0] == '{"ck":"489"}'


def test_a_query_that_is_refused_is_told_and_ends_with_2() -> None:
    result = run("query", "select nothing from patients", SCIG)
    assert result.exit_code == 2
    assert "DuckDB refuses the query" in result.stderr


def test_report_writes_one_file(tmp_path: Path) -> None:
    result = run("report", SCIG, "-o", str(tmp_path / "report.html"), "--no-findings")
    assert result.exit_code == 0, result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize(("name", "start"), [("ck.svg", b"<svg"), ("ck.png", b"\x89PNG")])
def test_plot_writes_a_figure(name: str, start: bytes, tmp_path: Path) -> None:
    result = run("plot", SCIG, "--code", "ck", "-o", str(tmp_path / name))
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / name).read_bytes().startswith(start)


def test_plot_refuses_what_it_cannot_do_with_a_sentence(tmp_path: Path) -> None:
    wrong = run("plot", SCIG, "--code", "ck", "-o", str(tmp_path / "ck.gif"))
    assert (wrong.exit_code, "ends with .svg or .png" in wrong.stderr) == (2, True)
    missing = run("plot", SCIG, "--code", "troponin", "-o", str(tmp_path / "t.svg"))
    assert (missing.exit_code, "No dated number is told for 'troponin'" in missing.stderr) == (2, True)


@pytest.mark.thorough
def test_a_case_that_is_given_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "copy.json").write_bytes(Path(SCIG).read_bytes())
    for again in (SCIG, str(tmp_path)):
        result = run("query", "select count(*) as n from patients", SCIG, again)
        assert result.stdout.split() == ["n", "2"]
        assert "were read more than once" in result.stderr
    assert run("query", "select count(*) as n from patients", SCIG).stderr == ""


@pytest.mark.parametrize(
    ("module", "extra", "words"),
    [
        ("duckdb", "tables", ["query", "select 1", SCIG]),
        ("xlsxwriter", "tables", ["table", SCIG, "-o", "out", "--format", "xlsx"]),
        ("phenopackets", "phenopacket", ["table", SCIG, "-o", "out", "--format", "phenopacket"]),
        ("vl_convert", "report", ["plot", SCIG, "--code", "ck", "-o", "ck.svg"]),
        ("jinja2", "report", ["report", SCIG, "-o", "r.html", "--no-findings"]),
    ],
)
def test_a_missing_extra_is_told_with_what_installs_it(
    module: str, extra: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = run(*words)
    assert result.exit_code == 2
    assert f"needs {module}, which is not installed. Run: pip install 'casefhir[{extra}]'" in result.stderr


def test_what_is_no_fhir_ends_with_2_and_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    result = run("table", str(tmp_path / "a.json"), "-o", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "a.json: this is no FHIR resource" in result.stderr


def test_table_writes_phenopackets_and_what_they_leave_out(tmp_path: Path) -> None:
    result = run("table", SCIG, "-o", str(tmp_path / "out"), "--format", "phenopacket")
    assert result.exit_code == 0, result.stderr
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "left_out.csv",
        "scig-antisynthetase-jo1.json",
    ]
    both = run(
        "table", SCIG, "-o", str(tmp_path), "--format", "phenopacket", "--view", str(ROOT / "views/patients.json")
    )
    assert (both.exit_code, "a phenopacket has none" in both.stderr) == (2, True)
