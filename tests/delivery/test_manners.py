"""Public test servers: only test data, agreed to once, slowly. Limits of rate and size."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from casefhir.delivery import Progress, RetryPolicy, Settings, upload
from casefhir.delivery.cases import Case
from casefhir.delivery.errors import UnfitInput, UnfitSettings
from casefhir.delivery.manners import check_test_data, is_public, mannered, public_hosts
from casefhir.delivery.outbox import OutboxUnusable, default_outbox, open_outbox
from casefhir.delivery.sources import read_cases

from .example import small_bundle
from .loopback import CAPABILITIES, Loopback, Reply, Request, serving


def test_the_well_known_public_servers_are_known() -> None:
    assert {"hapi.fhir.org", "server.fire.ly", "r4.smarthealthit.org"} <= public_hosts()
    assert is_public("https://HAPI.fhir.org/baseR4")
    assert not is_public("https://hapi.fhir.org.example.org/baseR4")
    assert not is_public("http://127.0.0.1:8090/fhir")


def test_a_public_server_is_used_only_when_that_was_said() -> None:
    with pytest.raises(UnfitSettings, match="--public-test-server"):
        upload(small_bundle("alpha"), "https://hapi.fhir.org/baseR4")


@pytest.mark.parametrize(("asked", "used"), [(None, 1.0), (50.0, 1.0), (0.2, 0.2)])
def test_a_public_server_is_asked_once_a_second_at_most(asked: float | None, used: float) -> None:
    settings = Settings(url="https://hapi.fhir.org/baseR4", public_test_server=True, jobs=8, rate=asked)
    assert (mannered(settings).jobs, mannered(settings).rate) == (1, used)


def test_only_labelled_test_data_goes_to_a_public_server() -> None:
    settings = Settings(url="https://hapi.fhir.org/baseR4", public_test_server=True)
    bundle = small_bundle("alpha")
    (labelled,) = read_cases(small_bundle("alpha"))
    del bundle["entry"][3]["resource"]["meta"]["security"]
    (bare,) = read_cases(bundle)
    assert isinstance(labelled, Case)
    assert isinstance(bare, Case)
    check_test_data(labelled, settings)
    with pytest.raises(UnfitInput, match="HTEST"):
        check_test_data(bare, settings)
    check_test_data(bare, Settings(url="https://fhir.hospital.example.org/r4"))


def answer(request: Request) -> Reply | None:
    return Reply(body=CAPABILITIES) if request.path == "/fhir/metadata" else None


def dry(server: Loopback, **settings: object) -> list[str]:
    receipt = upload(
        small_bundle("alpha"), f"{server.url}/fhir", **{"dry_run": True, "retry": RetryPolicy(attempts=1), **settings}
    )  # fmt: skip
    return [case.problem or case.state for case in receipt.cases]


def test_a_rate_keeps_requests_apart() -> None:
    with serving(answer) as server:
        began = time.monotonic()
        dry(server, rate=5)
        assert len(server.requests) == 2
        assert time.monotonic() - began >= 0.2  # the gap of the second request, which the rate imposes


@pytest.mark.parametrize(
    ("limit", "said"), [({"max_entries": 8}, "9 resources"), ({"max_bytes": 1000}, "bytes, over the limit of 1000")]
)
def test_a_case_over_the_limit_is_refused_before_it_is_sent(limit: dict[str, int], said: str) -> None:
    with serving(answer) as server:
        (problem,) = dry(server, **limit)
        assert said in problem
        assert [request.path for request in server.requests] == ["/fhir/metadata"]


@pytest.mark.parametrize(
    "wrong", [{"strategy": "post"}, {"jobs": 0}, {"rate": 0}, {"timeout": 0}, {"resume": True}, {"max_entries": 0}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UnfitSettings):
        upload(small_bundle("alpha"), "http://127.0.0.1:9/fhir", **wrong)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as db:
        db.execute("create table dear(thing)")
    before = other.read_bytes()
    with pytest.raises(UnfitSettings, match="another database"):
        open_outbox(other)
    assert other.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["other.sqlite"]


def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite"

    def break_it(progress: Progress) -> None:
        if progress.kind == "begin":
            with contextlib.closing(sqlite3.connect(file)) as db:
                db.execute("drop table delivery")

    with serving(answer) as server:
        with pytest.raises(OutboxUnusable, match="nothing more was sent"):
            upload(small_bundle("alpha"), f"{server.url}/fhir", outbox=file, on_progress=break_it)
        assert not [request for request in server.requests if b"transaction" in request.body]


def test_the_default_outbox_is_where_programs_keep_their_state() -> None:
    assert default_outbox({"XDG_STATE_HOME": "/state"}) == Path("/state/casefhir/outbox.sqlite")
    assert default_outbox({}).parts[-4:] == (".local", "state", "casefhir", "outbox.sqlite")


def test_a_file_that_is_no_outbox_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but dear to somebody " * 100)
    before = text.read_bytes()
    with serving(answer) as server, pytest.raises(UnfitSettings, match="not usable as an outbox"):
        upload(small_bundle("alpha"), f"{server.url}/fhir", outbox=text)
    assert text.read_bytes() == before
