"""The shipped tables: typed, exact, documented; nothing a spreadsheet would run."""

import csv
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import exactjson
from casefhir.report.bundles import Resources, read
from casefhir.report.columnar import TooManyDigits, arrow_table, parquet_bytes
from casefhir.report.csv_file import csv_bytes, guarded, unguarded
from casefhir.report.sql import BadQuery, query
from casefhir.report.tables import BadCell, Heading, Table, catalogue, shipped_views, tables, views_with
from casefhir.report.view import BadView
from casefhir.report.workbook import TooBigForExcel, workbook_bytes
from tests.report.conftest import ROOT, held, suite

SUBJECT = {"reference": "Patient/p"}
RELATIVE = "http://hl7.org/fhir/StructureDefinition/relative-date"
WORDS = "http://hl7.org/fhir/StructureDefinition/originalText"
DERIVED = "http://hl7.org/fhir/StructureDefinition/derivation-reference"


def observed(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "CK"},
        "subject": SUBJECT,
        **more,
    }


def row(name: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """The only row of table `name`."""
    (found,) = [each for each in tables(held(*resources)) if each.name == name]
    (cells,) = found.rows
    return {heading.name: cell for heading, cell in zip(found.headings, cells) if cell is not None}


def plain(name: str, kind: Any, *cells: Any) -> Table:
    return Table("t", "", (Heading(name, kind, "", ""),), tuple((each,) for each in cells))


def test_every_resource_of_the_six_cases_has_its_row(cases: Resources) -> None:
    found = {each.name: each for each in tables(cases)}
    for name, type_ in (
        ("patients", "Patient"),
        ("conditions", "Condition"),
        ("medications", "MedicationStatement"),
        ("observations", "Observation"),
        ("adverse_events", "AdverseEvent"),
        ("procedures", "Procedure"),
        ("visits", "Encounter"),
    ):
        ids = [each.id for each in cases.of_type(type_)]
        assert list(dict.fromkeys(str(cells[0]) for cells in found[name].rows)) == ids
        at = [each.name for each in found[name].headings]
        assert all(cells[at.index("source_offset")] is not None for cells in found[name].rows)
    suspects = sum(len(each.value.get("suspectEntity", [0])) for each in cases.of_type("AdverseEvent"))
    parts = sum(1 + len(each.value.get("component", [])) for each in cases.of_type("Observation"))
    assert len(found["adverse_events"].rows) == suspects
    assert len(found["observations"].rows) == parts


def test_a_bulk_export_gives_the_same_tables_as_the_bundle(tmp_path: Path) -> None:
    bundle = read([ROOT / "bundles" / "scig-antisynthetase-jo1.json"])
    types = {str(each.url): f"{each.type}/{each.id}" for each in bundle}
    for each in bundle:
        written = exactjson.write(each.value).decode("utf-8")
        written = re.sub(r"urn:uuid:[0-9a-f-]{36}", lambda found: types[found[0]], written)
        with (tmp_path / f"{each.type}.ndjson").open("a", encoding="utf-8") as stream:
            stream.write(written + "\n")
    assert tables(read([tmp_path])) == tables(bundle)


def test_every_number_of_the_six_cases_is_in_the_table_with_its_digits(cases: Resources) -> None:
    found = next(each for each in tables(cases) if each.name == "observations")
    at = [each.name for each in found.headings].index("value_written")
    wanted = [
        str(part["valueQuantity"]["value"])
        for each in cases.of_type("Observation")
        for part in (each.value, *each.value.get("component", ()))
        if "value" in part.get("valueQuantity", {})
    ]
    assert sorted(str(cells[at]) for cells in found.rows if cells[at] is not None) == sorted(wanted)
    assert wanted


def test_a_number_keeps_its_digits_and_its_units() -> None:
    quantity = {
        "value": Decimal("4.0"),
        "comparator": "<",
        "unit": "UI/l",
        "system": "http://unitsofmeasure.org",
        "code": "U/L",
    }
    found = row("observations", observed(valueQuantity=quantity))
    assert found["value"] == Decimal("4.0")
    assert (found["value_written"], found["value_comparator"]) == ("4.0", "<")
    assert (found["value_unit"], found["value_ucum"], found["value_type"]) == ("UI/l", "U/L", "Quantity")


@pytest.mark.parametrize(
    ("text", "precision", "first", "last"),
    [
        ("2012", "year", date(2012, 1, 1), date(2012, 12, 31)),
        ("2012-02", "month", date(2012, 2, 1), date(2012, 2, 29)),
        ("2012-02-03", "day", date(2012, 2, 3), date(2012, 2, 3)),
        ("2012-02-03T10:11:12Z", "time", date(2012, 2, 3), date(2012, 2, 3)),
    ],
)
def test_a_date_stays_as_precise_as_it_was(text: str, precision: str, first: date, last: date) -> None:
    found = row("observations", observed(effectiveDateTime=text))
    assert (found["effective"], found["effective_precision"]) == (text, precision)
    assert (found["effective_first"], found["effective_last"]) == (first, last)


def test_a_date_told_by_an_event_keeps_event_length_and_words() -> None:
    relative = {
        "url": RELATIVE,
        "extension": [
            {"url": "event", "valueReference": {"reference": "MedicationStatement/m"}},
            {"url": "relationship", "valueCode": "after-start"},
            {"url": "offset", "valueDuration": {"value": 9, "unit": "months", "code": "mo", "comparator": "<="}},
        ],
    }
    dated = {"_effectiveDateTime": {"extension": [{"url": WORDS, "valueString": "after 9 months"}, relative]}}
    found = row("observations", observed(**dated))
    assert "effective" not in found
    assert (found["effective_words"], found["effective_relation"]) == ("after 9 months", "after-start")
    assert (found["effective_offset"], found["effective_offset_unit"]) == (Decimal(9), "mo")
    assert (found["effective_offset_comparator"], found["effective_event_id"]) == ("<=", "m")


def test_source_places_are_kept_the_clearest_first() -> None:
    document = {"url": "reference", "valueReference": {"reference": "DocumentReference/d"}}
    places = [
        {
            "url": DERIVED,
            "extension": [document, {"url": "offset", "valueInteger": at}, {"url": "length", "valueInteger": 5}],
        }
        for at in (70, 3)
    ]
    found = row("observations", observed(extension=places))
    assert (found["source_id"], found["source_offset"], found["source_length"]) == ("d", 70, 5)
    assert found["source_places"] == "70+5 3+5"


def test_components_and_suspects_get_rows_of_their_own() -> None:
    parts = [
        {"code": {"text": "systolic"}, "valueQuantity": {"value": 120}},
        {"code": {"text": "diastolic"}, "valueQuantity": {"value": 80}},
    ]
    event = {
        "resourceType": "AdverseEvent",
        "id": "e",
        "actuality": "actual",
        "subject": SUBJECT,
        "suspectEntity": [{"instance": {"reference": f"MedicationStatement/{each}"}} for each in "ab"],
    }
    found = {each.name: each for each in tables(held(observed(component=parts), event))}
    at = [each.name for each in found["observations"].headings]
    shown = [
        (cells[at.index("component")], cells[at.index("observation_text")], cells[at.index("value")])
        for cells in found["observations"].rows
    ]
    assert shown == [(None, "CK", None), (0, "systolic", 120), (1, "diastolic", 80)]
    at = [each.name for each in found["adverse_events"].headings]
    assert [cells[at.index("suspect_id")] for cells in found["adverse_events"].rows] == ["a", "b"]


def test_every_column_is_described() -> None:
    for view in shipped_views():
        assert view.description
        assert [each.name for each in view.columns if not each.description] == []


def test_a_view_of_the_user_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    own = {"name": "patients", "resource": "Patient", "select": [{"column": [{"name": "key", "path": "id"}]}]}
    (tmp_path / "own.json").write_bytes(exactjson.write(own))
    found = {each.name: each for each in views_with([tmp_path / "own.json"])}
    assert [each.name for each in found["patients"].columns] == ["key"]
    assert len(found) == len(shipped_views())


def test_a_value_of_another_type_than_its_column_is_told(tmp_path: Path) -> None:
    column = {"name": "born", "path": "birthDate", "type": "date", "tag": [{"name": "ansi/type", "value": "DATE"}]}
    (tmp_path / "own.json").write_bytes(
        exactjson.write({"name": "patients", "resource": "Patient", "select": [{"column": [column]}]})
    )
    views = views_with([tmp_path / "own.json"])
    with pytest.raises(BadCell, match="column born: '1970' is not a whole date"):
        tables(held({"resourceType": "Patient", "birthDate": "1970"}), views)
    column["tag"] = [{"name": "ansi/type", "value": "POINT"}]
    (tmp_path / "own.json").write_bytes(
        exactjson.write({"name": "patients", "resource": "Patient", "select": [{"column": [column]}]})
    )
    with pytest.raises(BadView, match="'POINT' is not supported"):
        tables(held(), views_with([tmp_path / "own.json"]))


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1", "'=1", "-"])
def test_text_that_a_spreadsheet_would_run_gets_a_quote(text: str) -> None:
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "-0.50", "+3", "-1e3", "% predicted", "Jo-1", "O'Brien", "'quoted'", "a=b"])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


