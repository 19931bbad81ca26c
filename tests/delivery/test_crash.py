"""kill -9 of the client, a server that is killed and restarted: afterwards all is there, once.

CASEFHIR_PROOF=full runs the sizes of `make proof` (50 rounds a strategy) instead of those of CI.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casefhir.delivery import upload
from casefhir.delivery.cases import FACT_SYSTEM
from casefhir.delivery.outbox import last_sources, receipts
from casefhir.delivery.retry import RetryPolicy

from .conftest import PATIENCE, Hapi, start, stop, until
from .example import small_bundle, write_bundle

pytestmark = pytest.mark.java
ROUNDS = 50 if os.environ.get("CASEFHIR_PROOF") == "full" else 3
KEYS = ["alpha", "beta", "gamma"]
TYPES = ("DocumentReference", "Patient", "Observation", "Condition", "MedicationStatement", "AdverseEvent",
         "Provenance")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in KEYS:
        write_bundle(tmp_path / "bundles", small_bundle(key, observations=6), key)
    return tmp_path / "bundles"


def child(hapi: Hapi, strategy: str, outbox: Path, folder: Path, *more: str) -> "subprocess.Popen[str]":
    program = [sys.executable, str(Path(__file__).parent / "child.py"), hapi.base, strategy, str(outbox), str(folder)]
    return subprocess.Popen([*program, *more], stdout=subprocess.PIPE, text=True)


def contents(hapi: Hapi, strategy: str) -> dict[str, Any]:
    """By fact, so that a double shows; under `put` with the version, so that a needless write shows."""
    found: dict[str, Any] = {}
    for name, resource in hapi.state(TYPES).items():
        (fact,) = [row["code"] for row in resource["meta"]["tag"] if row["system"] == FACT_SYSTEM]
        assert fact not in found, f"{fact} is there twice"
        version = resource["meta"]["versionId"]
        body = {key: value for key, value in resource.items() if key not in ("meta", "id")}
        found[fact] = (name, version, body) if strategy == "put" else sorted(body)
    return found


@pytest.mark.parametrize("strategy", ["put", "conditional"])
def test_killed_at_a_random_moment_and_resumed_all_is_there_once(
    hapi: Hapi, strategy: str, folder: Path, tmp_path: Path
) -> None:
    for name in "ab":  # the first run warms the server up, the second tells how long one takes
        hapi.empty()
        with child(hapi, strategy, tmp_path / f"{name}.sqlite", folder) as whole:
            assert whole.stdout
            whole.stdout.readline()
            began = time.monotonic()
            assert whole.wait(timeout=PATIENCE) == 0
    lasts = time.monotonic() - began
    undisturbed = contents(hapi, strategy)
    assert len(undisturbed) == 36
    cut_short = rounds = 0
    # on a busy machine a run may be at its end before it is killed: then that says nothing, and there is one more
    while rounds < ROUNDS or (not cut_short and rounds < ROUNDS + 20):
        seed, rounds = rounds, rounds + 1
        hapi.empty()
        outbox = tmp_path / f"{seed}.sqlite"
        with child(hapi, strategy, outbox, folder) as victim:
            assert victim.stdout
            assert victim.stdout.readline().startswith("begin")
            time.sleep(random.Random(seed).uniform(0, 0.8 * lasts))
            victim.send_signal(signal.SIGKILL)
            victim.wait(timeout=PATIENCE)
            cut_short += "end" not in victim.stdout.read()
        with child(hapi, strategy, outbox, folder, "resume") as second:
            assert second.wait(timeout=PATIENCE) == 0, f"seed {seed}"
        assert contents(hapi, strategy) == undisturbed, f"seed {seed}"
    print(f"{strategy}: {cut_short} of {rounds} rounds were cut short before the end")
    assert cut_short > 0


def test_a_resume_sends_nothing_for_what_was_confirmed(hapi: Hapi, folder: Path, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox.sqlite"
    upload(folder, hapi.base, outbox=outbox)
    hapi.control()
    write_bundle(folder, small_bundle("delta"), "delta")
    receipt = upload(folder, hapi.base, outbox=outbox, resume=True)
    assert receipt.by_state == {"skipped": 3, "done": 1}
    assert hapi.requests() == 2  # a look at delta's Patient, delta's transaction
    changed = upload(small_bundle("alpha", observations=2), hapi.base, outbox=outbox, resume=True)
    assert changed.by_state == {"done": 1}  # other content than was confirmed is not skipped


def test_the_outbox_knows_what_was_under_way(hapi: Hapi, folder: Path, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox.sqlite"
    hapi.control(fault="slow", every=2, seconds=int(PATIENCE))  # the first transaction is held up
    with child(hapi, "put", outbox, folder) as victim:
        until(lambda: hapi.counted("faults") > 0)
        victim.send_signal(signal.SIGKILL)
        victim.wait(timeout=PATIENCE)
    marks = {mark for (mark,) in sqlite3.connect(outbox).execute("select mark from delivery")}
    assert "sent" in marks
    assert last_sources(outbox) == (hapi.base, "put", [str(folder)])
    hapi.settle()
    assert upload(folder, hapi.base, outbox=outbox, resume=True).ok
    assert {row["case"] for row in receipts(outbox)} == set(KEYS)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    # H2 acknowledges commits half a second before they are on disk unless told otherwise; what a server loses
    # after it said yes, no client can know
    db = f"{tmp_path / 'fhir'};WRITE_DELAY=0"
    base, port = start("--db", db)
    yield base, port, db
    stop(port)


def test_a_server_killed_and_restarted_in_the_middle_ends_with_all(own_server: tuple[str, int, str]) -> None:
    base, port, db = own_server
    keys = [f"case-{number}" for number in range(8)]
    killed: list[threading.Thread] = []

    def kill_and_restart() -> None:
        pid = int((Path(__file__).parents[1] / "hapi" / "target" / f"{port}.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        start("--db", db, port=port)

    def after_two(progress: Any) -> None:
        if progress.cases == 2 and not killed:
            killed.append(threading.Thread(target=kill_and_restart))
            killed[0].start()

    receipt = upload(
        [small_bundle(key) for key in keys], base, jobs=2, verify=True, on_progress=after_two,
        retry=RetryPolicy(attempts=200, base=0.5, cap=2),
    )  # fmt: skip
    killed[0].join()
    assert receipt.by_state == {"done": 8}
    server = Hapi(base)
    assert len(contents(server, "put")) == 9 * 8
    assert {version for _, version, _ in contents(server, "put").values()} == {"1"}
