"""FHIR codings as the ontology classes of Phenopackets (CURIE and label), and the resources that these come from."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from casefhir.report.look import Code, codes, text, words

UCUM = "http://unitsofmeasure.org"


@cache
def _systems() -> dict[str, dict[str, str]]:
    """What is known of each code system: prefix, id, name, url, iri."""
    lines = (Path(__file__).parent / "assets" / "prefixes.tsv").read_text("utf-8").splitlines()
    names = lines[0].split("\t")
    return {row["system"]: row for row in (dict(zip(names, line.split("\t"))) for line in lines[1:])}


class Terms:
    """Writes terms, and remembers which systems they are of."""

    def __init__(self) -> None:
        self._used: dict[str, str] = {}

    def prefixes(self, concept: Any) -> set[str]:
        """The prefixes of the systems that `concept` is coded in, as far as they are known."""
        return {row["prefix"] for each in codes(concept) if (row := _systems().get(each.system))}

    def first(self, concept: Any, wanted: tuple[str, ...]) -> dict[str, str] | None:
        """The first coding of `concept` in the order of the prefixes `wanted`, as a term; None where there is none."""
        for prefix in wanted:
            for code in codes(concept):
                row = _systems().get(code.system)
                if row and row["prefix"] == prefix and code.code:
                    return self.term(code, code.display or words(concept))
        return None

    def term(self, code: Code, label: str) -> dict[str, str]:
        """`code`, of a system that is known, as an OntologyClass."""
        row = _systems()[code.system]
        self._used.setdefault(row["prefix"], code.system)
        return {"id": f"{row['prefix']}:{code.code.removeprefix(row['prefix'] + ':')}", "label": label or code.code}

    def resources(self, values: Iterable[Any]) -> list[dict[str, str]]:
        """The systems of all terms so far, with the versions that the codings of `values` name."""
        versions: dict[str, set[str]] = {}
        for value in values:
            for coding in _codings(value):
                if text(coding, "version"):
                    versions.setdefault(text(coding, "system"), set()).add(text(coding, "version"))
        rows = [(_systems()[system], versions.get(system, ())) for _, system in sorted(self._used.items())]
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "url": row["url"],
                "version": ", ".join(sorted(told)) or "not told",
                "namespacePrefix": row["prefix"],
                "iriPrefix": row["iri"],
            }
            for row, told in rows
        ]


def _codings(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "system" in value and "code" in value:
            yield value
        for each in value.values():
            yield from _codings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _codings(each)
