"""The same conversion on Spark: what it writes is what the local engine writes, whatever becomes of its workers."""

import csv
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from casefhir import spark
from casefhir.cli import main
from casefhir.sources.tables.load import MappingError
from casefhir.sources.tables.rows import TableError
from casefhir.spark import NotOnSpark
from casefhir.tables import Options, Tally, convert_tables
from casefhir.tables.making import Maker

pytestmark = pytest.mark.java
PERSONS = 240
MAPPING = """
casefhir = 1
name = "t"
title = "A test registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
test_data = true
[tables.people]
key = ["site", "id"]
[tables.visits]
key = ["site", "id"]
[tables.labs]
through = "visits"
via = { visit = "visit" }
where = "test != 'skip'"
[person]
table = "people"
sex = "sex"
birth_date = "born"
[[visit]]
name = "visit"
table = "visits"
key = ["visit"]
when = "date"
[[measurement]]
name = "lab"
table = "labs"
key = ["no"]
when = "date"
concept = "test"
text = { expr = "test + ' in serum'" }
value = "value"
unit = "unit"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Persons told by two columns; labs that lead to them by their visit; rows that fail in every way."""
    people, visits, labs = ["site,id,sex,born"], ["site,id,visit,date"], ["visit,no,date,test,value,unit"]
    for person in range(PERSONS):
        people.append(f"S{person % 3},{person},{'FM'[person % 2]},{1940 + person % 60}")
        visits += [f" S{person % 3} ,{person},V{person}-{no},2012-0{no}-01" for no in (1, 2)]
        labs += [f"V{person}-{1 + no % 2},{no},2012-03-0{no},CK,{person}{no}.0,U/l" for no in range(1, 5)]
        labs.append(f"V{person}-1,9,2012-01-01,skip,1,U/l")
    labs[3] = "V0-1,3,2012-02-31,CK,3,U/l"  # no such day
    labs[8] = 'V1-1,3,2012-02-30,CK,"a ""b"", c",U/l'
    labs += ["V999-1,1,2012-03-01,CK,3,U/l", " ,1,2012-03-01,CK,3,U/l"]  # of nobody
    visits.append(",7,V7-3,2012-09-01")
    found = tmp_path_factory.mktemp("registry")
    (found / "in").mkdir()
    for name, rows in {"people": people, "visits": visits, "labs": labs}.items():
        (found / "in" / f"{name}.csv").write_text("\n".join(rows) + "\n")
    (found / "t.toml").write_text(MAPPING)
    return found


@pytest.fixture(scope="module")
def local(folder: Path) -> tuple[Path, Tally]:
    out = folder / "local"
    return out, convert_tables([folder / "in"], folder / "t.toml", out)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster on this machine: two executors, each a process of its own with Python workers of its own."""
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    java = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # for a short life
    patch = pytest.MonkeyPatch()
    patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    patch.setenv("SPARK_SUBMIT_OPTS", java)
    patch.setenv("SPARK_WORKER_DIR", str(scratch / "work"))
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.executor.extraJavaOptions": java,
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").config(map=settings)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("OFF")
    yield found
    found.stop()
    patch.undo()


def lines(out: Path, pattern: str = "**/*.ndjson") -> dict[str, Counter[bytes]]:
    """The lines of a folder's files by their names without the number of the part."""
    found: dict[str, Counter[bytes]] = {}
    for each in out.glob(pattern):
        found.setdefault(each.name.split(".")[0], Counter()).update(each.read_bytes().splitlines())
    return found


def rejects(out: Path) -> dict[str, Counter[bytes]]:
    return {
        str(each.relative_to(out)): Counter(each.read_bytes().splitlines()) for each in out.glob("rejects/**/*.csv")
    }


def same(out: Path, tally: Tally, local: tuple[Path, Tally]) -> None:
    assert lines(out) == lines(local[0])
    assert rejects(out) == rejects(local[0])
    assert tally.to_json() == local[1].to_json()
    manifests = [json.loads((each / "manifest.json").read_bytes()) for each in (out, local[0])]
    assert {**manifests[0], "files": []} == {**manifests[1], "files": []}
    files = {str(each.relative_to(out)) for each in out.rglob("*") if each.is_file()}
    assert files == {*manifests[0]["files"], "manifest.json"}


def test_the_example_fails_in_every_way_it_should(local):
    _, tally = local
    assert tally.persons == PERSONS
    assert {name: counts["rejected"] for name, counts in tally.rows.items()} == {"people": 0, "visits": 1, "labs": 4}
    assert not tally.unaccounted()


def test_files_become_what_the_local_engine_makes_of_them(session, folder, local):
    out = folder / "files"
    tally = spark.convert_files([folder / "in"], folder / "t.toml", out, partitions=3)
    same(out, tally, local)
    assert len([*out.glob("Observation.*.ndjson")]) == 3


