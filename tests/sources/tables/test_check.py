"""`mapping check` tells of columns and words without telling who the persons are, and in bounded memory."""

from pathlib import Path

import pytest

from casefhir.sources.tables import counts
from casefhir.sources.tables.check import check_mapping
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.tracing import trace
from tests.sources.tables.tables import HEAD

MAPPING = """
[privacy]
hash_keys = true
drop = ["dm.PHONE"]
[tables.dm]
key = ["ID"]
[tables.lb]
through = "sv"
via = { VISIT = "VISIT" }
[tables.sv]
key = ["ID"]
[person]
table = "dm"
sex = "SEX"
family = ["NAME", { column = "MAIDEN" }]
identifiers = [{ system = "https://example.org/n", value = "NUMBER?" }]
[[visit]]
name = "sv"
table = "sv"
key = ["VISIT"]
[[measurement]]
name = "lb"
table = "lb"
key = ["SAMPLE"]
visit = "VISIT"
text = "TEST"
concept = "TEST"
value = "RES"
"""
PERSONAL = {"dm": ("ID", "NAME", "MAIDEN", "NUMBER", "PHONE"), "sv": ("ID", "VISIT"), "lb": ("VISIT", "SAMPLE")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CASEFHIR_SALT", "a salt of the tests")
    (tmp_path / "t.toml").write_text(HEAD + MAPPING)
    people = range(9)
    tables = {
        "dm": ["ID,SEX,NAME,MAIDEN,NUMBER,PHONE,HOBBY,EMAIL"]
        + [f"secret{n},F,secretA{n},secretB{n},secretC{n},secretD{n},chess,secretE{n}@x" for n in people],
        "sv": ["ID,VISIT"] + [f"secret{n},secretV{n}" for n in people],
        "lb": ["VISIT,SAMPLE,TEST,RES"] + [f"secretV{n},secretS{n},test{n},{n}x9,".rstrip(",") for n in people],
    }
    (tmp_path / "in").mkdir()
    for name, lines in tables.items():
        (tmp_path / "in" / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_no_cell_that_tells_who_a_person_is_is_shown(folder: Path) -> None:
    with (folder / "in" / "sv.csv").open("a") as stream:
        stream.write("secret1,secretV1\n")  # its key is there twice: refused
    found = check_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    for table, columns in PERSONAL.items():
        assert {name for name, each in found.tables[table].columns.items() if each.masked} == set(columns)
    samples = [each.samples for table in found.tables.values() for each in table.columns.values()]
    shown = [*found.unmapped, *found.refusals, *samples]
    assert "secret" not in str(shown)
    assert "test1" in str(found.unmapped)
    assert found.tables["dm"].columns["HOBBY"].samples == ["chess"]
    assert found.tables["dm"].columns["EMAIL"].samples == []  # nobody masked it, but no word comes twice
    assert found.refusals


def test_a_dropped_column_is_not_shown_with_its_row(folder: Path) -> None:
    found = trace(load_mapping(folder / "t.toml"), [folder / "in"], "dm", 2)
    assert found.cells["PHONE"] is None
    assert found.cells["HOBBY"] == "chess"


def test_words_beyond_the_bound_are_counted_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_KINDS", 3)
    found = check_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    tests = [each for each in found.unmapped if each.column == "TEST"]
    assert len(tests) <= 4
    assert sum(each.count for each in tests) == 9
    assert counts.OTHERS in {each.words for each in tests}


def test_rows_that_are_none_count_as_read_and_rejected_whoever_they_name(folder: Path) -> None:
    with (folder / "in" / "sv.csv").open("a") as stream:
        stream.write("secret1,V9,more\nnobody,V9,more\n")
    found = check_mapping(load_mapping(folder / "t.toml"), [folder / "in"])
    table = found.tables["sv"]
    assert (table.read, table.converted, table.rejected) == (11, 9, 2)
    (refusal,) = [each for each in found.refusals if each.rule == "reading"]
    assert (refusal.count, refusal.reason) == (2, "the row has 3 cells, more than the 2 columns")
    assert not refusal.mend.endswith(".")
