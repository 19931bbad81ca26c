"""A QuestionnaireResponse against its Questionnaire: items, answers and what enables them."""

import copy
from typing import Any

import pytest

from casefhir.conformance.definitions import CORE
from casefhir.conformance.findings import Report
from casefhir.conformance.validator import Validator

URL = "https://example.org/fhir/Questionnaire/intake"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
UCUM = "http://unitsofmeasure.org"
COLOURS = "https://example.org/fhir/CodeSystem/colours"
Json = dict[str, Any]


def extended(*pairs: tuple[str, Any], **item: Any) -> Json:
    return {"extension": [{"url": url, key: value} for url, (key, value) in pairs], **item}


def form(*items: Json, **more: Any) -> Json:
    return {"resourceType": "Questionnaire", "url": URL, "status": "active", "item": list(items), **more}


def response(*items: Json, **more: Any) -> Json:
    base = {"resourceType": "QuestionnaireResponse", "questionnaire": URL, "status": "completed"}
    return {**base, "item": list(items), **more} if items else {**base, **more}


def answered(name: str, **values: Any) -> Json:
    return {"linkId": name, "answer": [{key: value} for key, value in values.items()]}


def found(questionnaire: Json, given: Json, *own: Json) -> list[tuple[str, str]]:
    report = Report()
    Validator([questionnaire, *own]).check(given, report)
    return [(each.severity, each.rule) for each in report.findings if each.rule.startswith("profiles.")]


def one(item: Json, *values: Json) -> list[tuple[str, str]]:
    """What is found when `values` (answers) are given to a form of one `item`."""
    return found(form({"linkId": "q", **item}), response({"linkId": "q", "answer": list(values)}))


def error(rule: str) -> list[tuple[str, str]]:
    return [("error", f"profiles.{rule}")]


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("boolean", {"valueBoolean": True}, {"valueString": "true"}),
        ("decimal", {"valueDecimal": 1}, {"valueInteger": 1}),
        ("integer", {"valueInteger": 1}, {"valueDecimal": 1}),
        ("date", {"valueDate": "2020"}, {"valueDateTime": "2020"}),
        ("dateTime", {"valueDateTime": "2020"}, {"valueDate": "2020"}),
        ("time", {"valueTime": "10:00:00"}, {"valueString": "10:00:00"}),
        ("string", {"valueString": "a"}, {"valueUri": "a"}),
        ("text", {"valueString": "a"}, {"valueCoding": {"display": "a"}}),
        ("url", {"valueUri": "https://example.org"}, {"valueString": "https://example.org"}),
        ("attachment", {"valueAttachment": {"title": "x"}}, {"valueString": "x"}),
        ("reference", {"valueReference": {"display": "x"}}, {"valueString": "x"}),
        ("quantity", {"valueQuantity": {"value": 1}}, {"valueDecimal": 1}),
        ("open-choice", {"valueString": "another"}, {"valueBoolean": True}),
    ],
)
def test_an_answer_has_the_type_of_its_question(kind, right, wrong):
    assert one({"type": kind}, right) == []
    assert one({"type": kind}, wrong) == error("answer-type")


@pytest.mark.parametrize("kind", ["group", "display"])
def test_groups_and_displays_have_no_answers(kind):
    assert one({"type": kind}, {"valueString": "x"}) == error("item-answers")


LIMITS = [
    ("integer", "valueInteger", 4, 5, 6, 7),
    ("date", "valueDate", "2019", "2020-01", "2020-06", "2021"),
    ("time", "valueTime", "08:00:00", "09:00:00", "10:00:00", "11:00:00"),
]


@pytest.mark.parametrize(("kind", "key", "below", "least", "most", "above"), LIMITS)
def test_an_answer_keeps_within_its_bounds(kind, key, below, least, most, above):
    item = extended((CORE + "minValue", (key, least)), (CORE + "maxValue", (key, most)), type=kind)
    assert one(item, {key: least}) == []
    assert one(item, {key: most}) == []
    assert one(item, {key: below}) == error("answer-bounds")
    assert one(item, {key: above}) == error("answer-bounds")


