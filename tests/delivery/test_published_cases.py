"""The six published cases on a real HAPI server: taken in one transaction each, and given back equal."""

import copy
from decimal import Decimal
from typing import Any

import httpx
import pytest

from casefhir import exactjson, library, upload
from casefhir.delivery.cases import references as references_of

from .conftest import PATIENCE, Hapi

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
    reply = httpx.post(hapi.base, content=conversion.to_json(), headers=headers, timeout=PATIENCE)
    assert reply.status_code == 200, reply.text[:2000]
    assert {entry["response"]["status"][:3] for entry in reply.json()["entry"]} == {"201"}
    for resource in conversion.resources:
        stored = httpx.get(f"{hapi.base}/{resource['resourceType']}/{resource['id']}", timeout=PATIENCE)
        assert b"urn:uuid" not in stored.content
        assert comparable(exactjson.read(stored.content)) == comparable(copy.deepcopy(resource))


@pytest.mark.parametrize("strategy", ["put", "conditional"])
def test_all_six_three_times_are_there_once_as_sent_and_at_the_same_version(hapi: Hapi, strategy: str) -> None:
    conversions = [library.convert(path) for path in CASES]
    resources = [resource for each in conversions for resource in each.resources]
    kinds = tuple({resource["resourceType"] for resource in resources})
    receipt = upload([each.bundle for each in conversions], hapi.base, strategy=strategy, verify=True)
    assert receipt.by_state == {"done": 6}
    assert (receipt.created, receipt.updated) == (len(resources), 0)
    before = hapi.state(kinds)
    assert len(before) == len(resources)
    for _ in range(2):
        again = upload([each.bundle for each in conversions], hapi.base, strategy=strategy)
        assert (again.created, again.updated, again.unchanged) == (0, 0, len(resources))
    assert hapi.state(kinds) == before
    references = [row["reference"] for resource in before.values() for row in references_of(resource)]
    assert references
    assert not [each for each in references if each.startswith("urn:")]
