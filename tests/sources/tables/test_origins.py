"""Every row that gave a fact words is named, and no other."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Cells, Course, Measurement, Words, cells_of
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.plan import Mapped
from casefhir.sources.tables.tracing import Origin, trace
from casefhir.tables import Options, convert_tables
from tests.sources.tables.tables import HEAD, PERSON, one
from tests.thorough import examples

PRESSURE = (
    PERSON
    + """
[tables.vs]
key = ["ID"]
derive = { READING = "V + '/' + POS" }
[[measurement]]
name = "bp"
table = "vs"
where = "TEST == 'SYS' || TEST == 'DIA'"
key = ["READING"]
distinct = true
when = "DAY"
concept = { const = "blood-pressure" }
[[measurement.components]]
concept = { const = "systolic-blood-pressure" }
value = { table = "vs", column = "RES", on = { READING = "READING" }, where = "TEST == 'SYS'" }
unit = { const = "mmHg" }
[[measurement.components]]
concept = { const = "diastolic-blood-pressure" }
value = { table = "vs", column = "RES", on = { READING = "READING" }, where = "TEST == 'DIA'" }
unit = { const = "mmHg" }
"""
)
READINGS = [
    {"ID": "1", "V": "1", "POS": "SIT", "TEST": "SYS", "RES": "120", "DAY": "2012-01-01"},
    {"ID": "1", "V": "1", "POS": "SIT", "TEST": "DIA", "RES": "80", "DAY": "2012-01-01"},
    {"ID": "1", "V": "2", "POS": "SIT", "TEST": "DIA", "RES": "85", "DAY": "2012-02-01"},
    {"ID": "1", "V": "2", "POS": "SIT", "TEST": "SYS", "RES": "130", "DAY": "2012-02-01"},
]
DM = [{"ID": "1", "SEX": "F"}]
DEATH = 'deceased_date = { table = "death", column = "DAY" }\n[tables.death]\nkey = ["ID"]\n'


def others(found: Mapped, key: str) -> list[tuple[str, int, tuple[str, ...]]]:
    """The rows beside its own that the fact is traced to; in the record the same as in what becomes the index."""
    assert found.case is not None
    given = found.given.get(key, ())
    assert cells_of(found.case.by_key[key].source)[1:] == given
    return [(each.table, each.row, each.columns) for each in given]


def test_a_blood_pressure_of_two_rows_names_both() -> None:
    found = one(PRESSURE, {"dm": DM, "vs": READINGS})
    first, second = [fact for fact in found.case.facts if isinstance(fact, Measurement)]
    assert [cells_of(each.source)[0].row for each in (first, second)] == [2, 4]
    assert others(found, first.key) == [("vs", 3, ("RES",))]
    assert others(found, second.key) == [("vs", 5, ("RES",))]


def test_a_fact_of_one_row_is_traced_to_that_row_alone() -> None:
    found = one(PERSON, {"dm": DM})
    assert found.given == {}
    assert isinstance(found.case.person.source, Cells)


LAB = (
    PERSON
    + """
