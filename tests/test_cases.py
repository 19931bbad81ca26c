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


@pytest.mark.documents
def test_no_sentence_of_the_document_is_in_the_repository(path: Path, sources: Path, root: Path) -> None:
    """No fourteen words in a row of any document stand anywhere here, but for the article's printed title."""
    import re

    def words(text: str) -> list[str]:
        return re.findall(r"[a-z0-9]+", re.sub(r"-\s*\n\s*", "", text.lower()))

    case = library.load_case(path).case
    document = library.find_by_hash(sources, case.article.sha256)
    said = words(document.text)
    runs = {tuple(said[i : i + 14]) for i in range(len(said) - 13)}
    titled = words(case.article.title)
    runs -= {tuple(titled[i : i + 14]) for i in range(len(titled) - 13)}
    for folder in ("mappings", "bundles", "tests", "docs", "src"):
        for file in (root / folder).rglob("*"):
            if file.suffix not in (".py", ".json", ".md", ".tsv", ".txt") or "target" in file.parts:
                continue
            text = words(file.read_text(encoding="utf-8", errors="replace"))
            found = next((text[i : i + 14] for i in range(len(text) - 13) if tuple(text[i : i + 14]) in runs), None)
            assert found is None, f"{file}: {' '.join(found or [])}"


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
