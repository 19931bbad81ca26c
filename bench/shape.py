"""From facts to validated bytes: resources a second and core (processor time), warm, beside peers in the same run.

    python bench/shape.py [--persons N] [--seed S] [--profile] [--json]

The work: N persons of 30 resources (Patient, Encounters, Conditions, MedicationStatements, Observations with ranges,
an AdverseEvent, Device, two Provenances) whose facts are made beforehand from a seed. Ours is `templates().shape`, with
and without validation; beside it our ordinary path (`convert`, `write`, `validate`), the dicts that it makes written
by orjson and json, and fhir.resources building, validating and dumping the same. Peers run on the first persons alone.
Figures are ratios to be read within one run: machines and days differ.
"""

import argparse
import cProfile
import json
import pstats
import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from casefhir import exactjson, library
from casefhir.fhir import convert
from casefhir.record import (
    AdverseEvent,
    Between,
    Case,
    Cells,
    Code,
    Course,
    Dosage,
    Extract,
    Fact,
    Identifier,
    Measurement,
    On,
    Person,
    Problem,
    Quantity,
    Range,
    Suspect,
    Visit,
)

LABS = (
    ("ck", "U/L", "U/L", "30", "170", "2157-6"),
    ("crp", "mg/L", "mg/L", "0", "5", "1988-5"),
    ("igg", "g/L", "g/L", "7.0", "16.0", "2465-3"),
    ("igg1", "g/L", "g/L", "3.82", "9.29", "2466-1"),
    ("igg2", "g/L", "g/L", "2.42", "7.00", "2467-9"),
    ("aldolase", "U/L", "U/L", "1.0", "7.6", "1761-6"),
)
DRUGS = ("azathioprine", "ivig", "prednisone", "rituximab")
PROBLEMS = ("dermatomyositis", "headache", "fever", "dyspnea")
LOCAL = "https://registry.example.org/tests"


def day(chance: random.Random, year: int) -> str:
    return f"{year}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"


def person(number: int, chance: random.Random) -> Case:
    """One person of 30 resources."""
    birth = chance.randint(1930, 1990)
    facts: list[Fact] = []
    rules: dict[str, str] = {"subject": "person"}

    def add(fact: Fact, rule: str) -> None:
        facts.append(fact)
        rules[fact.key] = rule

    for visit in range(4):
        start = day(chance, 2010 + visit)
        when = Between(f"{start}T08:{chance.randint(0, 59):02d}:00Z", f"{start}T10:00:00Z", Cells("rows", visit + 1))
        add(Visit(f"visit-{visit}", Cells("rows", visit + 1), when=when, setting="ambulatory", text="Clinic"), "visit")
    for place, concept in enumerate(PROBLEMS):
        onset = On(day(chance, 2005 + place), Cells("rows", 10 + place))
        end = On(day(chance, 2014), Cells("rows", 10 + place)) if chance.random() < 0.5 else None
        status = "resolved" if end else "active"
        add(
            Problem(f"problem-{place}", concept, Cells("rows", 10), status=status, onset=onset, abatement=end),  # type: ignore[arg-type]
            "problem",
        )
    for place, drug in enumerate(DRUGS):
        dose = Quantity(Decimal(chance.choice((25, 50, 100, 500))), "mg")
        add(
            Course(
                f"drug-{place}", drug, Cells("rows", 20), status="completed", visit=f"visit-{place}",
                start=On(day(chance, 2010 + place), Cells("rows", 20)), end=On(day(chance, 2015), Cells("rows", 20)),
                dosage=Dosage(f"{dose} BID", dose=dose, times=2, every="1 day", route="oral"),
            ),
            "drug",
        )  # fmt: skip
    for place in range(13):
        concept, unit, code, low, high, loinc = LABS[place % len(LABS)]
        value = Quantity(Decimal(chance.randint(1, 2500)).scaleb(-2), unit, code=code)
        normal = Range(Quantity(Decimal(low), unit, code=code), Quantity(Decimal(high), unit, code=code))
        add(
            Measurement(
                f"lab-{place}", concept, value, Cells("rows", 30 + place), text=concept.upper(),
                visit=f"visit-{place % 4}",
                when=On(f"{day(chance, 2010 + place % 4)}T07:30:{chance.randint(0, 59):02d}Z", Cells("rows", 30)),
                range=normal, category="laboratory",
                codes=(Code("http://loinc.org", loinc), Code(LOCAL, concept.upper(), concept)),
            ),
            "lab",
        )  # fmt: skip
    add(
        AdverseEvent(
            "event", "headache", Cells("rows", 50), (Suspect("drug-0", "PROBABLE", "probable"),), text="HEADACHE",
            when=On(day(chance, 2016), Cells("rows", 50)), severity="mild", outcome="resolved",
            resulting=("problem-1",),
        ),
        "event",
    )  # fmt: skip
    return Case(
        key=f"bench.p{number}",
        title=f"Person {number}",
        article=None,
        extract=Extract(
            "A registry's export", "bench", "ab" * 32, {"persons": "persons.csv", "rows": "rows.csv"}, rules, "1"
        ),
        person=Person(
            chance.choice(("female", "male")),
            Cells("persons", number),
            identifiers=(Identifier("https://registry.example.org/persons", f"P{number}"),),
            birth_date=day(chance, birth),
        ),
        facts=tuple(facts),
        sections=(),
        recorded="2026-01-01T00:00:00Z",
        test_data=False,
    )