[tables.lb]
key = ["ID"]
[[measurement]]
name = "lab"
table = "lb"
key = ["NO"]
text = "TEST"
value = %s
"""
)


X = 'table = "dm", column = "X"'


@pytest.mark.parametrize(
    ("value", "own", "result", "named"),
    [
        (f"{{ {X} }}", "", "high", True),
        (f'["RES", {{ {X} }}]', "5", "5", False),
        (f'["RES", {{ {X} }}]', "", "high", True),
        (f'[{{ {X} }}, "RES"]', "5", "high", True),
        (f'[{{ {X}, map = {{ high = "" }} }}, "RES"]', "5", "5", False),
        (f'[{{ {X}, map = {{ low = "" }} }}, "RES"]', "5", "5", False),
        (f'[{{ {X}, map = {{ low = "" }} }}, "RES"]', "", "high", True),
        (f'{{ {X}, map = {{ high = "" }}, default = "6" }}', "", "6", False),
    ],
    ids=["alone", "after-own", "own-blank", "before-own", "nothing", "unknown", "unknown-but-alone", "default"],
)
def test_a_row_is_named_only_if_its_words_were_taken(value: str, own: str, result: str, named: bool) -> None:
    labs = [{"ID": "1", "NO": "1", "TEST": "CK", "RES": own}]
    found = one(LAB % value, {"dm": [{**DM[0], "X": "high"}], "lb": labs})
    (fact,) = found.case.facts
    assert isinstance(fact, Measurement)
    assert (fact.value.text if isinstance(fact.value, Words) else str(fact.value.value)) == result
    assert others(found, "lab.1") == ([("dm", 2, ("X",))] if named else [])


def test_several_rows_that_agree_are_named() -> None:
    rows = [{**DM[0], "X": "high"}, {"ID": "1", "SEX": "F", "X": ""}, {"ID": "1", "SEX": "F", "X": "high"}]
    text = LAB % '{ table = "dm", column = "X" }'
    found = one(text, {"dm": rows, "lb": [{"ID": "1", "NO": "1", "TEST": "CK"}]})
    assert others(found, "lab.1") == [("dm", 2, ("X",)), ("dm", 4, ("X",))]


def test_of_many_rows_that_agree_the_first_ten_are_named() -> None:
    rows = [{**DM[0], "X": "high"} for _ in range(40)]
    text = LAB % '{ table = "dm", column = "X" }'
    found = one(text, {"dm": rows, "lb": [{"ID": "1", "NO": "1", "TEST": "CK"}]})
    assert others(found, "lab.1") == [("dm", row, ("X",)) for row in range(2, 12)]


def test_rows_asked_only_whether_the_rule_is_for_a_row_gave_it_nothing() -> None:
    text = LAB % '"RES"' + 'unless = { table = "dm", column = "X" }\n'
    labs = [{"ID": "1", "NO": "1", "TEST": "CK", "RES": "5"}]
    assert one(text, {"dm": [{**DM[0], "X": ""}], "lb": labs}).given == {}


def test_supplemental_words_name_their_rows() -> None:
    text = (
        PERSON
        + """
[tables.mh]
key = ["ID"]
[tables.supp]
key = ["ID"]
[[problem]]
name = "mh"
table = "mh"
key = ["SEQ"]
text = "TERM"
notes = [{ table = "supp", label = "LABEL", column = "VAL", names = "VAR", value = "VARVAL" }]
"""
    )
    supp = [
        {"ID": "1", "VAR": "SEQ", "VARVAL": number, "LABEL": "Side", "VAL": words}
        for number, words in (("2", "left"), ("1", "right"), ("1", ""), ("1", "below"))
    ]
    mh = [{"ID": "1", "SEQ": "1", "TERM": "Rash"}, {"ID": "1", "SEQ": "2", "TERM": "Cough"}]
    found = one(text, {"dm": DM, "mh": mh, "supp": supp})
    assert others(found, "mh.1") == [("supp", 3, ("LABEL", "VAL")), ("supp", 5, ("LABEL", "VAL"))]
    assert others(found, "mh.2") == [("supp", 2, ("LABEL", "VAL"))]


def test_a_person_of_several_rows_names_those_that_tell_something_new() -> None:
    text = (
        PERSON
        + 'birth_date = "BORN"\ndeceased_date = { table = "death", column = "DAY" }\n[tables.death]\nkey = ["ID"]\n'
    )
    rows = [
        {"ID": "1", "SEX": "F", "BORN": ""},
        {"ID": "1", "SEX": "F", "BORN": ""},
        {"ID": "1", "SEX": "", "BORN": "1950"},
    ]
    found = one(text, {"dm": rows, "death": [{"ID": "1", "DAY": "2020-01-02"}]})
    assert others(found, "subject") == [("dm", 4, ("SEX", "BORN")), ("death", 2, ("DAY",))]


EVENT = (
    PERSON
    + """
