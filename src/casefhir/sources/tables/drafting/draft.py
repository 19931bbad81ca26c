"""The text of a mapping for tables: their frame, the person, the rules. A guess, and written as one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from casefhir.sources.tables.drafting.formats import draft_of_format
from casefhir.sources.tables.drafting.notation import dates, numbers
from casefhir.sources.tables.drafting.rules import rules
from casefhir.sources.tables.drafting.seen import Seen, find_keys, look
from casefhir.sources.tables.drafting.toml import LONGEST_WORDS, described, text
from casefhir.sources.tables.inputs import Inputs

_LETTERS = (({"h", "m"}, "h"), ({"h", "f"}, "h"), ({"k", "m"}, "m"))
"""Letters for the sexes that are no English ones, and which is male: hombre and mujer, homme and femme, kobieta and
mężczyzna."""


def draft_mapping(inputs: Sequence[str | Path], *, encoding: str | None = None, delimiter: str | None = None) -> str:
    """The text of a mapping (TOML) for the tables in `inputs`; raises `TableError` where no person's key is found."""
    held = Inputs(inputs)
    known = draft_of_format(inputs, held, encoding=encoding, delimiter=delimiter)
    if known is not None:
        return known
    tables = list(look(held, encoding=encoding, delimiter=delimiter))
    find_keys(tables)
    person = _person_table(tables)
    lines = list(_frame(tables))
    lines += _person(person)
    for table in tables:
        lines += rules(table, person) if table.key else []
    for table in tables:
        rest = [column for column in table.columns if column not in table.used]
        if rest and not (table.hidden and not table.key):
            lines += ["", f"# Columns of {table.name} that nothing reads yet:"]
            lines += [f"#   {column}: {described(table.columns[column])}" for column in rest]
    return "\n".join(lines) + "\n"


def _person_table(tables: list[Seen]) -> Seen:
    """The table that tells who: with sex or birth, and one row a person if there is such a one."""

    def fit(table: Seen) -> tuple[int, bool, int]:
        told = sum(role in table.roles for role in ("sex", "birth", "birth_year"))
        profile = table.columns[table.key]
        return told, len(profile.values) == profile.filled, -len(table.rows)

    return max((table for table in tables if table.key), key=fit)


def _frame(tables: list[Seen]) -> Iterator[str]:
    yield "# A proposal from headers, units and values: read every line before you trust it."
    yield "# casefhir mapping check THIS-FILE TABLES tells what it does with them; docs/mapping.md what may stand here."
    if any(column.startswith("redcap_") for table in tables for column in table.columns):
        yield "# This is REDCap's: with the project's data dictionary beside it, the mapping redcap reads it by itself."
    yield "casefhir = 1"
    yield 'name = "my-registry"'
    yield 'title = "My registry"'
    yield 'version = "1"'
    yield 'recorded = "2026-01-01T00:00:00Z"'
    yield ""
    yield "[reading]"
    profiles = [profile for table in tables for profile in table.columns.values()]
    yield from dates(profiles)
    yield from numbers(profiles, {cell for table in tables for cell in table.typed})
    for table in tables:
        yield ""
        if table.unreadable:
            count, reason = table.unreadable
            yield f"# {count} of the first rows of {table.file} are none ({reason}) Are there several tables in it?"
        if table.hidden and not table.key:
            yield f"# {table.file} is left out, for the workbook hides this sheet: is it meant to be read?"
            continue
        if not table.key:
            yield f"# {table.file} is left out, for no column of it tells whose row it is. If it explains codes, it"
            yield f"# is a look-up: [lookups.{table.name}], {_from(table)}, key = [..]"
            continue
        yield f"[tables.{table.name}]"
        yield _from(table)
        if table.header:
            yield f"header = {table.header}   # what stands above it is passed over"
        if table.units:
            yield "skip_after = 1   # a row of units"
        yield f"key = [{text(table.key)}]"


def _from(table: Seen) -> str:
    """Where the table is: what asks a database for it, or its file."""
    return f"query = {text(table.query)}" if table.query else f"files = [{text(table.file)}]"


def _person(table: Seen) -> Iterator[str]:
    yield ""
    yield "[person]"
    yield f"table = {text(table.name)}"
    sex = table.take("sex")
    if sex:
        values = [value for value in table.columns[sex].values if len(value) <= LONGEST_WORDS]
        coded = {value for value in values if value.isdigit()}
        letters = {value.casefold() for value in values}
        male = next((male for pair, male in _LETTERS if letters == pair), "")
        if male:
            told = ", ".join(
                f'{text(value)} = "{"male" if value.casefold() == male else "female"}"' for value in sorted(values)
            )
            yield f"sex = {{ column = {text(sex)}, map = {{ {told} }} }}   # is it so?"
        elif coded:
            told = ", ".join(f'{text(value)} = ""' for value in sorted(coded))
            yield f"sex = {{ column = {text(sex)}, map = {{ {told} }} }}   # which is female, which male?"
        else:
            yield f"sex = {text(sex)}   # {', '.join(values[:4])}"
    birth, year = table.take("birth"), table.take("birth_year")
    if birth:
        yield f"birth_date = {text(birth)}"
    elif year:
        yield f"birth_date = {{ year = {text(year)} }}"
    death = table.take("death")
    if death:
        yield f"deceased_date = {text(death)}"
