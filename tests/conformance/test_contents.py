"""Reports against their measures, and the content of definitions: search parameters, profiles, guides."""

from typing import Any

import pytest

from casefhir.conformance.definitions import CORE
from casefhir.conformance.findings import Report
from casefhir.conformance.validator import Validator

HERE = "https://clinic.org/fhir/"
Json = dict[str, Any]


def found(given: Json, *own: Json, prefix: str = "profiles.") -> list[tuple[str, str]]:
    report = Report()
    Validator(own).check(given, report)
    return [(each.severity, each.rule.removeprefix(prefix)) for each in report.findings if each.rule.startswith(prefix)]


def concept(code: str) -> Json:
    return {"coding": [{"system": HERE + "CodeSystem/parts", "code": code}]}


def measure(scoring: str = "proportion", **more: Any) -> Json:
    group = {"code": concept("all"), "population": [{"code": concept("denominator")}, {"code": concept("numerator")}]}
    scored = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/measure-scoring", "code": scoring}]}
    base = {"resourceType": "Measure", "url": HERE + "Measure/m", "status": "active", "scoring": scored}
    return {**base, "group": [group], **more}


def population(code: str, **more: Any) -> Json:
    return {"code": concept(code), "count": 3, **more}


BOTH = (population("denominator"), population("numerator"))


def report(*populations: Json, score: Any = None, type: str = "summary", **group: Any) -> Json:
    one: Json = {"code": concept("all"), "population": list(populations), **group}
    if score is not None:
        one["measureScore"] = score
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": type,
        "measure": HERE + "Measure/m",
        "period": {"start": "2024-01"},
        "group": [one],
    }


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (report(*BOTH, score={"value": 0}), []),
        (report(*BOTH, score={"value": 2}), ["measure-score"]),
        (report(*BOTH, score={"value": 1, "unit": "%"}), ["measure-score"]),
        (report(*BOTH), ["measure-score"]),
        (report(BOTH[0], score={"value": 1}), ["measure-missing"]),
        (report(*BOTH, population("other"), score={"value": 1}), ["measure-code"]),
        (report(*BOTH, BOTH[0], score={"value": 1}), ["measure-code"]),
        (report(*BOTH, score={"value": 1}, code=concept("some")), ["measure-code", "measure-missing"]),
        (report(*BOTH, score={"value": 1}, type="data-collection"), ["measure-score"]),
        (report(*BOTH, score={"value": 1}, stratifier=[{"code": [concept("sex")]}]), ["measure-code"]),
    ],
)
def test_a_report_has_the_parts_and_score_of_its_measure(given, rules):
    assert found(given, measure()) == [("error", rule) for rule in rules]


def test_only_a_list_of_subjects_lists_them():
    listed = population("numerator", subjectResults={"reference": "List/1"})
    assert found(report(BOTH[0], listed, score={"value": 1}), measure()) == [("error", "measure-subjects")]
    assert found(report(BOTH[0], listed, score={"value": 1}, type="subject-list"), measure()) == []


def test_a_measure_that_is_not_known_is_told():
    assert found(report(*BOTH)) == [("warning", "measure")]


def search(**more: Any) -> Json:
    base = {
        "resourceType": "SearchParameter",
        "url": HERE + "SearchParameter/name",
        "name": "Name",
        "status": "active",
        "description": "By name",
        "code": "name",
        "base": ["Organization"],
        "type": "string",
        "expression": "Organization.name | Organization.alias",
    }
    return base | more


NAME = "http://hl7.org/fhir/SearchParameter/Organization-name"


@pytest.mark.parametrize(
    ("given", "severities"),
    [
        (search(), {}),
        (search(derivedFrom=NAME), {}),
        (search(derivedFrom=NAME, type="token"), {"search-derived": "error"}),
        (search(derivedFrom=NAME, base=["Patient"], expression="Patient.name"), {"search-derived": "error"}),
        (search(derivedFrom=HERE + "SearchParameter/none"), {"search-derived": "warning"}),
        (search(expression="Organization.title"), {"search-expression": "error"}),
        (search(base=["Patient"]), {"search-expression": "error"}),
        (search(expression="Organization.name ||"), {"search-expression": "error"}),
        (search(code="na.me"), {"search-code": "warning"}),
        (search(type="composite"), {"search-components": "error"}),
    ],
)
def test_a_search_parameter_reads_and_keeps_to_what_it_derives_from(given, severities):
    assert {rule: severity for severity, rule in found(given)} == severities


