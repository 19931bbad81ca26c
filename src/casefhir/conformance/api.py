"""`validate`: from a dict, bytes, a file, a folder or any number of them to a report."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from casefhir.conformance.fast import loads
from casefhir.conformance.findings import LAYERS, LIMIT, Excerpt, Finding, Report
from casefhir.conformance.packages import load
from casefhir.conformance.pieces import NothingToValidate, Piece, pieces
from casefhir.conformance.positions import Place, places, spans
from casefhir.conformance.reader import Fault, read, too_big, too_deep
from casefhir.conformance.validator import Validator, chosen

Source = Mapping[str, Any] | bytes | Path
_AT_KEY = frozenset({"structure.unknown-element", "structure.choice"})
_CUT = 1000
_NOWHERE = Place(0, 1, 1, Excerpt("", 0, 1))


def validate(
    source: Source | Iterable[Source],
    *,
    profiles: Sequence[Path] = (),
    profile: str | None = None,
    layers: Collection[str] | None = None,
    tx: str | None = None,
    limit: int | None = LIMIT,
) -> Report:
    """Check `source` against R4 and give everything that was found.

    `source`: one resource as a dict (decimals as `Decimal`), its JSON bytes, a path to a `.json`, `.ndjson` or `.jsonl`
    file or a folder of them, or any iterable of these (a generator, a file opened for bytes whose lines are NDJSON):
    findings then name the item, counted from 1, as their `file`. `profiles`: folders, files or packages (.tgz) with
    definitions (`definitions.KINDS`: StructureDefinitions, ValueSets, CodeSystems, Questionnaires, Measures ...).
    `profile`: a canonical URL every resource given must follow. `layers`: which checks run (all). `tx`: the base URL of
    a terminology server that is asked for codes whose system is not known here; without it nothing is asked of any
    network. `limit`: how many findings of one rule in one file are kept (None: all).
    Raises `NothingToValidate`, `UnknownLayer`, `UnreadablePackage` or `NoTerminologyServer`.
    """
    checker = Checker(profiles=profiles, profile=profile, layers=layers, tx=tx, limit=limit)
    report = checker.report()
    if isinstance(source, Mapping | bytes | Path):
        checker.check(source, report)
    elif isinstance(source, str) or not isinstance(source, Iterable):
        raise NothingToValidate(
            f"A {type(source).__name__} is nothing to validate: give a dict, bytes, a pathlib.Path or an iterable of "
            "these."
        )
    else:
        for number, each in enumerate(source, 1):
            if not isinstance(each, bytes) or each.strip():
                checker.check(each, report, file=f"item {number}")
    return report


class Checker:
    """`validate` for many sources: definitions and profiles are read once.

    Arguments as for `validate`; `accepts` as in `Report`. One checker serves one thread; `options` make another.
    """

    def __init__(
        self,
        *,
        profiles: Sequence[Path] = (),
        profile: str | None = None,
        layers: Collection[str] | None = None,
        tx: str | None = None,
        limit: int | None = LIMIT,
        accepts: Callable[[Finding], int | None] | None = None,
    ) -> None:
        self.options: dict[str, Any] = {
            "profiles": profiles,
            "profile": profile,
            "layers": layers,
            "tx": tx,
            "limit": limit,
            "accepts": accepts,
        }
        server = None
        if tx is not None:
            from casefhir.conformance.tx import TerminologyServer

            server = TerminologyServer(tx)
        self.validator = Validator(load(profiles), profile=profile, layers=layers, server=server)
        self._planned = planned(layers)

    def report(self) -> Report:
        """An empty report that says which layers run."""
        return Report(layers=dict(self._planned), limit=self.options["limit"], accepts=self.options["accepts"])

    def check(self, source: Source, report: Report, *, file: str | None = None) -> None:
        """Check one source and add to `report`; `file` is what findings call one that is no path."""
        if isinstance(source, Path):
            for piece in pieces(source):
                self.check_piece(piece, report)
        elif isinstance(source, bytes):
            self.check_bytes(source, report, file=file)
        elif isinstance(source, Mapping):
            self.validator.check(source, report, file=file)
            if report.layers["json"] == "ran":
                report.layers["json"] = "skipped: a resource was given as an object, not as bytes"
        else:
            raise NothingToValidate(f"{file or 'This'} is a {type(source).__name__}, not a dict, bytes or path.")
        self._server(report)

    def _server(self, report: Report) -> None:
        """Say in `report` when the terminology server failed."""
        server = self.validator.server
        if server is not None and server.trouble is not None:
            what = "was given up" if server.given_up else "left questions unanswered"
            report.layers["terminology"] = f"ran, but terminology server {server.name} {what}: {server.trouble}"

    def check_piece(self, piece: Piece, report: Report) -> None:
        """Check the resources of one piece of work and add to `report`."""
        try:
            for line, offset, data in piece.resources():
                self.check_bytes(data, report, file=piece.file, first_line=line, first_byte=offset)
        except OSError as error:
            told = f"The file cannot be read ({error.strerror or error})."
            report.add(
                Finding("fatal", "json.unreadable", "", "", told, "Make it readable, or leave it out.", file=piece.file)
            )
        self._server(report)

    def check_bytes(
        self, data: bytes, report: Report, *, file: str | None = None, first_line: int = 1, first_byte: int = 0
    ) -> None:
        """Check one resource given as JSON bytes and add to `report`."""
        validate_bytes(data, self.validator, report, file=file, first_line=first_line, first_byte=first_byte)

    def stream(self, lines: Iterable[bytes], *, file: str | None = None) -> Iterator[Report]:
        """One report a line of NDJSON, blank lines left out: memory stays that of one resource."""
        offset = 0
        for number, line in enumerate(lines, 1):
            if line.strip():
                report = self.report()
                self.check_bytes(line, report, file=file, first_line=number, first_byte=offset)
                yield report
            offset += len(line)


def planned(layers: Collection[str] | None) -> dict[str, str]:
    """Each layer's name with "ran" or why it will not."""
    kept = chosen(layers)
    return {each: "ran" if each in kept else "skipped: not asked for" for each in LAYERS}


