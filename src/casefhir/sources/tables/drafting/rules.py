"""The rules that a table may need, by the parts that its columns have."""

import re
from collections.abc import Iterator

from casefhir import terms
from casefhir.sources.tables.drafting.seen import SUPPLEMENT, Seen, plain, row_key
from casefhir.sources.tables.drafting.toml import described, text
from casefhir.sources.tables.facts.measurement import KINDS
from casefhir.sources.tables.facts.naming import known_names
from casefhir.sources.tables.facts.units import commensurable

_UNIT_IN_HEADER = re.compile(r"(?P<name>.*?)[ _]*(?:[\[(](?P<unit>[^\])]+)[\])]\s*|,? in (?P<plain>\S+))")
_VISIT_IN_HEADER = re.compile(
    r"(?P<name>.+?)[ _.-]+(?P<visit>v(?:isit)?[ _]?\d{1,2}|w(?:eek)?[ _]?\d{1,3}|m(?:onth)?[ _]?\d{1,3}|baseline|bl)",
    re.I,
)
_TABLES = {
    "problem": ("condition", "problem", "diagnos", "comorbid"),
    "course": ("medication", "drug", "treatment", "prescri"),
    "intolerance": ("allerg", "intoleran"), "procedure": ("procedure", "surger"), "visit": ("encounter", "visit"),
}  # fmt: skip
_GOING_ON = {
    "ongoing", "continuing", "continues", "present", "to date", "laufend", "andauernd", "fortlaufend", "bis heute",
    "weiterhin", "en cours", "en curso", "in corso", "w trakcie", "nadal", "lopend",
}  # fmt: skip
"""Words in place of a date of the end."""
_SUFFIXES = {"measurement": "-result", "visit": "-visit", "problem": "-problem", "procedure": "-procedure"}


def rules(table: Seen, person: Seen) -> Iterator[str]:
    """The rules of one table, as lines."""
    if {*SUPPLEMENT} <= table.used:
        return  # read by the rule of the table that it goes with
    unique = row_key(table)
    named = next((kind for kind, words in _TABLES.items() if any(word in table.name for word in words)), "")
    told = [kind for kind in ("event", "drug", "problem") if kind in table.roles] if table is person else []
    if told:  # a row for all that is known of a person
        of = {"event": _event, "drug": _course, "problem": _problem}
        for kind in told:
            yield from of[kind](table, unique if kind != "problem" else [])
    elif "event" in table.roles:
        yield from _event(table, unique)
    elif "drug" in table.roles:
        yield from _course(table, unique)
    elif named and "words" in table.roles and table is not person:
        yield from _called(table, unique, named)
    elif "test" in table.roles and "value" in table.roles:
        yield from _long(table, unique)
    elif "problem" in table.roles:
        yield from _problem(table, unique)
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
        yield f'# codes = [{{ system = "..", code = {text(code)} }}]   # of which code system?'
    times = {
        "problem": {"onset": "start", "abatement": "end"}, "course": {"start": "start", "end": "end"},
        "intolerance": {"onset": "start"}, "procedure": {"when": "start"}, "visit": {"when": "start"},
    }  # fmt: skip
    if kind == "procedure" and "start" not in table.roles:
        times[kind] = {"when": "date"}
    yield from _fields(table, **times[kind])


def _begun(table: Seen, kind: str, unique: list[str], named: str = "") -> Iterator[str]:
    """The head of a rule; `named`: the part that says what its facts are, without which a row tells none."""
    yield ""
    yield f"[[{kind}]]"
    suffix = "-drug" if kind == "course" and "event" in table.roles else _SUFFIXES.get(kind, "")
    yield f"name = {text(f'{table.name}{suffix}'.replace('_', '-'))}"
    yield f"table = {text(table.name)}"
    if unique:
        table.used.update(unique)
        yield f"key = [{', '.join(text(each) for each in unique)}]"
    else:
        yield "key = []   # which columns tell a person's rows apart? Without them ids come from all that is read"
    column = table.roles.get(named)
    if column and table.columns[column].blank and "'" not in column:
        condition = f"row['{column}'] != ''"
        yield f"where = {text(condition)}"
    if table.supplement:
        names = 'label = "QLABEL", column = "QVAL", names = "IDVAR", value = "IDVARVAL"'
        yield f"notes = [{{ table = {text(table.supplement)}, {names} }}]"
        table.supplement = ""


def _fields(table: Seen, **roles: str) -> Iterator[str]:
    for name, role in roles.items():
        column = table.take(role)
        if column:
            yield f"{name} = {text(column)}"


def _event(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "adverse_event", unique, "event")
    yield from _fields(table, text="event", severity="grade", outcome="outcome", action="action")
    yield from _times(table, "event", when="start", end="end")
    related = table.take("related")
    if related:
        yield f'# suspects = [{{ rule = "..", key = [..], causality = {text(related)} }}]   # which drug rule?'


