"""Documents beside the record: found by hash, cut where facts have their words, nothing lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.report.bundles import Resources
from casefhir.report.documents import Sources, UnreadableSource, documents, headings
from casefhir.report.facts import cases
from tests.report.conftest import sources_of, told
from tests.thorough import examples

TEXT = "CK 489, later 63."


def cut(resources: Resources, folder: Path) -> list[tuple[str, list[str]]]:
    """The segments of the only document: text and ids of its facts."""
    (case,) = cases(resources)
    ids = {fact.key: fact.held.id for fact in case.facts}
    (document,) = documents(case, resources, Sources(folder))
    return [(each.text, [ids.get(key, key) for key in each.facts]) for each in document.segments]


def test_overlapping_words_are_cut_into_segments_with_all_their_facts(tmp_path: Path) -> None:
    sources_of(tmp_path, TEXT)
    found = cut(told(TEXT, {"one": "CK 489", "two": "489, later"}), tmp_path)
    assert found == [("CK ", ["one"]), ("489", ["one", "two"]), (", later", ["two"]), (" 63.", [])]


@examples(60)
@given(st.text(min_size=1, max_size=40), st.data())
def test_the_segments_are_the_text(tmp_path_factory: pytest.TempPathFactory, said: str, data: st.DataObject) -> None:
    folder = sources_of(tmp_path_factory.mktemp("sources"), said)
    begin = data.draw(st.integers(0, len(said) - 1))
    words = said[begin : data.draw(st.integers(begin + 1, len(said)))]
    assert "".join(text for text, _ in cut(told(said, {"a": words, "b": said}), folder)) == said


def test_a_document_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    sources_of(tmp_path, "another text")
    resources = told(TEXT, {"one": "CK"})
    assert documents(cases(resources)[0], resources, Sources(tmp_path)) == []


def test_a_place_beyond_the_text_is_no_place(tmp_path: Path) -> None:
    sources_of(tmp_path, TEXT)
    resources = told(TEXT, {"one": "CK"})
    resources.of_type("Observation")[0].value["extension"][0]["extension"][1]["valueInteger"] = 5000
    assert cut(resources, tmp_path) == [(TEXT, [])]


def test_a_document_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    resources = told(TEXT, {"one": "CK"})
    document = resources.of_type("DocumentReference")[0].value
    document["identifier"][0]["value"] = next(iter(Sources(tmp_path).names))
    with pytest.raises(UnreadableSource, match="byte 0 is not UTF-8"):
        documents(cases(resources)[0], resources, Sources(tmp_path))


ARTICLE = """Abstract
Nothing of note is told here at all.
Case presentation
The CK was 489 and the CRP was high. She likes tea.
# References
Nobody et al. wrote of another thing.
"""


def test_words_in_no_fact_are_gaps_where_their_section_tells_of_the_case(tmp_path: Path) -> None:
    sources_of(tmp_path, ARTICLE)
    resources = told(ARTICLE, {"ck": "The CK was 489", "crp": "CRP was high"})
    (document,) = documents(cases(resources)[0], resources, Sources(tmp_path))
    assert [(each.title, each.words, each.in_facts, each.tells) for each in document.sections] == [
        ("Abstract", 8, 0, False),
        ("Case presentation", 12, 7, True),
        ("References", 7, 0, False),
    ]
    assert [each.text.strip() for each in document.gaps] == ["and the", ". She likes tea."]
    assert document.section_at(ARTICLE.index("CRP")) == "Case presentation"
    assert [each.text for each in document.segments if each.role == "heading"] == [
        "Abstract",
        "Case presentation",
        "# References",
    ]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("### Dear Editor,", "Dear Editor"),
        (" Case 2", "Case 2"),
        ("2. Discussion:", "Discussion"),
        ("KEY WORDS", "KEY WORDS"),
    ],
)
def test_headings_are_lines_of_their_own(line: str, title: str) -> None:
    assert headings(f"Words.\n{line}\nMore.") == [(7, 7 + len(line), title)]


@pytest.mark.parametrize("line", ["The results were normal.", "Case 2 was a man", "#5 of the list" * 20, ""])
def test_other_lines_are_no_headings(line: str) -> None:
    assert headings(f"Words.\n{line}\nMore.") == []
