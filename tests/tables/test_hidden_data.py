"""Where a mapping hides who the persons are, nothing below the output tells their keys, names or dates: neither
resources nor index nor manifest, whatever was rejected or not understood. Rejects stand apart.
"""

import csv
import datetime as dt
import json
import os
import re
import string
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from casefhir.cli import main
from casefhir.sources.tables.rows import TableError
from casefhir.tables import Options, Tally, convert_tables
from casefhir.tables.kept import ClearRows
from casefhir.tables.options import Halted
from tests.thorough import examples

MAPPING = """casefhir = 1
name = "m"
title = "Registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
[reading]
dates = ["iso", "dmy"]
[tables.people]
key = ["person"]
[tables.labs]
key = ["person"]
derive = { far = "person + '/' + sample", late = "date != '' ? 'late' : ''" }
[tables.drugs]
key = ["person"]
optional = true
[tables.tissue]
via = { sample = "of_sample" }
through = "labs"
optional = true
[lookups.codes]
files = ["codes.csv"]
key = ["code"]
[person]
table = "people"
sex = "sex"
birth_date = "born"
family = "family"
identifiers = [{ value = "insurance", system = "urn:insurance" }]
[[visit]]
name = "visit"
table = "labs"
key = ["visit"]
distinct = true
when = "date"
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
where = "no != 'X' ? true : double(value) > 1.0"
visit = { rule = "visit", key = ["seen_at"] }
concept = { column = "test", lookup = "codes", take = "concept" }
text = "test"
value = { table = "labs", column = "value", on = { no = "no" } }
kind = { expr = "value.matches('^[0-9]{2,4}[-.][0-9]{2}[-.]') ? 'words' : ''" }
flag = "flag"
when = "date"
[[problem]]
name = "finding"
table = "tissue"
key = ["of_sample", "site"]
where = "of_sample != ''"
concept = "site"
onset = { table = "people", column = "first_seen" }
notes = ["remark", { table = "people", column = "note_of_person", where = "person != ''" }]
body_sites = ["place"]
[[course]]
name = "drug"
table = "drugs"
key = ["drug"]
drug = "drug"
start = "start"
end = "end"
[privacy]
hash_keys = true
shift_dates = 200
age_cap = 89
age_on = "first_seen"
drop = ["people.family", "labs.comment"]
""".replace('family = "family"\n', "")

PEOPLE = [["person", "sex", "born", "family", "insurance", "first_seen", "note_of_person"],
          ["K1", "F", "1970-02-03", "Invented", "I1", "", ""]]  # fmt: skip
LABS = [["person", "no", "visit", "seen_at", "date", "test", "value", "flag", "comment", "sample"],
        ["K1", "1", "V1", "V1", "2021-02-31", "CK", "120", "H", "none", "S1"]]  # fmt: skip
DAYS = st.integers(1760, 1840).map(lambda number: dt.date.fromordinal(401 * number))
"""Days so far apart that none becomes another when it is moved by up to 200 days."""
WORDS = st.text(string.ascii_letters + "'\" \\-", min_size=3, max_size=8)


def token(kind: str) -> st.SearchStrategy[str]:
    """Words that stand nowhere by chance, some with quotes in them."""
    return st.tuples(WORDS, st.integers(10**6, 10**7)).map(lambda each: f"{kind}{each[1]}q{each[0].strip()}")


