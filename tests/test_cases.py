"""Every published case is proven against its document, and every stretch of it is accounted for."""

from pathlib import Path

import pytest

from casefhir import library

CASES = library.published_mappings()
NAMES = [path.stem for path in CASES]
EXAMPLE = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.parametrize("path", CASES, ids=NAMES)


@pytest.mark.documents
def test_each_fact_stands_where_its_mapping_says(path: Path, sources: Path) -> None:
    report = library.verify(path, sources)
    assert [str(each) for each in report.findings] == []
    assert report.ok
    assert report.spans > len(library.load_case(path).case.facts)


@pytest.mark.documents
def test_no_stretch_of_the_case_is_in_neither(path: Path, sources: Path) -> None:
    report = library.coverage(path, sources)
    assert [str(each) for each in report.findings] == []
    assert report.ok


def test_the_articles_of_one_document_keep_their_patients_apart(path: Path) -> None:
    case = library.load_case(path).case
    others = [library.load_case(other).case for other in CASES if other != path]
    for other in others:
        if other.article.sha256 == case.article.sha256:
            assert case.label
            assert other.label
            assert case.label != other.label
            ours = {(span.offset, span.length) for fact in case.facts for span in library.places(fact)}
            theirs = {(span.offset, span.length) for fact in other.facts for span in library.places(fact)}
            shared = len(ours & theirs) / len(ours)
            assert shared < 0.1, f"{shared:.0%} of the places of {case.key} are also those of {other.key}"
