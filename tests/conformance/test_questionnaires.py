"""A Questionnaire's own rules: whom enableWhen asks, and what a derived form may change."""

from typing import Any

import pytest

from casefhir.conformance.definitions import CORE
from casefhir.conformance.findings import Report
from casefhir.conformance.validator import Validator

BASE_URL = "https://example.org/fhir/Questionnaire/base"
Json = dict[str, Any]


def form(*items: Json, **more: Any) -> Json:
    return {
        "resourceType": "Questionnaire",
        "url": "https://example.org/fhir/Questionnaire/form",
        "status": "active",
        "item": list(items),
        **more,
    }


def found(questionnaire: Json, *own: Json) -> list[tuple[str, str]]:
    report = Report()
    Validator(own).check(questionnaire, report)
    return [(each.severity, each.rule) for each in report.findings if each.rule.startswith("profiles.")]


def asking(question: str, *inside: Json) -> Json:
    condition = {"question": question, "operator": "exists", "answerBoolean": True}
    item: Json = {"linkId": "b", "type": "string", "text": "b", "enableWhen": [condition]}
    return item | ({"item": list(inside)} if inside else {})


def plain(name: str) -> Json:
    return {"linkId": name, "type": "string", "text": name}


@pytest.mark.parametrize(
    ("questionnaire", "severities"),
    [
        (form(plain("a"), asking("a")), []),
        (form(plain("a"), asking("z")), ["error"]),
        (form(asking("b")), ["error"]),
        (form(asking("c", plain("c"))), ["error"]),
        (form(asking("c"), plain("c")), ["warning"]),
    ],
)
def test_enable_when_asks_an_earlier_item_of_the_form(questionnaire, severities):
    assert found(questionnaire) == [(each, "profiles.enable-when") for each in severities]


def derived(kind: str, *items: Json) -> Json:
    code = {"system": "http://hl7.org/fhir/questionnaire-derivationType", "code": kind}
    extension = {"url": CORE + "questionnaire-derivationType", "valueCoding": code}
    return form(*items, derivedFrom=[BASE_URL], _derivedFrom=[{"extension": [extension]}])


OPTIONS = [{"valueString": "yes"}, {"valueString": "no"}]
BASE = form(
    {"linkId": "a", "type": "string", "text": "a", "required": True, "maxLength": 10},
    {"linkId": "b", "type": "choice", "text": "b", "answerOption": OPTIONS},
    url=BASE_URL,
)
A = {"linkId": "a", "type": "string", "text": "a", "maxLength": 10}
B = {"linkId": "b", "type": "choice", "text": "b", "answerOption": OPTIONS[:1]}


@pytest.mark.parametrize(
    ("items", "faults"),
    [
        ([A, B], 0),
        ([A | {"type": "text"}], 1),
        ([A | {"repeats": True}], 1),
        ([A | {"required": False}], 1),
        ([A | {"maxLength": 11}], 1),
        ([B | {"answerOption": [{"valueString": "perhaps"}]}], 1),
        ([plain("new")], 1),
    ],
)
def test_a_form_that_complies_with_another_keeps_to_it(items, faults):
    assert found(derived("compliesWith", *items), BASE) == [("error", "profiles.questionnaire-derived")] * faults


def test_a_form_that_extends_another_may_add_items():
    assert found(derived("extends", A, B, plain("new")), BASE) == []
    assert found(derived("inspiredBy", A | {"type": "text"}), BASE) == []


def test_a_base_that_is_not_known_is_told():
    assert found(derived("extends", A)) == [("warning", "profiles.questionnaire")]