def test_a_date_that_may_be_within_its_bounds_is_let_pass():
    item = extended((CORE + "maxValue", ("valueDate", "2022-06")), type="date")
    assert one(item, {"valueDate": "2022-06-30"}) == []
    assert one(item, {"valueDate": "2022"}) == []
    assert one(item, {"valueDate": "2022-07-01"}) == error("answer-bounds")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (5, "kg", []),
        (4999, "g", error("answer-bounds")),
        (5000, "g", []),
        (5, "[lb_av]", error("answer-bounds")),
        (5, "km", error("answer-unit")),
        (5, None, error("answer-unit")),
    ],
)
def test_a_quantity_is_compared_in_the_unit_of_its_bound(value, unit, expected):
    least = {"value": 5, "system": UCUM, "code": "kg"}
    item = extended((SDC + "minQuantity", ("valueQuantity", least)), type="quantity")
    answer = {"value": value, **({"system": UCUM, "code": unit} if unit else {"unit": "kg"})}
    assert one(item, {"valueQuantity": answer}) == expected


def test_the_units_offered_are_the_only_ones():
    item = extended(
        (CORE + "questionnaire-unitOption", ("valueCoding", {"system": UCUM, "code": "mg"})), type="quantity"
    )
    assert one(item, {"valueQuantity": {"value": 1, "system": UCUM, "code": "mg"}}) == []
    assert one(item, {"valueQuantity": {"value": 1, "system": UCUM, "code": "g"}}) == error("answer-unit")


def test_decimal_places_are_counted_as_written():
    from decimal import Decimal

    item = extended((CORE + "maxDecimalPlaces", ("valueInteger", 1)), type="decimal")
    assert one(item, {"valueDecimal": Decimal("1.5")}) == []
    assert one(item, {"valueDecimal": Decimal("1.50")}) == error("answer-decimals")


def test_text_has_a_length_and_a_form():
    item = {"type": "string", "maxLength": 5, **extended((CORE + "regex", ("valueString", "[a-z]+")))}
    assert one(item, {"valueString": "abc"}) == []
    assert one(item, {"valueString": "abcdef"}) == error("answer-length")
    assert one(item, {"valueString": "ABC"}) == error("answer-form")
    short = extended((CORE + "minLength", ("valueInteger", 3)), type="string")
    assert one(short, {"valueString": "ab"}) == error("answer-length")


def test_a_pattern_that_could_take_for_ever_is_told_as_not_evaluated():
    item = extended((CORE + "regex", ("valueString", "(a+)+b")), type="string")
    assert one(item, {"valueString": "a" * 60}) == [("warning", "profiles.not-evaluated")]


def test_an_answer_is_one_of_the_options():
    options = [{"valueCoding": {"system": COLOURS, "code": code}} for code in ("red", "blue")]
    red, green = ({"valueCoding": {"system": COLOURS, "code": code}} for code in ("red", "green"))
    assert one({"type": "choice", "answerOption": options}, red) == []
    assert one({"type": "choice", "answerOption": options}, green) == error("answer-option")
    assert one({"type": "choice", "answerOption": options}, {"valueString": "red"}) == error("answer-option")
    assert one({"type": "open-choice", "answerOption": options}, {"valueString": "mauve"}) == []
    numbers = [{"valueInteger": 1}, {"valueInteger": 2}]
    assert one({"type": "integer", "answerOption": numbers}, {"valueInteger": 2}) == []
    assert one({"type": "integer", "answerOption": numbers}, {"valueInteger": 3}) == error("answer-option")


def test_an_exclusive_option_stands_alone():
    none = extended((CORE + "questionnaire-optionExclusive", ("valueBoolean", True)), valueString="none")
    item = {"type": "choice", "repeats": True, "answerOption": [{"valueString": "cough"}, none]}
    assert one(item, {"valueString": "none"}) == []
    assert one(item, {"valueString": "none"}, {"valueString": "cough"}) == error("answer-exclusive")


GENDERS = {"type": "choice", "answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}
GENDER = "http://hl7.org/fhir/administrative-gender"


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ({"system": GENDER, "code": "female", "display": "Female"}, []),
        ({"system": GENDER, "code": "bananas"}, error("answer-value-set")),
        ({"system": COLOURS, "code": "female"}, error("answer-value-set")),
        ({"system": GENDER, "code": "female", "display": "Male"}, error("answer-display")),
    ],
)
def test_a_coded_answer_is_in_its_value_set_and_says_what_its_code_means(coding, expected):
    assert one(GENDERS, {"valueCoding": coding}) == expected