def test_the_command_leaves_nothing_of_an_earlier_run_and_rejects_ragged_rows(session, folder):
    inputs = shutil.copytree(folder / "in", folder / "ragged")
    with (inputs / "labs.csv").open("a") as stream:
        stream.write("V5-1,12,2012-03-01,CK,3,U/l,one more\nV6-1\n")
    local = folder / "ragged-local"
    theirs = convert_tables([inputs], folder / "t.toml", local)
    assert theirs.rows["labs"]["rejected"] == 6
    out = folder / "ragged-spark"
    out.mkdir()
    (out / "Old.ndjson").write_text("{}\n")
    (out / "manifest.json").write_text('{"files": ["Old.ndjson"]}')
    done = CliRunner().invoke(
        main,
        f"convert {inputs} --mapping {folder / 't.toml'} --engine spark --as ndjson -o {out} --json".split(),
    )
    assert done.exit_code == 3, done.output
    same(out, Tally.from_json(json.loads(done.stdout)), (local, theirs))


def test_rejects_of_hidden_data_stand_apart(session, folder):
    mapping = folder / "hidden.toml"
    mapping.write_text(MAPPING + '[privacy]\ndrop = ["labs.note*"]\n')
    tally = spark.convert_files([folder / "in"], mapping, folder / "hidden")
    assert tally.total_rejected
    assert not list((folder / "hidden").rglob("*.csv"))
    theirs = folder / "hidden-local"
    convert_tables([folder / "in"], mapping, theirs)
    found, expected = (
        {str(each.relative_to(out)): Counter(each.read_bytes().splitlines()) for each in out.rglob("*.csv")}
        for out in (folder / "hidden-rejects", folder / "hidden-local-rejects")
    )
    assert found == expected
    assert not (folder / "hidden-rejects" / ".casefhir-spark").exists()


def test_a_killed_worker_changes_nothing(session, folder, local, monkeypatch):
    """The first worker that comes to its second piece of work is killed, having handed over what the first became."""
    flag, out = folder / "killed", folder / "survived"

    def dying(shared: Any) -> Any:
        job, done = shared.value, []
        maker = Maker(job.mapping, job.sheets, job.lookups, job.options)

        def make(chunk: Any) -> Any:
            if done:
                try:
                    os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    pass
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
            done.append(chunk)
            return maker(chunk)

        return make

    monkeypatch.setattr(spark.work, "_maker", dying)
    tally = spark.convert_files([folder / "in"], folder / "t.toml", out, partitions=2)
    assert flag.exists()
    same(out, tally, local)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_of_sparks_become_the_same(session, folder, local, form):
    tables = {}
    for name in ("people", "visits", "labs"):
        read = session.read.csv(str(folder / "in" / f"{name}.csv"), header=True, escape='"')
        if form == "parquet":
            path = str(folder / f"{name}.parquet")
            read.repartition(2).write.parquet(path)
            read = session.read.parquet(path)
        tables[name] = read
    made = spark.convert({**tables, "unknown": tables["labs"]}, folder / "t.toml")
    out = folder / form
    made.write.partitionBy("name").text(str(out))
    found: dict[str, Counter[str]] = {}
    for each in out.glob("name=*/part-*"):
        name = each.parent.name.removeprefix("name=").replace("%2F", "/")
        found.setdefault(name, Counter()).update(each.read_text().splitlines())
    tally = Tally()
    for line in found.pop("tally").elements():
        tally.add(Tally.from_json(json.loads(line)))
    assert tally.to_json() == local[1].to_json()
    places = found.pop("index/resources.ndjson")
    assert places.total() == lines(local[0], "index/*.ndjson")["resources"].total()
    theirs = {f"{kind}.ndjson": whole for kind, whole in lines(local[0], "*.ndjson").items()}
    assert nameless(found.pop("Provenance.ndjson")) == nameless(theirs.pop("Provenance.ndjson"))
    for kind, whole in theirs.items():
        assert Counter({line.encode(): count for line, count in found.pop(kind).items()}) == whole, kind
    assert {*found} == {*rejects(local[0])}
    for name, rows in found.items():
        header, *whole = csv.reader((local[0] / name).read_text().splitlines())
        known = [place for place, column in enumerate(header) if column not in ("casefhir_file", "casefhir_row")]
        ours = [next(csv.reader([json.loads(line)])) for line in rows.elements()]
        assert sorted([row[place] for place in known] for row in ours) == sorted(
            [row[place] for place in known] for row in whole
        )


def nameless(provenances: Counter[Any]) -> Counter[str]:
    """Without what comes from the names of files, which Spark's tables have none of."""
    found: Counter[str] = Counter()
    for line, count in provenances.items():
        resource = json.loads(line)
        del resource["id"]
        found[json.dumps(resource).replace(".csv", "")] += count
    return found


