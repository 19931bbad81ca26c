"""The published articles are not in this repository, nor are sentences from them: facts, figures and places only."""

import re
import subprocess
from pathlib import Path

import pytest

from casefhir import library

FEWEST = 6  # words in a row, none of them a figure: no naming phrase is so long
FEWEST_WITH_FIGURES = 9  # a measurement is told as it is printed, with its range
WORD = re.compile(r"[^\W_]+")
WORD_OR_FIGURE = re.compile(r"[^\W_]+(?:[.,/’'×-][^\W_]+)*")  # a figure with its decimals and its unit is one word


def runs(text: str) -> set[tuple[str, ...]]:
    """The runs of words by which a sentence is known again, whatever stands between the words."""
    plain = _runs(WORD.findall(text.casefold()), FEWEST)
    figured = _runs(WORD_OR_FIGURE.findall(text.casefold()), FEWEST_WITH_FIGURES)
    return {run for run in plain if not any(map(has_figure, run))} | figured


def _runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def has_figure(word: str) -> bool:
    return any(char.isdigit() for char in word)


def runs_of_the_articles(sources: Path) -> set[tuple[str, ...]]:
    """Every run of the articles, but those of their titles and authors, which are cited."""
    said: set[tuple[str, ...]] = set()
    cited: set[tuple[str, ...]] = set()
    for path in library.published_mappings():
        article = library.load_case(path).case.article
        text = library.find_by_hash(sources, article.sha256).text
        mended = re.sub(r"-\s*\n\s*", "", text)  # words broken at a line's end, whole
        said |= runs(text) | runs(mended)
        cited |= runs(article.title) | runs(" ".join(article.authors))
    return said - cited


def test_a_sentence_is_known_again_over_hyphens_and_signs_and_a_measurement_is_none() -> None:
    sentence = "Two days later, the long-lasting rash had gone."
    assert runs("(the long lasting … rash had gone)") & runs(sentence)
    assert not runs("the long-lasting rash") & runs(sentence)
    assert not runs("IgG1 2.48 g/l (N >3.82 g/l)")


@pytest.mark.documents
@pytest.mark.thorough
def test_no_sentence_of_an_article_is_in_the_repository(sources: Path, root: Path) -> None:
    said = runs_of_the_articles(sources)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, check=True, text=True).stdout
    read = 0
    for file in (root / name for name in listed.split("\0") if name):
        if not file.is_file():
            continue  # removed, and that not yet committed
        try:
            found = runs(file.read_text(encoding="utf-8")) & said
        except UnicodeDecodeError:
            continue  # a picture, a workbook
        read += 1
        assert not found, f"{file}: {sorted(map(' '.join, found))}"
    assert read > 500
