"""Units as tables print them, and conversion between them."""

import csv
from decimal import Decimal
from importlib import resources

import pytest

from casefhir import terms
from casefhir.terms.units import NoConversion, conversion, dimension, ucum_code


def rows(name: str) -> list[dict[str, str]]:
    text = (resources.files("casefhir.terms") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_printed_spelling_leads_to_a_unit_of_r4s_list_of_common_ones() -> None:
    listed = {row["code"] for row in rows("ucum.tsv")} | {"{score}", "{titer}"}
    assert {row["ucum"] for row in rows("printed_units.tsv")} <= listed
    for row in rows("printed_units.tsv"):
        dimension(row["ucum"])  # and it is UCUM to a library that knows the grammar


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("g/l", "g/L"), ("mg/dl", "mg/dL"), ("x10^9/L", "10*9/L"), ("10E9/L", "10*9/L"), ("10^3/µL", "10*3/uL"),
        ("K/uL", "10*3/uL"), ("µg/L", "ug/L"), ("μmol/l", "umol/L"), ("gram per liter", "g/L"), ("°C", "Cel"),
        ("IU/L", "U/L"), ("mIU/L", "m[IU]/L"), ("G/L", "10*9/L"), ("kU/L", "kU/L"), ("{score}", "{score}"),
    ],
)  # fmt: skip
def test_units_are_known_as_laboratories_print_them(printed: str, code: str) -> None:
    assert ucum_code(printed) == code


@pytest.mark.parametrize("printed", ["MG/L", "spoons", "U/l/ml", "AU/mL", "G", "x" * 100])
def test_what_only_looks_like_ucum_is_no_unit(printed: str) -> None:
    assert ucum_code(printed) is None


@pytest.mark.parametrize(
    ("one", "other", "value", "converted"),
    [
        ("mg/dL", "g/L", "980", "9.80"),  # the point moves, the digits stay
        ("g/L", "mg/dL", "9.80", "980"),
        ("10*3/uL", "10*9/L", "4.0", "4.0"),
        ("mg/dL", "g/L", "0.00", "0.0000"),
        ("[lb_av]", "kg", "150", "68.04"),  # 150 lb are 68.0388555 kg
        ("[degF]", "Cel", "98.6", "37.00"),
        ("Cel", "[degF]", "-40", "-40.00"),
        ("mm[Hg]", "kPa", "120", "16.00"),
        ("a", "mo", "5", "60"),
    ],
)
def test_conversion_keeps_digits(one: str, other: str, value: str, converted: str) -> None:
    assert str(conversion(one, other).of(Decimal(value))) == converted


@pytest.mark.parametrize(("one", "other"), [("mg/dL", "mmol/L"), ("U/L", "[IU]/L"), ("mg", "mL"), ("kg", "m")])
def test_what_measures_something_else_is_not_converted(one: str, other: str) -> None:
    with pytest.raises(NoConversion):
        conversion(one, other)


def test_factors_are_those_of_the_library_to_its_last_sure_digit() -> None:
    """Both ways round gives 1: a factor that lost digits would show here."""
    for one, other in [("[lb_av]", "kg"), ("[in_i]", "cm"), ("mL/min/mm[Hg]", "mL/min/kPa"), ("mm[Hg]", "kPa")]:
        there, back = conversion(one, other).factor, conversion(other, one).factor
        assert abs(there * back - 1) < Decimal("1e-12")
    assert terms.conversion("[lb_av]", "kg").factor == Decimal("0.45359237")
