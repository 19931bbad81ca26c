"""Layer invariants: each rule with an example that keeps it and one that breaks it."""

import pytest

from casefhir.conformance.definitions import core
from casefhir.conformance.explain import invariants
from casefhir.conformance.fhirpath import compiled
from casefhir.conformance.findings import LAYERS
from casefhir.conformance.invariants import _mends
from tests.conformance.builders import DIV, errors, observation, patient, rules
from tests.conformance.minimal import cases, constraints

# Constraints that no example can break or keep, and why.
CANNOT_FAIL = {
    "eld-11": "select() gives false for each unfitting type, and a collection of false exists",
    "cid-0": "it asks for ChargeItemDefinition.name, which R4 does not have, so it never holds",
}
NAMES = [f"{number}-{case.rule}" for number, case in enumerate(cases())]


def test_every_constraint_of_resources_and_types_has_its_examples():
    named = {rule for rule, _ in constraints()}
    assert named - {case.rule for case in cases()} == set(CANNOT_FAIL)


@pytest.mark.parametrize("case", cases(), ids=NAMES)
def test_a_constraint_passes_what_keeps_it_and_names_what_breaks_it(case):
    others = [layer for layer in LAYERS if layer != "profiles"]  # the made-up definitions fit no base
    assert errors(case.kept, others) == set()
    assert case.rule not in rules(case.kept)
    assert case.rule in rules(case.broken)


def test_best_practice_is_a_warning():
    assert "dom-6" not in errors(patient(text=None))


def test_every_constraint_of_the_definitions_is_translated():
    for url in core().members:
        source = core().read(url)
        if source["resourceType"] != "StructureDefinition":
            continue
        for view in ("snapshot", "differential"):
            for element in source.get(view, {}).get("element", ()):
                for each in element.get("constraint", ()):
                    if "expression" in each:
                        compiled(each["expression"])


@pytest.mark.parametrize(
    "inside",
    [
        "<script>x</script>",
        "<iframe>x</iframe>",
        '<b onclick="x">x</b>',
        '<a href="javascript:x">x</a>',
        "<u>x</u>",
        "<p>x",
        "&nbsp;x",
        "&copy;",
        '<a href="#nowhere">x</a>',
        '<img src="#nowhere"/>',
        '<p xmlns="http://x.test">x</p>',
        '<a href=" java\tscript:x">x</a>',
        "<!DOCTYPE x>x",
        "<p data-x='1'>x</p>",
    ],
)
def test_a_narrative_that_browsers_should_not_get_is_an_error(inside):
    assert errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")}))


@pytest.mark.parametrize(
    "inside",
    [
        "<b>x</b>",
        '<p id="a">x</p><a href="#a">x</a>',
        "<table><tbody><tr><td>x</td></tr></tbody></table>",
        "&#160;x",
        '<p style="color: red" class="y">x</p>',
        '<img src="http://x.test/y.png" alt="y"/>',
        "<!-- x -->y",
        "a&lt;b",
    ],
)
def test_a_plain_narrative_is_valid(inside):
    assert errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")})) == set()


def test_what_mends_a_constraint_is_told_of_constraints_that_there_are():
    everywhere = {"ele-1", "ext-1"}  # of every element, and so of none that `invariants` lists
    two_meanings = {"inv-1", "inv-2"}  # keys that R4 gave twice
    unable_to_fail = {"eld-11"}
    assert set(_mends()) - everywhere == set(invariants()) - two_meanings - unable_to_fail
    assert all(mend.endswith((".", "…")) for mend in _mends().values())


@pytest.mark.parametrize(
    "inside",
    [
        "<ul>x</ul>",
        "<p><li>x</li></p>",
        "<table><td>x</td></table>",
        "<table><tr><p>x</p></tr></table>",
        "<p>x<table/></p>",
        "<p><p>x</p></p>",
        "<b><div>x</div></b>",
        "<br>x</br>",
        "<a>x<b><a>y</a></b></a>",
    ],
)
def test_a_narrative_is_built_as_html_is(inside):
    assert "structure.xhtml" in errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")}))


@pytest.mark.parametrize(
    "inside",
    [
        "<ul><li><ul><li>x</li></ul></li></ul>",
        "<table><caption>x</caption><thead><tr><th>x</th></tr></thead><tbody><tr><td><p>x</p></td></tr></tbody></table>",
        "<dl><dt>x</dt><dd><ul><li>y</li></ul></dd></dl>",
        "<b><b>x</b></b>",
    ],
)
def test_what_html_allows_is_valid(inside):
    assert errors(patient(text={"status": "generated", "div": DIV.replace("x<", f"{inside}<")})) == set()


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        ({"resourceType": "Parameters", "parameter": [{"name": "a", "part": [{"name": "b"}]}]}, "inv-1"),
        (
            observation(component=[{"code": {"text": "x"}, "valueString": "y", "referenceRange": [{"age": {}}]}]),
            "obs-3",
        ),
        (
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [
                    {"linkId": "a", "type": "group", "item": [{"linkId": "b", "type": "display", "required": True}]}
                ],
            },
            "que-6",
        ),
    ],
)
def test_what_borrows_an_element_s_content_keeps_its_constraints(resource, rule):
    assert rule in errors(resource)
