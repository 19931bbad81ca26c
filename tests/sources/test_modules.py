"""Mapping modules: loaded, found, and refused with the line of the mistake."""

from pathlib import Path

import pytest

from casefhir.record import Span
from casefhir.sources.article.modules import Mapping, MappingError, load_mapping, published_mappings, resolve

from .conftest import EXAMPLES

EXAMPLE = EXAMPLES / "example_azathioprine_dermatomyositis.py"


def line_with(words: str) -> int:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / EXAMPLE.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_facts_are_known_by_the_line_they_begin_on(mapping: Mapping) -> None:
    assert mapping.line_of("weight") == line_with('Measurement("weight",')
    assert mapping.line_of("azathioprine-1") == line_with('            "azathioprine-1",') - 1
    assert mapping.line_of("subject") == line_with("person=Person(")
    assert mapping.article_line == line_with("ARTICLE = Article(")


def test_places_are_known_by_their_own_line_even_where_two_facts_share_them(mapping: Mapping) -> None:
    shared = mapping.case.by_key["azathioprine"].source
    assert isinstance(shared, Span)
    lines = {mapping.line_at(key, shared.offset, shared.length) for key in ("azathioprine", "azathioprine-1")}
    assert len(lines) == 2


def test_moments_are_known_by_the_line_of_their_constant(mapping: Mapping) -> None:
    moment = mapping.case.by_key["ck-words"].when.source  # type: ignore[union-attr]
    assert mapping.line_at("ck-words", moment.offset, moment.length) == line_with('at(697, 47, "Three months')


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"ck-onset",\n            "ck"',
            '"ck-onset",\n            "cck"',
            "ck-onset: The concept catalogue has no 'cck'",
        ),
        ('Measurement("weight",', 'Measurement("weight-day",', "Two facts have the key 'weight-day'"),
        ('"58 kg"', '"58 mg/l"', "does not fit body weight"),
        ('evidence=("jo1",)', 'evidence=("jo2",)', "names 'jo2', which no fact of the case is called"),
        ("at(1117, 24,", "at(1170, 24,", "ends after the document's 1176 characters"),
        ('On("2012-06", ', 'On("2012-13", ', "is not a date"),
        ("CASE = Case(", "CASES = Case(", "defines no CASE"),
        ("from casefhir.record import (", "from casefhir.record import ((", "is not Python"),
    ],
)
def test_a_mistake_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(MappingError) as told:
        load_mapping(path)
    assert said in str(told.value)
    assert str(told.value).startswith(f"{path}:")


def test_a_mistake_inside_a_call_is_told_with_its_line(tmp_path: Path) -> None:
    path = changed(tmp_path, 'On("2012-06",', 'On("2012-6",')
    with pytest.raises(MappingError, match=rf":{line_with('JUNE_2012 = ')}: "):
        load_mapping(path)


def test_a_case_is_found_by_key_and_by_path() -> None:
    first = published_mappings()[0]
    assert resolve(first.stem.replace("_", "-")) == first
    assert resolve(str(EXAMPLE)) == EXAMPLE


def test_a_key_that_no_case_has_is_told_with_those_there_are() -> None:
    key = published_mappings()[0].stem.replace("_", "-")
    with pytest.raises(MappingError, match=f"Did you mean {key}"):
        resolve(key + "x")
    with pytest.raises(MappingError, match="no such file"):
        resolve("nowhere/case.py")


def test_the_key_of_every_published_case_is_the_name_of_its_file() -> None:
    for path in published_mappings():
        assert load_mapping(path).case.key.replace("-", "_").replace(".", "_") == path.stem