def rate(work: Callable[[Case], int], cases: list[Case]) -> float:
    """Resources a second of processor time: the best of three rounds."""
    best = 0.0
    for _ in range(3):
        start, made = time.process_time(), 0
        for case in cases:
            made += work(case)
        best = max(best, made / (time.process_time() - start))
    return best


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--persons", type=int, default=300)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--profile", action="store_true", help="show where the time goes")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    chance = random.Random(given.seed)
    cases = [person(number, chance) for number in range(given.persons)]
    few = cases[:20]
    checked, unchecked = library.templates(), library.templates(validate=False)
    for case in cases:
        shaped = checked.shape(case)
        assert not shaped.findings, shaped.findings[0]
        assert len(shaped.resources) == 30
    same = [exactjson.write(each) for each in convert(cases[0], form="ndjson").resources]
    assert [each[3] for each in checked.shape(cases[0]).resources] == same
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: [checked.shape(case) for case in cases])
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    found = {
        "templates, validated": rate(lambda case: len(checked.shape(case).resources), cases),
        "templates, not validated": rate(lambda case: len(unchecked.shape(case).resources), cases),
        **peers(few),
    }
    if given.json:
        print(json.dumps(found))
        return
    ours = found["templates, validated"]
    for name, value in found.items():
        print(f"{name:45} {value:10,.0f}/s {1e6 / value:9.1f} µs {value / ours:7.3f}")


def peers(cases: list[Case]) -> dict[str, float]:
    """The same resources by others, and by our ordinary path."""
    from fhir.resources.R4B import get_fhir_model_class

    made: dict[str, list[Any]] = {case.key: list(convert(case, form="ndjson").resources) for case in cases}
    plain = {key: [json.loads(exactjson.write(each)) for each in found] for key, found in made.items()}

    def ordinary(case: Case) -> int:
        conversion = convert(case, form="ndjson")
        for each in conversion.resources:
            exactjson.write(each)
        library.validate_conversion(conversion)
        return len(conversion.resources)

    def dumped(case: Case) -> int:
        return len([json.dumps(each) for each in plain[case.key]])

    def built(case: Case) -> int:
        for each in plain[case.key]:
            get_fhir_model_class(each["resourceType"]).model_validate(each).model_dump_json()
        return len(plain[case.key])

    return {
        "convert, write, validate (ordinary path)": rate(ordinary, cases),
        "fhir.resources: build, validate, dump": rate(built, cases),
        "json.dumps of ready dicts, no validation": rate(
            lambda case: len([json.dumps(each) for each in plain[case.key]]), cases
        ),
        "orjson.dumps of ready dicts, no validation": rate(
            lambda case: len([orjson.dumps(each) for each in plain[case.key]]), cases
        ),
    }


if __name__ == "__main__":
    main()
