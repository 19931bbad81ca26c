"""The shipped definitions are what the script makes of R4's."""

import subprocess
import sys
from pathlib import Path

import pytest

from casefhir.conformance.definitions import Core, core
from casefhir.conformance.shapes import shape

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import make_definitions  # noqa: E402

SHIPPED = ROOT / "src/casefhir/conformance/data/r4.definitions"
JUDGE = ROOT / "tests" / "judge"
JAR = JUDGE / "target" / "lib" / "hapi-fhir-validation-resources-r4-8.8.1.jar"


def everything_in(path: Path) -> dict[str, object]:
    found = Core(path)
    return {
        **found.members,
        **{url: found.read(url) for url in found.members},
        "search": found.search,
        "later": found.later,
    }


@pytest.mark.java
def test_the_script_makes_the_shipped_definitions(tmp_path):
    if not JAR.exists():  # Maven brings it with the validator
        subprocess.run(["mvn", "-q", "-B", "-f", str(JUDGE / "pom.xml"), "package"], check=True)
    if not make_definitions.NEWER.exists():
        artifact = f"ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r5:{make_definitions.NEWER_VERSION}"
        get = ["mvn", "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
        subprocess.run(get, check=True, cwd=tmp_path)
    made = tmp_path / "r4.definitions"
    make_definitions.main([str(JAR), str(make_definitions.NEWER), str(made)])
    assert everything_in(made) == everything_in(SHIPPED)  # how zlib packs it may differ


def test_they_say_where_they_come_from():
    assert core().about["fhirVersion"] == "4.0.1"
    assert "hapi-fhir-validation-resources-r4:8.8.1" in core().about["source"]


def test_every_r4_resource_type_has_a_shape():
    names = [url.rpartition("/")[2] for url, member in core().members.items() if member.startswith("s")]
    resources = [name for name in names if (found := shape(name)) is not None and found.kind == "resource"]
    assert len(resources) == 148
    assert all(shape(name).properties for name in resources)


def test_importing_loads_nothing_heavy():
    heavy = ("pydantic", "lark", "pint", "ucumvert", "fhir.resources", "httpx")
    code = f"import sys, casefhir.conformance; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
