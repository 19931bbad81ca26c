"""What real exports of the formats look like beside what their specifications say: layouts that were met, with values
made up.
"""

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from casefhir.sources.tables.drafting.draft import draft_mapping as draft
from casefhir.sources.tables.load import MappingError
from casefhir.sources.tables.rows import TableError
from casefhir.tables import Options, Tally, convert_tables

DICTIONARY = 'Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?'  # noqa: E501


def converted(folder: Path, mapping: str, **files: str) -> tuple[Path, Tally]:
    inside = folder / "in"
    inside.mkdir(parents=True)
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (inside / f"{stem}.{ending}").write_text(text)
    out = folder / "out"
    return out, convert_tables([inside], mapping, out, Options(test_data=True))


def resources(out: Path, kind: str) -> list[dict]:
    file = out / f"{kind}.ndjson"
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


class TestSdtm:
    DM = "STUDYID,USUBJID,SEX\nS,S-1,F\n"
    LB = "USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,VISITNUM,LBDTC"

    def test_numbers_that_a_program_wrote_as_floats_are_the_same_rows_as_elsewhere(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv=self.DM,
            SV_csv="USUBJID,VISITNUM,SVSTDTC\nS-1,1.0,2012-01-02\nS-1,2.5,2012-02-02\n",
            LB_csv=f"{self.LB}\nS-1,1.0,CK,Creatine Kinase,170.0,U/L,1,2012-01-02T10\n",
            SUPPLB_csv="USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL\nS-1,LBSEQ,1,X,Told by,Nurse\n",
        )
        assert not tally.rejected
        (result,) = resources(out, "Observation")
        assert result["identifier"][0]["value"].endswith("/lb.1")
        assert str(result["valueQuantity"]["value"]) == "170.0"  # a result keeps its digits
        assert result["effectiveDateTime"] == "2012-01-02"  # the hour alone is no time of FHIR's: it stays words
        assert result["_effectiveDateTime"]["extension"][0]["valueString"] == "2012-01-02T10"
        assert "Told by: Nurse" in [note["text"] for note in result["note"]]
        visits = {each["identifier"][0]["value"].rpartition("/")[2]: each["id"] for each in resources(out, "Encounter")}
        assert result["encounter"]["reference"] == f"Encounter/{visits['sv.1']}"

    def test_animals_are_no_patients(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv="STUDYID,USUBJID,SPECIES,SEX\nS,R-1,RAT,F\n",
            LB_csv=f"{self.LB}\nR-1,1,CK,Creatine Kinase,170,U/L,1,2012-01-02\n",
        )
        assert not resources(out, "Patient")
        assert tally.rows["dm"]["filtered"] == 1
        ((table, _, reason),) = tally.rejected
        assert (table, "is filtered or rejected" in reason) == ("lb", True)

    def test_a_dataset_in_parts_whose_columns_differ(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv=self.DM,
            lbch_csv=f"{self.LB}\nS-1,1,CK,Creatine Kinase,170,U/L,1,2012-01-02\n",
            lbim_csv=f"{self.LB},LBTPT\nS-1,2,CRP,C Reactive Protein,5,mg/L,1,2012-01-02,BEFORE\n",
        )
        assert not tally.rejected
        ck, crp = resources(out, "Observation")
        assert (ck["valueQuantity"]["value"], crp["valueQuantity"]["value"]) == (170, 5)
        assert ("note" in ck, crp["note"][0]["text"]) == (False, "Time point: BEFORE")

    def test_a_part_without_a_column_that_is_needed_is_refused(self, tmp_path: Path) -> None:
        parts = {"lbch_csv": f"{self.LB}\n", "lbim_csv": self.LB.replace("LBORRES,", "") + "\n"}
        with pytest.raises(MappingError, match=r"lbim\.csv is a part of table 'lb', but has no column 'LBORRES'"):
            converted(tmp_path, "sdtm", DM_csv=self.DM, **parts)

    def test_a_dataset_that_lies_there_whole_and_in_parts_is_read_once(self, tmp_path: Path) -> None:
        inside = tmp_path / "in" / "split"
        inside.mkdir(parents=True)
        told = f"{self.LB}\nS-1,1,CK,Creatine Kinase,170,U/L,1,2012-01-02\n"
        (inside / "lbch.csv").write_text(told)
        (inside.parent / "lb.csv").write_text(told)
        (inside.parent / "dm.csv").write_text(self.DM)
        notes: list[str] = []
        out = tmp_path / "out"
        tally = convert_tables([inside.parent], "sdtm", out, Options(test_data=True), note=notes.append)
        assert not tally.rejected
        assert len(resources(out, "Observation")) == 1
        assert "split/lbch.csv: left out, for its rows are in lb.csv." in notes


