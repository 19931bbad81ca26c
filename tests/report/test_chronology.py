"""When facts are: partial dates as spans, dates told by events hung on them, nothing invented."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.report.bundles import Resources
from casefhir.report.chronology import Chronology, days, shifted
from tests.report.conftest import held

RELATIVE = "http://hl7.org/fhir/StructureDefinition/relative-date"


def after(event: dict[str, Any], relationship: str, **length: Any) -> dict[str, Any]:
    return {
        "extension": [
            {
                "url": RELATIVE,
                "extension": [
                    {"url": "event", **event},
                    {"url": "relationship", "valueCode": relationship},
                    {"url": "offset", "valueDuration": length},
                ],
            }
        ]
    }


def course(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": id_,
        "status": "unknown",
        **more,
        "medicationCodeableConcept": {"text": "azathioprine"},
    }


def on(id_: str) -> dict[str, Any]:
    return {"valueReference": {"reference": f"MedicationStatement/{id_}"}}


def start(resources: Resources, at: int = -1) -> tuple[date | None, date | None]:
    when = Chronology(resources).start(resources.held[at])
    return when.first, when.last


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2003", date(2003, 1, 1), date(2003, 12, 31)),
        ("2004-02", date(2004, 2, 1), date(2004, 2, 29)),
        ("2004-02-03", date(2004, 2, 3), date(2004, 2, 3)),
        ("2004-02-03T23:30:00-05:00", date(2004, 2, 3), date(2004, 2, 3)),
    ],
)
def test_a_date_spans_the_days_it_can_be(written: str, first: date, last: date) -> None:
    assert days(written) == (first, last)


@pytest.mark.parametrize("written", ["", "soon", "2003-13", "2003-02-30", "03/2004"])
def test_what_is_no_date_spans_no_days(written: str) -> None:
    assert days(written) is None


@pytest.mark.parametrize(
    ("relationship", "length", "first", "last"),
    [
        ("after-start", {"value": 9, "code": "mo"}, date(2004, 8, 1), date(2004, 8, 31)),
        ("after-start", {"value": 3, "code": "mo", "comparator": "<="}, date(2003, 11, 1), date(2004, 2, 29)),
        ("before", {"value": 2, "unit": "weeks"}, date(2003, 10, 18), date(2003, 11, 16)),
        ("after-end", {"value": 1, "code": "a"}, date(2005, 6, 1), date(2005, 6, 30)),
        ("concurrent-with-start", {}, date(2003, 11, 1), date(2003, 11, 30)),
    ],
)
def test_a_date_told_by_an_event_hangs_on_it(relationship: str, length: Any, first: date, last: date) -> None:
    anchor = course("a", effectivePeriod={"start": "2003-11", "end": "2004-06"})
    resources = held(anchor, course("b", _effectiveDateTime=after(on("a"), relationship, **length)))
    assert start(resources) == (first, last)
    assert Chronology(resources).start(resources.held[1]).derived


@pytest.mark.parametrize("length", [{}, {"value": 3, "code": "mo", "comparator": ">"}, {"value": 3, "code": "[lb_av]"}])
def test_without_a_length_of_time_no_day_is_made_up(length: Any) -> None:
    anchor = course("a", effectivePeriod={"start": "2003-11"})
    resources = held(anchor, course("b", _effectiveDateTime=after(on("a"), "after-start", **length)))
    assert start(resources) == (None, None)
    assert "after start “azathioprine”" in Chronology(resources).start(resources.held[1]).text


def test_a_course_that_ends_months_after_its_own_start() -> None:
    period = {"start": "2003-11", "_end": after(on("a"), "after-start", value=9, code="mo")}
    resources = held(course("a", effectivePeriod=period))
    assert Chronology(resources).end(resources.held[0]).first == date(2004, 8, 1)


def test_events_that_hang_on_each_other_have_no_date() -> None:
    one = course("a", _effectiveDateTime=after(on("b"), "after", value=1, code="mo"))
    other = course("b", _effectiveDateTime=after(on("a"), "after", value=1, code="mo"))
    assert start(held(one, other)) == (None, None)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-600, 600))
def test_a_month_moved_is_a_whole_month(day: date, months: int) -> None:
    first = day.replace(day=1)
    last = shifted(first, Decimal(1), "mo") - timedelta(days=1)
    moved = shifted(first, Decimal(months), "mo"), shifted(last, Decimal(months), "mo")
    assert moved[0].day == 1
    assert (moved[1] + timedelta(days=1)).day == 1
    assert (moved[0].year * 12 + moved[0].month) - (first.year * 12 + first.month) == months
