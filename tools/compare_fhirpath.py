"""The official R4 FHIRPath tests against our translator, group by group, as a Markdown table.

    python tools/compare_fhirpath.py TESTS.xml EXAMPLES

EXAMPLES: the folder of inputs; inputs that are XML only are left out and counted.
"""

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.conformance.fhirpath import Env, Unsupported, compiled, truth
from casefhir.conformance.fhirpath.engine import Failed
from casefhir.conformance.fhirpath.values import Amount, Moment, moment, text_of, unwrap
from casefhir.conformance.structure import build
from casefhir.conformance.tree import Node


def silent(*_: Any, **__: Any) -> None:
    """Structural faults of the inputs are not the matter here."""


def read(path: Path) -> Node | None:
    source = path.with_suffix(".json")
    return build(exactjson.read(source.read_bytes()), silent) if source.exists() else None


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
    env = Env(context=node, resource=node, root=node, this=[node] if node is not None else [])
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


def main(arguments: list[str]) -> None:
    tests, examples = Path(arguments[0]), Path(arguments[1])
    nodes: dict[str, Node | None] = {}
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    missing = 0
    failed: list[str] = []
    for group in ET.parse(tests).getroot().iter("group"):
        for test in group.iter("test"):
            name = test.get("inputfile") or ""
            if name and name not in nodes:
                nodes[name] = read(examples / name)
            if name and nodes[name] is None:
                missing += 1
                continue
            total[str(group.get("name"))] += 1
            try:
                right = verdict(test, nodes[name] if name else None)
            except Exception as error:  # noqa: BLE001 - a crash is a failed test and is named
                right = False
                failed.append(f"{test.get('name')} ({type(error).__name__})")
            else:
                if not right:
                    failed.append(str(test.get("name")))
            passed[str(group.get("name"))] += right
    print(f"{sum(passed.values())} of {sum(total.values())}; input not JSON: {missing}.\n")
    print("| group | passed | of |\n| --- | --- | --- |")
    for group in total:
        print(f"| {group} | {passed[group]} | {total[group]} |")
    print("\nNot passed: " + ", ".join(failed) + ".")


if __name__ == "__main__":
    main(sys.argv[1:])
