"""Readers: every cell as the file holds it; rows that are none told apart; hostile files refused."""

import datetime as dt
import json
import sqlite3
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.readers.base import MOST_COLUMNS, as_text
from casefhir.sources.tables.readers.columnar import ParquetTable, TransportTable
from casefhir.sources.tables.readers.database import QueryTable, shown
from casefhir.sources.tables.readers.documents import JsonTable
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.readers.workbook import LARGEST, Workbook, WorkbookSheet
from casefhir.sources.tables.rows import TableError, numbered


@dataclass(frozen=True)
class Spec:
    files: tuple[str, ...] = ()
    rows: str | None = None
    camel: bool = False
    within: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    query: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: int | None = None
    skip_after: int = 0
    fill: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    optional: bool = False


def text(path: Path, content: str | bytes, name: str = "t.csv") -> Path:
    file = path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(table) -> tuple[list, list]:
    faults: list = []
    return list(table.rows(lambda *told: faults.append(told))), faults


def test_cells_stay_as_written_and_rows_are_numbered_by_their_first_line(tmp_path):
    table = TextTable(text(tmp_path, 'id,value,note\n1,4.0,"two\nlines"\n2, 007 ,\n\n3,NaN,NA\n'))
    rows, faults = read(table)
    assert rows == [(2, ("1", "4.0", "two\nlines")), (4, ("2", " 007 ", "")), (6, ("3", "NaN", "NA"))]
    assert not faults


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_the_encoding_is_found_out_and_told(tmp_path, encoding):
    content = "id,drug,diagnosis\n" + "1,Azathioprin für Erwachsene,Müdigkeit und Schwäche\n" * 40
    table = TextTable(text(tmp_path, content.encode(encoding)))
    rows, _ = read(table)
    assert rows[0][1] == ("1", "Azathioprin für Erwachsene", "Müdigkeit und Schwäche")
    assert table.detected["encoding"].replace("_", "-") == encoding


