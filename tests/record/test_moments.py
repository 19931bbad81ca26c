"""Dates keep the precision that was told; a real calendar decides what a date is."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Between, On, RecordError, Relative, at, precedes

PLACE = at(0, 4, "2003")


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date_at_three_precisions(day: dt.date) -> None:
    text = day.isoformat()
    for length in (4, 7, 10):
        assert On(text[:length], PLACE).date == text[:length]


@pytest.mark.parametrize(
    "text", ["2003-13", "2003-02-30", "03", "2003-1", "11/2003", "2003-11-4", "", "2003-00", "0000", "٢٠٠٣"]
)
def test_what_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match="only as precise as it was told"):
        On(text, PLACE)


def test_a_time_between_dates_runs_forward_and_has_an_end() -> None:
    with pytest.raises(RecordError, match="ends"):
        Between("2005", "2003", PLACE)
    with pytest.raises(RecordError, match="at least one"):
        Between(None, None, PLACE)


def test_dates_are_compared_only_to_the_precision_that_both_have() -> None:
    assert precedes("2003", "2004-01")
    assert not precedes("2003", "2003-11")
    assert not precedes("2003-11", "2003")


def test_an_offset_is_a_figure_or_not_told() -> None:
    assert Relative("after-start", "x", PLACE).quantity is None
    assert str(Relative("after-start", "x", PLACE, offset="9 months").quantity) == "9 months"


@given(
    st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1)), st.sampled_from([0, 90, -300, 840])
)
def test_an_instant_has_its_zone_and_precedes_as_time_does(moment: dt.datetime, zone: int) -> None:
    aware = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=zone)))
    assert On(aware.isoformat(), PLACE).date == aware.isoformat()
    later = (aware + dt.timedelta(microseconds=1)).astimezone(dt.UTC).isoformat()
    assert precedes(aware.isoformat(), later)
    assert not precedes(later, aware.isoformat())


@pytest.mark.parametrize(
    "text",
    ["2003-11-04T16:17", "2003-11-04T16:17:47", "2003-11-04T25:00:00Z", "2003-11-04 16:17:47Z", "2003-11T16:17:47Z",
     "2003-11-04T16:17:47+15:00", "2003-02-30T16:17:47Z", "2003-11-04T16:60:00Z", "2003-11-04T"],
)  # fmt: skip
def test_a_time_without_seconds_or_zone_is_no_instant(text: str) -> None:
    with pytest.raises(RecordError, match="with its zone"):
        On(text, PLACE)
