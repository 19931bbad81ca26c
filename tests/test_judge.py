"""HL7's own validator over what casefhir writes: no error, and no warning but of the kinds that docs/conformance.md explains."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from casefhir import library

pytestmark = pytest.mark.java

# message ids of the engine that docs/conformance.md explains, each with its reason
EXPLAINED = {
    "UCUM annotations": "TYPE_SPECIFIC_CHECKS_DT_QTY_UCUM_ANNOTATIONS",
    "Composition.type": "Terminology_TX_Error_CodeableConcept",
}


def judge(root: Path, *paths: Path) -> list[dict[str, str]]:
    command = [str(root / "tests" / "judge" / "run"), *map(str, paths), "--profiles", str(root / "profiles"), "--no-examples"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    lines = run.stdout.splitlines()
    assert " files, " in lines[-1], run.stdout[-2000:]
    return [json.loads(line) for line in lines if line.startswith("{")]


def troubles(issues: list[dict[str, str]]) -> list[str]:
    return [
        f"{each['severity']} {Path(each['file']).name} {each['location']}: {each['message']} [{each.get('messageId')}]"
        for each in issues
        if each["severity"] in ("fatal", "error")
        or (each["severity"] == "warning" and each.get("messageId") not in EXPLAINED.values())
    ]


def test_the_committed_bundles_have_no_error_and_no_unexplained_warning(root: Path) -> None:
    issues = judge(root, *sorted((root / "bundles").glob("*.json")))
    assert troubles(issues) == []
    assert len({each.get("messageId") for each in issues if each["severity"] == "warning"}) <= 5


def test_all_other_forms_have_no_error_and_no_unexplained_warning(root: Path, tmp_path: Path) -> None:
    for path in library.published_mappings():
        for form in ("collection", "document"):
            made = library.convert(path, form=form)  # type: ignore[arg-type]
            (tmp_path / f"{made.case.key}-{form}.json").write_bytes(made.to_json())
        for name, data in library.convert(path, form="ndjson").to_ndjson().items():
            with (tmp_path / name).open("ab") as file:
                file.write(data)
    issues = judge(root, tmp_path)
    assert troubles(issues) == []


def test_licensed_codes_and_an_existing_subject_conform_too(root: Path, tmp_path: Path) -> None:
    for path in library.published_mappings()[:3]:
        made = library.convert(path, terminology="snomed")
        (tmp_path / f"{made.case.key}.json").write_bytes(made.to_json())
    assert troubles(judge(root, tmp_path)) == []


def test_the_judge_does_find_errors(root: Path, tmp_path: Path) -> None:
    made = library.convert(library.published_mappings()[0])
    made.bundle["entry"][1]["resource"]["gender"] = "bananas"
    (tmp_path / "broken.json").write_bytes(made.to_json())
    assert Counter(each["severity"] for each in judge(root, tmp_path))["error"] >= 1
