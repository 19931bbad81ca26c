"""Systolic and diastolic pressure in rows of their own become one, where there is no doubt; otherwise they stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.fhir import convert
from casefhir.record import Case, Cells, Measurement, cells_of, check
from casefhir.sources.tables.load import MappingError
from casefhir.sources.tables.plan import Mapped
from tests.sources.tables.tables import PERSON, one
from tests.thorough import examples

TEXT = (
    PERSON
    + """
[tables.sv]
key = ["ID"]
optional = true
[[visit]]
name = "sv"
table = "sv"
key = ["V"]
[tables.vs]
key = ["ID"]
[[measurement]]
name = "vs"
table = "vs"
key = ["NO"]
visit = "V"
when = "DAY"
codes = [{ system = "http://loinc.org", code = "LOINC", display = "NAME" }]
text = "NAME"
value = "RES"
unit = "UNIT"
notes = ["NOTE"]
method = "HOW"
pairs = [{ concept = "blood-pressure", parts = ["systolic-blood-pressure", "diastolic-blood-pressure"] }]
"""
)
SYSTOLIC, DIASTOLIC = ("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure")
DM = [{"ID": "1", "SEX": "F"}]
VISITS = [{"ID": "1", "V": "1"}, {"ID": "1", "V": "2"}]


def row(number: int, kind: tuple[str, str], value: str = "120", **more: str) -> dict[str, str]:
    found = {"ID": "1", "NO": str(number), "V": "1", "DAY": "2012-01-01", "LOINC": kind[0], "NAME": kind[1]}
    return {**found, "RES": value, "UNIT": "mm[Hg]", "NOTE": "", "HOW": "", **more}


def told(*rows: dict[str, str]) -> Mapped:
    found = one(TEXT, {"dm": DM, "sv": VISITS, "vs": rows})
    assert found.case is not None
    assert not found.rejects
    assert found.converted["vs"] == len(rows)
    assert check(found.case) == []
    return found


def measured(found: Mapped) -> list[Measurement]:
    assert isinstance(found.case, Case)
    return [fact for fact in found.case.facts if isinstance(fact, Measurement)]


def test_two_rows_of_one_moment_are_one_blood_pressure_traced_to_both() -> None:
    found = told(row(7, DIASTOLIC, "80.0"), row(3, SYSTOLIC, "120"))
    (pressure,) = measured(found)
    assert pressure.key == "vs.3.with.7"
    assert [(part.concept, part.text, str(part.value.value)) for part in pressure.components] == [
        ("systolic-blood-pressure", "Systolic blood pressure", "120"),
        ("diastolic-blood-pressure", "Diastolic blood pressure", "80.0"),
    ]
    assert (pressure.when.date, pressure.visit) == ("2012-01-01", "sv.1")
    assert [(each.table, each.row) for each in cells_of(pressure.source)] == [("vs", 3), ("vs", 2)]
    assert found.places[pressure.key] == ("vs", "vs", 3)
    assert found.places.keys() == {"subject", "sv.1", "sv.2", pressure.key}
    conversion = convert(found.case, form="ndjson")
    assert not conversion.remarks
    (written,) = [each for each in conversion.resources if each["resourceType"] == "Observation"]
    assert [each["code"] for each in written["code"]["coding"]] == ["85354-9"]
    assert [[each["code"] for each in part["code"]["coding"]] for part in written["component"]] == [
        ["8480-6"],
        ["8462-4"],
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, SYSTOLIC)],
        [row(1, SYSTOLIC), row(2, SYSTOLIC, "130"), row(3, DIASTOLIC, "80")],
        [row(1, SYSTOLIC), row(2, SYSTOLIC), row(3, DIASTOLIC, "80")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "80", DAY="2012-01-02")],
        [row(1, SYSTOLIC, DAY="2012-01-01 08:00:00"), row(2, DIASTOLIC, "80", DAY="2012-01-01 08:01:00")],
        [row(1, SYSTOLIC, DAY="2012-01-01 08:00:00"), row(2, DIASTOLIC, "80")],
        [row(1, SYSTOLIC, DAY="2012-01"), row(2, DIASTOLIC, "80", DAY="2012-01")],
        [row(1, SYSTOLIC, DAY=""), row(2, DIASTOLIC, "80", DAY="")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "80", V="2")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "80", V="")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "80", UNIT="kPa")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "80", UNIT="")],
        [row(1, SYSTOLIC), row(2, DIASTOLIC, "normal")],
        [row(1, SYSTOLIC, HOW="cuff"), row(2, DIASTOLIC, "80", HOW="arterial line")],
    ],
    ids=["alone", "two", "two-alike", "days", "minutes", "time-and-none", "a-month", "no-time", "visits", "no-visit",
         "units", "no-unit", "words", "methods"],
)  # fmt: skip
def test_where_that_is_in_doubt_each_stays_as_it_is(rows: list[dict[str, str]]) -> None:
    found = told(*rows)
    assert [fact.key for fact in measured(found)] == [f"vs.{each['NO']}" for each in rows]
    assert all(isinstance(fact.source, Cells) for fact in measured(found))


def test_a_time_of_day_that_both_have_is_kept() -> None:
    moment = {"DAY": "2012-01-01T08:00:00Z"}
    (pressure,) = measured(told(row(1, SYSTOLIC, **moment), row(2, DIASTOLIC, "80", **moment)))
    assert pressure.when.date == "2012-01-01T08:00:00Z"


def test_dates_that_are_moved_and_keys_that_are_hashed_are_so_in_the_whole_too() -> None:
    privacy = TEXT + "[privacy]\nhash_keys = true\nshift_dates = 300\n"
    found = one(privacy, {"dm": DM, "sv": VISITS, "vs": [row(7, DIASTOLIC, "80"), row(3, SYSTOLIC)]})
    (pressure,) = measured(found)
    assert pressure.when.date != "2012-01-01"
    assert pressure.key not in ("vs.3.with.7", "vs.7.with.3")
    assert [part.value.value for part in pressure.components] == [120, 80]
    assert [(each.table, each.row) for each in cells_of(pressure.source)] == [("vs", 3), ("vs", 2)]


def test_notes_of_both_stand_once_and_those_of_one_say_of_which() -> None:
    (pressure,) = measured(told(row(1, SYSTOLIC, NOTE="sitting"), row(2, DIASTOLIC, "80", NOTE="sitting")))
    assert pressure.notes == ("sitting",)
    (pressure,) = measured(told(row(1, SYSTOLIC, NOTE="loud"), row(2, DIASTOLIC, "80")))
    assert pressure.notes == ("Systolic blood pressure: loud",)


def test_no_other_rule_can_link_to_one_that_pairs() -> None:
    report = """
