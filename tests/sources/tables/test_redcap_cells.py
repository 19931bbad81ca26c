"""Exports of REDCap that are no flat ones of raw values, or that hold what dictionaries do not tell, are read as the
flat one would be: one value a row, decimal commas, codes for missing data, the API's names of the dictionary's columns.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from casefhir.sources.tables.drafting.draft import draft_mapping
from casefhir.tables import Options, Tally, convert_tables

HEADINGS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?",
)  # fmt: skip
OF_API = (
    "field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
    "field_note", "text_validation_type_or_show_slider_number", "text_validation_min", "text_validation_max",
    "identifier",
)  # fmt: skip
FIELDS = [
    ("record_id", "visit", "", "text", "Record", "", "", "", "", "", ""),
    ("sex", "visit", "", "radio", "Sex", "1, Female | 2, Male", "", "", "", "", ""),
    ("seen", "visit", "", "text", "Seen on", "", "", "date_dmy", "", "", ""),
    ("weight", "visit", "", "text", "Weight", "", "kg", "number_1dp_comma_decimal", "", "", ""),
    ("ck", "visit", "", "text", "CK", "", "", "number", "0", "", ""),
    ("zip", "visit", "", "text", "Postal code", "", "", "postalcode_germany", "", "", ""),
    ("remark", "visit", "", "text", "Remark", "", "", "", "", "", ""),
    ("region", "visit", "", "dropdown", "Region", "NA, North | EU, Europe", "", "", "", "", ""),
    ("skin", "visit", "", "checkbox", "Skin", "1, Rash | OTH, Other", "", "", "", "", ""),
]
COLUMNS = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,seen,weight,ck,zip,remark,region,skin___1,skin___oth"  # noqa: E501
ROWS = [
    "1,base_arm_1,,,1,2020-01-02,70.5,120,10115,well,EU,1,0",
    "1,more_arm_1,,1,,2020-02-02,,<20,,,,0,1",
    "2,base_arm_1,,,2,,,,,,,0,0",
]


def converted(folder: Path, header: str, *rows: str, headings: tuple[str, ...] = HEADINGS) -> tuple[Path, Tally]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dictionary.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([headings, *FIELDS])
    (folder / "records.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "out", convert_tables([folder], "redcap", folder / "out", Options(form="ndjson", test_data=True))


def output(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.ndjson"))}


def observations(out: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (out / "Observation.ndjson").read_text().splitlines():
        told = json.loads(line)
        found.setdefault(told["code"]["text"], []).append(told)
    return found


def reason(told: dict[str, Any]) -> str:
    return told["dataAbsentReason"]["coding"][0]["code"]


def eav(*, labels: bool = False) -> list[str]:
    names = COLUMNS.split(",")
    choices = {"sex": {"1": "Female", "2": "Male"}, "region": {"EU": "Europe"}, "skin": {"1": "Rash", "oth": "Other"}}
    lines = []
    for row in ROWS:
        cells = dict(zip(names, row.split(",")))
        where = [cells[name] for name in names[:4]]
        for name in names[4:]:
            stem, box, code = name.partition("___")
            value = cells[name] if not box else {"1": "OTH" if code == "oth" else code}.get(cells[name], "")
            if labels:
                value = choices.get(stem, {}).get(value.lower() if box else value, value)
            if value:
                lines.append(",".join([*where, stem, value]))
    return lines


EAV = "record,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,field_name,value"


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return output(converted(tmp_path_factory.mktemp("flat"), COLUMNS, *ROWS)[0])


def test_one_value_a_row_becomes_what_the_flat_export_becomes(tmp_path: Path, flat: dict[str, bytes]) -> None:
    out, tally = converted(tmp_path / "eav", EAV, *eav())
    assert output(out) == flat
    assert tally.rows["records"]["read"] == 3
    assert output(converted(tmp_path / "labels", EAV, *eav(labels=True))[0]) == flat


def test_a_field_that_is_told_twice_is_rejected_and_nothing_else(tmp_path: Path) -> None:
    out, tally = converted(tmp_path, EAV, *eav()[:4], "1,base_arm_1,,,weight,71.5", *eav()[4:])
    assert tally.total_rejected == 1
    (reject,) = csv.DictReader((out / "rejects" / "records.csv").open(newline=""))
    assert reject["casefhir_reason"].startswith("weight is told twice, as '70.5' too")
    assert (reject["record_id"], reject["weight"], reject["casefhir_row"]) == ("1", "71.5", "6")
    assert [each["valueQuantity"]["value"] for each in observations(out)["Weight"]] == [70.5]


def test_the_apis_dictionary_is_the_interfaces(tmp_path: Path, flat: dict[str, bytes]) -> None:
    assert output(converted(tmp_path / "api", COLUMNS, *ROWS, headings=OF_API)[0]) == flat


def test_decimal_commas_are_read_where_the_dictionary_says_that_they_are_some(
    tmp_path: Path, flat: dict[str, bytes]
) -> None:
    rows = [row.replace("70.5", '"70,5"') for row in ROWS]
    assert output(converted(tmp_path / "comma", COLUMNS, *rows)[0]) == flat
    _, tally = converted(tmp_path / "elsewhere", COLUMNS, *[row.replace("120", '"1,20"') for row in ROWS])
    assert tally.total_rejected == 1  # of CK it says otherwise


def test_a_postal_code_is_no_quantity(tmp_path: Path) -> None:
    out, _ = converted(tmp_path, COLUMNS, *ROWS)
    (code,) = observations(out)["Postal code"]
    assert code["valueCodeableConcept"]["text"] == "10115"


def test_what_has_a_column_beside_the_choices_is_a_code_for_missing_data_everywhere(tmp_path: Path) -> None:
    out, tally = converted(
        tmp_path,
        f"{COLUMNS},skin____99,skin___nask",
        "1,a,,,-99,,-99,-99,NASK,-99,NA,0,0,1,0",
        "1,b,,,1,,,,,-98,,0,0,0,1",
    )
    assert not tally.rejected
    told = observations(out)
    assert [reason(*told[name]) for name in ("Weight", "CK", "Postal code")] == ["unknown", "unknown", "not-asked"]
    assert sorted(each.get("valueCodeableConcept", {}).get("text") or reason(each) for each in told["Remark"]) == [
        "-98",
        "unknown",
    ]
    assert sorted(map(reason, told["Skin"])) == ["not-asked", "unknown"]
    assert told["Region"][0]["valueCodeableConcept"]["text"] == "North"  # a choice of its own comes first
    assert not [words for *_, words in tally.unmapped if "missing" in words]


@pytest.mark.parametrize("code", ["NI", "UNK", "MSK"])
def test_redcaps_own_codes_are_such_where_they_can_be_no_values(tmp_path: Path, code: str) -> None:
    out, tally = converted(tmp_path, COLUMNS, f"1,a,,,1,{code},,{code},,{code},{code},0,0")
    assert not tally.rejected
    told = observations(out)
    assert reason(*told["CK"]) == ("masked" if code == "MSK" else "unknown")
    assert reason(*told["Region"])
    assert told["Remark"][0]["valueCodeableConcept"]["text"] == code  # anything may stand in a text


@pytest.mark.parametrize("number", ["-99", "-999", "-88"])
def test_numbers_that_are_rather_codes_are_no_quantities(tmp_path: Path, number: str) -> None:
    out, _ = converted(tmp_path, COLUMNS, f"1,a,,,1,,{number},{number},,,,0,0", "2,a,,,1,,,-9.5,,,,0,0")
    told = observations(out)
    assert told["Weight"][0]["valueCodeableConcept"]["text"] == number
    assert [each.get("valueQuantity", {}).get("value") for each in told["CK"]] in ([None, -9.5], [-9.5, None])


def test_a_draft_knows_the_apis_dictionary_too(tmp_path: Path) -> None:
    converted(tmp_path, EAV, *eav(), headings=OF_API)
    assert draft_mapping([tmp_path / "records.csv", tmp_path / "dictionary.csv"]).startswith(
        "# These tables are redcap"
    )


EVENTS = "event_name,arm_num,day_offset,unique_event_name"


@pytest.mark.parametrize(
    ("events", "labels"),
    [
        (["Base,1,0,base_arm_1", "More,1,9,more_arm_1"], ("Base", "More")),
        (["Base,1,0,base_arm_1", "More,1,9,more_arm_1"], ("Base (Arm 1: Drug (A))", "More (Arm 1: Drug (A))")),
        (
            ["Base,1,0,base_arm_1", "Base,2,0,base_arm_2", "More,1,9,more_arm_1"],
            ("Base (Arm 1: A)", "More (Arm 1: A)"),
        ),
    ],
)
def test_labels_of_events_are_read_by_the_list_of_events(
    tmp_path: Path, flat: dict[str, bytes], events: list[str], labels: tuple[str, str]
) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "events.csv").write_text("\n".join([EVENTS, *events]) + "\n")
    rows = [row.replace("base_arm_1", labels[0]).replace("more_arm_1", labels[1]) for row in ROWS]
    assert output(converted(tmp_path / "labels", COLUMNS, *rows)[0]) == flat


def test_a_label_of_events_of_two_arms_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"{EVENTS}\nBase,1,0,base_arm_1\nBase,2,0,base_arm_2\n")
    _, tally = converted(tmp_path, COLUMNS, *[row.replace("base_arm_1", "Base") for row in ROWS])
    assert tally.total_rejected == 2
    assert all("In redcap_event_name" in reason and "may be the choice" in reason for *_, reason in tally.rejected)
