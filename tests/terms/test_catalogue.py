"""The concept catalogue: every code passes its check digit, every unit is UCUM, every key is found or explained."""

import json
from pathlib import Path

import pytest
from ucumvert import get_ucum_parser

from casefhir import terms
from casefhir.terms.catalogue import _interpretations, _rows, _units
from casefhir.terms.units import UnknownUnit, _common, dimension, parsed_dimension

ALL = [(key, coding) for key, each in terms.concepts().items() for coding in each.codings]

_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]  # fmt: skip
_P = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7], [9, 4, 5, 3, 1, 2, 6, 8, 7, 0], [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5], [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
]  # fmt: skip


def verhoeff_holds(code: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = _D[check][_P[position % 8][int(digit)]]
    return check == 0


def mod10_holds(code: str) -> bool:
    body, check = code.split("-")
    total = sum(
        sum(divmod(int(digit) * (2 if position % 2 == 0 else 1), 10)) for position, digit in enumerate(reversed(body))
    )
    return (10 - total % 10) % 10 == int(check)


@pytest.mark.parametrize("code", sorted({c.code for _, c in ALL if c.system == "http://snomed.info/sct"}))
def test_snomed_codes_pass_their_check_digit(code: str) -> None:
    assert verhoeff_holds(code)


@pytest.mark.parametrize(
    "code", sorted({c.code for _, c in ALL if c.system == "http://loinc.org" and not c.code.startswith("LA")})
)
def test_loinc_codes_pass_their_check_digit(code: str) -> None:
    assert mod10_holds(code)


def test_every_unit_of_the_catalogue_is_ucum() -> None:
    parser = get_ucum_parser()
    wanted = {each.unit for each in terms.concepts().values()} | {*_units().values()}
    for code in wanted - {""}:
        parser.parse(code)


def test_a_key_that_is_missing_is_answered_with_the_nearest() -> None:
    with pytest.raises(terms.UnknownConcept, match="Did you mean azathioprine"):
        terms.concept("azathioprin")


def test_companion_files_name_only_keys_of_the_catalogue() -> None:
    for name in ("names.tsv", "cautions.tsv"):
        assert {row["key"] for row in _rows(name)} <= {*terms.concepts()}, name


def test_no_key_has_one_code_twice() -> None:
    for key, each in terms.concepts().items():
        codes = [(c.system, c.code) for c in each.codings]
        assert len(codes) == len(set(codes)), key


def test_our_own_codes_are_all_in_our_code_system(root: Path) -> None:
    system = json.loads((root / "profiles" / "CodeSystem-scores.json").read_text(encoding="utf-8"))
    known = {each["code"]: each["display"] for each in system["concept"]}
    ours = {c.code: c.display for _, c in ALL if c.system == system["url"]}
    assert ours == known


@pytest.mark.parametrize(
    ("printed", "ucum"),
    [("UI/l", "U/L"), ("IU/L", "U/L"), ("G/L", "10*9/L"), ("gm/kg", "g/kg"), ("mm/hour", "mm/h"), ("U/l/ml", None)],
)
def test_units_are_read_as_laboratories_print_them(printed: str, ucum: str | None) -> None:
    assert terms.ucum_of(printed) == ucum


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [("mg/L", "g/dL", True), ("U/L", "[IU]/L", False), ("10*9/L", "/uL", True), ("kg", "mg/L", False)],
)
def test_units_of_one_kind_are_commensurable(one: str, other: str, fits: bool) -> None:
    assert terms.commensurable(one, other) is fits


def test_what_is_not_ucum_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownUnit, match="not a UCUM unit"):
        dimension("UI/l")


def test_interpretations_are_codes_of_hl7s_system() -> None:
    assert {code for code, _ in _interpretations().values()} <= {
        "N", "A", "H", "L", "POS", "NEG", "B", "W", "AA", "HH", "LL", "IND",
    }  # fmt: skip


@pytest.mark.thorough
def test_many_threads_may_ask_at_once() -> None:
    """In a process of its own: the unit registry is built on first use, which must happen once."""
    import subprocess
    import sys

    script = """
import threading
from casefhir import terms
barrier, found = threading.Barrier(12), []
def ask(number):
    barrier.wait()
    found.append(terms.commensurable(*[("ug/L", "g/uL"), ("g/t", "mg/kg"), ("km/h", "m/s")][number % 3]))
threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
[each.start() for each in threads]
[each.join() for each in threads]
print(found.count(True))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.stderr) == ("12", "")


def test_the_table_of_dimensions_is_what_the_library_says() -> None:
    assert {code: parsed_dimension(code) for code in _common()} == _common()
    assert {*_units().values()} - {""} <= {*_common()}


def test_common_units_load_no_parser() -> None:
    import subprocess
    import sys

    script = "import sys; from casefhir import library; library.list_cases(); print('ucumvert' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
