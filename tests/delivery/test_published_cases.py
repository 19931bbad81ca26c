"""The six published cases on a real HAPI server: taken in one transaction each, and given back equal."""

import copy
from decimal import Decimal
from typing import Any

import httpx
import pytest

from casefhir import exactjson, library, upload

from .conftest import Hapi

pytestmark = pytest.mark.java
CASES = library.published_mappings()
# what HAPI writes into meta itself
OF_THE_SERVER = ("versionId", "lastUpdated", "source")


def comparable(value: Any) -> Any:
    """A resource without what the server adds, references without their form, numbers by value and digits."""
    if isinstance(value, dict):
        found = {key: comparable(part) for key, part in value.items() if key not in OF_THE_SERVER}
        if isinstance(found.get("reference"), str):
            found["reference"] = found["reference"].replace("urn:uuid:", "").rsplit("/", 1)[-1]
        return found
    if isinstance(value, list):
        return [comparable(part) for part in value]
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_one_transaction_is_taken_and_given_back_equal(path: Any, hapi: Hapi) -> None:
    conversion = library.convert(path)
    headers = {"Content-Type": "application/fhir+json"}
    reply = httpx.post(hapi.base, content=conversion.to_json(), headers=headers, timeout=300)
    assert reply.status_code == 200, reply.text[:2000]
    assert {entry["response"]["status"][:3] for entry in reply.json()["entry"]} == {"201"}
    for resource in conversion.resources:
        stored = httpx.get(f"{hapi.base}/{resource['resourceType']}/{resource['id']}", timeout=60)
        assert b"urn:uuid" not in stored.content
        assert comparable(exactjson.read(stored.content)) == comparable(copy.deepcopy(resource))


def test_upload_brings_all_six_and_verifies_them(hapi: Hapi) -> None:
    conversions = [library.convert(path) for path in CASES]
    receipt = upload([each.bundle for each in conversions], hapi.base, verify=True)
    assert receipt.ok
    assert receipt.created == sum(len(each.resources) for each in conversions)
    again = upload([each.bundle for each in conversions], hapi.base)
    assert (again.created, again.updated) == (0, 0)
