"""Rows to the person."""

from collections.abc import Callable
from typing import Any

from casefhir.record import Address, Cells, Identifier, Moment, On, Person, Told, precedes
from casefhir.sources.tables.dates import NO_DAY, Day
from casefhir.sources.tables.facts.moments import day, moment, unmoved_day
from casefhir.sources.tables.facts.naming import phrases
from casefhir.sources.tables.person_rule import PersonRule
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import Row
from casefhir.sources.tables.scope import Scope
from casefhir.sources.tables.slugs import salted
from casefhir.sources.tables.telling import Telling

RULE = "person"


def persons(scope: Scope, rule: PersonRule, salt: bytes | None) -> Callable[[list[tuple[int, Row]], Telling], Person]:
    """Compiles `rule` to a function of the person's rows; raises `Refused` where they contradict each other."""
    sex, birth = scope.choice(rule.sex, "sex"), day(scope, rule.birth_date, "birth_date")
    died, died_on = scope.truth(rule.deceased, "truth"), moment(scope, rule.deceased_date, "deceased_date")
    numbers = [(each.system, scope.plain(each.value, "identifier")) for each in rule.identifiers]
    family, given = scope.plain(rule.family, "family"), [scope.plain(each, "given") for each in rule.given]
    origin, marital = phrases(scope, rule.origin, "origin"), scope.choice(rule.marital_status, "marital")
    language, where = scope.plain(rule.language, "language"), rule.address
    address = {
        name: scope.plain(getattr(where, name), name)
        for name in ("city", "district", "state", "postal_code", "country")
        if where
    }
    lines = [scope.plain(each, "lines") for each in where.lines] if where else []
    privacy = scope.frame.loaded.mapping.privacy
    as_told = unmoved_day(scope, rule.birth_date, "birth_date") if privacy.age_cap is not None else None
    counted = unmoved_day(scope, privacy.age_on, "age_on") if privacy.age_cap is not None else None
    table, columns = scope.table, tuple(scope.columns)
    birth_column = scope.column_of(rule.birth_date)
    for system, _ in numbers:
        if ":" not in system:
            scope.problem(f"{system!r} is not the URI of an identifier's system")

    def told(row: Row, telling: Telling, cells: Cells) -> dict[str, Any]:
        """What one row tells, without what is blank."""
        who = sex(row, telling)[0] if sex else None
        born: Day | None = birth(row, telling) if birth else None
        if born and born.until:
            raise Refused("an interval is no date of birth", "write one date, as precise as it is known", birth_column)
        if as_told and (known := as_told(row, telling)):
            telling.born = known.iso[:10]
        if counted and (until := counted(row, telling)):
            telling.counted = max(telling.counted or "", until.iso[:10])
        dead, untold = died(row, telling) if died else None, telling.unmapped.total()
        end: Moment | None = died_on(row, telling, cells) if died_on else None
        if end is None and dead is None and telling.unmapped.total() > untold:
            dead = True  # on a day that cannot be told, as one without a year
        alone, alone_words = marital(row, telling) if marital else (None, None)
        found = {
            "sex": who,
            "birth_date": born.iso[:10] if born else None,
            "deceased": end or dead,
            "family": family(row, telling) if family else None,
            "given": tuple([each for each in [read(row, telling) for read in given if read] if each]) or None,
            "identifiers": tuple(
                [Identifier(system, salted(value, salt) if salt else value)
                 for system, value in [(system, read(row, telling)) for system, read in numbers if read] if value]
            ) or None,
            "origin": _origin(origin(row, telling)) if origin else None,
            "marital_status": alone,
            "marital_status_text": alone_words,
            "language": language(row, telling) if language else None,
            "address": _address(row, telling),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def _address(row: Row, telling: Telling) -> Address | None:
        street = tuple([each for each in [read(row, telling) for read in lines if read] if each])
        parts = {name: read(row, telling) for name, read in address.items() if read}
        if not street and not any(parts.values()):
            return None
        return Address(street, **parts)

    def make(rows: list[tuple[int, Row]], telling: Telling) -> Person:
        whole: dict[str, Any] = {}
        if rule.single and len(rows) > 1:
            raise Refused(
                f"{len(rows)} of its rows have one and the same key, and each is a person of its own",
                "give every person another key, or leave out all of them but one",
            )
        for number, row in rows:
            cells = Cells(table, number, columns)
            found = told(row, telling, cells)
            if not found.keys() <= whole.keys():
                telling.given.append(cells)
            for name, value in found.items():
                known = whole.setdefault(name, value)
                if _bare(known) != _bare(value):
                    raise Refused(
                        f"rows of the person contradict each other in {name.replace('_', ' ')}: "
                        f"{str(_bare(known))!r} and {str(_bare(value))!r}",
                        "mend the one that is wrong",
                    )
        cells = Cells(table, rows[0][0], columns) if rows else Cells(table, 0)
        born, dead = whole.get("birth_date"), whole.get("deceased")
        if born and isinstance(dead, On) and precedes(dead.date, born):
            raise Refused(f"death ({dead.date}) lies before birth ({born})", "mend one of the two dates", birth_column)
        if not born and (scope.rule, "birth_date", NO_DAY) in telling.unmapped:
            whole["birth_date_absent"] = "masked"  # it is known, and cannot be moved with the others
        return Person(whole.pop("sex", "unknown"), cells, **whole)

    return make


def _origin(told: tuple[Told | str, ...]) -> Told | str | None:
    if len(told) < 2:
        return told[0] if told else None
    codes = tuple(code for each in told if isinstance(each, Told) for code in each.codes)
    words = ", ".join(each.text if isinstance(each, Told) else each for each in told)
    return Told(words, None, codes) if codes else words


def _bare(value: Any) -> Any:
    """A value without its place, for comparison."""
    return (value.date, value.printed) if isinstance(value, On) else value
