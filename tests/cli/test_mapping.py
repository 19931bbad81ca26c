"""casefhir mapping: check, draft, explain, as a data manager meets them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casefhir.cli import main

ROOT = Path(__file__).parents[2]
TABLES = str(ROOT / "examples" / "tables")
MAPPING = str(ROOT / "examples" / "tables" / "registry.toml")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["mapping", *words])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The example's tables with an impossible date, a column more, and a word nobody knows."""
    for path in (ROOT / "examples" / "tables").glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text())
    visits = (tmp_path / "visits.csv").read_text().replace("08.03.2023", "31.02.2023")
    (tmp_path / "visits.csv").write_text(visits)
    patients = (tmp_path / "patients.csv").read_text().splitlines()
    patients = [f"{line};{extra}" for line, extra in zip(patients, ("Hobby", "chess", "golf"))]
    (tmp_path / "patients.csv").write_text("\n".join(patients).replace("dermatomyositis", "dermatomyositiss") + "\n")
    return tmp_path


def test_check_of_a_mapping_that_fits_finds_nothing() -> None:
    found = run("check", MAPPING, TABLES)
    assert found.exit_code == 0, found.output
    assert "2 of 2 persons convert" in found.stdout


def test_check_tells_what_is_refused_and_how_to_mend_it(broken: Path) -> None:
    found = run("check", MAPPING, str(broken))
    assert found.exit_code == 1
    assert "'31.02.2023' is no day of the calendar. To mend: look it up in the source" in found.stdout
    assert "First in visits.csv, row 3." in found.stdout


def test_check_tells_unused_columns_and_words_with_the_nearest(broken: Path) -> None:
    found = run("check", MAPPING, str(broken))
    assert "patients.Hobby: words, 2 filled, such as 'chess', 'golf'" in found.stdout
    assert "1 × diagnosis, Diagnosis: 'dermatomyositiss' (near: dermatomyositis" in found.stdout


def test_check_adds_up_for_machines(broken: Path) -> None:
    found = run("check", MAPPING, str(broken), "--json")
    told = json.loads(found.stdout)
    for table in told["tables"].values():
        assert table["read"] == table["converted"] + table["rejected"] + table["filtered"]
    assert told["tables"]["visits"]["rejected"] == 1
    assert {each["rule"] for each in told["refusals"]} == {"visit", "lab"}


def test_defaults_are_visible_as_such(tmp_path: Path) -> None:
    """In the fact, in what `check` says, and in the sums of a conversion."""
    (tmp_path / "t.toml").write_text(
        """
casefhir = 1
name = "t"
title = "t"
version = "1"
recorded = "2026-01-01T00:00:00Z"
[tables.labs]
key = ["id"]
[person]
table = "labs"
sex = { column = "sex", default = "unknown" }
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
concept = { const = "ck" }
value = "ck"
unit = { column = "unit", default = "U/l" }
"""
    )
    (tmp_path / "labs.csv").write_text("id,no,sex,ck,unit\n1,1,,30,\n1,2,,40,U/l\n2,1,F,,\n")
    found = run("check", str(tmp_path / "t.toml"), str(tmp_path / "labs.csv"))
    assert found.exit_code == 0, found.output
    told = found.stdout.split("Defaults of the mapping, for blank cells")[1]
    assert told.split("\n")[1:3] == ["  1 × person, sex: 'unknown'", "  1 × lab, unit: 'U/l'"]
    out = tmp_path / "out"
    words = ["convert", str(tmp_path / "labs.csv"), "--mapping", str(tmp_path / "t.toml"), "-o", str(out)]
    assert "1 × lab: unit = U/l" in CliRunner().invoke(main, [*words, "--as", "ndjson"]).stderr
    assert json.loads((out / "manifest.json").read_text())["defaults"] == [
        {"rule": "lab", "field": "unit", "value": "U/l", "count": 1},
        {"rule": "person", "field": "sex", "value": "unknown", "count": 1},
    ]
    assert "unit: U/l is a default of the mapping, not told by the table." in (out / "Observation.ndjson").read_text()


def test_a_rule_that_matched_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(
        Path(MAPPING).read_text().replace('name = "diagnosis"', 'name = "diagnosis"\nwhere = "Sex == \'x\'"')
    )
    found = run("check", str(path), TABLES)
    assert found.exit_code == 1
    assert "diagnosis on patients (line 45): no row is for it" in found.stdout


def test_explain_leads_from_a_row_to_its_resources() -> None:
    found = run("explain", MAPPING, TABLES, "--table", "visits", "--row", "2", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["cells"]["CK"] == "3.072"
    assert told["facts"]["lab.ck.1"] == "lab"
    (ck,) = [
        each
        for each in told["resources"]
        if each["code" if "code" in each else "id"]
        and "valueQuantity" in each
        and each["valueQuantity"]["value"] == 3072
    ]
    assert ck["valueQuantity"]["unit"] == "U/l"


def test_explain_names_the_other_rows_of_a_fact_and_leads_back_from_them() -> None:
    registry = ("registry", "examples/registry")
    found = run("explain", *registry, "--table", "treatments", "--row", "4")
    assert "Rule treatment made the fact treatment.1\n  also from adverse_events.csv, row 3: no, event" in found.stdout
    found = run("explain", *registry, "--table", "adverse_events", "--row", "3")
    assert "It gave words to the fact treatment.1 of the rule treatment, made of another row" in found.stdout
    told = json.loads(run("explain", *registry, "--table", "treatments", "--row", "4", "--json").stdout)
    assert [(each["file"], each["row"]) for each in told["also"]["treatment.1"]] == [("adverse_events.csv", 3)]


def test_explain_says_why_a_row_is_refused(broken: Path) -> None:
    found = run("explain", MAPPING, str(broken), "--table", "visits", "--row", "3")
    assert found.exit_code == 1
    assert "Refused by visit: Date: '31.02.2023' is no day of the calendar" in found.stdout


def test_explain_of_a_row_that_is_not_there_says_so() -> None:
    found = run("explain", MAPPING, TABLES, "--table", "visits", "--row", "99")
    assert found.exit_code == 2
    assert "visits.csv has no row 99" in found.output
    assert "Say which table" in run("explain", MAPPING, TABLES, "--row", "2").output


def test_draft_proposes_a_mapping_that_check_accepts(tmp_path: Path) -> None:
    found = run("draft", TABLES)
    assert found.exit_code == 0, found.output
    path = tmp_path / "draft.toml"
    path.write_text(found.stdout)
    assert "2 of 2 persons convert" in run("check", str(path), TABLES).stdout


@pytest.mark.parametrize(
    "command", [("check", MAPPING), ("draft",), ("explain", MAPPING, "--row", "3", "--table", "visits")]
)
def test_what_is_found_out_of_text_files_can_be_overruled(command: tuple[str, ...]) -> None:
    name, *rest = command
    assert run(name, *rest, TABLES, "--delimiter", "semicolon", "--encoding", "latin-1").exit_code == 0
    assert run(name, *rest, TABLES, "--delimiter", ";").exit_code == 0
    found = run(name, *rest, TABLES, "--delimiter", ";;")
    assert found.exit_code == 2
    assert "';;' parts no cells; name one character, or comma, semicolon, tab, vertical bar." in found.stderr