def test_a_row_that_leads_to_two_persons_is_rejected(session, folder):
    people = session.createDataFrame(
        [("S", "1", "F", "1950"), ("S", "2", "M", "1960")], "site string, id string, sex string, born string"
    )
    visits = session.createDataFrame(
        [("S", "1", "V1", "2012"), ("S", "2", "V1", "2012")], "site string, id string, visit string, date string"
    )
    labs = session.createDataFrame(
        [("V1", "1", "2012", "CK", "3", "U/l")],
        "visit string, no string, date string, test string, value string, unit string",
    )
    made = spark.convert({"people": people, "visits": visits, "labs": labs}, folder / "t.toml").collect()
    assert not [each for each in made if each.name == "Observation.ndjson" and "serum" in each.line]
    (line,) = [each.line for each in made if each.name == "rejects/labs.csv"]
    assert "The row leads to two persons by table 'visits'" in line


def test_keys_that_a_program_wrote_as_floats_are_the_same_persons(session):
    person = session.createDataFrame(
        [("1.0", "8532.0", "1970.0")], "person_id string, gender_concept_id string, year_of_birth string"
    )
    events = session.createDataFrame(
        [("7.0", "1", "11", "2012", "Myositis")],
        "condition_occurrence_id string, person_id string, condition_concept_id string, condition_start_date string,"
        "condition_source_value string",
    )
    made = spark.convert({"person": person, "condition_occurrence": events}, "omop").collect()
    (patient,) = [json.loads(each.line) for each in made if each.name == "Patient.ndjson"]
    (problem,) = [json.loads(each.line) for each in made if each.name == "Condition.ndjson"]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1970")
    assert problem["identifier"][0]["value"] == "omop-1/Condition/condition.7"


def test_numbers_of_typed_columns_are_numbers_beside_texts_with_commas(session, tmp_path):
    (tmp_path / "t.toml").write_text(
        'casefhir = 1\nname = "r"\ntitle = "R"\nversion = "1"\nrecorded = "2026-01-01T00:00:00Z"\n[reading]\n'
        'decimal = ","\nthousands = "."\n[tables.lab]\nkey = ["id"]\n[person]\ntable = "lab"\n[[measurement]]\n'
        'name = "m"\ntable = "lab"\nkey = ["id"]\nvalue = "{column}"\ntext = { const = "{column}" }\n'
        'each = [{ name = "a", column = "typed" }, { name = "b", column = "words" }]\n'
    )
    lab = session.createDataFrame([("1", 1.144, "1.144")], "id string, typed double, words string")
    made = spark.convert({"lab": lab}, tmp_path / "t.toml").collect()
    told = [json.loads(each.line) for each in made if each.name == "Observation.ndjson"]
    assert {each["code"]["text"]: each["valueQuantity"]["value"] for each in told} == {"typed": 1.144, "words": 1144}


def test_what_is_not_there_is_told(session, folder):
    frame = session.createDataFrame([("1",)], "id string")
    with pytest.raises(TableError, match=r"not there: visits, labs; given are people"):
        spark.convert({"people": frame}, folder / "t.toml")
    with pytest.raises(TableError, match=r"Table 'people': The key column 'site' is not there; the columns are id"):
        spark.convert(dict.fromkeys(("people", "visits", "labs"), frame), folder / "t.toml")


def test_a_mapping_that_does_not_fit_is_told_before_any_worker_begins(session, folder):
    tables = {
        name: session.read.csv(str(folder / "in" / f"{name}.csv"), header=True) for name in ("people", "visits", "labs")
    }
    tables["people"] = tables["people"].withColumnRenamed("sex", "gender")
    with pytest.raises(MappingError, match=r"person: table 'people' has no column 'sex'"):
        spark.convert(tables, folder / "t.toml")


def test_a_table_alone_will_do_where_the_mapping_needs_one_alone(session, folder):
    frame = session.createDataFrame([("1", "female")], "patient string, sex string")
    made = {each.name for each in spark.convert(frame, "registry").collect()}
    assert "Patient.ndjson" in made
    with pytest.raises(
        TableError, match=r"several tables; give each by its name: \{'people': …, 'visits': …, 'labs': …\}"
    ):
        spark.convert(frame, folder / "t.toml")


@pytest.mark.parametrize(
    "options", [Options(form="collection"), Options(on_error="halt"), Options(compression="gzip"), Options(part_size=9)]
)
def test_what_spark_does_not_do_is_refused(folder, options):
    with pytest.raises(NotOnSpark, match="or use the local engine"):
        spark.convert_files([folder / "in"], folder / "t.toml", folder / "refused", options)
