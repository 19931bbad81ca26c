"""From files to files, no cell crosses persons or visits: every cell is its own token, and each token that a resource
holds is traced to a cell of the very rows that the resource may draw on, none of which is lost either.
"""

import csv
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefhir.fhir import templates
from casefhir.fhir.templates import Templates
from casefhir.sources.tables import keys
from casefhir.tables import Options, convert_tables, making
from tests.thorough import of

MAPPING = """
casefhir = 1
name = "t"
title = "A test registry"
version = "1"
recorded = "2026-01-01T00:00:00Z"
test_data = true
[reading]
missing = ["NA"]
[tables.dm]
key = ["ID"]
[tables.sv]
key = ["ID"]
[tables.lb]
key = ["ID"]
[tables.vt]
through = "sv"
via = { ROWID = "ROWID" }
[tables.ex]
key = ["ID"]
[tables.ae]
key = ["ID"]
[tables.mh]
key = ["ID"]
[tables.sp]
key = ["ID"]
[person]
table = "dm"
sex = "SEX"
birth_date = "BORN"
family = "NAME"
identifiers = [{ system = "https://example.org/number", value = "NUMBER" }]
[[visit]]
name = "visit"
table = "sv"
key = ["V"]
text = "CALLED"
when = "DAY"
[[problem]]
name = "mh"
table = "mh"
key = ["SEQ"]
text = ["TERM", "SPARE"]
onset = "FROM"
abatement = "TO"
notes = ["NOTE"]
evidence = [{ rule = "lab", key = ["SEQ"] }]
[[course]]
name = "ex"
table = "ex"
key = ["SEQ"]
visit = "V"
text = "TRT"
start = "FROM"
end = "TO"
notes = [{ table = "dm", column = "REMARK" }]
[course.dose]
amount = "DOSE"
unit = "UNIT"
[[measurement]]
name = "lab"
table = "lb"
key = ["SEQ"]
visit = "V"
text = "TEST"
value = "RES"
unit = "UNIT"
range = { low = "LO", high = "HI" }
flag = "FLAG"
notes = [
  "NOTE",
  { table = "sv", column = "CALLED", on = { V = "V" } },
  { table = "sp", label = "LABEL", column = "WORDS", names = "NAMES", value = "VALUE" },
]
when = ["DAY", { date = { table = "sv", column = "DAY", on = { V = "V" } } }]
[[measurement]]
name = "wide"
table = "sv"
key = ["V"]
visit = "V"
concept = { const = "{concept}" }
value = "{column}{n}"
unit = { column = "UNIT{unit}", default = "mg/l" }
when = "DAY"
each = [
  { name = "a", column = "A", concept = "crp", unit = "A" },
  { name = "b", column = "B", concept = "crp", unit = "B" },
]
repeat = { n = ["1", "2"] }
[[measurement]]
name = "pressure"
table = "vt"
key = ["V"]
visit = "V"
text = { const = "Pressures" }
when = "DAY"
components = [
  { text = { const = "upper" }, value = "UP", unit = { const = "mm[Hg]" } },
  { text = { const = "lower" }, value = "DOWN", unit = { const = "mm[Hg]" } },
]
[[adverse_event]]
name = "ae"
table = "ae"
key = ["SEQ"]
visit = "V"
text = "TERM"
when = "FROM"
end = "TO"
suspects = [{ rule = "ex", key = ["EXSEQ"] }]
action = "ACN"
"""
NUMBERS = {"RES", "LO", "HI", "DOSE", "A1", "A2", "B1", "B2", "UP", "DOWN"}
DATES = {"BORN", "DAY", "FROM", "TO"}
WORDS = {"WORDS", "NAME", "NUMBER", "CALLED", "TERM", "SPARE", "NOTE", "TRT", "REMARK"}
FIXED = {
    "SEX": ("F", "M", "U"), "TEST": ("Aldolase", "Ferritin", "Factor"), "FLAG": ("H", "L"),
    "UNIT": ("U/L", "mg/dl", "g/l"), "UNITA": ("mg/l", "mg/dl"), "UNITB": ("g/l", "mg/l"), "ACN": ("DRUG WITHDRAWN",),
    "LABEL": ("Flag", "Grade"),
}  # fmt: skip
"""Cells of which many rows have the same: what is remembered of one row and used for another hangs on them."""
COLUMNS = {
    "dm": ("ID", "SEX", "BORN", "NAME", "NUMBER", "REMARK"),
    "sv": ("ID", "V", "ROWID", "CALLED", "DAY", "A1", "A2", "B1", "B2", "UNITA", "UNITB"),
    "lb": ("ID", "SEQ", "V", "TEST", "RES", "UNIT", "LO", "HI", "FLAG", "DAY", "NOTE"),
    "vt": ("ROWID", "V", "DAY", "UP", "DOWN"),
    "ex": ("ID", "SEQ", "V", "TRT", "FROM", "TO", "DOSE", "UNIT"),
    "ae": ("ID", "SEQ", "V", "EXSEQ", "TERM", "FROM", "TO", "ACN"),
    "mh": ("ID", "SEQ", "TERM", "SPARE", "FROM", "TO", "NOTE"),
    "sp": ("ID", "NAMES", "VALUE", "LABEL", "WORDS"),
}
KEYS = {"NAMES", "VALUE", "ID", "SEQ", "V", "ROWID", "EXSEQ"}
PERSONS = ["P1", "P10", "p1", "P1 0", "P1.0", "P2"]
_FIRST = {"BORN": date(1940, 1, 1)}
_DAY_ZERO = date(1990, 1, 1)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_TOKEN = re.compile(
    r"tok(?P<words>\d{6})x|(?<![\d.])4\.(?P<number>\d{6})(?!\d)|(?P<iso>(?:19|20)\d\d-\d\d-\d\d)"
    rf"|(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>\d{{4}})",
    re.I,
)


