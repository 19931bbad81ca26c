"""Spreadsheets that people fill in a hurry: sums under the persons, decimal commas where points were asked for, hidden
sheets, one row for all that is known of a person.
"""

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables.drafting.draft import draft_mapping as draft
from casefhir.sources.tables.load import load_mapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.totals import is_total
from casefhir.tables import Options, Tally, convert_tables
from tests.tables.test_layouts_met import converted, resources

PATIENTS = "patient,sex\nP1,f\nP2,m\n"


def reasons(tally: Tally) -> list[str]:
    return sorted(reason for _, _, reason in tally.rejected)


@pytest.mark.parametrize("word", ["Summe", "TOTAL", "Mittelwert:", "Somme", "Razem", "Ø", "Σ", "Ø gesamt"])
def test_rows_of_sums_are_no_patients(tmp_path: Path, word: str) -> None:
    out, tally = converted(
        tmp_path,
        "registry",
        patients_csv=f"{PATIENTS}{word},2\n",
        visits_csv=f"patient,visit,ck\nP1,1,120\n{word},1,99\n",
    )
    assert tally.persons == 2
    assert tally.total_rejected == 2
    assert "is one of sums or means" in reasons(tally)[0]
    assert [each["valueQuantity"]["value"] for each in resources(out, "Observation")] == [120]


@given(st.from_regex(r"[A-Za-z]{0,3}[-_. ]?[0-9]{1,6}", fullmatch=True))
def test_what_has_a_figure_is_a_persons_key(key: str) -> None:
    assert not is_total(key)


