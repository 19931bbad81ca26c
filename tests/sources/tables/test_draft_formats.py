"""Exports of known formats get the mapping that comes with casefhir; of others a draft says what it cannot know."""

from pathlib import Path

import pytest

from casefhir.sources.tables.check import MappingCheck, check_mapping
from casefhir.sources.tables.drafting.draft import draft_mapping
from casefhir.sources.tables.load import load_mapping, shipped
from casefhir.sources.tables.rows import TableError
from casefhir.tables import Options, Tally, convert_tables
from tests.sources.tables.test_redcap import LABELS, RAW
from tests.sources.tables.test_redcap import converted as redcap_folder
from tests.tables import exports

SYNTHEA = Path(__file__).parents[2] / "tables" / "data" / "synthea"


def tried(folder: Path, tables: Path) -> tuple[str, MappingCheck, Tally]:
    """The draft, what check says of it, and what conversion does with it."""
    told = draft_mapping([tables])
    file = folder / "draft.toml"
    file.write_text(told)
    checked = check_mapping(load_mapping(file), [tables])
    return told, checked, convert_tables([tables], file, folder / "out-draft", Options(test_data=True))


@pytest.mark.parametrize("name", ["sdtm", "omop", "synthea", "redcap", "phenopackets"])
def test_a_known_format_gets_its_mapping_and_it_fits(tmp_path: Path, name: str) -> None:
    if name == "synthea":
        tables = SYNTHEA
    else:
        tables = tmp_path / "in"
        made = getattr(exports, name)(3)
        if name == "phenopackets":
            exports.write_json(tables / "cohort.json", made)
        else:
            exports.write(tables, made)
    told, checked, tally = tried(tmp_path, tables)
    assert told.startswith(f'# These tables are {name}: this is the mapping "{name}" that comes with casefhir')
    assert shipped()[name].read_text().partition("casefhir = 1")[2] in told
    assert not checked.refusals
    assert tally.persons == 3
    assert not tally.total_rejected


def test_what_its_mapping_does_not_read_is_named(tmp_path: Path) -> None:
    exports.write(tmp_path / "in", exports.sdtm(2))
    (tmp_path / "in" / "tv.csv").write_text("STUDYID,DOMAIN,VISITNUM\nS,TV,1\n")
    assert "# It reads nothing of tv.csv." in draft_mapping([tmp_path / "in"])


def test_redcaps_exports_of_labels_are_drafted_with_their_dictionary(tmp_path: Path) -> None:
    redcap_folder(tmp_path / "in", LABELS)
    (tmp_path / "in" / "out").rename(tmp_path / "elsewhere")
    _, checked, tally = tried(tmp_path, tmp_path / "in")
    assert not checked.refusals
    assert tally.persons == 2
    (tmp_path / "in" / "dictionary.csv").unlink()
    with pytest.raises(TableError, match="looks like REDCap's export of labels"):
        draft_mapping([tmp_path / "in"])
    (tmp_path / "in" / "records.csv").write_text("\n".join(RAW))
    assert "# This is REDCap's: with the project's data dictionary beside it" in draft_mapping([tmp_path / "in"])


def test_supplemental_qualifiers_stand_with_the_rows_that_they_qualify(tmp_path: Path) -> None:
    made = exports.sdtm(3)
    exports.write(tmp_path / "in", {name: made[name] for name in ("ae", "suppae", "lb", "supplb")})
    told, checked, tally = tried(tmp_path, tmp_path / "in")
    assert told.count("notes = [{ table = ") == 2
    assert (
        'notes = [{ table = "suppae", label = "QLABEL", column = "QVAL", names = "IDVAR", value = "IDVARVAL" }]' in told
    )
    assert not checked.refusals
    assert checked.tables["suppae"].converted == checked.tables["suppae"].read
    assert not tally.total_rejected


def test_a_table_of_nobody_is_left_out_and_said(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "labs.csv").write_text("patient_id,sex,CK (U/l),site\nP1,F,120,3\nP2,M,80,4\n")
    (inside / "sites.csv").write_text("number,town\n3,X\n4,Y\n5,Z\n")
    told, checked, tally = tried(tmp_path, inside)
    assert "# sites.csv is left out, for no column of it tells whose row it is." in told
    assert [*checked.tables] == ["labs"]
    assert not tally.total_rejected
    assert tally.resources["Observation"] == 2


def test_rows_that_are_none_are_said(tmp_path: Path) -> None:
    (tmp_path / "labs.csv").write_text("patient_id,sex\nP1,F\n\npatient_id,drug,dose\nP1,x,y\nP2,M\n")
    told = draft_mapping([tmp_path])
    assert "# 2 of the first rows of labs.csv are none (row 4: The row has 3 cells, more than the 2 columns" in told
    assert "Are there several tables in it?" in told
