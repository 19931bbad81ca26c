"""A date that another part of the story tells is shown to the reader, who judges whose it is."""

import pytest

from casefhir.record import Measurement, On
from casefhir.sources.article.nearness import is_dated_from_apart

from .test_verify import place

STORY = "In May 2014 she was seen. Her CRP was 22 mg/l. In July 2014 SCIg was begun. Her CK was 60 U/l then."
ASIDE = "She came in May 2014. The scan was as reported in November 2012. Her CRP was 22 mg/l."


def fact(text: str, words: str, date: str, told: str) -> Measurement:
    return Measurement("a", None, "told", place(text, words), when=On(date, place(text, told)), text="a")


@pytest.mark.parametrize(
    ("words", "date", "told", "apart"),
    [
        ("Her CRP was 22 mg/l", "2014-05", "May 2014", False),
        ("Her CRP was 22 mg/l", "2014-07", "July 2014", True),
        ("SCIg was begun", "2014-07", "July 2014", False),
        ("SCIg was begun", "2014-05", "May 2014", True),
        ("Her CK was 60 U/l", "2014-07", "July 2014", False),
        ("Her CK was 60 U/l", "2014-05", "May 2014", True),
    ],
)
def test_a_fact_has_the_date_of_its_sentence_or_the_last_before_it(
    words: str, date: str, told: str, apart: bool
) -> None:
    assert is_dated_from_apart(fact(STORY, words, date, told), STORY) is apart


def test_an_aside_parts_a_fact_from_its_date() -> None:
    assert is_dated_from_apart(fact(ASIDE, "Her CRP was 22 mg/l", "2014-05", "May 2014"), ASIDE)


def test_cells_of_a_table_have_the_date_of_a_heading() -> None:
    table = "Lung function\n\nMay 2013 July 2018 April 2019\n TLC 52 73 81\n DLCO 38 65 61\n"
    assert not is_dated_from_apart(fact(table, "DLCO 38", "2013-05", "May 2013"), table)
