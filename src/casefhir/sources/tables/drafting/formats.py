"""Exports of a format that a mapping comes with: their draft is that mapping, with what it does not read."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from casefhir.sources.tables.drafting.toml import text
from casefhir.sources.tables.files import open_tables
from casefhir.sources.tables.inputs import Inputs
from casefhir.sources.tables.load import load_mapping, shipped
from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.rows import TableError, TableMissing

_SIGNS: dict[str, tuple[set[str], ...]] = {
    "sdtm": ({"usubjid", "domain", "rfstdtc"},),
    "omop": ({"person_id", "gender_concept_id", "year_of_birth"},),
    "synthea": ({"birthdate", "deathdate", "ssn", "drivers", "passport"},),
    "redcap": ({"variable / field name", "field type", "field label"}, {"field_name", "field_type", "field_label"}),
}
"""Columns of the table by which each format is known; of REDCap's dictionary, by its interface and by its API."""
_PACKET = ("phenotypicfeatures", "diseases", "interpretations", "medicalactions", "metadata")


def draft_of_format(
    inputs: Sequence[str | Path], held: Inputs, *, encoding: str | None, delimiter: str | None
) -> str | None:
    """The text of the mapping that comes with casefhir for what lies in `inputs`; None where it is of no such format,
    or not whole.
    """
    columns = {name: _columns(held, name, encoding, delimiter) for name in held.table_names}
    format_name = _format(list(columns.values()))
    if format_name is None or format_name not in shipped():
        return None
    loaded = load_mapping(format_name)
    try:
        opening = open_mapping(loaded, inputs, encoding=encoding, delimiter=delimiter, look=False, held=held)
    except TableMissing:
        return None
    lines = [each for each in loaded.path.read_text(encoding="utf-8").splitlines() if "#:schema" not in each]
    return "\n".join([*_said(format_name, opening.files.unused), *lines]) + "\n"


def _said(name: str, unused: Iterable[str]) -> Iterator[str]:
    yield f"# These tables are {name}: this is the mapping {text(name)} that comes with casefhir (--mapping {name})."
    yield "# Change what is otherwise with you, and give it a name of its own, with which all ids begin."
    yield "# casefhir mapping check THIS-FILE TABLES tells what it does with them; docs/mapping.md what may stand here."
    rest = list(unused)
    if rest:
        yield f"# It reads nothing of {', '.join(rest[:12])}{' …' if len(rest) > 12 else ''}."
    yield ""


def _format(tables: list[set[str]]) -> str | None:
    for name, signs in _SIGNS.items():
        if any(sign <= columns for sign in signs for columns in tables) and (name != "redcap" or len(tables) > 1):
            return name
    packets = (
        any(each.startswith("subject.") for each in columns) and any(each.startswith(_PACKET) for each in columns)
        for columns in tables
    )
    return "phenopackets" if any(packets) else None


def _columns(held: Inputs, name: str, encoding: str | None, delimiter: str | None) -> set[str]:
    """The columns of one file or sheet in small letters; none where it cannot be opened so."""
    try:
        opened = open_tables(held, {"table": Table(files=(name,))}, encoding=encoding, delimiter=delimiter)
    except TableError:
        return set()
    return {column.lower() for column in opened.tables["table"].sheet.columns}