[tables.tr]
key = ["ID"]
[tables.ae]
key = ["ID"]
[[course]]
name = "drug"
table = "tr"
key = ["NO"]
text = "DRUG"
[[adverse_event]]
name = "ae"
table = "ae"
key = ["NO"]
text = "TERM"
action = "ACTION"
suspects = [{ rule = "drug", key = ["OF"], causality = "CAUSE" }]
"""
)


def test_a_course_that_an_event_ended_names_the_row_of_the_event() -> None:
    events = [{"ID": "1", "NO": "1", "TERM": "Rash", "OF": "1", "ACTION": "DRUG WITHDRAWN", "CAUSE": "PROBABLE"}]
    found = one(EVENT, {"dm": DM, "tr": [{"ID": "1", "NO": "1", "DRUG": "Azathioprine"}], "ae": events})
    (course,) = [fact for fact in found.case.facts if isinstance(fact, Course)]
    assert course.status == "stopped"
    ((table, row, columns),) = others(found, course.key)
    assert (table, row) == ("ae", 2)
    assert {"TERM", "ACTION"} <= {*columns}
    assert others(found, "ae.1") == []


def test_an_event_whose_note_calls_a_drug_by_name_names_the_row_of_the_drug() -> None:
    events = [{"ID": "1", "NO": "1", "TERM": "Rash", "OF": "1", "ACTION": "", "CAUSE": "NOT RELATED"}]
    found = one(EVENT, {"dm": DM, "tr": [{"ID": "1", "NO": "1", "DRUG": "Azathioprine"}], "ae": events})
    for key in ("ae.1", "ae.1.condition"):
        assert [each[:2] for each in others(found, key)] == [("tr", 2)]


def test_the_row_by_which_a_table_leads_to_the_person_is_named() -> None:
    text = (
        PERSON
        + """
