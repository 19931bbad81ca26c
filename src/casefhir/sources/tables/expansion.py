"""One rule for each entry of a wide table: `{…}` in its fields replaced by the entry's words."""

import fnmatch
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from casefhir.sources.tables.frame import read_csv
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.refusal import Refused
from casefhir.sources.tables.rows import find_column
from casefhir.sources.tables.ruleset import Columns, Rule, Unless

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_GONE = object()
AnyRule = TypeVar("AnyRule", bound=Rule)


def expanded(
    rule: AnyRule, folder: Path, columns: tuple[str, ...], lookups: Mapping[str, Lookup] = MappingProxyType({})
) -> Iterator[tuple[str, AnyRule]]:
    """The rules that `rule` stands for, each with the name of its entry ("" where there is one alone).

    Raises `Refused` for entries without a name, names given twice, and fields that make no rule.
    """
    entries = list(_entries(rule, folder, columns, lookups))
    if not entries and not rule.repeat:
        if rule.each == ():
            yield "", rule
        return
    names = {name for entry in entries for name in entry} | {*rule.repeat} | {"name"}
    tree = rule.model_dump(exclude_defaults=True, exclude={"each", "repeat"}, by_alias=True)
    seen: set[str] = set()
    for entry in entries or [{}]:
        for repeated in itertools.product(*rule.repeat.values()):
            told = {**entry, **dict(zip(rule.repeat, repeated))}
            name = ".".join(each for each in (entry.get("name", ""), *repeated) if each)
            if not name:
                raise Refused(f"an entry of `each` has no name: {entry}", 'give it one: { name = "ck", .. }')
            if name in seen:
                raise Refused(f"two entries of `each` are called {name!r}", "give one of them another name")
            seen.add(name)
            made = _filled(tree, told, names)
            try:
                yield name, type(rule).model_validate({**made, "name": rule.name})
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(each) for each in first["loc"])
                raise Refused(f"the entry {name!r} makes no rule: {where}: {first['msg']}", "mend the entry") from None


def _entries(
    rule: Rule, folder: Path, columns: tuple[str, ...], lookups: Mapping[str, Lookup]
) -> Iterator[Mapping[str, str]]:
    each = rule.each
    if isinstance(each, str):
        head, *lines = read_csv(folder / each)
        for line in lines:
            yield {name.strip(): cell.strip() for name, cell in zip(head, line) if cell.strip()}
    elif isinstance(each, Columns):
        for column in columns:
            fits = any(fnmatch.fnmatchcase(column.lower(), pattern.lower()) for pattern in each.columns)
            left = any(fnmatch.fnmatchcase(column.lower(), pattern.lower()) for pattern in each.without)
            if not fits or left:
                continue
            entry = {"name": column, "column": column}
            if each.split:
                stem, found, code = column.partition(each.split)
                if not found:
                    continue
                entry |= {"stem": stem, "code": code}
            if not any(_says(lookups, unless, entry.get("stem", column)) for unless in each.unless):
                yield entry
    else:
        yield from each


def left_out(rule: Rule, columns: Iterable[str], lookups: Mapping[str, Lookup]) -> Iterator[str]:
    """Columns that a rule passes over because a look-up says so of them, as a data dictionary does of identifiers."""
    each = rule.each
    if isinstance(each, Columns):
        for column in columns:
            stem = column.partition(each.split)[0] if each.split else column
            if any(_says(lookups, unless, stem) for unless in each.unless):
                yield column


def _says(lookups: Mapping[str, Lookup], unless: Unless, column: str) -> bool:
    lookup = lookups.get(unless.lookup)
    place = find_column(lookup.columns, unless.take) if lookup else None
    row = lookup.rows.get((column,)) if lookup else None
    said = row[place] if row is not None and place is not None else None
    return said is not None and said.strip().casefold() in {words.casefold() for words in unless.words}


def _filled(part: Any, told: Mapping[str, str], names: set[str]) -> Any:
    """`part` with its placeholders filled; what consists of a placeholder that the entry lacks is gone."""
    if isinstance(part, str):
        whole = _PLACEHOLDER.fullmatch(part)
        if whole and whole[1] in names:
            return told.get(whole[1]) or _GONE
        return _PLACEHOLDER.sub(lambda found: told.get(found[1], "") if found[1] in names else found[0], part)
    if isinstance(part, dict):
        made = {key: _filled(value, told, names) for key, value in part.items()}
        if any(made.get(key) is _GONE for key in ("const", "column", "expr", "code", "curie", "to")):
            return _GONE
        kept = {key: value for key, value in made.items() if value is not _GONE}
        return kept if kept or not part else _GONE
    if isinstance(part, list | tuple):
        return [each for each in (_filled(one, told, names) for one in part) if each is not _GONE]
    return part
