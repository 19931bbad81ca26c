"""What holds of any tables: nothing crosses persons or visits, nothing is dropped, order does not matter."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Cells, Fact, Measurement, On, Quantity, Visit, Words, cells_of, check
from casefhir.sources.tables.plan import Mapped, Plan
from tests.sources.tables.tables import PERSON, grouped, loaded, planned
from tests.thorough import examples

TEXT = (
    PERSON
    + """
birth_date = "BORN"
[tables.sv]
key = ["ID"]
[tables.lb]
key = ["ID"]
where = "STAT != 'NOT DONE'"
[tables.ex]
key = ["ID"]
[tables.ae]
key = ["ID"]
[[visit]]
name = "visit"
table = "sv"
key = ["V"]
when = "DAY"
[[problem]]
name = "dx"
table = "dm"
text = "DX"
onset = "BORN"
where = "DX != ''"
[[course]]
name = "ex"
table = "ex"
key = ["SEQ"]
text = "TRT"
start = "START"
end = "END"
[course.dose]
amount = "DOSE"
unit = "UNIT"
frequency = "FREQ"
[[measurement]]
name = "lab"
table = "lb"
key = ["SEQ"]
visit = "V"
text = "MARK"
value = "RES"
unit = "UNIT"
range = { low = "LO", high = "HI" }
flag = "FLAG"
when = { study_day = "DY", reference = { table = "dm", column = "REF" } }
[[measurement]]
name = "wide"
table = "sv"
key = ["V"]
visit = "V"
text = { column = "MARK" }
value = "{column}"
when = "DAY"
each = [{ name = "a", column = "A" }, { name = "b", column = "B" }]
[[adverse_event]]
name = "ae"
table = "ae"
key = ["SEQ"]
text = "MARK"
when = "START"
end = "END"
suspects = [{ rule = "ex" }]
action = "ACN"
"""
)
MAPPING = loaded(TEXT)
COLUMNS = {
    "dm": ("ID", "SEX", "BORN", "DX", "REF"),
    "sv": ("ID", "V", "DAY", "A", "B", "MARK"),
    "lb": ("ID", "SEQ", "V", "MARK", "RES", "UNIT", "LO", "HI", "FLAG", "DY", "STAT"),
    "ex": ("ID", "SEQ", "TRT", "START", "END", "DOSE", "UNIT", "FREQ"),
    "ae": ("ID", "SEQ", "MARK", "START", "END", "ACN"),
}
PLAN: Plan = planned(MAPPING, {name: [dict.fromkeys(columns, "")] for name, columns in COLUMNS.items()})

dates = st.sampled_from(
    ["", "2020", "2020-02", "2020-02-03", "2021-05-06", "2020-02-30", "07.08.2020", "2022-01-02T10:00:00Z"]
)
values = st.sampled_from(
    [
        "",
        " ",
        "5",
        "4.0",
        "<0.2",
        ">1000",
        "1:320",
        "neg",
        "++",
        "3,072",
        ".",
        "NaN",
        "12..5",
        "3-5",
        "1e3",
        "-9",
        "text",
    ]
) | st.decimals(min_value=0, max_value=9999, places=2).map(str)
units = st.sampled_from(["", "U/L", "mg/dl", "G/L", "spoons"])
CELLS: dict[str, dict[str, Any]] = {
    "dm": {
        "SEX": st.sampled_from(["F", "M", "U", "?", ""]), "BORN": dates, "DX": st.sampled_from(["", "rash"]),
        "REF": dates,
    },
    "sv": {"V": st.sampled_from("1234"), "DAY": dates, "A": values, "B": values},
    "lb": {
        "SEQ": st.integers(1, 12).map(str), "V": st.sampled_from(["", "1", "2", "9"]), "RES": values, "UNIT": units,
        "LO": st.sampled_from(["", "1", "10"]), "HI": st.sampled_from(["", "5", "x"]),
        "FLAG": st.sampled_from(["", "H", "weird"]), "DY": st.sampled_from(["", "1", "-1", "0", "15", "x"]),
        "STAT": st.sampled_from(["", "", "NOT DONE"]),
    },
    "ex": {
        "SEQ": st.integers(1, 4).map(str), "TRT": st.sampled_from(["x", "methotrexate", ""]),
        "START": dates, "END": dates,
        "DOSE": values, "UNIT": st.sampled_from(["mg", "", "d"]), "FREQ": st.sampled_from(["", "BID", "?"]),
    },
    "ae": {
        "SEQ": st.integers(1, 4).map(str), "START": dates, "END": dates,
        "ACN": st.sampled_from(["", "DRUG WITHDRAWN", "DOSE REDUCED"]),
    },
}  # fmt: skip
MARKED = {"sv": "MARK", "lb": "MARK", "ae": "MARK"}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """A few persons with random rows; each row's MARK names the person and the row, so that it can be found again."""
    people = draw(st.lists(st.sampled_from(["A", "b", "C-3", "Ä"]), min_size=1, max_size=3, unique=True))
    made: dict[str, list[dict[str, str]]] = {}
    for name, columns in COLUMNS.items():
        rows = []
        for number in range(draw(st.integers(0, 5)) if name != "dm" else len(people)):
            who = draw(st.sampled_from(people)) if name != "dm" else people[number]
            row = {"ID": who} | {column: draw(cells) for column, cells in CELLS[name].items()}
            if name in MARKED:
                row["MARK"] = f"{who} {name} {number}"
            rows.append({column: row.get(column, "") for column in columns})
        made[name] = rows
    return made


def mapped(made: dict[str, list[dict[str, str]]]) -> dict[str, Mapped]:
    return {rows.key[0]: PLAN.person(rows) for rows in grouped(made)}


