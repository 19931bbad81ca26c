"""Tables that were converted and made into tables again have lost nothing: every cell is in the row of its fact."""

import csv
import html
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from casefhir.report.bundles import read
from casefhir.report.csv_file import csv_bytes, unguarded
from casefhir.report.tables import tables
from casefhir.sources.tables.load import load_mapping
from casefhir.tables import Options, Tally, convert_tables
from tests.thorough import examples

Rows = list[dict[str, str]]
Flat = dict[str, dict[str, dict[str, str]]]
"""Table, fact, column: the cell, as the CSV has it and without the guard against formulas."""

REGISTRY = load_mapping("registry")
COLUMNS = {
    "patients": "patient sex birth_date origin deceased death_date",
    "diagnoses": "patient no diagnosis status certainty severity onset ended diagnosed body_site note",
    "visits": "patient visit date setting ck crp igg dlco_percent fvc_percent note",
    "results": "patient no visit date test value unit loinc range_low range_high flag method note",
    "treatments": "patient no drug dose unit frequency route start end ongoing status stop_reason indication note",
    "adverse_events": "patient no event date end severity serious outcome treatment_no causality action note",
    "procedures": "patient no procedure status date body_site outcome note",
}
PERSONS, NUMBERS = ["p1", "007", "7"], ["1", "01", "2"]
"""Keys that are alike for whoever takes them for numbers."""
UNITS = {"ck": "U/L", "crp": "mg/L", "igg": "g/L", "dlco": "%", "fvc": "%"}
SETTINGS = {"ambulatory": "AMB", "inpatient": "IMP"}
SERIOUS = {"serious": "Serious", "non-serious": "Non-serious", "hospitalization": "SeriousResultsInHospitalization"}
FLAGS = {"H": "H", "low": "L", "N": "N"}
WITHDRAWN, UNCHANGED = "drug withdrawn", "dose not changed"

WORDS = st.sampled_from([
    'Größe "groß"', "007", "=1+1", "+x", "-links, oben", "@SUM(A1)", "'quoted", "''=1", "a; b", "Zeile & <b>",
    "zwei\nZeilen", "1.50", "1e5", "2012-05", "ſtraße  doppelt", "µg → mg", "x" * 300,
])  # fmt: skip
FREE = st.text("aäßÉ \"';,=+-@07/<>&|%", min_size=1, max_size=12).map(lambda text: text.strip()).filter(bool)
TEXT = WORDS | FREE
DECIMAL = st.builds("{}.{}".format, st.integers(0, 999), st.sampled_from(["0", "00", "10", "05", "123456789012"]))
NUMBER = DECIMAL | st.integers(0, 10**9).map(str)
RESULT = (
    NUMBER
    | st.builds("{}{}".format, st.sampled_from(["<", "<=", ">=", ">"]), NUMBER)
    | st.sampled_from(["positive", "weakly positive", "nicht messbar", "007", "ND", "1:320", "1:80"])
)


def date(first: int, last: int) -> st.SearchStrategy[str]:
    year, month = st.integers(first, last), st.integers(1, 12)
    return st.one_of(
        year.map(str),
        st.builds("{}-{:02}".format, year, month),
        st.builds("{}-{:02}-{:02}".format, year, month, st.integers(1, 28)),
    )


