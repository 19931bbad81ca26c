"""Documents: read as they are, found by hash, quoted through broken lines."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casefhir.sources.article.document import Document, DocumentError, find_by_hash, quote_pattern
from casefhir.sources.article.matching import reads_plainly

from .conftest import document_of


@pytest.mark.parametrize(
    "printed",
    [
        "drug-induced side effects",
        "drug-\ninduced side effects",
        "drug-induced  side\n\teffects",
        "drug-induced side ef-\nfects",
        "drug-induced side ef-\n\nfects",
        "drug-induced side\u00a0effects",
    ],
)
def test_a_quote_sees_through_broken_lines(printed: str) -> None:
    assert quote_pattern("drug-induced side effects").fullmatch(printed)


@pytest.mark.parametrize(
    "printed", ["drug induced side effects", "drug-induced side effect", "a drug-induced side effects"]
)
def test_a_quote_is_pinned_at_both_ends(printed: str) -> None:
    assert not quote_pattern("drug-induced side effects").fullmatch(printed)


@given(st.lists(st.text(alphabet="abcXYZ019.,%", min_size=1, max_size=8), min_size=1, max_size=8), st.data())
def test_any_wrapping_reads_as_its_words(words: list[str], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.sampled_from([" ", "\n", "  \n ", "\t"]), min_size=len(words), max_size=len(words)))
    printed = "".join(word + gap for word, gap in zip(words, gaps)).rstrip()
    assert quote_pattern(" ".join(words)).fullmatch(printed)


def test_offsets_count_code_points() -> None:
    document = document_of("β-blocker 😀 CK was high")
    (span,) = document.locate("CK was high")
    assert (span.offset, document.text[span.offset : span.end]) == (12, "CK was high")


def test_line_ends_are_left_as_they_are() -> None:
    document = document_of("one\r\ntwo")
    assert document.text == "one\r\ntwo"
    assert next(document.locate("two")).offset == 5


def test_the_shortest_stretch_between_first_and_last_words_is_found() -> None:
    document = document_of("CK was 3 U/l, later CK was 5 U/l")
    assert [document.text[each.offset : each.end] for each in document.locate("CK … 5 U/l")] == [
        "CK was 3 U/l, later CK was 5 U/l",
        "CK was 5 U/l",
    ]


def test_a_document_is_found_by_its_hash_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x").write_bytes(b"the article")
    (tmp_path / "other.txt").write_bytes(b"another")
    found = find_by_hash(tmp_path, hashlib.sha256(b"the article").hexdigest())
    assert found.path == tmp_path / "below" / "x"


def test_a_missing_document_is_told_with_its_hash_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_bytes(b"another")
    with pytest.raises(DocumentError, match=re.escape("None of the 1 files")) as told:
        find_by_hash(tmp_path, "0" * 64)
    assert "--relocate" in str(told.value)


def test_what_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(DocumentError, match="cannot be read as a UTF-8 text"):
        Document.read(tmp_path / "latin")


@given(st.text(alphabet="ab -\n…", max_size=12), st.text(alphabet="ab -…", min_size=1, max_size=8))
def test_the_quick_reading_of_a_quote_says_yes_only_where_its_pattern_does(words: str, quote: str) -> None:
    assume(quote == quote.strip() and "  " not in quote)
    if reads_plainly(words, quote):
        assert quote_pattern(quote).fullmatch(words)
