"""What several tests of this room need."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import compare_test_cases


@pytest.fixture(scope="session")
def testcases_jar(tmp_path_factory):
    """HL7's public test cases, brought by Maven where they are not at hand."""
    if not compare_test_cases.JAR.exists():
        artifact = f"org.hl7.fhir.testcases:fhir-test-cases:{compare_test_cases.VERSION}"
        get = ["mvn", "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
        subprocess.run(get, check=True, cwd=tmp_path_factory.mktemp("maven"))
    return compare_test_cases.JAR
