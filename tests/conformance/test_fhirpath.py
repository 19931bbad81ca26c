"""The FHIRPath translator: what it computes, and that it says what it cannot."""

from decimal import Decimal

import pytest

from casefhir.conformance.fhirpath import Env, Unsupported, compiled
from casefhir.conformance.fhirpath.engine import Failed
from casefhir.conformance.fhirpath.values import unwrap
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
