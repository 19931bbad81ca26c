"""CDISC's Dataset-JSON in all its forms: https://github.com/cdisc-org/DataExchange-DatasetJson (values made up)."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.readers.dataset_json import DatasetJsonTable
from casefhir.sources.tables.rows import Row, TableError

NAMES = ("USUBJID", "EXSEQ", "EXDOSE", "EXTRT")
ROWS = ('["S-1", 1, 0.10, "Café"]', '["S-2", 2, null, ""]')
ABOUT = '"datasetJSONVersion": "1.1.0", "records": 2, "name": "EX", "label": "Exposure"'
COLUMNS = json.dumps([{"itemOID": f"IT.EX.{name}", "name": name, "dataType": "string"} for name in NAMES])
ITEMS = json.dumps([{"OID": f"IT.EX.{name}", "name": name, "type": "string"} for name in NAMES])
META = f'{{{ABOUT}, "columns": {COLUMNS}}}'
WHOLE = (("S-1", "1", "0.10", "Café"), ("S-2", "2", None, ""))


def read(path: Path) -> tuple[list[tuple[int, Row]], list[tuple[int, Row, str]]]:
    faults: list[tuple[int, Row, str]] = []
    return [*DatasetJsonTable(path).rows(lambda *each: faults.append(each))], faults


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    data = text.encode()
    path.write_bytes(zlib.compress(data, 9) if path.suffix == ".dsjc" else data)
    return path


FORMS = {
    "1.1": ("ex.json", f'{{{ABOUT}, "columns": {COLUMNS}, "rows": [{",".join(ROWS)}]}}'),
    "1.1, rows before columns": ("ex.json", f'{{"rows": [{",".join(ROWS)}], "columns": {COLUMNS}, {ABOUT}}}'),
    "1.0": (
        "ex.json",
        f'{{"datasetJSONVersion": "1.0.0", "clinicalData": {{"studyOID": "x", "itemGroupData": {{"IG.EX": '
        f'{{"records": 2, "name": "EX", "items": {ITEMS}, "itemData": [{",".join(ROWS)}]}}}}}}}}',
    ),
    "before 1.0": (
        "ex.json",
        f'{{"clinicalData": {{"itemGroupData": {{"IG.EX": {{"records": 2, "items": {ITEMS}, "itemData": '
        f"[{','.join(ROWS)}]}}}}}}}}",
    ),
    "NDJSON": ("ex.ndjson", "\n".join((META, *ROWS))),
    "NDJSON, its columns on a line of their own": (
        "ex.ndjson",
        "\n".join((f"{{{ABOUT}}}", f'{{"columns": {COLUMNS}}}', *ROWS)),
    ),
    "NDJSON, rows as objects": (
        "ex.ndjson",
        f'{META}\n{{"USUBJID": "S-1", "EXSEQ": 1, "EXDOSE": 0.10, "EXTRT": "Café"}}\n'
        '{"EXTRT": "", "USUBJID": "S-2", "EXSEQ": 2, "EXDOSE": null}\n',
    ),
    "compressed": ("ex.dsjc", "\n".join((META, *ROWS)) + "\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_the_same_rows_with_all_digits(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, *FORMS[form])
    rows, faults = read(path)
    assert [row for _, row in rows] == [*WHOLE]
    assert not faults
    assert DatasetJsonTable(path).columns == NAMES
    found = open_tables(Inputs([path]), {"ex": Table()})
    assert type(found.tables["ex"].parts[0]) is DatasetJsonTable
    assert found.detected["ex" + path.suffix]["format"] == "Dataset-JSON"


def test_rows_of_ndjson_have_the_numbers_of_their_lines(tmp_path: Path) -> None:
    assert [number for number, _ in read(written(tmp_path, *FORMS["NDJSON"]))[0]] == [2, 3]
    assert [number for number, _ in read(written(tmp_path, *FORMS["1.1"]))[0]] == [1, 2]


def test_a_row_of_another_length_or_with_a_list_in_it_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = ('["S-1", 1]', '["S-2", 2, ["x"], ""]', '"S-3"', '["S-4", 4, true, "a\\u0000b"]')
    rows, faults = read(written(tmp_path, "ex.ndjson", "\n".join((META, *bad, ROWS[0]))))
    assert [row for _, row in rows] == [WHOLE[0]]
    assert [(number, reason.split(";")[0]) for number, _, reason in faults] == [
        (2, "The row has 2 values, but there are 4 columns"),
        (3, "A value is a list or an object, where text, a number, true, false or null belongs."),
        (4, "A row is a list of values."),
        (5, "A cell holds a NUL character or is over a million characters long"),
    ]


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    table = DatasetJsonTable(written(tmp_path, "ex.ndjson", f"{META}\n{ROWS[0]}\n"))
    assert table.detected["records"] == "2 by its own word, but 1 are there"
    path = written(tmp_path, *FORMS["compressed"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match="compressed data cannot be read"):
        DatasetJsonTable(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{{{ABOUT}}}", "does not name its columns"),
        ('{"datasetJSONVersion": "1", "clinicalData": {"itemGroupData": {"A": {}, "B": {}}}}', "one dataset a file"),
        ('{"datasetJSONVersion": "1", "columns": [{"name": "A"}], "rows": {}}', "The rows are a list"),
        ('["datasetJSONVersion"]', "Dataset-JSON is an object"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableError, match=reason):
        DatasetJsonTable(written(tmp_path, "ex.json", text))


def test_a_stream_that_unpacks_to_an_endless_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "ex.dsjc"
    pack = zlib.compressobj(9)
    path.write_bytes(b"".join(pack.compress(b'"' * (1 << 20)) for _ in range(65)) + pack.flush())
    with pytest.raises(TableError, match="The line is longer than"):
        DatasetJsonTable(path)


def test_other_json_is_read_as_before(tmp_path: Path) -> None:
    path = written(tmp_path, "ex.json", '[{"USUBJID": "S-1"}]')
    assert type(open_tables(Inputs([path]), {"ex": Table()}).tables["ex"].parts[0]) is not DatasetJsonTable


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ROW = st.lists(st.none() | TEXT | st.booleans() | st.integers(), min_size=4, max_size=4)


@given(rows=st.lists(ROW, max_size=5))
def test_what_goes_in_comes_out_in_every_form(tmp_path_factory: pytest.TempPathFactory, rows: list[list[Any]]) -> None:
    folder = tmp_path_factory.mktemp("d")
    lines = [json.dumps(row) for row in rows]
    told = [
        [row for _, row in read(written(folder, name, text))[0]]
        for name, text in (
            ("ex.json", f'{{{ABOUT}, "columns": {COLUMNS}, "rows": [{",".join(lines)}]}}'),
            ("ex.ndjson", "\n".join((META, *lines))),
            ("ex.dsjc", "\n".join((META, *lines))),
        )
    ]
    words = {True: "true", False: "false", None: None}
    wanted = [tuple(words[v] if v is None or isinstance(v, bool) else str(v) for v in row) for row in rows]
    assert told == [wanted] * 3