def test_a_server_states_a_parameters_own_type():
    def statement(kind: str) -> Json:
        parameter = {"name": "name", "definition": NAME, "type": kind}
        resource = {"type": "Organization", "searchParam": [parameter]}
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2024",
            "kind": "requirements",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "description": "x",
            "rest": [{"mode": "server", "resource": [resource]}],
        }

    assert found(statement("string")) == []
    assert found(statement("token")) == [("error", "search-type")]


def profile(*elements: Json, type: str = "Observation", **more: Any) -> Json:
    base = {
        "resourceType": "StructureDefinition",
        "url": HERE + "StructureDefinition/p",
        "name": "P",
        "status": "active",
        "kind": "complex-type" if type == "Extension" else "resource",
        "abstract": False,
        "type": type,
        "baseDefinition": CORE + type,
        "derivation": "constraint",
        "differential": {"element": [{"id": type, "path": type}, *elements]},
    }
    return base | more


def element(path: str, **more: Any) -> Json:
    return {"id": path, "path": path, **more}


RULE = {"key": "x-1", "severity": "error", "human": "x"}
BOUND_TO_A_SYSTEM = {"strength": "required", "valueSet": "http://hl7.org/fhir/observation-status"}
SLICED = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (element("Observation.valueQuantity", min=1), []),
        (element("Observation.valueBla"), ["differential-path"]),
        (element("Observation.component.bananas"), ["differential-path"]),
        (element("Observation.code.coding.bananas"), ["differential-path"]),
        (element("Observation.value[x]", type=[{"code": "Quantity"}]), []),
        (element("Observation.value[x]", type=[{"code": "Money"}]), ["differential-type"]),
        (element("Observation.code", min=0), ["differential-cardinality"]),
        (element("Observation.code", max="*"), ["differential-cardinality"]),
        (element("Observation.component", max="3"), []),
        (element("Observation.status", binding={"strength": "preferred", "valueSet": HERE}), ["differential-binding"]),
        (element("Observation.component", slicing=SLICED), []),
        (element("Observation.category", slicing=SLICED), ["discriminator"]),
        (element("Observation", constraint=[RULE | {"expression": "code.exists()"}]), []),
        (element("Observation", constraint=[RULE | {"expression": "code.exists("}]), ["constraint-expression"]),
        (element("Observation", constraint=[RULE | {"expression": "bananas.exists()"}]), ["constraint-expression"]),
        (element("Observation.component", constraint=[RULE | {"expression": "code.coding.exists()"}]), []),
        (
            element("Observation.component", constraint=[RULE | {"expression": "status.exists()"}]),
            ["constraint-expression"],
        ),
        (element("Observation.code", binding=BOUND_TO_A_SYSTEM), ["differential-binding"]),
    ],
)
def test_a_differential_fits_its_type(given, rules):
    assert found(profile(given)) == [("error", rule) for rule in rules]


def test_a_profile_keeps_to_the_profile_that_it_derives_from():
    base = profile(
        element("Observation.status", fixedCode="final"), element("Observation.component", min=1), url=HERE + "base"
    )

    def derived(*elements: Json) -> Json:
        return profile(*elements, baseDefinition=HERE + "base")

    assert found(derived(element("Observation.status", fixedCode="final")), base) == []
    assert found(derived(element("Observation.status", fixedCode="amended")), base) == [("error", "differential-fixed")]
    assert found(derived(element("Observation.component", min=0)), base) == [("error", "differential-cardinality")]


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (profile(baseDefinition=CORE + "Patient"), [("error", "definition-type")]),
        (profile(kind="logical"), [("error", "definition-type")]),
        (profile(baseDefinition=HERE + "none"), [("warning", "definition-base")]),
    ],
)
def test_a_constraint_keeps_the_type_of_its_base(given, rules):
    assert found(given) == rules


def test_an_extension_fixes_its_own_url():
    context = [{"type": "element", "expression": "Patient"}]
    right = element("Extension.url", fixedUri=HERE + "StructureDefinition/p")
    assert found(profile(right, type="Extension", context=context)) == []
    for wrong in (element("Extension.url", fixedUri=HERE), element("Extension.value[x]")):
        assert found(profile(wrong, type="Extension", context=context)) == [("error", "definition-url")]


OBSERVATION = {"resourceType": "Observation", "status": "final"}


