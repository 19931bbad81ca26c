"""Primitive formats: real calendars and exact shapes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casefhir.conformance.primitives import fault


@given(some.dates())
def test_every_day_of_the_calendar_is_a_date(day):
    assert fault("date", day.isoformat()) is None


@given(some.integers(1, 9999), some.integers(1, 12), some.integers(1, 31))
def test_a_date_is_right_exactly_when_the_calendar_has_it(year, month, day):
    try:
        date(year, month, day)
        real = True
    except ValueError:
        real = False
    assert (fault("date", f"{year:04d}-{month:02d}-{day:02d}") is None) == real


@pytest.mark.parametrize("text", ["2012", "2012-02", "2012-01-01T10:00:00Z", "2012-01-01T10:00:00.1+14:00"])
def test_a_datetime_has_the_precision_it_was_given(text):
    assert fault("dateTime", text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "2012-2",
        "2013-02-29",
        "2012-01-01T10:00Z",
        "2012-01-01T10:00:00",
        "2012-01-01T24:00:00Z",
        "0000",
        "2012-01-01 10:00:00Z",
        "2012-01-01T10:00:00+14:30",
        "2012\n",
        "٢٠١٢",
    ],
)
def test_what_only_looks_like_a_datetime_is_none(text):
    assert fault("dateTime", text) is not None


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("instant", "2012-01-01T10:00:00Z", "2012-01-01"),
        ("time", "10:00:00", "10:00"),
        ("code", "a b", "a  b"),
        ("id", "a-1.b", "a b"),
        ("oid", "urn:oid:1.2.3", "1.2.3"),
        ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520"),
        ("base64Binary", "YWJj", "YWJ"),
        ("canonical", "http://x.test/y|1", "y"),
        ("uri", "http://x.test/", "http://x.test/ y"),
        ("markdown", "# a", ""),
    ],
)
def test_a_primitive_has_its_format(kind, right, wrong):
    assert fault(kind, right) is None
    assert fault(kind, wrong) is not None
