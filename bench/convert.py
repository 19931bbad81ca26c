"""Tables to validated NDJSON: resources a second and core, peak memory, and where the time goes.

    python bench/convert.py --persons 1000 10000 100000 --jobs 1 2 [--csvtofhir PYTHON] [--fhircraft PYTHON]

Generates longitudinal records (bench/longitudinal) from a seed, and converts each size in a process of its own; then,
at the smallest size, the peers make its laboratory results into Observations: plain dicts and fhir.resources, and
with the Python of an environment that has them the other table mappers (bench/README.md). Prints Markdown tables.
"""

import argparse
import cProfile
import json
import platform
import pstats
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from longitudinal.generate import generate
from watch import watched

MAPPING = Path(__file__).parent / "longitudinal" / "registry.toml"
MAPPERS = Path(__file__).parent / "mappers"
ROOMS = {
    "read": ("sources/tables/readers", "sources/tables/files", "sources/tables/grouping", "_csv"),
    "map": ("sources/tables", "record", "terms"),
    "shape and check": ("fhir", "conformance", "exactjson", "orjson"),
    "write": ("delivery", "tables/"),
}


def convert(folder: Path, out: Path, jobs: int) -> None:
    """By the local engine, or with no jobs on Spark, over all cores of this machine."""
    from casefhir.spark.files import convert_files
    from casefhir.tables import convert_tables

    began, own = time.perf_counter(), time.process_time()
    tally = convert_tables([folder], MAPPING, out, jobs=jobs) if jobs else convert_files([folder], MAPPING, out)
    told = {
        "resources": sum(tally.resources.values()),
        "rejected": tally.total_rejected,
        "errors": tally.errors,
        "seconds": time.perf_counter() - began,
        "own": time.process_time() - own,  # with several jobs: of the process that hands out
    }
    print(json.dumps(told))


def profile(folder: Path, out: Path) -> None:
    """Each room's share of the time, by cProfile: calls of Python weigh more than they do without it."""
    from casefhir.tables import convert_tables

    watch = cProfile.Profile()
    watch.runcall(convert_tables, [folder], MAPPING, out)
    shares = dict.fromkeys((*ROOMS, "else"), 0.0)
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(watch).stats.items():  # type: ignore[attr-defined]
        name = next((room for room, parts in ROOMS.items() if any(part in file for part in parts)), "else")
        shares[name] += own
    whole = sum(shares.values())
    print(json.dumps({"shares": {name: share / whole for name, share in shares.items()}}))


def plain(count: int, dump: Callable[[dict], object]) -> float:
    """Observations as plain dicts, unvalidated: the floor."""
    began = time.process_time()
    for number in range(count):
        dump(_observation(number))
    return count / (time.process_time() - began)


def models(count: int) -> float:
    from fhir.resources.R4B.observation import Observation

    began = time.process_time()
    for number in range(count):
        Observation.model_validate(_observation(number)).model_dump_json()
    return count / (time.process_time() - began)


def _observation(number: int) -> dict:
    quantity = {"unit": "U/l", "system": "http://unitsofmeasure.org", "code": "U/L"}
    return {
        "resourceType": "Observation",
        "id": f"o-{number}",
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2157-6"}], "text": "CK"},
        "subject": {"reference": f"Patient/p-{number // 20}"},
        "effectiveDateTime": "2012-05-07",
        "valueQuantity": {"value": number % 4000, **quantity},
        "referenceRange": [{"low": {"value": 30, **quantity}, "high": {"value": 170, **quantity}}],
    }


def peers(count: int) -> dict[str, float]:
    import orjson

    return {
        "plain dicts and json.dumps, unvalidated": plain(count, lambda each: json.dumps(each).encode()),
        "plain dicts and orjson, unvalidated": plain(count, orjson.dumps),
        "fhir.resources R4B: build, validate its structure, dump": models(min(count, 20_000)),
    }


