"""The official R4 FHIRPath tests against our translator, group by group, as a Markdown table.

    python tools/compare_fhirpath.py [JAR]

JAR: org.hl7.fhir.testcases:fhir-test-cases (default: as for `compare_test_cases`), which has tests and inputs.
"""

import sys
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhir_xml
from compare_test_cases import JAR

from casefhir import exactjson
from casefhir.conformance.definitions import Definitions
from casefhir.conformance.fhirpath import Env, Unsupported, compiled, truth
from casefhir.conformance.fhirpath.evaluation import Failed
from casefhir.conformance.fhirpath.parse import parse
from casefhir.conformance.fhirpath.values import Amount, Moment, moment, text_of, unwrap
from casefhir.conformance.findings import Report
from casefhir.conformance.paths import Unsound, types_at
from casefhir.conformance.structure import build
from casefhir.conformance.tree import Node
from casefhir.conformance.validator import Validator

BASE = "org/hl7/fhir/testcases/r4/"
TESTS = BASE + "fhirpath/tests-fhir-r4.xml"
FOLDERS = (BASE, BASE + "examples/")


def silent(*_: Any, **__: Any) -> None:
    """Structural faults of the inputs are not the matter here."""


def read(archive: zipfile.ZipFile, name: str) -> Node | None:
    """The input `name`, in XML or JSON, None where it is not shipped."""
    for each in (name, name.replace(".xml", ".json")):
        for folder in FOLDERS:
            if folder + each in archive.namelist():
                data = archive.read(folder + each)
                found = fhir_xml.resource(data) if each.endswith(".xml") else exactjson.read(data)
                return build(found, silent)
    return None


def follows(profile: str, node: Node) -> bool | None:
    """conformsTo(): does `node` follow `profile`, None where there is no such profile."""
    known = Definitions().structure(profile)
    if known is None:
        return None
    report = Report()
    Validator(profile=profile, layers=["profiles"]).check_slowly(node.value, report)
    return report.ok


def unsound(expression: str, node: Node | None) -> bool:
    """Is `expression` refused by the definitions alone, as a `semantic` test wants."""
    try:
        types_at(parse(expression), None if node is None else frozenset({node.shape.name}))
    except Unsound:
        return True
    return False


def same(item: Any, kind: str | None, text: str) -> bool:
    found = unwrap(item)
    if kind == "boolean" or isinstance(found, bool):
        return isinstance(found, bool) and text == ("true" if found else "false")
    if isinstance(found, int | Decimal) and not isinstance(found, bool):
        return Decimal(text) == found
    if isinstance(found, Moment):
        wanted = moment(
            text.removeprefix("@").removeprefix("T") if found.kind == "time" else text.removeprefix("@"), found.kind
        )
        return wanted is not None and wanted.parts == found.parts
    if isinstance(found, Amount):
        value, _, unit = text.partition(" ")
        return Decimal(value) == found.value and unit.strip("'") in (found.unit, found.ucum)
    return text_of(item) == text


def verdict(test: ET.Element, node: Node | None) -> bool:
    expression = test.find("expression")
    assert expression is not None
    invalid = expression.get("invalid")
    env = Env(context=node, resource=node, root=node, this=[node] if node is not None else [], conforms=follows)
    if invalid == "semantic" and unsound(expression.text or "", node):
        return True
    try:
        items = compiled(expression.text or "")([node] if node is not None else [], env)
    except (Unsupported, Failed):
        return invalid is not None
    if invalid is not None:
        return False
    outputs = test.findall("output")
    if test.get("predicate") == "true":
        return len(outputs) == 1 and truth(items) == (outputs[0].text == "true")
    return len(items) == len(outputs) and all(
        same(item, output.get("type"), output.text or "") for item, output in zip(items, outputs)
    )


@dataclass
class Result:
    """By group how many tests passed and how many there are; those that did not; inputs that are not shipped."""

    passed: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def run(jar: Path = JAR) -> Result:
    """Run every test of `jar`."""
    result = Result()
    nodes: dict[str, Node | None] = {}
    with zipfile.ZipFile(jar) as archive:
        for group in ET.fromstring(archive.read(TESTS)).iter("group"):
            for test in group.iter("test"):
                name = test.get("inputfile") or ""
                if name and name not in nodes:
                    nodes[name] = read(archive, name)
                if name and nodes[name] is None:
                    result.missing.append(str(test.get("name")))
                    continue
                result.total[str(group.get("name"))] += 1
                if verdict(test, nodes[name] if name else None):
                    result.passed[str(group.get("name"))] += 1
                else:
                    expression = test.find("expression")
                    result.failed[str(test.get("name"))] = (expression.text or "") if expression is not None else ""
    return result


def main(arguments: list[str]) -> None:
    result = run(Path(arguments[0]) if arguments else JAR)
    print(f"{sum(result.passed.values())} of {sum(result.total.values())}; input not shipped: {len(result.missing)}.\n")
    print("| group | passed | of |\n| --- | --- | --- |")
    for group in result.total:
        print(f"| {group} | {result.passed[group]} | {result.total[group]} |")
    print("\nNot passed:\n")
    for name, expression in result.failed.items():
        print(f"- {name}: `{expression}`")


if __name__ == "__main__":
    main(sys.argv[1:])
