"""The International Patient Summary 1.1.0: its examples against its profiles, and our documents against its Bundle."""

import json
import os
import re
import subprocess
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
# The same of the entries, by profile: what the sources do not say is not invented.
ENTRIES = {
    "Condition-uv-ips": {"clinicalStatus"},  # most reports tell that somebody had it, not whether it is active
    "DiagnosticReport-uv-ips": {"category"},  # only a report whose kind the catalogue knows has one
    "MedicationStatement-uv-ips": {"effective"},  # a course without any date
    "Procedure-uv-ips": {"performed"},
    "Observation-results-laboratory-uv-ips": {
        "performer",  # three of the documents print no authors, and nobody else is told
        "ips-2",  # no value, for it is said that there is none (dataAbsentReason)
        "code",  # a unit that is not UCUM is printed only
        "system",
    },
    "Observation-results-radiology-uv-ips": {
        "performer",
        "ips-1",  # the day of an image is not printed
        "hasComponentifValueStringEmpty",  # findings are coded, the profile wants text or components
    },
}
UNPROFILED = {"Composition", "Device", "DocumentReference", "Encounter", "AdverseEvent", "Provenance"}


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
@pytest.mark.thorough
def test_our_documents_part_from_it_where_the_sources_say_nothing(checker, key):
    document = exactjson.read(exactjson.write(library.convert(key, form="document").bundle))
    assert {each.rule for each in errors(checker, exactjson.write(document))} == set()
    composition = document["entry"][0]["resource"]
    composition["meta"] = {"profile": [IPS + "Composition-uv-ips"]}
    found = errors(checker, exactjson.write(document))
    assert found
    parted = {each.message.partition(" at least")[0].partition(" 0 times")[0] for each in found}
    assert parted <= PARTED


def profile_of(resource):
    """The IPS profile that is meant for a resource of ours; None for what IPS has no result profile of."""
    name = resource["resourceType"]
    if name != "Observation":
        return None if name in UNPROFILED else f"{name}-uv-ips"
    codes = {coding["code"] for each in resource.get("category", ()) for coding in each.get("coding", ())}
    kind = {"laboratory": "laboratory", "imaging": "radiology"}
    return next((f"Observation-results-{kind[each]}-uv-ips" for each in sorted(codes & kind.keys())), None)


def claiming(key):
    """A document of ours whose entries claim the IPS profiles that are meant for them."""
    document = exactjson.read(exactjson.write(library.convert(key, form="document").bundle))
    for entry in document["entry"]:
        profile = profile_of(entry["resource"])
        if profile is not None:
            entry["resource"].setdefault("meta", {})["profile"] = [IPS + profile]
    return document


def place(text):
    """The entry and element of a finding's location."""
    match = re.match(r"Bundle\.entry\[(\d+)\]", text)
    return int(match[1])


@pytest.mark.parametrize("key", [each.case.key for each in library.list_cases()])
@pytest.mark.thorough
def test_our_entries_lack_of_its_profiles_what_the_sources_do_not_say(checker, key):
    document = claiming(key)
    for each in errors(checker, exactjson.write(document)):
        missing = re.match(r"\S+ must have (\S+) at least 1 times", each.message)
        what = missing[1] if missing else each.rule
        assert what in ENTRIES[profile_of(document["entry"][place(each.location)]["resource"])], each.message


@pytest.mark.java
def test_the_engine_refuses_the_same_entries(checker, tmp_path):
    documents = [claiming(each.case.key) for each in library.list_cases()]
    (tmp_path / "documents.ndjson").write_bytes(b"\n".join(map(exactjson.write, documents)) + b"\n")
    run = [
        ROOT / "tests/judge/run",
        "--level",
        "error",
        "--profiles",
        PACKAGE,
        "--profiles",
        ROOT / "profiles",
        tmp_path,
    ]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    issues = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert issues, done.stderr
    # it holds a member of a panel against what the member claims itself, though one of the target profiles is met
    theirs = {
        (each["line"], place(each["location"]))
        for each in issues
        if each["messageId"] != "Reference_REF_CantMatchChoice"
    }
    ours = {
        (number, place(each.location))
        for number, document in enumerate(documents, 1)
        for each in errors(checker, exactjson.write(document))
    }
    assert ours == theirs
