"""What rows of published exports hold that our mappings had lost or had said wrongly: the public data of CDISC's pilot,
of pharmaverse, of OHDSI and Synthea; the values here are made up.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from casefhir.tables import Options, convert_tables
from tests.tables.test_layouts_met import converted, resources

DM = "STUDYID,USUBJID,SEX\nS,S-1,F\n"


def said(resource: dict) -> list[str]:
    return [note["text"] for note in resource.get("note", ())]


class TestSdtm:
    def test_all_of_cdiscs_sexes_are_known(self, tmp_path: Path) -> None:
        out, tally = converted(tmp_path, "sdtm", DM_csv="USUBJID,SEX\nS-1,INTERSEX\nS-2,U\n")
        assert [each["gender"] for each in resources(out, "Patient")] == ["other", "unknown"]
        assert not tally.unmapped

    def test_a_visit_that_did_not_take_place_is_no_encounter(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            SV_csv="USUBJID,VISITNUM,VISIT,SVPRESP,SVOCCUR,SVSTDTC\nS-1,1,WEEK 1,Y,Y,2020-01-01\nS-1,2,WEEK 2,Y,N,\n",
        )
        assert [each["type"][0]["text"] for each in resources(out, "Encounter")] == ["WEEK 1"]
        assert tally.rows["sv"]["filtered"] == 1

    def test_a_derived_result_has_its_standard_value_and_unit(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            VS_csv="USUBJID,VSSEQ,VSTESTCD,VSTEST,VSORRES,VSORRESU,VSSTRESC,VSSTRESU,VSDRVFL,VSDTC\n"
            "S-1,1,BMI,Body Mass Index,,,24.2,kg/m2,Y,2020-01-01\n",
            LB_csv="USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBSTRESC,LBSTRESU\n"
            "S-1,1,CRCLR,Creatinine Clearance,,mg/dL,88.5,mL/min\nS-1,2,CK,Creatine Kinase,170,U/L,2.83,ukat/L\n",
        )
        found = {each["code"]["text"]: each["valueQuantity"] for each in resources(out, "Observation")}
        assert {name: (str(value["value"]), value["code"]) for name, value in found.items()} == {
            "Body Mass Index": ("24.2", "kg/m2"),
            "Creatinine Clearance": ("88.5", "mL/min"),
            "Creatine Kinase": ("170", "U/L"),  # the original, where there is one
        }

    def test_urine_of_a_day_was_collected_over_a_period(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            LB_csv="USUBJID,LBSEQ,LBTEST,LBORRES,LBDTC,LBENDTC,LBSTNRC\n"
            "S-1,1,Protein,TRACE,2020-01-01,2020-01-02,NEGATIVE TO TRACE\n"
            "S-1,2,Protein,TRACE,2020-01-03/2020-01-04,,\nS-1,3,Protein,TRACE,2020-01-05,,\n",
        )
        first, second, third = resources(out, "Observation")
        assert first["effectivePeriod"] == {"start": "2020-01-01", "end": "2020-01-02"}
        assert first["referenceRange"] == [{"text": "NEGATIVE TO TRACE"}]
        assert second["effectivePeriod"] == {"start": "2020-01-03", "end": "2020-01-04"}
        assert third["effectiveDateTime"] == "2020-01-05"

    def test_limits_of_a_range_that_are_no_figures_stay_words(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            LB_csv="USUBJID,LBSEQ,LBTEST,LBORRES,LBORRESU,LBORNRLO,LBORNRHI\nS-1,1,Estradiol,40,ng/L,<5,200\n",
        )
        assert resources(out, "Observation")[0]["referenceRange"] == [{"text": "<5 - 200"}]

    def test_the_dictionarys_term_is_kept_beside_the_words_reported(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            MH_csv="USUBJID,MHSEQ,MHTERM,MHDECOD,MHPTCD,MHCAT\nS-1,1,VERBATIM_0728,HYDROCELE,10020488,GENERAL\n"
            "S-1,2,HYDROCELE,Hydrocele,PT_1,\n",
            CM_csv="USUBJID,CMSEQ,CMTRT,CMDECOD,CMCLAS,CMCLASCD\nS-1,1,TYLENOL PM,PARACETAMOL,ANILIDES,N02BE\n"
            "S-1,2,DIABINESE,UNCODED,UNCODED,\n",
        )
        one, other = resources(out, "Condition")
        assert one["code"]["text"] == "VERBATIM_0728"
        assert one["code"]["coding"] == [
            {"system": "https://www.meddra.org", "code": "10020488", "display": "HYDROCELE"}
        ]
        assert said(one) == ["Coded as: HYDROCELE", "Category: GENERAL"]
        assert "coding" not in other["code"]  # PT_1 is no code of MedDRA
        assert said(other) == []
        drug, uncoded = resources(out, "MedicationStatement")
        assert said(drug) == ["Coded as: PARACETAMOL", "Class: ANILIDES (N02BE)"]
        assert said(uncoded) == []

    def test_severity_is_the_investigators_word_and_a_grade_is_told_as_one(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            AE_csv="USUBJID,AESEQ,AETERM,AESEV,AETOXGR,AECONTRT,AEPATT\nS-1,1,Rash,MODERATE,3,Y,INTERMITTENT\n"
            "S-1,2,Fall,,3,,\n",
        )
        assert [each["severity"]["text"] for each in resources(out, "AdverseEvent")] == ["MODERATE", "Grade 3"]
        assert said(resources(out, "Condition")[0]) == ["Toxicity grade: 3", "Pattern: INTERMITTENT", "Treated: Y"]

    def test_what_contradicts_itself_or_leads_to_no_drug_is_told(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            EX_csv="USUBJID,EXSEQ,EXTRT,EXSTDTC\nS-1,1,X,2013-03-01\n",
            AE_csv="USUBJID,AESEQ,AETERM,AESER,AESHOSP,AEREL,AESTDTC\n"
            "S-1,1,Pneumonia,N,Y,NONE,2013-04-01\nS-1,2,Oedema,N,N,PROBABLE,2013-02-28\n",
        )
        pneumonia, oedema = resources(out, "AdverseEvent")
        assert pneumonia["seriousness"]["text"] == "hospitalization"
        assert "suspectEntity" not in oedema  # it began before the drug
        notes = [said(each) for each in resources(out, "Condition")]
        assert notes == [["Relationship to X: NONE", "Told as non-serious beside that."], ["Causality: PROBABLE"]]

    def test_doses_in_cdiscs_international_units_and_milliequivalents(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            CM_csv="USUBJID,CMSEQ,CMTRT,CMDOSE,CMDOSU\nS-1,1,VITAMIN E,400,IU\nS-1,2,POTASSIUM,20,mEq\n",
        )
        doses = [each["dosage"][0]["doseAndRate"][0]["doseQuantity"] for each in resources(out, "MedicationStatement")]
        assert [(each["unit"], each["code"]) for each in doses] == [("IU", "[iU]"), ("mEq", "meq")]

    def test_a_date_without_its_year_is_kept_in_words_and_counted(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv="STUDYID,USUBJID,SEX,BRTHDTC\nS,S-1,F,--12-15\n",
            MH_csv="USUBJID,MHSEQ,MHTERM,MHSTDTC\nS-1,1,GOUT,--12-15\nS-1,2,FLU,--02-30\n",
            LB_csv="USUBJID,LBSEQ,LBTEST,LBORRES,LBDTC\nS-1,1,Glucose,5.1,-----T07:15\n",
        )
        (problem,) = resources(out, "Condition")
        assert said(problem) == ["MHSTDTC: --12-15."]
        assert "onsetDateTime" not in problem
        assert said(resources(out, "Observation")[0]) == ["LBDTC: -----T07:15."]
        assert "birthDate" not in resources(out, "Patient")[0]
        assert tally.unmapped["person", "BRTHDTC", "--12-15"] == 1
        ((table, _, reason),) = tally.rejected
        assert table == "mh"
        assert "is no day of the calendar" in reason

    def test_comments_stand_with_the_rows_they_are_about(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "sdtm",
            DM_csv=DM,
            AE_csv="USUBJID,AESEQ,AETERM\nS-1,1,Rash\n",
            MH_csv="USUBJID,MHSEQ,MHTERM\nS-1,1,Gout\n",
            CO_csv="USUBJID,RDOMAIN,COSEQ,IDVAR,IDVARVAL,COVAL,COVAL1\nS-1,AE,1,AESEQ,1,Began at,night\n"
            "S-1,DM,2,,,Moved house,\n",
        )
        notes = {each["code"]["text"]: said(each) for each in resources(out, "Condition")}
        assert notes == {"Rash": ["Comment: Began at night"], "Gout": []}
        (about,) = resources(out, "Observation")
        assert (about["code"]["text"], about["valueCodeableConcept"]["text"]) == ("Comment", "Moved house")
        assert tally.rows["co"] == {"read": 2, "converted": 2, "rejected": 0, "filtered": 0}


def test_a_folder_for_each_table_as_programs_for_large_tables_write_them(tmp_path: Path) -> None:
    for table, parts in {
        "person": [{"person_id": 1, "gender_concept_id": 8532, "year_of_birth": 1950}],
        "condition_occurrence.parquet": [
            {
                "condition_occurrence_id": number,
                "person_id": 1,
                "condition_concept_id": 0,
                "condition_start_date": "2001-02-03",
                "condition_source_value": "M33.1",
            }
            for number in (1, 2)
        ],
    }.items():
        folder = tmp_path / "in" / table
        folder.mkdir(parents=True)
        for number, row in enumerate(parts):
            pq.write_table(pa.Table.from_pylist([row]), folder / f"part-0000{number}-c1f0.snappy.parquet")
    convert_tables([tmp_path / "in"], "omop", tmp_path / "out", Options(form="ndjson"))
    assert len(resources(tmp_path / "out", "Condition")) == 2
    rows = [json.loads(line) for line in (tmp_path / "out" / "index" / "resources.ndjson").read_bytes().splitlines()]
    assert {each["file"] for each in rows if each["resource"].startswith("Condition")} == {
        "condition_occurrence.parquet/part-00000-c1f0.snappy.parquet",
        "condition_occurrence.parquet/part-00001-c1f0.snappy.parquet",
    }


class TestOmop:
    PERSON = "person_id,gender_concept_id,year_of_birth\n1,8532,1950\n"
    CONCEPT = (
        "concept_id,concept_name,vocabulary_id,concept_code\n"
        "320128,Essential hypertension,SNOMED,59621000\n35207668,Essential (primary) hypertension,ICD10CM,I10\n"
        "3016723,Creatinine [Mass/volume] in Serum or Plasma,LOINC,2160-0\n8840,milligram per deciliter,UCUM,mg/dL\n"
        "45884084,Positive,LOINC,LA6576-8\n32838,EHR prescription,Type Concept,OMOP4976906\n"
        "3004249,Systolic blood pressure,LOINC,8480-6\n"
    )
    MEASUREMENT = (
        "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,"
        "value_as_concept_id,unit_concept_id,value_source_value"
    )

    def test_a_condition_keeps_the_code_it_had_at_its_source(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT,
            condition_occurrence_csv="condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
            "condition_source_value,condition_source_concept_id,stop_reason\n"
            "1,1,320128,2014-01-01,I10,35207668,\n2,1,320128,2014-01-01,HTN,0,moved away\n"
            "3,1,320128,2014-01-01,59621000,320128,\n",
        )
        one, other, same = resources(out, "Condition")
        assert [(each["system"], each["code"]) for each in one["code"]["coding"]] == [
            ("http://snomed.info/sct", "59621000"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "I10"),
        ]
        assert said(other) == ["Source value: HTN", "Stop reason: moved away"]
        assert len(same["code"]["coding"]) == 1

    def test_without_its_vocabulary_a_thing_keeps_its_concepts_number(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            condition_occurrence_csv="condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
            "condition_source_value\n1,1,320128,2014-01-01,HTN\n2,1,0,2014-01-01,HTN\n3,1,320128,2014-01-01,\n",
        )
        assert [each["code"]["text"] for each in resources(out, "Condition")] == [
            "HTN (OMOP concept 320128)",
            "HTN",
            "OMOP concept 320128",
        ]

    def test_a_number_is_below_its_limit_where_its_source_says_so(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT,
            measurement_csv=f"{self.MEASUREMENT}\n1,1,3016723,2014-01-01,0,0.2,0,8840,<0.20\n"
            "2,1,3016723,2014-01-01,0,0.2,0,8840,<=0.2\n3,1,3016723,2014-01-01,0,0.2,0,8840,<0.3\n"
            "4,1,3016723,2014-01-01,,0.20,0,8840,0.2\n5,1,3016723,2014-01-01,4172704,12,0,8840,12\n",
        )
        found = resources(out, "Observation")
        assert [each["valueQuantity"].get("comparator") for each in found] == ["<", "<=", None, None, ">"]
        assert [said(each) for each in found] == [
            ["Value at the source: <0.20"],
            ["Value at the source: <=0.2"],
            ["Value at the source: <0.3"],  # another number: both are told
            [],
            [],
        ]

    def test_an_answer_keeps_its_code_and_what_else_is_said_of_it(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT,
            measurement_csv=f"{self.MEASUREMENT}\n1,1,3016723,2014-01-01,0,,45884084,0,POS\n"
            "2,1,3016723,2014-01-01,0,7,45884084,8840,7\n",
        )
        coded, number = resources(out, "Observation")
        assert coded["valueCodeableConcept"]["coding"][0]["code"] == "LA6576-8"
        assert number["valueQuantity"]["value"] == 7
        assert said(number) == ["Value as a concept: Positive"]

    def test_the_cause_of_death_and_what_kind_of_exposure_it_was(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT,
            death_csv="person_id,death_date,cause_concept_id,cause_source_value\n1,2015-05-06,320128,I10\n",
            drug_exposure_csv="drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_type_concept_id,"
            "drug_source_value,quantity,lot_number\n1,1,0,2014-01-01,32838,acetaminophen,30,0\n",
        )
        (cause,) = resources(out, "Observation")
        assert cause["code"] == {"text": "Cause of death"}
        assert cause["valueCodeableConcept"]["coding"][0]["code"] == "59621000"
        assert said(resources(out, "MedicationStatement")[0]) == ["Type: EHR prescription", "Quantity: 30"]

    def test_a_code_that_r4s_profiles_do_not_let_stand_is_counted(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT,
            measurement_csv=f"{self.MEASUREMENT}\n1,1,3004249,2014-01-01,0,120,0,0,120\n",
        )
        assert resources(out, "Observation")[0]["code"] == {"text": "Systolic blood pressure"}
        assert [(rule, column, "8480-6" in words) for rule, column, words in tally.unmapped if column == "code"] == [
            ("measurement", "code", True)
        ]

    def test_two_rows_of_one_moment_are_one_blood_pressure_unless_that_is_in_doubt(self, tmp_path: Path) -> None:
        rows = [
            f"{number},1,{concept},2014-01-0{day},0,{value},0,2000000002,{value}"
            for number, (concept, day, value) in enumerate(
                [(3004249, 1, 120), (2000000001, 1, 80), (3004249, 2, 120), (3004249, 2, 130), (2000000001, 2, 80)], 1
            )
        ]
        more = "2000000001,Diastolic blood pressure,LOINC,8462-4\n2000000002,millimeter mercury column,UCUM,mm[Hg]\n"
        out, tally = converted(
            tmp_path,
            "omop",
            person_csv=self.PERSON,
            concept_csv=self.CONCEPT + more,
            measurement_csv="\n".join([self.MEASUREMENT, *rows]) + "\n",
        )
        one, *others = sorted(resources(out, "Observation"), key=lambda each: each["effectiveDateTime"])
        assert one["code"]["coding"][0]["code"] == "85354-9"
        assert [part["valueQuantity"]["value"] for part in one["component"]] == [120, 80]
        assert sorted((each["code"]["text"], each["valueQuantity"]["value"]) for each in others) == [
            ("Diastolic blood pressure", 80), ("Systolic blood pressure", 120), ("Systolic blood pressure", 130),
        ]  # fmt: skip
        assert ["coding" in each["code"] for each in others if "Systolic" in each["code"]["text"]] == [False, False]
        assert sum(count for (_, column, _), count in tally.unmapped.items() if column == "code") == 2
        assert (tally.of("measurement")["converted"], tally.total_rejected) == (5, 0)


class TestSynthea:
    PATIENTS = "Id,BIRTHDATE,DEATHDATE,FIRST,LAST,MARITAL,RACE,ETHNICITY,GENDER\np1,1950-01-01,{},A,B,M,white,x,F\n"

    def test_codes_stand_in_the_system_that_the_row_names(self, tmp_path: Path) -> None:
        out, _ = converted(
            tmp_path,
            "synthea",
            patients_csv=self.PATIENTS.format(""),
            procedures_csv="START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION,REASONCODE,REASONDESCRIPTION\n"
            "2016-11-30T12:33:09Z,2016-11-30T12:48:09Z,p1,e1,http://snomed.info/sct,430193006,Reconciliation,,\n"
            "2016-11-30T12:33:09Z,,p1,e1,http://www.ada.org/cdt,D0120,Periodic oral evaluation,,\n",
        )
        assert sorted(each["code"]["coding"][0]["system"] for each in resources(out, "Procedure")) == [
            "http://snomed.info/sct",
            "http://www.ada.org/cdt",
        ]

    def test_the_dead_take_no_drugs(self, tmp_path: Path) -> None:
        drugs = (
            "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2010-01-01,,p1,e1,313782,Acetaminophen\n"
            "2011-01-01,2012-01-01,p1,e1,313782,Acetaminophen\n"
        )
        for dead, status in (("2012-05-06", "unknown"), ("", "active")):
            out, _ = converted(
                tmp_path / (dead or "alive"),
                "synthea",
                patients_csv=self.PATIENTS.format(dead),
                medications_csv=drugs,
            )
            assert sorted(each["status"] for each in resources(out, "MedicationStatement")) == sorted(
                [status, "completed"]
            )

    def test_an_allergy_of_versions_that_know_no_other_kind_is_an_allergy(self, tmp_path: Path) -> None:
        out, tally = converted(
            tmp_path,
            "synthea",
            patients_csv=self.PATIENTS.format(""),
            allergies_csv="START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n"
            "1951-02-03,,p1,e1,91935009,Allergy to peanuts\n",
        )
        assert resources(out, "AllergyIntolerance")[0]["type"] == "allergy"
        assert [(rule, words) for rule, _, words in tally.defaults if words == "allergy"] == [("allergy", "allergy")]
