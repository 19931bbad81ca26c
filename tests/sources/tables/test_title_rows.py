"""Rows above the header and under it: the mapping says where the header stands, and what does not fit says where it
seems to stand. Row numbers stay those of the file.
"""

import csv
import json
from pathlib import Path

import pytest
from openpyxl import Workbook as Book

from casefhir.sources.tables.check import check_mapping
from casefhir.sources.tables.drafting.draft import draft_mapping
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.readers.base import likely_header
from casefhir.sources.tables.rows import TableError
from casefhir.tables import Options, convert_tables

TITLED = [
    ["Myositis registry; results", "", "", ""],
    ["Export of 3 May 2024", "", "", ""],
    [],
    ["patient_id", "sex", "CK", "date"],
    ["", "", "U/l", "dd.mm.yyyy"],
    ["P1", "F", "120", "03.05.2021"],
    ["P2", "M", "x", "33.05.2021"],
]
MAPPING = """casefhir = 1
name = "m"
title = "M"
version = "1"
recorded = "2026-01-01T00:00:00Z"
[reading]
dates = ["dmy"]
[tables.labs]
key = ["patient_id"]
{layout}
[person]
table = "labs"
sex = "sex"
[[measurement]]
name = "ck"
table = "labs"
key = ["date"]
concept = {{ const = "ck" }}
value = "CK"
unit = {{ const = "U/l" }}
when = "date"
"""
SAID = "header = 4\nskip_after = 1"


def table(folder: Path, kind: str, rows: list[list[str]]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"labs.{kind}"
    if kind == "xlsx":
        book = Book()
        book.active.title = "labs"
        for row in rows:
            book.active.append(row)
        book.save(file)
    else:
        with file.open("w", newline="") as stream:
            csv.writer(stream, delimiter=";" if kind == "csv" else "\t").writerows(rows)
    return file


def mapping(folder: Path, layout: str) -> Path:
    file = folder / "m.toml"
    file.write_text(MAPPING.format(layout=layout))
    return file


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
def test_rows_keep_the_numbers_of_the_file_and_rejects_are_read_back(tmp_path: Path, kind: str) -> None:
    file = table(tmp_path, kind, TITLED)
    said, out = mapping(tmp_path, SAID), tmp_path / "out"
    tally = convert_tables([file], said, out, Options(test_data=True))
    assert dict(tally.rows["labs"]) == {"read": 2, "converted": 1, "rejected": 1, "filtered": 0}
    assert [json.loads(line)["row"] for line in (out / "index" / "resources.ndjson").open() if '"ck"' in line] == [6]
    with (out / "rejects" / "labs.csv").open(newline="") as stream:
        lines = list(csv.reader(stream))
    assert lines[3][:4] == TITLED[3]
    assert dict(zip(lines[3], lines[5]))["casefhir_row"] == "7"
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / "labs.csv").write_text((out / "rejects" / "labs.csv").read_text().replace("33.05", "30.05"))
    again = convert_tables([mended], said, tmp_path / "again", Options(test_data=True))
    assert dict(again.rows["labs"]) == {"read": 1, "converted": 1, "rejected": 0, "filtered": 0}


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
@pytest.mark.parametrize("said", ["", "header = 2"])
def test_where_the_header_lacks_the_key_it_is_said_which_row_has_it(tmp_path: Path, kind: str, said: str) -> None:
    file = table(tmp_path, kind, TITLED)
    with pytest.raises(TableError, match=r"Row 4 looks like the header: say header = 4"):
        check_mapping(load_mapping(mapping(tmp_path, said)), [file])


def test_a_title_of_one_cell_is_seen_whatever_the_mapping_asks_for(tmp_path: Path) -> None:
    file = table(tmp_path, "csv", [["Title"], *TITLED[3:4], *TITLED[5:]])
    said = mapping(tmp_path, "").read_text().replace('key = ["patient_id"]', 'key = ["#1"]', 1)
    (tmp_path / "m.toml").write_text(said.split("sex =")[0])
    found = check_mapping(load_mapping(tmp_path / "m.toml"), [file])
    assert any(
        "header in the first row, though row 2 looks like it (then say header = 2)" in each for each in found.notes
    )


def test_a_draft_says_where_the_header_stands_and_that_units_follow(tmp_path: Path) -> None:
    rows = [
        ["Export of May", "", ""],
        ["patient_id", "sex", "CK"],
        ["", "", "U/l"],
        ["P1", "F", "120"],
        ["P2", "M", "80"],
    ]
    file = table(tmp_path, "csv", rows)
    (tmp_path / "m.toml").write_text(draft_mapping([file]))
    assert "header = 2 " in (tmp_path / "m.toml").read_text()
    found = check_mapping(load_mapping(tmp_path / "m.toml"), [file])
    assert (found.tables["labs"].read, found.facts["Measurement"]) == (2, 2)
    assert found.clean


def test_a_file_that_ends_above_its_header_is_refused(tmp_path: Path) -> None:
    for kind in ("csv", "xlsx"):
        file = table(tmp_path, kind, TITLED[:2])
        with pytest.raises(TableError, match=r"row 4|Row 4"):
            check_mapping(load_mapping(mapping(tmp_path, SAID)), [file])


def test_a_header_that_is_said_to_be_the_first_row_is_not_doubted(tmp_path: Path) -> None:
    file = table(tmp_path, "csv", [TITLED[3], *TITLED[5:]])
    found = check_mapping(load_mapping(mapping(tmp_path, "header = 1")), [file])
    assert found.tables["labs"].read == 2


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([["a", "b"], ["1", "2"]], None),
        ([["a", ""], ["x", "y"], ["z", "w"]], 2),
        ([["Title"], ["a", "b"], ["1", "2"]], 2),
        ([["Title"], ["2021", "b"], ["1", "2"]], None),  # no header looks like a year
        ([["Title"], ["a", "a"], ["1", "2"]], None),
        ([["Title"], ["a", "b"]], None),  # nothing under it
        ([["id", "sex", ""], ["P1", "F", "new"], ["P2", "M", "old"]], None),  # a column without a name
        ([], None),
    ],
)
def test_which_row_looks_like_a_header(rows: list[list[str]], number: int | None) -> None:
    assert likely_header(enumerate(rows, 1)) == number
