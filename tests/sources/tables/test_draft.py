"""A first mapping proposed for tables: it loads, and does what it says."""

import sqlite3
from pathlib import Path

import pytest

from casefhir.sources.tables.check import check_mapping
from casefhir.sources.tables.drafting.draft import draft_mapping
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.readers.base import Fingerprint, fingerprint
from casefhir.sources.tables.rows import TableError

TABLES = Path(__file__).parents[3] / "examples" / "tables"


def write(folder: Path, **tables: str) -> Path:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_the_proposal_for_the_example_converts_every_row(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(draft_mapping([TABLES]))
    found = check_mapping(load_mapping(path), [TABLES])
    assert not found.refusals
    assert all(table.read == table.converted for table in found.tables.values())
    assert found.facts["Measurement"] == 8
    assert found.facts["Course"] == 3


def test_it_reads_dates_numbers_and_units_off_the_values(tmp_path: Path) -> None:
    text = draft_mapping(
        [write(tmp_path, visits="record_id;date;CRP [mg/l];CK (U/l)\n1;13.02.2022;1,5;3.072\n2;14.02.2022;<0,2;120\n")]
    )
    assert 'dates = ["dmy"]' in text
    assert 'decimal = ","' in text
    assert 'thousands = "."' in text
    assert 'concept = "crp", unit = "mg/l"' in text
    assert 'concept = "ck", unit = "U/l"' in text


def test_what_it_cannot_know_it_asks(tmp_path: Path) -> None:
    text = draft_mapping(
        [write(tmp_path, p="patient_id,sex,date,CRP\n1,1,02/03/2022,4\n2,2,04/05/2022,5\n3,2,04/05/2022,-9\n")]
    )
    assert "day or month first? No date here tells" in text
    assert "which is female, which male?" in text
    assert "which unit?" in text
    assert "is -9 a code for a missing value?" in text


def test_a_long_table_becomes_one_rule_and_unknown_tests_are_named(tmp_path: Path) -> None:
    text = draft_mapping(
        [
            write(
                tmp_path,
                lb="USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,LBDTC\n"
                "A,1,CK,Creatine kinase,120,U/L,20,170,2020-01-02\nA,2,FOO,Foo,1,g/L,,,2020-01-02\n",
                dm="USUBJID,SEX,BRTHDTC\nA,F,1970\n",
            )
        ]
    )
    assert 'key = ["LBSEQ"]' in text
    assert 'concept = "LBTESTCD"   # not in the catalogue: FOO' in text
    assert 'range = { low = "LBORNRLO", high = "LBORNRHI" }' in text


def test_the_persons_key_may_be_called_otherwise_where_persons_are_told(tmp_path: Path) -> None:
    text = draft_mapping(
        [
            write(
                tmp_path,
                patients="Id,GENDER,BIRTHDATE\nA,F,1970-01-01\nB,M,1980-01-01\n",
                conditions="START,STOP,PATIENT,CODE,DESCRIPTION\n2020-01-01,,A,1,Rash\n2020-01-01,,B,1,Rash\n",
                encounters="Id,START,PATIENT,CODE,DESCRIPTION\ne1,2020-01-01,A,1,Seen\ne2,2020-02-01,A,1,Seen\n",
            )
        ]
    )
    assert 'files = ["patients.csv"]\nkey = ["Id"]' in text
    assert '[person]\ntable = "patients"' in text
    assert 'table = "conditions"' in text
    assert 'name = "encounters-visit"\ntable = "encounters"\nkey = ["Id"]' in text


def test_tables_without_a_persons_key_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="call the column patient_id"):
        draft_mapping([write(tmp_path, a="x,y\n1,2\n", b="z\n1\n")])


def test_a_draft_for_a_database_asks_it_for_its_tables(tmp_path: Path) -> None:
    link = sqlite3.connect(tmp_path / "registry.sqlite")
    link.executescript(
        """
        create table patients (patient_id text, sex text, birth_date text);
        insert into patients values ('1', 'female', '1960-01-01'), ('2', 'male', '1970');
        create table "Lab results" (patient_id text, test text, value text, unit text, date text);
        insert into "Lab results" values ('1', 'CK', '33', 'U/l', '2020-05-05'), ('2', 'CRP', '4.0', 'mg/l', '2020-06');
        """
    )
    link.close()
    for source in (tmp_path / "registry.sqlite", f"sqlite:///{tmp_path / 'registry.sqlite'}"):
        (tmp_path / "t.toml").write_text(draft_mapping([source]))
        loaded = load_mapping(tmp_path / "t.toml")
        assert loaded.mapping.tables["lab_results"].query == 'select * from "Lab results"'
        found = check_mapping(loaded, [source])
        assert (found.converted_persons, found.facts["Measurement"]) == (2, 2)


def test_a_database_without_its_driver_is_told() -> None:
    with pytest.raises(TableError, match=r"mssql://host/x: The driver .* is not installed; install it with pip"):
        draft_mapping(["mssql://me:secret@host/x"])


def test_samples_are_not_shown_of_columns_that_tell_who_a_person_is(tmp_path: Path) -> None:
    rows = "".join(f"{n},F,Doe {n},1 Main Street,19{n}0-01-02,{n}234567,{n % 2},grey\n" for n in range(1, 8))
    text = draft_mapping(
        [write(tmp_path, p="patient_id,sex,Surname,Street,Date of Birth,case file,smoker,hair\n" + rows)]
    )
    for name in ("Surname: words", "Street: words", "case file: number"):
        (line,) = [each for each in text.splitlines() if f"#   {name}" in each]
        assert "such as" not in line
    assert "#   hair: words, 7 filled, such as 'grey'" in text
    assert not any(each in text for each in ("Doe", "Main", "1910", "1234567"))


@pytest.mark.parametrize(
    "tables",
    [
        {
            "visits": "record_id;date;CRP [mg/l]\n1;13.02.2022;1,5\n2;14.02.2022;<0,2\n",
            "p": "record_id;sex\n1;F\n2;M\n",
        },
        {"visits": "Registry of 2022;;\n;;\nrecord_id;date;CRP [mg/l]\n1;13.02.2022;1,5\n2;14.02.2022;2\n"},
        {"dm": "USUBJID,DOMAIN,RFSTDTC,SEX\nA,DM,2020,F\n", "lb": "USUBJID,LBSEQ,LBTESTCD\nA,1,CK\n"},
    ],
)
def test_each_file_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tables: dict[str, str]
) -> None:
    seen: list[str] = []

    def counted(path: Path) -> Fingerprint:
        seen.append(path.stem)
        return fingerprint(path)

    monkeypatch.setattr("casefhir.sources.tables.readers.text.fingerprint", counted)
    draft_mapping([write(tmp_path, **tables)])
    assert sorted(seen) == sorted(tables)