def value_set(*codes: str) -> Json:
    include = {"system": HERE + "CodeSystem/parts", "concept": [{"code": code} for code in codes]}
    return {
        "resourceType": "ValueSet",
        "url": HERE + "ValueSet/v",
        "status": "active",
        "compose": {"include": [include]},
    }


@pytest.mark.parametrize("purpose", ["required", "extensible"])
def test_additional_bindings_hold_beside_the_binding(purpose):
    parts = [
        {"url": "purpose", "valueCode": purpose},
        {"url": "valueSet", "valueCanonical": HERE + "ValueSet/v"},
    ]
    url = "http://hl7.org/fhir/tools/StructureDefinition/additional-binding"
    binding = {"strength": "example", "valueSet": HERE + "none", "extension": [{"url": url, "extension": parts}]}
    own = (profile(element("Observation.code", binding=binding)), value_set("a"))
    meta = {"profile": [HERE + "StructureDefinition/p"]}
    for code, expected in (("a", []), ("b", [("error" if purpose == "required" else "warning", f"{purpose}-binding")])):
        given = {**OBSERVATION, "meta": meta, "code": concept(code)}
        assert found(given, *own, prefix="terminology.") == expected


def test_a_guides_global_profiles_hold_for_every_resource_of_the_type():
    guide = {
        "resourceType": "ImplementationGuide",
        "url": HERE + "ImplementationGuide/g",
        "status": "active",
        "global": [{"type": "Observation", "profile": HERE + "StructureDefinition/p"}],
    }
    own = (guide, profile(element("Observation.note", min=1)))
    assert found({**OBSERVATION, "code": concept("a")}, *own) == [("error", "missing")]
    assert found({**OBSERVATION, "code": concept("a"), "note": [{"text": "x"}]}, *own) == []


def test_what_a_profile_wants_and_r4_does_not_have_is_told_as_not_evaluated():
    own = profile(element("Observation.bananas", min=1))
    given = {**OBSERVATION, "code": concept("a"), "meta": {"profile": [HERE + "StructureDefinition/p"]}}
    assert found(given, own) == [("warning", "not-evaluated")]


def test_extensions_that_hl7_added_later_are_known_and_not_checked():
    def extended(name: str) -> Json:
        extension = {"url": CORE + name, "valueString": "x"}
        return {**OBSERVATION, "code": concept("a"), "extension": [extension]}

    for name in ("artifact-version", "organization-brand"):
        assert found(extended(name), prefix="structure.") == [("information", "extension-unchecked")]
    assert found(extended("bananas"), prefix="structure.") == [("error", "unknown-extension")]


def test_a_country_is_told_wrong_by_its_form_alone():
    from casefhir.conformance.definitions import Definitions
    from casefhir.conformance.vocabulary import Vocabulary

    vocabulary = Vocabulary(Definitions())
    jurisdiction = "http://hl7.org/fhir/ValueSet/jurisdiction"
    assert vocabulary.has(jurisdiction, "urn:iso:std:iso:3166", "FI") is None
    assert vocabulary.has(jurisdiction, "urn:iso:std:iso:3166", "Finland") is False
    assert vocabulary.has(jurisdiction, None, "Finland") is False


def guide_on(**dependency: Any) -> Json:
    base = {
        "resourceType": "ImplementationGuide",
        "url": HERE + "ImplementationGuide/g",
        "name": "G",
        "status": "active",
    }
    return {**base, "packageId": "org.clinic.g", "fhirVersion": ["4.0.1"], "dependsOn": [dependency]}


@pytest.mark.parametrize(
    ("dependency", "count"),
    [
        ({"uri": HERE + "ImplementationGuide/x", "packageId": "hl7.fhir.us.core", "version": "3.1.0"}, 0),
        ({"uri": HERE + "ImplementationGuide/x|3.1.0", "version": "3.1.0"}, 0),
        ({"uri": HERE + "ImplementationGuide/x|3.1.0", "version": "3.1.1"}, 1),
        ({"uri": HERE + "ImplementationGuide/x|3.1.0"}, 1),
        ({"uri": HERE + "us/core"}, 1),
        ({"uri": HERE + "ImplementationGuide/x", "packageId": "core"}, 1),
        ({"uri": HERE + "ImplementationGuide/x", "packageId": "hl7.fhir.us.core", "version": "a b"}, 1),
    ],
)
def test_a_guide_depends_on_guides_by_url_and_package(dependency: Json, count: int) -> None:
    assert found(guide_on(**dependency)) == [("error", "guide-dependency")] * count


