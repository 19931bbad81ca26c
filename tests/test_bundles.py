"""What is committed in bundles/ is what the mappings give today, byte for byte, wherever it is made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from casefhir import exactjson, library
from casefhir.fhir.models import models
from casefhir.published import folder

from .conftest import IN_CI

CASES = sorted(library.published_mappings())
NAMES = [path.stem for path in CASES]


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def conversion(request: pytest.FixtureRequest) -> library.Conversion:
    return library.convert(request.param)


def test_the_six_cases_are_there() -> None:
    assert NAMES == [
        "ivig_antisynthetase_ku",
        "ivig_necrotizing_myopathy_srp",
        "rituximab_dermatopolymyositis",
        "scig_antisynthetase_jo1",
        "tocilizumab_antisynthetase_jo1",
        "tocilizumab_antisynthetase_pl12",
    ]
    assert [library.load_case(path).case.key.replace("-", "_") for path in CASES] == NAMES


def test_committed_bundles_are_what_the_mappings_give(root: Path, conversion: library.Conversion) -> None:
    key = conversion.case.key
    assert (root / "bundles" / f"{key}.json").read_bytes() == conversion.to_json()
    assert (root / "bundles" / "index" / f"{key}.json").read_bytes() == exactjson.write(conversion.index, indent=True)


def test_nothing_else_is_in_the_folder(root: Path) -> None:
    keys = {f"{name.replace('_', '-')}.json" for name in NAMES}
    assert {path.name for path in (root / "bundles").glob("*.json")} == keys
    assert {path.name for path in (root / "bundles" / "index").iterdir()} == keys


def test_every_bundle_parses_as_fhir_resources_models(conversion: library.Conversion) -> None:
    assert len(models(conversion.to_json()).entry) == len(conversion.resources)


@pytest.mark.parametrize(
    "form",
    ["transaction", *(pytest.param(each, marks=pytest.mark.thorough) for each in ("collection", "document", "ndjson"))],
)
def test_every_form_of_every_case_passes_our_own_validation(conversion: library.Conversion, form: str) -> None:
    made = library.convert(conversion.case, form=form)  # type: ignore[arg-type]
    report = library.validate_conversion(made)
    assert [str(each) for each in report.findings if each.severity in ("fatal", "error")] == []


def test_by_default_no_code_needs_a_licence(conversion: library.Conversion) -> None:
    from casefhir import terms

    licensed = {(c.system, c.code) for each in terms.concepts().values() for c in each.codings if not c.free}
    assert licensed

    def codes(value: object) -> set[tuple[str, str]]:
        if isinstance(value, dict):
            own = {(value["system"], value["code"])} if {"system", "code"} <= set(value) else set()
            return own.union(*(codes(part) for part in value.values()))
        if isinstance(value, list):
            return set().union(*(codes(part) for part in value))
        return set()

    assert not codes(conversion.bundle) & licensed


_DIGESTS = """
import hashlib
from casefhir import library
for path in library.published_mappings():
    for form in ("transaction", "collection", "document"):
        print(path.stem, form, hashlib.sha256(library.convert(path, form=form).to_json()).hexdigest())
"""


def _digests(python: str, path: Path | None = None, **environment: str) -> str:
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONHASHSEED", "TZ", "LC_ALL")}
    extra = {"PYTHONPATH": str(path)} if path else {}
    run = subprocess.run(
        [python, "-c", _DIGESTS], env=inherited | extra | environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.thorough
def test_bytes_do_not_depend_on_hash_seed_time_zone_or_locale() -> None:
    usual = _digests(sys.executable, PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C")
    other = _digests(sys.executable, PYTHONHASHSEED="4711", TZ="Asia/Kathmandu", LC_ALL="tr_TR.UTF-8")
    assert usual == other
    assert usual.count("\n") == 18


@pytest.mark.pythons
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_bytes_are_the_same_on_every_supported_python(version: str, root: Path, tmp_path: Path) -> None:
    python = _of_pyenv(version) or shutil.which(f"python{version}")
    if python is None:
        # in CI a check that could not run is a failure
        (pytest.fail if IN_CI else pytest.skip)(f"Python {version} is not on this machine")
    venv = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", str(root)], check=True)
    assert _digests(str(venv / "bin" / "python")) == _digests(sys.executable)


def _of_pyenv(version: str) -> str | None:
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(home.glob(f"{version}.*/bin/python")) if home.is_dir() else []
    return str(found[-1]) if found else None


def test_the_files_a_clone_brings_are_found() -> None:
    assert (folder("profiles") / "StructureDefinition-derivation-reference.json").is_file()
    assert (folder("mappings") / "scig_antisynthetase_jo1.py").is_file()
    assert (folder("examples") / "example-article.txt").is_file()