class TestOmop:
    PERSON = "PERSON_ID,GENDER_CONCEPT_ID,YEAR_OF_BIRTH,RACE_CONCEPT_ID,ETHNICITY_CONCEPT_ID\n1,8532,1970,0,0\n"
    MEASUREMENT = (
        "MEASUREMENT_ID,PERSON_ID,MEASUREMENT_CONCEPT_ID,MEASUREMENT_DATE,VALUE_AS_NUMBER,VALUE_AS_CONCEPT_ID,"
        "UNIT_CONCEPT_ID,MEASUREMENT_SOURCE_VALUE,UNIT_SOURCE_VALUE\n"
        "7,1,11,2020-01-02,45,0,0,local-ck,U/L\n8,1,11,2020-01-03,,0,0,local-ck,\n9,1,99,2020-01-03,5,0,0,,\n"
    )
    CONCEPT = (
        "CONCEPT_ID\tCONCEPT_NAME\tVOCABULARY_ID\tCONCEPT_CODE\n"
        "0\tNo matching concept\tNone\tNo matching concept\n11\tCreatine kinase\tLOINC\t2157-6\n"
    )

    def test_columns_in_capitals_and_concept_0(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path, "omop", PERSON_csv=self.PERSON, MEASUREMENT_csv=self.MEASUREMENT, CONCEPT_csv=self.CONCEPT
        )
        assert not tally.rejected
        told, without, unknown = resources(out, "Observation")
        assert told["valueQuantity"]["code"] == "U/L"
        assert told["code"]["coding"][0]["code"] == "2157-6"
        assert without["dataAbsentReason"]["coding"][0]["code"] == "unknown"  # it was measured, the result is not told
        assert unknown["code"] == {"text": "OMOP concept 99"}
        (person,) = resources(out, "Patient")
        assert person["gender"] == "female"
        assert "No matching concept" not in (out / "Observation.ndjson").read_text() + json.dumps(person)

    def test_strings_that_look_like_numbers_are_words(self, tmp_path: Path) -> None:
        strings = ("2020-03-04", "405-321-1111", "12", "<5")
        rows = "".join(f"{no},1,11,2020-01-02,{told},0\n" for no, told in enumerate(strings, 1))
        head = "OBSERVATION_ID,PERSON_ID,OBSERVATION_CONCEPT_ID,OBSERVATION_DATE,VALUE_AS_STRING,VALUE_AS_CONCEPT_ID\n"
        out, tally = converted(
            tmp_path, "omop", PERSON_csv=self.PERSON, OBSERVATION_csv=head + rows, CONCEPT_csv=self.CONCEPT
        )
        assert not tally.rejected
        date, telephone, twelve, below = resources(out, "Observation")
        assert (date["valueCodeableConcept"]["text"], telephone["valueCodeableConcept"]["text"]) == strings[:2]
        assert (twelve["valueQuantity"]["value"], below["valueQuantity"]["comparator"]) == (12, "<")

    def test_without_its_vocabulary_things_are_called_as_at_their_source(self, tmp_path: Path) -> None:
        out, tally = converted(tmp_path, "omop", PERSON_csv=self.PERSON, MEASUREMENT_csv=self.MEASUREMENT)
        assert not tally.rejected
        assert {each["code"]["text"] for each in resources(out, "Observation")} == {
            "local-ck (OMOP concept 11)",
            "OMOP concept 99",
        }

    def test_a_vocabulary_as_athena_delivers_it(self, tmp_path: Path) -> None:
        """Tabs, nothing in quotes, and quotes that are inches."""
        names = {"1": 'Needle 12"', "2": '"Sharp" needle', "3": '"stray', "4": 'other"', "5": '"whole"'}
        concept = "concept_id\tconcept_name\tvocabulary_id\tconcept_code\n" + "".join(
            f"{number}\t{name}\tX\tc{number}\n" for number, name in names.items()
        )
        head = "procedure_occurrence_id,person_id,procedure_concept_id,procedure_date\n"
        out, tally = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            CONCEPT_csv=concept,
            procedure_occurrence_csv=head + "".join(f"{number},1,{number}.0,2020-01-02\n" for number in names),
        )
        assert not tally.rejected
        assert [each["code"]["text"] for each in resources(out, "Procedure")] == [*[*names.values()][:4], "whole"]

    def test_without_its_vocabulary_a_result_keeps_its_comparator_value_and_unit(self, tmp_path: Path) -> None:
        head = (
            "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,"
            "value_as_concept_id,unit_concept_id,range_low,measurement_source_value,unit_source_value\n"
        )
        rows = (
            "1,1,0,20200102,4171756.0,20.0,0.0,8645.0,24,CK,U/L\n2,1,0,2020-01-02,4172704,1000,,8645,NA,CK,NA\n"
            "3,1,0,2020-01-02,0,\\N,9191,0,,ANA,\n4,1,0,2020-01-02,12345,7,0,0,,CK,\n"
        )
        out, tally = converted(tmp_path, "omop", person_csv=self.PERSON, measurement_csv=head + rows)
        ((_, _, reason),) = tally.rejected  # an operator that is not known is not left out
        assert "is no comparator" in reason
        below, above, concept = resources(out, "Observation")
        assert (below["valueQuantity"]["comparator"], below["valueQuantity"]["value"]) == ("<", 20)
        assert (above["valueQuantity"]["comparator"], above["valueQuantity"]["unit"]) == (">", "OMOP concept 8645")
        assert "code" not in above["valueQuantity"]
        assert concept["valueCodeableConcept"]["text"] == "OMOP concept 9191"

    def test_a_diagnosis_that_is_preliminary_is_provisional(self, tmp_path: Path) -> None:
        concept = (
            "concept_id,concept_name,vocabulary_id,concept_code\n1,Preliminary diagnosis,S,a\n2,Primary diagnosis,S,b\n"
        )
        head = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value,condition_status_concept_id\n"  # noqa: E501
        rows = "".join(
            f"{number},1,0,2020-01-02,M33,{status}\n" for number, status in enumerate(("1", "2.0", "0", ""), 1)
        )
        out, tally = converted(
            tmp_path, "omop", person_csv=self.PERSON, concept_csv=concept, condition_occurrence_csv=head + rows
        )
        assert not tally.rejected
        told = resources(out, "Condition")
        assert [each["verificationStatus"]["coding"][0]["code"] for each in told] == ["provisional"] + ["confirmed"] * 3
        assert [each.get("note") for each in told[:2]] == [
            [{"text": f"{name} diagnosis"}] for name in ("Preliminary", "Primary")
        ]