@st.composite
def registries(draw: Callable[[Any], Any]) -> dict[str, Rows]:
    """A filled registry template: all that it has columns for, any of it blank."""

    def some(strategy: st.SearchStrategy[str]) -> str:
        return str(draw(st.just("") | strategy))

    def of(*choice: str) -> str:
        return str(draw(st.sampled_from(choice)))

    def several() -> list[str]:
        return list(draw(st.lists(st.sampled_from(NUMBERS), max_size=2, unique=True)))

    found: dict[str, Rows] = {name: [] for name in COLUMNS}
    for person in draw(st.lists(st.sampled_from(PERSONS), min_size=1, max_size=2, unique=True)):
        dead = of("", "yes", "no")
        values = [of("", "female", "male", "other"), some(date(1940, 1980)), some(TEXT), dead]
        found["patients"].append(_row("patients", person, *values, some(date(2021, 2024)) if dead == "yes" else ""))
        for no in several():
            ended = some(date(2010, 2019))
            status = of("", "resolved", "remission") if ended else of("", "active", "recurrence")
            values = [draw(TEXT), status, of("", "confirmed", "provisional"), some(TEXT), some(date(2000, 2009)), ended]
            found["diagnoses"].append(
                _row("diagnoses", person, no, *values, some(date(2000, 2009)), some(TEXT), some(TEXT))
            )
        visits = several()
        for no in visits:
            values = [some(date(2000, 2009)), of("", *SETTINGS), *(some(RESULT) for _ in range(5))]
            found["visits"].append(_row("visits", person, no, *values, some(TEXT)))
        for no in several():
            test, unit, loinc = draw(
                st.tuples(TEXT, st.sampled_from(["U/L", "mg/dL", "arb. u.", "%"]), st.just(""))
                | st.sampled_from([("CRP", "mg/L", "1988-5"), ("aldolase", "U/L", ""), ("ANA", "", "")])
            )
            values = [of("", *visits), some(date(2000, 2009)), test, draw(RESULT), unit, loinc]
            low, high = some(st.integers(0, 9).map("{}.0".format)), some(st.integers(10, 99).map("{}.50".format))
            found["results"].append(
                _row("results", person, no, *values, low, high, of("", *FLAGS), some(TEXT), some(TEXT))
            )
        treatments = several()
        for no in treatments:
            dose = some(NUMBER)
            unit = of("mg", "g/kg", "mg/m2", "puffs") if dose else ""
            often = of("", "daily", "twice daily", "every 2 weeks", "when the moon is full")
            values = [draw(TEXT | st.just("prednisone")), dose, unit, often, of("", "oral", "i.v.", "durch die Nase")]
            status = of("", "active", "stopped", "completed")
            ongoing = of("", "yes") if status in ("", "active") else ""
            end = "" if ongoing or status == "active" else some(date(2010, 2019))
            why = some(TEXT) if status == "stopped" else ""
            values += [some(date(2000, 2009)), end, ongoing, status, why]
            found["treatments"].append(_row("treatments", person, no, *values, some(TEXT), some(TEXT)))
        for no in several():
            values = [draw(TEXT), some(date(2000, 2009)), some(date(2010, 2019)), of("", "moderate", "grade 3")]
            values += [of("", *SERIOUS), of("", "resolved", "recovered"), of("", *treatments)]
            likely = of("", "probable", "likely", "eher nicht") if values[-1] else ""
            action = of("", UNCHANGED, WITHDRAWN, "beobachtet")
            found["adverse_events"].append(_row("adverse_events", person, no, *values, likely, action, some(TEXT)))
        for no in several():
            values = [draw(TEXT), of("", "completed", "not-done"), some(date(2000, 2009)), some(TEXT), some(TEXT)]
            found["procedures"].append(_row("procedures", person, no, *values, some(TEXT)))
        told = [cell for rows in found.values() for row in rows if row["patient"] == person for cell in row.values()]
        if not "".join(told).removeprefix(person):
            found["patients"][-1]["sex"] = "female"  # a key alone is taken for a note under the table
    return found


def _row(table: str, *cells: str) -> dict[str, str]:
    return dict(zip(COLUMNS[table].split(), cells, strict=True))


def there_and_back(registry: dict[str, Rows], folder: Path) -> tuple[Flat, Tally]:
    """The flat tables of what `registry` was converted to, written as CSV and read again."""
    (folder / "in").mkdir()
    for name, rows in registry.items():
        with (folder / "in" / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS[name].split())
            writer.writeheader()
            writer.writerows(rows)
    tally = convert_tables([folder / "in"], REGISTRY, folder / "out", Options(form="ndjson", test_data=True))
    flat: Flat = {}
    for table in tables(read([folder / "out"])):
        text = io.StringIO(csv_bytes(table).decode("utf-8"), newline="")
        rows = [{name: unguarded(cell) for name, cell in row.items()} for row in csv.DictReader(text)]
        flat[table.name] = {row["fact"]: row for row in rows}
        assert len(flat[table.name]) == len(rows), f"{table.name}: one row a fact"
    return flat, tally


