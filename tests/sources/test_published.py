"""The published cases against their documents, where only a reader can judge."""

import csv
from pathlib import Path

import pytest

from casefhir.record import On
from casefhir.sources.article.document import find_by_hash
from casefhir.sources.article.modules import load_mapping, published_mappings
from casefhir.sources.article.naming import concept_of, own_names
from casefhir.sources.article.verify import verify

pytestmark = pytest.mark.documents


def judged() -> set[tuple[str, str]]:
    """Concepts and phrases that a reader has found to mean them, though the catalogue does not list them."""
    lines = (Path(__file__).parent / "own_words.tsv").read_text(encoding="utf-8").splitlines()
    return {(row["concept"], row["phrase"].casefold()) for row in csv.DictReader(lines, delimiter="\t")}


@pytest.mark.parametrize("path", published_mappings(), ids=lambda path: path.stem)
def test_a_name_that_is_not_in_the_catalogue_was_judged_by_a_reader(path: Path, sources: Path) -> None:
    mapping = load_mapping(path)
    report = verify(mapping, find_by_hash(sources, mapping.case.article.sha256))
    for key in report.own_words:
        fact = mapping.case.by_key[key]
        concept = concept_of(fact)
        assert concept is not None
        phrases = [phrase.casefold() for phrase in own_names(fact)]
        known = [phrase for judged_key, phrase in judged() if judged_key == concept.key]
        assert any(each in phrase for each in known for phrase in phrases), (concept.key, phrases)


def judged_dates() -> dict[tuple[str, str], str]:
    """The date of each fact that has it from another sentence though a date stands nearer: a reader found it right."""
    lines = (Path(__file__).parent / "dates_apart.tsv").read_text(encoding="utf-8").splitlines()
    return {(row["case"], row["fact"]): row["date"] for row in csv.DictReader(lines, delimiter="\t")}


@pytest.mark.parametrize("path", published_mappings(), ids=lambda path: path.stem)
def test_a_date_from_another_sentence_was_judged_by_a_reader(path: Path, sources: Path) -> None:
    mapping = load_mapping(path)
    report = verify(mapping, find_by_hash(sources, mapping.case.document.sha256))
    for key in report.dates_apart:
        when = getattr(mapping.case.by_key[key], "when", None)
        assert isinstance(when, On)
        assert judged_dates()[mapping.case.key, key] == when.date