class TestRedcap:
    def test_files_as_redcap_names_them_and_fields_that_are_no_results(self, tmp_path: Path) -> None:
        dictionary = (
            f"{DICTIONARY}\nstudy_id,a,,text,Study ID,,,,,,\nname,a,,text,Name,,,,,,y\nsmoker,a,,yesno,Smoker,,,,,,\n"
            'bmi,a,,calc,BMI,"round([w]/([h]*[h]),1)",,,,,\nscan,a,,file,Scan,,,,,,\nseen,a,,text,Seen,,,date_ymd,,,\n'
            'age_group,a,,radio,Age group,"1, 0-17 | 2, 18-64",,,,,\nck,b,,text,CK,,,number,,,\n'
        )
        data = (
            "study_id,redcap_repeat_instrument,redcap_repeat_instance,name,smoker,bmi,scan,seen,age_group,a_complete,ck\n"
            "7,,,Invented Person,0,24.1,[document],2020-03-04,2,2,\n7,b,1,,,,,,,,120\n7,b,2,,,,,,,,140\n"
        )
        out, tally = converted(
            tmp_path,
            "redcap",
            **{"Trial_DATA_2024-01-01_csv": data, "Trial_DataDictionary_2024-01-01_csv": dictionary},
        )
        assert not tally.rejected
        told = {each["code"]["text"]: each for each in resources(out, "Observation")}
        assert set(told) == {"Smoker", "BMI", "CK", "Seen", "Age group"}
        assert told["Seen"]["valueCodeableConcept"]["text"] == "2020-03-04"
        assert told["Age group"]["valueCodeableConcept"]["text"] == "18-64"
        assert told["CK"]["valueQuantity"]["value"] in (120, 140)
        assert told["Smoker"]["valueCodeableConcept"]["text"] == "No"
        assert [each["note"][0]["text"] for each in resources(out, "Observation") if "note" in each] == ["b 1", "b 2"]
        assert "Invented" not in (out / "Observation.ndjson").read_text()


def _packet(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "subject": {"id": name, "sex": "FEMALE"}, **more}


def _feature(**more: object) -> dict[str, object]:
    return {"type": {"id": "HP:0003326", "label": "Myalgia"}, **more}