@dataclass
class Row:
    table: str
    person: str
    cells: dict[str, str]
    line: int = 0

    def __getitem__(self, column: str) -> str:
        """What a cell says; "" where it is blank."""
        found = self.cells[column].strip()
        return "" if found == "NA" else found


@dataclass
class Tables:
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, table: str, person: str, **wanted: str) -> list[Row]:
        return [
            row
            for row in self.rows[table]
            if row.person == person and all(row[column] == cell for column, cell in wanted.items())
        ]

    def write(self, folder: Path) -> None:
        for name, columns in COLUMNS.items():
            with (folder / f"{name}.csv").open("w", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(columns)
                for line, row in enumerate(self.rows[name], 2):
                    row.line = line
                    writer.writerow([row.cells[each] for each in columns])


def token(column: str, number: int) -> str:
    if column in NUMBERS:
        return f"4.{number:06d}"
    if column in DATES:
        return (_FIRST.get(column, _DAY_ZERO) + timedelta(days=number)).isoformat()
    return f"tok{number:06d}x"


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Long and wide tables of some persons, interleaved or sorted, blanks anywhere but in keys; in every other cell a
    token of its own, or one of a few words that differ from the neighbours'.
    """
    persons = draw(st.lists(st.sampled_from(PERSONS), min_size=2, max_size=4, unique=True))
    blanks = draw(st.sets(st.integers(0, 260), max_size=50))
    blank = draw(st.sampled_from(["", " ", "NA"]))
    numbers = count()
    made = Tables({name: [] for name in COLUMNS})

    def add(table: str, person: str, **keys: str) -> None:
        cells = {"ID": person} | keys
        for column in COLUMNS[table]:
            if column in KEYS:
                cells.setdefault(column, "")
                continue
            number = next(numbers)
            fixed = FIXED.get(column)
            cells[column] = (
                blank if number in blanks else fixed[number % len(fixed)] if fixed else token(column, number)
            )
        made.rows[table].append(Row(table, person, cells))

    for person in persons:
        add("dm", person)
        visits = [str(each) for each in range(1, 1 + draw(st.integers(1, 3)))]
        for visit in visits:
            add("sv", person, V=visit, ROWID=f"{person}/{visit}")
            add("vt", person, V=visit, ROWID=f"{person}/{visit}")
        places = st.sampled_from(["", "9", *visits])  # 9: a visit that is not there
        for number in range(1, 1 + draw(st.integers(0, 4))):
            add("lb", person, SEQ=str(number), V=draw(places))
            if draw(st.booleans()):
                add("sp", person, NAMES=draw(st.sampled_from(["SEQ", "SEQ", "V"])), VALUE=str(draw(st.integers(1, 4))))
        for number in range(1, 1 + draw(st.integers(0, 2))):
            add("ex", person, SEQ=str(number), V=draw(places))
            add("mh", person, SEQ=str(number))
            if draw(st.booleans()):
                add("ae", person, SEQ=str(number), V=draw(places), EXSEQ=draw(st.sampled_from(["1", "2"])))
    if draw(st.booleans()):
        shuffle = draw(st.randoms(use_true_random=False)).shuffle
        for rows in made.rows.values():
            shuffle(rows)
    return made


def found_in(text: str) -> set[str]:
    """The tokens in a resource's JSON, dates of its narrative included."""
    found = set()
    for each in _TOKEN.finditer(text):
        if each["day"]:
            found.add(date(int(each["year"]), _MONTHS.index(each["month"].title()) + 1, int(each["day"])).isoformat())
        else:
            found.add(each[0].lower())
    return found - {"2026-01-01"}


def tokens(row: Row, *columns: str) -> set[str]:
    return {row[each] for each in columns if row[each]}


@dataclass(frozen=True)
class Allowed:
    """The tokens that a resource has to hold, and those that it may hold beside them."""

    must: set[str]
    may: set[str] = field(default_factory=set)


def allowed(made: Tables, row: Row, rule: str, fact: str) -> Allowed:
    """What a fact of a row draws on, as the mapping says it."""
    who = row.person
    if rule == "person":
        return Allowed(tokens(row, "BORN", "NAME", "NUMBER"))
    if rule == "visit":
        return Allowed(tokens(row, "CALLED", "DAY"))
    if rule == "mh":
        return Allowed(tokens(row, "TERM" if row["TERM"] else "SPARE", "FROM", "TO", "NOTE"))
    if rule == "lab":
        visit = made.of("sv", who, V=row["V"])
        joined = tokens(visit[0], "CALLED") if visit else set()
        day = tokens(row, "DAY") or (tokens(visit[0], "DAY") if visit else set())
        added = {
            each
            for more in made.rows["sp"]
            if more.person == who and row[more["NAMES"]] == more["VALUE"]
            for each in tokens(more, "WORDS")
        }
        return Allowed(tokens(row, "RES", "LO", "HI", "NOTE") | joined | day | added)
    if rule == "wide":
        _, entry, number, _ = fact.split(".")
        return Allowed(tokens(row, f"{entry.upper()}{number}", "DAY"))
    if rule == "pressure":
        return Allowed(tokens(row, "UP", "DOWN", "DAY"))
    if rule == "ex":
        blaming = made.of("ae", who, EXSEQ=row["SEQ"])
        person = made.of("dm", who)[0]
        may = {each for event in blaming if event["ACN"] for each in tokens(event, "TERM", "FROM")}
        return Allowed(tokens(row, "TRT", "FROM", "TO", "DOSE") | tokens(person, "REMARK"), may)
    assert rule == "ae"
    blamed = made.of("ex", who, SEQ=row["EXSEQ"])
    # a suspect is told apart by its start, or by its dose where it has none
    may = {each for course in blamed for each in tokens(course, "TRT", "FROM", "TO", "DOSE")}
    if fact.endswith(".condition"):
        return Allowed(tokens(row, "TERM", "FROM", "TO"), may)
    return Allowed(tokens(row, "TERM", "FROM"), may)


def written(out: Path, form: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Every resource with its entry in the index."""
    if form == "ndjson":
        index = {
            each["resource"]: each
            for each in map(json.loads, (out / "index" / "resources.ndjson").read_text().splitlines())
        }
        for file in out.glob("*.ndjson"):
            for line in file.read_text().splitlines():
                made = json.loads(line, parse_float=str)
                yield made, index.get(f"{made['resourceType']}/{made['id']}")
        return
    for file in out.glob("*.json"):
        if file.name != "manifest.json":
            by_id = json.loads((out / "index" / file.name).read_text())
            for entry in json.loads(file.read_text(), parse_float=str)["entry"]:
                yield entry["resource"], by_id.get(entry["resource"]["id"])


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("reference"), str):
            yield part["reference"].removeprefix("urn:uuid:").rpartition("/")[2]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def check(made: Tables, out: Path, form: str) -> None:
    """Trace all that a run has written."""
    resources = list(written(out, form))
    case_of = {each["id"]: each["meta"]["tag"][1]["code"] for each, _ in resources}
    assert len(case_of) == len(resources), "two resources have one id"
    by_place = {(f"{row.table}.csv", row.line): row for rows in made.rows.values() for row in rows}
    persons: dict[str, set[str]] = {}
    visit_of: dict[str, tuple[str, str]] = {}
    for each, place in resources:
        if place and place["rule"] == "visit":
            row = by_place[place["file"], place["row"]]
            visit_of[each["id"]] = (row.person, row["V"])
    for each, place in resources:
        case = each["meta"]["tag"][1]["code"]
        for other in references(each):
            assert case_of[other] == case, f"{each['resourceType']} {each['id']} refers to another person's"
        held = found_in(json.dumps(each, ensure_ascii=False))
        if place is None:
            condition = each["resourceType"] == "Condition"  # of an event, whose row is the event's
            assert condition or each["resourceType"] in ("Device", "Provenance")
            if not condition:
                assert not held
                continue
            event = next(
                (other, at)
                for other, at in resources
                if other["resourceType"] == "AdverseEvent" and each["id"] in references(other) and at
            )
            place = event[1] | {"fact": event[1]["fact"] + ".condition"}
        row = by_place[place["file"], place["row"]]
        persons.setdefault(row.person, set()).add(case)
        wanted = allowed(made, row, place["rule"], place["fact"])
        assert held <= wanted.must | wanted.may, (place, held - wanted.must - wanted.may)
        assert wanted.must <= held, (place, wanted.must - held)
        encounter = (each.get("encounter") or each.get("context") or {}).get("reference")
        if encounter:
            assert visit_of[encounter.removeprefix("urn:uuid:").rpartition("/")[2]] == (row.person, row["V"])
        _check_words(each, row, place)
    cases = [case for of in persons.values() for case in of]
    assert all(len(of) == 1 for of in persons.values())
    assert len(set(cases)) == len(persons)


def _check_words(each: dict[str, Any], row: Row, place: dict[str, Any]) -> None:
    """The cells that many rows share are those of the row too."""
    value = each.get("valueQuantity", {})
    if place["rule"] == "person":
        assert each["gender"][0].upper() == (row["SEX"] or "U")
    elif place["rule"] == "lab":
        assert each["code"].get("text", "") == (row["TEST"] or "")
        assert value.get("unit", "") == row["UNIT"]
        flags = [code["code"] for one in each.get("interpretation", ()) for code in one["coding"]]
        assert flags == [row["FLAG"]] if row["FLAG"] else True
        for one in each.get("referenceRange", ()):
            assert one.get("low", {}).get("value", "") == row["LO"]
            assert one.get("high", {}).get("value", "") == row["HI"]
    elif place["rule"] == "wide":
        assert value["unit"] == (row["UNITA" if place["fact"].startswith("wide.a") else "UNITB"] or "mg/l")
    elif place["rule"] == "pressure":
        told = {one["code"]["text"]: one.get("valueQuantity", {}).get("value", "") for one in each["component"]}
        assert {name: value for name, value in told.items() if value} == {
            name: row[column] for name, column in (("upper", "UP"), ("lower", "DOWN")) if row[column]
        }
    elif place["rule"] == "ex" and row["DOSE"] and row["UNIT"]:
        assert each["dosage"][0]["doseAndRate"][0]["doseQuantity"]["unit"] == row["UNIT"]


@pytest.mark.examples
@pytest.mark.parametrize(("form", "most"), [("ndjson", 40), ("transaction", 10)])
def test_no_cell_crosses_persons_or_visits(
    form: Literal["ndjson", "transaction"], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Templates made of one example's rows are filled with the next one's, as in one long run."""
    (tmp_path / "t.toml").write_text(MAPPING)
    kept: list[Templates] = []
    ways: Counter[str] = Counter()
    fill, ordinary = templates._Person._fill, templates._Person._ordinary

    def the_same(**given: Any) -> Templates:
        return kept[0] if kept else kept.append(Templates(**given)) or kept[0]

    def filling(*given: Any) -> None:
        ways["template"] += 1
        fill(*given)

    def going_round(*given: Any) -> None:
        ways["ordinary"] += 1
        ordinary(*given)

    monkeypatch.setattr(making, "Templates", the_same)
    monkeypatch.setattr(templates._Person, "_fill", filling)
    monkeypatch.setattr(templates._Person, "_ordinary", going_round)

    @given(tables(), st.sampled_from([keys.IN_MEMORY, keys.IN_MEMORY, keys.IN_MEMORY, 0]))
    @settings(max_examples=of(most), suppress_health_check=[HealthCheck.too_slow])
    def holds(made: Tables, in_memory: int) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as name, mock.patch.object(keys, "IN_MEMORY", in_memory):
            folder = Path(name)
            (folder / "in").mkdir()
            made.write(folder / "in")
            tally = convert_tables([folder / "in"], tmp_path / "t.toml", folder / "out", Options(form=form))
            assert not tally.unaccounted()
            check(made, folder / "out", form)

    holds()
    assert ways["template"] > 3 * ways["ordinary"], "what is tried here has to go the quick way"
