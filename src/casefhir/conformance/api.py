"""`validate`: from a dict, bytes, a file or a folder to a report."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from casefhir.conformance.fast import loads
from casefhir.conformance.findings import LAYERS, Finding, Report
from casefhir.conformance.packages import load
from casefhir.conformance.reader import SIZE, Fault, lines, read
from casefhir.conformance.validator import Validator, chosen
from casefhir.errors import CasefhirError

SUFFIXES = (".json", ".ndjson")


class NothingToValidate(CasefhirError):
    """A path where there is no JSON."""


def validate(
    source: Mapping[str, Any] | bytes | Path,
    *,
    profiles: Sequence[Path] = (),
    profile: str | None = None,
    layers: Collection[str] | None = None,
) -> Report:
    """Check `source` against R4 and give everything that was found.

    `source`: one resource as a dict (decimals as `Decimal`), its JSON bytes, or a path to a `.json` or `.ndjson` file
    or a folder of them. `profiles`: folders, files or packages (.tgz) with StructureDefinitions, ValueSets and
    CodeSystems. `profile`: a canonical URL every resource given must follow. `layers`: which checks run (all).
    Raises `NothingToValidate`, `UnknownLayer` or `UnreadablePackage`.
    """
    checker = Checker(profiles=profiles, profile=profile, layers=layers)
    report = checker.report()
    if isinstance(source, Path):
        for file in files(source):
            checker.check_file(file, report)
    elif isinstance(source, bytes):
        checker.check_bytes(source, report)
    else:
        checker.validator.check(source, report)
        if report.layers["json"] == "ran":
            report.layers["json"] = "skipped: the resource was given as an object, not as bytes"
    return report


class Checker:
    """`validate` for many sources: definitions and profiles are read once.

    Arguments as for `validate`; one checker serves one thread.
    """

    def __init__(
        self, *, profiles: Sequence[Path] = (), profile: str | None = None, layers: Collection[str] | None = None
    ) -> None:
        self.validator = Validator(load(profiles), profile=profile, layers=layers)
        self._planned = planned(layers)

    def report(self) -> Report:
        """An empty report that says which layers run."""
        return Report(layers=dict(self._planned))

    def check_file(self, file: Path, report: Report) -> None:
        """Check one `.json` or `.ndjson` file and add to `report`."""
        validate_file(file, self.validator, report)

    def check_bytes(self, data: bytes, report: Report, *, file: str | None = None, first_line: int = 1) -> None:
        """Check one resource given as JSON bytes and add to `report`."""
        validate_bytes(data, self.validator, report, file=file, first_line=first_line)

    def stream(self, lines: Iterable[bytes], *, file: str | None = None) -> Iterator[Report]:
        """One report a line of NDJSON, blank lines left out: memory stays that of one resource."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                report = self.report()
                self.check_bytes(line, report, file=file, first_line=number)
                yield report


def planned(layers: Collection[str] | None) -> dict[str, str]:
    """Each layer's name with "ran" or why it will not."""
    kept = chosen(layers)
    return {each: "ran" if each in kept else "skipped: not asked for" for each in LAYERS}


def files(path: Path) -> Iterator[Path]:
    """The JSON and NDJSON files at `path`, in order of name."""
    if path.is_dir():
        # what lies in index/ leads from bundles to mappings and is no FHIR
        found = sorted(
            each
            for each in path.rglob("*")
            if each.suffix in SUFFIXES and each.is_file() and "index" not in each.relative_to(path).parts[:-1]
        )
        if not found:
            raise NothingToValidate(f"{path}: no .json or .ndjson file in this folder.")
        yield from found
    elif path.is_file():
        yield path
    else:
        raise NothingToValidate(f"{path}: there is no such file or folder.")


def validate_file(file: Path, validator: Validator, report: Report) -> None:
    """Check one file; NDJSON line by line, so its length does not matter."""
    with file.open("rb") as stream:
        if file.suffix != ".ndjson":
            validate_bytes(stream.read(SIZE + 1), validator, report, file=str(file))
            return
        for number, line in enumerate(bounded_lines(stream), 1):
            if line.strip():
                validate_bytes(line, validator, report, file=str(file), first_line=number)


def bounded_lines(stream: BinaryIO, most: int = SIZE) -> Iterator[bytes]:
    """The lines of `stream`; of one longer than `most` only `most` + 1 bytes, so that it is refused, not kept."""
    while line := stream.readline(most + 1):
        rest = line
        while len(rest) > most and not rest.endswith(b"\n"):
            rest = stream.readline(most + 1)
            if not rest or rest.endswith(b"\n"):
                break
        yield line


def validate_bytes(
    data: bytes, validator: Validator, report: Report, *, file: str | None = None, first_line: int = 1
) -> None:
    """Check one resource given as JSON bytes; findings get the line they are about (`first_line` is the first)."""
    if len(data) < SIZE:
        loaded = loads(data)
        if loaded is not None and validator.quick(loaded[0], report, loaded[1]):
            return
    value, faults = read(data)
    if "json" in validator.layers or any(each.severity == "fatal" for each in faults):
        for each in faults:
            report.add(_finding(each, file, first_line))
    if value is None and faults:
        report.resources += 1
        return
    found = Report()
    validator.check_slowly(value, found, file=file)
    merge(report, found, data, first_line)


def merge(report: Report, found: Report, data: bytes, first_line: int) -> None:
    """Add what one resource gave to `report`, with the lines of `data`."""
    report.resources += found.resources
    for system, count in found.unchecked.items():
        report.unchecked[system] = report.unchecked.get(system, 0) + count
    if not found.findings:
        return
    places = lines(data)
    for each in found.findings:
        report.add(replace(each, line=_line(places, each.pointer) + first_line - 1))


def _line(places: dict[str, int], pointer: str) -> int:
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return places.get(pointer, 1)


def _finding(fault: Fault, file: str | None, first_line: int) -> Finding:
    line = None if fault.line is None else fault.line + first_line - 1
    return Finding(
        fault.severity,
        fault.rule,
        "",
        fault.pointer,
        fault.message,
        fault.mend,
        line,
        None,
        file,
    )
