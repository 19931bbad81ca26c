"""An export of REDCap's labels is read by the data dictionary as the export of raw values is; what a label may mean is
never guessed.
"""

import csv
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables.check import check_mapping
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.redcap import Dictionary, plain
from casefhir.sources.tables.rows import TableError
from casefhir.tables import Options, Tally, convert_tables
from tests.thorough import examples

HEADINGS = (
    "Variable / Field Name", "Form Name", "Field Type", "Field Label", "Choices, Calculations, OR Slider Labels",
    "Identifier?",
)  # fmt: skip
FIELDS = [
    ("study_id", "basics", "text", "Study ID", "", ""),
    ("name", "basics", "text", "Name", "", "y"),
    ("sex", "basics", "radio", "Sex", "1, Female | 2, Male", ""),
    ("smoker", "basics", "yesno", "Ever smoked?", "", ""),
    (
        "skin",
        "basics",
        "checkbox",
        'Skin <b>signs</b>\n("all")',
        "1, Heliotrope rash | OTH, Other (tell, please) | -9, None of it",
        "",
    ),
    ("dob", "basics", "text", "Date of birth", "", "y"),
    ("hint", "basics", "descriptive", "Read this", "", ""),
    ("grade", "lab_results", "dropdown", "Weakness", "0, None | 1, Mild &amp; rare | 2, Severe", ""),
    ("ck", "lab_results", "text", "CK", "", ""),
    ("seen", "lab_results", "text", "Date", "", ""),
]
RAW = [
    "study_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,name,sex,smoker,skin___1,skin___oth,skin____9,dob,"
    "basics_complete,grade,ck,seen,lab_results_complete",
    "1,,,,Ann Invented,1,0,1,0,0,1970-02-03,2,,,,",
    "1,,lab_results,1,,,,,,,,,2,120,2021-02-03,0",
    "1,,lab_results,2,,,,,,,,,0,<20,2021-03-03,1",
    "2,,,,Bob Invented,2,1,1,1,1,1971-01-01,2,,,,",
]
LABELS = [
    "Study ID,Event Name,Repeat Instrument,Repeat Instance,Name,Sex,Ever smoked?,"
    "\"Skin signs ('all') (choice=Heliotrope rash)\",\"Skin signs ('all')  (choice=Other (tell, please))\","
    "Skin signs ('all') (choice=None of it),"
    "Date of birth,Complete?,Weakness,CK,Date,Complete?",
    "1,,,,Ann Invented,Female,No,Checked,Unchecked,Unchecked,1970-02-03,Complete,,,,",
    "1,,Lab Results,1,,,,,,,,,Severe,120,2021-02-03,Incomplete",
    "1,,Lab Results,2,,,,,,,,,None,<20,2021-03-03,Unverified",
    "2,,,,Bob Invented,Male,Yes,Checked,Checked,Checked,1971-01-01,Complete,,,,",
]


def converted(folder: Path, lines: list[str], fields: list[tuple[str, ...]] = FIELDS) -> tuple[Path, Tally]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dictionary.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADINGS, *fields])
    (folder / "records.csv").write_text("\n".join(lines) + "\n")
    return folder / "out", convert_tables([folder], "redcap", folder / "out", Options(test_data=True))


def output(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.suffix in (".ndjson", ".csv")
    }


def test_labels_become_the_same_bytes_as_raw_values(tmp_path: Path) -> None:
    out, tally = converted(tmp_path / "raw", RAW)
    assert tally.resources["Observation"] == 12
    assert not tally.rejected
    told = [json.loads(line) for line in output(out)["Observation.ndjson"].splitlines()]
    ticked = [each["valueCodeableConcept"]["text"] for each in told if each["code"]["text"].startswith("Skin")]
    assert sorted(ticked) == ["Heliotrope rash", "Heliotrope rash", "None of it", "Other (tell, please)"]
    labelled, _ = converted(tmp_path / "labels", LABELS)
    assert output(labelled) == output(out)


def test_no_cell_of_an_identifier_is_shown(tmp_path: Path) -> None:
    converted(tmp_path, LABELS)
    found = check_mapping(load_mapping("redcap"), [tmp_path / "dictionary.csv", tmp_path / "records.csv"])
    columns = found.tables["records"].columns
    assert [name for name in ("study_id", "name", "dob", "ck") if columns[name].masked] == ["study_id", "name", "dob"]
    assert not columns["name"].samples


def test_processes_and_workers_read_labels_too(tmp_path: Path) -> None:
    out, _ = converted(tmp_path, LABELS)
    convert_tables([tmp_path / "dictionary.csv", tmp_path / "records.csv"], "redcap", tmp_path / "two",
                   Options(test_data=True), jobs=2)  # fmt: skip
    assert output(tmp_path / "two") == output(out)
    inputs = [tmp_path / "dictionary.csv", tmp_path / "records.csv"]
    (table,) = open_mapping(load_mapping("redcap"), inputs).keyed
    assert list(pickle.loads(pickle.dumps(table)).read()) == list(table.read())


