"""Places: bounded quotes, whole or elided."""

import pytest

from casefhir.record import RecordError, at, spans_of


def test_a_quote_may_leave_out_the_middle() -> None:
    assert at(5, 40, "CRP … 22.7 mg/l").end == 45
    assert at(5, 3, "CRP").end == 8


@pytest.mark.parametrize(
    ("offset", "length", "quote", "why"),
    [
        (-1, 3, "abc", "starts at 0"),
        (0, 0, "abc", "at least 1"),
        (0, 3, " abc", "blanks"),
        (0, 99, "a" * 81, "more than 80"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused(offset: int, length: int, quote: str, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        at(offset, length, quote)


def test_places_come_as_one_or_several() -> None:
    one, two = at(0, 1, "a"), at(2, 1, "b")
    assert spans_of(None) == ()
    assert spans_of(one) == (one,)
    assert spans_of((one, two)) == (one, two)