[tables.visits]
key = ["ID"]
[tables.labs]
through = "visits"
via = { VISIT = "V" }
[[measurement]]
name = "lab"
table = "labs"
key = ["NO"]
text = "TEST"
value = "RES"
"""
    )
    labs = [
        {"ID": "1", "V": each, "NO": number, "TEST": "CK", "RES": "5"} for number, each in (("1", "b"), ("2", " a"))
    ]
    visits = [{"ID": "1", "VISIT": "a"}, {"ID": "1", "VISIT": "b"}]
    found = one(text, {"dm": DM, "visits": visits, "labs": labs})
    assert others(found, "lab.1") == [("visits", 3, ("VISIT",))]
    assert others(found, "lab.2") == [("visits", 2, ("VISIT",))]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(50, 250), st.booleans()), max_size=12), st.randoms())
@examples(100)
def test_each_number_of_a_pressure_stands_in_a_cell_that_is_named(drawn: list[tuple[int, int, bool]], random) -> None:
    readings = [
        {"ID": "1", "V": str(visit), "POS": "SIT", "TEST": "SYS" if upper else "DIA", "RES": str(value), "DAY": "2012"}
        for visit, value, upper in {(visit, upper): (visit, value, upper) for visit, value, upper in drawn}.values()
    ]
    random.shuffle(readings)
    tables = {"dm": DM, "vs": readings or [dict.fromkeys(READINGS[0], "") | {"ID": "1"}]}
    found = one(PRESSURE, tables)
    for fact in found.case.facts:
        assert isinstance(fact, Measurement)
        named = {tables["vs"][each.row - 2]["RES"] for each in cells_of(fact.source)}
        assert named == {str(part.value.value) for part in fact.components}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "t.toml").write_text(HEAD + PRESSURE)
    (tmp_path / "in" / "dm.csv").write_text("ID,SEX\n1,F\n2,M\n")
    lines = [",".join(each.values()) for each in READINGS]
    lines += ["2" + line[1:] for line in lines[:3]]
    (tmp_path / "in" / "vs.csv").write_text("\n".join([",".join(READINGS[0]), *lines]) + "\n")
    return tmp_path


COLUMNS = ["V", "POS", "DAY", "RES", "TEST"]


def index(out: Path) -> dict[tuple[str, str], dict]:
    """The index of a run, by case and fact, without what is alike in all lines."""
    if (out / "index" / "resources.ndjson").exists():
        lines = [json.loads(line) for line in (out / "index" / "resources.ndjson").read_bytes().splitlines()]
    else:
        lines = [
            {"case": path.stem, **entry}
            for path in (out / "index").glob("t-*.json")
            for entry in json.loads(path.read_bytes()).values()
            if "row" in entry
        ]
    return {(each.pop("case"), each.pop("fact")): each for each in lines if each.pop("resource")}


@pytest.mark.parametrize("form", ["ndjson", "transaction"])
def test_the_index_names_every_row_with_its_columns(folder: Path, form: str) -> None:
    convert_tables([folder / "in"], folder / "t.toml", folder / "out", Options(form=form))
    found = {fact: place for (case, fact), place in index(folder / "out").items() if case == "t-1"}
    pressures = [place for fact, place in sorted(found.items()) if fact.startswith("bp.")]
    for place, row in zip(pressures, (2, 4), strict=True):
        assert {*place.pop("columns")} == {*COLUMNS}
        assert place == {
            "file": "vs.csv",
            "rule": "bp",
            "row": row,
            "also": [{"file": "vs.csv", "row": row + 1, "columns": ["RES"]}],
        }
    assert found["subject"] == {"file": "dm.csv", "rule": "person", "row": 2}


@pytest.mark.parametrize("form", ["ndjson", "transaction"])
def test_a_finding_on_a_fact_of_several_rows_names_them(folder: Path, form: str) -> None:
    table = folder / "in" / "vs.csv"
    table.write_text(table.read_text().replace(",130,", ",990,"))
    convert_tables([folder / "in"], folder / "t.toml", folder / "out", Options(form=form))
    (line,) = (folder / "out" / "index" / "findings.ndjson").read_text().splitlines()
    assert json.loads(line)["rows"] == [{"file": "vs.csv", "rule": "bp", "row": row} for row in (4, 5)]


def test_two_processes_name_the_same_rows(folder: Path) -> None:
    for jobs in (1, 2):
        convert_tables([folder / "in"], folder / "t.toml", folder / f"out-{jobs}", Options(form="ndjson"), jobs=jobs)
    one, two = ((folder / f"out-{jobs}" / "index" / "resources.ndjson").read_bytes() for jobs in (1, 2))
    assert one == two


def test_provenance_of_each_file_has_what_was_made_with_its_rows(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(HEAD + PERSON + DEATH)
    (tmp_path / "dm.csv").write_text("ID,SEX\n1,F\n2,M\n")
    (tmp_path / "death.csv").write_text("ID,DAY\n1,2020-01-02\n")
    for form in ("ndjson", "collection"):
        convert_tables([tmp_path / "dm.csv", tmp_path / "death.csv"], tmp_path / "t.toml", tmp_path / form,
                       Options(form=form))  # fmt: skip
    lines = (tmp_path / "ndjson" / "Provenance.ndjson").read_text().splitlines()
    made = [(each["entity"][0]["what"]["display"], each["target"]) for each in map(json.loads, lines)]
    (patient, other) = sorted({target["reference"] for _, (target,) in made})
    assert sorted(file for file, _ in made) == ["death.csv", "dm.csv", "dm.csv"]
    (dead,) = [targets[0]["reference"] for file, targets in made if file == "death.csv"]
    assert dead in (patient, other)
    bundle = json.loads((tmp_path / "collection" / "t-1.json").read_bytes())
    of_bundle = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "Provenance"]
    assert [each["entity"][0]["what"]["display"] for each in of_bundle] == ["dm.csv", "death.csv"]
    assert of_bundle[0]["target"] == of_bundle[1]["target"]


def test_explain_leads_to_the_other_rows_and_back_from_them(folder: Path) -> None:
    mapping = load_mapping(folder / "t.toml")
    own, other = (trace(mapping, [folder / "in"], "vs", row) for row in (2, 3))
    (key,) = own.facts
    assert own.others == {key: (Origin("vs.csv", 3, ("RES",)),)}
    assert own.gave == {}
    assert (other.facts, other.others, other.gave) == ({}, {}, {key: "bp"})
    assert own.passed_over == other.passed_over == ()


def test_explain_says_of_which_fact_a_row_tells_again(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(HEAD + LAB % '"RES"' + "distinct = true\n")
    (tmp_path / "dm.csv").write_text("ID,SEX\n1,F\n")
    (tmp_path / "lb.csv").write_text("ID,NO,TEST,RES\n1,1,CK,5\n1,1,CK,5\n")
    found = trace(load_mapping(tmp_path / "t.toml"), [tmp_path / "dm.csv", tmp_path / "lb.csv"], "lb", 3)
    assert (found.facts, found.gave, found.repeats, found.passed_over) == ({}, {}, {"lab.1": "lab"}, ())
