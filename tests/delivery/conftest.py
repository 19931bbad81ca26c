"""A real HAPI server, started once for the session on a free port and stopped at its end."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

RUN = Path(__file__).parents[1] / "hapi" / "run"
PATIENCE = 300.0
"""Seconds after which an answer, or what is waited for, will not come any more, however busy the machine is."""
_EVERYTHING = {
    "resourceType": "Parameters",
    "parameter": [{"name": "expungeEverything", "valueBoolean": True}],
}


@dataclass(frozen=True)
class Hapi:
    """The server seen past the delivery code: with plain httpx."""

    base: str

    def control(self, **knobs: object) -> None:
        """Faults and token; nothing given turns all off and zeroes the counters."""
        url = self.base.removesuffix("/fhir") + "/control"
        httpx.post(url, params={name: str(value) for name, value in knobs.items()}, timeout=PATIENCE).raise_for_status()

    def counted(self, what: str) -> int:
        """Since the last `control`: requests, faults; or how many are underWay."""
        reply = httpx.get(self.base.removesuffix("/fhir") + "/control", timeout=PATIENCE)
        return int(reply.json()[what])

    def requests(self) -> int:
        return self.counted("requests")

    def settle(self) -> None:
        """Let the server come to the end of what clients that were killed had asked of it."""
        self.control()
        until(lambda: self.counted("underWay") == 0)

    def empty(self) -> None:
        self.settle()
        httpx.post(f"{self.base}/$expunge", json=_EVERYTHING, timeout=PATIENCE).raise_for_status()

    def get(self, path: str, **params: str) -> Any:
        reply = httpx.get(f"{self.base}/{path}", params=params, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.json()

    def count(self, kind: str, **params: str) -> int:
        return int(self.get(kind, _summary="count", **params)["total"])

    def of_case(self, key: str, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        """Every resource of the case, of these types."""
        found: list[dict[str, Any]] = []
        for kind in kinds:
            page = self.get(kind, _tag=f"https://w3id.org/casefhir/case|{key}", _count="500")
            found += [row["resource"] for row in page.get("entry", [])]
        return found

    def state(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        """`Type/id` -> the whole resource, for everything of these types: what two runs can be compared by."""
        found = {}
        for kind in kinds:
            for row in self.get(kind, _count="500").get("entry", []):
                resource = row["resource"]
                found[f"{kind}/{resource['id']}"] = resource
        return found


def until(true: Callable[[], bool]) -> None:
    """Wait for it; fails where it does not come."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)


def free_port() -> int:
    """One that nobody has, and that the system does not give away by itself meanwhile, or while a server restarts."""
    for port in random.SystemRandom().sample(range(20_000, 32_768), 100):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("none of a hundred ports is free")


def start(*options: str, port: int | None = None) -> tuple[str, int]:
    """Start a server of its own (on a free port unless told): its base and the port, to be stopped with `stop`."""
    for program in ("java", "mvn", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, which is not installed: the HAPI server cannot be started")
    port = port or free_port()
    done = subprocess.run(
        [str(RUN), "--port", str(port), *options], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0], port


def stop(port: int) -> None:
    subprocess.run([str(RUN), "stop", "--port", str(port)], check=True, timeout=PATIENCE)


@pytest.fixture(scope="session")
def hapi_server() -> Iterator[Hapi]:
    """The session's server; `CASEFHIR_TEST_HAPI` names one that is already running (tests/hapi/run)."""
    running = os.environ.get("CASEFHIR_TEST_HAPI")
    if running:
        yield Hapi(running)
        return
    base, port = start()
    try:
        yield Hapi(base)
    finally:
        stop(port)


@pytest.fixture
def hapi(hapi_server: Hapi) -> Iterator[Hapi]:
    """The session's server, empty and without faults."""
    hapi_server.empty()
    yield hapi_server
    hapi_server.control()
