"""Re-reads a document and proves, fact by fact, what a mapping claims of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from casefhir.record import Case, Fact, LeftOut, Person, Relative, Span, parts, places
from casefhir.record.case import KEY
from casefhir.sources.article.document import Document
from casefhir.sources.article.figures import states_date, within
from casefhir.sources.article.findings import Finding
from casefhir.sources.article.matching import span_mistake
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.naming import phrase_pattern
from casefhir.sources.article.proof import Counts, Proof
from casefhir.terms import concepts

UNTITLED = "Untitled document"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was proven of a case, and what does not hold.

    `spans`, `figures`, `dates` and `words` count what was proven; `relocated` the spans found again in another
    rendition of the article (then nothing counts as proven). `own_words` are the keys of facts whose concept only words
    of the mapping's own (text=, named=) name: that these mean the concept is for a reader to judge. So is the date of
    the facts in `dates_apart`, whose date stands in another sentence though another date stands nearer.
    """

    case: str
    mapping: Path
    document: Path
    facts: int
    spans: int
    figures: int
    dates: int
    words: int
    findings: tuple[Finding, ...]
    own_words: tuple[str, ...] = ()
    dates_apart: tuple[str, ...] = ()
    relocated: dict[Span, Span] = field(default_factory=dict)
    is_relocation: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "case": self.case,
            "mapping": str(self.mapping),
            "document": str(self.document),
            "proven": not self.is_relocation and self.ok,
            "facts": self.facts,
            "spans": self.spans,
            "figures": self.figures,
            "dates": self.dates,
            "words": self.words,
            "namedByOwnWords": list(self.own_words),
            "datedFromApart": list(self.dates_apart),
            "relocated": [
                {
                    "offset": old.offset,
                    "length": old.length,
                    "newOffset": new.offset,
                    "newLength": new.length,
                    "quote": old.quote,
                }
                for old, new in self.relocated.items()
            ],
            "findings": [each.as_json() for each in self.findings],
        }


def verify(mapping: Mapping, document: Document) -> VerifyReport:
    """The proof that every span of `mapping` reads in `document` as it says, and holds its figures, dates and names.

    Findings, not exceptions, tell what does not hold, each with the mapping's file and line.
    """
    counts = Counts()
    findings = [*article_findings(mapping, document), *fact_findings(mapping, document.text, counts)]
    case = mapping.case
    return VerifyReport(
        case.key,
        mapping.path,
        document.path,
        len(case.facts) + 1,
        counts.spans,
        counts.figures,
        counts.dates,
        counts.words,
        tuple(findings),
        tuple(counts.own_words),
        tuple(counts.dates_apart),
    )


def unproven(mapping: Mapping, folder: Path, why: str) -> VerifyReport:
    """The report of a case whose document is not in `folder`: nothing is proven."""
    missing = Finding(str(mapping.path), mapping.article_line, None, why, "")
    return VerifyReport(mapping.case.key, mapping.path, folder, len(mapping.case.facts) + 1, 0, 0, 0, 0, (missing,))


def fact_findings(mapping: Mapping, text: str, counts: Counts) -> Iterator[Finding]:
    """What does not hold of the facts, and of the stretches left out, in `text`."""
    file = str(mapping.path)
    everything = (mapping.case.person, *mapping.case.facts)
    everywhere = {place for fact in everything for place in places(fact)}
    figures = frozenset(each.digits for span in everywhere for each in within(text, span.offset, span.end))
    for fact in everything:
        for span, what, mend in Proof(fact, text, counts, figures).run():
            line = mapping.line_at(fact.key, span.offset, span.length) if span else mapping.line_of(fact.key)
            yield Finding(file, line, fact.key, what, mend)
        for name, near in _mistyped_keys(mapping.case, fact):
            what = f"it names {name!r}, which is like the key {near!r}, but no fact is called so."
            yield Finding(file, mapping.line_of(fact.key), fact.key, what, "Write the key, or free words.")
    for left in mapping.case.left_out:
        mistake = span_mistake(text, as_span(left))
        if mistake:
            what, mend = mistake
            line = mapping.line_at(None, left.offset, left.length)
            yield Finding(file, line, None, what.replace("the span", "the stretch left out", 1), mend)


def _mistyped_keys(case: Case, fact: Fact | Person) -> Iterator[tuple[str, str]]:
    """Free words of `fact`, where a key may stand, that are nearly a key of the case; with that key."""
    named: list[str] = [part.event for part in parts(fact) if isinstance(part, Relative)]
    for field_name in ("due_to", "after", "related", "reasons"):
        named += [each for each in getattr(fact, field_name, ()) if isinstance(each, str)]
    for name in dict.fromkeys(named):
        if name not in case.by_key and name not in concepts() and KEY.fullmatch(name) and "-" in name:
            yield from ((name, near) for near in get_close_matches(name, case.by_key, n=1, cutoff=0.8))


def as_span(left: LeftOut) -> Span:
    """The place of a stretch left out."""
    return Span(left.offset, left.length, left.quote)


def article_findings(mapping: Mapping, document: Document) -> Iterator[Finding]:
    """What the mapping says of the article and the document does not show."""
    article, text = mapping.case.document, document.text

    def no(what: str, mend: str) -> Finding:
        return Finding(str(mapping.path), mapping.article_line, None, what, mend)

    if document.sha256 != article.sha256:
        yield no(
            f"{document.path} is another document: its SHA-256 is {document.sha256}, not {article.sha256}.",
            "Take the unchanged file; for another rendition of the article use --relocate.",
        )
    for name, claimed, found in (
        ("sha1", article.sha1, document.sha1),
        ("size", article.size, len(document.data)),
        ("characters", article.characters, len(text)),
    ):
        if claimed != found:
            yield no(f"{name} is {claimed}, but the document's is {found}.", "Correct it.")
    for name, words in (("doi", article.doi), ("pmcid", article.pmcid), ("pmid", article.pmid)):
        if words and not phrase_pattern(words).search(text):
            yield no(f"{name}: the document does not show {words}.", "Leave out what it does not show.")
    for author in article.authors:
        if not phrase_pattern(author).search(text):
            yield no(f"authors: the document does not show {author!r}.", "Write each author as printed.")
    if not article.title.startswith(UNTITLED) and not phrase_pattern(article.title).search(text):
        yield no(
            f"title: the document does not show {article.title!r}.",
            f"Write it as printed, or '{UNTITLED}: …' where none is printed.",
        )
    if article.published and not states_date(text, [(0, len(text))], article.published):
        yield no(
            f"published: the document does not show {article.published}.",
            "Leave it out, or only as precise as printed.",
        )
