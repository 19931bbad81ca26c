"""From files to files: the same bytes however it is done, sums that add up, rejects that can be mended."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from casefhir.sources.tables import grouping, keys
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.readers import text
from casefhir.tables import Options, convert_tables
from casefhir.tables import run as runs
from casefhir.tables.options import Halted
from casefhir.tables.run import NothingToResume

MAPPING = """
casefhir = 1
name = "t"
title = "A test registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
test_data = true
[tables.people]
key = ["id"]
[tables.labs]
key = ["id"]
where = "test != 'skip'"
[person]
table = "people"
sex = "sex"
birth_date = "born"
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
when = "date"
concept = "test"
text = "test"
value = "value"
unit = "unit"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "t.toml").write_text(MAPPING)
    write(tmp_path, 7)
    return tmp_path


def write(folder: Path, persons: int, *, bad: bool = False) -> None:
    people = ["id,sex,born", *(f"p{each},{'FM'[each % 2]},19{60 + each}" for each in range(persons))]
    labs = ["id,no,date,test,value,unit"]
    for person in range(persons):
        labs += [f"p{person},{no},2012-0{no}-01,CK,{person}{no}.0,U/l" for no in range(1, 5)]
        labs.append(f"p{person},9,2012-01-01,skip,1,U/l")
    if bad:
        labs[3] = "p0,3,2012-02-31,CK,3,U/l"
        labs[8] = "p1,3,2012-03-01,CK,three"
    (folder / "in" / "people.csv").write_text("\n".join(people) + "\n")
    (folder / "in" / "labs.csv").write_text("\n".join(labs) + "\n")


def convert(folder: Path, name: str = "out", options: Options | None = None, inputs: Path | None = None, **how):
    return convert_tables([inputs or folder / "in"], folder / "t.toml", folder / name, options, **how)


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the test's persons in each."""
    for module in (text, keys):
        monkeypatch.setattr(module, "MARKED", 1)
    monkeypatch.setattr(grouping, "PIECE", 12)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}


def lines(folder: Path) -> set[bytes]:
    return {line for each in folder.glob("*.ndjson") for line in each.read_bytes().splitlines()}


def test_sums_add_up_for_every_table(folder):
    write(folder, 7, bad=True)
    tally = convert(folder)
    assert {name: dict(counts) for name, counts in tally.rows.items()} == {
        "people": {"read": 7, "converted": 7, "rejected": 0, "filtered": 0},
        "labs": {"read": 35, "converted": 26, "rejected": 2, "filtered": 7},
    }
    assert not tally.unaccounted()
    assert tally.resources["Observation"] == 26
    assert json.loads((folder / "out" / "manifest.json").read_text())["rows"]["labs"]["rejected"] == 2


@pytest.mark.parametrize(
    "options", [Options(), Options(compression="gzip", part_size=20_000), Options(form="collection")]
)
def test_the_number_of_processes_does_not_show(folder, options, monkeypatch):
    write(folder, 7, bad=True)
    small_pieces(monkeypatch)
    convert(folder, "one", options)
    convert(folder, "two", options, jobs=2)
    assert everything(folder / "one") == everything(folder / "two")


@pytest.mark.parametrize("options", [Options(), Options(compression="zstd"), Options(form="transaction")])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_run_goes_on_to_the_same_bytes(folder, options, after, monkeypatch):
    write(folder, 7, bad=True)
    small_pieces(monkeypatch)
    monkeypatch.setattr(runs, "_CHECKPOINT", 2)
    convert(folder, "whole", options)

    def interrupt(tally, rows):
        if tally.persons >= 2 * after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(folder, "broken", options, progress=interrupt)
    if after == 1:  # nothing was brought to the disk yet
        with pytest.raises(NothingToResume):
            convert(folder, "broken", options, resume=True)
        return
    with pytest.raises(NothingToResume, match="other tables"):
        convert_tables(
            [folder / "in" / "people.csv", folder / "in" / "labs.csv"],
            _other(folder),
            folder / "broken",
            options,
            resume=True,
        )
    convert(folder, "broken", options, resume=True)
    assert everything(folder / "broken") == everything(folder / "whole")


def _other(folder: Path) -> Path:
    (folder / "u.toml").write_text(MAPPING.replace("A test registry", "Another one"))
    return folder / "u.toml"


def test_an_inserted_row_changes_one_persons_resources_and_nothing_else(folder):
    convert(folder, "before")
    content = (folder / "in" / "labs.csv").read_text().splitlines()
    content.insert(8, "p1,77,2012-09-01,CRP,5,mg/l")
    (folder / "in" / "labs.csv").write_text("\n".join(content) + "\n")
    convert(folder, "after")
    changed = lines(folder / "before") ^ lines(folder / "after")
    assert changed
    for each in changed:
        assert json.loads(each)["meta"]["tag"][1]["code"].startswith("t-p1")


def test_rejected_rows_can_be_mended_and_converted_alone(folder):
    write(folder, 7)
    convert(folder, "right")
    content = (folder / "in" / "labs.csv").read_text()
    write(folder, 7, bad=True)
    convert(folder, "wrong")
    rejects = folder / "wrong" / "rejects"
    rows = list(csv.DictReader((rejects / "labs.csv").open()))
    assert [(row["casefhir_file"], row["casefhir_row"], row["casefhir_rule"]) for row in rows] == [
        ("labs.csv", "4", "lab"),
        ("labs.csv", "9", ""),
    ]
    assert rows[0]["casefhir_column"] == "date"
    assert "2012-02-31" in rows[0]["casefhir_reason"]
    rows[0]["date"] = "2012-03-01"
    rows[0]["value"] = "03.0"
    rows[1]["value"], rows[1]["unit"] = "13.0", "U/l"
    shutil.copytree(rejects, folder / "mended")
    with (folder / "mended" / "labs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    again = convert(folder, "again", inputs=folder / "mended")
    assert again.total_rejected == 0
    assert content
    assert lines(folder / "again") == {
        each for each in lines(folder / "right") if json.loads(each)["meta"]["tag"][1]["code"][:4] in ("t-p0", "t-p1")
    }


def test_halt_ends_at_the_first_row_that_cannot_be_converted(folder):
    write(folder, 7, bad=True)
    with pytest.raises(Halted, match=r"labs.csv, row \d+"):
        convert(folder, options=Options(on_error="halt"))


def test_a_second_run_into_the_same_folder_leaves_nothing_of_the_first(folder):
    write(folder, 7, bad=True)
    convert(folder)
    write(folder, 7)
    convert(folder)
    convert(folder, "fresh")
    assert everything(folder / "out") == everything(folder / "fresh")


def test_the_index_leads_from_every_fact_to_its_row(folder):
    convert(folder)
    index = [json.loads(line) for line in (folder / "out" / "index" / "resources.ndjson").read_bytes().splitlines()]
    source = (folder / "in" / "labs.csv").read_text().splitlines()
    facts = [each for each in index if each["resource"].startswith("Observation/")]
    assert len(facts) == 28
    for each in facts:
        cells = source[each["row"] - 1].split(",")
        assert each["case"].startswith(f"t-{cells[0]}")
        assert each["fact"] == f"lab.{cells[1]}"


def test_test_data_is_marked_as_asked(folder):
    convert(folder, "real", Options(test_data=False))
    assert b"HTEST" not in (folder / "real" / "Patient.ndjson").read_bytes()
    assert load_mapping(folder / "t.toml").mapping.test_data
