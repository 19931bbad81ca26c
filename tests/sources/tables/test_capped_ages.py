"""Of persons above the age that is capped, neither the date of birth nor anything that shows it comes out."""

import re
from decimal import Decimal

import pytest

from casefhir.record import Age, Case, Measurement, Problem, Quantity, Relative
from tests.sources.tables.tables import loaded, one

TEXT = """
[tables.dm]
key = ["ID"]
[tables.mh]
key = ["ID"]
[tables.lb]
key = ["ID"]
[person]
table = "dm"
sex = "SEX"
birth_date = "BORN"
deceased_date = "DIED"
[[problem]]
name = "mh"
table = "mh"
key = ["SEQ"]
concept = "TERM"
onset = { age = "AGE" }
asserted = "FOUND"
[[course]]
name = "drug"
table = "mh"
key = ["SEQ"]
where = "DRUG != ''"
drug = "DRUG"
start = { age = "AGE" }
[[visit]]
name = "sv"
table = "lb"
key = ["SEQ"]
when = "SEEN"
[[measurement]]
name = "lab"
table = "lb"
key = ["SEQ"]
concept = "TEST"
codes = [{ system = "http://loinc.org", code = "LOINC" }]
value = "RES"
unit = "UNIT"
when = "DAY"
visit = "SEQ"
"""
CAP = "[privacy]\nage_cap = 89\n"
MOVED = CAP + "shift_dates = 100\nhash_keys = true\n"
DM = {"ID": "1", "SEX": "F", "BORN": "", "DIED": "", "LAST": ""}
MH = {"ID": "1", "SEQ": "1", "TERM": "Rash", "AGE": "", "FOUND": "", "DRUG": ""}
LB = {"ID": "1", "SEQ": "1", "TEST": "CK", "LOINC": "", "RES": "5", "UNIT": "", "DAY": "", "SEEN": ""}


def case(privacy: str = CAP, dm: dict[str, str] | None = None, mh: dict[str, str] | None = None,
         lb: list[dict[str, str]] | None = None) -> Case:  # fmt: skip
    tables = {"dm": [DM | (dm or {})], "mh": [MH | (mh or {})], "lb": [LB | each for each in lb or [{}]]}
    found = one(TEXT + privacy, tables)
    assert found.case is not None, found.rejects
    return found.case


def problem(of: Case) -> Problem:
    return next(fact for fact in of.facts if isinstance(fact, Problem))


def result(of: Case) -> Measurement:
    return next(fact for fact in of.facts if isinstance(fact, Measurement))


@pytest.mark.parametrize("privacy", [CAP, MOVED])
@pytest.mark.parametrize(
    ("last", "told"), [("2020-06-01", True), ("2025-06-01", False), ("2025", False), ("2019", True), ("", False)]
)
def test_ages_are_counted_up_to_a_date_of_the_person(privacy: str, last: str, told: bool) -> None:
    """Born in 1935: 85 in 2020, 90 in 2025; and 90 when the mapping is recorded, which counts for a blank one."""
    found = case(privacy + 'age_on = "LAST"\n', {"BORN": "1935-03-01", "LAST": last})
    assert (found.person.birth_date is not None) is told
    assert found.person.birth_date_absent == ("unknown" if found.person.birth_date else "masked")


@pytest.mark.parametrize(("day", "told"), [("2024-06-30", True), ("2026-02-28", False)])
def test_or_up_to_that_of_the_extract(day: str, told: bool) -> None:
    found = case(CAP + f'age_on = {{ const = "{day}" }}\n', {"BORN": "1935-07-01"})
    assert (found.person.birth_date is not None) is told


@pytest.mark.parametrize(
    ("born", "told"), [("1936-01-02", True), ("1935-12-31", False), ("1936", False), ("1937", True)]
)
def test_else_up_to_the_day_that_the_mapping_is_recorded(born: str, told: bool) -> None:
    """HEAD is recorded on the first of January 2026: on it 90 years are completed."""
    assert (case(CAP, {"BORN": born}).person.birth_date is not None) is told


def test_but_up_to_the_last_date_of_the_facts_if_that_is_later() -> None:
    const = CAP + 'age_on = { const = "2015-01-01" }\n'
    assert case(const, {"BORN": "1930-01-01"}).person.birth_date == "1930-01-01"
    assert case(const, {"BORN": "1930-01-01"}, lb=[{"DAY": "2021-03-04"}]).person.birth_date is None
    assert case(const, {"BORN": "1930-01-01"}, {"FOUND": "2021"}).person.birth_date is None


def test_the_dead_grow_no_older() -> None:
    found = case(CAP, {"BORN": "1920-01-01", "DIED": "1999-05-05"})
    assert found.person.birth_date == "1920-01-01"
    assert case(CAP, {"BORN": "1900-01-01", "DIED": "1999-05-05"}).person.birth_date is None


