"""The fact behind a finding, from the index beside a bundle; files of others do no harm."""

import json

import pytest

from casefhir.conformance import validate
from casefhir.conformance.origins import origin_of

ENTRY = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001"}
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "bananas"}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [ENTRY | {"resource": PATIENT}]}


def origins(tmp_path, bundle, index):
    path = tmp_path / "a.json"
    path.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle), encoding="utf-8")
    (tmp_path / "index").mkdir(exist_ok=True)
    (tmp_path / "index" / "a.json").write_text(index, encoding="utf-8")
    return {str(each) for each in map(origin_of, validate(path).findings) if each is not None}


def test_a_finding_leads_to_fact_mapping_and_line(tmp_path):
    index = {"p1": {"fact": "patient", "mapping": "case.py", "line": 7}}
    assert origins(tmp_path, BUNDLE, json.dumps(index)) == {"case.py:7: patient"}
    index["p1"]["line"] = 8
    assert origins(tmp_path, BUNDLE, json.dumps(index)) == {"case.py:8: patient"}


@pytest.mark.parametrize("index", ["", "[]", "{", "7", '{"p1": 7}', '{"p1": {}}', '{"other": {"fact": "x"}}'])
def test_an_index_that_says_nothing_is_no_index(tmp_path, index):
    assert origins(tmp_path, BUNDLE, index) == set()


@pytest.mark.parametrize("entry", [7, [7], [{"resource": 7}], [{"resource": {"id": []}}], [None]])
def test_a_broken_bundle_has_findings_and_no_origins(tmp_path, entry):
    assert origins(tmp_path, BUNDLE | {"entry": entry}, '{"p1": {"fact": "x"}}') == set()


def test_a_repeated_key_hides_no_origin(tmp_path):
    text = json.dumps(BUNDLE).replace('"id": "p1"', '"id": "p1", "active": true, "active": true')
    assert origins(tmp_path, text, '{"p1": {"fact": "patient", "mapping": "case.py", "line": 7}}') == {
        "case.py:7: patient"
    }