def test_a_value_set_may_be_contained_in_the_form():
    local = {
        "resourceType": "ValueSet",
        "id": "colours",
        "status": "active",
        "compose": {"include": [{"system": COLOURS, "concept": [{"code": "red"}]}]},
    }
    questionnaire = form({"linkId": "q", "type": "choice", "answerValueSet": "#colours"}, contained=[local])
    red, blue = (response(answered("q", valueCoding={"system": COLOURS, "code": code})) for code in ("red", "blue"))
    assert found(questionnaire, red) == []
    assert found(questionnaire, blue) == error("answer-value-set")


def test_attachments_have_an_allowed_type_and_size():
    item = extended(
        (CORE + "mimeType", ("valueCode", "image/")), (CORE + "maxSize", ("valueDecimal", 3)), type="attachment"
    )
    assert one(item, {"valueAttachment": {"contentType": "image/png", "data": "YWJj"}}) == []
    assert one(item, {"valueAttachment": {"contentType": "image/png", "data": "YWJjZA=="}}) == error(
        "answer-attachment"
    )
    assert one(item, {"valueAttachment": {"contentType": "text/plain", "data": "YWJj"}}) == error("answer-attachment")


def test_references_point_at_an_allowed_type():
    item = extended((CORE + "questionnaire-referenceResource", ("valueCode", "Patient")), type="reference")
    assert one(item, {"valueReference": {"reference": "Patient/1"}}) == []
    assert one(item, {"valueReference": {"reference": "Device/1"}}) == error("answer-reference")
    assert one({"type": "reference"}, {"valueReference": {"reference": "https://a.org/Chicken/1"}}) == error(
        "answer-reference"
    )


TREE = form(
    {"linkId": "a", "type": "group", "item": [{"linkId": "a1", "type": "string", "required": True}]},
    {"linkId": "b", "type": "string", "item": [{"linkId": "b1", "type": "string"}]},
    {"linkId": "c", "type": "display", "text": "Thanks"},
)
A = {"linkId": "a", "item": [answered("a1", valueString="x")]}
B = {"linkId": "b", "answer": [{"valueString": "x", "item": [answered("b1", valueString="x")]}]}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([A, B, {"linkId": "c", "text": "Thanks"}], []),
        ([B, A], error("item-order")),
        ([A, answered("z", valueString="x")], error("item-unknown")),
        ([A, answered("b1", valueString="x")], error("item-place")),
        ([{"linkId": "a"}, B], error("item-missing")),
        ([{"linkId": "a", "item": [{"linkId": "a1"}]}, B], error("item-missing")),
        ([A, A], error("item-repeats")),
        ([A, {"linkId": "b", "answer": [{"valueString": "x"}, {"valueString": "y"}]}], error("item-repeats")),
        ([A, {"linkId": "c", "text": "Bye"}], error("item-text")),
        ([A, {"linkId": "b", "item": [answered("b1", valueString="x")]}], error("item-inside")),
        ([A, {"linkId": "c", "item": [answered("b1", valueString="x")]}], error("item-inside")),
    ],
)
def test_items_stand_where_the_questionnaire_has_them(items, expected):
    assert found(TREE, response(*copy.deepcopy(items))) == expected


def test_what_is_missing_is_an_error_only_once_the_response_is_done():
    questionnaire = form({"linkId": "q", "type": "string", "required": True})
    assert found(questionnaire, response()) == error("item-missing")
    assert found(questionnaire, response(status="in-progress")) == [("warning", "profiles.item-missing")]
    assert found(questionnaire, response(status="amended")) == error("item-missing")


def test_occurrences_are_counted_inclusively():
    item = extended(
        (CORE + "questionnaire-minOccurs", ("valueInteger", 2)),
        (CORE + "questionnaire-maxOccurs", ("valueInteger", 2)),
        type="string",
        repeats=True,
    )
    texts = [{"valueString": text} for text in "abc"]
    assert one(item, *texts[:2]) == []
    assert one(item, *texts[:1]) == error("item-count")
    assert one(item, *texts) == error("item-count")


SMOKES = {"linkId": "smokes", "type": "boolean"}


def conditional(*conditions: Json, **more: Any) -> Json:
    return form(
        SMOKES,
        {"linkId": "age", "type": "integer"},
        {"linkId": "packs", "type": "integer", "required": True, "enableWhen": list(conditions), **more},
    )


YES = {"question": "smokes", "operator": "=", "answerBoolean": True}
OLD = {"question": "age", "operator": ">=", "answerInteger": 18}
SMOKER, MINOR, ADULT = (
    answered("smokes", valueBoolean=True),
    answered("age", valueInteger=17),
    answered("age", valueInteger=18),
)
PACKS = answered("packs", valueInteger=2)


