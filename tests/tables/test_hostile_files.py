"""Files that mean harm, through `casefhir convert` itself: each ends in a sentence that says where and what, or in
rejects with the reason; never in a defect of ours, and never in more memory or time than an honest file of its size.
"""

import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from casefhir.cli import main

MAPPING = """
casefhir = 1
name = "h"
title = "A registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
test_data = true
[tables.people]
key = ["id"]
[tables.labs]
key = ["id"]
[person]
table = "people"
sex = "sex"
family = "name"
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
when = "date"
text = "test"
value = "value"
unit = "unit"
range = { low = "lo", high = "hi" }
notes = ["note"]
"""
COLUMNS = ("id", "no", "date", "test", "value", "unit", "lo", "hi", "note")
LABS = ",".join(COLUMNS) + "\np0,1,2012-01-01,CK,5.0,U/l,1,9,ok\np1,1,2012-01-02,CK,6.0,U/l,1,9,ok\n"
_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from casefhir.cli import main
try:
    main(sys.argv[1:])
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", int(peak.split()[1]) // 1024, file=sys.stderr)
"""
DONE, USAGE, PARTIAL = 0, 2, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a mapping, and `in` with the table of persons in it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "in" / "people.csv").write_text("id,sex,name\np0,F,Ann\np1,M,Bob\n")
    return tmp_path


def words(folder: Path, form: str = "ndjson") -> list[str]:
    return [
        "convert", str(folder / "in"), "--mapping", str(folder / "m.toml"), "-o", str(folder / "out"), "--as", form,
    ]  # fmt: skip


def sums(folder: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads((folder / "out" / "manifest.json").read_text())["rows"]
    for counts in found.values():
        assert counts["read"] == counts["converted"] + counts["rejected"] + counts["filtered"]
    return found


def parquet(**columns: pa.Array) -> Callable[[Path], None]:
    told = {
        "id": ["p0"] * 3, "no": ["1", "2", "3"], "date": ["2012"] * 3, "test": ["CK"] * 3, "value": ["5"] * 3,
        "unit": ["U/l"] * 3, "lo": ["1"] * 3, "hi": ["9"] * 3, "note": ["x"] * 3,
    }  # fmt: skip
    return lambda path: pq.write_table(pa.table(told | columns), path)


def damaged(path: Path) -> None:
    """Its footer is whole, its pages are not."""
    pq.write_table(pa.table({name: [f"{name}{each}" for each in range(2000)] for name in COLUMNS}), path)
    data = bytearray(path.read_bytes())
    for place in range(100, len(data) // 2, 37):
        data[place] ^= 0xFF
    path.write_bytes(data)


def packed_too_well(path: Path) -> None:
    """A file of some kilobytes that unpacks to a hundred megabytes."""
    same = pa.array(["x" * (1 << 20)] * 2)
    table = pa.table(dict.fromkeys(COLUMNS, same))
    with pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=False) as writer:
        for _ in range(8):
            writer.write_table(table)


_RELATIONS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": f'{_RELATIONS}<Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="labs" sheetId="1" r:id="a"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_RELATIONS}<Relationship Id="a" Type="{_OFFICE}/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def _cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


_HEADER = f'<row r="1">{"".join(_cell(f"{chr(65 + each)}1", name) for each, name in enumerate(COLUMNS))}</row>'


def workbook(rows: str, before: str = "") -> Callable[[Path], None]:
    """A workbook with a sheet whose XML is as given."""

    def write(path: Path) -> None:
        data = f"<sheetData>{_HEADER}{rows}</sheetData>"
        sheet = f'<?xml version="1.0"?>{before}<worksheet xmlns="{_MAIN}">{data}</worksheet>'
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
                archive.writestr(name, text)

    return write


def lying_about_its_size(path: Path) -> None:
    """Its directory says that the sheet unpacks to a thousand bytes."""
    workbook(f'<row r="2">{_cell("A2", "a" * (40 << 20))}</row>')(path)
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path.write_bytes(data)


_ENTITIES = "".join(f'<!ENTITY {chr(98 + each)} "{f"&{chr(97 + each)};" * 40}">' for each in range(8))
_ROW = '{"id": "p0", "no": "1", "date": "2012", "test": "CK", "value": %s, "unit": "U/l", "lo": 1, "hi": 9, "note": %s}'


def text(content: str | bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content.encode() if isinstance(content, str) else content) and None


def transport(path: Path) -> None:
    path.write_bytes(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 32 + os.urandom(4000))


FILES: dict[str, tuple[str, Callable[[Path], None], int, str]] = {
    "nothing": ("labs.csv", text(""), USAGE, "labs.csv: The file is empty"),
    "a byte order mark": ("labs.csv", text(b"\xef\xbb\xbf"), USAGE, "labs.csv: The file is empty"),
    "noise": ("labs.csv", text(bytes(range(256)) * 4096), USAGE, "labs.csv"),
    "ragged rows": ("labs.csv", text(LABS + "p0,2\np0,3,2012,CK,5,U/l,1,9,ok,more\n"), PARTIAL, "fewer than the"),
    "a NUL": ("labs.csv", text(LABS + "p0,2,2012,C\0K,5,U/l,1,9,ok\n"), PARTIAL, "NUL"),
    "a quote never closed": ("labs.csv", text(LABS + 'p0,2,2012,"CK\n' + "p1,2,2012,CK\n" * 9), USAGE, "not closed"),
    "columns that clash": ("labs.csv", text(LABS.replace("lo,hi", "no,hi")), USAGE, "Did you mean no (column"),
    "names that clash but for capitals": ("labs.csv", text(LABS.replace("lo,hi", "VALUE,hi")), USAGE, "no column 'lo'"),
    "100,000 columns": ("labs.csv", text(",".join(f"c{each}" for each in range(100_000))), USAGE, "100000 columns"),
    "brackets": ("labs.json", text('{"id":' + "[" * 1_000_000), USAGE, "nested too deeply"),
    "deep objects": ("labs.json", text('{"a":' * 500 + "1" + "}" * 500), USAGE, "document 1: It is nested deeper"),
    "JSON cut off": ("labs.json", text('[{"id": "p0", '), USAGE, "labs.json: This is not readable as JSON"),
    "JSON of NaN": ("labs.json", text(_ROW % ("NaN", '"x"')), DONE, "1 Observation"),
    "a lone surrogate": ("labs.json", text(_ROW % (5, r'"\ud800"')), PARTIAL, "control character U+D"),
    "a workbook cut off": ("labs.xlsx", text(b"PK\x03\x04" + bytes(999)), USAGE, "labs.xlsx: This is no workbook"),
    "a cell in the farthest corner": (
        "labs.xlsx", workbook(f'<row r="1048576">{_cell("XFD1048576", "x")}</row>'), USAGE,
        "reaches to cell XFD1048576",
    ),
    "a billion laughs": (
        "labs.xlsx", workbook(f'<row r="2">{_cell("A2", "&i;")}</row>', f'<!DOCTYPE x [<!ENTITY a "ha">{_ENTITIES}]>'),
        USAGE, "labs.xlsx#labs: The sheet cannot be read",
    ),
    "a formula never solved": (
        "labs.xlsx", workbook(f'<row r="2">{_cell("A2", "p0")}{_cell("B2", "1")}<c r="E2"><f>1+1</f></c></row>'),
        PARTIAL, "holds a formula whose result is not stored",
    ),
    "damaged Parquet": ("labs.parquet", damaged, USAGE, "labs.parquet, after record 0: The file cannot be read on"),
    "Parquet of noise": ("labs.parquet", text(b"PAR1" + bytes(999) + b"PAR1"), USAGE, "labs.parquet: This is no Parq"),
    "Parquet packed too well": ("labs.parquet", packed_too_well, USAGE, "times its size"),
    "Parquet that is not UTF-8": (
        "labs.parquet", parquet(note=pa.array([b"\xff", b"ok", b"ok"], pa.binary()).view(pa.string())), PARTIAL,
        "The cell in … is no string",
    ),
    "Parquet with days of no calendar": (
        "labs.parquet", parquet(date=pa.array([2**40, 0, 0], pa.timestamp("s"))), PARTIAL, "no timestamp[ms]",
    ),
    "a transport file of noise": ("labs.xpt", transport, USAGE, "labs.xpt: This is no SAS transport file"),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_hostile_file_is_refused_with_a_sentence_or_its_rows_are_rejected(folder: Path, what: str) -> None:
    name, write, code, says = FILES[what]
    write(folder / "in" / name)
    done = CliRunner().invoke(main, words(folder))
    said = " ".join(done.output.split())
    assert (done.exit_code, says in said) == (code, True), done.output[-2000:]
    assert "defect" not in said
    if code != USAGE:
        sums(folder)


def zeros(path: Path) -> None:
    """A gigabyte that takes no room on the disk."""
    path.write_bytes(LABS.encode() + b'p0,"')
    os.truncate(path, 1 << 30)


def letters(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b'{"id":"p0","note":"')
        stream.writelines([b"x" * (1 << 20)] * 96)


LARGE: dict[str, tuple[str, Callable[[Path], None], int, str]] = {
    "a line of a gigabyte": ("labs.csv", zeros, 400, "labs.csv"),
    "a JSON line without end": ("labs.ndjson", letters, 400, "labs.ndjson, line 1: The line is longer"),
    "a gigabyte of JSON": ("labs.json", zeros, 400, "labs.json: JSON of at most"),
    "a workbook that lies about its size": ("labs.xlsx", lying_about_its_size, 400, "labs.xlsx"),
    "two million characters in a cell": ("labs.csv", text(LABS + "p0," + "x" * (2 << 20)), 400, "A cell is longer"),
}


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.thorough
def test_a_large_hostile_file_is_refused_in_little_memory(folder: Path, what: str) -> None:
    name, write, most, says = LARGE[what]
    write(folder / "in" / name)
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, *words(folder)], capture_output=True, text=True, timeout=600, check=False
    )
    (folder / "in" / name).unlink()
    said, _, peak = done.stderr.rpartition("peak ")
    assert done.returncode == USAGE, done.stderr[-2000:]
    assert says in " ".join(said.split())
    assert int(peak) < most, f"{peak} MB"