@given(st.text())
def test_the_quote_can_be_taken_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)))
def test_csv_gives_back_every_text(texts: list[str]) -> None:
    found = list(csv.reader(io.StringIO(csv_bytes(plain("a", "text", *texts)).decode("utf-8"), newline="")))
    assert [unguarded(each[0]) for each in found[1:]] == texts


@pytest.mark.parametrize("name", ["blns.json", "xss-payloads.json"])
def test_no_naughty_string_starts_a_formula_in_csv_or_workbook(name: str) -> None:
    texts = [each for each in exactjson.read((suite("naughty") / name).read_bytes()) if isinstance(each, str) and each]
    assert len(texts) > 100
    shown = plain("a", "text", *texts)
    lines = list(csv.reader(io.StringIO(csv_bytes(shown).decode("utf-8"), newline="")))[1:]
    for text, (cell,) in zip(texts, lines):
        assert cell[0] not in "=@"
        assert cell[0] not in "+-" or Decimal(cell).is_finite()
        assert unguarded(cell) == text
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([shown])))["t"]
    assert {each.data_type for each in sheet["A"][1:]} == {"s"}


def test_a_workbook_keeps_numbers_numbers_and_shows_their_digits() -> None:
    numbers = [Decimal("-4.0"), Decimal("0.010"), 7, Decimal("12345678901234567.5")]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([plain("a", "decimal", *numbers)])))["t"]
    found = [(each.value, each.data_type, each.number_format) for each in sheet["A"][1:]]
    assert found == [(-4, "n", "0.0"), (0.01, "n", "0.000"), (7, "n", "0"), ("12345678901234567.5", "s", "General")]


