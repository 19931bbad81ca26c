"""No rule lacks an explanation, and none is explained that nobody tells."""

import ast
import re
from pathlib import Path

import pytest

import casefhir.conformance
from casefhir.conformance import validate
from casefhir.conformance.explain import UnknownRule, explain, own_rules
from casefhir.conformance.findings import LAYERS
from casefhir.conformance.primitives import TEXTS
from tests.conformance.builders import observation

NUMBERS = {"decimal", "integer", "positiveInt", "unsignedInt"}
_RULE = re.compile(rf"(?:{'|'.join(LAYERS)})\.[A-Za-z0-9-]*")


def _names(tree: ast.AST) -> set[str]:
    """Rule ids written out, and those that a module's `_tell` makes of its first argument."""
    written = {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    found = {each for each in written if _RULE.fullmatch(each) and not each.endswith((".", "-"))}
    prefixes = {
        str(each.values[0].value)
        for each in ast.walk(tree)
        if isinstance(each, ast.JoinedStr) and isinstance(each.values[0], ast.Constant) and len(each.values) == 2
    }
    calls = (each for each in ast.walk(tree) if isinstance(each, ast.Call) and ast.unparse(each.func) == "self._tell")
    short = {each.args[0].value for each in calls if each.args and isinstance(each.args[0], ast.Constant)}
    found |= {prefix + name for prefix in prefixes if _RULE.fullmatch(prefix) for name in short}
    return found


def told() -> set[str]:
    found = {f"structure.{each}" for each in {*TEXTS, *NUMBERS} - {"xhtml"}}
    found |= {f"terminology.{each}-binding" for each in ("required", "extensible")}
    for file in Path(casefhir.conformance.__file__).parent.rglob("*.py"):
        found |= _names(ast.parse(file.read_text(encoding="utf-8")))
    return found


def test_every_rule_in_the_code_is_explained():
    assert sorted(told() - own_rules().keys()) == []
    assert len(told()) > 100


def test_every_rule_that_is_told_can_be_explained():
    for each in validate(observation(bananas=1, status="x", valueString="a", dataAbsentReason={"text": "a"})).findings:
        assert each.rule in explain(each.rule)


def test_an_invariant_is_explained_with_its_text_expression_and_places():
    said = explain("obs-6")
    assert "obs-6 (error) on Observation" in said
    assert "dataAbsentReason SHALL only be present" in said
    assert "FHIRPath: dataAbsentReason.empty()" in said
    assert "Checked as" in explain("con-3")


def test_a_rule_of_a_profile_is_explained_from_the_profile():
    constraint = {"key": "x-1", "severity": "error", "human": "It has a name.", "expression": "name.exists()"}
    element = {"path": "Patient", "constraint": [constraint]}
    profile = {"resourceType": "StructureDefinition", "url": "http://x.test/p", "differential": {"element": [element]}}
    assert "It has a name." in explain("x-1", [profile])
    with pytest.raises(UnknownRule, match="--profiles"):
        explain("x-1")


def test_an_unknown_rule_is_refused_with_those_that_are_near():
    with pytest.raises(UnknownRule, match=r"Perhaps structure\.unknown-element"):
        explain("structure.unknown-elemnt")