def _course(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "course", unique, "drug")
    yield from _fields(table, drug="drug", start="start", ongoing="ongoing")
    yield from _end(table)
    reason = table.take("reason")
    if reason:
        yield f"reasons = [{text(reason)}]   # why it was stopped, not what it was given for?"
    dose = list(_fields(table, amount="dose", unit="dose_unit", frequency="frequency", route="route"))
    if dose:
        yield from ("[course.dose]", *dose)


def _times(table: Seen, of: str, **roles: str) -> Iterator[str]:
    """Fields with dates; as a question where the table tells of several kinds of things, or who the person is."""
    if {"event", "drug", "problem"} & {*table.roles} == {of} and not {"sex", "birth"} & {*table.roles}:
        yield from _fields(table, **roles)
        return
    for name, role in roles.items():
        if role in table.roles:
            yield f"# {name} = {text(table.roles[role])}   # is it of this, or of something else in the row?"


def _end(table: Seen) -> Iterator[str]:
    """The column of ends; where it has a word for what goes on, that is parted from the dates."""
    column = table.take("end")
    if not column:
        return
    said = [value for value in table.columns[column].values if value.casefold() in _GOING_ON]
    if not said or "'" in column or "ongoing" in table.roles:
        yield f"end = {text(column)}"
        return
    listed = ", ".join(f"'{value}'" for value in said)
    yield f"""end = {{ expr = {text(f"row['{column}'] in [{listed}] ? '' : row['{column}']")} }}"""
    yield f"""ongoing = {{ expr = {text(f"row['{column}'] in [{listed}] ? 'yes' : ''")} }}"""


def _problem(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "problem", unique, "problem")
    yield from _fields(table, concept="problem", asserted="diagnosed")
    yield from _times(table, "problem", onset="start", abatement="end")


def _procedure(table: Seen, unique: list[str]) -> Iterator[str]:
    yield from _begun(table, "procedure", unique, "procedure")
    yield from _fields(table, text="procedure", when="start")


def _visit(table: Seen, unique: list[str]) -> Iterator[str]:
    visit, date = table.roles.get("visit"), table.roles.get("date")
    if visit and date and unique == [visit] and "code" not in table.roles:
        table.used |= {visit, date}
        yield from _begun(table, "visit", [visit])
        yield f"when = {text(date)}"


def _long(table: Seen, unique: list[str]) -> Iterator[str]:
    test = table.roles["test"]
    table.used.add(test)
    yield from _begun(table, "measurement", unique)
    known = known_names(KINDS)
    found = {value: known.get(value.casefold()) for value in table.columns[test].values}
    lacking = [value for value, concept in found.items() if concept is None]
    if any(found.values()):
        yield f"concept = {text(test)}" + (f"   # not in the catalogue: {', '.join(lacking[:8])}" if lacking else "")
    yield from _fields(table, text="test_name" if "test_name" in table.roles else "test", value="value", unit="unit")
    low, high = table.take("low"), table.take("high")
    if low and high:
        yield f"range = {{ low = {text(low)}, high = {text(high)} }}"
    else:
        yield from _fields(table, range="range")
    yield from _fields(table, flag="flag", when="date")


def _fitting(concept: str | None, unit: str) -> str | None:
    """The concept, or its share of the predicted value where the unit is a percent that it is not measured in."""
    code = terms.ucum_code(unit) if unit else None
    wanted = terms.concept(concept).unit if concept else ""
    if concept is None or not code or not wanted or commensurable(code, wanted):
        return concept
    share = f"{concept}-percent-predicted"
    return share if code == "%" and share in terms.concepts() else None


def _wide(table: Seen, unique: list[str]) -> Iterator[str]:
    """Columns called like measurements of the catalogue, perhaps with a unit or a visit in the header."""
    known = known_names(KINDS)
    entries: list[str] = []
    units = False
    for column in table.columns:
        if column in table.used:
            continue
        name, unit, visit = column, "", ""
        match = _VISIT_IN_HEADER.fullmatch(name)
        if match:  # CK (U/l) V1
            name, visit = match["name"], match["visit"]
        match = _UNIT_IN_HEADER.fullmatch(name)
        if match:
            name, unit = match["name"], match["unit"] or match["plain"]
        elif terms.ucum_code(name.rpartition(" ")[2]) and known.get(name.rpartition(" ")[0].strip().casefold()):
            name, _, unit = name.rpartition(" ")
        match = _VISIT_IN_HEADER.fullmatch(name)
        if match:  # CK_V1 (U/l)
            name, visit = match["name"], match["visit"]
        unit = unit or table.units.get(column, "")
        concept = _fitting(known.get(name.strip().casefold()), unit)
        if concept is None or concept == "age":
            continue
        table.used.add(column)
        told = {"name": plain(column).replace("_", "-"), "column": column, "concept": concept}
        if terms.concept(concept).unit:
            told["unit"], units = unit or "?", True
        sure = ""
        if terms.concept(concept).unit:
            sure = "" if unit else f"   # which unit? {described(table.columns[column])}"
        elif all(value.lstrip("-").isdigit() for value in table.columns[column].values):
            sure = f"   # a code? Then it needs a map: {described(table.columns[column])}"
        entries.append(f"  {{ {', '.join(f'{key} = {text(value)}' for key, value in told.items())} }},{sure}")
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
