"""A server that is busy, drops connections, or loses its answers; several uploaders at once."""

import asyncio
from typing import Any

import httpx
import pytest

from casefhir.delivery import Settings, upload, upload_async
from casefhir.delivery.errors import NetworkError
from casefhir.delivery.retry import RetryPolicy

from .conftest import PATIENCE, Hapi
from .example import full_bundle, small_bundle

pytestmark = pytest.mark.java
TYPES = ("DocumentReference", "Patient", "Observation", "Condition", "MedicationStatement", "AdverseEvent",
         "Provenance")  # fmt: skip
# Three cases at once meet a fault in every second answer by chance: of 8 attempts all would fail once in 256 requests.
QUICK = RetryPolicy(attempts=40, base=0.05, cap=0.5)
STRATEGIES = ["put", "conditional"]


def facts(hapi: Hapi) -> list[str]:
    """The fact of every resource on the server: a double shows as the same fact twice."""
    return sorted(
        row["code"]
        for resource in hapi.state(TYPES).values()
        for row in resource["meta"]["tag"]
        if row["system"] == "https://w3id.org/casefhir/fact"
    )


def all_facts(keys: list[str]) -> list[str]:
    return sorted(
        row["code"]
        for key in keys
        for entry in small_bundle(key)["entry"]
        for row in entry["resource"]["meta"]["tag"]
        if row["system"] == "https://w3id.org/casefhir/fact"
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "503", "every": 3, "seconds": 0},
        {"fault": "429", "every": 2, "seconds": 0},
        {"fault": "502", "every": 3, "seconds": 0},
        {"fault": "drop", "every": 3},
        {"fault": "lost", "every": 2},
        {"fault": "lost", "every": 3},
    ],
    ids=lambda fault: f"{fault['fault']}-every-{fault['every']}",
)
def test_every_case_is_there_once_in_spite_of_the_fault(hapi: Hapi, strategy: str, fault: dict[str, Any]) -> None:
    keys = ["alpha", "beta", "gamma"]
    hapi.control(**fault)
    bundles = [small_bundle(key) for key in keys]
    receipt = upload(bundles, hapi.base, strategy=strategy, verify=True, retry=QUICK)
    hapi.control()
    assert receipt.by_state == {"done": 3}
    assert (receipt.created, receipt.updated, receipt.unchanged) == (27, 0, 0)
    assert facts(hapi) == all_facts(keys)


def test_retry_after_is_waited_for(hapi: Hapi) -> None:
    waits: list[str] = []
    hapi.control(fault="429", every=1, times=1, seconds=1)
    receipt = upload(
        small_bundle("alpha"),
        hapi.base,
        retry=RetryPolicy(base=0.0),
        on_progress=lambda told: waits.append(told.note) if told.kind == "wait" else None,
    )
    assert receipt.ok
    assert waits == [f"{hapi.base} answered 429. Waiting 1.0 s."]


def test_a_longer_wait_than_allowed_is_not_begun(hapi: Hapi) -> None:
    hapi.control(fault="503", every=1, seconds=3600)
    receipt = upload(small_bundle("alpha"), hapi.base)
    assert receipt.by_state == {"failed": 1}
    assert "503" in (receipt.cases[0].problem or "")
    assert receipt.exit_code == 3


def test_a_refusal_is_sent_once_and_not_again(hapi: Hapi) -> None:
    bundle = small_bundle("alpha")
    bundle["entry"][2]["resource"]["encounter"] = {"reference": "Encounter/not-there"}
    hapi.control()
    receipt = upload(bundle, hapi.base, retry=QUICK)
    assert receipt.cases[0].attempts == 1
    assert hapi.requests() == 2  # the look at the Patient, the transaction


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_eight_parallel_uploaders_of_the_same_cases_end_with_one_copy(hapi: Hapi, strategy: str) -> None:
    keys = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    settings = Settings(url=hapi.base, strategy=strategy, jobs=2, retry=RetryPolicy(attempts=40, base=0.1, cap=2.0))

    async def all_at_once() -> list[Any]:
        runs = (upload_async([small_bundle(key) for key in keys], settings, verify=True) for _ in range(8))
        return await asyncio.gather(*runs)

    receipts = asyncio.run(all_at_once())
    assert [receipt.by_state for receipt in receipts] == [{"done": 6}] * 8
    assert facts(hapi) == all_facts(keys)
    if strategy == "put":
        versions = {resource["meta"]["versionId"] for resource in hapi.state(TYPES).values()}
        assert versions == {"1"}


def test_a_server_that_is_gone_stops_the_run_and_says_so() -> None:
    with pytest.raises(NetworkError, match="no connection"):
        upload(small_bundle("alpha"), "http://127.0.0.1:9/fhir", retry=RetryPolicy(attempts=2, base=0.01))


@pytest.mark.parametrize("verify", [True, False])
def test_conditional_three_times_changes_nothing(hapi: Hapi, verify: bool) -> None:
    bundles = [full_bundle("alpha"), small_bundle("beta")]
    kinds = (*TYPES, "AllergyIntolerance", "Encounter", "Procedure", "DiagnosticReport", "Device")
    first = upload(bundles, hapi.base, strategy="conditional", verify=verify)
    before = hapi.state(kinds)
    again = [upload([full_bundle("alpha"), small_bundle("beta")], hapi.base, strategy="conditional") for _ in "ab"]
    assert (first.created, first.updated) == (42, 0)
    assert [(r.created, r.updated, r.unchanged) for r in again] == [(0, 0, 42)] * 2
    assert hapi.state(kinds) == before
    text = httpx.get(f"{hapi.base}/Observation?_count=500", timeout=PATIENCE).text
    assert "urn:uuid" not in text
    # the date that is told by a medication points to the medication's id on this server
    (medication,) = hapi.of_case("beta", ("MedicationStatement",))
    assert medication["id"].isdigit()
    assert f"MedicationStatement/{medication['id']}" in text


def test_conditional_changes_and_prunes_in_place(hapi: Hapi) -> None:
    upload(small_bundle("alpha", observations=4), hapi.base, strategy="conditional")
    bundle = small_bundle("alpha", observations=2)
    bundle["entry"][2]["resource"]["code"] = {"text": "eczema"}
    receipt = upload(bundle, hapi.base, strategy="conditional", prune=True, verify=True)
    assert (receipt.created, receipt.updated, receipt.deleted) == (0, 2, 2)
    assert hapi.of_case("alpha", ("Condition",))[0]["code"]["text"] == "eczema"
    assert len(hapi.of_case("alpha", TYPES)) == 8


def test_conditional_refuses_a_fact_that_the_server_holds_twice(hapi: Hapi) -> None:
    patient = small_bundle("alpha")["entry"][1]["resource"]
    del patient["extension"]
    for _ in "ab":
        httpx.post(f"{hapi.base}/Patient", json=patient, timeout=PATIENCE).raise_for_status()
    receipt = upload(small_bundle("alpha"), hapi.base, strategy="conditional")
    assert receipt.by_state == {"refused": 1}
    assert "twice" in (receipt.cases[0].problem or "")
    assert hapi.count("Condition") == 0