def moment(name: str, cell: str) -> dict[str, str]:
    """The columns of a date: as told, and how precise."""
    return {name: cell, f"{name}_precision": {0: "", 4: "year", 7: "month", 10: "day"}[len(cell)]}


def result(cell: str, unit: str) -> dict[str, str]:
    """The columns of a result."""
    said = {"value_written": "", "value_comparator": "", "value_text": "", "absent_reason": ""}
    if cell == "ND":
        return said | {"absent_reason": "not-performed"}
    if cell.startswith("1:"):
        return said | {"value_written": cell[2:], "value_unit": "{titer}"}
    figure = cell.lstrip("<>=")
    if cell == "007" and unit not in ("", "arb. u."):  # what has a unit is no identifier but a padded number
        return said | {"value_written": "7", "value_unit": unit}
    if cell == "007" or not figure[0].isdigit():
        return said | {"value_text": cell}
    return said | {"value_written": figure, "value_comparator": cell.removesuffix(figure), "value_unit": unit}


def facts(registry: dict[str, Rows], flat: Flat) -> Iterator[tuple[str, str, dict[str, str], dict[str, list[str]]]]:
    """Of every fact that was written: its table, key, the cells it should have, and words that cells should hold."""

    def id_of(table: str, key: str) -> str:
        return flat[table][key]["id"]

    for row in registry["patients"]:
        cells = {"gender": row["sex"] or "unknown", "birth_date": row["birth_date"], "origin": row["origin"]}
        cells |= {"deceased": {"yes": "true", "no": "false", "": ""}[row["deceased"]]}
        yield "patients", f"{case(row)}/Patient/subject", cells | {"deceased_date": row["death_date"]}, {}
    for row in registry["diagnoses"]:
        cells = {"condition_text": row["diagnosis"], "severity": row["severity"], "body_site": row["body_site"]}
        cells |= moment("onset", row["onset"]) | moment("abatement", row["ended"]) | {"asserted": row["diagnosed"]}
        cells |= {"notes": row["note"]}
        cells |= {"clinical_status": row["status"]} if row["status"] else {}
        cells |= {"verification_status": row["certainty"]} if row["certainty"] else {}
        yield "conditions", key(row, "Condition", "diagnosis"), cells, {}
    for row in registry["visits"]:
        cells = moment("started", row["date"]) | {"setting": SETTINGS.get(row["setting"], "")}
        visit = key(row, "Encounter", "visit", "visit")
        yield "visits", visit, cells, {"narrative": [row["note"]]}
        for name, unit in UNITS.items():
            value = row.get(name) or row.get(f"{name}_percent")
            if value:
                cells = result(value, unit) | moment("effective", row["date"])
                cells |= {"encounter_id": id_of("visits", visit)}
                yield "observations", key(row, "Observation", f"measure.{name}", "visit"), cells, {}
    for row in registry["results"]:
        cells = result(row["value"], row["unit"]) | moment("effective", row["date"]) | {"method": row["method"]}
        cells |= {"observation_text": row["test"]}
        cells |= {"interpretation": FLAGS[row["flag"]]} if row["flag"] else {}  # without one, what the range tells
        cells |= {"reference_low": row["range_low"], "reference_high": row["range_high"]}
        visit = key(row, "Encounter", "visit", "visit")
        cells |= {"encounter_id": id_of("visits", visit) if row["visit"] else ""}
        yield (
            "observations",
            key(row, "Observation", "result"),
            cells,
            {
                "notes": [row["note"]],
                "observation_codes": [row["loinc"]],
            },
        )
    for row in registry["treatments"]:
        cells = {"drug_text": row["drug"], "schedule": row["frequency"], "route": row["route"]}
        cells |= {"dosage_text": " ".join(row[each] for each in ("dose", "unit", "frequency", "route") if row[each])}
        if row["unit"] != "puffs":
            cells |= {"dose_written": row["dose"], "dose_unit": row["unit"]}
        cells |= moment("started", row["start"]) | moment("ended", row["end"])
        status, notes = row["status"] or ("active" if row["ongoing"] else ""), [row["note"]]
        if status == "active" and withdrawn(row, registry):
            status = "stopped"
            notes.append("Told as active.")
        cells |= {"status": status} if status else {}
        yield (
            "medications",
            key(row, "MedicationStatement", "treatment"),
            cells,
            {
                "notes": notes,
                "reasons": [row["indication"]],
                "status_reason": [row["stop_reason"]],
            },
        )
    for row in registry["adverse_events"]:
        cells = {"event_text": row["event"], "severity_text": row["severity"], "outcome_text": row["outcome"]}
        cells |= moment("date", row["date"]) | {"seriousness": SERIOUS.get(row["serious"], "")}
        treatment = key(row, "MedicationStatement", "treatment", "treatment_no")
        cells |= {"suspect_id": id_of("medications", treatment) if row["treatment_no"] else ""}
        cells |= {"causality_text": row["causality"]}
        held = {"narrative": [row["note"]]}
        if row["treatment_no"] and row["action"] not in ("", UNCHANGED):  # what was done with a course stands with it
            done = f"Action taken for {row['event']}: {row['action']}"
            yield "medications", treatment, {}, {"notes": [done]}
        else:
            held["narrative"].append(row["action"])
        yield "adverse_events", key(row, "AdverseEvent", "event"), cells, held
        cells = {"condition_text": row["event"]} | moment("onset", row["date"]) | moment("abatement", row["end"])
        yield "conditions", key(row, "Condition", "event") + ".condition", cells, {}
    for row in registry["procedures"]:
        cells = {"procedure_text": row["procedure"], "body_site": row["body_site"], "outcome": row["outcome"]}
        cells |= moment("performed", row["date"]) | {"notes": row["note"]}
        cells |= {"status": row["status"]} if row["status"] else {}
        yield "procedures", key(row, "Procedure", "procedure"), cells, {}