@st.composite
def registries(draw: st.DrawFn) -> tuple[dict[str, list[list[str]]], set[str]]:
    """Tables with all that can go wrong in them, and what must not come out."""
    secret: set[str] = set()

    def hidden(what: st.SearchStrategy[str]) -> str:
        found = draw(what)
        secret.add(found)
        return found

    def whole_day() -> str:
        date = draw(DAYS)
        told = (date.isoformat(), f"{date:%d.%m.%Y}")
        secret.update(told)
        return draw(st.sampled_from(told))

    def day() -> str:
        date = draw(DAYS)
        iso, dotted = date.isoformat(), f"{date:%d.%m.%Y}"
        secret.update((iso, dotted))
        return often(iso, dotted, f"{dotted} or so", f"{date:%Y-%m}-77")

    def often(*told: str) -> str:
        """The first of them, mostly."""
        return draw(st.sampled_from([*told[:1] * 8, *told]))

    people = [PEOPLE[0]]
    labs = [LABS[0]]
    tissue = [["of_sample", "site", "remark", "place"]]
    drugs = [["person", "drug", "start", "end"]]
    for _ in range(draw(st.integers(1, 3))):
        key = hidden(token("Key"))
        note = often("none", whole_day())
        people += [[key, often("F", "?"), day(), hidden(token("Name")), hidden(token("Id")), day(), note]]
        if draw(st.integers(0, 9)) == 0:  # contradicts the first
            people.append([key, "M", day(), hidden(token("Name")), hidden(token("Id")), day(), note])
        for no in range(draw(st.integers(0, 4))):
            date = draw(DAYS)
            secret.update((date.isoformat(), f"{date:%d.%m.%Y}"))
            value = draw(st.sampled_from(["1", "<2", "pos", "3,4,5", date.isoformat(), f"{date:%d.%m.%Y}"]))
            labs.append([
                often(key, hidden(token("Lost"))), often(str(no), "1", "X"),
                often(f"V{no}", key), often(f"V{no}", key, hidden(token("Visit"))),
                day(), draw(st.sampled_from(["CK", "odd test"])), value,
                draw(st.sampled_from(["H", "strange"])), hidden(token("Comment")), hidden(token("Sample")),
            ])  # fmt: skip
            tissue.append([
                often(labs[-1][-1], hidden(token("Strayed"))), often("Rash", "odd finding"),
                often("a remark", whole_day()), often("arm", whole_day()),
            ])  # fmt: skip
            if draw(st.integers(0, 9)) == 0:
                labs[-1].append("too many")
        drugs += [[key, "rituximab", day(), day()] for _ in range(draw(st.integers(0, 2)))]
    return {"people": people, "labs": labs, "drugs": drugs, "tissue": tissue}, secret