def without_places(fact: Any) -> Any:
    """A fact without the numbers of its rows."""
    import dataclasses

    if isinstance(fact, Cells):
        return None
    if isinstance(fact, tuple):
        return tuple(without_places(each) for each in fact)
    if dataclasses.is_dataclass(fact) and not isinstance(fact, type):
        return (type(fact).__name__, *(without_places(getattr(fact, each.name)) for each in dataclasses.fields(fact)))
    return fact


def told(found: Mapped) -> Any:
    if found.case is None:
        return None
    return found.case.key, without_places(found.case.person), [without_places(each) for each in found.case.facts]


@given(tables())
@examples(150)
def test_rows_read_are_converted_rejected_or_filtered(made: dict[str, list[dict[str, str]]]) -> None:
    for rows in grouped(made):
        found = PLAN.person(rows)
        for name, listed in rows.rows.items():
            rejected = {each.row for each in found.rejects if each.table == name}
            assert found.converted[name] >= 0
            assert found.filtered[name] >= 0
            assert len(listed) == found.converted[name] + len(rejected) + found.filtered[name]
            assert rejected <= {number for number, _ in listed}
        for each in found.rejects:
            assert each.reason
            assert each.mend
            assert each.rule


@given(tables())
@examples(150)
def test_what_comes_out_is_a_record_without_mistakes(made: dict[str, list[dict[str, str]]]) -> None:
    for found in mapped(made).values():
        if found.case is not None:
            assert check(found.case) == []
            assert set(found.places) == {fact.key for fact in found.case.facts} | {"subject"} - {
                fact.key for fact in found.case.facts if fact.key.endswith(".condition")
            }


def cell_of(fact: Fact) -> tuple[str, int]:
    own = cells_of(fact.source)[0]
    return own.table, own.row


@given(tables())
@examples(150)
def test_no_cell_crosses_persons_or_visits(made: dict[str, list[dict[str, str]]]) -> None:
    """Every word, number and date of a fact stands in its own row, and its visit is that of its row."""
    for who, found in mapped(made).items():
        if found.case is None:
            continue
        visits = {fact.key: fact for fact in found.case.facts if isinstance(fact, Visit)}
        for fact in found.case.facts:
            table, line = cell_of(fact)
            row = made[table][line - 2]
            assert row["ID"] == who
            assert all(made[each.table][each.row - 2]["ID"] == who for each in cells_of(fact.source))
            if table in MARKED and not isinstance(fact, Visit):
                assert fact.text == row["MARK"]  # type: ignore[union-attr]
            if isinstance(fact, Measurement):
                cell = row[{"wide.a": "A", "wide.b": "B"}.get(fact.key.rpartition(".")[0], "RES")].strip()
                if isinstance(fact.value, Quantity) and cell[:1].isdigit():
                    assert cell.startswith(str(fact.value.value)) or "e" in cell
                    assert fact.value.unit == (row.get("UNIT") or "")
                if isinstance(fact.value, Words):
                    assert fact.value.text == cell
                assert cell
                if isinstance(fact.when, On) and table == "sv":
                    assert row["DAY"].startswith(fact.when.date[:4])
                if fact.visit:
                    visit_table, visit_line = cell_of(visits[fact.visit])
                    assert made[visit_table][visit_line - 2]["V"] == row["V"]
                    assert made[visit_table][visit_line - 2]["ID"] == who


@given(tables(), st.randoms(use_true_random=False))
@examples(100)
def test_the_order_of_rows_does_not_matter(made: dict[str, list[dict[str, str]]], random: Any) -> None:
    shuffled = {name: random.sample(rows, len(rows)) for name, rows in made.items()}
    before, after = mapped(made), mapped(shuffled)
    assert {who: told(found) for who, found in before.items()} == {who: told(found) for who, found in after.items()}
    assert {who: found.unmapped for who, found in before.items()} == {
        who: found.unmapped for who, found in after.items()
    }


@given(tables(), st.data())
@examples(100)
def test_an_inserted_row_changes_one_person_only(made: dict[str, list[dict[str, str]]], data: st.DataObject) -> None:
    before = {who: told(found) for who, found in mapped(made).items()}
    name = data.draw(st.sampled_from(["sv", "lb", "ex", "ae"]))
    who = made["dm"][0]["ID"]
    row = dict.fromkeys(COLUMNS[name], "") | {column: data.draw(cells) for column, cells in CELLS[name].items()}
    row |= {"ID": who, "SEQ": "99"} if name != "sv" else {"ID": who, "V": "99"}
    if name in MARKED:
        row["MARK"] = "new"
    place = data.draw(st.integers(0, len(made[name])))
    more = made | {
        name: [*made[name][:place], {each: row.get(each, "") for each in COLUMNS[name]}, *made[name][place:]]
    }
    after = {who: told(found) for who, found in mapped(more).items()}
    for other in before:
        if other != who:
            assert after[other] == before[other]
    if before[who] is not None and after[who] is not None:
        kept = {fact[1]: fact for fact in after[who][2]}
        for fact in before[who][2]:
            # these may be led to by the new row; what an event became says what was done for it
            if fact[0] not in ("Course", "AdverseEvent") and not fact[1].endswith(".condition"):
                assert kept[fact[1]] == fact


@given(tables())
@examples(60)
def test_a_plan_remembers_nothing_of_other_persons(made: dict[str, list[dict[str, str]]]) -> None:
    """A plan that has seen nothing else tells the same of a person as one that has told many."""
    fresh = planned(MAPPING, {name: [dict.fromkeys(columns, "")] for name, columns in COLUMNS.items()})
    for rows in grouped(made)[-1:]:
        assert told(fresh.person(rows)) == told(PLAN.person(rows))
