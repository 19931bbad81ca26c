"""The skeleton of a mapping for a further document."""

from pathlib import Path

import pytest

from casefhir.sources.article.coverage import coverage
from casefhir.sources.article.document import Document
from casefhir.sources.article.modules import MappingError, load_mapping
from casefhir.sources.article.scaffold import scaffold, sections_of, title_of
from casefhir.sources.article.verify import verify

ARTICLE = """Open journal of examples
. 2013 Jun 3; doi: 10.5555/example.2013.1

A long enough title of an invented case report

Example A
PMCID: PMC1234567  PMID: 7654321

Abstract

A summary of it.

1. Introduction

What others wrote.

Case presentation

She is a 47-year-old Andean woman with "weakness".

Discussion

What it means.

References

1. Somebody wrote this.
"""
RECORDED = "2026-11-22T00:00:00Z"


@pytest.fixture
def report(tmp_path: Path) -> Document:
    path = tmp_path / "report.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    return Document.read(path)


def test_a_skeleton_loads_and_is_proven(tmp_path: Path, report: Document) -> None:
    path = scaffold("example-case", report, tmp_path / "mappings", RECORDED)
    mapping = load_mapping(path)
    assert path.name == "example_case.py"
    assert verify(mapping, report).findings == ()
    assert mapping.case.person.sex == "female"
    assert (mapping.case.article.doi, mapping.case.article.pmcid, mapping.case.article.pmid) == (
        "10.5555/example.2013.1", "PMC1234567", "7654321",
    )  # fmt: skip


def test_its_sections_are_those_that_tell_of_the_person(tmp_path: Path, report: Document) -> None:
    mapping = load_mapping(scaffold("example-case", report, tmp_path, RECORDED))
    assert [each.title for each in mapping.case.sections] == ["Abstract", "Case presentation", "Discussion"]
    assert next(gap.words for each in coverage(mapping, report).sections for gap in each.gaps) == "summary"


def test_a_document_without_headings_is_one_section() -> None:
    (section,) = sections_of("\nAn invented case.\n")
    assert (section.offset, section.length) == (1, 17)


def test_the_title_is_guessed_or_left_to_the_author() -> None:
    assert title_of(ARTICLE) == "A long enough title of an invented case report"
    assert title_of("Abstract\n\nText.").startswith("Untitled document")


def test_nothing_is_overwritten(tmp_path: Path, report: Document) -> None:
    path = scaffold("example-case", report, tmp_path, RECORDED)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(MappingError, match="already there"):
        scaffold("example-case", report, tmp_path, RECORDED)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_key_that_cannot_be_one_is_refused(tmp_path: Path, report: Document) -> None:
    with pytest.raises(MappingError, match="other characters than"):
        scaffold("../Case", report, tmp_path, RECORDED)
    assert list(tmp_path.glob("*.py")) == []


def test_a_document_with_quotes_in_its_title_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "quoted.txt"
    path.write_text('The so-called "rare \\ disease" of one patient\n\nA man aged 60.\n', encoding="utf-8")
    mapping = load_mapping(scaffold("quoted", Document.read(path), tmp_path, RECORDED))
    assert mapping.case.article.title == 'The so-called "rare \\ disease" of one patient'


@pytest.mark.parametrize("text", ["x", "Ωmega", "A\r\nB\r\n", "1"])
def test_any_text_gets_a_skeleton_that_loads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.txt"
    path.write_bytes(text.encode())
    assert load_mapping(scaffold("any", Document.read(path), tmp_path, RECORDED)).case.key == "any"
