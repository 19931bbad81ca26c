"""Validators side by side in one run: resources a second and core (processor time), warm, from bytes.

    python bench/validate.py [--seconds S] [--judge RUN] [--json]

The work: Bundles of 30 Observations, Conditions and MedicationStatements with narrative, codes, units and
references. Ours is measured by layer; the peers are fhir.resources (structure only) and, with `--judge`, HL7's
engine through tests/judge. Figures are ratios to be read within one run: machines and days differ.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

ENTRIES = 30
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


def rate(run: Callable[[bytes], object], work: list[bytes], seconds: float) -> float:
    """Resources a second of processor time of `run` over `work`, warm: what others do on the machine matters less."""
    for each in work[:3]:
        run(each)
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for each in work:
            run(each)
            count += ENTRIES
    return count / spent


def ours(layers: frozenset[str] | None) -> Callable[[bytes], object]:
    from casefhir.conformance.api import Checker

    checker = Checker(layers=layers)

    def run(data: bytes) -> object:
        report = checker.report()
        checker.check_bytes(data, report)
        assert not report.findings, report.findings[0]
        return report

    return run


def slowly() -> Callable[[bytes], object]:
    """The slow path alone: what a Bundle costs when anything in it needs explaining."""
    from casefhir.conformance.findings import Report
    from casefhir.conformance.reader import read
    from casefhir.conformance.validator import Validator

    validator = Validator()
    return lambda data: validator.check_slowly(read(data)[0], Report())


def fhir_resources() -> Callable[[bytes], object]:
    from fhir.resources.R4B.bundle import Bundle

    return Bundle.model_validate_json


def judged(command: Path, work: list[bytes]) -> float | None:
    """HL7's engine, warm, as its own `--bench` measures it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.ndjson"
        path.write_bytes(b"\n".join(work) + b"\n")
        done = subprocess.run([command, "--level", "error", "--bench", "3", path], capture_output=True, text=True)
    rates = re.findall(r"own CPU [\d.]+ s = ([\d.]+) a second", done.stdout + done.stderr)
    return float(rates[-1]) * ENTRIES if rates else None


def start_to_finding() -> float:
    """Seconds of a new process from start to the first finding."""
    code = (
        "from casefhir.conformance import validate;"
        'assert validate(b\'{"resourceType": "Patient", "gender": "x"}\').findings'
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    work = [bundle(number) for number in range(40)]
    found: dict[str, float] = {"start to first finding, s": round(start_to_finding(), 3)}
    without = frozenset({"json", "structure", "invariants", "terminology", "references", "meaning"})
    found["casefhir structure"] = rate(ours(frozenset({"json", "structure"})), work, options.seconds)
    found["casefhir all but profiles"] = rate(ours(without), work, options.seconds)
    found["casefhir all layers"] = rate(ours(None), work, options.seconds)
    found["casefhir slow path, all layers"] = rate(slowly(), work, options.seconds)
    found["memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    found["fhir.resources R4B (structure)"] = rate(fhir_resources(), work, options.seconds)
    if options.judge:
        theirs = judged(options.judge, work)
        if theirs is not None:
            found["HL7 engine (tests/judge)"] = theirs
    if options.json:
        print(json.dumps(found))
        return
    base = found["casefhir all but profiles"]
    for name, value in found.items():
        peer = not name.startswith(("casefhir", "start", "memory"))
        per = f"   ours is {base / value:.1f} times" if peer else ""
        print(f"{name:36} {value:12,.2f}{per}")


if __name__ == "__main__":
    main()
