"""The library's verbs over all rooms: load a case, convert it, prove it against its document."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal

from casefhir import exactjson
from casefhir.conformance import Report, validate
from casefhir.conformance.api import Checker
from casefhir.conformance.templates import TemplateChecker
from casefhir.fhir import Conversion, Form, Origin, Terminology
from casefhir.fhir import convert as convert_case
from casefhir.fhir.context import resource_type
from casefhir.fhir.narrative import summary
from casefhir.fhir.templates import Templates
from casefhir.published import folder
from casefhir.record import Case, RecordError, check, spans_of
from casefhir.record import places as places
from casefhir.sources.article.coverage import CoverageReport
from casefhir.sources.article.coverage import coverage as coverage_of
from casefhir.sources.article.document import Document
from casefhir.sources.article.document import find_by_hash as find_by_hash
from casefhir.sources.article.modules import Mapping, MappingError, load_mapping, resolve
from casefhir.sources.article.modules import published_mappings as published_mappings
from casefhir.sources.article.verify import VerifyReport
from casefhir.sources.article.verify import verify as verify_against
from casefhir.sources.records import ENDINGS

RecordForm = Literal["yaml", "json"]
_STATED = {".py": re.compile(r"^CASE\b", re.M), **dict.fromkeys(ENDINGS, re.compile(r'^\s*"?facts"?\s*:', re.M))}


def list_cases() -> list[Mapping]:
    """The published cases that come with casefhir, by file name."""
    return [load_mapping(path) for path in published_mappings()]


def load_case(name: str | Path) -> Mapping:
    """The case of that key, mapping file (`.py`) or record file (`.yaml`, `.yml`, `.json`); `.case` is its record.

    Raises `MappingError` or `RecordFileError` (file, line, what, how to mend).
    """
    path = name if isinstance(name, Path) else resolve(name)
    if path.suffix not in ENDINGS:
        return load_mapping(path)
    from casefhir.sources.records.read import load_record

    return load_record(path)


def read_record(data: bytes, name: str = "record.json") -> Mapping:
    """The case in the bytes of a record file, as YAML if `name` ends so, else as JSON.

    Raises `RecordFileError`, whose `mistakes` have line, column, path and what is wrong.
    """
    from casefhir.sources.records.read import read_record as read

    return read(data, name)


def write_record(case: Case, form: RecordForm) -> bytes:
    """The record of a case as YAML or JSON, which `load_case` and `read_record` read back equal."""
    from casefhir.sources.records.write import to_json, to_yaml

    return to_yaml(case) if form == "yaml" else to_json(case)


def record_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of record files."""
    from casefhir.sources.records.models import schema

    return schema()