def validate_bytes(
    data: bytes,
    validator: Validator,
    report: Report,
    *,
    file: str | None = None,
    first_line: int = 1,
    first_byte: int = 0,
) -> None:
    """Check one resource given as JSON bytes; findings get their places (`first_line` and `first_byte` are those of
    `data` in its file).
    """
    if too_big(data) is None:
        loaded = loads(data)
        trip = validator.quick(*loaded) if loaded is not None else None
        if loaded is not None and trip is not None:
            if not trip.bare:
                validator.note(trip, loaded[0], report, file=file)
                return
            found = Report(limit=report.limit, accepts=report.accepts)
            validator.note(trip, loaded[0], found, file=file)
            _place(found, [], data, first_line, first_byte)
            report.merge(found)
            return
    value, faults = read(data)
    found = Report(limit=report.limit, accepts=report.accepts)
    if "json" in validator.layers or any(each.severity == "fatal" for each in faults):
        for each in faults:
            location = _location(value, each.pointer)
            found.add(Finding(each.severity, each.rule, location, each.pointer, each.message, each.mend, file=file))
            if each.more:
                found.leave_out(each.severity, each.rule, each.more)
    if value is None and faults:
        found.resources += 1
    else:
        validator.check_slowly(value, found, file=file)
    _place(found, faults, data, first_line, first_byte)
    report.merge(found)


def _location(value: Any, pointer: str) -> str:
    """`pointer` as a FHIRPath, where the bytes have been read but the types are not known."""
    name = value.get("resourceType") if isinstance(value, dict) else None
    steps = (each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:])
    path = "".join(f"[{each}]" if each.isdecimal() else f".{each}" for each in steps)
    return f"{name}{path}" if isinstance(name, str) else ""


def _place(found: Report, faults: list[Fault], data: bytes, first_line: int, first_byte: int) -> None:
    """Give the findings their places in `data`."""
    if not found.findings:
        return
    # a fault of the bytes knows its own place; what is wrong in the values is looked up by its pointer
    own = {(each.rule, each.pointer): each for each in faults}
    lost = [each for each in found.findings if (each.rule, each.pointer) not in own]
    where = spans(data, {each.pointer for each in lost}) if lost else {}
    stretches: list[tuple[int, int] | None] = []
    for each in found.findings:
        fault = own.get((each.rule, each.pointer))
        if fault is None and each.rule == "json.depth":
            fault = too_deep(data)
        if fault is not None:
            stretches.append(None if fault.start is None else (fault.start, fault.end or fault.start + 1))
            continue
        pointer = each.pointer
        while pointer and pointer not in where:
            pointer = pointer.rpartition("/")[0]
        span = where[pointer]
        at_key = each.rule in _AT_KEY and pointer == each.pointer and span.key != span.start
        stretches.append((span.key, span.start) if at_key else (span.start, span.end))
    known = places(data, [each for each in stretches if each is not None])
    for index, (each, stretch) in enumerate(zip(found.findings, stretches, strict=True)):
        place = known[stretch[0]] if stretch is not None else _NOWHERE
        found.findings[index] = replace(
            each,
            location=each.location[:_CUT],
            pointer=each.pointer[:_CUT],
            line=place.line + first_line - 1,
            column=place.column,
            offset=place.offset + first_byte,
            excerpt=place.excerpt,
        )
