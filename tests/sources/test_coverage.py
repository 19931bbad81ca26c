"""Coverage: nothing of the sections is in neither a fact nor the list of stretches left out."""

import json
from dataclasses import replace

import pytest

from casefhir import exactjson
from casefhir.record import LeftOut, Section
from casefhir.record.case import Reason
from casefhir.sources.article.coverage import CoverageReport, coverage
from casefhir.sources.article.document import Document
from casefhir.sources.article.modules import Mapping

from .conftest import document_of


def report_with(mapping: Mapping, document: Document, **changes: object) -> CoverageReport:
    return coverage(replace(mapping, case=replace(mapping.case, **changes)), document)  # type: ignore[arg-type]


def told(report: CoverageReport) -> list[str]:
    return [finding.what for finding in report.findings]


def without(mapping: Mapping, *keys: str) -> dict[str, object]:
    return {"facts": tuple(fact for fact in mapping.case.facts if fact.key not in keys)}


def test_the_example_is_covered(mapping: Mapping, document: Document) -> None:
    report = coverage(mapping, document)
    assert report.ok
    (section,) = report.sections
    assert section.words == section.in_facts + section.left_out
    assert report.reasons == {"no clinical content": 1}


def test_what_no_fact_tells_is_a_gap_with_its_place(mapping: Mapping, document: Document) -> None:
    report = report_with(mapping, document, **without(mapping, "muscle-score"))
    (gap,) = report.sections[0].gaps
    assert (gap.words, gap.line) == ("Muscle score 41/60", 5)
    assert document.text[gap.offset : gap.offset + gap.length] == gap.words
    assert not report.ok


def test_function_words_need_no_fact(mapping: Mapping, document: Document) -> None:
    assert "in neither" not in " ".join(told(coverage(mapping, document)))
    uncovered = report_with(mapping, document, **without(mapping, "visit-2012-05", "converted"))
    assert [gap.words for gap in uncovered.sections[0].gaps] == ["seen in May 2012: CRP 2.4 mg/dl"]


def test_a_stretch_left_out_has_to_read_as_it_says(mapping: Mapping, document: Document) -> None:
    (left,) = mapping.case.left_out
    report = report_with(mapping, document, left_out=(replace(left, offset=1),))
    assert any("the stretch left out at 1 reads" in each for each in told(report))


def test_what_is_in_a_fact_cannot_be_left_out(mapping: Mapping, document: Document) -> None:
    (left,) = mapping.case.left_out
    second = LeftOut(849, 5, "41/60", "other patient")
    report = report_with(mapping, document, left_out=(left, second))
    assert told(report) == ["the stretch left out at 849 overlaps a fact's span at 849 (“41/60”)."]


@pytest.mark.parametrize(
    ("left", "fact", "holds"),
    [
        (LeftOut(836, 18, "Muscle score 41/60", "no clinical content"), "muscle-score", "the figure 41"),
        (LeftOut(500, 28, "A muscle biopsy was declined", "no clinical content"), "biopsy-declined", "“muscle biopsy”"),
    ],
)
def test_figures_and_clinical_names_are_not_without_content(
    mapping: Mapping, document: Document, left: LeftOut, fact: str, holds: str
) -> None:
    report = report_with(mapping, document, left_out=(*mapping.case.left_out, left), **without(mapping, fact))
    assert any(
        f"without clinical content holds the {holds}".replace("the the", "the") in each for each in told(report)
    ) or any(holds in each for each in told(report))
    other = replace(left, reason="other patient")
    assert (
        told(report_with(mapping, document, left_out=(*mapping.case.left_out, other), **without(mapping, fact))) == []
    )


def test_a_stretch_left_out_lies_in_a_section(mapping: Mapping, document: Document) -> None:
    second_sentence = Section("The case", 44, 1131)
    report = report_with(mapping, document, sections=(second_sentence,))
    assert told(report) == ["the stretch left out at 0 lies in no section."]


@pytest.mark.parametrize("section", [Section("Cut", 1, 1174), Section("Cut", 0, 1170), Section("Long", 0, 2000)])
def test_a_section_is_whole(mapping: Mapping, document: Document, section: Section) -> None:
    assert any(
        f"the section {section.title!r}" in each for each in told(report_with(mapping, document, sections=(section,)))
    )


def test_a_case_without_sections_shows_nothing(mapping: Mapping, document: Document) -> None:
    assert "names no sections" in told(report_with(mapping, document, sections=(), left_out=()))[0]


def test_the_report_is_json(mapping: Mapping, document: Document) -> None:
    report = report_with(mapping, document, **without(mapping, "muscle-score"))
    read = json.loads(exactjson.write(report.as_json()))
    assert read["complete"] is False
    assert read["sections"][0]["gaps"][0]["words"] == "Muscle score 41/60"
    assert read["findings"][0]["line"] == 1


OTHERS = (
    "She was tired. In one study 12 patients improved. The mean CK was 300 U/l. Her CK was 412 U/l. "
    "CRP was 7 mg/l. TLC, total lung capacity in 1 s; CK, creatine kinase.3 4 More is to be learned. "
)


@pytest.mark.parametrize("reason", ["literature", "background"])
def test_figures_left_out_as_of_others_have_to_be_of_others(mapping: Mapping, reason: Reason) -> None:
    """Her CK says whose it is, and nothing says that the CRP is another's."""
    document = document_of(OTHERS)
    end = OTHERS.index("CRP was 7 mg/l") + 14
    lefts = (
        LeftOut(0, end, "She was tired … CRP was 7 mg/l", reason),
        LeftOut(end + 2, len(OTHERS.rstrip()) - end - 2, "TLC, total … learned.", reason),
    )
    case = replace(mapping.case, facts=(), left_out=lefts, sections=(Section("All", 0, len(OTHERS.rstrip())),))
    report = coverage(replace(mapping, case=case), document)
    told_of = [each.split("holds the figure ")[1].split(" ")[0] for each in told(report) if "of others" in each]
    assert told_of == ["412", "7"]
