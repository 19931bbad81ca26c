"""Hostile input ends: strings that make patterns backtrack, many of everything, long keys and lines.

A case that does not end is what fails here; sizes are such that one that grows with the square takes minutes.
"""

import io
import json
import zipfile
from pathlib import Path

import pytest

from casefhir.conformance.api import Checker
from casefhir.conformance.pieces import from_stream
from casefhir.conformance.reader import read
from tests.conformance.builders import DIV, observation, patient, urn
from tests.thorough import of

CHECKER = Checker()
SUITE = zipfile.ZipFile(Path(__file__).with_name("json_test_suite.zip"))
NAMES = sorted(name for name in SUITE.namelist() if name.endswith(".json"))
LONG = of(50_000)
KILLERS = (
    *(
        "a",
        " ",
        "a ",
        "1",
        "1.",
        "-a",
        "a=b;",
        ";a=  ",
        "{",
        "}",
        "{a}",
        "(",
        "(a",
        "[",
        "|",
        "a|",
        "\\",
        '"',
        "'",
        "`",
    ),
    *(
        "<",
        "<a>",
        "&amp;",
        "&",
        "http://a/",
        "Patient/1",
        "Ab/1/",
        ".0",
        "e-1",
        "a.",
        "not ",
        "-",
        "+",
        "1+1",
        "%a",
        "@2",
    ),
    *("é", "\n", "$this.", "/*", "m.", "10*", "a-", "x-", "; canonicalization="),
)


def checked(resource):
    report = CHECKER.report()
    CHECKER.check_bytes(resource if isinstance(resource, bytes) else json.dumps(resource).encode(), report)
    return report


def everywhere(text):
    """Resources that hold `text` wherever something is asked of a string."""
    systems = ("http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org", "urn:ietf:bcp:47", text)
    quantity = {"value": 1, "unit": text, "system": "http://unitsofmeasure.org", "code": text}
    yield observation(
        code={"coding": [{"system": each, "code": text, "display": text} for each in systems], "text": text},
        id=text,
        subject={"reference": text, "type": text},
        effectiveDateTime=text,
        issued=text,
        valueQuantity=quantity,
        language=text,
        implicitRules=text,
        meta={"profile": [text], "versionId": text, "source": text},
        text={"status": "generated", "div": DIV.replace("</div>", text + "</div>")},
        extension=[{"url": text, "valueString": text}],
    )
    yield patient(
        photo=[{"contentType": text, "data": text, "url": text, "hash": text}],
        identifier=[{"system": text, "value": text}, {"system": "urn:ietf:rfc:3986", "value": text}],
        birthDate=text,
        text={"status": "generated", "div": text},
    )
    signature = {"type": [{"code": "y"}], "when": text, "who": {"reference": text}, "data": text, "targetFormat": text}
    entry = {"fullUrl": text, "resource": observation(subject={"reference": text})}
    yield {"resourceType": "Bundle", "type": "collection", "entry": [entry], "signature": signature}
    yield {"resourceType": "SearchParameter", "url": text, "expression": text, "base": ["Patient"], "type": "string"}
    element = {
        "id": text,
        "path": text,
        "constraint": [{"key": "x", "severity": "error", "human": "x", "expression": text}],
        "slicing": {"rules": "open", "discriminator": [{"type": "value", "path": text}]},
        "binding": {"strength": "required", "valueSet": text},
    }
    yield {
        "resourceType": "StructureDefinition",
        "url": text,
        "type": "Patient",
        "derivation": "constraint",
        "context": [{"type": "fhirpath", "expression": text}],
        "contextInvariant": [text],
        "differential": {"element": [element]},
    }
    regex = "http://hl7.org/fhir/StructureDefinition/regex"
    item = {"linkId": "a", "type": "string", "text": text, "extension": [{"url": regex, "valueString": "(a+)+$"}]}
    asked = {"resourceType": "Questionnaire", "id": "q", "status": "active", "item": [item]}
    yield asked
    yield {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "#q",
        "contained": [asked],
        "item": [{"linkId": "a", "answer": [{"valueString": text}]}],
    }
    yield {
        "resourceType": "ValueSet",
        "url": text,
        "compose": {"include": [{"system": text, "concept": [{"code": text}]}]},
    }
    yield {"resourceType": "CapabilityStatement", "url": text, "date": text, "format": [text], "patchFormat": [text]}