def written(folder: Path, tables: dict[str, list[list[str]]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {**tables, "codes": [["code", "concept"], ["CK", "ck"]]}.items():
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    (folder / "m.toml").write_text(MAPPING)
    return folder


@pytest.fixture(autouse=True)
def salt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEFHIR_SALT", "sixteen letters at least")


def shown_of(secret: set[str], text: str) -> list[str]:
    """Those of the secrets that stand in a text, however they are quoted in it."""
    return [each for each in secret if re.split(r"[^A-Za-z0-9.-]", each)[0] in text]


@examples(30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(registries(), st.sampled_from(["ndjson", "transaction"]))
def test_no_key_name_or_date_stands_below_the_output(tmp_path_factory, made, form) -> None:
    tables, secret = made
    folder = written(tmp_path_factory.mktemp("hidden"), tables)
    out = folder / "out"
    tally = convert_tables([folder], folder / "m.toml", out, Options(form=form, test_data=True))
    assert not tally.unaccounted()
    told = {path: path.read_text() for path in out.rglob("*") if path.is_file()}
    for path, text in told.items():
        plain = json.dumps([text, str(path.relative_to(out))])
        assert not shown_of(secret, plain), path.name
    apart = folder / "out-rejects"
    assert apart.is_dir() == bool(tally.total_rejected)
    for name in json.loads(told[out / "manifest.json"]).get("rejects", {"files": []})["files"]:
        kept = (apart / name).read_text()
        assert any(each in kept for each in ("Key", "Lost", "Sample", "Strayed")), name  # they can be mended


@examples(20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(registries())
def test_nor_in_what_check_and_explain_say(tmp_path_factory, made) -> None:
    tables, secret = made
    folder = written(tmp_path_factory.mktemp("hidden"), tables)
    mapping = str(folder / "m.toml")
    for form in ([], ["--json"]):
        found = CliRunner().invoke(main, ["mapping", "check", mapping, str(folder), *form])
        assert found.exit_code in (0, 1), found.output
        assert not shown_of(secret, found.output)
        for row in range(2, min(len(tables["labs"]), 3) + 1):
            found = CliRunner().invoke(
                main, ["mapping", "explain", mapping, str(folder), "--table", "labs", "--row", str(row), *form]
            )
            assert found.exit_code in (0, 1, 2), found.output  # 2: the row is none
            assert not shown_of(secret, found.output), row


@pytest.mark.parametrize("form", ["ndjson", "transaction"])
def test_a_run_that_is_halted_shows_no_cell(tmp_path: Path, form: str) -> None:
    folder = written(tmp_path / "in", {"people": PEOPLE, "labs": LABS})
    with pytest.raises(Halted, match=r"labs\.csv, row 2, column date: … is no day of the calendar"):
        convert_tables([folder], folder / "m.toml", tmp_path / "out", Options(form=form, on_error="halt"))


@pytest.mark.parametrize(("name", "refused"), [("K1", True), ("labs_k1_2020", True), ("labs_K10", False)])
def test_a_file_that_is_called_after_a_person_is_refused(tmp_path: Path, name: str, refused: bool) -> None:
    labs = [LABS[0], [cell.replace("31", "03") for cell in LABS[1]]]
    folder = written(tmp_path / "in", {"people": PEOPLE, name: labs})
    (folder / "m.toml").write_text(MAPPING.replace("[tables.labs]", f'[tables.labs]\nfiles = ["{name}.csv"]'))
    if not refused:
        assert convert_tables([folder], folder / "m.toml", tmp_path / "out").persons == 1
        return
    with pytest.raises(TableError, match=rf"{name}\.csv: The file is called after a person"):
        convert_tables([folder], folder / "m.toml", tmp_path / "out")


def test_rejects_stand_beside_the_output_for_their_owner_alone(tmp_path: Path) -> None:
    folder = written(tmp_path / "in", {"people": PEOPLE, "labs": LABS})
    out = tmp_path / "out"
    found = CliRunner().invoke(
        main, ["convert", str(folder), "--mapping", str(folder / "m.toml"), "-o", str(out), "--as", "ndjson"]
    )
    assert found.exit_code == 3
    assert "out-rejects has rows as they stood, with keys, names and dates: do not pass it on" in " ".join(
        found.stderr.split()
    )
    apart = tmp_path / "out-rejects"
    assert oct(os.stat(apart).st_mode & 0o777) == "0o700"
    assert "K1,1,V1,V1,2021-02-31" in (apart / "labs.csv").read_text()
    assert (apart / "context" / "people.csv").is_file()
    assert not (out / "rejects").exists()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rejects"]["files"] == ["context/people.csv", "labs.csv"]
    # mended, it is gone
    written(folder, {"people": PEOPLE, "labs": [LABS[0], [cell.replace("31", "03") for cell in LABS[1]]]})
    assert not convert_tables([folder], folder / "m.toml", out).total_rejected
    assert not apart.exists() or not list(apart.rglob("*.csv"))
    assert "rejects" not in json.loads((out / "manifest.json").read_text())


def test_they_may_be_asked_for_elsewhere_but_not_in_the_output(tmp_path: Path) -> None:
    folder = written(tmp_path / "in", {"people": PEOPLE, "labs": LABS})
    out = tmp_path / "out"
    convert_tables([folder], folder / "m.toml", out, rejects=tmp_path / "safe")
    assert (tmp_path / "safe" / "labs.csv").is_file()
    assert not (tmp_path / "out-rejects").exists()
    for inside in (out, out / "x", tmp_path / "in" / ".." / "out" / "rejects"):
        with pytest.raises(ClearRows, match="name a folder outside"):
            convert_tables([folder], folder / "m.toml", out, rejects=inside)


def test_a_mapping_that_hides_nothing_keeps_them_in_the_output(tmp_path: Path) -> None:
    folder = written(tmp_path / "in", {"people": PEOPLE, "labs": LABS})
    (folder / "m.toml").write_text(MAPPING.partition("[privacy]")[0])
    convert_tables([folder], folder / "m.toml", tmp_path / "out")
    assert (tmp_path / "out" / "rejects" / "labs.csv").is_file()
    convert_tables([folder], folder / "m.toml", tmp_path / "out", rejects=tmp_path / "else")
    assert not list((tmp_path / "out").rglob("labs.csv"))
    assert (tmp_path / "else" / "labs.csv").is_file()


def test_an_interrupted_run_leaves_nothing_in_the_clear_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"Key{number}" for number in range(100, 160)]
    labs = [LABS[0], *([key, "1", "V1", "V1", "2021-02-31", "CK", "120", "H", "none", f"S{key}"] for key in keys)]
    people = [PEOPLE[0], *([key, "F", "1970-02-03", "Invented", f"I{key}", "", ""] for key in keys)]
    folder = written(tmp_path / "in", {"people": people, "labs": labs})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    monkeypatch.setattr("casefhir.sources.tables.grouping.PIECE", 4)
    monkeypatch.setattr("casefhir.sources.tables.readers.text.MARKED", 4)
    monkeypatch.setattr("casefhir.tables.checkpoints._EVERY", 0.0)
    convert_tables([folder], folder / "m.toml", whole)

    def interrupt(tally: Tally, rows: int | None) -> None:
        if tally.persons >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_tables([folder], folder / "m.toml", cut, progress=interrupt)
    left = "".join(path.read_text() for path in cut.rglob("*") if path.is_file())
    assert "person" in left
    assert not any(each in left for each in ("Key1", "Invented", "1970-02-03", "2021-02"))
    convert_tables([folder], folder / "m.toml", cut, resume=True)
    for name in ("labs.csv", "context/people.csv"):
        assert (tmp_path / "cut-rejects" / name).read_bytes() == (tmp_path / "whole-rejects" / name).read_bytes()
