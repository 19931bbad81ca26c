"""From files to files: the same bytes however it is done, sums that add up, rejects that can be mended."""

import csv
import json
import multiprocessing
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from casefhir.sources.tables import grouping, keys, sorting
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.readers import text
from casefhir.tables import Options, checkpoints, convert_tables, solitude
from casefhir.tables.checkpoints import NothingToResume
from casefhir.tables.options import Halted
from casefhir.tables.run import WorkerDied
from casefhir.tables.solitude import InUse

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


KINDS = [
    Options(),
    Options(part_size=20_000),
    Options(compression="gzip", part_size=20_000),
    Options(compression="zstd"),
    Options(form="transaction"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "t.toml").write_text(MAPPING)
    write(tmp_path, 7)
    return tmp_path


def write(folder: Path, persons: int, *, bad: bool = False) -> None:
    people = ["id,sex,born", *(f"p{each},{'FM'[each % 2]},19{60 + each % 30}" for each in range(persons))]
    labs = ["id,no,date,test,value,unit"]
    for person in range(persons):
        labs += [f"p{person},{no},2012-0{no}-01,CK,{person}{no}.0,U/l" for no in range(1, 5)]
        labs.append(f"p{person},9,2012-01-01,skip,1,U/l")
    if bad:
        labs[3] = "p0,3,2012-02-31,CK,3,U/l"
        labs[8] = "p1,3,2012-03-01,CK,three"
    (folder / "in" / "people.csv").write_text("\n".join(people) + "\n")
    (folder / "in" / "labs.csv").write_text("\n".join(labs) + "\n")


def by_key(folder: Path) -> None:
    """Sort the rows of all tables, so that they are read where they lie."""
    for table in (folder / "in").iterdir():
        head, *rows = table.read_text().splitlines()
        table.write_text("\n".join([head, *sorted(rows, key=lambda row: row.partition(",")[0])]) + "\n")


def convert(folder: Path, name: str = "out", options: Options | None = None, inputs: Path | None = None, **how):
    return convert_tables([inputs or folder / "in"], folder / "t.toml", folder / name, options, **how)


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the test's persons in each."""
    for module in (text, keys, sorting):
        monkeypatch.setattr(module, "MARKED", 1)
    monkeypatch.setattr(grouping, "PIECE", 12)


def checkpoints_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_EVERY", 0.0)


def scratch(folder: Path) -> list[str]:
    return [name for name in everything(folder) if "/." in f"/{name}"]


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


@pytest.mark.parametrize("options", KINDS)
def test_the_number_of_processes_does_not_show(folder, options, monkeypatch):
    write(folder, 7, bad=True)
    small_pieces(monkeypatch)
    convert(folder, "one", options)
    convert(folder, "three", options, jobs=3)
    assert everything(folder / "one") == everything(folder / "three")
    assert not scratch(folder / "three")


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize(("after", "jobs"), [(0, 1), (1, 1), (2, 2)])
def test_an_interrupted_run_goes_on_to_the_same_bytes(folder, options, after, jobs, monkeypatch):
    write(folder, 7, bad=True)
    small_pieces(monkeypatch)
    checkpoints_always(monkeypatch)
    convert(folder, "whole", options)

    def interrupt(tally, rows):
        if tally.persons >= 2 * after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(folder, "broken", options, progress=interrupt, jobs=jobs)
    with pytest.raises(NothingToResume, match="other tables"):
        convert_tables([folder / "in"], _other(folder), folder / "broken", options, resume=True)
    convert(folder, "broken", options, resume=True)
    assert everything(folder / "broken") == everything(folder / "whole")
    assert not scratch(folder / "broken")


def test_there_is_nothing_to_resume_where_no_run_was_interrupted(folder):
    with pytest.raises(NothingToResume, match="no interrupted run"):
        convert(folder, resume=True)
    assert not scratch(folder / "out")


def test_after_a_checkpoint_nothing_before_it_is_done_again(folder, monkeypatch):
    small_pieces(monkeypatch)
    checkpoints_always(monkeypatch)

    def interrupt(tally, rows):
        while json.loads((folder / "out" / ".casefhir-progress.json").read_bytes())["tally"]["persons"] < 2:
            time.sleep(0.01)  # it is made beside the work
        raise KeyboardInterrupt

    write(folder, 60)
    with pytest.raises(KeyboardInterrupt):
        convert(folder, progress=interrupt)
    before = (folder / "out" / ".casefhir-progress.json").read_bytes()
    seen = []
    convert(folder, resume=True, progress=lambda tally, _: seen.append(tally.persons))
    assert seen[0] == json.loads(before)["tally"]["persons"] + 2


@pytest.mark.parametrize("options", [Options(), Options(compression="gzip"), Options(form="collection")])
def test_a_worker_that_is_killed_loses_nothing(folder, options, monkeypatch):
    write(folder, 60, bad=True)
    small_pieces(monkeypatch)
    checkpoints_always(monkeypatch)
    convert(folder, "whole", options)

    def kill(tally, rows):
        if tally.persons >= 8:
            for each in multiprocessing.active_children()[:1]:
                each.kill()

    with pytest.raises(WorkerDied, match="--resume"):
        convert(folder, "broken", options, jobs=2, progress=kill)
    convert(folder, "broken", options, jobs=2, resume=True)
    assert everything(folder / "broken") == everything(folder / "whole")
    assert not scratch(folder / "broken")


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.thorough
def test_a_run_that_is_killed_leaves_no_process_and_loses_nothing(folder, resume, monkeypatch):
    write(folder, 60, bad=True)
    small_pieces(monkeypatch)
    convert(folder, "whole")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert scratch(folder / "broken")
    convert(folder, "broken", resume=resume)  # its processes still hold the folder if one of them goes on
    assert everything(folder / "broken") == everything(folder / "whole")
    assert not scratch(folder / "broken")


KILLED = """
import os, signal, sys
from pathlib import Path
from casefhir.sources.tables import grouping, keys, sorting
from casefhir.sources.tables.readers import text
from casefhir.tables import checkpoints, convert_tables

def kill(tally, rows):
    if tally.persons >= 20:
        os.kill(os.getpid(), signal.SIGKILL)

text.MARKED = keys.MARKED = sorting.MARKED = 1
grouping.PIECE = 12
checkpoints._EVERY = 0.0
folder = Path(sys.argv[1])
convert_tables([folder / "in"], folder / "t.toml", folder / "broken", jobs=2, progress=kill)
"""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.thorough
def test_a_full_disk_is_told_and_nothing_is_lost(folder, jobs):
    """No file may be larger than half of what the run writes into the largest: that is how a full disk looks."""
    write(folder, 300)
    by_key(folder)
    convert(folder, "whole")
    half = (folder / "whole" / "Observation.ndjson").stat().st_size // 2
    command = ["convert", str(folder / "in"), "--mapping", str(folder / "t.toml"), "-o", str(folder / "broken")]
    done = subprocess.run(
        [sys.executable, "-m", "casefhir", *command, "--as", "ndjson", "--jobs", str(jobs)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (half, half)),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 3
    said = done.stderr.splitlines()[-1]
    assert "Observation" in said
    assert "File too large" in said
    assert "go on with --resume" in said
    convert(folder, "broken", resume=True)
    assert everything(folder / "broken") == everything(folder / "whole")


def test_two_runs_do_not_write_into_one_folder(folder):
    def second(tally, rows):
        with pytest.raises(InUse, match="Another run"):
            convert(folder)

    convert(folder, progress=second)


def test_a_run_waits_for_the_processes_of_one_that_was_killed(folder, monkeypatch):
    monkeypatch.setattr(solitude, "_PATIENCE", 0.0)
    with subprocess.Popen([sys.executable, "-c", ""]) as killed:
        pass
    (folder / "out").mkdir()
    (folder / "out" / solitude._LOCK).write_text(str(killed.pid))
    held = solitude.hold(folder / "out")
    threading.Timer(0.3, held.close).start()
    convert(folder)
    assert not scratch(folder / "out")


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


@pytest.mark.parametrize("form", ["ndjson", "collection"])
def test_findings_on_what_is_written_lead_to_their_rows(folder, form):
    labs = (folder / "in" / "labs.csv").read_text()
    (folder / "in" / "labs.csv").write_text(labs.replace("p2,1,2012-01-01,CK,21.0", "p2,1,1912-01-01,CK,21.0"))
    tally = convert(folder, options=Options(form=form))
    ((severity, rule, _),) = tally.findings
    (line,) = (folder / "out" / "index" / "findings.ndjson").read_text().splitlines()
    found = json.loads(line)
    assert (found["severity"], found["rule"]) == (severity, rule)
    assert found["resource"].startswith("Observation/")
    row = labs.splitlines().index("p2,1,2012-01-01,CK,21.0,U/l") + 1
    assert found["rows"] == [{"file": "labs.csv", "rule": "lab", "row": row}]
    write(folder, 7)
    convert(folder, options=Options(form=form))
    assert not (folder / "out" / "index" / "findings.ndjson").exists()


def test_a_table_without_rows_is_told_too(folder):
    (folder / "in" / "labs.csv").write_text("id,no,date,test,value,unit\n")
    convert(folder)
    rows = json.loads((folder / "out" / "manifest.json").read_text())["rows"]
    assert rows["labs"] == {"converted": 0, "filtered": 0, "read": 0, "rejected": 0}


def test_test_data_is_marked_as_asked(folder):
    convert(folder, "real", Options(test_data=False))
    assert b"HTEST" not in (folder / "real" / "Patient.ndjson").read_bytes()
    assert load_mapping(folder / "t.toml").mapping.test_data


def test_bundles_of_persons_who_are_gone_from_the_tables_go_too(folder):
    own = folder / "out" / "t-notes.json"
    convert(folder, options=Options(form="transaction"))
    own.write_text("{}")
    write(folder, 5)
    convert(folder, options=Options(form="transaction"))
    convert(folder, "fresh", Options(form="transaction"))
    assert own.read_text() == "{}"  # nobody's but the user's
    own.unlink()
    assert everything(folder / "out") == everything(folder / "fresh")
    convert(folder)
    convert(folder, "lines")
    assert everything(folder / "out") == everything(folder / "lines")