@pytest.mark.examples
@pytest.mark.parametrize("unit", KILLERS)
def test_every_check_of_a_string_ends(unit):
    for resource in everywhere(unit * (LONG // len(unit))):
        checked(resource)


def many(count):
    numbered = range(count)
    entries = [{"fullUrl": urn(each), "resource": observation(subject={"reference": urn(count)})} for each in numbered]
    same = [{"fullUrl": urn(1), "resource": observation(id="1", subject={"reference": urn(1)})} for _ in numbered]
    inside = [observation(id=f"o{each}") for each in numbered]
    yield {"resourceType": "Bundle", "type": "collection", "entry": entries}
    yield {"resourceType": "Bundle", "type": "collection", "entry": same}
    yield observation(contained=inside, hasMember=[{"reference": f"#o{each}"} for each in numbered])
    yield observation(extension=[{"url": f"http://x.test/{each}", "valueString": "x"} for each in numbered])
    yield observation(code={"coding": [{"system": f"http://x.test/{each}", "code": "a"} for each in numbered]})
    yield observation(**{f"k{each}": 1 for each in numbered})
    yield patient(name=[{"x": 1} for _ in numbered])
    links = "".join(f'<a href="#a{each}" id="a{each}">x</a>' for each in numbered)
    yield patient(text={"status": "generated", "div": DIV.replace("</div>", links + "</div>")})
    items = [{"linkId": str(each), "type": "string", "text": "x"} for each in numbered]
    yield {"resourceType": "Questionnaire", "status": "active", "item": items}
    concepts = [{"code": f"c{each}"} for each in numbered]
    yield {"resourceType": "CodeSystem", "status": "active", "content": "complete", "concept": concepts}


@pytest.mark.examples
@pytest.mark.parametrize("number", range(10))
def test_many_of_anything_end(number):
    checked(list(many(of(2_000)))[number])


@pytest.mark.parametrize(
    "data",
    [
        b'{"resourceType": "Patient", "' + b"k" * 5_000_000 + b'": 1}',
        b'{"resourceType": "' + b"k" * 5_000_000 + b'"}',
        b'{"resourceType": "Patient", "a": [' + b"1" * 4_000 + b", 1" * 500_000 + b", NaN]}",
        b'{"resourceType": "Patient", "a": [' + b",".join([b"1" * 4_000] * 500) + b", NaN]}",
        b'{"resourceType": "Patient", "a": 1e9999999999999999999}',
        b'{"resourceType": "Patient", "extension": ' + b'[{"extension":' * 50_000,
        b'{"a": "' + b'\\"' * 2_000_000,
        b'{"a": "' + b"\\\\" * 2_000_000 + b'"}',
    ],
)
def test_long_keys_numbers_and_nesting_end(data):
    assert checked(data).findings


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(monkeypatch):
    monkeypatch.setattr("casefhir.conformance.pieces.bounded_lines.__defaults__", (1_000,))
    monkeypatch.setattr("casefhir.conformance.reader.SIZE", 1_000)
    good = json.dumps(patient()).encode()
    data = b"\n".join([good, b'{"a": "' + b"x" * 5_000_000 + b'"}', good, b'{"resourceType": "Patient", "gender": 1}'])
    report = CHECKER.report()
    for piece in from_stream(io.BytesIO(data), "x"):
        CHECKER.check_piece(piece, report)
    assert report.resources == 4
    assert [(each.rule, each.line) for each in report.findings if each.severity == "fatal"] == [("json.size", 2)]
    wrong = next(each for each in report.findings if each.severity == "error")
    assert (wrong.line, data[wrong.offset :]) == (4, b"1}")


def test_too_many_values_are_refused():
    (fault,) = read(b"[" + b"1," * 10_000_001 + b"1]")[1]
    assert (fault.severity, fault.rule) == ("fatal", "json.size")


@pytest.mark.parametrize("name", NAMES)
def test_the_json_test_suite_is_agreed_with(name):
    """nst/JSONTestSuite: y must be read, n must be refused, i may be either; none may break anything."""
    data = SUITE.read(name)
    refused = any(each.severity in ("fatal", "error") for each in read(data)[1])
    kind = Path(name).name[0]
    if kind == "y" and "duplicated_key" not in name:
        assert not refused
    if kind == "n":
        assert refused
    checked(data)
