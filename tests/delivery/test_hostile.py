"""A server that wants to lead us astray, drown us, or keep us waiting."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casefhir.delivery import Auth, RetryPolicy, Secret, pull, upload
from casefhir.delivery.errors import NetworkError, ServerUnsuitable, UnfitSettings, UnsafeAnswer

from .example import small_bundle
from .loopback import CAPABILITIES, Loopback, Reply, Request, serving

ONCE = RetryPolicy(attempts=1)
TOKEN = Auth(token=Secret("canary-token-1"))


def metadata_is(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply


def then(answer: Callable[[Request], Reply | None]) -> Callable[[Request], Reply | None]:
    """A good capability statement, then `answer`."""
    return lambda request: Reply(body=CAPABILITIES) if request.path.startswith("/fhir/metadata") else answer(request)


def send(server: Loopback, **settings: Any) -> Any:
    return upload(small_bundle("alpha"), f"{server.url}/fhir", **{"retry": ONCE, **settings})


@pytest.mark.parametrize("to", ["http://[::1", "", "//", "\u00e9"])
def test_a_redirect_to_nonsense_is_told_too(to: str) -> None:
    away = Reply(302, headers={"Location": to})
    with serving(metadata_is(away)) as server:
        with pytest.raises(NetworkError):
            send(server)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(status: int) -> None:
    with serving(lambda request: Reply()) as elsewhere:
        to = {"Location": f"{elsewhere.url}/fhir/metadata"}
        with serving(metadata_is(Reply(status, headers=to))) as server, pytest.raises(UnsafeAnswer, match="redirects"):
            send(server, auth=TOKEN)
        assert elsewhere.requests == []


def test_a_redirect_within_the_server_is_not_followed_either() -> None:
    with serving(metadata_is(Reply(302, headers={"Location": "/fhir/other"}))) as server:
        with pytest.raises(UnsafeAnswer, match="redirects"):
            send(server)
        assert [request.path for request in server.requests] == ["/fhir/metadata"]


@pytest.mark.parametrize(
    "next_page",
    [
        "{elsewhere}/fhir?page=2",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/fhir",
        "//elsewhere.example.org/fhir",
        "file:///etc/passwd",
        "/other/path",
        "{server}/fhir/../admin",
        "{server}/fhirx",
        "{userinfo}/fhir?page=2",
        "{server}/fhir/%2e%2e/admin",
    ],
)
def test_a_next_link_out_of_the_base_is_not_followed(next_page: str) -> None:
    with serving(lambda request: Reply()) as elsewhere:
        page: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
        with serving(then(lambda request: Reply(body=page))) as server:
            userinfo = server.url.replace("http://", "http://user:word@")
            url = next_page.format(elsewhere=elsewhere.url, server=server.url, userinfo=userinfo)
            page["link"] = [{"relation": "next", "url": url}]
            with pytest.raises(UnsafeAnswer, match="outside of itself"):
                pull("alpha", f"{server.url}/fhir", retry=ONCE, auth=TOKEN)
            assert len(server.requests) == 2
        assert elsewhere.requests == []


@pytest.mark.parametrize("link", ["http://[::1", "http://example.org:99999/", "http://exa\x00mple.org/"])
def test_a_next_link_that_is_no_url_is_not_followed(link: str) -> None:
    page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": link}]}
    with serving(then(lambda request: Reply(body=page))) as server, pytest.raises(UnsafeAnswer):
        pull("alpha", f"{server.url}/fhir", retry=ONCE)


def test_a_next_link_that_turns_in_a_circle_is_left() -> None:
    def answer(request: Request) -> Reply:
        link = {"relation": "next", "url": "/fhir?page=2"}
        return Reply(body={"resourceType": "Bundle", "type": "searchset", "link": [link]})

    with serving(then(answer)) as server, pytest.raises(UnsafeAnswer, match="again and again"):
        pull("alpha", f"{server.url}/fhir", retry=ONCE)


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 65536


def test_an_endless_answer_is_cut_off() -> None:
    with serving(metadata_is(Reply(body=endless))) as server, pytest.raises(UnsafeAnswer, match="more than 1 MB"):
        send(server, answer_limit=2**20)


def test_a_small_packed_answer_that_unpacks_to_a_huge_one_is_cut_off() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    bomb = Reply(body=packed, headers={"Content-Encoding": "gzip"})
    with serving(metadata_is(bomb)) as server, pytest.raises(UnsafeAnswer, match="more than 1 MB"):
        send(server, answer_limit=2**20)


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd"])
def test_a_packing_that_was_not_asked_for_is_not_read(coding: str) -> None:
    odd = Reply(body=b"x", headers={"Content-Encoding": coding})
    with serving(metadata_is(odd)) as server, pytest.raises(UnsafeAnswer, match="not asked for"):
        send(server)


@pytest.mark.parametrize("depth", [65, 5_000, 200_000])
def test_deep_json_is_dropped(depth: int) -> None:
    deep = Reply(body=b'{"a":' * depth + b"1" + b"}" * depth)
    with serving(metadata_is(deep)) as server, pytest.raises(UnsafeAnswer):
        send(server)


@pytest.mark.parametrize("body", [b"<html>", b'{"a": ' + b"9" * 6000 + b"}", b'{"a": 1, "a": 2}', b"\xff\xfe", b""])
def test_what_is_no_json_is_dropped(body: bytes) -> None:
    with serving(metadata_is(Reply(body=body))) as server, pytest.raises(UnsafeAnswer, match="not readable JSON"):
        send(server)


def test_a_slow_drip_meets_the_deadline() -> None:
    released = threading.Event()

    def drip() -> Iterator[bytes]:
        while not released.wait(0.05):
            yield b" "

    with serving(metadata_is(Reply(body=drip))) as server:
        try:
            with pytest.raises(NetworkError, match=r"within 0\.5 s"):
                send(server, deadline=0.5)
        finally:
            released.set()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fhirVersion": "5.0.0"}, "speaks FHIR 5.0.0"),
        ({"fhirVersion": "3.0.2"}, "speaks FHIR 3.0.2"),
        ({"rest": [{"mode": "server"}]}, "offers no transactions"),
        ({"resourceType": "Patient"}, "not a FHIR CapabilityStatement"),
    ],
)
def test_a_server_that_cannot_take_cases_is_refused_before_anything_is_sent(change: Any, said: str) -> None:
    with serving(metadata_is(Reply(body={**CAPABILITIES, **change}))) as server:
        with pytest.raises(ServerUnsuitable, match=said):
            send(server)
        assert {(request.method, request.path) for request in server.requests} == {("GET", "/fhir/metadata")}


@pytest.mark.parametrize("part", [{"fhirVersion": "4.0.1"}, {**CAPABILITIES, "rest": [{"mode": "server"}]}, None])
def test_a_server_that_cannot_tell_a_part_of_its_capabilities_is_asked_for_all(part: Any) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Reply | None:
        if request.path != "/fhir/metadata":
            return None
        asked.append(request.path)
        if len(asked) > 1:
            return Reply(body=CAPABILITIES)
        return Reply(400) if part is None else Reply(body={"resourceType": "CapabilityStatement", **part})

    with serving(answer) as server:
        assert send(server, dry_run=True).created == 9
    assert len(asked) == 2


def test_a_server_without_client_ids_is_pointed_to_the_other_strategy() -> None:
    rest = [{**CAPABILITIES["rest"][0], "resource": [{"type": "Patient", "updateCreate": False}]}]  # type: ignore[index]
    with serving(metadata_is(Reply(body={**CAPABILITIES, "rest": rest}))) as server:
        receipt = send(server)
        assert len(server.requests) == 1
    assert receipt.by_state == {"refused": 1}
    assert "conditional" in receipt.cases[0].problem


def test_a_transaction_answer_of_another_size_is_read_back_and_not_believed() -> None:
    def answer(request: Request) -> Reply | None:
        if request.method == "POST" and b'"transaction"' in request.body:
            return Reply(body={"resourceType": "Bundle", "type": "transaction-response", "entry": []})
        return None

    with serving(then(answer)) as server:
        receipt = send(server, retry=RetryPolicy(attempts=2, base=0.01))
        assert receipt.by_state == {"failed": 1}
        looks = [request.method for request in server.requests if "Patient" in request.path]
        assert looks == ["GET", "GET"]


def test_429_inside_a_batch_answer_is_waited_out() -> None:
    """The reads of a batch that the server puts off are asked again, and only those."""
    batches: list[list[str]] = []
    resources = {entry["request"]["url"]: entry["resource"] for entry in small_bundle("alpha")["entry"]}

    def answer(request: Request) -> Reply | None:
        if request.method == "GET":
            return Reply(body=json.loads(json.dumps(resources[request.path[6:].partition("?")[0]], default=str)))
        asked = [entry["request"]["url"] for entry in json.loads(request.body)["entry"]]
        batches.append(asked)
        rows = [
            {"response": {"status": "429"}}
            if len(batches) == 1 and number % 2
            else {"response": {"status": "200"}, "resource": json.loads(json.dumps(resources[name], default=str))}
            for number, name in enumerate(asked)
        ]
        return Reply(body={"resourceType": "Bundle", "type": "batch-response", "entry": rows})

    with serving(then(answer)) as server:
        receipt = send(server, retry=RetryPolicy(attempts=3, base=0.01), dry_run=True)
    assert len(batches) == 2
    assert batches[1] == batches[0][1::2]
    assert sum(receipt.by_state.values()) == 1


def test_no_reference_or_attachment_is_ever_fetched() -> None:
    with serving(lambda request: Reply()) as elsewhere:
        bundle = small_bundle("alpha")
        bundle["entry"][0]["resource"]["content"][0]["attachment"]["url"] = f"{elsewhere.url}/article"
        bundle["entry"][2]["resource"]["encounter"] = {"reference": f"{elsewhere.url}/fhir/Encounter/1"}
        with serving(then(lambda request: None)) as server:
            upload(bundle, f"{server.url}/fhir", retry=ONCE)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:hunter2@example.org/fhir", "credentials by environment"),
        ("https://example.org/fhir?token=abc", "base address only"),
        ("ftp://example.org/fhir", "not an http"),
        ("example.org/fhir", "not an http"),
        ("https://[::1/fhir", "cannot be read"),
    ],
)
def test_an_address_that_is_not_a_plain_base_is_refused(url: str, said: str) -> None:
    with pytest.raises(UnfitSettings, match=said) as caught:
        upload(small_bundle("alpha"), url)
    assert "hunter2" not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_credentials_do_not_go_out_in_the_open() -> None:
    with pytest.raises(UnfitSettings, match="not https"):
        upload(small_bundle("alpha"), "http://example.org/fhir", auth=TOKEN)
