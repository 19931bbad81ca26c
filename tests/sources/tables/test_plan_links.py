"""Facts that lead to other facts, and words about rows that stand in another table."""

from collections import Counter

import pytest

from casefhir.fhir import convert
from casefhir.record import Course, Measurement, Problem, Procedure, Report, check
from casefhir.sources.tables.load import MappingError
from casefhir.sources.tables.plan import Mapped
from casefhir.sources.tables.privacy import MASK
from tests.sources.tables.tables import PERSON, one, told

LINKED = (
    PERSON
    + """
[tables.lb]
key = ["ID"]
[tables.im]
key = ["ID"]
[tables.mh]
key = ["ID"]
[tables.pr]
key = ["ID"]
[[measurement]]
name = "lb"
table = "lb"
key = ["SEQ"]
text = "TEST"
value = "RES"
[[report]]
name = "im"
table = "im"
key = ["NO"]
text = "WHAT"
kind = { const = "imaging" }
when = "DAY"
results = [{ rule = "lb", on = { SHEET = "NO" } }]
conclusion = "SAYS"
[[problem]]
name = "cause"
table = "mh"
where = "KIND == 'cause'"
key = ["SEQ"]
text = "TERM"
[[problem]]
name = "mh"
table = "mh"
where = "KIND != 'cause'"
key = ["SEQ"]
text = "TERM"
evidence = [{ rule = "im", key = ["SEEN"] }, { rule = "lb", key = ["MEASURED"] }]
due_to = [{ rule = "cause", key = ["BY"] }, "WORDS"]
after = ["AFTER"]
related = [{ rule = "cause", key = ["WITH"] }]
[[procedure]]
name = "pr"
table = "pr"
key = ["SEQ"]
text = "WHAT"
reports = [{ rule = "im", key = ["SEEN"] }]
"""
)
BLANK = dict.fromkeys(("KIND", "SEEN", "MEASURED", "BY", "WORDS", "AFTER", "WITH"), "")


def linked(head: str = "", **cells: str) -> Mapped:
    """A person with two results, a report of one of them, a cause, and a problem whose cells are given."""
    return one(
        head + LINKED,
        {
            "dm": [{"ID": "1", "SEX": "F"}],
            "lb": [
                {"ID": "1", "SEQ": "1", "TEST": "Oedema", "RES": "present", "SHEET": "7"},
                {"ID": "1", "SEQ": "2", "TEST": "CK", "RES": "900", "SHEET": ""},
            ],
            "im": [{"ID": "1", "NO": "7", "WHAT": "MRI of the thighs", "DAY": "2020-03-04", "SAYS": "Myositis."}],
            "mh": [
                {"ID": "1", "SEQ": "1", "TERM": "Statin", **BLANK, "KIND": "cause"},
                {"ID": "1", "SEQ": "2", "TERM": "Myopathy", **BLANK, **cells},
            ],
            "pr": [{"ID": "1", "SEQ": "1", "WHAT": "Biopsy", "SEEN": "7"}],
        },
    )


def facts(found: Mapped, kind: type) -> list:
    assert found.case is not None
    assert not found.rejects
    assert check(found.case) == []
    return [each for each in found.case.facts if isinstance(each, kind)]


def test_a_report_has_the_findings_of_its_sheet_and_no_other() -> None:
    (report,) = facts(linked(), Report)
    assert (report.results, report.conclusion, report.kind) == (("lb.1",), "Myositis.", "imaging")
    (procedure,) = facts(linked(), Procedure)
    assert procedure.reports == (report.key,)


def test_a_problem_names_its_evidence_and_its_causes() -> None:
    found = linked(SEEN="7", MEASURED="2", BY="1", WORDS="a cold", AFTER="an infection", WITH="1")
    problem = facts(found, Problem)[1]
    assert problem.evidence == ("im.7", "lb.2")
    assert problem.due_to == ("cause.1", "a cold")
    assert (problem.after, problem.related) == (("an infection",), ("cause.1",))
    assert found.case is not None
    resources = convert(found.case, form="ndjson").resources
    made = {each["meta"]["tag"][2]["code"].rpartition("/")[2]: each for each in resources}
    pointed = [each["reference"] for one in made["mh.2"]["evidence"] for each in one["detail"]]
    assert {made["im.7"]["id"], made["lb.2"]["id"]} == {each.partition("/")[2] for each in pointed}


def test_a_link_that_leads_nowhere_is_counted() -> None:
    found = linked(SEEN="8")
    assert facts(found, Problem)[1].evidence == ()
    assert found.unmapped["mh", "SEEN -> im", "8"] == 1


def test_where_keys_are_hashed_a_lost_link_does_not_show_them() -> None:
    found = linked("[privacy]\nhash_keys = true\n", SEEN="secret-8", MEASURED="2")
    assert found.unmapped == Counter({("mh", "SEEN -> im", MASK): 1})
    assert [len(each.evidence) for each in facts(found, Problem)] == [0, 1]  # of the cause, and of the other


