"""The library's faces: async, in a notebook, from memory, through a proxy; the receipt as data."""

import asyncio
import json
from pathlib import Path

import pytest

from casefhir.delivery import CaseReceipt, Progress, RetryPolicy, Settings, UploadReceipt, upload, upload_async
from casefhir.delivery.errors import NetworkError
from casefhir.delivery.receipt import KEPT, ResourceReceipt

from .example import small_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

ONCE = RetryPolicy(attempts=1)


def empty_server(request: Request) -> Reply | None:
    return Reply(body=CAPABILITIES) if request.path.endswith("/fhir/metadata") else None


def test_the_same_verb_async() -> None:
    with serving(empty_server) as server:
        settings = Settings(url=f"{server.url}/fhir/", dry_run=True, retry=ONCE)
        receipt = asyncio.run(upload_async(small_bundle("alpha"), settings))
    assert receipt.created == 9


def test_it_works_where_an_event_loop_is_running_as_in_a_notebook() -> None:
    async def cell() -> UploadReceipt:
        return upload(small_bundle("alpha"), f"{server.url}/fhir", dry_run=True, retry=ONCE)

    with serving(empty_server) as server:
        assert asyncio.run(cell()).created == 9


def test_a_bundle_given_from_memory_is_left_as_it_was() -> None:
    bundle = small_bundle("alpha")
    with serving(empty_server) as server:
        upload(bundle, f"{server.url}/fhir", dry_run=True, retry=ONCE)
    assert bundle == small_bundle("alpha")


def test_progress_tells_each_case_begun_and_done() -> None:
    told: list[Progress] = []
    with serving(empty_server) as server:
        bundles = [small_bundle("alpha"), small_bundle("beta")]
        upload(bundles, f"{server.url}/fhir", dry_run=True, jobs=1, retry=ONCE, on_progress=told.append)
    assert [(one.kind, one.case, one.cases, one.resources) for one in told] == [
        ("begin", "alpha", 0, 0),
        ("done", "alpha", 1, 9),
        ("begin", "beta", 1, 9),
        ("done", "beta", 2, 18),
    ]


def test_a_case_given_twice_is_sent_once(tmp_path: Path) -> None:
    def answer(request: Request) -> Reply | None:
        if request.method != "POST":
            return empty_server(request)
        rows = [{"response": {"status": "201"}} for _ in json.loads(request.body)["entry"]]
        return Reply(body={"resourceType": "Bundle", "type": "transaction-response", "entry": rows})

    with serving(answer) as server:
        bundles = [small_bundle("alpha"), small_bundle("alpha"), small_bundle("alpha", observations=1)]
        receipt = upload(bundles, f"{server.url}/fhir", jobs=3, retry=ONCE)
        assert len([request for request in server.requests if request.method == "POST"]) == 1
    assert receipt.by_state == {"done": 1, "skipped": 1, "refused": 1}
    assert "already given" in (next(iter(receipt.troubled())).problem or "")


def test_a_proxy_is_spoken_to_in_place_of_the_server() -> None:
    with serving(empty_server) as proxy:
        receipt = upload(
            small_bundle("alpha"), "http://fhir.example.org/fhir", proxy=proxy.url, dry_run=True, retry=ONCE
        )  # fmt: skip
        assert proxy.requests[0].path == "http://fhir.example.org/fhir/metadata"
    assert receipt.created == 9


def test_when_the_server_goes_away_the_receipt_comes_with_the_error() -> None:
    def answer(request: Request) -> Reply | None:
        if request.path == "/fhir/metadata" and len(server.requests) > 1:
            return Reply(503)
        return Reply(body=CAPABILITIES) if request.path == "/fhir/metadata" else Reply(503)

    with serving(answer) as server, pytest.raises(NetworkError) as caught:
        upload(small_bundle("alpha"), f"{server.url}/fhir", retry=ONCE)
    assert caught.value.receipt is not None
    assert caught.value.receipt.software == "Loopback 1"


def test_the_receipt_is_plain_json_and_does_not_grow_without_end() -> None:
    receipt = UploadReceipt("https://example.org/fhir", "S 1", "4.0.1", "put")
    row = ResourceReceipt("Patient/1", "k/subject", "created", "Patient/1", "1")
    for number in range(KEPT + 10):
        receipt.add(CaseReceipt(f"c{number}", "f", "done", (row,), 1))
    receipt.add(CaseReceipt("bad", "f", "refused", (), 4, "because"))
    assert (receipt.created, receipt.refused, receipt.exit_code) == (KEPT + 10, 4, 3)
    assert receipt.by_state == {"done": KEPT + 10, "refused": 1}
    assert (len(receipt.cases), receipt.cases_left_out) == (KEPT + 1, 10)
    assert json.loads(json.dumps(receipt.as_json()))["cases"][-1]["problem"] == "because"
