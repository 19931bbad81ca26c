"""HL7's own validator over what casefhir writes: no error, and only the warnings that docs/conformance.md explains."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from casefhir import library
from tests.fhir.extracts import varied

pytestmark = pytest.mark.java

# message ids of the engine, each explained in docs/conformance.md
EXPLAINED = {
    "All_observations_should_have_a_performer",
    "TYPE_SPECIFIC_CHECKS_DT_QTY_UCUM_ANNOTATIONS",
    "Terminology_TX_Error_CodeableConcept",
}
# what only persons told in tables draw: a marital status in the source's own codes alone
OF_TABLES = {"Terminology_TX_NoValid_2_CC"}
TABLE_PERSONS = 6
Issue = dict[str, str]


def _write(folder: Path) -> None:
    """Every form of every case, the licensed codes, an existing patient, and one broken bundle; a folder for each."""
    for path in library.published_mappings():
        for form in ("collection", "document"):
            made = library.convert(path, form=form)  # type: ignore[arg-type]
            target = folder / form / f"{made.case.key}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made.to_json())
        for name, data in library.convert(path, form="ndjson").to_ndjson().items():
            (folder / "ndjson").mkdir(exist_ok=True)
            with (folder / "ndjson" / name).open("ab") as file:
                file.write(data)
    licensed = library.convert("tocilizumab-antisynthetase-pl12", terminology="snomed")
    (folder / "snomed").mkdir()
    (folder / "snomed" / "bundle.json").write_bytes(licensed.to_json())
    for seed in range(TABLE_PERSONS):
        person = varied(seed)
        for form in ("transaction", "collection", "document"):
            made = library.convert(person, form=form)  # type: ignore[arg-type]
            (folder / "tables").mkdir(exist_ok=True)
            (folder / "tables" / f"{seed}-{form}.json").write_bytes(made.to_json())
        for kind, identity, _, line in library.templates(validate=False).shape(person).resources:
            (folder / "tables" / f"{seed}-{kind}-{identity}.json").write_bytes(line)
    broken = library.convert("ivig-antisynthetase-ku")
    broken.bundle["entry"][1]["resource"]["gender"] = "bananas"
    (folder / "broken").mkdir()
    (folder / "broken" / "bundle.json").write_bytes(broken.to_json())


@pytest.fixture(scope="module")
def judged(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Issue]]:
    """The issues of one folder; the validator is started once for all of them."""
    folder = tmp_path_factory.mktemp("judged")
    _write(folder)
    committed = sorted((root / "bundles").glob("*.json"))
    command = [str(root / "tests" / "judge" / "run"), *map(str, committed), str(folder)]
    command += ["--profiles", str(root / "profiles"), "--no-examples"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    lines = run.stdout.splitlines()
    assert " files, " in lines[-1], run.stdout[-2000:]
    issues: list[Issue] = [json.loads(line) for line in lines if line.startswith("{")]
    return lambda name: [each for each in issues if Path(each["file"]).parent.name == name]


def troubles(issues: list[Issue]) -> list[str]:
    return [
        f"{each['severity']} {Path(each['file']).name} {each['location']}: {each['message']} [{each.get('messageId')}]"
        for each in issues
        if each["severity"] in ("fatal", "error")
        or (each["severity"] == "warning" and each.get("messageId") not in EXPLAINED)
    ]


@pytest.mark.parametrize("name", ["bundles", "collection", "document", "ndjson", "snomed"])
def test_there_is_no_error_and_no_unexplained_warning(name: str, judged: Callable[[str], list[Issue]]) -> None:
    issues = judged(name)
    assert issues, "the validator always says something of the codes whose systems it has not loaded"
    assert troubles(issues) == []


def test_persons_told_in_tables_have_no_error_with_any_of_their_optional_fields(
    judged: Callable[[str], list[Issue]],
) -> None:
    issues = judged("tables")
    assert {Path(each["file"]).name for each in issues if "transaction" in each["file"]} == {
        f"{seed}-transaction.json" for seed in range(TABLE_PERSONS)
    }
    assert [each for each in troubles(issues) if not any(f"[{kind}]" in each for kind in OF_TABLES)] == []


def test_the_warnings_left_are_of_five_kinds_at_most_and_explained(
    judged: Callable[[str], list[Issue]], root: Path
) -> None:
    kinds = {each.get("messageId") or "" for each in judged("bundles") if each["severity"] == "warning"}
    text = (root / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert len(kinds) <= 5
    assert {kind for kind in kinds if kind not in text} == set()


def test_the_judge_does_find_errors(judged: Callable[[str], list[Issue]]) -> None:
    assert [each for each in judged("broken") if each["severity"] == "error" and "gender" in each["location"]]