class TestPhenopackets:
    def conditions(self, folder: Path, *documents: dict[str, object]) -> tuple[list[dict], Path]:
        out, tally = converted(folder, "phenopackets", packets_json=json.dumps(documents))
        assert not tally.rejected
        assert not tally.errors
        return resources(out, "Condition"), out

    def test_those_of_families_and_cohorts_are_persons_not_these(self, tmp_path: Path) -> None:
        family = {"id": "f", "proband": _packet("p", phenotypicFeatures=[_feature()]), "relatives": [_packet("r")]}
        cohort = {"id": "c", "members": [_packet("m", phenotypicFeatures=[_feature(excluded=True)])]}
        told, out = self.conditions(tmp_path, family, cohort)
        assert {each["identifier"][1]["value"] for each in resources(out, "Patient")} == {
            f"phenopackets-{name}" for name in "prm"
        }
        assert {each["verificationStatus"]["coding"][0]["code"] for each in told} == {"confirmed", "refuted"}

    def test_what_version_1_negates_is_refuted(self, tmp_path: Path) -> None:
        (told,), _ = self.conditions(tmp_path, _packet("a", phenotypicFeatures=[_feature(negated=True)]))
        assert told["verificationStatus"]["coding"][0]["code"] == "refuted"

    def test_a_diagnosis_that_is_a_disease_too_is_told_once(self, tmp_path: Path) -> None:
        disease = {"id": "OMIM:184900", "label": "Stiff skin syndrome"}
        solved = {"progressStatus": "SOLVED", "diagnosis": {"disease": disease}}
        open_case = {"progressStatus": "IN_PROGRESS", "diagnosis": {"disease": disease}}
        told, _ = self.conditions(
            tmp_path,
            _packet("a", diseases=[{"term": disease}], interpretations=[solved]),
            _packet("b", interpretations=[open_case]),
        )
        assert [each["verificationStatus"]["coding"][0]["code"] for each in told] == ["confirmed", "provisional"]

    def test_intervals_units_by_code_and_results_of_several_parts(self, tmp_path: Path) -> None:
        def quantity(value: float) -> dict[str, object]:
            return {"unit": {"id": "UCUM:mm[Hg]", "label": "millimetres of mercury"}, "value": value}

        pressures = [
            {"type": {"id": f"LOINC:{code}", "label": code}, "quantity": quantity(value)}
            for code, value in (("8480-6", 120), ("8462-4", 80))
        ]
        between = {"interval": {"start": "2020-03-18T00:00:00Z", "end": "2020-03-20T00:00:00Z"}}
        measured = {
            "assay": {"id": "LOINC:85354-9", "label": "Blood pressure"},
            "value": {"complexValue": {"typedQuantities": pressures}},
            "timeObserved": between,
        }
        packet = _packet("a", phenotypicFeatures=[_feature(onset=between)], measurements=[measured])
        (told,), out = self.conditions(tmp_path, packet)
        assert told["onsetPeriod"] == between["interval"]
        (result,) = resources(out, "Observation")
        assert [(each["valueQuantity"]["value"], each["valueQuantity"]["code"]) for each in result["component"]] == [
            (120, "mm[Hg]"),
            (80, "mm[Hg]"),
        ]

    def test_yaml(self, tmp_path: Path) -> None:
        packet = (
            "id: a\nsubject: {id: s, sex: FEMALE}\nphenotypic_features:\n"
            "- type: {id: 'HP:0003326', label: Myalgia}\n  excluded: true\n"
            "measurements:\n- assay: {id: 'LOINC:2157-6', label: CK}\n"
            "  value: {quantity: {unit: {id: 'UCUM:U/L', label: U/L}, value: 12.50}}\n"
        )
        out, tally = converted(tmp_path, "phenopackets", packet_yaml=packet)
        assert not tally.rejected
        (told,) = resources(out, "Condition")
        assert told["verificationStatus"]["coding"][0]["code"] == "refuted"
        assert '"value":12.50' in (out / "Observation.ndjson").read_text()
        with pytest.raises(TableError, match=r"broken\.yaml, line 2: This is not readable as YAML"):
            converted(tmp_path / "b", "phenopackets", broken_yaml="id: a\n - b: [\n")

    def test_packets_of_animals_are_no_patients(self, tmp_path: Path) -> None:
        mouse = {"id": "m", "subject": {"taxonomy": {"id": "NCBITaxon:10090"}}}
        human = {"id": "h", "subject": {"taxonomy": {"id": "NCBITaxon:9606"}}}
        out, tally = converted(tmp_path, "phenopackets", packets_json=json.dumps([mouse, human]))
        assert tally.persons == 1
        assert [each["identifier"][1]["value"] for each in resources(out, "Patient")] == ["phenopackets-h"]

    def test_packets_with_one_id_are_of_two_persons_and_probands_may_have_none(self, tmp_path: Path) -> None:
        told = [{"id": "arbitrary.id", "subject": {"id": name}, "phenotypicFeatures": [_feature()]} for name in "ab"]
        family = {"id": "f", "proband": {"subject": {"id": "c"}, "phenotypicFeatures": [_feature(excluded=True)]}}
        conditions, out = self.conditions(tmp_path, *told, family)
        key = {each["id"]: each["identifier"][2]["value"] for each in resources(out, "Patient")}
        assert {
            (
                key[each["subject"]["reference"].removeprefix("Patient/")],
                each["verificationStatus"]["coding"][0]["code"],
            )
            for each in conditions
        } == {("a", "confirmed"), ("b", "confirmed"), ("c", "refuted")}

    def test_numbers_of_enumerations_as_some_writers_have_them(self, tmp_path: Path) -> None:
        packet = {"id": "a", "subject": {"sex": 1, "vitalStatus": {"status": 2}}}
        out, tally = converted(tmp_path, "phenopackets", packets_json=json.dumps([packet]))
        assert not tally.rejected
        assert not tally.unmapped
        (person,) = resources(out, "Patient")
        assert (person["gender"], person["deceasedBoolean"]) == ("female", True)

    def test_variants_are_notes_of_the_diagnosis_wherever_it_stands(self, tmp_path: Path) -> None:
        def solved(disease: dict[str, str], *genes: str) -> dict[str, object]:
            return {
                "progressStatus": "SOLVED",
                "diagnosis": {
                    "disease": disease,
                    "genomicInterpretations": [
                        {
                            "interpretationStatus": "CAUSATIVE",
                            "variantInterpretation": {"variationDescriptor": {"geneContext": {"symbol": gene}}},
                        }
                        for gene in genes
                    ],
                },
            }

        one, other = {"id": "OMIM:184900", "label": "One"}, {"id": "OMIM:310200", "label": "Other"}
        packet = _packet("a", diseases=[{"term": one}], interpretations=[solved(one, *"XYZ"), solved(other, "W")])
        out, tally = converted(tmp_path, "phenopackets", packets_json=json.dumps([packet]))
        assert not tally.unmapped
        assert tally.rows["variants"]["converted"] == 4
        told = {
            each["code"]["text"]: [re.sub(" +", " ", note["text"]) for note in each["note"]]
            for each in resources(out, "Condition")
        }
        assert told == {
            "One": [f"Variant: {gene} , CAUSATIVE" for gene in "XYZ"],
            "Other": ["Variant: W , CAUSATIVE"],
        }

    def test_nothing_of_a_treatment_is_left_out_nor_said_of_another_dose(self, tmp_path: Path) -> None:
        dose = {
            "quantity": {"unit": {"id": "UCUM:mg", "label": "mg"}, "value": 10},
            "interval": {"start": "2020-03-20T00:00:00Z", "end": "2021-03-20T00:00:00Z"},
        }
        raised = {
            "quantity": {"unit": {"id": "UCUM:mg", "label": "mg"}, "value": 20.5},
            "interval": {"start": "2021-03-20T00:00:00Z", "end": "2021-04-20T00:00:00Z"},
        }
        action = {
            "treatment": {"agent": {"id": "X:1", "label": "Drug"}, "doseIntervals": [dose, raised]},
            "adverseEvents": [{"id": f"HP:000000{number}", "label": f"Event {number}"} for number in range(5)],
            "treatmentTerminationReason": {"id": "NCIT:C41331", "label": "Adverse Event"},
            "responseToTreatment": {"id": "NCIT:C102560", "label": "Favorable"},
        }
        measured = [{"assay": {"id": "LOINC:26449-9", "label": "Eosinophils"}, "value": {"quantity": {"unit": {}}}}]
        packet = _packet("a", medicalActions=[action], measurements=measured)
        out, tally = converted(tmp_path, "phenopackets", packets_json=json.dumps([packet]))
        assert not tally.rejected
        assert {each["event"]["text"] for each in resources(out, "AdverseEvent")} == {f"Event {no}" for no in range(5)}
        courses = resources(out, "MedicationStatement")
        assert {each["dosage"][0]["doseAndRate"][0]["doseQuantity"]["value"] for each in courses} == {10, 20.5}
        for each in courses:  # the first dose was raised: it did not end for an adverse event
            assert "statusReason" not in each
            assert [note["text"] for note in each["note"]] == [
                "Reason for the end of the treatment: Adverse Event",
                "Response: Favorable",
            ]
        (result,) = resources(out, "Observation")  # protocol buffers leave out a 0, and a value that is not told
        assert result["dataAbsentReason"]["coding"][0]["code"] == "unknown"


