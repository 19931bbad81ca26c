"""The fast path: its yes is never wrong, and it says yes to what cases are made of."""

import random
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from casefhir.conformance import validate
from casefhir.conformance.api import Checker
from casefhir.conformance.fast import loads
from casefhir.conformance.findings import Report
from casefhir.conformance.reader import read
from casefhir.conformance.validator import Validator
from tests.conformance.builders import DIV, TEXT, bundle, coded, condition, observation, patient, urn
from tests.conformance.minimal import cases

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]

import mutate_resources  # noqa: E402
import validate as bench  # noqa: E402

VALIDATOR = Validator()
UCUM = "http://unitsofmeasure.org"


def slow(resource):
    report = Report()
    VALIDATOR.check_slowly(resource, report)
    return report


def strength(value, **more):
    quantity = {"value": value, "unit": "U/L", "system": UCUM, "code": "U/L"}
    return observation(subject={"reference": urn(0)}, valueQuantity=quantity, **more)


CORE = "http://hl7.org/fhir/StructureDefinition/"
RELATIVE = {
    "url": CORE + "relative-date",
    "extension": [
        {"url": "event", "valueReference": {"reference": "Encounter/1"}},
        {"url": "relationship", "valueCode": "after"},
        {"url": "offset", "valueDuration": {"value": 3, "unit": "months", "system": UCUM, "code": "mo"}},
    ],
}
WORDS = {"url": CORE + "originalText", "valueString": "three months later"}
TRACED = observation(effectiveDateTime=None, _effectiveDateTime={"extension": [WORDS, RELATIVE]}, extension=[WORDS])

VALID = [
    TRACED,
    patient(birthDate="1970-05-01", name=[{"family": "x"}]),
    condition(onsetDateTime="2008"),
    strength(3, code=coded("http://loinc.org", "2157-6")),
    bundle(patient(), strength(1), strength(2)),
    {"resourceType": "Organization", "text": {"status": "generated", "div": DIV}, "name": "x"},
]


@pytest.mark.parametrize("resource", VALID)
def test_it_says_yes_to_plain_valid_resources(resource):
    assert VALIDATOR.fast.accepts(resource) is not None


def served(*resources):
    base = "http://x.test/fhir"
    entries = [{"fullUrl": f"{base}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_it_resolves_relative_references_in_a_bundle():
    subject = {"reference": "Patient/1"}
    assert VALIDATOR.fast.accepts(served(patient(id="1"), observation(id="2", subject=subject))) is not None
    assert VALIDATOR.fast.accepts(served(patient(id="3"), observation(id="2", subject=subject))) is None
    twice = bundle(patient(id="1"), patient(id="1"), observation(subject=subject))
    assert VALIDATOR.fast.accepts(twice) is None
    assert "references.ambiguous" in {each.rule for each in slow(twice).findings}


def test_it_says_yes_to_the_work_of_the_benchmark():
    assert VALIDATOR.fast.accepts(orjson.loads(bench.bundle(0))) is not None


@pytest.mark.parametrize("seed", range(5))
def test_its_yes_is_never_wrong(seed):
    examples = [*VALID, *(entry["resource"] for entry in orjson.loads(bench.bundle(seed))["entry"][:6])]
    examples += [{key: each for key, each in one.items() if key != "text"} for one in examples]
    for _, mutant in mutate_resources.mutants(seed, 300, examples):
        trip = VALIDATOR.fast.accepts(mutant)
        if trip is not None:
            fast = Report()
            VALIDATOR.note(trip, mutant, fast)
            report = slow(mutant)
            assert fast.findings == report.findings
            assert report.unchecked == fast.unchecked == dict(Counter(trip.unchecked))


@pytest.mark.parametrize("layers", [None, {"structure"}])
def test_a_missing_narrative_is_told_as_the_slow_path_tells_it(layers):
    data = orjson.loads(bench.bundle(0))
    for entry in data["entry"][::3]:
        del entry["resource"]["text"]
    text = orjson.dumps(data, option=orjson.OPT_INDENT_2)
    checker = Checker(layers=layers)
    assert checker.validator.quick(*loads(text)) is not None
    one, other = checker.report(), checker.report()
    checker.check_bytes(text, one, file="x", first_line=7, first_byte=70)
    checker.validator.fast = None
    checker.check_bytes(text, other, file="x", first_line=7, first_byte=70)
    assert one == other
    assert one.counts["warning"] == (0 if layers else 10)


@pytest.mark.parametrize("seed", range(3))
def test_its_yes_is_never_wrong_for_any_type_and_no_mutant_stops_the_slow_path(seed):
    valid = [case.kept for case in cases()]
    for _, mutant in mutate_resources.mutants(seed, 300, valid):
        report = slow(mutant)
        trip = VALIDATOR.fast.accepts(mutant)
        if trip is not None:
            fast = Report()
            VALIDATOR.note(trip, mutant, fast)
            assert fast.findings == report.findings


@pytest.mark.parametrize(
    "data",
    [
        b'{"resourceType":"Patient","id":"x\\u0022:","active":true,"active":true}',
        b'{"a":NaN}',
        b'{"a":1}{"b":2}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\\ud800"}',
        b"{",
    ],
)
def test_bytes_that_hide_something_are_left_to_the_slow_reader(data):
    assert loads(data) is None


@pytest.mark.parametrize("between", ["", " ", "\n"])
@pytest.mark.parametrize("text", ["x", '\\":', "\\\\", 'a\\\\\\":b'])
def test_a_repeated_key_is_found_whatever_stands_around_it(between, text):
    head = f'{{"resourceType"{between}:"Patient","text":{orjson.dumps(TEXT).decode()},"language":"en"'
    name = f',"name":[{{"text":"{text}"}}]'
    assert not validate(f"{head}{name}}}".encode()).findings
    twice = validate(f'{head},"active":true{name},"active":false}}'.encode())
    assert [each.rule for each in twice.findings] == ["json.duplicate-key"]


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b'{"a":1e-400}', True),
        (b'{"a": [1.5E-0999 ]}', True),
        (b'{"a":1e-99}', False),
        (b'{"a":"urn:uuid:0123456e-4123-4abe-123a-000000000000"}', False),
    ],
)
def test_numbers_too_small_for_binary_are_left_to_the_slow_reader_and_uuids_are_none(data, whole):
    assert (loads(data) is None) is whole


def test_white_space_before_a_colon_hides_no_repeated_key():
    data = b'{"resourceType" :"Patient","text":%s,"active"\n:true,"active":false}' % orjson.dumps(TEXT)
    assert [each.rule for each in validate(data).findings] == ["json.duplicate-key"]


def test_bytes_it_reads_are_what_the_slow_reader_reads():
    chance = random.Random(1)
    for number in range(20):
        data = bench.bundle(number)
        value, faults = read(data)
        fast = loads(data)
        assert faults == []
        assert fast is not None
        assert fast[0] == orjson.loads(data)
        assert len(value["entry"]) == len(fast[0]["entry"])
        assert VALIDATOR.fast.accepts(*fast) is not None
        broken = bytearray(data)
        broken[chance.randrange(len(broken))] = 0
        assert loads(bytes(broken)) is None
