"""A mapping's tables opened: keys of their own or by way of another table, look-ups among the inputs or beside it."""

from pathlib import Path

import pytest

from casefhir.sources.tables.grouping import persons
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.rows import TableError

HEAD = """
casefhir = 1
name = "t"
title = "t"
version = "1"
recorded = "2026-01-01T00:00:00Z"
[person]
table = "people"
[tables.people]
key = ["id"]
[tables.stays]
key = ["ID"]
[tables.labs]
through = "stays"
via = { stay = "STAY_ID" }
[lookups.tests]
files = ["tests.csv"]
key = ["code"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, content in {
        "in/people.csv": "id,sex\np1,F\np2,M\n",
        "in/stays.csv": "id,stay\np1,s1\np2,s2\np2,s3\n",
        "in/labs.csv": "STAY_ID,value\ns3,1\ns1,2\ns9,3\n,4\n",
        "tests.csv": "code,name\nck,creatine kinase\nck,creatine kinase\n",
        "t.toml": HEAD,
    }.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def test_rows_without_the_persons_key_go_by_way_of_another_table(folder):
    opening = open_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    faults: list = []
    found = {
        each.key[0]: each.rows.get("labs", []) for each in persons(opening.keyed, lambda *told: faults.append(told))
    }
    assert found == {"p1": [(3, ("s1", "2"))], "p2": [(2, ("s3", "1"))]}
    assert [(table, number) for table, number, _, _ in faults] == [("labs", 4), ("labs", 5)]
    assert "leads to nobody" in faults[0][3]
    assert opening.count == 7


def test_a_look_up_lies_beside_the_mapping_or_among_the_inputs(folder):
    loaded = load_mapping(folder / "t.toml")
    assert open_mapping(loaded, [folder / "in"]).lookups["tests"].rows == {("ck",): ("ck", "creatine kinase")}
    (folder / "in" / "tests.csv").write_text("code,name\nck,CK\n")
    assert open_mapping(loaded, [folder / "in"]).lookups["tests"].rows == {("ck",): ("ck", "CK")}


def test_a_look_up_that_contradicts_itself_is_refused(folder):
    (folder / "tests.csv").write_text("code,name\nck,one\nck,two\n")
    with pytest.raises(TableError, match="row 3: The look-up 'tests' tells otherwise"):
        open_mapping(load_mapping(folder / "t.toml"), [folder / "in"])


def test_files_that_no_table_wants_are_told(folder):
    (folder / "in" / "other.csv").write_text("x\n")
    assert "No table of the mapping is in: other.csv." in list(
        open_mapping(load_mapping(folder / "t.toml"), [folder / "in"]).notes
    )


def test_rows_that_lead_to_two_persons_are_refused_alone(folder):
    (folder / "in" / "stays.csv").write_text("id,stay\np1,s1\np2,s2\np2,s1\np3,s1\n")
    (folder / "in" / "labs.csv").write_text("STAY_ID,value\ns1,1\ns2,2\n")
    opening = open_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    faults: list = []
    found = {
        each.key[0]: each.rows.get("labs", []) for each in persons(opening.keyed, lambda *told: faults.append(told))
    }
    assert found["p2"] == [(3, ("s2", "2"))]
    assert [(table, number, reason) for table, number, _, reason in faults] == [
        ("labs", 2, "The row leads to two persons by table 'stays'; it has to lead to one.")
    ]


def test_what_might_be_a_table_and_is_not_read_is_told(folder):
    for name in ("extra.json.gz", "labs.SAV", "notes.docx"):
        (folder / "in" / name).write_bytes(b"")
    notes = [*open_mapping(load_mapping(folder / "t.toml"), [folder / "in"]).notes]
    assert "Not read: extra.json.gz (unpack it), labs.SAV (save it as CSV or Parquet)." in notes
    with pytest.raises(TableError, match=r"not read as a table.* Please unpack it"):
        open_mapping(load_mapping(folder / "t.toml"), [folder / "in" / "extra.json.gz"])
    (folder / "packed").mkdir()
    (folder / "packed" / "people.json.zip").write_bytes(b"")
    with pytest.raises(TableError, match=r"no table in this folder.* Not read: people\.json\.zip \(unpack it\)"):
        open_mapping(load_mapping(folder / "t.toml"), [folder / "packed"])


@pytest.mark.parametrize(
    "name", ["000000000000.csv", "part-00000-5f0c-c000.csv", "data_0_0_0.csv", "2021-03.csv", "data.csv"]
)
def test_parts_are_called_as_their_folder(folder: Path, name: str) -> None:
    (folder / "in" / "people").mkdir()
    (folder / "in" / "people.csv").rename(folder / "in" / "people" / name)
    opening = open_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    assert opening.files.sheets["people"].file == f"people/{name}"


def test_tables_of_their_own_in_a_folder_called_as_another_are_no_parts_of_it(folder: Path) -> None:
    (folder / "in").rename(folder / "people")
    for name in ("stays", "labs"):
        (folder / "people" / f"{name}.csv").rename(folder / "people" / f"{len(name)}_{name}.csv")
    (folder / "people" / "2021.csv").write_text("other\n1\n")
    text = HEAD.replace("[tables.stays]", '[tables.stays]\nfiles = ["*stays"]')
    text = text.replace("[tables.labs]", '[tables.labs]\nfiles = ["*labs", "2021*"]\noptional = true')
    (folder / "t.toml").write_text(text)
    sheets = open_mapping(load_mapping(folder / "t.toml"), [folder / "people"]).files.sheets
    assert {name: each.file for name, each in sheets.items() if name != "labs"} == {
        "people": "people.csv",
        "stays": "5_stays.csv",
    }
    assert sheets["labs"].files == ("2021.csv", "4_labs.csv")


def test_beside_a_file_of_its_name_a_table_has_no_parts_called_after_the_folder(folder: Path) -> None:
    (folder / "in").rename(folder / "people")
    (folder / "people" / "2021.csv").write_text("other\n1\n")
    opening = open_mapping(load_mapping(folder / "t.toml"), [folder / "people"])
    assert opening.files.sheets["people"].files == ("people.csv",)
    assert any("2021.csv" in each for each in opening.notes)
