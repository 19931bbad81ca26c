"""Layer terminology: bindings, known code systems, units and check digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casefhir.conformance import validate
from casefhir.conformance.definitions import Definitions
from casefhir.conformance.units import COMMON, unit_fault
from casefhir.conformance.vocabulary import Vocabulary
from casefhir.terms.check_digits import loinc_fault, snomed_fault
from tests.conformance.builders import coded, condition, errors, observation, patient, rules

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        (observation(status="bananas"), "terminology.required-binding"),
        (condition(clinicalStatus=coded(CLINICAL, "bananas")), "terminology.required-binding"),
        (condition(clinicalStatus=coded("http://foo.test", "active")), "terminology.required-binding"),
        (condition(clinicalStatus={"coding": [{"code": "active"}]}), "terminology.required-binding"),
        (condition(clinicalStatus={"text": "active"}), "terminology.required-binding"),
        (
            observation(code=coded("http://terminology.hl7.org/CodeSystem/observation-category", "bananas")),
            "terminology.unknown-code",
        ),
        (observation(code=coded("urn:iso:std:iso:3166", "Finland")), "terminology.unknown-code"),
        (observation(code=coded("urn:ietf:bcp:47", "en_US")), "terminology.unknown-code"),
        (observation(code=coded("urn:iso:std:iso:4217", "euro")), "terminology.unknown-code"),
        (observation(valueQuantity={"value": 1, "system": UCUM, "code": "IU/L"}), "terminology.ucum"),
        (observation(valueQuantity={"value": 1, "system": UCUM, "code": "mg/24h"}), "terminology.ucum"),
        (observation(code=coded("http://loinc.org", "2157-7")), "terminology.loinc"),
        (observation(code=coded("http://snomed.info/sct", "396230009")), "terminology.snomed"),
        (observation(meta={"tag": [{"system": "tags", "code": "x"}]}), "terminology.relative-system"),
        (
            {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": 1, "currency": "BAN"}},
            "terminology.required-binding",
        ),
        (patient(language="b_a_d"), "terminology.required-binding"),
    ],
)
def test_a_wrong_code_is_an_error(resource, rule):
    assert rule in errors(resource)


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        (observation(interpretation=[{"text": "x"}]), "terminology.extensible-binding"),
        (observation(interpretation=[coded("http://foo.test", "x")]), "terminology.extensible-binding"),
        (observation(interpretation=[coded(INTERPRETATION, "H", display="Low")]), "terminology.display"),
        (observation(code={"coding": [{"code": "x"}]}), "terminology.no-system"),
    ],
)
def test_a_doubtful_code_is_a_warning(resource, rule):
    assert rule in rules(resource)
    assert rule not in errors(resource)


def test_one_coding_in_the_value_set_is_enough():
    both = {"coding": [{"system": "http://foo.test", "code": "x"}, {"system": CLINICAL, "code": "active"}]}
    assert rules(condition(clinicalStatus=both)) == set()


def test_codes_that_cannot_be_checked_are_counted_not_passed_over():
    report = validate(observation(code=coded("http://loinc.org", "2157-6")))
    assert report.findings == []
    assert report.unchecked == {"http://loinc.org": 1}


@given(some.integers(10, 9_999_999))
def test_a_loinc_number_has_one_check_digit(number):
    assert sum(loinc_fault(f"{number}-{digit}") is None for digit in range(10)) == 1


@pytest.mark.parametrize("code", ["2157-6", "29463-7", "8867-4", "LA6683-2", "LP173421-1"])
def test_real_loinc_codes_pass(code):
    assert loinc_fault(code) is None


@given(some.integers(10_000, 10**16))
def test_a_snomed_identifier_has_one_check_digit(number):
    assert sum(snomed_fault(f"{number}{digit}") is None for digit in range(10)) == 1


@pytest.mark.parametrize("code", ["396230008", "73211009", "73211009 |Diabetes|", "24700007:363698007=421060004"])
def test_real_snomed_codes_and_expressions_pass(code):
    assert snomed_fault(code) is None


def test_every_common_unit_is_in_the_grammar():
    parse = __import__("ucumvert").get_ucum_parser().parse
    for code in sorted(COMMON):
        parse(code)


@pytest.mark.parametrize("code", ["IU/L", "mmHg", "mg per m", "µg", "", " mg", "85353-1", "meq//L", "(mg"])
def test_what_is_not_ucum_is_told(code):
    assert unit_fault(code) is not None


def test_value_sets_that_filter_and_exclude_are_expanded():
    vocabulary = Vocabulary(Definitions())
    assert vocabulary.has("http://hl7.org/fhir/ValueSet/administrative-gender", None, "male") is True
    assert vocabulary.has("http://hl7.org/fhir/ValueSet/administrative-gender", None, "x") is False
    encounter = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert vocabulary.has("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", encounter, "AMB") is True
    assert vocabulary.has("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", encounter, "PAT") is False
    assert vocabulary.has("http://hl7.org/fhir/ValueSet/condition-code", "http://snomed.info/sct", "396230008") is None