def test_headers_of_one_kind_go_with_cells_of_the_other(tmp_path: Path) -> None:
    raw = output(converted(tmp_path / "raw", RAW)[0])
    assert output(converted(tmp_path / "1", [RAW[0], *LABELS[1:]])[0]) == raw
    assert output(converted(tmp_path / "2", [LABELS[0], *RAW[1:]])[0]) == raw


def test_choices_that_were_ticked_may_be_told_by_their_label(tmp_path: Path) -> None:
    raw = output(converted(tmp_path / "raw", RAW)[0])
    ticked = [line.replace("No,Checked,Unchecked,Unchecked", "No,Heliotrope rash,,") for line in LABELS]
    told = output(converted(tmp_path / "labels", ticked)[0])
    assert told == raw


def test_a_label_of_two_fields_is_refused_by_name(tmp_path: Path) -> None:
    fields = [*FIELDS[:-1], ("seen", "lab_results", "text", "Date of birth", "", "")]
    lines = [LABELS[0].replace("CK,Date", "Date of birth,CK"), *LABELS[1:]]  # not in the dictionary's order
    with pytest.raises(TableError) as refusal:
        converted(tmp_path, lines, fields)
    assert "records.csv, column 11: 'Date of birth' may be dob or seen by the data dictionary" in str(refusal.value)
    assert "Write the right variable name in its place" in str(refusal.value)
    mended = lines[0].replace("Date of birth,Complete?", "dob,Complete?").replace("Date of birth,CK", "seen,CK")
    _, tally = converted(tmp_path, [mended, *lines[1:]], fields)
    assert tally.persons == 2


def test_in_the_dictionarys_order_no_label_is_in_doubt(tmp_path: Path) -> None:
    fields = [*FIELDS[:-1], ("seen", "lab_results", "text", "Date of birth", "", "")]
    lines = [LABELS[0].replace("CK,Date", "CK,Date of birth"), *LABELS[1:]]
    out, _ = converted(tmp_path / "labels", lines, fields)
    assert output(out) == output(converted(tmp_path / "raw", RAW, fields)[0])
    assert json.loads((out / "Patient.ndjson").read_text().splitlines()[0])["birthDate"] == "1970-02-03"


DATED = [
    ("study_id", "one", "text", "Study ID", "", ""), ("first", "one", "text", "Date", "", ""),
    ("second", "two", "text", "Date", "", ""), ("ck", "two", "text", "CK", "", ""),
    ("third", "three", "text", "Date", "", ""), ("crp", "three", "text", "CK", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Study ID,Date,Complete?", "study_id,first,one_complete"),
        ("Study ID,Survey Timestamp,Date,Complete?", "study_id,column_2_timestamp,first,one_complete"),
        (
            "Study ID,Date,Complete?,Date,CK,Complete?,Date,CK,Complete?",
            "study_id,first,one_complete,second,ck,two_complete,third,crp,three_complete",
        ),
        ("Study ID,Date,CK,Complete?", None),  # of form two or three
        ("Study ID,Date", None),
        ("Study ID,Date,Complete?,Date,CK,Complete?", None),
        ("Study ID,Date,CK,Complete?,Date,CK,Complete?", "study_id,second,ck,two_complete,third,crp,three_complete"),
        ("Study ID,Date,CK,Complete?,Date,Complete?", None),
    ],
)
def test_whole_forms_in_the_dictionarys_order_are_known_by_their_labels(header: str, names: str | None) -> None:
    rows = {(field[0],): field for field in DATED}
    dictionary = Dictionary(Lookup("dictionary.csv", HEADINGS, rows))
    if names is None:
        with pytest.raises(TableError, match="may be"):
            dictionary.columns("records.csv", header.split(","))
    else:
        assert dictionary.columns("records.csv", header.split(",")) == names.split(",")


def test_the_first_form_may_be_another_after_the_records_id() -> None:
    fields = [*DATED, ("fourth", "four", "text", "Date", "", "")]
    dictionary = Dictionary(Lookup("dictionary.csv", HEADINGS, {(field[0],): field for field in fields}))
    with pytest.raises(TableError, match="may be first or second or third or fourth"):
        dictionary.columns("records.csv", ["Study ID", "Date", "Complete?"])


def test_a_label_that_is_another_choices_code_is_read_as_what_the_file_has_elsewhere(tmp_path: Path) -> None:
    fields = [FIELDS[0], ("count", "basics", "radio", "Joints", "1, 0 | 2, 1 | 3, 2", ""), FIELDS[2]]
    labels, _ = converted(tmp_path / "labels", ["Study ID,Joints,Sex", "1,2,Female", "2,1,Male"], fields)
    raw, _ = converted(tmp_path / "raw", ["study_id,count,sex", "1,3,1", "2,2,2"], fields)
    assert output(labels) == output(raw)
    values = [
        json.loads(line)["valueCodeableConcept"]["text"] for line in output(raw)["Observation.ndjson"].splitlines()
    ]
    assert sorted(values) == ["1", "2"]