class TestPoints:
    """`1.200` is a decimal by the template, and twelve hundred to those who write `4,2`."""

    def values(self, folder: Path, *cells: str, mapping: str = "registry") -> tuple[list[Any], Tally]:
        lines = "".join(f'P1,{number},"{cell}"\n' for number, cell in enumerate(cells))
        out, tally = converted(folder, mapping, patients_csv=PATIENTS, visits_csv=f"patient,visit,ck\n{lines}")
        return sorted(each["valueQuantity"]["value"] for each in resources(out, "Observation")), tally

    def test_beside_decimal_commas_it_is_refused(self, tmp_path: Path) -> None:
        values, tally = self.values(tmp_path, "1.200", ">2.000", "12.5", "120", "4,2", "1.200.000")
        assert values == [12.5, 120]
        assert sum("may be a thousandfold number" in each for each in reasons(tally)) == 1
        assert tally.total_rejected == 4

    def test_elsewhere_it_is_a_decimal(self, tmp_path: Path) -> None:
        values, tally = self.values(tmp_path, "1.200", "12.5", "1.144")
        assert values == [1.144, 1.2, 12.5]
        assert not tally.rejected

    def test_lists_of_numbers_are_no_decimal_commas(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "registry",
            patients_csv=PATIENTS,
            visits_csv='patient,visit,ck,note\nP1,1,1.200,"1,2"\nP1,2,,"1,2,3"\n',
        )
        assert not tally.rejected
        assert resources(out, "Observation")[0]["valueQuantity"]["value"] == 1.2

    def test_a_mapping_that_says_what_the_marks_are_is_believed(self, tmp_path: Path) -> None:
        text = Path(load_mapping("registry").path).read_text(encoding="utf-8")
        mapping = tmp_path / "german.toml"
        mapping.write_text(text.replace('dates = ["iso"]', 'dates = ["iso"]\ndecimal = ","\nthousands = "."'))
        values, tally = self.values(tmp_path / "t", "1.200", "4,2", mapping=str(mapping))
        assert values == [4.2, 1200]
        assert not tally.rejected

    def test_a_mapping_that_says_that_points_are_decimal_is_believed(self, tmp_path: Path) -> None:
        text = Path(load_mapping("registry").path).read_text(encoding="utf-8")
        mapping = tmp_path / "points.toml"
        mapping.write_text(text.replace('dates = ["iso"]', 'dates = ["iso"]\ndecimal = "."'))
        values, tally = self.values(tmp_path / "t", "1.200", "4,2", mapping=str(mapping))
        assert values == [1.2]
        assert [each for each in reasons(tally) if "thousandfold" in each] == []

    def test_keys_and_what_no_rule_reads_are_no_numbers(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "registry",
            patients_csv="patient,sex\n1.001,f\n1.002,m\n",
            visits_csv='patient,visit,ck,version\n1.001,2.100,120,3.001\n1.002,1,"4,2",3.001\n',
        )
        assert sum("thousandfold" in each for each in reasons(tally)) == 0
        assert tally.persons == 2
        assert [each["valueQuantity"]["value"] for each in resources(out, "Observation")] == [120]

    def test_commas_in_keys_are_not_decimal(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path, "registry", patients_csv=PATIENTS, visits_csv='patient,visit,ck\nP1,"1,2",1.200\nP1,2,4.5\n'
        )
        assert not tally.rejected
        assert sorted(each["valueQuantity"]["value"] for each in resources(out, "Observation")) == [1.2, 4.5]

    def test_numbers_that_a_workbook_holds_as_such_are_never_in_doubt(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.title = "patients"
        for row in (["patient", "sex"], ["P1", "f"]):
            book["patients"].append(row)
        for row in (["patient", "visit", "ck"], ["P1", 1, 1.234], ["P1", 2, "4,2"], ["P1", 3, "1.234"]):
            (book["visits"] if "visits" in book.sheetnames else book.create_sheet("visits")).append(row)
        book.save(tmp_path / "in.xlsx")
        tally = convert_tables([tmp_path / "in.xlsx"], "registry", tmp_path / "out", Options(form="ndjson"))
        (told,) = resources(tmp_path / "out", "Observation")
        assert told["valueQuantity"]["value"] == 1.234
        assert tally.total_rejected == 2


def workbook(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Patienten"
    for row in (
        ["Pat.-Nr.", "Geschlecht", "Diagnose", "Beginn", "Ende", "UAW", "IgG in g/l", "CRP [mg/l]", "Monat"],
        ["1", "w", "DM", "01.02.2020", "laufend", "Kopfschmerz", "12,4", "2,25", "03.2016"],
        ["2", "m", "PM", "15.02.2020", "01.03.2021", "", "9,8", "1.200", "04.2016"],
        ["Summe", "2"],
    ):
        sheet.append(row)
    drugs = book.create_sheet("Therapie")
    for row in (["Pat.-Nr.", "Medikament", "Beginn", "Ende"], ["1", "MTX", "01.02.2020", "laufend"]):
        drugs.append(row)
    old = book.create_sheet("alt")
    old.sheet_state = "hidden"
    for row in (["Pat.-Nr.", "CK"], ["1", 99999]):
        old.append(row)
    book.save(folder / "register.xlsx")
    return folder / "register.xlsx"


class TestDrafts:
    def test_commas_are_decimal_ones_though_months_have_points(self, tmp_path: Path) -> None:
        told = draft([workbook(tmp_path)])
        assert 'decimal = ","\nthousands = "."' in told

    def test_hidden_sheets_are_left_out_and_told(self, tmp_path: Path) -> None:
        path = workbook(tmp_path)
        told = draft([path])
        assert "# register.xlsx#alt is left out, for the workbook hides this sheet" in told
        assert "[tables.alt]" not in told
        (tmp_path / "m.toml").write_text(told)
        notes = list(open_mapping(load_mapping(tmp_path / "m.toml"), [path]).notes)
        assert "No table of the mapping is in: register.xlsx#alt." in notes
        other = tmp_path / "with.toml"
        other.write_text(f'{told}\n[tables.alt]\nfiles = ["register.xlsx#alt"]\nkey = ["Pat.-Nr."]\n')
        notes = list(open_mapping(load_mapping(other), [path]).notes)
        assert "register.xlsx#alt: sheet alt, which is hidden." in notes

    def test_dates_of_a_row_about_several_things_are_asked_for(self, tmp_path: Path) -> None:
        told = draft([workbook(tmp_path)])
        assert "[[problem]]" in told
        assert "[[adverse_event]]" in told
        assert '# onset = "Beginn"   # is it of this, or of something else in the row?' in told

    def test_what_goes_on_is_parted_from_the_dates_of_the_end(self, tmp_path: Path) -> None:
        path = workbook(tmp_path)
        (tmp_path / "m.toml").write_text(draft([path]))
        convert_tables([path], tmp_path / "m.toml", tmp_path / "out", Options(form="ndjson"))
        (course,) = resources(tmp_path / "out", "MedicationStatement")
        assert (course["status"], course["effectivePeriod"]) == ("active", {"start": "2020-02-01"})

    def test_units_after_in_and_no_sums(self, tmp_path: Path) -> None:
        told = draft([workbook(tmp_path)])
        assert 'column = "IgG in g/l", concept = "igg", unit = "g/l"' in told
        assert 'sex = "Geschlecht"' in told  # the 2 under it is a sum


def test_words_for_what_is_not_known_are_no_results_of_the_template(tmp_path: Path) -> None:
    cells = ["NA", "n.a.", "k.A.", "#N/A", "-"]
    lines = "".join(f"P1,{number},{cell}\n" for number, cell in enumerate(cells))
    out, _ = converted(tmp_path, "registry", patients_csv=PATIENTS, visits_csv=f"patient,visit,ck\n{lines}")
    told = [
        json.dumps(each.get("dataAbsentReason", each.get("valueCodeableConcept")))
        for each in resources(out, "Observation")
    ]
    assert sum('"unknown"' in each for each in told) == 3
    assert sum('"error"' in each for each in told) == 1
    assert sum('"-"' in each for each in told) == 1  # negative, or nothing: it stays as it is written


WIDE = {
    "French": (
        "N° patient;Sexe;Date de naissance;Diagnostic;CPK (UI/L);CRP (mg/L);Traitement;Début;Fin;Effet indésirable",
        "001;F;12/03/1961;Dermatomyosite;2 251;12,4;Prednisone;03/2010;en cours;Nausées",
        "002;H;15/11/1974;Polymyosite;<30;0,8;Méthotrexate;15/01/2016;20/02/2017;",
    ),
    "Polish": (
        "Nr pacjenta;Płeć;Data urodzenia;Rozpoznanie;CK [U/l];CRP [mg/l];Lek;Data rozpoczęcia;Data zakończenia",
        "1;K;12.03.1961;zapalenie;2251;12,4;Prednizon;03.2010;nadal",
        "2;M;15.11.1974;zapalenie;<30;0,8;Metotreksat;15.01.2016;20.02.2017",
    ),
    "Spanish": (
        "Paciente;Sexo;Fecha de nacimiento;Diagnóstico;CK (UI/l);CRP (mg/l);Fármaco;Inicio;Fin",
        "1;Mujer;12/03/1961;DM;2.251;12,4;Prednisona;03/2010;en curso",
        "2;Varón;15/11/1974;PM;<30;0,8;MTX;15/01/2016;20/02/2017",
    ),
    "German": (
        "Pat.-Nr.;Geschlecht;Geburtsdatum;Diagnose;CK (U/l);CRP (mg/l);Medikament;Beginn;Ende",
        "1;w;12.03.1961;DM;2.251;12,4;Prednison;03.2010;laufend",
        "2;m;15.11.1974;PM;<30;0,8;MTX;15.01.2016;20.02.2017",
    ),
}


@pytest.mark.parametrize("language", WIDE)
def test_a_draft_reads_one_row_for_all_that_is_known_in_several_languages(tmp_path: Path, language: str) -> None:
    (tmp_path / "all.csv").write_text("\n".join(WIDE[language]) + "\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text(draft([tmp_path / "all.csv"]), encoding="utf-8")
    tally = convert_tables([tmp_path / "all.csv"], tmp_path / "m.toml", tmp_path / "out", Options(form="ndjson"))
    assert not tally.rejected
    out = tmp_path / "out"
    assert sorted(each["gender"] for each in resources(out, "Patient")) == ["female", "male"]
    assert sorted(each["birthDate"] for each in resources(out, "Patient")) == ["1961-03-12", "1974-11-15"]
    values = [each["valueQuantity"] for each in resources(out, "Observation")]
    assert sorted((float(each["value"]), each.get("comparator"), each["code"]) for each in values) == [
        (0.8, None, "mg/L"), (12.4, None, "mg/L"), (30, "<", "U/L"), (2251, None, "U/L"),
    ]  # fmt: skip
    periods = [each["effectivePeriod"] for each in resources(out, "MedicationStatement")]
    assert sorted(periods, key=str) == [{"start": "2010-03"}, {"start": "2016-01-15", "end": "2017-02-20"}]
    for condition in resources(out, "Condition"):
        assert not {"abatementDateTime", "onsetDateTime"} & {*condition}  # those are dates of the drug