def mapper(python: str, script: str, labs: Path, out: str) -> float:
    done = subprocess.run([python, str(MAPPERS / script), str(labs), out], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script}: {done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["resources"] != sum(1 for _ in labs.open()) - 1:
        raise SystemExit(f"{script}: {told['resources']} resources of another number of rows")
    rate: float = told["resources"] / told["processor"]
    return rate


def run(*arguments: str) -> dict:
    output, use = watched([sys.executable, __file__, *arguments])
    found: dict = json.loads(output.splitlines()[-1])
    return found | {"processor": sum(use.processor.values()), "peak_mb": use.peak / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1], help="processes; 0: Spark, on this machine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="where there is room: 60 GB for a million persons")
    parser.add_argument("--csvtofhir", metavar="PYTHON", help="of an environment that has linuxforhealth-csvtofhir")
    parser.add_argument("--fhircraft", metavar="PYTHON", help="of an environment that has fhircraft")
    parser.add_argument("--convert", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--profile", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--peers", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.convert:
        convert(Path(given.convert[0]), Path(given.convert[1]), int(given.convert[2]))
    elif given.profile:
        profile(Path(given.profile[0]), Path(given.profile[1]))
    elif given.peers:
        print(json.dumps({"rates": peers(given.peers)}))
    else:
        others = {
            f"{name}: {what}": (python, f"{name}_labs.py")
            for name, what, python in (
                ("csvtofhir", "its rows as Observations, unvalidated but for structure", given.csvtofhir),
                ("fhircraft", "its rows as Observations by a StructureMap", given.fhircraft),
            )
            if python
        }
        report(given.persons, given.jobs, given.seed, given.scratch, others)


def feeds(told: dict) -> str:
    """How many processes keep busy the one that looks through the keys, hands out pieces and allots places."""
    return f"{(told['processor'] - told['own']) / told['own']:.0f}"


def report(sizes: list[int], jobs: list[int], seed: int, room: Path | None, others: dict[str, tuple[str, str]]) -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print(
        "| persons | resources | jobs | s | resources/s | resources/s and core | peak MB | processes one could feed |"
    )
    print("|---|---|---|---|---|---|---|---|")
    core = 0.0
    with tempfile.TemporaryDirectory(dir=room) as scratch:
        for persons in sizes:
            folder = Path(scratch) / f"in-{persons}"
            generate(folder, persons, seed)
            for each in jobs:
                told = run("--convert", str(folder), f"{scratch}/out", str(each))
                if told["rejected"] or told["errors"]:
                    raise SystemExit(f"{told['rejected']} rows rejected, {told['errors']} errors: nothing to compare")
                rate, per_core = told["resources"] / told["seconds"], told["resources"] / told["processor"]
                core = core or per_core
                how = each or "Spark"
                print(
                    f"| {persons:,} | {told['resources']:,} | {how} | {told['seconds']:.1f} | {rate:,.0f} | "
                    f"{per_core:,.0f} | {told['peak_mb']:.0f} | {feeds(told) if each > 1 else '–'} |",
                    flush=True,
                )
                shutil.rmtree(f"{scratch}/out")
            if persons != sizes[0]:
                shutil.rmtree(folder)
        smallest = Path(scratch) / f"in-{sizes[0]}"
        print("\n| peer | resources/s and core | ours is |\n|---|---|---|")
        for name, rate in run("--peers", str(sizes[0] * 20))["rates"].items():
            print(f"| {name} | {rate:,.0f} | {core / rate:.2f} times |")
        for name, (python, script) in others.items():
            rate = mapper(python, script, smallest / "labs.csv", f"{scratch}/peer.ndjson")
            print(f"| {name} | {rate:,.0f} | {core / rate:.0f} times |", flush=True)
        print("\n| stage | share of the time |\n|---|---|")
        for name, share in run("--profile", str(smallest), f"{scratch}/out")["shares"].items():
            print(f"| {name} | {share:.0%} |")


if __name__ == "__main__":
    main()
