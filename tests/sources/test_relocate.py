"""Another rendition of the article: found again, and never called proven."""

import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.record import Span, places
from casefhir.sources.article.document import Document, DocumentError
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.relocate import locations, relocate, relocate_in
from tests.thorough import examples

from .conftest import document_of


def letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def is_true(old: Document, new: Document, before: Span, after: Span) -> bool:
    """Whether as many letters and digits stand before the place, and in it, as did."""
    same_start = len(letters(old.text[: before.offset])) == len(letters(new.text[: after.offset]))
    return same_start and letters(old.text[before.offset : before.end]) == letters(new.text[after.offset : after.end])


def test_typographic_signs_and_new_lines_change_no_place(mapping: Mapping, document: Document) -> None:
    other = document_of(document.text.replace(" ", "\n").replace("-", "–").replace(",\n", "\n,\n"))
    report = relocate(mapping, other)
    assert report.findings == ()
    assert all(is_true(document, other, before, after) for before, after in report.relocated.items())


@examples(15)
@given(st.randoms(use_true_random=False), st.integers(20, 100))
def test_every_place_is_found_however_the_text_is_broken(
    mapping: Mapping, document: Document, random: Random, width: int
) -> None:
    broken = re.sub(
        r"(?<=[a-z]{3})(?=[a-z]{3})", lambda match: "-\n" if random.randrange(width) == 0 else "", document.text
    )
    broken = re.sub(" ", lambda match: random.choice([" ", "  ", "\n", "\u00a0"]), broken)
    other = document_of(broken)
    found = locations(mapping.case, other.text)
    wanted = {span for fact in (mapping.case.person, *mapping.case.facts) for span in places(fact)}
    assert wanted <= set(found)
    assert all(is_true(document, other, before, after) for before, after in found.items())


def test_what_is_relocated_is_not_proven(mapping: Mapping, document: Document) -> None:
    report = relocate(mapping, document_of("The journal\n\n" + document.text))
    assert report.ok
    assert report.is_relocation
    assert report.as_json()["proven"] is False
    assert {after.offset - before.offset for before, after in report.relocated.items()} == {len("The journal\n\n")}


def test_a_passage_that_is_gone_is_found_out(mapping: Mapping, document: Document) -> None:
    report = relocate(mapping, document_of(document.text.replace("Muscle score 41/60. ", "")))
    assert {finding.fact for finding in report.findings} == {"muscle-score"}
    assert all(finding.line >= mapping.line_of("muscle-score") for finding in report.findings)
    assert "is not found again" in report.findings[0].what


def test_another_figure_inside_a_place_is_found_out(mapping: Mapping, document: Document) -> None:
    weight = mapping.case.by_key["weight"]
    loose = replace(weight, source=replace(weight.source, quote="Weight … in 2012"))
    case = replace(mapping.case, facts=tuple(loose if fact is weight else fact for fact in mapping.case.facts))
    other = document_of(document.text.replace("Weight was 58 kg", "Weight was 85 kg"))
    (finding,) = relocate(replace(mapping, case=case), other).findings
    assert finding.what == "value: 58 kg stands in none of its spans."


def test_the_rendition_with_most_places_is_taken(mapping: Mapping, document: Document, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Something else.", encoding="utf-8")
    (tmp_path / "b.txt").write_text(document.text.replace(" ", "\n"), encoding="utf-8")
    (tmp_path / "c.bin").write_bytes(b"\xff\xfe")
    assert relocate_in(mapping, tmp_path).document == tmp_path / "b.txt"


def test_another_article_is_no_rendition(mapping: Mapping, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Something else.", encoding="utf-8")
    with pytest.raises(DocumentError, match="is a rendition of the article"):
        relocate_in(mapping, tmp_path)
