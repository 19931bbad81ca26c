"""Loads the concept catalogue (`data/concepts.tsv` and its companions) once, on first use.

The rows were verified against public lists; `docs/terminology.md` tells which, and the licences. A code never comes
from anywhere but these files.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from casefhir.errors import CasefhirError
from casefhir.terms.units import dimension


class UnknownConcept(CasefhirError):
    """A key that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of a concept; `free` is False where using it needs a SNOMED CT licence. `kind` tells what it codes."""

    system: str
    code: str
    display: str
    free: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing that facts speak of. `kind` is laboratory, lung-function, vital-signs, score, imaging, report, procedure,
    condition, medication, substance, route, reason, severity, value or demographic; `unit` the UCUM unit that results
    are expected to be commensurable with (empty: none); `names` the phrases by which sources name it; `caution`
    something a reader of its codes has to know.
    """

    key: str
    kind: str
    name: str
    unit: str
    codings: tuple[Coding, ...]
    names: tuple[str, ...]
    caution: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def concepts() -> Mapping[str, Concept]:
    """The whole catalogue by key, in the order of the file."""
    names = {row["key"]: tuple(row["names"].split("|")) for row in _rows("names.tsv")}
    cautions = {row["key"]: row["caution"] for row in _rows("cautions.tsv")}
    by_key: dict[str, list[dict[str, str]]] = {}
    for row in _rows("concepts.tsv"):
        by_key.setdefault(row["key"], []).append(row)
    found = {}
    for key, rows in by_key.items():
        codings = tuple(
            Coding(row["system"], row["code"], row["display"], row["free"] == "yes", row["kind"])
            for row in rows
            if row["code"]
        )
        first = rows[0]
        found[key] = Concept(
            key,
            first["kind"],
            first["name"],
            first["unit"],
            codings,
            names.get(key, (first["name"],)),
            cautions.get(key, ""),
        )
    return found


def concept(key: str) -> Concept:
    """The concept of `key`; raises `UnknownConcept` with the nearest keys otherwise."""
    try:
        return concepts()[key]
    except KeyError:
        import difflib

        near = difflib.get_close_matches(key, concepts(), n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise UnknownConcept(
            f"The concept catalogue has no {key!r}.{hint} A concept it lacks is given as text alone: None and text='…'."
        ) from None


@cache
def _units() -> Mapping[str, str]:
    return {row["printed"]: row["ucum"] for row in _rows("units.tsv")}


def ucum_of(printed: str) -> str | None:
    """The UCUM code of a unit as printed; None where the print makes no sense as a unit or is not known."""
    return _units().get(printed) or None


@cache
def _interpretations() -> Mapping[str, tuple[str, str]]:
    return {row["words"]: (row["code"], row["display"]) for row in _rows("interpretations.tsv")}


def interpretation_code(words: str) -> tuple[str, str] | None:
    """Code and display (HL7 v3 ObservationInterpretation) of words such as `normal` or `positive`; None if they have
    none.
    """
    return _interpretations().get(words)


@cache
def commensurable(one: str, other: str) -> bool:
    """Whether two UCUM codes measure the same kind of thing (`mg/L` and `g/dL` do, `U/L` and `[IU]/L` do not).

    Counts, scores and ratios without a dimension go together. Raises `UnknownUnit` for what is not UCUM.
    """
    if one == other:
        return True
    return dimension(one) == dimension(other)
