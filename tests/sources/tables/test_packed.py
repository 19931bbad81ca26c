"""Text tables that are packed are read as if they were not, in bounded memory; reports name them as they are."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from casefhir.cli import main
from casefhir.sources.tables.drafting.draft import draft_mapping
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.readers import packed
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.rows import Row, TableError
from casefhir.tables import Options, convert_tables

MAPPING = """casefhir = 1
name = "m"
title = "Registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
[tables.people]
key = ["person"]
[tables.labs]
files = ["labs.csv", "labs_*"]
key = ["person"]
[lookups.tests]
files = ["tests.tsv"]
key = ["code"]
[person]
table = "people"
sex = "sex"
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
concept = { column = "test", lookup = "tests", take = "concept" }
value = "value"
when = "date"
"""


def zipped(data: bytes, *names: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("labs.csv",):
            archive.writestr(name, data)
    return whole.getvalue()


PACKS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zip": zipped,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
TEXTS = {
    "plain.csv": b"a,b\n1,2\n3,4\n",
    "quoted.csv": b'a;b\n"1;\n1";2\n3;"4"\n',
    "tabs.tsv": b'a\tb\n5"\t2\n"x"\t4\n',
    "wide.csv": "a,b\nä,2\n".encode("utf-16"),
    "western.txt": "a,b\nSeñor,2\nµg/l,3\n".encode("cp1252"),
    "late.csv": b"a,b\n" + b"1,2\n" * 200_000 + "ä,3\n".encode(),
    "ragged.csv": b"a,b\n1\n1,2,3\n1,2\n",
}


def read(path: Path) -> tuple[tuple[str, ...], list[tuple[int, Row]], list[tuple[int, Row, str]], dict[str, str]]:
    table, faults = TextTable(path), list[tuple[int, Row, str]]()
    rows = list(table.rows(lambda *told: faults.append(told)))
    return table.columns, rows, faults, table.detected


@pytest.mark.parametrize("name", [*TEXTS])
@pytest.mark.parametrize("ending", [*PACKS])
def test_it_is_read_as_if_it_were_unpacked(tmp_path: Path, name: str, ending: str) -> None:
    (tmp_path / name).write_bytes(TEXTS[name])
    other = tmp_path / f"{name}{ending}"
    other.write_bytes(PACKS[ending](TEXTS[name]))
    assert read(other) == read(tmp_path / name)
    assert TextTable(other).file == f"{name}{ending}"
    assert TextTable(other).print.size == other.stat().st_size


@pytest.mark.parametrize("ending", [*PACKS, ".GZ"])
@pytest.mark.parametrize("pattern", ["labs", "labs.csv", "lab*", "labs.csv.*", "LABS"])
def test_it_is_found_by_its_names(tmp_path: Path, ending: str, pattern: str) -> None:
    (tmp_path / f"labs.csv{ending}").write_bytes(PACKS[ending.lower()](b"a,b\n1,2\n"))
    (tmp_path / "other.csv").write_text("c\n1\n")
    opened = open_tables(Inputs([tmp_path]), {"t": Table(files=(pattern,))})
    assert opened.tables["t"].sheet.files == (f"labs.csv{ending}",)


def registry(folder: Path, pack: str = "", *, unsorted: bool = False, faulty: bool = False) -> Path:
    """60 persons with 5 results each."""
    folder.mkdir()
    keys = [f"K{number:03}" for number in range(60)]
    people = "person,sex\n" + "".join(f"{key},F\n" for key in keys)
    rows = [f"{key},{no},CK,{100 + no},2020-01-{10 + no}\n" for key in keys for no in range(5)]
    if unsorted:
        random.Random(4).shuffle(rows)
    if faulty:
        rows[7] = rows[7].replace("2020-01", "2020-13")
    for name, text in {
        "people.csv": people, "tests.tsv": "code\tconcept\nCK\tck\n",
        "labs.csv": "person,no,test,value,date\n" + "".join(rows),
    }.items():  # fmt: skip
        data = text.encode()
        (folder / f"{name}{pack}").write_bytes(PACKS[pack](data) if pack else data)
    (folder / "m.toml").write_text(MAPPING)
    return folder


def converted(folder: Path, out: Path, jobs: int = 1) -> dict[str, bytes]:
    convert_tables([folder], folder / "m.toml", out, Options(form="ndjson"), jobs=jobs)
    return {path.name: path.read_bytes() for path in out.glob("*.ndjson")}


def unnamed(files: dict[str, bytes], pack: str) -> dict[str, bytes]:
    """Output without the ending that packed files have in it, by which Provenance names them."""
    return {name: data.replace(pack.encode(), b"") for name, data in files.items() if name != "Provenance.ndjson"}


@pytest.mark.parametrize("unsorted", [False, True])
@pytest.mark.parametrize("pack", [*PACKS])
def test_it_converts_to_the_same_resources_in_one_process_or_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str, unsorted: bool
) -> None:
    monkeypatch.setattr("casefhir.sources.tables.grouping.PIECE", 40)
    plain = converted(registry(tmp_path / "plain", unsorted=unsorted), tmp_path / "out")
    folder = registry(tmp_path / "packed", pack, unsorted=unsorted)
    one = converted(folder, tmp_path / "one")
    assert unnamed(one, pack) == unnamed(plain, pack)
    assert len(one["Observation.ndjson"].splitlines()) == 300
    assert converted(folder, tmp_path / "two", jobs=2) == one


def test_an_interrupted_run_over_packed_tables_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casefhir.sources.tables.grouping.PIECE", 40)
    monkeypatch.setattr("casefhir.tables.checkpoints._EVERY", 0.0)
    folder = registry(tmp_path / "packed", ".gz")
    whole = converted(folder, tmp_path / "whole")

    def interrupt(tally: object, rows: int | None) -> None:
        if tally.persons >= 20:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    options = Options(form="ndjson")
    with pytest.raises(KeyboardInterrupt):
        convert_tables([folder], folder / "m.toml", tmp_path / "cut", options, progress=interrupt)
    convert_tables([folder], folder / "m.toml", tmp_path / "cut", options, resume=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "cut").glob("*.ndjson")} == whole


def test_reports_name_the_packed_file_and_the_row(tmp_path: Path) -> None:
    folder = registry(tmp_path / "in", ".gz", faulty=True)
    convert_tables([folder], folder / "m.toml", tmp_path / "out", Options(form="ndjson"))
    assert "labs.csv.gz,9,date,lab" in (tmp_path / "out" / "rejects" / "labs.csv").read_text()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [each["file"] for each in manifest["sources"]] == ["labs.csv.gz", "people.csv.gz", "tests.tsv.gz"]
    first = json.loads((tmp_path / "out" / "index" / "resources.ndjson").read_text().splitlines()[1])
    assert (first["file"], first["row"]) == ("labs.csv.gz", 2)
    run = CliRunner()
    told = run.invoke(main, ["mapping", "check", str(folder / "m.toml"), str(folder)])
    assert "First in labs.csv.gz, row 9." in told.output
    told = run.invoke(
        main, ["mapping", "explain", str(folder / "m.toml"), str(folder), "--table", "labs", "--row", "9"]
    )
    assert "labs.csv.gz, row 9 (table labs)" in told.output


@pytest.mark.parametrize("pack", [*PACKS])
def test_a_mapping_is_drafted_for_it(tmp_path: Path, pack: str) -> None:
    (tmp_path / f"visits.csv{pack}").write_bytes(
        PACKS[pack](b"patient_id,sex,date,CK (U/l)\n1,F,2020-01-02,120\n2,M,2020-01-03,90\n")
    )
    text = draft_mapping([tmp_path])
    assert "[tables.visits]" in text
    assert f'files = ["visits.csv{pack}"]' in text


@pytest.mark.parametrize("pack", [*PACKS])
@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "none"])
def test_a_damaged_file_ends_in_a_sentence(tmp_path: Path, pack: str, harm: str) -> None:
    text = "a,b\n" + "".join(f"{random.Random(n).random()},{n}\n" for n in range(3_000))
    data = PACKS[pack](text.encode())
    middle = len(data) // 2
    broken = {
        "cut": data[:middle], "changed": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "empty": b"", "none": b"a,b\n1,2\n",
    }[harm]  # fmt: skip
    path = tmp_path / f"labs.csv{pack}"
    path.write_bytes(broken)
    with pytest.raises(
        TableError, match=rf"labs\.csv\{pack}: (The file (cannot be unpacked|is empty)|The bytes)"
    ) as caught:
        list(TextTable(path).rows(lambda *_: None))
    if harm != "empty":
        assert "pack it anew" in str(caught.value)


def test_packed_parts_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    for pack in (".gz", ".zst"):
        path = tmp_path / f"labs.csv{pack}"
        path.write_bytes(PACKS[pack](b"a,b\n1,2\n") + PACKS[pack](b"3,4\n"))
        assert [row for _, row in TextTable(path).rows(lambda *_: None)] == [("1", "2"), ("3", "4")]


def test_an_archive_holds_one_file(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv.zip"
    path.write_bytes(zipped(b"a,b\n1,2\n", "labs.csv", "__MACOSX/._labs.csv"))
    assert TextTable(path).columns == ("a", "b")
    path.write_bytes(zipped(b"a,b\n1,2\n", "labs.csv", "more.csv"))
    with pytest.raises(TableError, match="holds 2 files; a packed table is one file"):
        TextTable(path)


@pytest.mark.parametrize("pack", [*PACKS])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str) -> None:
    monkeypatch.setattr(packed, "_SMALL", 1 << 20)
    path = tmp_path / f"labs.csv{pack}"
    path.write_bytes(PACKS[pack](b"a,b\n" + b"1,2\n" * (1 << 23)))
    monkeypatch.setattr(packed, "_RATIO", 100)
    with pytest.raises(TableError, match="unpacks to more than 100 times its size"):
        TextTable(path)


def test_other_packed_files_are_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "labs.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    for name in ("labs.json.gz", "labs.zip", "labs.csv.bz2", "labs.xlsx.zst"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in Inputs([tmp_path]).files] == ["labs.csv.gz"]
    assert len(Inputs([tmp_path]).passed_over) == 4
