"""How figures are printed, and what each print means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.article.figures import figures, has_unit, states_date, states_time, units_at, within


def digits_in(text: str) -> list[str]:
    return [figure.digits for figure in figures(text) if not figure.name]


@pytest.mark.parametrize(
    ("print_", "digits"),
    [
        ("CK was 3,072 U/l.", ["3072"]),
        ("close to 20 000 IU/L in blood", ["20000"]),
        ("close to 20\n000 IU/L in blood", ["20000"]),
        ("a CRP of 22.7 mg/l", ["22.7"]),
        ("a CRP of 4.0 mg/l", ["4.0"]),
        ("IgG4 0.038 g/l", ["0.038"]),
        ("a count of 1.144 G/L", ["1.144"]),
        ("a dose of 2,5 mg", ["2.5"]),
        ("10–20 mg/day", ["10", "20"]),
        ("2×1 g every 6 months", ["2", "1", "6"]),
        ("2x1 g", ["2", "1"]),
        ("70/88 points", ["70", "88"]),
        ("positive at 1: 5120", ["1", "5120"]),
        ("a 1-week history", ["1"]),
        ("in mid-2012", ["2012"]),
        ("twelve infusions, twice a week", ["12", "2"]),
        ("twenty-one days", ["21"]),
        ("(−30%)", ["30"]),
    ],
)
def test_a_figure_reads_as_its_digits(print_: str, digits: list[str]) -> None:
    assert digits_in(print_) == digits


@pytest.mark.parametrize(
    "print_",
    ["IgG1 and FEV1", "anti-Jo-1", "tested as M4", "as reported [21]", "as reported [3, 4]", "in muscle.3", "CD4+"],
)
def test_digits_of_names_and_references_are_no_figures(print_: str) -> None:
    assert digits_in(print_) == []


def test_the_cells_of_a_table_line_are_not_thousands() -> None:
    table = "February 2012 May 2013 July 2018\n TLC 87 104 108 96\n"
    assert digits_in(table)[3:] == ["87", "104", "108", "96"]


def test_a_figure_that_a_span_cuts_is_not_in_it() -> None:
    assert [each.digits for each in within("CK 3,072 U/l", 3, 5)] == []


@given(st.integers(min_value=1000, max_value=9_999_999))
def test_thousands_separators_change_nothing(number: int) -> None:
    for printed in (f"{number:,}", f"{number:,}".replace(",", " "), f"{number:,}".replace(",", "\u00a0")):
        assert digits_in(f"CK of {printed} U/l was found") == [str(number)]


@given(st.decimals(min_value="0.001", max_value="999", places=3))
def test_decimals_keep_every_digit(number: object) -> None:
    assert digits_in(f"IgG was {number} g/l that day") == [str(number)]


@pytest.mark.parametrize(
    ("print_", "figure", "unit", "stands"),
    [
        ("a CRP of 22.7\nmg/l", 0, "mg/l", True),
        ("a CRP of 22.7 mg/l", 0, "g/l", False),
        ("2 g/kg over 5 days", 0, "g/kg", True),
        ("2 g/kg over 5 days", 1, "g/kg", False),
        ("2 mg/kg a day", 0, "mg", False),
        ("1 g/kg per month", 0, "g/kg", True),
        ("after 3 and 6 months", 0, "months", True),
        ("10–20 mg/day", 0, "mg/day", True),
        ("a 56-year-old", 0, "years", True),
        ("TLC 52", 0, "%", None),
    ],
)
def test_a_unit_belongs_to_the_figure_it_follows(print_: str, figure: int, unit: str, stands: bool | None) -> None:
    assert has_unit(print_, figures(print_)[figure], unit) is stands


def test_a_printed_unit_is_read_to_its_end() -> None:
    assert ("U/l/ml" in {unit for unit, _ in units_at("2,815 U/l/ml", 5)}) is False
    assert units_at("2,815 U/l/ml", 5) == ()


@pytest.mark.parametrize(
    ("print_", "digits", "ucum"),
    [
        ("given monthly", "1", "mo"),
        ("2 g/kg per month", "1", "mo"),
        ("mg/kg/day", "1", "d"),
        ("15 mg a week", "1", "wk"),
        ("every other week", "2", "wk"),
        ("a fortnight later", "2", "wk"),
        ("Three months later", "3", "mo"),
        ("after 3 and 9 months, respectively", "3", "mo"),
        ("for the past 2 years", "2", "a"),
        ("a 6-hour morning stiffness", "6", "h"),
        ("over the first year", "1", "a"),
    ],
)
def test_times_are_told_by_figures_and_by_words(print_: str, digits: str, ucum: str) -> None:
    assert states_time(print_, 0, len(print_), digits, ucum)


@pytest.mark.parametrize(
    ("print_", "digits", "ucum"),
    [("2 days, monthly", "1", "d"), ("2 days, monthly", "2", "mo"), ("monthly", "2", "mo")],
)
def test_a_time_of_another_unit_does_not_count(print_: str, digits: str, ucum: str) -> None:
    assert not states_time(print_, 0, len(print_), digits, ucum)


@pytest.mark.parametrize(
    ("prints", "date"),
    [
        (["in November 2003"], "2003-11"),
        (["Submitted: 07.09.2022"], "2022-09-07"),
        (["by April", "In January 2015"], "2015-04"),
        (["2023 Dec 13"], "2023-12-13"),
        (["On 4 May 2012"], "2012-05-04"),
        (["May 4th, 2012"], "2012-05-04"),
        (["since 2008"], "2008"),
        (["Sept. 2006"], "2006-09"),
    ],
)
def test_a_date_stands_where_its_month_and_year_do(prints: list[str], date: str) -> None:
    assert told(prints, date)


@pytest.mark.parametrize(
    ("prints", "date"),
    [
        (["in November 2003"], "2003-10"),
        (["in November 2003"], "2004-11"),
        (["On 4 May 2012"], "2012-05-05"),
        (["in May 2012 and July 2013"], "2012-07"),
        (["by April"], "2015-04"),
        (["Submitted: 07.09.2022"], "2022-08"),
    ],
)
def test_another_date_does_not(prints: list[str], date: str) -> None:
    assert not told(prints, date)


def told(prints: list[str], date: str) -> bool:
    text = " … ".join(prints)
    places = [(text.index(each), text.index(each) + len(each)) for each in prints]
    return states_date(text, places, date)
