"""Facts without a date on the axis: each once, under the event that tells its time."""

from typing import Any

from casefhir.report.bundles import Resources
from casefhir.report.facts import cases as grouped
from casefhir.report.ladder import Rung, ladder
from casefhir.report.marks import drawn
from tests.report.conftest import held

SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p"}


def after(event: str | None, how: str = "after-start", words: str = "") -> dict[str, Any]:
    """The extension of a date that hangs on the fact `event`, or on `words`."""
    named = {"valueReference": {"reference": event}} if event else {"valueCodeableConcept": {"text": words}}
    parts = [{"url": "event", **named}, {"url": "relationship", "valueCode": how}]
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/relative-date", "extension": parts}]}


def course(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": id_,
        "subject": SUBJECT,
        "medicationCodeableConcept": {"text": id_},
        **more,
    }


def result(id_: str, when: dict[str, Any]) -> dict[str, Any]:
    coded = {"code": {"text": id_}, "valueString": "normal"}
    return {"resourceType": "Observation", "id": id_, "subject": SUBJECT, "_effectiveDateTime": when, **coded}


def shown(rungs: list[Rung] | tuple[Rung, ...]) -> list[Any]:
    return [(each.name, each.told, each.listed, shown(each.below)) for each in rungs]


def rungs(*facts: dict[str, Any]) -> list[Any]:
    return shown(ladder(grouped(held(PATIENT, *facts))[0]).hung)


def test_every_undated_fact_of_the_six_cases_is_listed_exactly_once(cases: Resources) -> None:
    for case in grouped(cases):
        found = ladder(case)
        hung = [each.fact.key for top in found.hung for each in top if each.listed and each.fact]
        loose = [each.key for _, facts in found.loose for each in facts]
        assert sorted([*hung, *loose]) == sorted(each.key for each in case.facts if not drawn(each))
        assert found.count == len(hung) + len(loose)


def test_a_chain_of_events_is_a_tree() -> None:
    second = course("b", effectivePeriod={"_start": after("MedicationStatement/a", "after-end")})
    found = rungs(course("a"), second, result("ck", after("MedicationStatement/b")))
    assert found == [("a", "", True, [("b", "after end", True, [("ck", "after start", True, [])])])]


def test_a_dated_event_is_an_anchor_and_is_not_listed_again() -> None:
    found = rungs(course("a", effectivePeriod={"start": "2012"}), result("ck", after("MedicationStatement/a")))
    assert found == [("a", "", False, [("ck", "after start", True, [])])]


def test_an_event_in_words_holds_all_that_is_told_by_it() -> None:
    told = after(None, "before", "the report")
    assert rungs(result("ck", told), result("crp", told)) == [
        ("the report", "", False, [("ck", "before", True, []), ("crp", "before", True, [])])
    ]


def test_an_undated_adverse_event_stands_under_its_suspects() -> None:
    event = {
        "resourceType": "AdverseEvent",
        "id": "e",
        "subject": SUBJECT,
        "event": {"text": "headache"},
        "suspectEntity": [{"instance": {"reference": f"MedicationStatement/{each}"}} for each in "ab"],
    }
    assert rungs(course("a"), course("b"), event) == [
        ("a", "", True, [("headache", "suspected of this and of b", True, [])])
    ]


def test_facts_that_hang_on_each_other_in_a_circle_are_listed_once() -> None:
    one = course("a", effectivePeriod={"_start": after("MedicationStatement/b")})
    other = course("b", effectivePeriod={"_start": after("MedicationStatement/a")})
    found = ladder(grouped(held(PATIENT, one, other))[0])
    assert found.count == 2


def test_what_is_refuted_or_was_not_taken_says_so() -> None:
    refuted = {
        "resourceType": "Condition",
        "id": "c",
        "subject": SUBJECT,
        "code": {"text": "rash"},
        "verificationStatus": {"coding": [{"code": "refuted"}]},
    }
    found = ladder(grouped(held(PATIENT, refuted, course("a", status="not-taken")))[0])
    assert [each.label for _, facts in found.loose for each in facts] == ["rash (refuted)", "a (not taken)"]
