"""The International Patient Summary 1.1.0: its examples against its profiles, and our documents against its Bundle."""

import os
import tarfile
from pathlib import Path

import pytest

from casefhir import exactjson, library
from casefhir.conformance.api import Checker

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(os.environ.get("CASEFHIR_IPS", ROOT.parent / "shared" / "packages" / "hl7.fhir.uv.ips-1.1.0.tgz"))
IPS = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
# What IPS's own examples break: links of the narrative whose target is in another entry, and a blank in a UCUM code.
DEFECTIVE = {
    "Bundle-IPS-examples-Bundle-01.json": {"structure.xhtml-link"},
    "Bundle-IPS-examples-Bundle-with-immunization.json": {"structure.xhtml-link"},
    "Bundle-bundle-minimal.json": {"structure.xhtml-link"},
    "Bundle-bundle-no-info-required-sections.json": {"structure.xhtml-link"},
    "Observation-alcohol-use-example.json": {"terminology.ucum"},
}
# Where our documents part from IPS, and why: docs/conformance.md.
PARTED = {
    "section must have code",  # no LOINC code that the catalogue has names visits, sources or adverse events
    "section may have emptyReason",  # nothing is known of allergies, and "no known allergies" would be invented
    "section must have entry",
    "section must have entry:allergyOrIntolerance",
    "section must have entry:problem",  # a section with suspected problems alone
    "section must have entry:procedure",
}


@pytest.fixture(scope="module")
def checker():
    if not PACKAGE.is_file():
        why = f"the package is not at {PACKAGE}; CASEFHIR_IPS names it"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return Checker(profiles=[PACKAGE, ROOT / "profiles"])


def errors(checker, data):
    report = checker.report()
    checker.check_bytes(data, report)
    return [each for each in report.findings if each.severity in ("error", "fatal")]


def test_its_examples_follow_its_profiles(checker):
    found = {}
    with tarfile.open(PACKAGE) as archive:
        names = [each for each in archive.getnames() if "/example/" in each and not each.endswith(".index.json")]
        for name in names:
            broken = {each.rule for each in errors(checker, archive.extractfile(name).read())}
            if broken:
                found[Path(name).name] = broken
    assert len(names) == 40
    assert found == DEFECTIVE


def test_a_dose_that_is_printed_and_coded_in_two_units_is_found_in_one_of_them(checker):
    report = checker.report()
    with tarfile.open(PACKAGE) as archive:
        checker.check_bytes(archive.extractfile("package/example/Medication-eumfh-39-07-1.json").read(), report)
    assert [each.rule for each in report.findings] == ["meaning.unit-text"]


@pytest.mark.parametrize("key", [each.case.key for each in library.list_cases()])
def test_our_documents_part_from_it_where_the_sources_say_nothing(checker, key):
    document = exactjson.read(exactjson.write(library.convert(key, form="document").bundle))
    assert {each.rule for each in errors(checker, exactjson.write(document))} == set()
    composition = document["entry"][0]["resource"]
    composition["meta"] = {"profile": [IPS + "Composition-uv-ips"]}
    found = errors(checker, exactjson.write(document))
    assert found
    parted = {each.message.partition(" at least")[0].partition(" 0 times")[0] for each in found}
    assert parted <= PARTED
