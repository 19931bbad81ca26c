"""Shows that nothing of a case's sections is in neither a fact's span nor the list of stretches left out."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache

from casefhir import terms
from casefhir.record import LeftOut, Section, places
from casefhir.sources.article.document import Document
from casefhir.sources.article.figures import Figure, within
from casefhir.sources.article.findings import Finding
from casefhir.sources.article.matching import span_mistake
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.naming import mentions
from casefhir.sources.article.prose import data_lines, touching
from casefhir.sources.article.verify import as_span

_WORD = re.compile(r"[^\W_]+(?:['’.,·][^\W_]+)*")
_CLINICAL_KINDS = (
    "laboratory",
    "lung-function",
    "vital-signs",
    "score",
    "imaging",
    "procedure",
    "condition",
    "medication",
)
_LABEL = re.compile(r"\b(?:Fig(?:ure|s)?|Table|Case|Patient|Page|Supplement)s?\.?\s*\Z", re.IGNORECASE)
NO_CONTENT = "no clinical content"
_OF_OTHERS = ("literature", "background")
_OWN = re.compile(r"\b(?:(?:our|this|the|present) (?:patient|case)|she|her|he|his|him)\b", re.IGNORECASE)
_CITED = re.compile(r"\[\s*\d|[a-z][.,]\d")
_GLOSSARY = re.compile(r"[A-Z][A-Za-z0-9]*, [^;.]+;")  # TLC, total lung capacity;


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that nothing accounts for, in code points; `line` (from 1) is the document's."""

    offset: int
    length: int
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class SectionCoverage:
    """How the words of one section are accounted for; function words count nowhere."""

    title: str
    words: int
    in_facts: int
    left_out: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The coverage of one case, section by section; `reasons` counts the stretches left out by their reason."""

    case: str
    mapping: str
    sections: tuple[SectionCoverage, ...]
    reasons: dict[str, int]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether everything is accounted for and no stretch left out is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "case": self.case,
            "mapping": self.mapping,
            "complete": self.ok,
            "sections": [asdict(each) for each in self.sections],
            "leftOut": self.reasons,
            "findings": [each.as_json() for each in self.findings],
        }


def coverage(mapping: Mapping, document: Document) -> CoverageReport:
    """What of `document` the facts of `mapping` and its stretches left out account for."""
    case, text = mapping.case, document.text
    in_facts, left_out = bytearray(len(text)), bytearray(len(text))
    for fact in (case.person, *case.facts):
        for span in places(fact):
            in_facts[span.offset : span.end] = b"\1" * (min(span.end, len(text)) - span.offset)
    for left in case.left_out:
        left_out[left.offset : left.offset + left.length] = b"\1" * (
            min(left.offset + left.length, len(text)) - left.offset
        )
    sections = tuple(_section(section, document, in_facts, left_out) for section in case.sections)
    reasons: dict[str, int] = dict(Counter(str(left.reason) for left in case.left_out))
    findings = (
        *_gaps(mapping, sections),
        *_section_findings(mapping, text),
        *_left_out_findings(mapping, text, in_facts),
    )
    return CoverageReport(case.key, str(mapping.path), sections, reasons, findings)


def _section(section: Section, document: Document, in_facts: bytearray, left_out: bytearray) -> SectionCoverage:
    text = document.text
    told = left = total = 0
    gaps: list[tuple[int, int]] = []
    goes_on = False
    for match in _WORD.finditer(text, section.offset, min(section.offset + section.length, len(text))):
        start, end = match.span()
        if match.group().casefold() in data_lines("function_words.txt"):
            goes_on = goes_on and not any(in_facts[start:end]) and not any(left_out[start:end])
            continue
        total += 1
        if all(in_facts[start:end]):
            told, goes_on = told + 1, False
        elif all(left_out[start:end]):
            left, goes_on = left + 1, False
        elif goes_on:
            gaps[-1] = (gaps[-1][0], end)
        else:
            gaps.append((start, end))
            goes_on = True
    found = tuple(
        Gap(start, end - start, document.line_of(start), " ".join(text[start:end].split())) for start, end in gaps
    )
    return SectionCoverage(section.title, total, told, left, found)


def _gaps(mapping: Mapping, sections: tuple[SectionCoverage, ...]) -> Iterator[Finding]:
    for section in sections:
        for gap in section.gaps:
            yield Finding(
                str(mapping.path), 1, None,
                f"{section.title}, line {gap.line} of the document: “{gap.words}” ({gap.offset}, {gap.length}) is in "
                f"no fact and not left out.",
                "Give it a fact, make it a further place of one, or leave it out with its reason.",
            )  # fmt: skip


def _section_findings(mapping: Mapping, text: str) -> Iterator[Finding]:
    def no(section: Section, what: str) -> Finding:
        line = mapping.line_at(None, section.offset, section.length)
        return Finding(
            str(mapping.path), line, None, f"the section {section.title!r} {what}", "Correct its offset and length."
        )

    if not mapping.case.sections:
        yield Finding(
            str(mapping.path),
            1,
            None,
            "the case names no sections, so nothing can be shown to be covered.",
            "Add sections=(…).",
        )
    for section in mapping.case.sections:
        end = section.offset + section.length
        if end > len(text):
            yield no(section, f"ends at {end}, after the document's {len(text)} characters.")
        elif not _is_whole(text, section.offset, end):
            yield no(section, "does not start and end with a sentence or a line of a table.")


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether a stretch starts and ends with a sentence or line, blanks aside; a label may be left off before it."""
    inside = text[start:end]
    start, end = start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())
    inner = touching(text, start, end)
    if not inner:
        return False
    starts_line = not text[text.rfind("\n", 0, start) + 1 : start].strip()
    return (inner[0].start == start or starts_line) and inner[-1].end == end


