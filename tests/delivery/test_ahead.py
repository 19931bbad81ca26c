"""Many cases are looked up in one request, and nothing is believed of it that could do harm."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.delivery import Progress, RetryPolicy, upload
from casefhir.delivery.ahead import CASES
from casefhir.delivery.errors import UnfitInput

from .example import new_id, small_bundle, write_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

QUICK = RetryPolicy(attempts=3, base=0.01)


class Store:
    """A server that keeps what it is sent, by `Type/id`; `lose` says which transactions it answers with a 502."""

    def __init__(self, *, batches: bool = True, lose: Callable[[int], bool] = lambda number: False) -> None:
        self.held: dict[str, str] = {}
        self.seen: list[str] = []
        self._batches = batches
        self._lose = lose

    def __call__(self, request: Request) -> Reply | None:
        path = request.path.removeprefix("/fhir").lstrip("/").partition("?")[0]
        if path == "metadata":
            return Reply(body=CAPABILITIES)
        if request.method == "GET":
            self.seen.append("read")
            return Reply(body=self.held[path].encode()) if path in self.held else Reply(404)
        bundle = exactjson.read(request.body)
        self.seen.append(bundle["type"])
        if bundle["type"] == "batch":
            if not self._batches:
                return Reply(400)
            rows = [self._row(entry["request"]["url"]) for entry in bundle["entry"]]
            return Reply(
                body=f'{{"resourceType":"Bundle","type":"batch-response","entry":[{",".join(rows)}]}}'.encode()
            )
        rows = []
        for entry in bundle["entry"]:
            name = entry["request"]["url"]
            status = "200" if name in self.held else "201"
            self.held[name] = exactjson.write(entry["resource"]).decode()
            rows.append({"response": {"status": status, "location": f"{name}/_history/1"}})
        if self._lose(self.seen.count("transaction")):
            return Reply(502)
        return Reply(body={"resourceType": "Bundle", "type": "transaction-response", "entry": rows})

    def _row(self, name: str) -> str:
        if name not in self.held:
            return '{"response":{"status":"404"}}'
        return f'{{"response":{{"status":"200"}},"resource":{self.held[name]}}}'


def test_one_request_looks_for_many_new_cases() -> None:
    store = Store()
    with serving(store) as server:
        receipt = upload([small_bundle(f"c{n}") for n in range(2 * CASES)], f"{server.url}/fhir", retry=QUICK)
    assert receipt.by_state == {"done": 2 * CASES}
    assert store.seen.count("batch") == 2
    assert store.seen.count("transaction") == 2 * CASES
    assert store.seen.count("read") == 0


@pytest.mark.parametrize("cases", [6, CASES + 4])
def test_few_cases_and_the_last_of_many_are_under_way_at_once(cases: int) -> None:
    store, under_way, most = Store(), set[str](), list[int]()

    def count(progress: Progress) -> None:
        if progress.kind == "begin":
            under_way.add(progress.case)
            most.append(len(under_way))
        elif progress.kind == "done":
            under_way.discard(progress.case)

    with serving(store) as server:
        bundles = [small_bundle(f"c{n}") for n in range(cases)]
        upload(bundles, f"{server.url}/fhir", retry=QUICK, jobs=3, on_progress=count)
    assert max(most[:6]) == max(most[-4:]) == max(most) == 3


def test_a_case_that_is_there_is_read_before_it_is_called_unchanged() -> None:
    store = Store()
    bundles = [small_bundle(f"c{n}") for n in range(4)]
    with serving(store) as server:
        upload(bundles, f"{server.url}/fhir", retry=QUICK)
        store.seen.clear()
        name = f"Condition/{new_id('c2', 'problem')}"
        store.held[name] = json.dumps({**json.loads(store.held[name]), "onsetDateTime": "1999"})
        receipt = upload(bundles, f"{server.url}/fhir", retry=QUICK)
    assert (receipt.updated, receipt.unchanged) == (1, 35)
    assert store.seen.count("transaction") == 1
    assert store.seen.count("batch") == 1 + 4  # all Patients, then each case whole


def test_after_a_lost_answer_the_server_is_read_and_not_the_look_ahead_believed() -> None:
    store = Store(lose=lambda number: number == 1)
    with serving(store) as server:
        receipt = upload([small_bundle("a"), small_bundle("b")], f"{server.url}/fhir", retry=QUICK, jobs=1)
    assert receipt.by_state == {"done": 2}
    assert (receipt.created, receipt.unchanged) == (18, 0)
    assert store.seen.count("transaction") == 2  # that of the lost answer was not sent again


@pytest.mark.parametrize("committed", [True, False])
def test_an_error_that_may_be_a_gateways_own_is_read_back(committed: bool) -> None:
    """A 500 is not sent again; whether the transaction was taken all the same is seen on the server."""
    store = Store()

    def answer(request: Request) -> Reply | None:
        if b'"transaction"' in request.body:
            if committed:
                store(request)
            else:
                store.seen.append("transaction")
            return Reply(500)
        return store(request)

    with serving(answer) as server:
        receipt = upload(small_bundle("a"), f"{server.url}/fhir", retry=QUICK)
    assert store.seen.count("transaction") == 1
    assert receipt.by_state == {"done" if committed else "refused": 1}
    assert receipt.created == (9 if committed else 0)


def test_a_server_without_batches_is_asked_one_by_one() -> None:
    store = Store(batches=False)
    with serving(store) as server:
        receipt = upload([small_bundle(f"c{n}") for n in range(CASES + 3)], f"{server.url}/fhir", retry=QUICK)
    assert receipt.by_state == {"done": CASES + 3}
    assert store.seen.count("batch") == 1
    assert store.seen.count("read") == CASES + 3


@pytest.mark.parametrize("jobs", [1, 4])
def test_what_was_read_before_a_broken_source_is_delivered(jobs: int, tmp_path: Path) -> None:
    good = write_bundle(tmp_path, small_bundle("a"), "a")
    store = Store()
    with serving(store) as server, pytest.raises(UnfitInput, match="no such file"):
        upload([good, tmp_path / "missing.json"], f"{server.url}/fhir", retry=QUICK, jobs=jobs)
    assert f"Patient/{new_id('a', 'subject')}" in store.held


def test_a_case_given_twice_within_one_look_ahead_is_sent_once() -> None:
    store = Store()
    with serving(store) as server:
        receipt = upload(
            [small_bundle("a"), small_bundle("a"), small_bundle("a", value="7.0")], f"{server.url}/fhir", retry=QUICK
        )
    assert receipt.by_state == {"done": 1, "skipped": 1, "refused": 1}
    assert store.seen.count("transaction") == 1
