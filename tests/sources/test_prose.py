"""Sentences and table lines: where a figure belongs to what names it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.article.prose import stretches, touching


def parts(text: str) -> list[str]:
    return [" ".join(text[each.start : each.end].split()) for each in stretches(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CK was high. CRP was 4.0 mg/l.", ["CK was high.", "CRP was 4.0 mg/l."]),
        ("She had 500 mg p.o. and i.v. twice.", ["She had 500 mg p.o. and i.v. twice."]),
        ("It is shown (Fig. 1). She left.", ["It is shown (Fig. 1).", "She left."]),
        ("Dr. A. Smith saw her.", ["Dr. A. Smith saw her."]),
        ("in muscle.3 Later she left.", ["in muscle.3", "Later she left."]),
        ("(N 4.0–9.0 G/L) with anaemia.", ["(N 4.0–9.0 G/L) with anaemia."]),
        ("It failed. 3 of 5 died.", ["It failed.", "3 of 5 died."]),
        ("Heading\n\nThe text.", ["Heading", "The text."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_a_sentence_goes_on_over_a_column_break() -> None:
    assert parts("She was refrac-\n\ntory to steroids. He left.") == ["She was refrac- tory to steroids.", "He left."]


def test_the_lines_of_a_table_stand_alone() -> None:
    table = "Before it.\n\nMay 2013 July 2018 May 2019\nPatient 1\n TLC 52 73 81\n DLCO 38 65 61\n\nAfter it."
    assert parts(table) == [
        "Before it.",
        "May 2013 July 2018 May 2019",
        "Patient 1",
        "TLC 52 73 81",
        "DLCO 38 65 61",
        "After it.",
    ]


def test_cells_parted_by_tabs_or_bars_are_a_table() -> None:
    assert parts("| CK | CRP | IgG |\n| 20 | 3 | 4 |") == ["| CK | CRP | IgG |", "| 20 | 3 | 4 |"]


@given(st.text(alphabet="aB1 .\n,;)", max_size=80))
def test_every_word_is_in_exactly_one_stretch(text: str) -> None:
    covered = [position for each in stretches(text) for position in range(each.start, each.end)]
    assert len(covered) == len(set(covered))
    assert {position for position, char in enumerate(text) if not char.isspace()} <= set(covered)


def test_a_stretch_over_two_sentences_touches_both() -> None:
    text = "CK was high. CRP was low. She left."
    assert [text[each.start : each.end] for each in touching(text, 7, 20)] == ["CK was high.", "CRP was low."]
