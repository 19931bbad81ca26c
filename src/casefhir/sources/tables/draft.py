"""A first mapping proposed for tables, from headers, units and values. A guess, and written as one."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path

from casefhir import terms
from casefhir.sources.tables.facts.measurement import KINDS
from casefhir.sources.tables.facts.naming import known_names
from casefhir.sources.tables.files import open_tables, table_names
from casefhir.sources.tables.mapping import Table
from casefhir.sources.tables.profile import ColumnProfile
from casefhir.sources.tables.rows import Row, TableError

_ROWS = 2_000
_UNIT_IN_HEADER = re.compile(r"(?P<name>.*?)[ _]*[\[(](?P<unit>[^\])]+)[\])]\s*")
_VISIT_IN_HEADER = re.compile(
    r"(?P<name>.+?)[ _.-]+(?P<visit>v(?:isit)?[ _]?\d{1,2}|w(?:eek)?[ _]?\d{1,3}|m(?:onth)?[ _]?\d{1,3}|baseline|bl)",
    re.I,
)
_LONGEST_WORDS = 24
_TABLES = {
    "problem": ("condition", "problem", "diagnos", "comorbid"),
    "course": ("medication", "drug", "treatment", "prescri"),
    "intolerance": ("allerg", "intoleran"), "procedure": ("procedure", "surger"), "visit": ("encounter", "visit"),
}  # fmt: skip
_SUFFIXES = {"measurement": "-result", "visit": "-visit", "problem": "-problem", "procedure": "-procedure"}


@dataclass(slots=True)
class Seen:
    """A table as far as it was read: its columns with profiles, and which column has which part in it."""

    name: str
    file: str
    columns: dict[str, ColumnProfile]
    rows: list[Row]
    key: str = ""
    """The column that says whose row it is; "" where none was found."""
    roles: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def take(self, role: str) -> str | None:
        """The column with a part, which counts as used then."""
        column = self.roles.get(role)
        if column:
            self.used.add(column)
        return column


@cache
def _roles() -> dict[str, list[str]]:
    text = (resources.files(__package__) / "data" / "headers.tsv").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        found.setdefault(row["role"], []).append(row["header"])
    return found


def draft_mapping(inputs: Sequence[str | Path]) -> str:
    """The text of a mapping (TOML) for the tables in `inputs`; raises `TableError` where no person's key is found."""
    tables = list(_read(inputs))
    _find_keys(tables)
    person = _person_table(tables)
    lines = list(_frame(tables))
    lines += _person(person)
    for table in tables:
        lines += _rules(table, person)
    for table in tables:
        rest = [column for column in table.columns if column not in table.used]
        if rest:
            lines += ["", f"# Columns of {table.name} that nothing reads yet:"]
            lines += [f"#   {column}: {_described(table.columns[column])}" for column in rest]
    return "\n".join(lines) + "\n"


def _read(inputs: Sequence[str | Path]) -> Iterator[Seen]:
    names = table_names(inputs)
    stems = Counter(Path(name).stem.lower() for name in names)
    plain = {
        name: _plain(Path(name).stem if stems[Path(name).stem.lower()] == 1 else name) or "table" for name in names
    }
    specs = {short: Table(files=(name,)) for name, short in plain.items()}
    if not specs:
        raise TableError("There is no table here; name files (CSV, XLSX, Parquet, JSON, XPT) or a folder with some.")
    opened = open_tables(inputs, specs)
    for name, table in opened.tables.items():
        columns = {column: ColumnProfile() for column in table.sheet.columns}
        rows = [row for _, row in islice(table.rows(lambda *_: None), _ROWS)]
        for row in rows:
            for profile, cell in zip(columns.values(), row):
                profile.see(cell)
        seen = Seen(name, table.sheet.file, columns, rows)
        by_plain = {_plain(column): column for column in reversed(columns)}
        for role, headers in _roles().items():
            column = next((by_plain[each] for each in headers if each in by_plain), None)
            if column:
                seen.roles[role] = column
        yield seen


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")


