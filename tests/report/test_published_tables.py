"""The tables of the six published cases, read as anybody's tables by a mapping, are those tables again.

`data/flat.toml` maps what `casefhir table` writes. What a mapping has no words for is named here, column by column:
nothing else may differ.
"""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from casefhir.report.bundles import Resources, read
from casefhir.report.csv_file import csv_bytes, unguarded
from casefhir.report.tables import tables
from casefhir.sources.tables.load import load_mapping
from casefhir.tables import Options, convert_tables

pytestmark = pytest.mark.thorough

Flat = dict[str, dict[str, dict[str, str]]]
"""Table, row, column: the cell. A row is known by its resource, its component and its suspect."""

# A mapping has no words for a time told by an event: the words become a note, and the event is no link any more.
RELATIVE = ("words", "relation", "offset", "offset_comparator", "offset_unit", "event_id", "event_text")
TIMES = {
    "visits": ("started",),
    "conditions": ("onset", "abatement"),
    "observations": ("effective",),
    "medications": ("started", "ended"),
    "procedures": ("performed",),
    "adverse_events": ("date",),
}
OTHERS = {
    "visits": {"narrative", "type"},  # said anew; the table's own word for the setting is added to the kind of visit
    "conditions": {"condition_display", "severity"},  # a code's name is its system's; severities are mild to severe
    # parts of a panel stand alone; the words of what kind of range it is; reasons in words are notes
    "observations": {"observation_display", "component", "category", "reference_type", "absent_reason", "value_ucum"},
    "medications": {"drug_display", "status_reason", "period", "period_unit"},  # "every month" without how many times
    "procedures": {"procedure_display"},
    "adverse_events": {"event_display", "narrative", "condition_ids", "outcome", "outcome_text", "causality_code"},
}
LINKS = ("patient_id", "encounter_id", "suspect_id", "reason_ids")
OWN = ("id", "case_id", "fact", "source_id", "source_offset", "source_length", "source_places")


def flat(resources: Resources) -> dict[str, list[dict[str, str]]]:
    """The flat tables as their CSV has them."""
    found = {}
    for table in tables(resources):
        text = io.StringIO(csv_bytes(table).decode("utf-8"), newline="")
        found[table.name] = [{name: unguarded(cell) for name, cell in row.items()} for row in csv.DictReader(text)]
    return found


@pytest.fixture(scope="module")
def both(cases: Resources, tmp_path_factory: pytest.TempPathFactory) -> tuple[Flat, Flat, dict[str, str]]:
    """The tables before and after, and which resource each one became."""
    folder = tmp_path_factory.mktemp("flat")
    (folder / "in").mkdir()
    for table in tables(cases):
        (folder / "in" / f"{table.name}.csv").write_bytes(csv_bytes(table))
    mapping = load_mapping(Path(__file__).parent / "data" / "flat.toml")
    tally = convert_tables([folder / "in"], mapping, folder / "out", Options(form="ndjson"))
    assert not tally.total_rejected, tally
    before: Flat = {}
    for name, rows in flat(cases).items():
        before[name] = {_row(each): each for each in rows}
        assert len(before[name]) == len(rows)
    after: Flat = {}
    became: dict[str, str] = {}
    for name, rows in flat(read([folder / "out"])).items():
        after[name] = {}
        for row in rows:
            known = row["fact"].partition("/")[2].partition("/")[2].partition(".")[2] or _person(row, before)
            after[name][known] = row
            became[known[:36]] = row["id"]
    return before, after, became


def _row(row: dict[str, str]) -> str:
    more = row.get("component") or row.get("suspect_id", "")[:8]
    return f"{row['id']}-{more}" if more else row["id"]


def _person(row: dict[str, str], before: Flat) -> str:
    return next(each for each in before["patients"] if each in row["case_id"])


def test_each_fact_comes_back_once(both: tuple[Flat, Flat, dict[str, str]]) -> None:
    before, after, _ = both
    for name, rows in before.items():
        lost = set(rows) - set(after[name])
        assert set(after[name]) <= set(rows), name
        # a panel that has its values in its members has none of its own, and a row without a value is none
        assert all(not rows[each]["value_type"] and not rows[each]["absent_reason"] for each in lost), name
        assert len(lost) <= 1, name


@pytest.mark.parametrize("name", TIMES)
def test_every_cell_comes_back_but_those_that_a_mapping_has_no_words_for(
    name: str, both: tuple[Flat, Flat, dict[str, str]]
) -> None:
    before, after, became = both
    left = OTHERS[name] | {f"{time}_{each}" for time in TIMES[name] for each in RELATIVE} | {*OWN, *LINKS, "notes"}
    compared = 0
    for key, row in before[name].items():
        back: dict[str, Any] = after[name].get(key, {})
        for column, cell in row.items():
            if back and column not in left and cell:
                assert back[column] == cell, (key, column)
                compared += 1
        for column in LINKS:
            if back and row.get(column):
                assert back[column].split() == [became[each] for each in row[column].split()], (key, column)
        if back and "notes" in row:
            told = [row["notes"], *(row[f"{time}_words"] for time in TIMES[name])]
            assert all(each in back["notes"] for each in told), key
    assert compared >= 4 * len(before[name])