SUPPLEMENTED = (
    PERSON
    + """
[tables.lb]
key = ["ID"]
[tables.supp]
key = ["ID"]
[[measurement]]
name = "lb"
table = "lb"
key = ["SEQ"]
text = "TEST"
value = "RES"
notes = ["NOTE?", { table = "supp", label = "LABEL", column = "WORDS", names = "NAMES", value = "VALUE" }]
"""
)


def supplemented(*rows: tuple[str, str, str, str]) -> list[Mapped]:
    """Two persons with two results each, and the rows (person, column named, what stands there, words)."""
    return told(
        SUPPLEMENTED,
        {
            "dm": [{"ID": who, "SEX": "F"} for who in "12"],
            "lb": [
                {"ID": who, "SEQ": number, "TEST": "CK", "RES": "5", "GROUP": "g", "NOTE": f"own {who}{number}"}
                for who in "12"
                for number in ("1", "2")
            ],
            "supp": [
                {"ID": who, "NAMES": names, "VALUE": value, "LABEL": "Label", "WORDS": words}
                for who, names, value, words in rows
            ],
        },
    )


def notes_of(found: Mapped) -> dict[str, tuple]:
    return {each.key: each.notes for each in facts(found, Measurement)}


def test_supplements_stand_with_their_row_and_person() -> None:
    first, second = supplemented(("1", "SEQ", "1", "a"), ("1", "SEQ", "1", "b"), ("2", "SEQ", "2", "c"))
    assert notes_of(first) == {"lb.1": ("own 11", "Label: a", "Label: b"), "lb.2": ("own 12",)}
    assert notes_of(second) == {"lb.1": ("own 21",), "lb.2": ("own 22", "Label: c")}
    assert (first.converted["supp"], second.converted["supp"]) == (2, 1)


@pytest.mark.parametrize("value", ["2", " 2 ", "02", "2.0"])
def test_numbers_are_compared_as_numbers(value: str) -> None:
    assert notes_of(supplemented(("1", "SEQ", value, "a"))[0])["lb.2"] == ("own 12", "Label: a")


def test_a_supplement_of_a_group_stands_with_each_of_its_rows() -> None:
    found = notes_of(supplemented(("1", "GROUP", "g", "a"))[0])
    assert all("Label: a" in each for each in found.values())


@pytest.mark.parametrize(("names", "value"), [("SEQ", "9"), ("NOSUCH", "1"), ("", ""), ("SEQ", "")])
def test_a_supplement_that_leads_to_no_row_is_counted(names: str, value: str) -> None:
    (found, _) = supplemented(("1", names, value, "a"))
    assert found.unmapped == Counter({("lb", "VALUE -> lb", f"{names} = {value}"): 1})
    assert (found.converted["supp"], found.filtered["supp"]) == (0, 1)


def test_a_supplement_needs_its_columns() -> None:
    with pytest.raises(MappingError, match=r"no column 'NAMES'"):
        one(SUPPLEMENTED, {"dm": [{"ID": "1", "SEX": "F"}], "lb": [{"ID": "1", "SEQ": "1", "TEST": "x", "RES": "5"}],
                           "supp": [{"ID": "1", "VALUE": "", "LABEL": "", "WORDS": ""}]})  # fmt: skip


DOSED = (
    PERSON
    + """
[tables.ex]
key = ["ID"]
[[course]]
name = "ex"
table = "ex"
key = ["SEQ"]
text = "TRT"
[course.dose]
amount = "DOSE"
unit = "UNIT"
text = "SAID"
"""
)


@pytest.mark.parametrize(("dose", "unit"), [("1", "TABLET"), ("1 TABLET", ""), ("2", "puffs")])
def test_a_dose_in_units_without_a_verified_code_stays_words(dose: str, unit: str) -> None:
    row = {"ID": "1", "SEQ": "1", "TRT": "x", "DOSE": dose, "UNIT": unit, "SAID": ""}
    found = one(DOSED, {"dm": [{"ID": "1", "SEX": "F"}], "ex": [row]})
    (course,) = facts(found, Course)
    assert course.dosage is not None
    assert (course.dosage.text, course.dosage.dose) == (f"{dose} {unit}".strip(), None)
    assert found.unmapped == {("ex", "UNIT" if unit else "DOSE", unit or dose): 1}


@pytest.mark.parametrize(
    ("dose", "said", "note"),
    [("", "", True), ("5", "", False), ("", "as needed", True), ("", "two puffs of mg", False)],
)
def test_a_unit_without_its_dose_is_kept_as_a_note(dose: str, said: str, note: bool) -> None:
    row = {"ID": "1", "SEQ": "1", "TRT": "x", "DOSE": dose, "UNIT": "mg", "SAID": said}
    (course,) = facts(one(DOSED, {"dm": [{"ID": "1", "SEX": "F"}], "ex": [row]}), Course)
    assert course.notes == (("Unit of the dose, which is not told: mg",) if note else ())