def mapping_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of mapping files for tables."""
    from casefhir.sources.tables.mapping import json_schema

    return json_schema()


def convert(
    case: Mapping | Case | str | Path,
    *,
    form: Form = "transaction",
    terminology: Terminology = "free",
    subject: str | None = None,
) -> Conversion:
    """A case (a mapping, its key or file, or a record made in code) as FHIR R4: bundle, counts, index, remarks.

    `form` is transaction, collection, document or ndjson; `terminology="snomed"` adds SNOMED CT codes that need a
    licence; `subject` (`Patient/123`) attaches the facts to a patient that exists.
    """
    if isinstance(case, Case):
        mistakes = check(case)
        if mistakes:
            told = (f"{each.fact}: {each}" if each.fact else str(each) for each in mistakes)
            raise RecordError("\n".join(told), mistakes[0].fact)
        return convert_case(case, form=form, terminology=terminology, subject=subject)
    mapping = case if isinstance(case, Mapping) else load_case(case)
    origin = Origin(mapping.name, mapping.sha256, mapping.fact_lines)
    return convert_case(mapping.case, origin, form=form, terminology=terminology, subject=subject)


def _document(mapping: Mapping, sources: Path | str) -> Document:
    return find_by_hash(Path(sources), mapping.case.document.sha256)


def verify(case: Mapping | str | Path, sources: Path | str) -> VerifyReport:
    """Whether every fact of a case stands where its mapping says, in the documents of the folder `sources`."""
    mapping = case if isinstance(case, Mapping) else load_case(case)
    return verify_against(mapping, _document(mapping, sources))


def coverage(case: Mapping | str | Path, sources: Path | str) -> CoverageReport:
    """Whether every stretch of the document's sections is in a fact's span or left out with a reason."""
    mapping = case if isinstance(case, Mapping) else load_case(case)
    return coverage_of(mapping, _document(mapping, sources))


def mapping_files(name: str) -> list[Path]:
    """The files that `name` means: a published case's key, a mapping or record, or those in a folder that state a case.

    Raises `MappingError` where there is none: other Python, YAML and JSON files of a folder are not touched.
    """
    path = Path(name)
    if not path.is_dir() or name in {each.stem.replace("_", "-") for each in published_mappings()}:
        return [resolve(name)]
    found = [
        each
        for each in sorted(path.iterdir())
        if each.suffix in _STATED and _STATED[each.suffix].search(each.read_text(encoding="utf-8", errors="replace"))
    ]
    if not found:
        raise MappingError(
            f"{path}: No file in this folder is a mapping; a mapping is a .py file that defines CASE, "
            "or a record in YAML or JSON. Tables are converted by a mapping of theirs: --mapping NAME."
        )
    return found


def templates(
    *, terminology: Terminology = "free", layers: Collection[str] | None = None, validate: bool = True
) -> Templates:
    """The quick way for cases told in tables: `shape` gives the lines of NDJSON of a case, to the byte as `convert`,
    and what is wrong with them. One serves a whole process, one thread at a time.

    `layers`: which checks run (all); `validate=False`: none.
    """
    if not validate:
        return Templates(terminology=terminology)
    checker = Checker(profiles=(folder("profiles"),), layers=layers)
    return Templates(terminology=terminology, checker=TemplateChecker(checker))


def validate_conversion(conversion: Conversion) -> Report:
    """The findings of all validation layers on what a case became, our own profiles loaded."""
    profiles = (folder("profiles"),)
    if conversion.form != "ndjson":
        return validate(conversion.to_json(), profiles=profiles)
    return validate((exactjson.write(resource) for resource in conversion.resources), profiles=profiles)


def query(statement: str, bundles: Iterable[Path | str]) -> list[dict[str, Any]]:
    """The rows that a DuckDB query over the tables of bundles or NDJSON (files or folders) gives, decimals exact.

    Needs the extra `tables`. Raises `BadQuery`, `UnreadableBundle`.
    """
    from casefhir.report.bundles import read
    from casefhir.report.sql import query as ask
    from casefhir.report.tables import catalogue, tables

    found = tables(read(map(Path, bundles)))
    return list(ask(statement, [*found, catalogue(found)]).as_objects())


def plot(code: str, bundles: Iterable[Path | str], form: Literal["svg", "png"] = "svg") -> bytes:
    """One measurement of bundles or NDJSON (files or folders) as a figure, a panel a case.

    `code` is a short key (ck, crp, igg …), a code, or a name. Needs the extra `report`. Raises `NothingToPlot`.
    """
    from casefhir.report.bundles import read
    from casefhir.report.plot import drawn_figure, figure

    return drawn_figure(figure(read(map(Path, bundles)), code), form)


def record_rows(mapping: Mapping) -> list[dict[str, Any]]:
    """The record of a case as rows: resource type, fact key, what it says in a line, its spans, its line in the
    mapping.
    """
    case = mapping.case
    return [
        {
            "resource": resource_type(fact),
            "fact": fact.key,
            "says": summary(case, fact),
            "spans": [(span.offset, span.length) for span in spans_of(fact.source)],
            "mapping": mapping.name,
            "line": mapping.line_of(fact.key),
        }
        for fact in case.facts
    ]