def test_an_operation_s_parameters_follow_a_known_profile_of_parameters() -> None:
    base = {"resourceType": "OperationDefinition", "name": "O", "status": "active", "kind": "operation", "code": "o"}
    operation = {**base, "system": True, "type": False, "instance": False}
    assert found({**operation, "inputProfile": CORE + "Parameters"}) == []
    assert found({**operation, "inputProfile": CORE + "Patient"}) == [("error", "operation-profile")]
    assert found({**operation, "outputProfile": HERE + "StructureDefinition/none"}) == [("error", "unknown")]


def a_map(rule: Json, *inputs: Json, **more: Any) -> Json:
    group = {
        "name": "all",
        "typeMode": "none",
        "input": [{"name": "src", "type": "Patient", "mode": "source"}, {"name": "tgt", "mode": "target"}, *inputs],
        "rule": [{"name": "one", "source": [{"context": "src"}], **rule}],
    }
    base = {"resourceType": "StructureMap", "url": HERE + "StructureMap/m", "name": "M", "status": "active"}
    return {**base, "group": [group], **more}


@pytest.mark.parametrize(
    ("rule", "rules"),
    [
        ({}, []),
        ({"name": "one-a"}, ["map-name"]),
        ({"source": [{"context": "srk"}]}, ["map-variable"]),
        ({"source": [{"context": "src", "element": "bananas"}]}, ["map-element"]),
        ({"source": [{"context": "src", "element": "gender", "variable": "a b"}]}, ["map-name"]),
        ({"target": [{"context": "src", "contextType": "variable"}]}, ["map-variable"]),
        ({"target": [{"context": "tgt", "contextType": "variable", "element": "any", "transform": "create"}]}, []),
        ({"rule": [{"name": "two", "source": [{"context": "n", "element": "x"}]}]}, ["map-variable"]),
        (
            {
                "source": [{"context": "src", "element": "name", "variable": "n"}],
                "rule": [{"name": "two", "source": [{"context": "n", "element": "family"}]}],
            },
            [],
        ),
        (
            {
                "source": [{"context": "src", "element": "name", "variable": "n"}],
                "rule": [{"name": "two", "source": [{"context": "n", "element": "surname"}]}],
            },
            ["map-element"],
        ),
        ({"dependent": [{"name": "none", "variable": ["src"]}]}, ["map-group"]),
        ({"dependent": [{"name": "all", "variable": ["src"]}]}, ["map-inputs"]),
        ({"dependent": [{"name": "all", "variable": ["src", "tgt"]}]}, []),
        ({"dependent": [{"name": "all", "variable": ["src", "other"]}]}, ["map-variable"]),
    ],
)
def test_a_map_uses_what_is_there(rule: Json, rules: list[str]) -> None:
    assert found(a_map(rule)) == [("error", each) for each in rules]


def test_the_inputs_of_a_map_have_types_and_names_of_their_own() -> None:
    assert found(a_map({}, {"name": "src", "mode": "source"})) == [("error", "map-variable")]
    assert found(a_map({}, {"name": "third", "type": "Bananas", "mode": "source"})) == [("error", "map-type")]
    alias = {"url": CORE + "Patient", "mode": "target", "alias": "Tgt"}
    assert found(a_map({}, {"name": "third", "type": "Tgt", "mode": "target"}, structure=[alias])) == []
    queried = {**alias, "mode": "queried"}
    assert found(a_map({}, {"name": "third", "type": "Tgt", "mode": "target"}, structure=[queried])) == [
        ("error", "map-mode")
    ]
    elsewhere = {"dependent": [{"name": "theirs", "variable": ["src"]}]}
    assert found(a_map(elsewhere, **{"import": [HERE + "StructureMap/other"]})) == []


def test_a_value_set_that_a_system_defines_by_its_url_has_codes_of_that_system_alone() -> None:
    from casefhir.conformance.definitions import Definitions
    from casefhir.conformance.vocabulary import Vocabulary

    vocabulary = Vocabulary(Definitions())
    answers = "http://loinc.org/vs/LL379-9"
    assert vocabulary.has(answers, "http://loinc.org", "2157-6") is None
    assert vocabulary.has(answers, "http://snomed.info/sct", "396230008") is False
    assert vocabulary.has("http://snomed.info/sct?fhir_vs=isa/404684003", "http://loinc.org", "2157-6") is False
