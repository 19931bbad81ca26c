"""Finds the places of a mapping again in another rendition of its article."""

from pathlib import Path

from casefhir.sources.article.document import DocumentError
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.verify import VerifyReport


def relocate_in(mapping: Mapping, folder: Path) -> VerifyReport:
    """The rendition in `folder` that holds most of the mapping's places."""
    raise DocumentError(f"{folder} holds no other rendition of the article of {mapping.path}.")