def test_the_same_tables_give_the_same_workbook() -> None:
    assert workbook_bytes([plain("a", "text", "x")]) == workbook_bytes([plain("a", "text", "x")])


def test_a_text_too_long_for_excel_is_told_not_cut() -> None:
    with pytest.raises(TooBigForExcel, match="row 1, column a"):
        workbook_bytes([plain("a", "text", "x" * 40_000)])


def test_parquet_gives_back_exact_decimals_dates_and_descriptions(cases: Resources) -> None:
    from pyarrow import parquet

    for each in tables(cases):
        found = parquet.read_table(io.BytesIO(parquet_bytes(each)))
        assert [tuple(row.values()) for row in found.to_pylist()] == list(each.rows)
        for heading in each.headings:
            assert found.schema.field(heading.name).metadata[b"description"].decode() == heading.description


def test_numbers_that_no_decimal_type_holds_are_told() -> None:
    with pytest.raises(TooManyDigits, match="more than 38 digits"):
        arrow_table(plain("a", "decimal", Decimal("1E+30"), Decimal("1E-20")))


def test_sql_answers_over_all_tables(cases: Resources) -> None:
    found = tables(cases)
    answer = query(
        "select count(*) as n, sum(value) as s from observations where case_id like 'scig%'", [*found, catalogue(found)]
    )
    wanted = [
        part["valueQuantity"]["value"]
        for each in cases.of_type("Observation")
        if "scig" in str(each.value["meta"])
        for part in (each.value, *each.value.get("component", ()))
        if "value" in part.get("valueQuantity", {})
    ]
    assert next(answer.as_objects())["s"] == sum(wanted)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/hostname')",
        "copy (select 1) to 'x.csv'",
        "install httpfs",
        "select * from nothing",
        "set enable_external_access = true",
        "attach 'x.db'",
        "selec",
    ],
)
def test_sql_reads_nothing_but_the_tables(statement: str) -> None:
    with pytest.raises(BadQuery, match="DuckDB refuses"):
        query(statement, [plain("a", "text", "x")])


def test_an_answer_with_two_columns_of_one_name_is_not_halved() -> None:
    with pytest.raises(BadQuery, match="name them apart"):
        list(query("select 1 as a, 2 as a", []).as_objects())
