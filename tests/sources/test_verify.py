"""The proof: what agrees with the document passes, and nothing else does."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from casefhir import terms
from casefhir.errors import CasefhirError
from casefhir.record import Article, Case, Course, Dosage, Measurement, On, Person, Problem, Section, Span, at, places
from casefhir.sources.article.document import Document
from casefhir.sources.article.matching import span_mistake
from casefhir.sources.article.modules import Mapping
from casefhir.sources.article.naming import phrase_pattern
from casefhir.sources.article.proof import Counts, Proof
from casefhir.sources.article.verify import verify

from .conftest import document_of

# fields that name facts and concepts of the case: a wrong one is refused when the mapping is loaded
_LINKS = {"key", "concept", "drug", "visit", "event", "course", "indication", "evidence", "due_to", "after", "related",
          "resulting", "results", "members", "derived_from", "reactions", "reports", "part_of", "reasons"}  # fmt: skip


def mistakes(fact: Any, document: Document) -> list[str]:
    return [what for _, what, _ in Proof(fact, document.text, Counts()).run()]


def one_fact(text: str, fact: Any) -> list[str]:
    return mistakes(fact, document_of(text))


def place(text: str, words: str, nth: int = 0) -> Span:
    offset = [match.start() for match in re.finditer(re.escape(words), text)][nth]
    return at(offset, len(words), words)


def test_the_example_is_proven(mapping: Mapping, document: Document) -> None:
    report = verify(mapping, document)
    assert report.findings == ()
    assert report.ok
    assert report.facts == len(mapping.case.facts) + 1
    assert min(report.spans, report.figures, report.dates, report.words) > 10


def changed_leaves(thing: Any, change: Callable[[Any], Iterator[Any]], of: tuple[type, ...]) -> Iterator[Any]:
    """Copies of `thing`, each with one value of a type in `of` changed; what the record itself refuses is not made."""
    if isinstance(thing, tuple):
        for index, each in enumerate(thing):
            for other in changed_leaves(each, change, of):
                yield (*thing[:index], other, *thing[index + 1 :])
    elif isinstance(thing, of):
        yield from change(thing)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for each in fields(thing):
            if each.name in _LINKS or not each.init:
                continue
            for other in changed_leaves(getattr(thing, each.name), change, of):
                try:
                    yield replace(thing, **{each.name: other})
                except CasefhirError:
                    continue


def with_span(thing: Any, old: Span, new: Span) -> Any:
    """`thing` with every `old` replaced by `new`."""
    if thing == old:
        return new
    if isinstance(thing, tuple):
        return tuple(with_span(each, old, new) for each in thing)
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    return replace(thing, **{each.name: with_span(getattr(thing, each.name), old, new) for each in fields(thing)})


def words_of_places(fact: Any, document: Document) -> list[str]:
    return [document.text[span.offset : span.end] for span in places(fact)]


def is_moved(one: Any, other: Any) -> bool:
    return [span.offset for span in places(one)] != [span.offset for span in places(other)]


def other_digits(value: str | int) -> Iterator[str | int]:
    text = str(value)
    for match in re.finditer(r"[0-9]", text):
        for digit in "0123456789":
            if digit != match.group():
                yield type(value)(text[: match.start()] + digit + text[match.end() :])


@pytest.mark.thorough
def test_no_digit_of_a_fact_can_be_another(mapping: Mapping, document: Document) -> None:
    tried = 0
    for fact in (mapping.case.person, *mapping.case.facts):
        for other in changed_leaves(fact, other_digits, (str, int)):
            if words_of_places(other, document) == words_of_places(fact, document) and is_moved(other, fact):
                continue  # the same words stand there too
            tried += 1
            try:
                assert mistakes(other, document), other
            except CasefhirError:
                continue  # refused: such a mapping is not even loaded
    assert tried > 2000


def is_named_by(general: terms.Concept, special: terms.Concept) -> bool:
    """Whether a name of `special` names `general` too (intravenous immunoglobulin is an immunoglobulin)."""
    return any(phrase_pattern(name).search(mine) for name in general.names for mine in (*special.names, special.name))


def test_no_fact_can_be_of_another_concept(mapping: Mapping, document: Document) -> None:
    tried = 0
    for fact in mapping.case.facts:
        name = "drug" if hasattr(fact, "drug") else "concept"
        key = getattr(fact, name, None)
        if not key:
            continue
        own = terms.concept(key)
        for other in terms.concepts().values():
            if other.kind == own.kind and not is_named_by(other, own):
                tried += 1
                assert mistakes(replace(fact, **{name: other.key}), document), (fact.key, other.key)
    assert tried > 500


def test_no_span_can_be_shifted(mapping: Mapping, document: Document) -> None:
    spans = {span for fact in (mapping.case.person, *mapping.case.facts) for span in places(fact)}
    for span in spans:
        for by in range(-12, 13):
            moved = replace(span, offset=max(span.offset + by, 0))
            assert (span_mistake(document.text, moved) is None) == (moved == span), moved


@given(data=st.data())
def test_no_span_can_stand_elsewhere(mapping: Mapping, document: Document, data: st.DataObject) -> None:
    everything = (mapping.case.person, *mapping.case.facts)
    fact = data.draw(st.sampled_from(everything))
    span = data.draw(st.sampled_from(sorted(set(places(fact)), key=lambda each: each.offset)))
    moved = replace(span, offset=data.draw(st.integers(0, len(document.text))), length=data.draw(st.integers(1, 90)))
    read = document.text[moved.offset : moved.end]
    assume(read != document.text[span.offset : span.end])
    other = with_span(fact, span, moved)
    # only a longer stretch between the same first and last words reads as the same quote
    reads_so = (
        "…" in span.quote and read.startswith(span.quote.split(" …")[0]) and read.endswith(span.quote.split("… ")[-1])
    )
    assert reads_so or mistakes(other, document)


TWO = "CK was 41 U/l on that day. Her CRP was 41 mg/l. The muscle score reached 41 of 60 points."


@pytest.mark.parametrize("nth", [1, 2])
def test_an_equal_figure_elsewhere_does_not_count(nth: int) -> None:
    assert one_fact(TWO, Measurement("ck", "ck", "41 U/l", place(TWO, "41"))) == []
    assert one_fact(TWO, Measurement("ck", "ck", "41", place(TWO, "41", nth)))


ROW = "IgG1 2.91 g/l (N >4.05 g/l), IgG2 1.37 g/l (N >2.6), and IgG4 0.051 g/l."


def test_in_a_row_of_results_each_figure_belongs_to_the_name_before_it() -> None:
    span = place(ROW, ROW)
    assert one_fact(ROW, Measurement("a", "igg1", "2.91 g/l", span, range="> 4.05 g/l")) == []
    assert one_fact(ROW, Measurement("a", "igg2", "1.37 g/l", span, range="> 2.6")) == []
    assert one_fact(ROW, Measurement("a", "igg2", "2.91 g/l", span))
    assert one_fact(ROW, Measurement("a", "igg4", "1.37 g/l", span))


def test_a_bound_of_the_range_of_reference_is_not_the_value() -> None:
    assert one_fact(ROW, Measurement("a", "igg1", "4.05 g/l", place(ROW, "IgG1 2.91 g/l (N >4.05 g/l)")))


def test_respectively_orders_what_it_lists() -> None:
    text = "Aldolase and LDH were elevated (9 UI/L and 612 UI/L, respectively)."
    span = place(text, text[:-1])
    assert one_fact(text, Measurement("a", "aldolase", "9 UI/L", span)) == []
    assert one_fact(text, Measurement("b", "ldh", "612 UI/L", span)) == []


TABLE = "Lung function\n\nMay 2013 July 2018 April 2019\n TLC 52 73 81\n DLCO 38 65 61\n\nShe was well."


def test_the_cell_of_a_table_belongs_to_the_name_of_its_line() -> None:
    cell = place(TABLE, "65")
    assert one_fact(TABLE, Measurement("a", "dlco-percent-predicted", "65 %", cell)) == []
    assert one_fact(TABLE, Measurement("a", "tlc-percent-predicted", "65 %", cell))


CYCLES = "He began rituximab while he took 12.5 mg of prednisone. After three cycles of 3 g he was tired."


def test_a_figure_counts_only_with_a_name_in_its_own_sentence() -> None:
    dosage = Dosage("three cycles of 3 g", dose="3 g", count=3)
    places = (place(CYCLES, "began rituximab"), place(CYCLES, "After three cycles of 3 g"))
    assert one_fact(CYCLES, Course("a", "rituximab", places, dosage=dosage))
    assert one_fact(CYCLES, Course("a", "rituximab", places, dosage=dosage, named=("three cycles",))) == []


def test_a_span_that_cuts_a_number_or_a_broken_word_is_found() -> None:
    text = "CK was 3,072 U/l, with sub-\ncutaneous nodules."
    for words in ("CK was 3", "072 U/l", "cutaneous nodules"):
        assert "inside a word or number" in one_fact(text, Measurement("a", "ck", "high", place(text, words)))[0]


def test_a_broken_word_reads_whole() -> None:
    text = "MTX was replac-\ned after nine months."
    assert one_fact(text, Course("a", "methotrexate", at(0, len(text) - 1, "MTX was replaced … nine months"))) == []


def test_four_point_nought_is_not_four() -> None:
    text = "CRP was 4.0 mg/l."
    assert one_fact(text, Measurement("a", "crp", "4.0 mg/l", place(text, "CRP was 4.0 mg/l"))) == []
    assert one_fact(text, Measurement("a", "crp", "4 mg/l", place(text, "CRP was 4.0 mg/l")))


def test_a_date_has_to_stand_in_its_own_moment() -> None:
    text = "She was seen in May 2014 with fatigue."
    seen = On("2014-05", place(text, "May 2014"))
    assert one_fact(text, Problem("a", "fatigue", place(text, "with fatigue"), onset=seen)) == []
    for moment in (On("2014-06", seen.source), On("2014-05", place(text, "She was seen"))):
        assert one_fact(text, Problem("a", "fatigue", place(text, "with fatigue"), onset=moment))


def test_the_person_is_who_the_words_say() -> None:
    text = "A 47-year-old woman of Andean origin."
    assert one_fact(text, Person("female", place(text, "47-year-old woman"))) == []
    assert one_fact(text, Person("male", place(text, "47-year-old woman")))


def test_a_naming_phrase_of_another_concept_is_found() -> None:
    text = "Her CRP was high."
    fact = Measurement("a", "ck", "high", place(text, "Her CRP was high"), text="CRP")
    assert one_fact(text, fact) == ["“CRP” names C-reactive protein (crp), not creatine kinase (ck)."]


def test_a_figure_in_words_counts_what_it_counts_there() -> None:
    text = "IVIg was given during 5 consecutive days, for 6 months."
    for words, wrong in (("during 5 consecutive days", False), ("during 6 consecutive days", True)):
        fact = Course("a", "ivig", place(text, text[:-1]), dosage=Dosage(words))
        assert bool(one_fact(text, fact)) is wrong


def test_findings_are_told_with_file_line_and_fact(mapping: Mapping, document: Document) -> None:
    weight = mapping.case.by_key["weight"]
    wrong = replace(weight, source=replace(weight.source, offset=1116))
    facts = tuple(wrong if fact is weight else fact for fact in mapping.case.facts)
    report = verify(replace(mapping, case=replace(mapping.case, facts=facts)), document)
    told = str(report.findings[0])
    assert told.startswith(f"{mapping.path}:{mapping.line_of('weight')}: weight: the span at 1116 reads “")
    assert "not “Weight was 58 kg in 2012”" in told


def test_an_event_that_is_nearly_a_key_is_found(mapping: Mapping, document: Document) -> None:
    words = mapping.case.by_key["ck-words"]
    wrong = replace(words, when=replace(words.when, event="ivig-2"))
    case = replace(mapping.case, facts=tuple(wrong if fact is words else fact for fact in mapping.case.facts))
    (finding,) = verify(replace(mapping, case=case), document).findings
    assert finding.what == "it names 'ivig-2', which is like the key 'ivig-1', but no fact is called so."


def test_a_changed_document_is_found(mapping: Mapping, document: Document) -> None:
    other = document_of(document.text.replace("41/60", "42/60"))
    told = [str(each) for each in verify(mapping, other).findings]
    assert any("is another document: its SHA-256 is" in each for each in told)
    assert any("muscle-score: the span at" in each and "42/60" in each for each in told)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha1": "0" * 40}, "sha1"),
        ({"size": 1175}, "size"),
        ({"characters": 1177}, "characters"),
        ({"doi": "10.5555/example.2013.1"}, "doi"),
        ({"pmcid": "PMC1"}, "pmcid"),
        ({"authors": ("Example A",)}, "authors"),
        ({"published": "2013-06"}, "published"),
        ({"title": "Another title"}, "title"),
    ],
)
def test_the_article_is_only_what_the_document_shows(
    mapping: Mapping, document: Document, change: dict[str, Any], said: str
) -> None:
    case = replace(mapping.case, article=replace(mapping.case.article, **change))
    (finding,) = verify(replace(mapping, case=case), document).findings
    assert finding.what.startswith(said)
    assert finding.line == mapping.article_line


def test_what_the_document_shows_may_be_said(mapping: Mapping) -> None:
    text = "A title of a case\nby Lúcia Costa. 2023 Dec 13; doi: 10.1136/x-2023-1 PMCID: PMC1\n\nA woman."
    document = document_of(text)
    article = Article(
        "A title of a case", document.sha256, document.sha1, len(document.data), len(text), ("Lúcia Costa",),
        doi="10.1136/x-2023-1", pmcid="PMC1", published="2023-12-13",
    )  # fmt: skip
    case = Case(
        "a", "A", article, Person("female", place(text, "A woman")), (), (Section("All", 0, 9),), "2026-11-22T00:00:00Z"
    )
    assert verify(replace(mapping, case=case), document).findings == ()


@given(st.integers(1, 30), st.integers(1, 30))
@example(2, 2)
def test_a_dose_is_its_own_figure_and_not_that_of_its_period(dose: int, days: int) -> None:
    text = f"IVIg {dose} g/kg over {days} days, monthly, was given."
    span = place(text, text[:-1])
    right = Dosage("as said", dose=f"{dose} g/kg", over=f"{days} days", every="1 month", times=1)
    assert one_fact(text, Course("a", "ivig", span, dosage=right)) == []
    if dose != days:
        assert one_fact(text, Course("a", "ivig", span, dosage=replace(right, dose=f"{days} g/kg")))
        assert one_fact(text, Course("a", "ivig", span, dosage=replace(right, over=f"{dose} days")))


def test_a_dose_counts_only_with_its_unit_and_never_by_half_a_word() -> None:
    text = "Prednisone (1 mg/kg per day) helped. Later she stopped prednis-\none again."
    places = (place(text, "Prednisone (1 mg/kg per day)"), at(text.index("stopped"), 20, "stopped prednisone"))
    for dose, proven in (("1 mg/kg", True), ("1 g/kg", False), ("1 mg", False), ("1 mg/m2", False)):
        course = Course("a", "prednisone", places, dosage=Dosage("1 mg/kg per day", dose=dose))
        assert (one_fact(text, course) == []) is proven, dose


def test_a_paragraph_proves_nothing() -> None:
    text = "She was tired. She had pain. Her CK was 412 U/l. Then she slept well. The end."
    fact = Measurement("a", "ck", "412 U/l", place(text, "Her CK was 412 U/l"))
    assert one_fact(text, fact) == []
    whole = at(0, text.index(" The end"), "She was tired … slept well.")
    (told,) = one_fact(text, replace(fact, source=whole))
    assert "of 4 sentences: that shows where to look, not where it stands" in told
