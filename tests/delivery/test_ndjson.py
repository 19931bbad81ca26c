"""NDJSON of any length: everything arrives, and memory stays that of a few cases."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.delivery import receipts, upload
from casefhir.delivery.cases import Case
from casefhir.delivery.sources import read_cases

from .conftest import Hapi
from .example import small_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

_MEASURED = """
import re, sys
from pathlib import Path
from casefhir.delivery import upload
receipt = upload(sys.argv[1], sys.argv[2])
# VmHWM, not ru_maxrss: that one is inherited from the parent process
print(receipt.created, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def write_ndjson(path: Path, cases: int) -> Path:
    """`cases` generated cases, a resource a line, those of all cases mixed."""
    whole = [case for n in range(cases) for case in read_cases(small_bundle(f"c{n}")) if isinstance(case, Case)]
    rows = [case.entries[number].resource for number in range(len(whole[0].entries)) for case in whole]
    path.write_bytes(b"".join(exactjson.write(row) + b"\n" for row in rows))
    return path


@pytest.mark.java
def test_a_hundred_generated_cases_arrive_from_mixed_lines(hapi: Hapi, tmp_path: Path) -> None:
    path = write_ndjson(tmp_path / "all.ndjson", 100)
    outbox = tmp_path / "outbox.sqlite"
    receipt = upload(path, hapi.base, outbox=outbox, verify=True)
    assert receipt.by_state == {"done": 100}
    assert receipt.created == 900
    assert (hapi.count("Patient"), hapi.count("Observation")) == (100, 300)
    assert len(list(receipts(outbox))) == 100
    again = upload(path, hapi.base)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 900)


def takes_all(request: Request) -> Reply | None:
    if request.method != "POST":
        return Reply(body=CAPABILITIES) if request.path == "/fhir/metadata" else None
    entries = json.loads(request.body)["entry"]
    rows = [{"response": {"status": "201", "location": f"{e['request']['url']}/_history/1"}} for e in entries]
    return Reply(body={"resourceType": "Bundle", "type": "transaction-response", "entry": rows})


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.thorough
def test_memory_does_not_grow_with_the_number_of_cases(tmp_path: Path) -> None:
    peaks = {}
    with serving(takes_all) as server:
        for cases in (200, 600):
            path = write_ndjson(tmp_path / f"{cases}.ndjson", cases)
            program = [sys.executable, "-c", _MEASURED, str(path), f"{server.url}/fhir"]
            done = subprocess.run(program, capture_output=True, text=True, check=True)
            created, peak = map(int, done.stdout.split())
            assert created == cases * 9
            peaks[cases] = peak / 1024
            server.requests.clear()
    # three times the cases; a megabyte or two is the allocator's own mood
    assert peaks[600] - peaks[200] < 4, peaks
