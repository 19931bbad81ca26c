"""One row's way: its cells, whose it is, what each rule made of it, or why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from casefhir.record import Case
from casefhir.sources.tables.attempt import Reject
from casefhir.sources.tables.grouping import persons
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.opening import open_mapping
from casefhir.sources.tables.plan import Plan
from casefhir.sources.tables.privacy import MASK, identifying, plain
from casefhir.sources.tables.profile import has_date
from casefhir.sources.tables.rows import Row, TableError


@dataclass(frozen=True, slots=True)
class Origin:
    """Another row behind a fact: its file, its place there, the columns that gave the fact words."""

    file: str
    row: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowTrace:
    """A row with its place and cells (`MASK` for what `[privacy]` hides), the person's key, the facts that came of
    it (key -> rule), the columns that each rule reads, the reasons for refusing it, and the person's case.
    """

    table: str
    file: str
    row: int
    cells: dict[str, str | None]
    person: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)
    reads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    case: Case | None = None
    others: dict[str, tuple[Origin, ...]] = field(default_factory=dict)
    """The other rows that these facts come from too; only of facts that have such."""
    gave: dict[str, str] = field(default_factory=dict)
    """Facts of other rows that this row gave words to (key -> rule)."""
    repeats: dict[str, str] = field(default_factory=dict)
    """Facts that this row only tells again (key -> rule)."""
    passed_over: tuple[str, ...] = ()
    """Rules of the table that made nothing of the row."""


def trace(
    loaded: LoadedMapping,
    inputs: Sequence[str | Path],
    table: str | None,
    row: int,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> RowTrace:
    """Follow the row that stands at `row` of its file (the line of a text file, the row of a spreadsheet).

    `table` is the mapping's name of the table; it may be None where there is one alone. Raises `TableError` for a row
    that is not there, or that is none.
    """
    opening = open_mapping(loaded, inputs, encoding=encoding, delimiter=delimiter)
    sheets = {each.name: each.table.sheet for each in opening.keyed}
    if table is None and len(sheets) == 1:
        table = next(iter(sheets))
    if table is None or table not in sheets:
        raise TableError(f"Say which table the row is in: --table {' or '.join(sheets)}.")
    plan = Plan(loaded, sheets, opening.lookups)
    faults: list[str] = []

    def fault(of: str, number: int, cells: Row, reason: str) -> None:
        del cells
        if of == table and sheets[of].place(number)[1] == row:
            faults.append(reason)

    for rows in persons(opening.keyed, fault):
        for number, cells in rows.rows.get(table, ()):
            file, line = sheets[table].place(number)
            if line != row:
                continue
            mapped, dropped = plan.person(rows), plan.frame.tables[table].dropped
            is_hidden = _hider(plan, table)
            facts = {key: rule for key, (rule, of, place) in mapped.places.items() if of == table and place == number}
            gave = {
                key: mapped.places[key][0]
                for key, given in mapped.given.items()
                if any(each.table == table and each.row == number for each in given)
            }
            repeats = {
                key: rule
                for (of, place, rule), key in mapped.repeats.items()
                if (of, place) == (table, number) and key in mapped.places and key not in gave
            }
            reads = {step.prefix.rstrip("."): step.columns for step in plan.steps if step.table == table}
            return RowTrace(
                table,
                file,
                line,
                {
                    column: None if place in dropped else MASK if cell and is_hidden(column, cell) else cell
                    for place, (column, cell) in enumerate(zip(sheets[table].columns, cells))
                },
                (plan.salting.whose(rows.key),) if loaded.mapping.privacy.hash_keys else rows.key,
                facts,
                reads,
                tuple(
                    replace(each, reason=plain(each.reason)) if loaded.mapping.privacy.hides else each
                    for each in mapped.rejects
                    if each.table == table and each.row == number
                ),
                mapped.case,
                {
                    key: tuple([
                        Origin(*sheets[each.table].place(each.row), plan.frame.tables[each.table].printed(each.columns))
                        for each in mapped.given[key]
                    ])
                    for key in facts
                    if key in mapped.given
                },
                gave,
                repeats,
                tuple(dict.fromkeys(
                    step.name
                    for step in plan.steps
                    if step.table == table and step.name not in {*facts.values(), *gave.values(), *repeats.values()}
                )),
            )  # fmt: skip
    if faults:
        raise TableError(f"Row {row} of {sheets[table].file} is no row: {faults[0]}")
    raise TableError(
        f"{sheets[table].file} has no row {row}; rows are numbered as an editor or a spreadsheet shows them."
    )


def _hider(plan: Plan, table: str) -> Callable[[str, str], bool]:
    """Whether a cell of a column is not to be shown, for `[privacy]` hides it or dates like it."""
    privacy = plan.mapping.privacy
    hidden = {column for of, column in identifying(plan.frame) if of == table} if privacy.hides else set()
    return lambda column, cell: column in hidden or bool(privacy.shift_dates and has_date(cell))
