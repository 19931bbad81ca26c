"""Tables of longitudinal records, 30 resources a person, from a seed; sorted by person, written in steady memory."""

import csv
import datetime as dt
import random
from pathlib import Path

TESTS = [
    ("CK", "U/l", 20, 4000, "30", "170", 0),
    ("CRP", "mg/l", 0, 120, "", "5", 1),
    ("IgG", "g/l", 3, 20, "7.0", "16.0", 2),
    ("IgG1", "g/l", 1, 12, "3.82", "9.29", 2),
    ("IgG2", "g/l", 1, 8, "2.42", "7.00", 2),
]
DRUGS = [
    ("azathioprine", "50", "mg", "BID", "oral"),
    ("methotrexate", "15", "mg", "every week", "oral"),
    ("rituximab", "1000", "mg", "every 6 months", "intravenous"),
    ("tocilizumab", "8", "mg/kg", "every 4 weeks", "intravenous"),
]
PROBLEMS = ["dermatomyositis", "dysphagia", "arthralgia"]
HEADERS = {
    "persons": ("id", "sex", "born"),
    "visits": ("id", "visit", "date"),
    "problems": ("id", "no", "name", "since"),
    "drugs": ("id", "no", "drug", "dose", "unit", "how_often", "route", "from", "to"),
    "labs": ("id", "visit", "date", "test", "value", "unit", "low", "high"),
    "events": ("id", "no", "event", "date", "severity", "outcome", "drug_no", "causality"),
}
RESOURCES = 30
"""Patient, 2 Encounters, 3 Conditions, 4 MedicationStatements, 12 Observations, 1 AdverseEvent, and the Device and 6
Provenances that say where it comes from.
"""


def generate(folder: Path, persons: int, seed: int = 1) -> None:
    """The six tables in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    streams = {name: (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") for name in HEADERS}
    writers = {name: csv.writer(stream) for name, stream in streams.items()}
    for name, header in HEADERS.items():
        writers[name].writerow(header)
    for number in range(persons):
        _person(f"P{number:08d}", draw, writers)
    for stream in streams.values():
        stream.close()


def _person(key: str, draw: random.Random, writers: dict) -> None:
    born = dt.date(draw.randint(1930, 2000), draw.randint(1, 12), draw.randint(1, 28))
    writers["persons"].writerow((key, draw.choice("FM"), draw.choice([born.isoformat(), str(born.year)])))
    start = dt.date(draw.randint(2010, 2022), draw.randint(1, 12), draw.randint(1, 28))
    days = [start + dt.timedelta(days=90 * visit) for visit in range(2)]
    for visit, day in enumerate(days, 1):
        writers["visits"].writerow((key, visit, day))
    for no, name in enumerate(PROBLEMS, 1):
        writers["problems"].writerow((key, no, name, draw.choice([start.year, f"{start:%Y-%m}", start])))
    for no, (drug, dose, unit, often, route) in enumerate(DRUGS, 1):
        begun = start + dt.timedelta(days=draw.randint(0, 60))
        ended = begun + dt.timedelta(days=draw.randint(30, 700))
        writers["drugs"].writerow((key, no, drug, dose, unit, often, route, begun, draw.choice(["", ended])))
    tests = [(visit, day, test) for visit, day in enumerate(days, 1) for test in TESTS] + [
        (visit, day, ("aldolase", "U/l", 1, 12, "", "7.6", 1)) for visit, day in enumerate(days, 1)
    ]
    for visit, day, (test, unit, low, high, normal_low, normal_high, places) in tests:
        value = draw.choice(["<" if draw.random() < 0.03 else ""]) + f"{draw.uniform(low, high):.{places}f}"
        writers["labs"].writerow((key, visit, day, test, value, unit, normal_low, normal_high))
    writers["events"].writerow(
        (
            key,
            1,
            draw.choice(["headache", "nausea", "rash"]),
            days[1],
            draw.choice(["MILD", "MODERATE", "SEVERE"]),
            "RECOVERED/RESOLVED",
            draw.randint(1, 4),
            draw.choice(["RELATED", "POSSIBLY RELATED"]),
        )
    )
