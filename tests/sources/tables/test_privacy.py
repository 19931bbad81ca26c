"""What tells who a person is is not shown."""

from collections import Counter

import pytest

from casefhir.sources.tables.mapping import TableMapping
from casefhir.sources.tables.privacy import MASK, CalledAfter, masked, plain, without_cells
from tests.sources.tables.tables import PERSON, loaded


@pytest.mark.parametrize(
    ("files", "key", "found"),
    [
        (["labs.csv", "K-17.json"], ("K-17",), "K-17.json"),
        (["export_k-17_2020.csv"], ("K-17",), "export_k-17_2020.csv"),
        (["book.xlsx#K17"], ("K17",), "book.xlsx#K17"),
        (["K-170.json"], ("K-17",), None),
        (["labs_2020.csv"], ("2020",), None),  # a year, or a person's number: it may be anything
        (["7.csv", "book.xlsx#7"], ("7",), None),
        (["7.json"], ("7",), "7.json"),
        (["study1.csv"], ("study1", "17"), None),  # of a key in parts, one alone names nobody
        (["study1_17.csv"], ("study1", "17"), "study1_17.csv"),
    ],
)
def test_files_that_are_called_after_a_person(files: list[str], key: tuple[str, ...], found: str | None) -> None:
    assert CalledAfter(files).find(key) == found


@pytest.mark.parametrize("cell", ["K-17", "O'Brien", 'the "big" one', """it's "x" """, "a\\'b", "12.5.2020"])
def test_sentences_can_be_told_without_the_cells_in_them(cell: str) -> None:
    assert plain(f"{cell!r} is not a date") == without_cells(f"{cell!r} is not a date") == "… is not a date"


def mapping() -> TableMapping:
    return loaded(PERSON + "[privacy]\nshift_dates = 10\n").mapping


@pytest.mark.parametrize(
    ("column", "words", "told"),
    [
        ("Patient, name", "Doe", MASK),
        ("Doctor, Patient, name -> visit", "Doe", MASK),
        ("patient, names", "x", "x"),
        ("TEST", "odd test", "odd test"),
        ("TEST", "on 3 May 2020", MASK),
    ],
)
def test_words_are_counted_without_those_of_hidden_columns(column: str, words: str, told: str) -> None:
    found = masked(mapping(), Counter({("lab", column, words): 2}), {("dm", "Patient, Name")})
    assert found == {("lab", column, told): 2}