def withdrawn(treatment: dict[str, str], registry: dict[str, Rows]) -> bool:
    """Whether an adverse event led to the end of `treatment`."""
    return any(
        (each["patient"], each["treatment_no"], each["action"]) == (treatment["patient"], treatment["no"], WITHDRAWN)
        for each in registry["adverse_events"]
    )


def case(row: dict[str, str]) -> str:
    return f"registry-{row['patient']}"


def key(row: dict[str, str], type_: str, rule: str, column: str = "no") -> str:
    return f"{case(row)}/{type_}/{rule}.{row[column]}"


def folded(words: str) -> str:
    """Narratives begin with a capital letter."""
    return " ".join(html.unescape(words).casefold().split())


@examples(10, suppress_health_check=list(HealthCheck))
@given(registry=registries())
def test_every_cell_of_the_registry_template_comes_back_in_the_row_of_its_fact(registry: dict[str, Rows]) -> None:
    with TemporaryDirectory() as folder:
        flat, tally = there_and_back(registry, Path(folder))
    assert not tally.total_rejected, tally
    wanted: dict[str, set[str]] = {name: set() for name in flat}
    for table, fact, cells, held in facts(registry, flat):
        wanted[table].add(fact)
        row = flat[table][fact]
        assert {name: row[name] for name in cells} == cells, fact
        for name, words in held.items():
            assert all(folded(each) in folded(row[name]) for each in words), fact
        if table != "patients":
            patient = flat["patients"][f"{row['case_id']}/Patient/subject"]
            assert fact.startswith(row["case_id"] + "/"), fact
            assert row["patient_id"] == patient["id"], fact
    assert {name: set(rows) for name, rows in flat.items()} == wanted


def test_a_result_that_is_neither_number_nor_words_is_rejected_as_it_stood(tmp_path: Path) -> None:
    registry: dict[str, Rows] = {name: [] for name in COLUMNS}
    registry["patients"] = [_row("patients", "p1", "", "", "", "", "")]
    values = ["2012", "CRP", "=1+1", "mg/L", "", "", "", "", "", "007"]
    registry["results"] = [_row("results", "p1", "01", "", *values)]
    flat, tally = there_and_back(registry, tmp_path)
    assert tally.total_rejected == 1
    assert not flat["observations"]
    with (tmp_path / "out" / "rejects" / "results.csv").open(encoding="utf-8", newline="") as stream:
        (rejected,) = csv.DictReader(stream)
    assert {name: rejected[name] for name in registry["results"][0]} == registry["results"][0]
