"""Comparisons and ranges: a value is not a limit of its range, and is compared exactly as it is printed."""

import pytest

from casefhir.record import Course, Measurement, Relative
from casefhir.sources.article.comparing import comparison, ranges

from .test_verify import one_fact, place


def of(text: str, value: str, range_: str | None = None) -> list[str]:
    return one_fact(text, Measurement("a", "ck", value, place(text, text[:-1]), range=range_))


@pytest.mark.parametrize(
    ("text", "value", "range_"),
    [
        ("CK was 412 U/l (N < 195).", "412 U/l", "< 195"),
        ("CK was 412 U/l (normal 30-195 U/l).", "412 U/l", "30-195 U/l"),
        ("CK was 412 U/l (normal up to 195).", "412 U/l", "< 195"),
        ("CK was 412 U/l (reference 30 to 195).", "412 U/l", "30-195"),
        ("CK was normal (112 U/l).", "112 U/l", None),
        ("CK was less than 195 U/l.", "<195 U/l", None),
        ("CK was <195 U/l.", "<195 U/l", None),
        ("CK exceeded 2000 U/l.", ">2000 U/l", None),
        ("CK was 2000 U/l or more.", ">=2000 U/l", None),
        ("CK was 300–400 U/l.", "300-400 U/l", None),
        ("CK fell from 412 U/l to 95 U/l.", "412 U/l", None),
    ],
)
def test_what_is_printed_so_is_proven(text: str, value: str, range_: str | None) -> None:
    assert of(text, value, range_) == []


@pytest.mark.parametrize(
    ("text", "value", "range_"),
    [
        ("CK was 412 U/l (N < 195).", "195 U/l", "< 412"),
        ("CK was 412 U/l (N 195).", "195 U/l", None),
        ("CK was 412 U/l (N 195).", "412 U/l", "< 412"),
        ("CK was 412 U/l (normal 30-195 U/l).", "30 U/l", "195-412 U/l"),
        ("CK was 412 U/l (normal 30-195 U/l).", "195 U/l", "30-412 U/l"),
        ("CK was 412 U/l (normal 30-195 U/l).", "412 U/l", "30-412 U/l"),
        ("CK was 195 U/l.", "<195 U/l", None),
        ("CK was <195 U/l.", "195 U/l", None),
        ("CK was less than 195 U/l.", "195 U/l", None),
        ("CK was less than 195 U/l.", ">195 U/l", None),
        ("CK exceeded 2000 U/l.", "2000 U/l", None),
        ("CK was 2000 U/l or more.", "2000 U/l", None),
        ("CK was 300–400 U/l.", "300 U/l", None),
    ],
)
def test_what_is_printed_otherwise_is_not(text: str, value: str, range_: str | None) -> None:
    assert of(text, value, range_)


@pytest.mark.parametrize(
    ("printed", "right", "wrong"),
    [
        ("within 3 months", "<=3 months", "3 months"),
        ("less than 3 months", "<3 months", ">3 months"),
        ("more than 3 months", ">3 months", "3 months"),
        ("3 months", "3 months", "<3 months"),
    ],
)
def test_a_time_is_compared_as_it_is_printed(printed: str, right: str, wrong: str) -> None:
    text = f"MTX was given, and she improved {printed} after its start."
    source = place(text, f"improved {printed} after its start")

    def with_offset(offset: str) -> Course:
        when = Relative("after-start", "ivig-1", source, offset=offset)
        return Course("a", "methotrexate", place(text, text[:-1]), when=when)

    assert one_fact(text, with_offset(right)) == []
    assert one_fact(text, with_offset(wrong))


def test_comparisons_are_read_from_signs_and_words() -> None:
    for before, after, sign in (("≤ ", "", "<"), ("at least ", "", ">"), ("", " or fewer", "<"), ("about ", "", "")):
        text = f"It was {before}5 mg{after}."
        start = text.index("5")
        assert comparison(text, start, start + 1) == sign


def test_dates_and_names_are_no_ranges() -> None:
    text = "From 30 to 195 U/l, IgG1-3, and 4.0–10.0 G/l."
    assert sorted({(low.digits, high.digits) for low, high in ranges(text).values()}) == [
        ("30", "195"),
        ("4.0", "10.0"),
    ]
