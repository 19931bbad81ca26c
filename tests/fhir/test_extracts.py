"""Facts from tables: the source's own codes and identifiers, values with their parts, and nothing of row numbers."""

from collections.abc import Iterator
from typing import Any

import pytest

from casefhir import exactjson, library
from casefhir.fhir import convert
from casefhir.fhir.context import Json
from casefhir.record import Between, Cells, Code, Course, Measurement, Person, Problem, Told, Visit, check

from .extracts import FACTS, LOCAL, amount, extract, here, on


def every(value: Any) -> Iterator[Any]:
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every(part)


def resources(**frame: Any) -> dict[str, Json]:
    made = convert(extract(**frame), form="ndjson")
    return {each["meta"]["tag"][2]["code"].split("/", 1)[1]: each for each in made.resources}


def test_the_sample_has_no_mistakes() -> None:
    assert check(extract()) == []


@pytest.mark.parametrize("form", ["transaction", "collection", "document", "ndjson"])
def test_every_field_that_tables_fill_conforms_in_every_form(form: str) -> None:
    made = convert(extract(), form=form)  # type: ignore[arg-type]
    assert library.validate_conversion(made).findings == []


def test_a_row_number_changes_no_byte() -> None:
    moved = tuple(
        type(fact)(**{name: getattr(fact, name) for name in fact.__dataclass_fields__} | {"source": Cells("rows", 99)})
        for fact in FACTS
    )
    assert convert(extract(*moved)).to_json() == convert(extract()).to_json()


def test_no_element_is_empty() -> None:
    for value in every(convert(extract()).bundle):
        assert value not in ({}, [], "", None)


def test_the_sources_own_codes_stand_before_the_catalogues_and_none_twice() -> None:
    codings = resources()["Observation/crp-1"]["code"]["coding"]
    assert codings[0] == {"system": "http://loinc.org", "version": "2.77", "code": "1988-5"}
    assert codings[1]["system"] == LOCAL
    pairs = [(each["system"], each["code"]) for each in codings]
    assert len(pairs) == len(set(pairs)) >= 2


def test_a_converted_value_keeps_the_printed_one() -> None:
    value = resources()["Observation/crp-1"]["valueQuantity"]
    assert exactjson.write(value["extension"][0]["valueQuantity"]) == (
        b'{"value":99.0,"unit":"mg/l","system":"http://unitsofmeasure.org","code":"mg/L"}'
    )
    assert exactjson.write(value["value"]) == b"9.90"


def test_a_range_takes_unit_and_code_of_its_value() -> None:
    low = resources()["Observation/low"]["referenceRange"][0]["low"]
    assert (low["unit"], low["code"]) == ("g/L", "g/L")


def test_a_time_without_a_zone_is_a_day_with_the_words_beside_it() -> None:
    asserted = resources()["Condition/dm"]["extension"][0]
    assert asserted["valueDateTime"] == "2011-05-04"
    assert asserted["_valueDateTime"]["extension"][0]["valueString"] == "04.05.2011 8 am"


def test_the_person_is_told_as_the_table_tells() -> None:
    patient = resources()["Patient/subject"]
    assert patient["birthDate"] == "1966-07"
    assert patient["deceasedDateTime"] == "2020-05-04"
    assert {"system": "https://registry.example.org/persons", "value": "P-007"} in patient["identifier"]
    assert patient["name"] == [{"family": "Example", "given": ["Ada", "B."]}]
    masked = resources(person=Person("male", here(), birth_date_absent="masked", deceased=True))["Patient/subject"]
    assert masked["_birthDate"]["extension"][0]["valueCode"] == "masked"
    assert masked["deceasedBoolean"] is True


def test_each_file_has_its_provenance_with_the_rules_and_no_row() -> None:
    made = resources()
    assert "DocumentReference/article" not in made
    assert [key for key in made if key.startswith("Provenance")] == [
        "Provenance/file-persons", "Provenance/file-rows",
    ]  # fmt: skip
    rows = made["Provenance/file-rows"]
    assert len(rows["target"]) == len(FACTS)
    source, derivation = rows["entity"]
    assert source["what"]["identifier"] == {"system": "https://w3id.org/casefhir/file", "value": "rows.csv"}
    assert derivation["what"]["display"] == "mapping registry 1, rules lab"


def test_only_test_data_is_marked_as_such() -> None:
    assert all("security" not in each["meta"] for each in resources().values())
    assert all("security" in each["meta"] for each in resources(test_data=True).values())


def test_an_age_of_zero_is_said_in_words_for_r4_has_none() -> None:
    assert resources()["Condition/birth"]["onsetString"] == "at 0 a"


@pytest.mark.parametrize(
    ("fact", "mistake"),
    [
        (Problem("a", None, here(), codes=(Code("no uri", "x"),)), "not the URI of a system"),
        (Problem("a", None, here(), codes=(Code(LOCAL, " x"),)), "not a code"),
        (Problem("a", None, here(), text="x", body_sites=(Told("y", codes=(Code(LOCAL, ""),)),)), "not a code"),
        (Problem("a", None, here()), "neither a concept nor a text"),
        (Problem("a", None, Cells("nowhere", 1), text="x"), "whose file the case's extract does not name"),
        (Problem("a", None, here(), text="x", category="problem-list-item"), "its status has to be told"),
        (Measurement("a", "crp", amount("NaN", "mg/L"), here()), "not a number that can be measured"),
        (Measurement("a", "crp", amount("1", "kg"), here()), "does not fit"),
        (Measurement("a", None, amount("1", "x", "mg/L"), here(), text="x", printed="1"), "it should be"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_of_tables_are_told(fact: Any, mistake: str) -> None:
    assert any(mistake in str(each) for each in check(extract(fact)))


def test_a_birth_after_death_is_told() -> None:
    person = Person("female", here(), birth_date="1990", deceased=on("1980-01-01"))
    assert any("before being born" in str(each) for each in check(extract(person=person)))


def test_a_case_has_an_article_or_an_extract() -> None:
    with pytest.raises(Exception, match="in one of the two"):
        extract(extract=None, article=None)


VAGUE = ["2011", "2011-08", "2011-08-01", "2011-08-01T12:00:00Z"]


@pytest.mark.parametrize("start", VAGUE)
@pytest.mark.parametrize("end", VAGUE)
def test_ends_of_different_precision_are_written_so_that_r4_can_compare_them(start: str, end: str) -> None:
    """per-1 does not hold for a start of 2011 and an end of August 2011: the finer is written as vaguely."""
    course = Course("c", None, here(), text="x", start=on(start), end=on(end))
    made = convert(extract(course, Visit("v", here(), when=Between(start, end, here()))), form="collection")
    assert library.validate_conversion(made).findings == []
    for resource in made.resources:
        period = resource.get("effectivePeriod") or resource.get("period")
        for name, date in (("start", start), ("end", end)) if period else ():
            assert date.startswith(period[name])
            if period[name] != date:
                assert period[f"_{name}"]["extension"][0]["valueString"] == date


def test_a_flag_without_a_code_is_a_note() -> None:
    fact = Measurement("x", "crp", amount("1", "mg/L"), here(), interpretation_text="odd")
    resource = convert(extract(fact), form="ndjson").resources[1]
    assert "interpretation" not in resource
    assert {"text": "Flagged odd."} in resource["note"]
    assert "flagged odd" in resource["text"]["div"]