def _person_key(tables: list[Seen]) -> str:
    """The column that most tables share and that is called like a person's key; else the one that most share."""
    counts = Counter(column for table in tables for column in table.columns)
    named = [column for column in counts if _plain(column) in _roles()["person"]]
    if named:
        order = _roles()["person"]
        return min(named, key=lambda column: (-counts[column], order.index(_plain(column))))
    column, count = counts.most_common(1)[0]
    if count < len(tables):
        raise TableError(
            "No column of these tables looks like the person's key. Begin with a mapping of your own "
            "(docs/mapping.md), or call the column patient_id."
        )
    return column


def _find_keys(tables: list[Seen]) -> None:
    """The person's key of every table: the shared column, or the one that has most of its words."""
    key = _person_key(tables)
    shared = {value for table in tables if key in table.columns for value in table.columns[key].values}
    for table in tables:
        if key in table.columns:
            table.key = key
        else:
            alike = {column: len(shared & profile.values.keys()) for column, profile in table.columns.items()}
            best = max(alike, key=lambda column: alike[column])
            table.key = best if alike[best] else ""
        table.used.add(table.key)


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
    yield "casefhir = 1"
    yield 'name = "my-registry"'
    yield 'title = "My registry"'
    yield 'version = "1"'
    yield 'recorded = "2026-01-01T00:00:00Z"'
    yield ""
    yield "[reading]"
    profiles = [profile for table in tables for profile in table.columns.values()]
    yield from _dates(profiles)
    yield from _numbers(profiles)
    for table in tables:
        yield ""
        yield f"[tables.{table.name}]"
        yield f"files = [{_text(table.file)}]"
        if table.key:
            yield f"key = [{_text(table.key)}]"
        else:
            yield f"key = [{_text(next(iter(table.columns)))}]   # which column tells whose row it is?"