class TestSynthea:
    def test_the_layout_of_its_first_versions(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "synthea",
            patients_csv="ID,BIRTHDATE,FIRST,LAST,MARITAL,RACE,ETHNICITY,GENDER\na,1970-01-01,Ann1,Other2,M,white,irish,F\n",
            encounters_csv="ID,DATE,PATIENT,CODE,DESCRIPTION\ne,2016-02-03,a,185349003,Check up\n",
            procedures_csv="DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2016-02-03,a,e,430193006,Reconciliation\n",
            allergies_csv="START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2016-02-03,,a,e,111088007,Latex\n",
        )
        assert not tally.rejected
        (visit,) = resources(out, "Encounter")
        assert visit["period"]["start"] == "2016-02-03"
        (procedure,) = resources(out, "Procedure")
        assert procedure["performedDateTime"] == "2016-02-03"
        (allergy,) = resources(out, "AllergyIntolerance")
        assert allergy["code"]["coding"][0]["system"] == "http://snomed.info/sct"


class TestRegistriesOfOtherTongues:
    def drafted(self, folder: Path, text: str, encoding: str = "utf-8") -> str:
        (folder / "in").mkdir(parents=True)
        (folder / "in" / "register.csv").write_text(text, encoding=encoding)
        (folder / "t.toml").write_text(draft([folder / "in"]))
        return (folder / "t.toml").read_text()

    def test_german_with_a_note_under_the_table(self, tmp_path: Path) -> None:
        told = self.drafted(
            tmp_path,
            "Pat-Nr;Geschlecht;Datum;DLCO (%);CK U/l;Diagnose;Bemerkung\n"
            "1;w;07.09.2022;65;170;Polymyositis;über Nacht\n"
            "2;m;13.09.2022;70;;;\nn.d. = nicht durchgeführt;;;;;;\n",
            "cp1252",
        )
        assert "dlco-percent-predicted" in told
        assert 'column = "CK U/l", concept = "ck", unit = "U/l"' in told
        out = tmp_path / "out"
        tally = convert_tables([tmp_path / "in"], tmp_path / "t.toml", out, Options(test_data=True))
        assert tally.persons == 2
        (row,) = tally.rejected
        assert "nothing but its key" in row[2]

    def test_h_and_m_are_hombre_and_mujer(self, tmp_path: Path) -> None:
        told = self.drafted(tmp_path, "paciente,sexo,prueba,resultado\n1,H,CK,5\n2,M,CK,6\n")
        assert 'map = { "H" = "male", "M" = "female" } }   # is it so?' in told

    def test_dates_that_contradict_each_other_are_not_read_in_one_order(self, tmp_path: Path) -> None:
        told = self.drafted(tmp_path, "MRN,Sex,Visit Date,CK\n1,F,13/05/2021,5\n2,M,11/30/2021,6\n3,M,10/05/2021,7\n")
        assert 'dates = ["iso"]   # 11/30/2021 has the month first, 13/05/2021 the day' in told


