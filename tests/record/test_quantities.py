"""Values keep every digit, and only what reads like a value becomes one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Quantity, Range, RecordError, Words, parse_value

numbers = st.from_regex(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?", fullmatch=True)


@given(numbers, st.sampled_from(["mg/l", "U/L", "% predicted", "g/kg"]))
def test_a_quantity_keeps_its_digits_and_its_unit(number: str, unit: str) -> None:
    quantity = Quantity.parse(f"{number} {unit}")
    assert str(quantity.value) == number
    assert quantity.unit == unit
    assert str(quantity) == f"{number} {unit}"


@pytest.mark.parametrize(
    "text", ["3,072 U/l", "20 000", "20 000 IU/L", "about 5", "5mg", "", "mg/l", "1e3 mg", "١٢ mg", "NaN mg"]
)
def test_what_is_no_plain_number_is_refused_with_a_way_to_mend_it(text: str) -> None:
    with pytest.raises(RecordError, match="decimal point"):
        Quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("4.0-10.0 G/L", "4.0", "10.0"), ("10–20 mg", "10", "20"), ("< 5 mg/L", None, "5"), (">= 0.2", "0.2", None)],
)
def test_ranges_keep_their_bounds(text: str, low: str | None, high: str | None) -> None:
    found = Range.parse(text)
    assert (found.low and str(found.low.value)) == low
    assert (found.high and str(found.high.value)) == high


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(RecordError, match="below its start"):
        Range.parse("20-10 mg")


def test_a_comparator_belongs_to_the_value() -> None:
    assert parse_value("<0.2 g/l") == Quantity(Decimal("0.2"), "g/l", "<")


def test_words_stay_words_even_with_digits() -> None:
    assert parse_value("normal") == Words("normal")
    assert parse_value(Words("3 – in neck flexors")) == Words("3 – in neck flexors")
    assert parse_value("+3") == Words("+3")


def test_a_unit_that_makes_no_sense_has_no_ucum_code() -> None:
    assert Quantity.parse("2815 U/l/ml").ucum is None
    assert Quantity.parse("2815 UI/l").ucum == "U/L"
