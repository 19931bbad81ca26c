"""A case as a whole: ids, references, forms, and narratives that stay text."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir import exactjson
from casefhir.fhir import Origin, convert
from casefhir.fhir.models import models
from casefhir.fhir.narrative import div
from casefhir.record import Measurement, Problem

from .samples import HERE, LATER, case

FACTS = (
    Problem("dm", "dermatomyositis", HERE, status="active", evidence=("ck",)),
    Measurement("ck", "ck", "4.0 UI/l", HERE, when=LATER),
    Measurement("crp", "crp", "22.70 mg/l", HERE),
)


def references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [each for part in value.values() for each in references(part)]
    if isinstance(value, list):
        return [each for part in value for each in references(part)]
    return []


def test_ids_depend_on_the_fact_alone() -> None:
    one, two = convert(case(*FACTS)), convert(case(*reversed(FACTS[1:])))
    ids = {each["meta"]["tag"][2]["code"]: each["id"] for each in one.resources}
    for resource in two.resources:
        assert ids[resource["meta"]["tag"][2]["code"]] == resource["id"]


@pytest.mark.parametrize("form", ["transaction", "collection", "document"])
def test_every_reference_of_a_bundle_resolves_in_it(form: str) -> None:
    bundle = convert(case(*FACTS), form=form).bundle  # type: ignore[arg-type]
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    local = {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in bundle["entry"]}
    assert set(references(bundle)) <= urls | local


def test_a_transaction_puts_every_resource_at_its_own_id() -> None:
    for entry in convert(case(*FACTS)).bundle["entry"]:
        resource = entry["resource"]
        assert entry["request"] == {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
        assert entry["fullUrl"] == f"urn:uuid:{resource['id']}"


def test_extensions_of_primitives_hold_no_urns_in_a_transaction() -> None:
    def within_primitives(value: object, inside: bool = False) -> list[str]:
        if isinstance(value, dict):
            own = [value["reference"]] if inside and isinstance(value.get("reference"), str) else []
            return own + [
                x for key, part in value.items() for x in within_primitives(part, inside or key.startswith("_"))
            ]
        if isinstance(value, list):
            return [x for part in value for x in within_primitives(part, inside)]
        return []

    found = within_primitives(convert(case(*FACTS)).bundle)
    assert found
    assert not [each for each in found if each.startswith("urn:")]


def test_as_ndjson_all_references_are_relative() -> None:
    files = convert(case(*FACTS), form="ndjson").to_ndjson()
    assert set(files) >= {"Patient.ndjson", "Observation.ndjson", "Provenance.ndjson"}
    for data in files.values():
        for line in data.splitlines():
            assert not [each for each in references(json.loads(line)) if each.startswith("urn:")]


def test_facts_can_be_attached_to_a_patient_that_exists() -> None:
    conversion = convert(case(*FACTS), subject="Patient/123")
    assert "Patient" not in conversion.counts
    observation = next(each for each in conversion.resources if each["resourceType"] == "Observation")
    assert observation["subject"] == {"reference": "Patient/123"}


def test_digits_survive_to_the_bytes() -> None:
    data = convert(case(*FACTS)).to_json()
    assert b'"value": 4.0,' in data
    assert b'"value": 22.70,' in data


def test_the_index_leads_from_a_resource_to_the_line_it_comes_from() -> None:
    conversion = convert(case(*FACTS), Origin("sample.py", "00" * 32, {"ck": 12}))
    observation = next(each for each in conversion.resources if each["meta"]["tag"][2]["code"].endswith("/ck"))
    assert conversion.index[observation["id"]] == {
        "resource": "Observation", "fact": "ck", "mapping": "sample.py", "line": 12,
    }  # fmt: skip


def test_the_provenance_targets_all_and_names_the_mapping() -> None:
    conversion = convert(case(*FACTS), Origin("sample.py", "00" * 32))
    provenance = conversion.resources[-1]
    assert len(provenance["target"]) == len(conversion.resources) - 1
    assert provenance["entity"][1]["what"]["display"] == "mapping module sample.py"


def test_the_document_starts_with_a_composition_that_reaches_every_entry() -> None:
    bundle = convert(case(*FACTS), form="document").bundle
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    seen: set[str] = set()
    waiting = references(composition)
    while waiting:
        url = waiting.pop()
        if url in by_url and url not in seen:
            seen.add(url)
            waiting += references(by_url[url])
    unreached = {by_url[url]["resourceType"] for url in set(by_url) - seen}
    assert unreached <= {"Composition", "Provenance"}


def test_the_typed_view_is_fhir_resources() -> None:
    found = models(convert(case(*FACTS)).to_json())
    assert len(found.entry) == len(convert(case(*FACTS)).resources)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_narratives_keep_any_text_as_text(text: str) -> None:
    parser = _Tags()
    parser.feed(div(text))
    parser.close()
    assert parser.tags == ["div", "p"]
    assert parser.text == text


def test_the_output_is_read_back_as_it_was() -> None:
    conversion = convert(case(*FACTS))
    assert exactjson.read(conversion.to_json()) == conversion.bundle