class TestRegistriesInWorkbooks:
    MAPPING = (
        'casefhir = 1\nname = "r"\ntitle = "R"\nversion = "1"\nrecorded = "2026-01-01T00:00:00Z"\n[reading]\n'
        'dates = ["iso", "dmy", "excel"]\ndecimal = ","\nthousands = "."\n[tables.lab]\nfiles = ["Labor"]\n'
        'key = ["Pat"]\nHOW\n[person]\ntable = "lab"\nsex = "Sex"\n[[measurement]]\nname = "m"\ntable = "lab"\n'
        'key = ["Datum"]\nwhen = "Datum"\nvalue = "{column}"\ntext = { const = "{column}" }\nunit = { const = "g/l" }\n'
        'each = [{ name = "a", column = "IgG1" }, { name = "b", column = "IgG2" }]\n'
    )

    def told(
        self,
        folder: Path,
        how: str,
        *rows: tuple[object, ...],
        styled: Callable[[Worksheet], None] = lambda _: None,
        unit: str = "g/l",
    ) -> tuple[list[tuple[object, ...]], Tally]:
        """Patient, name, value and date of each result of a sheet with these rows."""
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Labor"
        for row in rows:
            sheet.append(row)
        styled(sheet)
        (folder / "in").mkdir(parents=True)
        book.save(folder / "in" / "Register.xlsx")
        (folder / "t.toml").write_text(self.MAPPING.replace("HOW", how).replace("g/l", unit))
        return self.converted(folder, "in", "out")

    def converted(self, folder: Path, tables: str, out: str) -> tuple[list[tuple[object, ...]], Tally]:
        tally = convert_tables([folder / tables], folder / "t.toml", folder / out, Options(test_data=True))
        key = {each["id"]: each["identifier"][1]["value"] for each in resources(folder / out, "Patient")}
        return [
            (
                key[each["subject"]["reference"].removeprefix("Patient/")],
                each["code"]["text"],
                each["valueQuantity"]["value"],
                each["effectiveDateTime"],
            )
            for each in resources(folder / out, "Observation")
        ], tally

    HEAD = ("Pat", "Sex", "Datum", "IgG1", "IgG2")

    def test_numbers_are_numbers_beside_texts_with_commas(self, tmp_path: Path) -> None:
        told, tally = self.told(
            tmp_path, "", self.HEAD, ("1", "w", "07.09.2022", 1.144, "1.144"), ("2", "m", 44811, "12,4", 12)
        )
        assert not tally.rejected
        assert told == [
            ("r-1", "IgG1", 1.144, "2022-09-07"),
            ("r-1", "IgG2", 1144, "2022-09-07"),
            ("r-2", "IgG1", 12.4, "2022-09-07"),
            ("r-2", "IgG2", 12, "2022-09-07"),
        ]

    def test_percents_are_what_is_shown_and_sums_have_the_digits_of_spreadsheets(self, tmp_path: Path) -> None:
        def as_percent(sheet: Worksheet) -> None:
            for cell, style in (("D2", "0%"), ("E2", "0.0%"), ("D3", "General")):
                sheet[cell].number_format = style

        told, tally = self.told(
            tmp_path,
            "",
            self.HEAD,
            ("1", "w", "07.09.2022", 0.65, 0.655),
            ("2", "m", "07.09.2022", 0.65, 22 * 1.1),
            styled=as_percent,
            unit="%",
        )
        assert not tally.rejected
        assert [row[2] for row in told] == [65, 65.5, 0.65, 24.2]

    def test_a_percent_sign_that_is_only_written_beside_the_number_changes_nothing(self, tmp_path: Path) -> None:
        def as_words(sheet: Worksheet) -> None:
            sheet["D2"].number_format, sheet["E2"].number_format = '0"%"', "0\\%"

        told, _ = self.told(tmp_path, "", self.HEAD, ("1", "w", "07.09.2022", 65, 66), styled=as_words, unit="%")
        assert [row[2] for row in told] == [65, 66]

    def test_months_and_years_get_no_day(self, tmp_path: Path) -> None:
        """A typed 03/2015 is stored as the first of March, and shown as it was typed."""
        formats = ("mmm yy", "mm/yyyy", "yyyy", "[$-407]d. mmmm yyyy", "dd.mm.yyyy", 'mmmm "of the day" yyyy')

        def as_typed(sheet: Worksheet) -> None:
            for row, code in enumerate(formats, 2):
                sheet.cell(row, 3).number_format = code

        rows = [(str(number), "w", dt.date(2015, 3, 1), number, None) for number, _ in enumerate(formats)]
        told, tally = self.told(tmp_path, "", self.HEAD, *rows, styled=as_typed)
        assert not tally.rejected
        days = {row[2]: row[3] for row in told}
        assert [days[number] for number, _ in enumerate(formats)] == [
            "2015-03",
            "2015-03",
            "2015",
            "2015-03-01",
            "2015-03-01",
            "2015-03",
        ]

    def test_a_percent_where_the_mapping_says_another_unit_is_refused(self, tmp_path: Path) -> None:
        def as_percent(sheet: Worksheet) -> None:
            sheet["D2"].number_format = "0%"

        _, tally = self.told(tmp_path, "", self.HEAD, ("1", "w", "07.09.2022", 0.65, None), styled=as_percent)
        ((_, _, reason),) = tally.rejected
        assert "has a unit of its own" in reason

    def test_titles_units_and_merged_cells(self, tmp_path: Path) -> None:
        rows = (
            ("Register", None, None, None, None),
            (),
            ("Person", None, "Labor", None, None),
            self.HEAD,
            (None, None, None, "g/l", "g/l"),
            ("1", "w", dt.date(2022, 9, 7), 7.1, None),
            (None, None, dt.date(2022, 10, 7), 7.2, None),
            (None, None, dt.date(2022, 11, 7), "1.2.3,4", None),
            ("2", "m", dt.date(2022, 9, 7), None, 3.5),
        )
        how = 'header = 4\nskip_after = 1\nfill = ["Pat"]'
        told, tally = self.told(tmp_path, how, *rows)
        assert [row[:3] for row in told] == [("r-1", "IgG1", 7.1), ("r-1", "IgG1", 7.2), ("r-2", "IgG2", 3.5)]
        assert tally.rows["lab"]["read"] == 4
        assert tally.total_rejected == 1  # with its person's key, so that it can be mended alone
        rejects = tmp_path / "out" / "rejects" / "lab.csv"
        rejects.write_text(rejects.read_text().replace('"1.2.3,4"', '"7,3"'))
        mended, tally = self.converted(tmp_path, "out/rejects", "mended")
        assert not tally.rejected
        assert ("r-1", "IgG1", 7.3, "2022-11-07") in mended
        assert {row[0] for row in mended} == {"r-1"}

    def test_columns_of_the_same_name_are_not_taken_for_each_other(self, tmp_path: Path) -> None:
        head = ("Pat", "Sex", "Datum", "IgG1", "IgG2", "Datum")
        with pytest.raises(
            MappingError, match=r"no column 'Datum'. Did you mean Datum \(column 3\) or Datum \(column 6\)"
        ):
            self.told(tmp_path, "", head, ("1", "w", "07.09.2022", 1.1, 2, "08.09.2022"))

    def test_a_draft_finds_the_header_under_a_title_and_units_beside_visits(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in (("Export 2024",), (), ("Patient ID", "Sex", "CK (U/l) V1", "CK_V2 (U/l)"), ("1", "F", 100, 200)):
            sheet.append(row)
        book.save(tmp_path / "r.xlsx")
        told = draft([tmp_path])
        assert "header = 3 " in told
        assert told.count('concept = "ck", unit = "U/l"') == 2

    def test_a_draft_of_several_sheets_finds_them_again(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for name, rows in {
            "AE log": (("Subject", "AE term", "Start"), ("S-1", "headache", "2015-11-02")),
            "Lab (2015)": (("Subject", "Date", "CK (U/l)"), ("S-1", "2015-11-02", 100)),
            "Subjects": (("Subject", "Gender"), ("S-1", "Female")),
        }.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.remove(book.worksheets[0])
        (tmp_path / "in").mkdir()
        book.save(tmp_path / "in" / "r.xlsx")
        (tmp_path / "t.toml").write_text(draft([tmp_path / "in"]))
        tally = convert_tables([tmp_path / "in"], tmp_path / "t.toml", tmp_path / "out", Options(test_data=True))
        assert not tally.rejected
        assert resources(tmp_path / "out", "AdverseEvent")[0]["event"]["text"] == "headache"
        assert resources(tmp_path / "out", "Observation")[0]["valueQuantity"]["value"] == 100

    def test_a_draft_takes_units_from_a_row_under_the_header(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "lab.csv").write_text(
            "Pat_ID,Sex,Date,CK,CRP\n,,dd/mm/yyyy,U/L,mg/dl\nP1,F,11/02/2010,100,0.5\nP2,M,13/02/2010,200,0.25\n"
        )
        (tmp_path / "t.toml").write_text(draft([tmp_path / "in"]))
        tally = convert_tables([tmp_path / "in"], tmp_path / "t.toml", tmp_path / "out", Options(test_data=True))
        assert (tally.persons, dict(tally.rejected)) == (2, {})
        told = [each["valueQuantity"] for each in resources(tmp_path / "out", "Observation")]
        assert [(each["value"], each["unit"]) for each in told] == [
            (100, "U/L"),
            (0.5, "mg/dl"),
            (200, "U/L"),
            (0.25, "mg/dl"),
        ]


class TestPersons:
    """What a date says of a person who is told by a row."""

    def test_who_died_on_a_day_whose_year_is_unknown_is_dead(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path, "registry", patients_csv="patient,sex,death_date\nP1,f,--12-15\nP2,f,\nP3,f,2020-01/2020-03\n"
        )
        assert not tally.rejected
        assert tally.unmapped["person", "death_date", "--12-15"] == 1
        told = {each["identifier"][1]["value"].split("-")[1]: each for each in resources(out, "Patient")}
        assert told["p1"]["deceasedBoolean"] is True
        assert not any(name.strip("_").startswith("deceased") for name in told["p2"])
        assert "between January 2020 and March 2020" in told["p3"]["text"]["div"]

    def test_a_person_is_not_born_in_an_interval(self, tmp_path: Path) -> None:
        out, tally = converted(tmp_path, "registry", patients_csv="patient,sex,birth_date\nP1,f,1950/1951\nP2,f,1950\n")
        ((_, rule, why),) = tally.rejected
        assert rule == "person"
        assert "interval is no date of birth" in why
        assert [each["birthDate"] for each in resources(out, "Patient")] == ["1950"]
