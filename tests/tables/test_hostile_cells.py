"""Cells that mean harm, through `casefhir convert` itself: every row becomes a resource that holds its words as they
stand, or goes to rejects with the reason; keys lead to no file but their own.
"""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from casefhir import exactjson
from casefhir.cli import main
from casefhir.sources.tables.mapping import Reading
from tests.report.conftest import suite
from tests.tables.test_hostile_files import COLUMNS, MAPPING, sums, words

CELLS = [
    "<script>alert(1)</script>", "\x1b[31mred\x07", "\u202eback", "\ufeffmark", "a" * 1_000_000, '=cmd|"/c calc"!A1',
    "@SUM(1)", "-", "--", "\ue000\ue001", "%b%s%(x)s{}", "{column}", "</div><p>", "&amp;&#0;", "\x85", "9" * 400,
    "1e400", "1e-400", "0x10", "Infinity", "-inf", "nan", "1_000", "½", "1,2,3", "<<5", "5<", "1e999999999", "+5",
    "0" * 1000 + "1", "1." + "0" * 1000,
]  # fmt: skip
DATES = [
    "9999-99-99", "0000-00-00", "2012-13-01", "2012-02-30", "1e5", "2012-01-01T25:00", "2012-01-01T23:59:60Z", "-2012",
    "12-12-12", "292277026596-12-04", "2012-W01-1", "NaT", "43000", "9" * 100_000,
]  # fmt: skip
KEYS = [
    "../x", "..", "/etc/passwd", "a/b", "a\\b", "C:\\x", "nul", "CON", "x" * 10_000, "x" * 9_999, "\u202e", "a\nb",
    "é", "e\u0301", "<b>", "%00", "~", "$HOME", "*", "?", '"q"', "'", "a b", "A B", "-rf", "index", "manifest",
    "rejects", ".casefhir-lock", "🧬", "p0", "P0", "\ue000", "١",
]  # fmt: skip
_FILLED = ("test", "value", "unit", "note")
PLAIN = {"id": "p0", "date": "2012", "test": "CK", "value": "5", "unit": "U/l", "lo": "1", "hi": "9", "note": "ok"}


def converted(
    folder: Path, rows: list[dict[str, str]], form: str = "ndjson", people: tuple[str, ...] = ("p0",)
) -> tuple[list[dict], dict[str, dict]]:
    """The Observations in the output, and the rejected rows by their number in the file."""
    (folder / "in").mkdir()
    (folder / "m.toml").write_text(MAPPING)
    for name, columns, listed in (
        ("people", ("id", "sex", "name"), [{"id": each, "sex": "F", "name": "Ann"} for each in people]),
        ("labs", COLUMNS, rows),
    ):
        with (folder / "in" / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(listed)
    done = CliRunner().invoke(main, words(folder, form))
    assert done.exit_code in (0, 3), done.output[-2000:]
    assert len(done.output) < 20_000, "what is said of a long cell is long itself"
    found = []
    if form == "ndjson":
        found = [json.loads(line, parse_float=str) for line in _lines(folder / "out" / "Observation.ndjson")]
    rejects: dict[str, dict] = {}
    file = folder / "out" / "rejects" / "labs.csv"
    if file.exists():
        csv.field_size_limit(1 << 24)
        with file.open(newline="", encoding="utf-8") as stream:
            rejects = {row["no"]: row for row in csv.DictReader(stream)}
    counts = sums(folder)["labs"]
    assert counts["read"] == len(rows)
    assert counts["rejected"] == len(rejects)
    return found, rejects


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


@pytest.mark.thorough
def test_a_row_becomes_its_words_as_they_stand_or_is_rejected_with_the_reason(tmp_path: Path) -> None:
    naughty = [
        each.replace("\0", "")
        for name in ("blns.json", "xss-payloads.json")
        for each in exactjson.read((suite("naughty") / name).read_bytes())
        if each.strip() not in ("", *Reading().missing, *Reading().absent)
        and not any("\ud800" <= letter <= "\udfff" for letter in each)
    ]
    texts = {f"{column}-{number}": cell for column in _FILLED for number, cell in enumerate(CELLS)}
    texts |= {f"{_FILLED[number % 4]}-n{number}": cell for number, cell in enumerate(naughty)}
    rows = [PLAIN | {"no": name, name.partition("-")[0]: cell} for name, cell in texts.items()]
    found, rejects = converted(tmp_path, rows)
    assert len(found) + len(rejects) + sums(tmp_path)["labs"]["filtered"] == len(rows)
    by_fact = {each["meta"]["tag"][2]["code"].rpartition("/")[2]: each for each in found}
    assert len(by_fact) == len(found)
    said = {json.dumps(each, ensure_ascii=False) for each in found}
    whole = "\n".join(said)
    for row in rows:
        column, cell = row["no"].partition("-")[0], texts[row["no"]].strip()
        if row["no"] in rejects:
            reject = rejects[row["no"]]
            assert reject["casefhir_reason"]
            assert reject["casefhir_rule"]
            assert reject["casefhir_column"] in (column, "", "None")
            assert reject[column].strip().lstrip("'") == cell.lstrip("'")
        elif column != "value" and cell:
            assert json.dumps(cell, ensure_ascii=False) in whole


def test_a_number_that_json_cannot_tell_is_not_told(tmp_path: Path) -> None:
    rows = [PLAIN | {"no": str(number), "value": cell} for number, cell in enumerate(("1e400", "1e-400", "-1e301"))]
    found, rejects = converted(tmp_path, rows)
    assert not [each for each in found if "valueQuantity" in each]
    assert len(found) + len(rejects) == len(rows)


def test_digits_of_other_scripts_are_read_as_digits(tmp_path: Path) -> None:
    (found,), rejects = converted(tmp_path, [PLAIN | {"no": "1", "value": "١٢", "date": "٢٠١٢-٠٣", "lo": "", "hi": ""}])
    assert not rejects
    assert (found["valueQuantity"]["value"], found["effectiveDateTime"]) == (12, "2012-03")


def test_days_of_no_calendar_are_rejected_by_their_cell(tmp_path: Path) -> None:
    rows = [PLAIN | {"no": str(number), "date": cell} for number, cell in enumerate(DATES)]
    found, rejects = converted(tmp_path, rows)
    assert not found
    assert {row["casefhir_column"] for row in rejects.values()} == {"date"}
    assert all(len(row["casefhir_reason"]) < 400 for row in rejects.values())


@pytest.mark.parametrize("form", ["ndjson", "transaction"])
def test_keys_lead_to_no_file_but_their_own(tmp_path: Path, form: str) -> None:
    rows = [PLAIN | {"id": key, "no": key} for key in KEYS]
    _, rejects = converted(tmp_path, rows, form, tuple(KEYS))
    assert not rejects
    written = {each for each in tmp_path.rglob("*") if each.is_file()}
    beside = {tmp_path / "m.toml", tmp_path / "in" / "people.csv", tmp_path / "in" / "labs.csv"}
    assert all(each.parent in (tmp_path / "out", tmp_path / "out" / "index") for each in written - beside)
    assert all(len(each.name) < 120 for each in written)
    cases = {each.name for each in (tmp_path / "out").glob("h-*.json")}
    assert form == "ndjson" or len(cases) == len(KEYS)
