"""Agreement with HL7's engine on mutants: the verdicts, check digits apart, and where errors are."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.conformance import validate

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]

import compare_judge  # noqa: E402
import mutate_resources  # noqa: E402
import validate as bench  # noqa: E402

COUNT = 300
CHECK_DIGITS = {"terminology.loinc", "terminology.snomed"}


@pytest.mark.java
def test_mutants_are_judged_as_the_engine_judges_them(tmp_path):
    valid = [entry["resource"] for number in range(3) for entry in exactjson.read(bench.bundle(number))["entry"][:9]]
    mutants = [exactjson.write(one) for _, one in mutate_resources.mutants(11, COUNT, valid)]
    file = tmp_path / "mutants.ndjson"
    file.write_bytes(b"\n".join(mutants) + b"\n")
    done = subprocess.run(
        [ROOT / "tests/judge/run", "--level", "error", file], capture_output=True, text=True, check=False
    )
    theirs = defaultdict(list)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            theirs[one["line"]].append(compare_judge.place(one["location"]))
    assert theirs
    differ = 0
    for number, data in enumerate(mutants, 1):
        mine = [each for each in validate(data).findings if each.severity in ("error", "fatal")]
        if not ({each.rule for each in mine} - CHECK_DIGITS) and mine and not theirs[number]:
            continue
        differ += bool(mine) != bool(theirs[number])
    assert differ <= COUNT // 100


def test_places_are_compared_without_what_the_two_write_differently():
    ours = "Bundle.entry[0].resource.value.ofType(Quantity).code"
    engine = "Bundle.entry[0].resource/*Observation/x*/.value.ofType(Quantity)"
    assert compare_judge.near(compare_judge.place(ours), compare_judge.place(engine))
    assert not compare_judge.near(compare_judge.place(ours), compare_judge.place("Bundle.entry[0].fullUrl"))
