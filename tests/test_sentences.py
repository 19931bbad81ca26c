"""The published articles are not in this repository, nor are sentences from them: facts, figures and places only."""

import re
import subprocess
from pathlib import Path

import pytest

from casefhir import library

FEWEST = 9  # words in a row: no naming phrase is so long
WORD = re.compile(r"[^\W_]+(?:[.,/’'×-][^\W_]+)*")  # a figure with its decimals is one word


def words(text: str) -> list[str]:
    return [match.group() for match in WORD.finditer(text.casefold())]


def runs(said: list[str]) -> set[tuple[str, ...]]:
    return {tuple(said[i : i + FEWEST]) for i in range(len(said) - FEWEST + 1)}


def runs_of_the_articles(sources: Path) -> set[tuple[str, ...]]:
    """Every nine words in a row of the articles, but those of their titles and authors, which are cited."""
    said: set[tuple[str, ...]] = set()
    cited: set[tuple[str, ...]] = set()
    for path in library.published_mappings():
        article = library.load_case(path).case.article
        text = library.find_by_hash(sources, article.sha256).text
        mended = re.sub(r"-\s*\n\s*", "", text)  # words broken at a line's end, whole
        said |= runs(words(text)) | runs(words(mended))
        cited |= runs(words(article.title)) | runs(words(" ".join(article.authors)))
    return said - cited


@pytest.mark.documents
def test_no_sentence_of_an_article_is_in_the_repository(sources: Path, root: Path) -> None:
    said = runs_of_the_articles(sources)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, check=True, text=True).stdout
    read = 0
    for file in (root / name for name in listed.split("\0") if name):
        if not file.is_file():
            continue  # removed, and that not yet committed
        try:
            found = runs(words(file.read_text(encoding="utf-8"))) & said
        except UnicodeDecodeError:
            continue  # a picture, a workbook
        read += 1
        assert not found, f"{file}: {sorted(map(' '.join, found))}"
    assert read > 500
