"""The FHIRPath translator: what it computes, and that it says what it cannot."""

from decimal import Decimal

import pytest

from casefhir.conformance.fhirpath import Env, Unsupported, compiled
from casefhir.conformance.fhirpath.evaluation import Failed
from casefhir.conformance.fhirpath.parse import parse
from casefhir.conformance.fhirpath.values import Amount, unwrap
from casefhir.conformance.paths import Unsound, types_at
from casefhir.conformance.structure import build
from tests.conformance.builders import coded, observation

UCUM = "http://unitsofmeasure.org"
NODE = build(
    observation(
        code=coded("http://loinc.org", "2157-6"),
        note=[{"text": "a"}, {"text": "b"}, {"text": "a"}],
        valueQuantity={"value": Decimal("1.50"), "unit": "g", "system": UCUM, "code": "g"},
    ),
    lambda *_, **__: None,
)


def evaluated(expression):
    env = Env(context=NODE, resource=NODE, root=NODE, this=[NODE])
    return [unwrap(item) for item in compiled(expression)([NODE], env)]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("status = 'final'", [True]),
        ("Observation.status", ["final"]),
        ("note.text", ["a", "b", "a"]),
        ("note.text.distinct().count()", [2]),
        ("note.where(text = 'a').count() = 2", [True]),
        ("note.text.isDistinct()", [False]),
        ("note.all(text.exists())", [True]),
        ("value is Quantity", [True]),
        ("value.ofType(Quantity).value + 1", [Decimal("2.50")]),
        ("value > 1 'g'", [True]),
        ("value > 1 'kg'", [False]),
        ("code.coding.where(system = %loinc).code.startsWith('2157')", [True]),
        ("method.exists() implies note.exists()", [True]),
        ("method.empty() xor note.empty()", [True]),
        ("{} = 1", []),
        ("method.text = 'x' and false", [False]),
        ("method.text = 'x' or true", [True]),
        ("iif(status = 'final', 'yes', 'no')", ["yes"]),
        ("'abc'.matches('^a.c$') and 'abc'.replace('b', 'x') = 'axc'", [True]),
        ("@2012-05 < @2012-06", [True]),
        ("@2012 = @2012-05", []),
        ("(1 | 2 | 2).count()", [2]),
        ("7 div 2 + 7 mod 2", [4]),
        ("%resource.status in ('final' | 'amended')", [True]),
        ("note[1].text & '!'", ["b!"]),
        ("-1.abs()", [-1]),
        ("descendants().ofType(Annotation).count()", [3]),
        ("$this.note.select($index + 1)", [1, 2, 3]),
        ("note.aggregate($total + 1, 0)", [3]),
        ("@2012-01-31 + 1 month = @2012-02-29", [True]),
    ],
)
def test_an_expression_has_its_value(expression, wanted):
    assert evaluated(expression) == wanted


@pytest.mark.parametrize("expression", ["note.bananas()", "a b", "'open", "1 +", "x is Bananas", "#"])
def test_what_cannot_be_translated_is_refused_when_translated(expression):
    with pytest.raises(Unsupported):
        compiled(expression)


@pytest.mark.parametrize("expression", ["note and true", "note.single()", "status + 1", "%unknown"])
def test_what_cannot_be_evaluated_fails_and_is_no_pass(expression):
    with pytest.raises(Failed):
        evaluated(expression)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("note.text.sort()", ["a", "a", "b"]),
        ("note.text.sort(-$this)", ["b", "a", "a"]),
        ("(3 | 1 | 2).sort(-$this)", [3, 2, 1]),
        ("note.sort(-text).first().text", ["b"]),
        ("value.value.precision()", [2]),
        ("value.value.lowBoundary()", [Decimal("1.49500000")]),
        ("value.value.highBoundary(2)", [Decimal("1.51")]),
        ("value.highBoundary(3).value", []),
        ("@2012-02.highBoundary() = @2012-02-29", [True]),
        ("@2012.lowBoundary() = @2012-01-01", [True]),
        ("@T10.highBoundary() = @T10:59:59.999", [True]),
        ("@2014-01-01T08.highBoundary(17) = @2014-01-01T08:59:59.999-12:00", [True]),
        ("1 'g'.comparable(1 'kg')", [True]),
        ("1 'g'.comparable(1 'm')", [False]),
        ("1 '[iU]'.comparable(1 'g')", [False]),
        ("'<a>'.escape('html')", ["&lt;a&gt;"]),
        ("'a\\nb'.escape('json')", ["a\\nb"]),
        ("'ä'.encode('base64').decode('base64')", ["ä"]),
        ("'ff'.decode('hex')", []),
        ("'x'.encode('rot13')", []),
        ("4 'g' ~ 4000 'mg'", [True]),
        ("4 'g' ~ 4 'm'", [False]),
        ("(1 | 2) ~ (2 | 1)", [True]),
        ("' A  b' ~ 'a B'", [True]),
        ("2 'cm' * 2 'm' = 0.04 'm2'", [True]),
        ("4 'g' / 2 'g'", [Amount(Decimal(2), "1")]),
        ("2 * 3 'mg'", [Amount(Decimal(6), "mg")]),
        ("status.as(string)", []),
        ("status.ofType(code)", ["final"]),
        ("status is string", [True]),
        ("effective != @T10:00", [True]),
        ("1 year = 1 'a'", []),
        ("iif($this is Observation, 'yes', 'no')", ["yes"]),
    ],
)
def test_functions_of_later_versions_have_their_values(expression, wanted):
    assert evaluated(expression) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "note.text & 'x'",
        "note.as(Annotation)",
        "(1 | 'a').sort()",
        "('a' | 'b').iif(true, 1)",
        "(true | 'a').allTrue()",
        "-true",
        "1 < 'a'",
        "@2012-01-01 + 1 'mo'",
        "@2012-01-01 + 1 'cm'",
        "2 * 'a'",
    ],
)
def test_what_has_no_value_fails(expression):
    with pytest.raises(Failed):
        evaluated(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("Observation.bananas", "bananas"),
        ("Observation.valueQuantity.unit", "valueQuantity"),
        ("(Observation.value as Period).unit", "unit"),
        ("Observation.children().first()", "no order"),
        ("iif('x', 1, 2)", "yes or no"),
    ],
)
def test_the_definitions_alone_tell_that_an_expression_is_unsound(expression, words):
    with pytest.raises(Unsound, match=words):
        types_at(parse(expression), frozenset({"Observation"}))


def test_the_definitions_alone_tell_where_an_expression_leads():
    start = frozenset({"Observation"})
    assert types_at(parse("Observation.code.coding.where(system.exists()).code"), start) == {"code"}
    assert types_at(parse("Observation.status | Observation.note.text"), start) == {"code", "markdown"}
    assert types_at(parse("Observation.valueQuantity.unit"), start, keys=True) == {"string"}
    assert types_at(parse("subject.resolve().name"), start) is None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "-" * 50_000 + "1",
        "1" + "+1" * 50_000,
        "a" + ".a" * 50_000,
        "iif(" * 50_000,
        "a[" * 50_000,
        "`" * 50_001,
    ],
)
def test_hostile_expressions_are_refused(text):
    with pytest.raises(Unsupported):
        compiled(text)
