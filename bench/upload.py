"""Throughput and memory of `casefhir.delivery.upload`, beside a plain httpx loop and beside fhirpy.

    python bench/upload.py --base http://127.0.0.1:8090/fhir --cases 1000

Generated cases (one transaction bundle a line of NDJSON) go up in slices, and within a slice each tool brings the same
ones to the emptied server in a process of its own, in turns: what else the machine does meets all of them alike. The
plain loop and fhirpy do no more than POST each bundle once, with the same number of requests at a time. Each tool then
uploads its slice again. Prints a Markdown table; `ratio` is the median over the slices of a tool's seconds by those of
the plain loop, with the quartiles. Memory is the peak of one upload of few and of one of many cases.
"""

import argparse
import asyncio
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from casefhir import exactjson
from casefhir.delivery import upload
from delivery.example import small_bundle

EVERYTHING = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}
PLAIN = "httpx loop"


@dataclass(frozen=True)
class Measured:
    """One run of a tool in its own process, start-up left out."""

    seconds: float
    processor: float
    peak: float


def empty(base: str) -> None:
    httpx.post(f"{base}/$expunge", json=EVERYTHING, timeout=600).raise_for_status()


def generate(path: Path, prefix: str, cases: int) -> Path:
    with path.open("wb") as out:
        for number in range(cases):
            out.write(exactjson.write(small_bundle(f"{prefix}-{number}")) + b"\n")
    return path


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


TOOLS = {"casefhir": with_casefhir, PLAIN: with_httpx, "fhirpy": with_fhirpy}


def measure(tool: str, base: str, path: Path, jobs: int) -> Measured:
    command = [sys.executable, __file__, "--base", base, "--only", tool, "--file", str(path), "--jobs", str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tool}: {done.stderr[-2000:]}")
    return Measured(*(float(word) for word in done.stdout.split()))


def in_this_process(tool: str, base: str, path: Path, jobs: int) -> None:
    began, worked = time.perf_counter(), time.process_time()
    TOOLS[tool](base, path, jobs)
    # VmHWM, not ru_maxrss: that one is inherited from the parent process
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    megabytes = int(peak[1]) / 1024 if peak else float("nan")
    print(time.perf_counter() - began, time.process_time() - worked, megabytes)


def ratio(mine: list[Measured], plain: list[Measured]) -> str:
    found = [one.seconds / other.seconds for one, other in zip(mine, plain, strict=True)]
    low, middle, high = statistics.quantiles(found, n=4) if len(found) > 1 else found * 3
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def throughput(base: str, cases: int, slice_: int, jobs: int, folder: Path) -> None:
    tools = [tool for tool in TOOLS if tool != "fhirpy" or find_spec("fhirpy")]
    first: dict[str, list[Measured]] = {tool: [] for tool in tools}
    again: dict[str, list[Measured]] = {tool: [] for tool in tools}
    slices = -(-cases // slice_)
    for number in range(-1, slices):  # the first warms the server up and does not count
        for turn in range(len(tools)):
            tool = tools[(number + turn) % len(tools)]
            path = generate(folder / "slice.ndjson", f"case-{number + 1}", slice_)
            empty(base)
            new, known = measure(tool, base, path, jobs), measure(tool, base, path, jobs)
            told = f"{number + 1} of {slices}: {tool}: {new.seconds:.1f} s, again {known.seconds:.1f} s"
            print(told, file=sys.stderr, flush=True)
            if number >= 0:
                first[tool].append(new)
                again[tool].append(known)
    each = len(small_bundle("one")["entry"])
    print(f"{slices * slice_} cases of {each} resources a tool, in {slices} slices; {jobs} requests at a time.\n")
    print("| tool | first upload, s | resources/s | ratio | client's processor, ms a case | again, s | ratio |")
    print("|---|---|---|---|---|---|---|")
    for tool in tools:
        spent = sum(one.seconds for one in first[tool])
        worked = sum(one.processor for one in first[tool]) / (slices * slice_) * 1000
        print(
            f"| {tool} | {spent:.1f} | {slices * slice_ * each / spent:.0f} | {ratio(first[tool], first[PLAIN])} | "
            f"{worked:.1f} | {sum(one.seconds for one in again[tool]):.1f} | {ratio(again[tool], again[PLAIN])} |",
            flush=True,
        )


def memory(base: str, cases: int, jobs: int, folder: Path) -> None:
    print("\n| cases in one upload | casefhir's peak, MB |\n|---|---|")
    for count in (cases // 10, cases):
        path = generate(folder / "whole.ndjson", f"whole-{count}", count)
        empty(base)
        print(f"| {count} | {measure('casefhir', base, path, jobs).peak:.0f} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", required=True)
    options.add_argument("--cases", type=int, default=2000)
    options.add_argument("--slice", type=int, default=200, help="cases of a tool before it is the next one's turn")
    options.add_argument("--jobs", type=int, default=4)
    options.add_argument("--only", choices=TOOLS, help=argparse.SUPPRESS)
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.only:
        in_this_process(given.only, given.base, given.file, given.jobs)
        return
    print(f"Python {platform.python_version()}.", end=" ")
    with tempfile.TemporaryDirectory() as folder:
        throughput(given.base, given.cases, given.slice, given.jobs, Path(folder))
        memory(given.base, given.cases, given.jobs, Path(folder))


if __name__ == "__main__":
    main()