def _left_out_findings(mapping: Mapping, text: str, in_facts: bytearray) -> Iterator[Finding]:
    for left in mapping.case.left_out:
        line = mapping.line_at(None, left.offset, left.length)
        end = left.offset + left.length
        mistake = span_mistake(text, as_span(left))
        if mistake:
            what, mend = mistake
            yield Finding(str(mapping.path), line, None, what.replace("the span", "the stretch left out", 1), mend)
            continue
        if not any(
            section.offset <= left.offset and end <= section.offset + section.length
            for section in mapping.case.sections
        ):
            yield Finding(
                str(mapping.path),
                line,
                None,
                f"the stretch left out at {left.offset} lies in no section.",
                "Remove it, or widen the section.",
            )
        for start, stop in _overlaps(in_facts, left.offset, end):
            words = " ".join(text[start:stop].split())
            if _WORD.search(words):
                yield Finding(
                    str(mapping.path), line, None,
                    f"the stretch left out at {left.offset} overlaps a fact's span at {start} (“{words[:60]}”).",
                    "What is in a fact is not left out: shorten the one or the other.",
                )  # fmt: skip
        for start, figure in _of_the_person(text, left) if left.reason in _OF_OTHERS else ():
            yield Finding(
                str(mapping.path), line, None,
                f"the stretch left out at {left.offset} as {left.reason} holds the figure {figure} at {start}, whose "
                f"sentence does not say that it is of others.",
                "Make it a fact, or end the stretch before it and give the reason that is true.",
            )  # fmt: skip
        if left.reason == NO_CONTENT and (named := _clinical(text, left)):
            yield Finding(
                str(mapping.path), line, None,
                f"the stretch left out at {left.offset} as without clinical content holds {named}.",
                "Make it a fact, or give the reason that is true (background, literature, other patient, repeats).",
            )  # fmt: skip


def _of_the_person(text: str, left: LeftOut) -> Iterator[tuple[int, str]]:
    """The figures of a stretch left out as telling of others, whose sentences do not; with their sentences."""
    end = left.offset + left.length
    before = ""
    for each in touching(text, left.offset, end):
        first, last = max(each.start, left.offset), min(each.end, end)
        words = text[first:last]
        told = [figure for figure in within(text, first, last) if _is_plain(text, figure)]
        if told and not _GLOSSARY.match(words) and (_OWN.search(words) or not _tells_of_others(before + words)):
            yield told[0].start, text[told[0].start : told[0].end]
        before = words + " "


def _is_plain(text: str, figure: Figure) -> bool:
    """Whether a figure is digits, and neither part of a name nor the number of a reference (`disputed.3 4`)."""
    cited = re.search(r"[a-z][.,]\d[\d ,–-]*\Z", text[max(figure.start - 16, 0) : figure.start])
    return not figure.name and text[figure.start].isdigit() and not cited


def _tells_of_others(words: str) -> bool:
    known = "|".join(re.escape(each) for each in sorted(data_lines("others.txt")))
    return bool(_CITED.search(words) or re.search(rf"\b(?:{known})\b", words, re.IGNORECASE))


def _overlaps(covered: bytearray, start: int, end: int) -> list[tuple[int, int]]:
    return [(start + match.start(), start + match.end()) for match in re.finditer(rb"\x01+", bytes(covered[start:end]))]


def _clinical(text: str, left: LeftOut) -> str:
    """The first figure or name of a drug, measurement or problem in a stretch; empty where there is none."""
    end = left.offset + left.length
    for figure in within(text, left.offset, end):
        if not figure.name and text[figure.start].isdigit() and not _LABEL.search(text[left.offset : figure.start]):
            return f"the figure {text[figure.start : figure.end]}"
    here = text[left.offset : end]
    found = sorted((match.start(), match.group()) for name in _clinical_names() for match in mentions(name, here))
    return f"the name “{' '.join(found[0][1].split())}”" if found else ""


@cache
def _clinical_names() -> frozenset[str]:
    """The names of all clinical concepts of the catalogue."""
    clinical = (each for each in terms.concepts().values() if each.kind in _CLINICAL_KINDS)
    return frozenset(name for each in clinical for name in (*each.names, each.name))
