"""Layer references: targets, resolution in the Bundle, and a Bundle's rules in prose."""

import pytest

from tests.conformance.builders import TEXT, bundle, changed, errors, found, observation, patient, rules, urn


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ({"reference": "Medication/1"}, "references.target-type"),
        ({"reference": "http://x.test/fhir/Medication/1"}, "references.target-type"),
        ({"reference": "Patient/1", "type": "Group"}, "references.type"),
        ({"reference": "Patient/1", "type": "Bananas"}, "references.type"),
        ({"type": "Medication", "display": "x"}, "references.target-type"),
        ({"reference": "#x"}, "ref-1"),
    ],
)
def test_a_reference_to_the_wrong_type_is_an_error(subject, rule):
    assert rule in errors(observation(subject=subject))


@pytest.mark.parametrize(
    "text", ["Patient/1", "Patient/1/_history/2", "http://x.test/fhir/Patient/1", urn(1), "Patient?identifier=x|1"]
)
def test_the_forms_of_a_reference_are_valid(text):
    assert found(observation(subject={"reference": text})) == []


def test_a_dangling_urn_in_a_bundle_is_an_error():
    assert "references.dangling" in errors(bundle(patient(), observation(subject={"reference": urn(7)})))


def test_a_urn_that_an_entry_has_resolves_and_its_type_is_checked():
    assert found(bundle(patient(), observation(subject={"reference": urn(0)}))) == []
    assert "references.target-type" in errors(bundle(observation(), observation(subject={"reference": urn(0)})))


def test_a_relative_reference_resolves_against_the_entry_s_url():
    entries = [
        {"fullUrl": "http://x.test/fhir/Patient/1", "resource": patient(id="1")},
        {"fullUrl": "http://x.test/fhir/Observation/2", "resource": observation(id="2")},
    ]
    assert found({"resourceType": "Bundle", "type": "collection", "entry": entries}) == []


def test_a_reference_that_two_entries_answer_is_an_error():
    versions = [patient(meta={"versionId": each}) for each in "12"]
    twice = bundle(*versions, observation(subject={"reference": urn(0)}))
    twice["entry"][1]["fullUrl"] = urn(0)
    assert "references.ambiguous" in errors(twice)


def test_an_entry_s_url_ends_in_its_id():
    one = {"fullUrl": "http://x.test/fhir/Patient/1", "resource": patient(id="2")}
    assert "references.full-url" in errors({"resourceType": "Bundle", "type": "collection", "entry": [one]})


def test_an_entry_without_url_is_an_error_except_in_transactions():
    collected = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]}
    assert "references.full-url" in errors(collected)
    posted = {"resource": patient(), "request": {"method": "POST", "url": "Patient"}}
    assert errors({"resourceType": "Bundle", "type": "transaction", "entry": [posted]}) == set()


def document(*more):
    composition = {
        "resourceType": "Composition",
        "text": TEXT,
        "status": "final",
        "type": {"text": "case report"},
        "subject": {"reference": urn(1)},
        "date": "2012",
        "author": [{"display": "authors"}],
        "title": "Case",
    }
    whole = bundle(composition, patient(), *more, type="document")
    return whole | {"identifier": {"system": "urn:ietf:rfc:3986", "value": urn(9)}, "timestamp": "2012-01-01T00:00:00Z"}


def test_a_document_is_complete_and_starts_with_its_composition():
    assert found(document()) == []
    assert "bdl-11" in errors(bundle(patient(), type="document"))
    assert "bdl-10" in errors(changed(document(), {"timestamp": None}))


def test_an_entry_that_only_refers_is_a_warning_in_a_document_and_one_without_any_link_an_error():
    refers = document(observation(subject={"reference": urn(1)}))
    assert "references.unreachable" in rules(refers) - errors(refers)
    assert "references.unreachable" in errors(document(patient()))


def test_what_a_search_says_of_itself_is_an_operation_outcome():
    def search(mode, **resource):
        entry = {"fullUrl": "http://x.test/fhir/Patient/1", "resource": resource, "search": {"mode": mode}}
        return {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}

    assert "references.search-outcome" in errors(search("outcome", **patient(id="1")))
    assert errors(search("match", **patient(id="1"))) == set()


@pytest.mark.parametrize("kind", ["http://x.test/LogicalModel", "Medication", "urn:oid:2.16.840.1.113883.6.1"])
@pytest.mark.parametrize("said", [{"identifier": {"value": "1"}}, {"reference": "Patient/1"}])
def test_the_type_of_a_reference_is_one_of_its_targets(kind, said):
    assert errors(observation(subject={**said, "type": kind})) & {"references.target-type", "references.type"}


def test_a_document_carries_what_it_refers_to():
    assert "references.dangling" in errors(document(observation(subject={"reference": "Patient/elsewhere"})))