@pytest.mark.parametrize("privacy", [CAP, MOVED])
def test_who_is_above_the_cap_has_no_age_that_could_be_reckoned_on(privacy: str) -> None:
    found = case(
        privacy,
        {"BORN": "1930-01-01"},
        {"AGE": "45", "FOUND": "1975-06-01", "DRUG": "Methotrexate"},
        [{"TEST": "age", "RES": "85", "UNIT": "years", "DAY": "2015-02-01"}],
    )
    assert found.person.birth_date is None
    assert problem(found).onset is None
    assert (result(found).value, result(found).absent_code) == (None, "masked")
    starts = [fact.start for fact in found.facts if hasattr(fact, "start")]
    assert all(isinstance(each, Relative) and each.offset is None and each.words is None for each in starts)
    assert not re.search(r"\b(45|85)\b", repr([found.person, *found.facts]))


def test_an_age_beside_a_date_tells_that_a_person_is_above_it() -> None:
    """85 in 2015 is 95 in 2026; the age alone, or 60 in 2015, tells nothing."""
    age = {"TEST": "age", "RES": "85", "UNIT": "years"}
    assert result(case(CAP, lb=[age | {"DAY": "2015-02-01"}])).absent_code == "masked"
    assert result(case(CAP, lb=[age | {"SEEN": "2015-02-01"}])).absent_code == "masked"  # the day of its visit
    assert result(case(CAP, lb=[age])).value == Quantity(Decimal(85), "years", None)
    younger = case(CAP, lb=[age | {"RES": "60", "DAY": "2015-02-01"}])
    assert result(younger).value == Quantity(Decimal(60), "years", None)
    assert problem(case(CAP, {}, {"AGE": "85", "FOUND": "2015"})).onset is None
    assert isinstance(problem(case(CAP, {}, {"AGE": "60", "FOUND": "2015"})).onset, Age)


def test_one_age_above_it_hides_the_others_and_the_birth() -> None:
    found = case(CAP + 'age_on = { const = "2000-01-01" }\n', {"BORN": "1920-01-01", "DIED": ""}, {"AGE": "45"},
                 [{"TEST": "age", "RES": "93", "UNIT": "years"}])  # fmt: skip
    assert found.person.birth_date is None
    assert problem(found).onset is None
    assert result(found).value == Quantity(Decimal(89), "years", ">")


@pytest.mark.parametrize(
    ("res", "unit", "code"),
    [("93", "years", ""), ("1116", "months", ""), ("93", "", "30525-0"), ("90-95", "years", ""), ("over 93", "", "")],
)
def test_ages_are_capped_however_they_are_written(res: str, unit: str, code: str) -> None:
    made = result(case(CAP, lb=[{"TEST": "Alter" if code else "age", "LOINC": code, "RES": res, "UNIT": unit}]))
    assert made.value in (None, Quantity(Decimal(89), "years", ">"))
    assert (made.value is None) == (made.absent_code == "masked")
    assert "93" not in repr(made)
    assert "1116" not in repr(made)


def test_what_was_told_exactly_is_not_told_in_a_note() -> None:
    found = case(CAP, {}, {"AGE": "P93Y2M3D"})
    assert problem(found).onset == Age(Quantity(Decimal(89), "years", ">"), problem(found).source)
    assert not problem(found).notes


def test_what_is_said_of_an_age_goes_with_it() -> None:
    rule = """
[[measurement]]
name = "age"
table = "mh"
key = ["SEQ"]
concept = { const = "age" }
value = "AGE"
unit = { expr = "(AGE + '').matches('^[0-9]+$') ? 'years' : ''" }
notes = [{ expr = "'As told: ' + AGE" }]
"""
    told = {}
    for age in ("93", "45"):
        found = one(
            TEXT.replace('onset = { age = "AGE" }', "") + rule + CAP,
            {"dm": [DM], "mh": [MH | {"AGE": age}], "lb": [LB]},
        )
        assert found.case is not None, found.rejects
        told[age] = next(fact for fact in found.case.facts if isinstance(fact, Measurement) and fact.concept == "age")
    assert (told["93"].value, told["93"].notes) == (Quantity(Decimal(89), "years", ">"), ())
    assert (told["45"].value, told["45"].notes) == (Quantity(Decimal(45), "years", None), ("As told: 45",))


def test_nor_in_that_of_a_problem_that_is_refuted() -> None:
    text = TEXT.replace("onset =", 'certainty = "SURE"\nonset =')
    found = one(text + CAP, {"dm": [DM], "mh": [MH | {"AGE": "93", "SURE": "refuted"}], "lb": [LB]})
    assert found.case is not None
    assert "93" not in repr(problem(found.case).notes)


def test_without_a_cap_nothing_is_left_out() -> None:
    found = case("", {"BORN": "1920-01-01"}, {"AGE": "95", "FOUND": "2015"})
    assert found.person.birth_date == "1920-01-01"
    assert problem(found).onset == Age(Quantity(Decimal(95), "years"), problem(found).source)


def test_it_can_be_a_date_of_another_table() -> None:
    assert loaded(TEXT + CAP + 'age_on = { table = "lb", column = "DAY" }\n')