[[report]]
name = "sheet"
table = "sv"
key = ["V"]
text = { const = "Sheet" }
results = [{ rule = "vs", on = { V = "V" } }]
"""
    with pytest.raises(MappingError, match=r"t.toml:\d+: vs: it has pairs, so no other rule can link to it"):
        one(TEXT + report, {"dm": DM, "sv": VISITS, "vs": [row(1, SYSTOLIC)]})


def test_concepts_that_are_none_are_refused() -> None:
    with pytest.raises(MappingError, match="diastolic is no concept"):
        one(
            TEXT.replace('"diastolic-blood-pressure"', '"diastolic"'),
            {"dm": DM, "sv": VISITS, "vs": [row(1, SYSTOLIC)]},
        )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([SYSTOLIC, DIASTOLIC]), st.integers(40, 250), st.sampled_from("12"), st.integers(1, 2)
        ),
        max_size=8,
    ),
    st.randoms(),
)
@examples(100)
def test_every_value_comes_out_once_in_whatever_order_the_rows_stand(drawn, random) -> None:
    rows = [
        row(number, kind, str(value), V=visit, DAY=f"2012-01-0{day}")
        for number, (kind, value, visit, day) in enumerate(drawn, 1)
    ]
    if not rows:
        return
    facts = measured(told(*rows))
    out = sorted(str(each.value.value) for fact in facts for each in (fact.components or (fact,)))
    assert out == sorted(each["RES"] for each in rows)
    random.shuffle(rows)
    again = measured(told(*rows))
    assert [(each.key, each.components, each.value) for each in again] == [
        (each.key, each.components, each.value) for each in facts
    ]
