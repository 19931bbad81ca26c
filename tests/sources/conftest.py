"""The invented article and its mapping, which every test of this room may change at will."""

from pathlib import Path

import pytest

from casefhir.sources.article.document import Document
from casefhir.sources.article.modules import Mapping, load_mapping

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    return load_mapping(EXAMPLES / "example_azathioprine_dermatomyositis.py")


@pytest.fixture(scope="session")
def document() -> Document:
    return Document.read(EXAMPLES / "example-article.txt")


def document_of(text: str) -> Document:
    """A document in memory."""
    return Document(Path("article.txt"), text.encode())
