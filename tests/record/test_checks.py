"""Every mistake in a record is told with its fact, and none passes into FHIR."""

from typing import Any

import pytest

from casefhir.record import (
    AdverseEvent,
    Article,
    Between,
    Case,
    Course,
    Dosage,
    Fact,
    Intolerance,
    LeftOut,
    Measurement,
    On,
    Person,
    Problem,
    RecordError,
    Relative,
    Section,
    Suspect,
    Told,
    Visit,
    at,
    check,
)

HERE = at(10, 4, "here")
ARTICLE = Article("An article", "ab" * 32, "cd" * 20, 1000, 1000)


def said(*facts: Fact, person: Person | None = None, **frame: Any) -> list[str]:
    base: dict[str, Any] = {"sections": (Section("Case", 0, 1000),), "article": ARTICLE}
    case = Case(
        key="sample", title="Sample", person=person or Person("female", HERE), facts=facts,
        recorded="2026-11-22T00:00:00Z", **(base | frame),
    )  # fmt: skip
    return [f"{each.fact}: {each}" for each in check(case)]


def test_a_record_without_mistakes_is_silent() -> None:
    assert said(Problem("dm", "dermatomyositis", HERE), Course("p", "prednisone", HERE)) == []


MISTAKES: list[tuple[Any, str]] = [
    (Measurement("a", "ck", "22.7 kg", HERE), "does not fit creatine kinase"),
    (Measurement("a", "crpp", "1 mg/L", HERE), "Did you mean crp"),
    (Measurement("a", None, "x", HERE), "neither a concept nor a text"),
    (Measurement("a", "crp", "1 mg/L", at(999, 10, "x")), "ends after the document's 1000 characters"),
    (Measurement("a", "crp", "1 mg/L", HERE, visit="nowhere"), "which no fact of the case is called"),
    (Measurement("a", "crp", "1 mg/L", HERE, notes="no tuple"), "with a comma"),  # type: ignore[arg-type]
    (Measurement("a", "crp", 1.5, HERE), "it should be text in quotes"),  # type: ignore[arg-type]
    (Measurement("a", "crp", "1 mg/L", "here"), "it should be"),  # type: ignore[arg-type]
    (Measurement("a", "crp", "1 mg/L", ()), "has no place in the document"),
    (Measurement("a", "crp", "1 mg/L", HERE, members=("a",)), "names itself"),
    (Measurement("a", "crp", "5 mg/L", HERE, range="> 3 mm/h"), "cannot be compared"),
    (Measurement("a", "muscle-score-88", "95", HERE, scale="0-88"), "is not on its scale"),
    (Measurement("a", "ana", "positive", HERE, titre="high"), "is not a titre"),
    (Measurement("a", "crp", "1,5 mg/L", HERE), "without thousands separators"),
    (Measurement("a", "crp", None, HERE), "no reason why it is absent"),
    (Measurement("a", "prednisone", "5 mg", HERE), "is a medication"),
    (Measurement("a", "crp", "1 mg/L", HERE, when=Relative("after", "subject", HERE)), "cannot hang on the person"),
    (Measurement("a", "crp", "1 mg/L", HERE, when=Relative("after", "b", HERE, offset="5 mg")), "is not a time"),
    (Measurement("a", "crp", "1 mg/L", HERE, interpretation="odd"), "it is one of"),  # type: ignore[arg-type]
    (Problem("a", "prednisone", HERE), "is a medication, which is no concept for a Problem"),
    (Problem("a", "dermatomyositis", HERE, related=("nope",)), "which no fact of the case is called"),
    (Problem("a", "dermatomyositis", HERE, status="wild"), "status is 'wild'"),  # type: ignore[arg-type]
    (Problem("a", "dermatomyositis", HERE, status="active", abatement=On("2003", HERE)), "inactive, remission"),
    (Problem("a", "dermatomyositis", HERE, certainty="refuted", status="active"), "It is denied"),
    (Problem("a", "dermatomyositis", HERE, onset="2003"), "it should be"),  # type: ignore[arg-type]
    (Problem("a", "dermatomyositis", HERE, due_to=("ivgi-1",)), "looks like a key"),
    (Problem("a", "dermatomyositis", HERE, evidence=("b",)), "is a Course"),
    (Course("a", "ck", HERE), "is a laboratory, which is no concept for a Course"),
    (Course("a", "ivig", HERE, reasons=("reason-lack-of-efect",)), "Did you mean reason-lack-of-effect"),
    (Course("a", "ivig", HERE, status="active", reasons=(Told("x", HERE),)), "its status is active"),
    (Course("a", "ivig", HERE, start=On("2005", HERE), end=On("2003-05", HERE)), "It ends (2003-05) before it starts"),
    (Course("a", "ivig", HERE, start=On("2005", HERE), end=Between(None, "2003", HERE)), "before it starts"),
    (Course("a", "ivig", HERE, when=On("2005", HERE), start=On("2005", HERE)), "keep one way"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", dose="5 days")), "is not a dose"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", dose="5 blurb")), "is not a dose"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", dose=">5 mg")), "is not a dose"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", every="5 mg")), "is not a time"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", at_most=("5 mg", "1 blurb"))), "is not a time"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", count=-3)), "from 1 on"),
    (Course("a", "ivig", HERE, dosage=Dosage("x", route="nasal")), "route is 'nasal'"),  # type: ignore[arg-type]
    (AdverseEvent("a", "fever", HERE, (Suspect("c", "x"),)), "which no fact of the case is called"),
    (AdverseEvent("a", "fever", HERE, (Suspect("b", "x", "sure"),)), "causality is 'sure'"),  # type: ignore[arg-type]
    (Intolerance("a", "ivig", HERE, reactions=("headche-1",)), "looks like a key"),
    (Visit("a", HERE, reasons=("dermatomyositiss-2",)), "looks like a key"),
]


