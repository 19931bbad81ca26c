"""Throughput and peak memory of `casefhir.delivery.upload`, beside a plain httpx loop and beside fhirpy.

    python bench/upload.py --base http://127.0.0.1:8090/fhir --cases 2000 --jobs 4

Writes the same generated cases (one transaction bundle a line) to an NDJSON file and hands it to each tool in a
process of its own; the server is emptied before each. The plain loop and fhirpy do no more than POST each bundle
once, with the same number of requests at a time. Prints a Markdown table. fhirpy is left out where it is not installed.
"""

import argparse
import asyncio
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from casefhir import exactjson
from casefhir.delivery import upload
from delivery.example import small_bundle

EVERYTHING = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}


def generate(path: Path, cases: int) -> None:
    with path.open("wb") as out:
        for number in range(cases):
            out.write(exactjson.write(small_bundle(f"generated-{number}")) + b"\n")


def with_casefhir(base: str, path: Path, jobs: int) -> None:
    receipt = upload(path, base, jobs=jobs)
    if not receipt.ok:
        raise SystemExit(f"not all arrived: {receipt.by_state}")


async def _each(path: Path, jobs: int, send: Callable[[bytes], Awaitable[Any]]) -> None:
    """Every line sent once, `jobs` at a time, without reading ahead."""

    async def worker(lines: Iterator[bytes]) -> None:
        for line in lines:
            await send(line)

    with path.open("rb") as lines:
        await asyncio.gather(*(worker(lines) for _ in range(jobs)))


def with_httpx(base: str, path: Path, jobs: int) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(timeout=300) as client:

            async def send(line: bytes) -> None:
                reply = await client.post(
                    base, json=json.loads(line), headers={"Content-Type": "application/fhir+json"}
                )
                reply.raise_for_status()

            await _each(path, jobs, send)

    asyncio.run(run())


def with_fhirpy(base: str, path: Path, jobs: int) -> None:
    from fhirpy import AsyncFHIRClient

    async def run() -> None:
        client = AsyncFHIRClient(base)
        await _each(path, jobs, lambda line: client.execute("", method="post", data=json.loads(line)))

    asyncio.run(run())


TOOLS = {"casefhir": with_casefhir, "httpx loop": with_httpx, "fhirpy": with_fhirpy}


def measure(tool: str, base: str, path: Path, jobs: int) -> tuple[float, float]:
    """(seconds, peak resident MB) of one tool in its own process, start-up left out."""
    command = [sys.executable, __file__, "--base", base, "--only", tool, "--file", str(path), "--jobs", str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tool}: {done.stderr[-2000:]}")
    seconds, kilobytes = done.stdout.split()
    return float(seconds), float(kilobytes) / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", required=True)
    options.add_argument("--cases", type=int, nargs="+", default=[200, 2000])
    options.add_argument("--jobs", type=int, default=4)
    options.add_argument("--rounds", type=int, default=1, help="how often each is measured; the best counts")
    options.add_argument("--only", choices=TOOLS, help=argparse.SUPPRESS)
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.only:
        began = time.perf_counter()
        TOOLS[given.only](given.base, given.file, given.jobs)
        # VmHWM, not ru_maxrss: that one is inherited from the parent process
        peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
        print(time.perf_counter() - began, peak[1] if peak else "nan")
        return
    tools = [tool for tool in TOOLS if tool != "fhirpy" or find_spec("fhirpy")]
    print(f"Python {platform.python_version()}, {given.jobs} at a time, best of {given.rounds}.\n")
    print("| cases | resources | tool | first upload, s | resources/s | again, s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for cases in given.cases:
            path = Path(folder) / "cases.ndjson"
            generate(path, cases)
            count = cases * len(small_bundle("generated-0")["entry"])
            best: dict[str, tuple[float, float, float]] = {}
            for _ in range(given.rounds):
                for tool in tools:  # turn about, so that a busy moment hits all
                    httpx.post(f"{given.base}/$expunge", json=EVERYTHING, timeout=600).raise_for_status()
                    first, peak = measure(tool, given.base, path, given.jobs)
                    again, later = measure(tool, given.base, path, given.jobs)
                    seen = best.get(tool, (first, again, 0.0))
                    best[tool] = (min(seen[0], first), min(seen[1], again), max(seen[2], peak, later))
            for tool, (first, again, peak) in best.items():
                print(
                    f"| {cases} | {count} | {tool} | {first:.1f} | {count / first:.0f} | {again:.1f} | {peak:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
