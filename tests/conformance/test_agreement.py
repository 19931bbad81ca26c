"""Agreement with HL7's engine: on every constraint, on mutants, and on the official examples."""

import csv
import json
import random
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from casefhir import exactjson
from casefhir.conformance.api import Checker
from tests.conformance.minimal import cases

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

import compare_judge  # noqa: E402
import grow_resources  # noqa: E402
import mutate_resources  # noqa: E402
import official_examples  # noqa: E402

DATA = Path(__file__).with_name("data")
SEED, COUNT, GROWN = 12, 500, 1000
# Constraints that the engine does not name on what breaks them, and why.
UNNAMED = {
    "con-3": "it compares a CodeableConcept with a string and never fires",
    "ele-1": "it does not evaluate it",
    "smp-1": "it falls over",
    "vsd-2": "it falls over",
    "sdf-15a": "it falls over",
    "tst-11": "it says tst-10, whose element this one borrows",
    "tst-13": "it says tst-12, whose element this one borrows",
}
OWN_IDS = {"CONTAINED_ORPHAN_DOM3": "dom-3"}


def defective():
    """The official examples that are not valid R4, with the rules they break."""
    rows = csv.DictReader((DATA / "defective_examples.tsv").read_text().splitlines(), delimiter="\t")
    return {row["file"]: set(row["rules"].split()) for row in rows}


@pytest.fixture(scope="module")
def mutants():
    """Mutants of the official examples that are valid, and resources of all types made from the definitions."""
    wrong = defective()
    valid = []
    for name, data in official_examples.examples():
        if name not in wrong and len(data) <= mutate_resources.LARGEST and not name.startswith("extension-"):
            one = exactjson.read(data)
            if one.get("resourceType") not in mutate_resources.DEFINITIONS:
                valid.append(one)
    chance = random.Random(SEED)
    grower, types = grow_resources.Grower(chance), grow_resources.types()
    grown = [exactjson.write(grower.resource(chance.choice(types))) for _ in range(GROWN)]
    return [*(data for _, data in mutate_resources.lines(SEED, COUNT, valid)), *grown]


@pytest.fixture(scope="module")
def judged(mutants, tmp_path_factory):
    """What one run of the engine says, by file and line."""
    folder = tmp_path_factory.mktemp("judged")
    pairs = [exactjson.write(each) for case in cases() for each in (case.kept, case.broken)]
    (folder / "constraints.ndjson").write_bytes(b"\n".join(pairs) + b"\n")
    (folder / "mutants.ndjson").write_bytes(b"\n".join(mutants) + b"\n")
    run = [ROOT / "tests/judge/run", "--level", "warning", folder]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    found = defaultdict(lambda: defaultdict(list))
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            found[Path(one["file"]).name][one["line"]].append(one)
    assert found, done.stderr
    return found


def named(issues):
    """The constraints that issues of the engine name."""
    found = {OWN_IDS[each["messageId"]] for each in issues if each["messageId"] in OWN_IDS}
    for each in issues:
        match = re.search(r"#([a-z]+-\d+[a-z]?)$", each["messageId"]) or re.match(
            r"Constraint failed: ([a-z]+-\d+[a-z]?):", each["message"]
        )
        found |= {match[1]} if match else set()
    return found


@pytest.mark.java
def test_every_constraint_holds_and_breaks_in_the_engine_as_here(judged):
    said = judged["constraints.ndjson"]
    kept = {case.rule for number, case in enumerate(cases()) if case.rule in named(said[2 * number + 1])}
    unnamed = {case.rule for number, case in enumerate(cases()) if case.rule not in named(said[2 * number + 2])}
    assert kept == set()
    assert unnamed == set(UNNAMED)


@pytest.mark.java
def test_mutants_are_judged_as_the_engine_judges_them(mutants, judged):
    errors = {
        number: [each for each in issues if each["severity"] in compare_judge.FAILED]
        for number, issues in judged["mutants.ndjson"].items()
    }
    found = compare_judge.compare(mutants, errors, Checker())
    assert found.count == COUNT + GROWN
    assert found.open == 0, list(found.lines(9))  # what the two judge differently is listed, with who is right and why
    assert found.placed + found.whole >= 0.98 * found.rejected
    assert found.agreed + found.digits >= 0.97 * found.count


@pytest.mark.java
def test_the_official_examples_have_no_errors_but_those_that_are_defective():
    checker, found = Checker(), {}
    for name, data in official_examples.examples():
        report = checker.report()
        checker.check_bytes(data, report)
        if not report.ok:
            found[name] = {each.rule for each in report.findings if each.severity in compare_judge.FAILED}
    assert found == defective()


def test_places_are_compared_without_what_the_two_write_differently():
    ours = "Bundle.entry[0].resource.value.ofType(Quantity).code"
    engine = "Bundle.entry[0].resource/*Observation/x*/.value.ofType(Quantity)"
    assert compare_judge.near(compare_judge.place(ours), compare_judge.place(engine))
    assert not compare_judge.near(compare_judge.place(ours), compare_judge.place("Bundle.entry[0].fullUrl"))


def test_a_listed_difference_says_who_is_right_and_why():
    for row in compare_judge.known_differences():
        assert row["only"] in ("casefhir", "hl7")
        assert row["right"] in ("casefhir", "hl7")
        assert row["why"]
    assert compare_judge.known("casefhir", "structure.empty-array", "given is an empty array.")
    assert compare_judge.known("casefhir", "obs-6", "") is None
