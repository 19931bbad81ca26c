"""Definitions from FHIR packages (.tgz), files and folders; what cannot be read is said, whatever is wrong with it."""

import contextlib
import io
import json
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from casefhir.conformance import validate
from casefhir.conformance.findings import Report
from casefhir.conformance.output import summary
from casefhir.conformance.packages import UnreadablePackage, load
from casefhir.conformance.validator import Validator
from tests.conformance.builders import patient

URL = "https://example.org/fhir/StructureDefinition/named"
NAMED = {
    "resourceType": "StructureDefinition",
    "url": URL,
    "name": "Named",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1, "mustSupport": True}]},
}


def package(path, **members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name.replace("__", "/") + ".json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_a_profile_of_a_package_is_followed(tmp_path):
    given_package = package(tmp_path / "x.tgz", package__named=NAMED, package__package={"name": "x"}, other__x=b"{")
    bare = validate(patient(name=None), profiles=[given_package], profile=URL)
    assert {each.rule for each in bare.findings} == {"profiles.missing"}
    assert not validate(patient(name=[{"family": "x"}]), profiles=[given_package], profile=URL).findings
    assert not validate(patient(name=[{"family": "x"}]), profiles=[tmp_path], profile=URL).findings


def test_of_several_versions_the_one_that_is_named_is_followed_else_the_newest():
    def version(number, element):
        differential = {"element": [{"id": f"Patient.{element}", "path": f"Patient.{element}", "min": 1}]}
        return NAMED | {"version": number, "differential": differential}

    def missing(canonical):
        report = Report()
        Validator(own).check(patient(meta={"profile": [canonical]}), report)
        return [each.message.split()[3] for each in report.findings]

    own = [
        version(number, name) for number, name in (("1.2.0", "name"), ("1.10.0", "photo"), ("1.10.0-ballot", "link"))
    ]
    assert missing(URL) == missing(URL + "|1.10") == ["photo"]
    assert missing(URL + "|1.2.0") == missing(URL + "|1.2") == ["name"]
    report = Report()
    Validator(own).check(patient(meta={"profile": [URL + "|2"]}), report)
    assert [each.rule for each in report.findings] == ["profiles.unknown"]
    assert "at hand: 1.2.0, 1.10.0, 1.10.0-ballot" in report.findings[0].message


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"a": 1e99999999999999999999}'])
def test_a_member_that_is_no_json_is_named(tmp_path, content):
    with pytest.raises(UnreadablePackage, match=r"x\.tgz!package/broken\.json"):
        load([package(tmp_path / "x.tgz", package__broken=content)])


@pytest.mark.parametrize("entry", [7, None, "x", [7], [{"resource": 7}], [{"resource": {"resourceType": "ValueSet"}}]])
def test_a_bundle_without_definitions_gives_none(tmp_path, entry):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entry}), encoding="utf-8")
    with pytest.raises(UnreadablePackage, match="none of"):
        load([path])
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": NAMED}]}), encoding="utf-8")
    assert load([path]) == [NAMED]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cut=some.integers(0, 400), flipped=some.integers(0, 400))
def test_a_damaged_package_is_refused_or_read(tmp_path, cut, flipped):
    path = package(tmp_path / "x.tgz", package__named=NAMED)
    data = bytearray(path.read_bytes())
    data[flipped % len(data)] ^= 0xFF
    path.write_bytes(data[: len(data) - cut])
    with contextlib.suppress(UnreadablePackage):
        assert all(isinstance(each, dict) for each in load([path]))


def test_must_support_elements_are_listed_with_how_often_they_are_given(tmp_path):
    profile = json.loads(json.dumps(NAMED))
    profile["differential"]["element"] += [
        {"id": "Patient.name.family", "path": "Patient.name.family", "mustSupport": True},
        {"id": "Patient.birthDate", "path": "Patient.birthDate", "mustSupport": True},
        {"id": "Patient.gender", "path": "Patient.gender"},
    ]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(profile), encoding="utf-8")
    people = [
        patient(name=[{"family": "x"}, {"text": "y"}]),
        patient(name=[{"family": "x"}], meta={"profile": [URL]}, birthDate="1970"),
    ]
    report = validate(people, profiles=[path], profile=URL, layers={"structure", "profiles"})
    listed = report.must_support[URL]
    assert listed == {"Patient.name": (2, 2), "Patient.name.family": (2, 3), "Patient.birthDate": (1, 2)}
    assert summary(report)["must_support"][URL]["Patient.name"] == {"given": 2, "of": 2}
    assert not validate(people[0]).must_support


def test_a_profile_that_is_asked_for_and_claimed_is_followed_once(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(NAMED), encoding="utf-8")
    (one,) = validate(patient(meta={"profile": [URL]}), profiles=[path], profile=URL).findings
    assert one.rule == "profiles.missing"