def _dates(profiles: list[ColumnProfile]) -> Iterator[str]:
    cells = [value for profile in profiles for value in profile.values]
    dotted = [match for match in (re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./]\d{2,4}", cell) for cell in cells) if match]
    notations = ["iso"] if any(re.match(r"\d{4}-\d{2}", cell) for cell in cells) or not dotted else []
    why = ""
    if dotted:
        month_first = any(int(match[2]) > 12 for match in dotted)
        day_first = any(int(match[1]) > 12 for match in dotted)
        notations.append("mdy" if month_first and not day_first else "dmy")
        if month_first == day_first:
            why = f"   # {dotted[0][0]!r}: day or month first? No date here tells" + (
                "; they contradict each other" if month_first else ""
            )
    if any(re.fullmatch(r"\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}", cell) for cell in cells) and "dmy" not in notations:
        notations.append("dmy")
    yield f"dates = [{', '.join(_text(each) for each in notations)}]{why}"
    if any(re.fullmatch(r"\d{1,2}[./]\d{1,2}[./]\d{2}", cell) for cell in cells):
        yield "two_digit_years_from = 1930   # years of two digits: from which year on?"


def _numbers(profiles: list[ColumnProfile]) -> Iterator[str]:
    cells = [value for profile in profiles if profile.kind == "number" for value in profile.values]
    grouped = {mark for cell in cells for mark in ",." if re.fullmatch(rf"\d{{1,3}}(?:\{mark}\d{{3}})+", cell)}
    decimal = {
        mark for cell in cells for mark in ",." if re.fullmatch(rf"\D*\d+\{mark}(?:\d{{1,2}}|\d{{4,}})\D*", cell)
    }
    if decimal == {","}:
        yield 'decimal = ","'
        if "." in grouped:
            yield 'thousands = "."'
    elif "," in grouped:
        sure = "" if decimal else "   # 3,072: thousands, or a decimal comma?"
        yield f'thousands = ","{sure}'
    odd = sorted({cell for cell in cells if cell in ("-9", "-99", "-999", "999", "9999", "-1")})
    for cell in odd:
        yield f'# absent = {{ {_text(cell)} = "unknown" }}   # is {cell} a code for a missing value?'


def _person(table: Seen) -> Iterator[str]:
    yield ""
    yield "[person]"
    yield f"table = {_text(table.name)}"
    sex = table.take("sex")
    if sex:
        values = [value for value in table.columns[sex].values if len(value) <= _LONGEST_WORDS]
        coded = {value for value in values if value.isdigit()}
        if coded:
            told = ", ".join(f'{_text(value)} = ""' for value in sorted(coded))
            yield f"sex = {{ column = {_text(sex)}, map = {{ {told} }} }}   # which is female, which male?"
        else:
            yield f"sex = {_text(sex)}   # {', '.join(values[:4])}"
    birth, year = table.take("birth"), table.take("birth_year")
    if birth:
        yield f"birth_date = {_text(birth)}"
    elif year:
        yield f"birth_date = {{ year = {_text(year)} }}"
    death = table.take("death")
    if death:
        yield f"deceased_date = {_text(death)}"


def _rules(table: Seen, person: Seen) -> Iterator[str]:
    unique = _row_key(table)
    named = next((kind for kind, words in _TABLES.items() if any(word in table.name for word in words)), "")
    if "event" in table.roles:
        yield from _event(table, unique)
    elif "drug" in table.roles:
        yield from _course(table, unique)
    elif named and "words" in table.roles and table is not person:
        yield from _called(table, unique, named)
    elif "test" in table.roles and "value" in table.roles:
        yield from _long(table, unique)
    elif "problem" in table.roles:
        yield from _problem(table, unique if table is not person else [])
    elif "procedure" in table.roles:
        yield from _procedure(table, unique)
    else:
        yield from _visit(table, unique)
    if "test" not in table.roles or "value" not in table.roles:
        yield from _wide(table, unique)


def _called(table: Seen, unique: list[str], kind: str) -> Iterator[str]:
    """A table of codes and their descriptions, which says by its name what they are."""
    yield from _begun(table, kind, unique)
    yield from _fields(table, text="words")
    code = table.take("code")
    if code:
        yield f'# codes = [{{ system = "..", code = {_text(code)} }}]   # of which code system?'
    times = {
        "problem": {"onset": "start", "abatement": "end"}, "course": {"start": "start", "end": "end"},
        "intolerance": {"onset": "start"}, "procedure": {"when": "start"}, "visit": {"when": "start"},
    }  # fmt: skip
    if kind == "procedure" and "start" not in table.roles:
        times[kind] = {"when": "date"}
    yield from _fields(table, **times[kind])


def _row_key(table: Seen) -> list[str]:
    """Columns that tell a person's rows apart in what was read: one, or two together."""
    place = {column: number for number, column in enumerate(table.columns)}
    if not table.key:
        return []
    key = table.key

    def apart(columns: Sequence[str]) -> bool:
        cells = [tuple(row[place[column]] for column in (key, *columns)) for row in table.rows]
        return len(set(cells)) == len(cells) and all(all(each) for each in cells)

    if apart(()) and len(table.rows) > 1:
        return []
    roles = [column for column in table.columns if _plain(column) in ("id", f"{table.name}_id") and column != key]
    roles += [table.roles[role] for role in ("number", "visit", "date", "start") if role in table.roles]
    for column in roles:
        if apart((column,)):
            return [column]
    names = [table.roles[role] for role in ("code", "test", "drug", "event", "problem") if role in table.roles]
    for first in names:
        for second in roles:
            if apart((first, second)):
                return [first, second]
    return []


def _begun(table: Seen, kind: str, unique: list[str]) -> Iterator[str]:
    yield ""
    yield f"[[{kind}]]"
    yield f"name = {_text(f'{table.name}{_SUFFIXES.get(kind, str())}'.replace('_', '-'))}"
    yield f"table = {_text(table.name)}"
    if unique:
        table.used.update(unique)
        yield f"key = [{', '.join(_text(each) for each in unique)}]"
    else:
        yield "key = []   # which columns tell a person's rows apart? Without them ids come from all that is read"


def _fields(table: Seen, **roles: str) -> Iterator[str]:
    for name, role in roles.items():
        column = table.take(role)
        if column:
            yield f"{name} = {_text(column)}"


def _event(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "adverse_event", unique)
    yield from _fields(
        table, text="event", when="start", end="end", severity="grade", outcome="outcome", action="action"
    )
    related = table.take("related")
    if related:
        yield f'# suspects = [{{ rule = "..", key = [..], causality = {_text(related)} }}]   # which drug rule?'


def _course(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "course", unique)
    yield from _fields(table, drug="drug", start="start", end="end", ongoing="ongoing")
    reason = table.take("reason")
    if reason:
        yield f"reasons = [{_text(reason)}]   # why it was stopped, not what it was given for?"
    dose = list(_fields(table, amount="dose", unit="dose_unit", frequency="frequency", route="route"))
    if dose:
        yield from ("[course.dose]", *dose)


def _problem(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "problem", unique)
    yield from _fields(table, concept="problem", onset="start", abatement="end", asserted="diagnosed")


def _procedure(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "procedure", unique)
    yield from _fields(table, text="procedure", when="start")


def _visit(table: Seen, unique: list[str]) -> Iterator[str]:
    visit, date = table.roles.get("visit"), table.roles.get("date")
    if visit and date and unique == [visit] and "code" not in table.roles:
        table.used |= {visit, date}
        yield from _begun(table, "visit", [visit])
        yield f"when = {_text(date)}"


def _long(table: Seen, unique: list[str]) -> Iterator[str]:
    test = table.roles["test"]
    table.used.add(test)
    yield from _begun(table, "measurement", unique)
    known = known_names(KINDS)
    found = {value: known.get(value.casefold()) for value in table.columns[test].values}
    lacking = [value for value, concept in found.items() if concept is None]
    if any(found.values()):
        yield f"concept = {_text(test)}" + (f"   # not in the catalogue: {', '.join(lacking[:8])}" if lacking else "")
    yield from _fields(table, text="test_name" if "test_name" in table.roles else "test", value="value", unit="unit")
    low, high = table.take("low"), table.take("high")
    if low and high:
        yield f"range = {{ low = {_text(low)}, high = {_text(high)} }}"
    else:
        yield from _fields(table, range="range")
    yield from _fields(table, flag="flag", when="date")


def _wide(table: Seen, unique: list[str]) -> Iterator[str]:
    """Columns called like measurements of the catalogue, perhaps with a unit or a visit in the header."""
    known = known_names(KINDS)
    entries: list[str] = []
    units = False
    for column in table.columns:
        if column in table.used:
            continue
        name, unit, visit = column, "", ""
        match = _UNIT_IN_HEADER.fullmatch(name)
        if match:
            name, unit = match["name"], match["unit"]
        match = _VISIT_IN_HEADER.fullmatch(name)
        if match:
            name, visit = match["name"], match["visit"]
        concept = known.get(name.strip().casefold())
        if concept is None or concept == "age":
            continue
        table.used.add(column)
        told = {"name": _plain(column).replace("_", "-"), "column": column, "concept": concept}
        if terms.concept(concept).unit:
            told["unit"], units = unit or "?", True
        sure = (
            "" if unit or not terms.concept(concept).unit else f"   # which unit? {_described(table.columns[column])}"
        )
        entries.append(f"  {{ {', '.join(f'{key} = {_text(value)}' for key, value in told.items())} }},{sure}")
        if visit:
            entries[-1] += f"   # visit {visit}: from a column of its own?"
    if not entries:
        return
    yield from _begun(table, "measurement", unique)
    if table.roles.get("date"):
        yield from _fields(table, when="date")
    yield 'concept = { const = "{concept}" }'
    yield 'value = "{column}"'
    if units:
        yield 'unit = { const = "{unit}" }'
    yield from ("each = [", *entries, "]")


def _described(profile: ColumnProfile) -> str:
    samples = ", ".join(repr(each[:_LONGEST_WORDS]) for each in profile.samples)
    return f"{profile.kind}, {profile.filled} filled" + (f", such as {samples}" if samples else "")


def _text(words: str) -> str:
    """A TOML string."""
    return json.dumps(words, ensure_ascii=False)