@pytest.mark.parametrize(("fact", "why"), MISTAKES, ids=[f"{type(f).__name__}: {why}" for f, why in MISTAKES])
def test_a_mistake_is_told_with_its_fact(fact: Fact, why: str) -> None:
    (told,) = [each for each in said(fact, Course("b", "ivig", HERE)) if not each.startswith("b:")]
    assert told.startswith("a: ")
    assert why in told


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({"sections": (Section("x", -5, 3),)}, "is not within the document's 1000 characters"),
        ({"sections": (Section("x", 990, 30),)}, "is not within the document's 1000 characters"),
        ({"left_out": (LeftOut(5, 3, "abc", "boring"),)}, "reason is 'boring'"),
        ({"left_out": (LeftOut(5, 3, "abc", "repeats", "nothing"),)}, "which no fact is called"),
        ({"article": Article("An article", "xyz", "cd" * 20, 1, 1000)}, "sha256 is not 64 hexadecimal digits"),
        ({"person": Person("woman", HERE)}, "sex is 'woman'"),  # type: ignore[arg-type]
    ],
)
def test_the_frame_of_a_case_is_checked_too(frame: dict[str, Any], why: str) -> None:
    (told,) = said(**frame)
    assert why in told


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"key": "A key"}, "other characters"),
        ({"recorded": "yesterday"}, "is an instant"),
        ({"facts": (Visit("a b", HERE),)}, "other characters"),
        ({"facts": (Visit("a", HERE), Visit("a", HERE))}, "Two facts"),
    ],
)
def test_some_mistakes_are_refused_at_once(change: dict[str, Any], why: str) -> None:
    whole: dict[str, Any] = {
        "key": "sample", "title": "Sample", "article": ARTICLE, "person": Person("female", HERE), "facts": (),
        "sections": (), "recorded": "2026-11-22T00:00:00Z",
    }  # fmt: skip
    with pytest.raises(RecordError, match=why):
        Case(**(whole | change))
