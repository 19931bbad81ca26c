"""Generated exports in the formats that mappings come with, written to their public specifications, from a seed."""

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_xpt(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A SAS transport file; its columns are text or numbers, as SAS knows them."""
    import pandas as pd
    import pyreadstat

    path.parent.mkdir(parents=True, exist_ok=True)
    pyreadstat.write_xport(pd.DataFrame(rows), str(path), table_name=path.stem.upper())


def _day(draw: random.Random, year: int) -> str:
    return f"{year}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"


def sdtm(persons: int, seed: int = 1) -> dict[str, Rows]:
    """CDISC SDTM domains with the variables of the implementation guide that a myositis trial would fill."""
    draw = random.Random(seed)
    found: dict[str, Rows] = {
        name: []
        for name in (
            "dm",
            "mh",
            "cm",
            "ex",
            "ae",
            "lb",
            "vs",
            "pr",
            "ce",
            "suppdm",
            "suppae",
            "supplb",
        )
    }
    for number in range(1, persons + 1):
        key = {"STUDYID": "MYO01", "USUBJID": f"MYO01-{number:04d}"}
        start = _day(draw, 2020)
        found["dm"].append(
            {
                **key,
                "DOMAIN": "DM",
                "SUBJID": f"{number:04d}",
                "RFSTDTC": start,
                "BRTHDTC": str(draw.randint(1940, 1995)),
                "AGE": draw.randint(25, 80),
                "AGEU": "YEARS",
                "SEX": draw.choice("FM"),
                "RACE": "WHITE",
                "ETHNIC": "NOT HISPANIC OR LATINO",
                "ARMCD": "A",
                "ARM": "IgPro",
                "COUNTRY": "BEL",
                "DTHFL": "",
                "DTHDTC": "",
            }
        )
        for sequence, (term, occurred) in enumerate([("Dermatomyositis", "Y"), ("Dysphagia", draw.choice("YN"))], 1):
            found["mh"].append(
                {
                    **key,
                    "DOMAIN": "MH",
                    "MHSEQ": sequence,
                    "MHTERM": term,
                    "MHDECOD": term,
                    "MHPRESP": "Y",
                    "MHOCCUR": occurred,
                    "MHSTDTC": str(draw.randint(2010, 2019)),
                    "MHENDTC": "",
                    "MHENRF": "",
                }
            )
        found["cm"].append(
            {
                **key,
                "DOMAIN": "CM",
                "CMSEQ": 1,
                "CMTRT": "Prednisone",
                "CMDECOD": "PREDNISONE",
                "CMINDC": "Dermatomyositis",
                "CMDOSE": 10,
                "CMDOSU": "mg",
                "CMDOSFRQ": "QD",
                "CMROUTE": "ORAL",
                "CMSTDTC": "2019-11",
                "CMENDTC": "",
                "CMENRTPT": "ONGOING",
            }
        )
        for sequence in (1, 2):
            found["ex"].append(
                {
                    **key,
                    "DOMAIN": "EX",
                    "EXSEQ": sequence,
                    "EXTRT": "IMMUNOGLOBULIN",
                    "EXDOSE": 2,
                    "EXDOSU": "g/kg",
                    "EXDOSFRM": "SOLUTION",
                    "EXDOSFRQ": "Q4W",
                    "EXROUTE": "INTRAVENOUS",
                    "EXSTDTC": f"2020-0{sequence + 3}-01",
                    "EXENDTC": f"2020-0{sequence + 3}-05",
                }
            )
        found["ae"].append(
            {
                **key,
                "DOMAIN": "AE",
                "AESEQ": 1,
                "AETERM": "HEADACHE",
                "AEDECOD": "Headache",
                "AESEV": draw.choice(["MILD", "MODERATE", "SEVERE"]),
                "AESER": draw.choice("NY"),
                "AEACN": "DOSE NOT CHANGED",
                "AEREL": draw.choice(["RELATED", "NOT RELATED", "POSSIBLY RELATED"]),
                "AEOUT": "RECOVERED/RESOLVED",
                "AESDTH": "N",
                "AESHOSP": "N",
                "AESTDTC": "2020-05-02",
                "AEENDTC": "2020-05-03",
            }
        )
        flag = {"QLABEL": "Treatment Emergent Flag", "QVAL": "Y", "QORIG": "DERIVED", "QEVAL": "SPONSOR"}
        named = {"RDOMAIN": "AE", "IDVAR": "AESEQ", "IDVARVAL": "1"}
        found["suppae"].append({**key, **named, "QNAM": "AETRTEM", **flag})
        found["suppae"].append({**key, **named, "QNAM": "AESCAN", **flag, "QLABEL": "Involves Cancer", "QVAL": "N"})
        named = {"RDOMAIN": "DM", "IDVAR": "", "IDVARVAL": ""}
        found["suppdm"].append({**key, **named, "QNAM": "SAFETY", **flag, "QLABEL": "Safety Population Flag"})
        named = {"RDOMAIN": "LB", "IDVAR": "LBSEQ", "IDVARVAL": "       2"}
        found["supplb"].append({**key, **named, "QNAM": "LBCLSIG", **flag, "QLABEL": "Clinically Significant"})
        sequence = 0
        for month in (4, 5, 6):
            for code, test, unit, low, high, value in (
                ("CK", "Creatine Kinase", "U/L", "30", "170", f"{draw.randint(20, 4000)}"),
                ("CRP", "C Reactive Protein", "mg/L", "", "5", draw.choice(["<0.2", "4.0", "22.7"])),
                ("IGG", "Immunoglobulin G", "g/L", "7.0", "16.0", f"{draw.uniform(3, 25):.2f}"),
                ("JO1AB", "Anti-Jo-1", "", "", "", draw.choice(["NEGATIVE", "POSITIVE"])),
            ):
                sequence += 1
                done = draw.random() > 0.1
                found["lb"].append(
                    {
                        **key,
                        "DOMAIN": "LB",
                        "LBSEQ": sequence,
                        "LBTESTCD": code,
                        "LBTEST": test,
                        "LBCAT": "CHEMISTRY",
                        "LBORRES": value if done else "",
                        "LBORRESU": unit if done else "",
                        "LBORNRLO": low if done else "",
                        "LBORNRHI": high if done else "",
                        "LBSTRESC": value if done else "",
                        "LBSTRESU": unit if done else "",
                        "LBNRIND": "",
                        "LBSTAT": "" if done else "NOT DONE",
                        "LBREASND": "",
                        "LBLOINC": "",
                        "VISITNUM": month,
                        "LBDTC": f"2020-0{month}-01T08:30",
                        "LBDY": month * 30,
                    }
                )
        for sequence, (code, test, value, unit) in enumerate(
            [
                ("SYSBP", "Systolic Blood Pressure", "128", "mmHg"),
                ("DIABP", "Diastolic Blood Pressure", "082", "mmHg"),
                ("TEMP", "Temperature", "097.8", "F"),
                ("HEIGHT", "Height", "66.5", "in"),
                ("WEIGHT", "Weight", f"{draw.uniform(50, 99):.1f}", "kg"),
            ],
            1,
        ):
            found["vs"].append(
                {
                    **key,
                    "DOMAIN": "VS",
                    "VSSEQ": sequence,
                    "VSTESTCD": code,
                    "VSTEST": test,
                    "VSORRES": value,
                    "VSORRESU": unit,
                    "VSSTAT": "",
                    "VSLOC": "",
                    "VSPOS": "SITTING" if code.endswith("BP") else "",
                    "VISITNUM": 1,
                    "VSDTC": "2020-04-01",
                }
            )
        found["pr"].append(
            {
                **key,
                "DOMAIN": "PR",
                "PRSEQ": 1,
                "PRTRT": "Muscle biopsy",
                "PRDECOD": "",
                "PROCCUR": draw.choice("YN"),
                "PRLOC": "DELTOID",
                "PRINDC": "",
                "PRSTDTC": "2019-10",
                "PRENDTC": "",
            }
        )
        found["ce"].append(
            {
                **key,
                "DOMAIN": "CE",
                "CESEQ": 1,
                "CETERM": "Myalgia",
                "CEDECOD": "Myalgia",
                "CEPRESP": "Y",
                "CEOCCUR": "Y",
                "CESTAT": "",
                "CESEV": "MODERATE",
                "CESTDTC": "2020-04",
                "CEENDTC": "2020-06",
            }
        )
        found["ce"].append(
            {**found["ce"][-1], "CESEQ": 2, "CETERM": "Chills", "CEDECOD": "Chills", "CEOCCUR": "",
             "CESTAT": "NOT DONE", "CESEV": "", "CESTDTC": "", "CEENDTC": ""}
        )  # fmt: skip
        found["lb"].append(
            {**found["lb"][0], **key, "LBSEQ": 90, "LBTESTCD": "CK", "LBTEST": "Creatine Kinase",
             "LBCAT": "URINALYSIS", "LBORRES": "3", "LBORRESU": "U/L", "LBSTAT": ""}
        )  # fmt: skip
    return found


CONCEPTS: list[tuple[int, str, str, str]] = [
    (0, "No matching concept", "None", "No matching concept"),
    (1, "FEMALE", "Gender", "F"),
    (2, "MALE", "Gender", "M"),
    (3, "White", "Race", "5"),
    (4, "Not Hispanic or Latino", "Ethnicity", "Not Hispanic"),
    (5, "Outpatient Visit", "Visit", "OP"),
    (10, "Dermatomyositis", "SNOMED", "396230008"),
    (11, "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma", "LOINC", "2157-6"),
    (12, "C reactive protein [Mass/volume] in Serum or Plasma", "LOINC", "1988-5"),
    (13, "rituximab", "RxNorm", "121191"),
    (14, "Systolic blood pressure", "LOINC", "8480-6"),
    (15, "Diastolic blood pressure", "LOINC", "8462-4"),
    (20, "unit per liter", "UCUM", "U/L"),
    (21, "milligram per liter", "UCUM", "mg/L"),
    (22, "millimeter mercury column", "UCUM", "mm[Hg]"),
    (30, "<", "Meas Value Operator", "<"),
    (31, "=", "Meas Value Operator", "="),
    (40, "Intravenous", "SNOMED", "47625008"),
    (41, "Positive", "SNOMED", "10828004"),
]
"""Concepts with ids of their own; codes are those of the project's verified table."""


def omop(persons: int, seed: int = 1) -> dict[str, Rows]:
    """OMOP CDM 5.4 tables with their required columns and the usual others."""
    draw = random.Random(seed)
    names = (
        "person",
        "visit_occurrence",
        "condition_occurrence",
        "drug_exposure",
        "measurement",
        "observation",
        "procedure_occurrence",
        "death",
    )
    found: dict[str, Rows] = {name: [] for name in names}
    found["concept"] = [
        {
            "concept_id": key,
            "concept_name": name,
            "domain_id": "",
            "vocabulary_id": vocabulary,
            "concept_class_id": "",
            "standard_concept": "S",
            "concept_code": code,
            "valid_start_date": "1970-01-01",
            "valid_end_date": "2099-12-31",
            "invalid_reason": "",
        }
        for key, name, vocabulary, code in CONCEPTS
    ]
    for person in range(1, persons + 1):
        visit = person * 10
        found["person"].append(
            {
                "person_id": person,
                "gender_concept_id": draw.choice([1, 2]),
                "year_of_birth": draw.randint(1940, 1990),
                "month_of_birth": draw.choice(["", 3]),
                "day_of_birth": "",
                "birth_datetime": "",
                "race_concept_id": 3,
                "ethnicity_concept_id": 4,
                "person_source_value": f"S{person}",
                "gender_source_value": "F",
            }
        )
        found["visit_occurrence"].append(
            {
                "visit_occurrence_id": visit,
                "person_id": person,
                "visit_concept_id": 5,
                "visit_start_date": "2020-03-01",
                "visit_end_date": "2020-03-01",
                "visit_type_concept_id": 0,
            }
        )
        found["condition_occurrence"] += [
            {
                "condition_occurrence_id": visit + place,
                "person_id": person,
                "condition_concept_id": concept,
                "condition_start_date": "2019-05-01",
                "condition_end_date": "",
                "condition_type_concept_id": 0,
                "stop_reason": "",
                "visit_occurrence_id": visit,
                "condition_source_value": source,
            }
            for place, (concept, source) in enumerate([(10, "M33.1"), (0, "local rash code")])
        ]
        found["drug_exposure"].append(
            {
                "drug_exposure_id": visit,
                "person_id": person,
                "drug_concept_id": 13,
                "drug_exposure_start_date": "2020-03-01",
                "drug_exposure_end_date": "2020-03-01",
                "verbatim_end_date": "",
                "drug_type_concept_id": 0,
                "stop_reason": "",
                "quantity": "",
                "days_supply": "",
                "sig": "1000 mg once",
                "route_concept_id": 40,
                "visit_occurrence_id": visit,
                "drug_source_value": "rituximab",
                "route_source_value": "",
                "dose_unit_source_value": "",
            }
        )
        for place, (concept, operator, number, unit, high) in enumerate(
            [
                (11, 31, draw.randint(20, 4000), 20, 170),
                (12, 30, "0.2", 21, 5),
                (12, "", "", 21, 5),
                (11, "", "12.50", 0, ""),
                (14, "", 100 + person, 22, 140),
                (15, "", 60 + person, 22, 90),
            ]
        ):
            found["measurement"].append(
                {
                    "measurement_id": visit + place,
                    "person_id": person,
                    "measurement_concept_id": concept,
                    "measurement_date": "2020-03-01",
                    "measurement_datetime": "",
                    "measurement_type_concept_id": 0,
                    "operator_concept_id": operator,
                    "value_as_number": number,
                    "value_as_concept_id": "" if number else 41,
                    "unit_concept_id": unit,
                    "range_low": "",
                    "range_high": high,
                    "visit_occurrence_id": visit,
                    "measurement_source_value": "x",
                    "unit_source_value": "IU/L" if not unit else "",
                    "value_source_value": "",
                }
            )
        found["observation"].append(
            {
                "observation_id": visit,
                "person_id": person,
                "observation_concept_id": 0,
                "observation_date": "2020-03-01",
                "observation_type_concept_id": 0,
                "value_as_number": "",
                "value_as_string": "never",
                "value_as_concept_id": "",
                "visit_occurrence_id": visit,
                "observation_source_value": "smoking",
                "unit_source_value": "",
                "qualifier_source_value": "",
                "value_source_value": "",
            }
        )
        found["procedure_occurrence"].append(
            {
                "procedure_occurrence_id": visit,
                "person_id": person,
                "procedure_concept_id": 0,
                "procedure_date": "2019-06-01",
                "procedure_end_date": "",
                "procedure_type_concept_id": 0,
                "visit_occurrence_id": visit,
                "procedure_source_value": "muscle biopsy",
            }
        )
        if person % 5 == 0:
            found["death"].append({"person_id": person, "death_date": "2023-01-02", "death_type_concept_id": 0})
    return {name: rows for name, rows in found.items() if rows}


def redcap(persons: int, seed: int = 1) -> dict[str, Rows]:
    """A REDCap flat export (raw) with events, a repeating instrument, checkboxes; and its data dictionary."""
    draw = random.Random(seed)
    dictionary = [
        ("record_id", "text", "Record ID", "", ""),
        ("sex", "radio", "Sex", "1, Female | 2, Male", ""),
        ("dob", "text", "Date of birth", "", "date_ymd"),
        ("visit_date", "text", "Date of visit", "", "date_ymd"),
        ("ck", "text", "Creatine kinase", "", "number"),
        ("crp", "text", "C-reactive protein", "", "number"),
        ("weakness", "dropdown", "Weakness of the arms", "0, None | 1, Mild | 2, Severe", ""),
        ("skin", "checkbox", "Skin signs", "1, Heliotrope rash | 2, Gottron papules", ""),
    ]
    headings = (
        "Variable / Field Name",
        "Field Type",
        "Field Label",
        "Choices, Calculations, OR Slider Labels",
        "Text Validation Type OR Show Slider Number",
    )
    records: Rows = []
    blank = {
        "sex": "",
        "dob": "",
        "visit_date": "",
        "ck": "",
        "crp": "",
        "weakness": "",
        "skin___1": "",
        "skin___2": "",
    }
    for person in range(1, persons + 1):
        head = {
            "record_id": person,
            "redcap_event_name": "baseline_arm_1",
            "redcap_repeat_instrument": "",
            "redcap_repeat_instance": "",
        }
        records.append(
            head
            | blank
            | {
                "sex": draw.choice("12"),
                "dob": _day(draw, 1970),
                "skin___1": draw.choice("01"),
                "skin___2": "0",
                "visit_date": "2021-01-05",
                "weakness": draw.choice("012"),
                "baseline_complete": "2",
            }
        )
        for instance in (1, 2):
            records.append(
                head
                | {"redcap_repeat_instrument": "labs", "redcap_repeat_instance": instance}
                | blank
                | {
                    "visit_date": f"2021-0{instance}-05",
                    "ck": draw.randint(20, 3000),
                    "crp": draw.choice(["4.0", "<5"]),
                    "baseline_complete": "",
                }
            )
    return {"dictionary": [dict(zip(headings, row)) for row in dictionary], "records": records}


def phenopackets(persons: int, seed: int = 1) -> list[dict[str, Any]]:
    """Phenopackets 2 as protobuf's JSON writes them."""
    draw = random.Random(seed)

    def packet(number: int) -> dict[str, Any]:
        return {
            "id": f"packet-{number}",
            "subject": {
                "id": f"patient-{number}",
                "dateOfBirth": f"{draw.randint(1950, 2010)}-03-01T00:00:00Z",
                "sex": draw.choice(["MALE", "FEMALE"]),
                "vitalStatus": {"status": "ALIVE"},
            },
            "phenotypicFeatures": [
                {"type": {"id": "HP:0003326", "label": "Myalgia"}, "onset": {"age": {"iso8601duration": "P40Y"}}},
                {"type": {"id": "HP:0002015", "label": "Dysphagia"}, "excluded": True},
            ],
            "diseases": [
                {
                    "term": {"id": "MONDO:0016367", "label": "dermatomyositis"},
                    "onset": {"age": {"iso8601duration": "P41Y2M"}},
                }
            ],
            "measurements": [
                {
                    "assay": {"id": "LOINC:2157-6", "label": "Creatine kinase"},
                    "value": {
                        "quantity": {
                            "unit": {"id": "UO:0000179", "label": "U/L"},
                            "value": draw.randint(20, 4000),
                            "referenceRange": {"unit": {"id": "UO:0000179", "label": "U/L"}, "low": 30, "high": 170},
                        }
                    },
                    "timeObserved": {"timestamp": "2020-04-05T10:00:00Z"},
                }
            ],
            "medicalActions": [
                {
                    "treatment": {
                        "agent": {"id": "RXNORM:121191", "label": "rituximab"},
                        "routeOfAdministration": {"id": "NCIT:C38276", "label": "Intravenous Route of Administration"},
                        "doseIntervals": [
                            {
                                "quantity": {"unit": {"id": "UO:0000022", "label": "mg"}, "value": 1000},
                                "scheduleFrequency": {"id": "NCIT:C64576", "label": "Once"},
                                "interval": {"start": "2020-05-01T00:00:00Z", "end": "2020-05-02T00:00:00Z"},
                            },
                            {
                                "quantity": {"unit": {"id": "UO:0000022", "label": "mg"}, "value": 500},
                                "scheduleFrequency": {"id": "NCIT:C64576", "label": "Once"},
                                "interval": {"start": "2020-11-01T00:00:00Z", "end": "2020-11-02T00:00:00Z"},
                            },
                        ],
                    }
                },
                {"procedure": {"code": {"id": "NCIT:C51895", "label": "Muscle Biopsy"}}},
            ],
            "metaData": {"created": "2024-01-01T00:00:00Z", "createdBy": "x", "phenopacketSchemaVersion": "2.0"},
        }

    return [packet(number) for number in range(1, persons + 1)]


def write(folder: Path, tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> Path:
    """The tables as CSV files in `folder`."""
    for name, rows in tables.items():
        write_csv(folder / f"{name}.csv", list(rows))
    return folder


def write_json(path: Path, documents: Sequence[Mapping[str, Any]]) -> Path:
    """A list of documents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(documents, indent=1), encoding="utf-8")
    return path.parent
