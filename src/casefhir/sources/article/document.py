"""A source document: read as it is, known by its hash, quoted by patterns that see through broken lines."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from casefhir.errors import CasefhirError
from casefhir.record.spans import ELISION, Span

LONGEST_STRETCH = 600  # how far `…` may reach when words are looked for; a quote in a mapping has no such bound


class DocumentError(CasefhirError):
    """A source document that is missing, unreadable, or not the one that was meant."""


@dataclass(frozen=True)
class Document:
    """A document and its text, decoded as UTF-8 with line ends untouched; offsets count code points from 0."""

    path: Path
    data: bytes

    @classmethod
    def read(cls, path: Path) -> "Document":
        """The document in the file `path`; raises `DocumentError` where it cannot be read or is not UTF-8."""
        try:
            data = path.read_bytes()
            data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DocumentError(f"{path} cannot be read as a UTF-8 text: {error}.") from error
        return cls(path, data)

    @cached_property
    def text(self) -> str:
        """The decoded text."""
        return self.data.decode("utf-8")

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def sha1(self) -> str:
        """The SHA-1 of the bytes, in hexadecimal (FHIR's Attachment.hash is a SHA-1)."""
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()

    def line_of(self, offset: int) -> int:
        """The number (from 1) of the line that `offset` is in."""
        return self.text.count("\n", 0, offset) + 1

    def locate(self, words: str) -> Iterator[Span]:
        """Every place that reads `words`, in order; `first … last` finds the shortest stretches between the two."""
        pattern = quote_pattern(words, between=rf"[\s\S]{{0,{LONGEST_STRETCH}}}?")
        start = 0
        while match := pattern.search(self.text, start):
            yield Span(match.start(), match.end() - match.start(), words)
            start = match.start() + 1


@lru_cache(maxsize=4096)
def quote_pattern(quote: str, between: str = r"[\s\S]*") -> re.Pattern[str]:
    """A pattern that matches `quote` as documents print it: any white space for a blank, words broken at line ends,
    with or without a hyphen of their own; `…` stands for anything (`between`).
    """
    return re.compile(between.join(_literal(part.strip()) for part in quote.split(ELISION)))


def _literal(text: str) -> str:
    out: list[str] = []
    for position, char in enumerate(text):
        if char.isspace():
            if not text[position - 1].isspace():
                out.append(r"\s+")
            continue
        if position and not text[position - 1].isspace() and text[position - 1] != "-":
            out.append(r"(?:[-\u00ad]\s*\n\s*)?")
        out.append(r"-\s*" if char == "-" else re.escape(char))
    return "".join(out)


def find_by_hash(folder: Path, sha256: str) -> Document:
    """The document in `folder` (or below it) whose SHA-256 is `sha256`; raises `DocumentError` where none is."""
    if not folder.is_dir():
        raise DocumentError(f"{folder} is not a folder of source documents.")
    looked_at = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            looked_at += 1
            document = Document(path, path.read_bytes())
            if document.sha256 == sha256:
                return Document.read(path)
    raise DocumentError(
        f"None of the {looked_at} files in {folder} is the document with SHA-256 {sha256}: put the unchanged file "
        f"there, or use --relocate for another rendition of the article."
    )
