"""Layer json: what is JSON, where it stands, and that hostile input ends quickly."""

from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casefhir.conformance import validate
from casefhir.conformance.definitions import Definitions
from casefhir.conformance.pieces import bounded_lines
from casefhir.conformance.primitives import TEXTS, fault
from casefhir.conformance.reader import read
from casefhir.conformance.units import unit_fault
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.terms.check_digits import loinc_fault, snomed_fault

JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


def pointers(value, at=""):
    yield at
    if isinstance(value, dict):
        for key, each in value.items():
            yield from pointers(each, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from pointers(each, f"{at}/{number}")


def test_decimals_are_as_written():
    assert str(read(b'{"v": 1.00}')[0]["v"]) == "1.00"
    assert read(b"[1e3]")[0] == [Decimal("1e3")]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"{", "json.syntax"),
        (b"", "json.syntax"),
        (b'{"a": NaN}', "json.number"),
        (b"[" * 100_000, "json.depth"),
        (b'{"a":' * 100_000, "json.depth"),
        (b"\xff{}", "json.utf8"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "json.number"),
    ],
)
def test_what_is_not_json_is_fatal(data, rule):
    (one,) = validate(data).findings
    assert (one.severity, one.rule) == ("fatal", rule)


def test_a_repeated_key_is_an_error_at_its_line():
    report = validate(b'{\n "resourceType": "Patient",\n "active": true,\n "active": false\n}', layers={"json"})
    (one,) = report.findings
    assert (one.rule, one.line, one.pointer) == ("json.duplicate-key", 4, "/active")


def test_half_a_character_is_an_error():
    report = validate(rb'{"resourceType": "Patient", "id": "\ud800"}')
    assert "json.surrogate" in {each.rule for each in report.findings}


def test_deep_nesting_that_json_can_read_ends_in_a_finding():
    data = b'{"resourceType":"Questionnaire","item":[' + b'{"item":[' * 400 + b"{}" + b"]}" * 400 + b"]}"
    assert "json.depth" in {each.rule for each in validate(data).findings}


def test_a_finding_has_the_line_of_its_element():
    report = validate(b'{"resourceType": "Patient",\n "gender": "x"}', layers={"terminology"})
    assert [each.line for each in report.findings] == [2]


ROWS = some.lists(some.binary(max_size=30).map(lambda data: data.replace(b"\n", b"x")), max_size=6)


@given(ROWS, some.integers(1, 9))
def test_lines_of_any_length_take_bounded_memory_and_keep_their_number(rows, most):
    data = b"".join(row + b"\n" for row in rows)
    read_lines = list(bounded_lines(BytesIO(data), most))
    assert len(read_lines) == len(rows)
    offset = 0
    for number, (row, line) in enumerate(zip(rows, read_lines, strict=True), 1):
        assert line == (number, offset, len(row) + 1, (row + b"\n")[: most + 1])
        offset += len(row) + 1


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        " " * 300_000,
        "a " * 150_000,
        "a=b;" * 80_000,
        "-a" * 150_000,
        "1." * 150_000,
        "(" * 300_000,
        "{" * 300_000,
        "|" * 300_000,
        "a/" + ";a=  " * 60_000,
    ],
)
def test_hostile_strings_end(text):
    for kind in TEXTS:
        fault(kind, text)
    unit_fault(text[:2000])
    snomed_fault(text)
    loinc_fault(text)
    vocabulary = Vocabulary(Definitions())
    vocabulary.has("http://hl7.org/fhir/ValueSet/mimetypes", None, text)
    vocabulary.has("http://hl7.org/fhir/ValueSet/all-languages", None, text)