@pytest.mark.parametrize(
    ("questionnaire", "items", "expected"),
    [
        (conditional(YES), [], []),
        (conditional(YES), [SMOKER], error("item-missing")),
        (conditional(YES), [SMOKER, PACKS], []),
        (conditional(YES), [PACKS], error("item-disabled")),
        (conditional(YES, OLD, enableBehavior="all"), [SMOKER, MINOR, PACKS], error("item-disabled")),
        (conditional(YES, OLD, enableBehavior="all"), [SMOKER, ADULT, PACKS], []),
        (conditional(YES, OLD, enableBehavior="any"), [ADULT, PACKS], []),
        (conditional({"question": "age", "operator": "exists", "answerBoolean": False}), [PACKS], []),
        (conditional({"question": "age", "operator": "exists", "answerBoolean": False}), [ADULT], []),
        (
            conditional({"question": "age", "operator": "!=", "answerInteger": 18}),
            [ADULT, PACKS],
            error("item-disabled"),
        ),
    ],
)
def test_answers_enable_other_items(questionnaire, items, expected):
    assert found(questionnaire, response(*copy.deepcopy(items))) == expected


def test_an_answer_counts_only_within_the_group_that_it_shares():
    group = {
        "linkId": "drug",
        "type": "group",
        "repeats": True,
        "item": [
            {"linkId": "stopped", "type": "boolean"},
            {
                "linkId": "why",
                "type": "string",
                "required": True,
                "enableWhen": [{"question": "stopped", "operator": "=", "answerBoolean": True}],
            },
        ],
    }
    stopped = {"linkId": "drug", "item": [answered("stopped", valueBoolean=True), answered("why", valueString="rash")]}
    kept = {"linkId": "drug", "item": [answered("stopped", valueBoolean=False)]}
    assert found(form(group), response(stopped, kept)) == []
    assert found(
        form(group), response(stopped, {"linkId": "drug", "item": [answered("why", valueString="x")]})
    ) == error("item-disabled")


def test_an_expression_enables():
    expression = {"language": "text/fhirpath", "expression": "item.where(linkId='smokes').answer.value = true"}
    item = extended((SDC + "enableWhenExpression", ("valueExpression", expression)), linkId="packs", type="integer")
    assert found(form(SMOKES, item), response(copy.deepcopy(SMOKER), copy.deepcopy(PACKS))) == []
    assert found(form(SMOKES, item), response(copy.deepcopy(PACKS))) == error("item-disabled")
    foreign = {"language": "text/cql", "expression": "true"}
    item = extended((SDC + "enableWhenExpression", ("valueExpression", foreign)), linkId="packs", type="integer")
    assert found(form(item), response(copy.deepcopy(PACKS))) == [("warning", "profiles.not-evaluated")]


def test_the_form_may_be_contained_or_in_the_bundle():
    wrong = answered("q", valueBoolean=True)
    own = form({"linkId": "q", "type": "string"}, id="f")
    report = Report()
    Validator().check(response(wrong, questionnaire="#f", contained=[own]), report)
    assert "profiles.answer-type" in {each.rule for each in report.findings}
    entries = [
        {"fullUrl": f"urn:uuid:00000000-0000-0000-0000-00000000000{n}", "resource": each}
        for n, each in enumerate((form({"linkId": "q", "type": "string"}), response(copy.deepcopy(wrong))))
    ]
    report = Report()
    Validator().check({"resourceType": "Bundle", "type": "collection", "entry": entries}, report)
    assert [each.location for each in report.findings if each.rule == "profiles.answer-type"] == [
        "Bundle.entry[1].resource.item[0].answer[0].value.ofType(boolean)"
    ]


def test_a_form_that_is_not_known_is_told():
    report = Report()
    Validator().check(response(questionnaire="https://hospital.org/Questionnaire/1"), report)
    assert ("warning", "profiles.questionnaire") in [(each.severity, each.rule) for each in report.findings]


def test_a_response_outside_the_forms_period_is_told():
    questionnaire = form({"linkId": "q", "type": "string"}, effectivePeriod={"start": "2020", "end": "2021"})
    assert found(questionnaire, response(authored="2020-05-01")) == []
    for authored in ("2019-12-31", "2022-01-01"):
        assert found(questionnaire, response(authored=authored)) == [("warning", "profiles.questionnaire-period")]
