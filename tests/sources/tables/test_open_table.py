"""Blank cells that say what the cell above says: never over to another person."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.sources.tables.open_table import OpenTable, places_of
from casefhir.sources.tables.readers.text import TextTable
from casefhir.sources.tables.rows import Sheet, TableError


def opened(path: Path, text: str, fill: tuple[str, ...]) -> OpenTable:
    """A table whose column `who` tells the person."""
    file = path / "t.csv"
    file.write_text(text, encoding="utf-8")
    part = TextTable(file)
    sheet = Sheet("t", (part.file,), part.columns)
    return OpenTable(sheet, (part,), fill=places_of(sheet, fill), persons=places_of(sheet, ("who",)))


def cells(table: OpenTable) -> tuple[list[tuple], list[str]]:
    faults: list[str] = []
    rows = table.rows(lambda number, row, reason: faults.append(reason))
    return [row for _, row in rows], faults


def test_a_person_named_once_has_the_rows_below(tmp_path: Path) -> None:
    rows, _ = cells(opened(tmp_path, "who,ck\nA,1\n,2\nB,3\n,4\n", ("who",)))
    assert rows == [("A", "1"), ("A", "2"), ("B", "3"), ("B", "4")]


def test_other_columns_are_filled_within_a_person_alone(tmp_path: Path) -> None:
    text = "who,diagnosis,ck\nA,DM,1\n,,2\nB,,3\n,ASyS,4\n,,5\n"
    rows, _ = cells(opened(tmp_path, text, ("who", "diagnosis")))
    assert [row[:2] for row in rows] == [("A", "DM"), ("A", "DM"), ("B", ""), ("B", "ASyS"), ("B", "ASyS")]


def test_the_rows_below_one_that_cannot_be_read_are_nobodys(tmp_path: Path) -> None:
    rows, faults = cells(opened(tmp_path, "who,ck\nA,1\nB,2,surplus\n,3\nC,4\n", ("who",)))
    assert rows == [("A", "1"), ("", "3"), ("C", "4")]
    assert len(faults) == 1


def test_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="'whom', which is not there; the columns are who, ck"):
        opened(tmp_path, "who,ck\nA,1\n", ("whom",))


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "C", ""]), st.booleans()), min_size=1, max_size=30))
def test_no_cell_comes_from_another_person(tmp_path_factory: pytest.TempPathFactory, told: list) -> None:
    """Each cell that is there names whose it is."""
    lines, whose = ["who,site,ck"], "A"
    for number, (who, there) in enumerate([("A", True), *told]):
        whose = who or whose
        lines.append(f"{who},{whose + '-site' if there else ''},{number}")
    path = tmp_path_factory.mktemp("t")
    rows, _ = cells(opened(path, "\n".join(lines), ("who", "site")))
    assert all(who and site in ("", f"{who}-site") for who, site, _ in rows)