@pytest.mark.parametrize(("mark", "word"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
def test_the_delimiter_is_found_out_and_told(tmp_path, mark, word):
    table = TextTable(text(tmp_path, f"id{mark}value{mark}note\n1{mark}3.5{mark}a: b\n2{mark}4.25{mark}c\n"))
    assert table.columns == ("id", "value", "note")
    assert table.detected["delimiter"] == word
    assert [len(row) for _, row in read(table)[0]] == [3, 3]


def test_a_ragged_row_is_told_and_the_others_are_read(tmp_path):
    rows, faults = read(TextTable(text(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n")))
    assert rows == [(2, ("1", "2", "3")), (5, ("10", "11", "12"))]
    assert [(number, cells) for number, cells, _ in faults] == [(3, ("4", "5")), (4, ("6", "7", "8", "9"))]


def test_a_cell_with_a_nul_is_told(tmp_path):
    rows, faults = read(TextTable(text(tmp_path, b"a,b\n1,x\0y\n2,z\n")))
    assert rows == [(3, ("2", "z"))]
    assert faults[0][0] == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"a,a (column 1),a\n1,2,3\n", "Two columns"),
        (b'a,b\n1,"never closed\n' + b"x,y\n" * 10, "not closed"),
        (b'a,b\n1,"x"y\n', "closing quote"),
        (b",".join(b"c%d" % each for each in range(100_000)) + b"\n", str(MOST_COLUMNS)),
        (b"a,b\n" + b"x" * (17 << 20) + b",1\n", "longer"),
        (b"a,b\n" + b"x" * (2 << 20) + b",1\n", "longer"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(tmp_path, content, says):
    with pytest.raises(TableError, match=says) as told:
        read(TextTable(text(tmp_path, content)))
    assert "t.csv" in str(told.value)


def test_a_wrong_encoding_is_refused_with_the_place(tmp_path):
    with pytest.raises(TableError, match=r"--encoding|right encoding"):
        read(TextTable(text(tmp_path, "a,b\n1,ü\n".encode("cp1252")), encoding="utf-8"))


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0\r", codec="utf-8")), min_size=3, max_size=3)))
def test_whatever_a_csv_writer_writes_comes_back(tmp_path_factory, rows):
    import csv

    file = tmp_path_factory.mktemp("csv") / "t.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    assert [list(row) for _, row in read(TextTable(file, encoding="utf-8", delimiter=","))[0]] == rows


def workbook(path: Path, rows: list[list], name: str = "t.xlsx") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "labs"
    for row in rows:
        sheet.append(row)
    book.create_sheet("other").append(["x"])
    book.save(path / name)
    return path / name


def test_a_sheet_keeps_numbers_codes_and_dates_and_numbers_rows_as_the_workbook_does(tmp_path):
    file = workbook(
        tmp_path,
        [["id", "value", "day"], ["007", 3072, dt.date(2022, 9, 7)], [None, None, None], ["8", 0.1, "2022-09"]],
    )
    assert Workbook(file).sheets == ["labs", "other"]
    rows, faults = read(WorkbookSheet(Workbook(file), "labs"))
    assert rows == [(2, ("007", "3072", "2022-09-07")), (4, ("8", "0.1", "2022-09"))]
    assert not faults


def test_a_formula_without_a_stored_result_is_told_and_not_read_as_blank(tmp_path):
    rows, faults = read(WorkbookSheet(Workbook(workbook(tmp_path, [["a", "b"], [1, "=A2*2"], [2, 3]])), "labs"))
    assert rows == [(3, ("2", "3"))]
    assert "B2" in faults[0][2]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range((LARGEST >> 24) // 4):
            part.write(bytes(1 << 24))
    with pytest.raises(TableError, match="times its size"):
        Workbook(file)


def test_no_workbook_is_refused(tmp_path):
    with pytest.raises(TableError, match="no workbook"):
        Workbook(text(tmp_path, "a,b\n", "t.xlsx"))


def test_parquet_keeps_digits_dates_and_nulls(tmp_path):
    file = tmp_path / "t.parquet"
    table = pa.table(
        {
            "id": ["1", None],
            "exact": pa.array([Decimal("4.00"), Decimal("0.10")], pa.decimal128(9, 2)),
            "binary": [1.0, 0.1],
            "whole": [2**60, -1],
            "day": [dt.date(2022, 9, 7), None],
            "at": [dt.datetime(2022, 9, 7, 8, 30), None],
            "yes": [True, False],
        }
    )
    pq.write_table(table, file)
    rows, _ = read(ParquetTable(file))
    assert rows == [
        (1, ("1", "4.00", "1", str(2**60), "2022-09-07", "2022-09-07T08:30:00", "true")),
        (2, (None, "0.10", "0.1", "-1", None, None, "false")),
    ]


def test_sas_transport_files_are_read_in_chunks(tmp_path):
    import pandas as pd

    file = tmp_path / "lb.xpt"
    frame = pd.DataFrame({"USUBJID": ["P1", "P2"], "LBSTRESN": [22.7, None], "LBDTC": ["2012-05", "2012-05-07T08:30"]})
    pyreadstat.write_xport(frame, str(file), table_name="LB")
    rows, _ = read(TransportTable(file))
    assert rows == [(1, ("P1", "22.7", "2012-05")), (2, ("P2", "", "2012-05-07T08:30"))]


def test_json_rows_keep_digits_and_lie_wherever_the_mapping_says(tmp_path):
    packet = {
        "id": "p1",
        "subject": {"id": "s1", "sex": "MALE"},
        "phenotypic_features": [{"type": {"id": "HP:1"}, "modifiers": [{"id": "a"}]}, {"type": {"id": "HP:2"}}],
        "measurements": [{"value": {"quantity": {"value": 1.50}}}],
    }
    content = json.dumps(packet).replace("1.5", "1.50")
    table = JsonTable(text(tmp_path, content, "p.json"), rows="phenotypicFeatures", camel=True)
    rows, _ = read(table)
    cells = [dict(zip(table.columns, row)) for _, row in rows]
    assert cells[0]["type.id"] == "HP:1"
    assert cells[0]["modifiers.0.id"] == "a"
    assert cells[1]["modifiers.0.id"] is None
    assert {each["/subject.id"] for each in cells} == {"s1"}
    measured = JsonTable(tmp_path / "p.json", rows="measurements")
    assert dict(zip(measured.columns, read(measured)[0][0][1]))["value.quantity.value"] == "1.50"


def test_what_lies_between_a_row_and_its_document_is_there_by_steps(tmp_path):
    packet = {"id": "p", "acts": [{"why": "a", "drug": {"agent": {"id": "x"}, "doses": [{"n": 1}, {"n": 2}]}}]}
    table = JsonTable(text(tmp_path, json.dumps(packet), "p.json"), rows="acts.drug.doses")
    cells = [dict(zip(table.columns, row)) for _, row in read(table)[0]]
    assert [(each["n"], each["../agent.id"], each["../../why"], each["/id"]) for each in cells] == [
        ("1", "x", "a", "p"),
        ("2", "x", "a", "p"),
    ]


def test_ndjson_rows_are_numbered_by_line(tmp_path):
    rows, _ = read(JsonTable(text(tmp_path, '{"a":1}\n\n{"a":2e3,"b":true}\n', "t.ndjson")))
    assert rows == [(1, ("1", None)), (3, ("2e3", "true"))]


@pytest.mark.parametrize("content", ['{"a":1,"a":2}', "[1]", "{", '{"a":' * 100_000])
def test_json_that_is_no_table_is_refused(tmp_path, content):
    with pytest.raises(TableError, match=r"t\.json"):
        read(JsonTable(text(tmp_path, content, "t.json")))


def test_databases_are_read_by_query_and_passwords_are_not_shown(tmp_path):
    link = sqlite3.connect(tmp_path / "t.sqlite")
    link.execute("create table labs (id text, value numeric)")
    link.execute("insert into labs values ('007', 1.5), ('8', null)")
    link.commit()
    rows, _ = read(QueryTable(f"sqlite:///{tmp_path}/t.sqlite", 'select * from "labs"', name="labs"))
    assert rows == [(1, ("007", "1.5")), (2, ("8", None))]
    with duckdb.connect(str(tmp_path / "t.duckdb")) as duck:
        duck.execute("create table labs as select '007' as id, 4.00::decimal(9,2) as value")
    assert read(QueryTable(f"duckdb:///{tmp_path}/t.duckdb", "select * from labs", name="labs"))[0] == [
        (1, ("007", "4.00"))
    ]
    assert shown("postgresql://me:secret@host:5432/db?password=x") == "postgresql://host:5432/db"
    with pytest.raises(TableError, match="query failed"):
        QueryTable(f"sqlite:///{tmp_path}/t.sqlite", "select * from nothing", name="x")


def test_tables_are_found_by_name_in_folders_sheets_and_databases(tmp_path):
    text(tmp_path, "id\n1\n", "DM.csv")
    text(tmp_path, "id,v\n1,2\n", "lb_1.csv")
    text(tmp_path, "v,id\n3,1\n", "lb_2.csv")
    text(tmp_path, "x\n", "other.csv")
    found = open_tables(Inputs([tmp_path]), {"dm": Spec(), "lb": Spec(files=("lb_*",)), "ae": Spec(optional=True)})
    assert found.unused == ("other.csv",)
    assert found.missing == ("ae",)
    rows, _ = read(found.tables["lb"])
    assert [row for _, row in rows] == [("1", "2"), ("1", "3")]
    assert [found.sheets["lb"].place(number) for number, _ in rows] == [("lb_1.csv", 2), ("lb_2.csv", 2)]
    with pytest.raises(TableError, match="no file or sheet is called ae"):
        open_tables(Inputs([tmp_path]), {"ae": Spec()})


def test_parts_may_have_other_columns_and_it_is_told_which_they_lack(tmp_path):
    text(tmp_path, "id,v\n1,a\n", "a1.csv")
    text(tmp_path, "id,w\n2,b\n", "a2.csv")
    table = open_tables(Inputs([tmp_path]), {"a": Spec(files=("a?",))}).tables["a"]
    assert [row for _, row in read(table)[0]] == [("1", "a", None), ("2", None, "b")]
    assert table.sheet.lacking == (("w", "a1.csv"), ("v", "a2.csv"))


@given(
    st.one_of(
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.decimals(allow_nan=False, allow_infinity=False),
    )
)
def test_a_number_as_text_is_that_number(value):
    told = as_text(value)
    assert told is not None
    assert type(value)(told) == value


def test_numbers_of_further_parts_lead_back(tmp_path):
    assert numbered(0, 17) == 17