@pytest.mark.parametrize(("first", "second"), [("1,3,Female", "2,1,2"), ("1,0,", "2,1,2"), ("1,,", "2,1,")])
def test_where_that_cannot_be_told_the_row_is_rejected(tmp_path: Path, first: str, second: str) -> None:
    fields = [FIELDS[0], ("count", "basics", "radio", "Joints", "1, 0 | 2, 1 | 3, 2", ""), FIELDS[2]]
    out, tally = converted(tmp_path, ["Study ID,Joints,Sex", first, second], fields)
    assert tally.total_rejected == 1 + (first == "1,,")  # a row that tells nothing
    (*_, reject) = csv.DictReader((out / "rejects" / "records.csv").open(newline=""))
    assert reject["casefhir_reason"].startswith("In count, '1' may be the choice 1 or 2 by the data dictionary")
    assert (reject["study_id"], reject["count"]) == ("2", "1")


def test_what_the_dictionary_does_not_know_keeps_its_words_and_is_counted(tmp_path: Path) -> None:
    out, tally = converted(tmp_path, ["Study ID,Sex,Ever smoked?,Added later", "1,Female,Perhaps,yes"])
    assert not tally.rejected
    told = {each["code"]["text"]: each for each in map(json.loads, output(out)["Observation.ndjson"].splitlines())}
    assert told["Added later"]["valueCodeableConcept"]["text"] == "yes"
    assert told["Ever smoked?"]["valueCodeableConcept"]["text"] == "Perhaps"
    assert {words for _, _, words in tally.unmapped} >= {"Added later", "Perhaps"}


def test_without_the_dictionary_it_is_said_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text("\n".join(LABELS))
    with pytest.raises(TableError, match="download it in REDCap"):
        convert_tables([tmp_path / "records.csv"], "redcap", tmp_path / "out")


def test_a_mapping_without_a_dictionary_says_that_this_is_an_export_of_labels(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'casefhir = 1\nname = "m"\ntitle = "M"\nversion = "1"\nrecorded = "2026-01-01T00:00:00Z"\n'
        '[tables.records]\nkey = ["study_id"]\n[person]\ntable = "records"\nsex = "sex"\n'
    )
    for number, lines in enumerate((LABELS, ["Study ID,Repeat Instrument,Sex", "1,,Female"])):
        (tmp_path / "records.csv").write_text("\n".join(lines))
        with pytest.raises(TableError, match=r"REDCap's export of labels\. Export raw data instead"):
            convert_tables([tmp_path / "records.csv"], tmp_path / "m.toml", tmp_path / f"out{number}")


def test_rejects_of_an_export_of_labels_are_mended_as_raw_values(tmp_path: Path) -> None:
    lines = [line.replace("1970-02-03", "1970-02-33") for line in LABELS]
    out, tally = converted(tmp_path / "wrong", lines)
    assert tally.total_rejected
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / "dictionary.csv").write_bytes((tmp_path / "wrong" / "dictionary.csv").read_bytes())
    for path in (out / "rejects").rglob("*.csv"):
        target = mended / path.relative_to(out / "rejects")
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text().replace("1970-02-33", "1970-02-03"))
    convert_tables([mended], "redcap", tmp_path / "again", Options(test_data=True))
    right, _ = converted(tmp_path / "right", LABELS)

    def ids(folder: Path) -> set[str]:
        return {line["id"] for path in folder.glob("*.ndjson") for line in map(json.loads, path.open()) if "id" in line}

    assert {*ids(tmp_path / "again")} <= ids(right)
    assert len((tmp_path / "again" / "Patient.ndjson").read_text().splitlines()) == 1


@examples(100)
@given(
    st.lists(st.text("ab<>&;'\" ()|é", min_size=1, max_size=8).map(str.strip).filter(bool), min_size=1, max_size=5),
    st.data(),
)
def test_every_label_that_is_one_choices_comes_back_as_its_code(tmp_path_factory, labels, data) -> None:
    labels = [label.replace("|", "/") for label in labels]
    fields = [FIELDS[0], ("x", "f", "radio", "X", " | ".join(f"{n}, {each}" for n, each in enumerate(labels)), "")]
    code = data.draw(st.sampled_from(range(len(labels))))
    folder = tmp_path_factory.mktemp("labels")
    quoted = labels[code].replace('"', '""')
    out, tally = converted(folder / "l", ["Study ID,X,Complete?", f'1,"{quoted}",Complete'], fields)
    raw, _ = converted(folder / "r", ["study_id,x,f_complete", f"1,{code},2"], fields)
    assert bool(tally.total_rejected) == (sum(plain(each) == plain(labels[code]) for each in labels) > 1)
    assert tally.total_rejected or output(out) == output(raw)
