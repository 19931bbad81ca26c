"""The work of one process: a chunk of persons' rows becomes lines of output, rejects and counts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casefhir import exactjson
from casefhir.conformance import Finding
from casefhir.conformance.api import Checker
from casefhir.conformance.templates import TemplateChecker
from casefhir.fhir import convert as convert_case
from casefhir.fhir.templates import Shaped, Templates
from casefhir.fhir.vital_signs import LEFT_OUT
from casefhir.published import folder
from casefhir.record import Case, cells_of
from casefhir.sources.tables.load import LoadedMapping
from casefhir.sources.tables.lookups import Lookup
from casefhir.sources.tables.plan import Mapped, Plan
from casefhir.sources.tables.privacy import identifying, masked, plain
from casefhir.sources.tables.rows import PersonRows, Row, Sheet
from casefhir.tables.options import Halted, Options
from casefhir.tables.rejects import Rejected
from casefhir.tables.tally import Tally

INDEX = "index/resources.ndjson"
FINDINGS = "index/findings.ndjson"
"""What validation found on what is written, each with the rows behind it; there only if something was found."""
_SERIOUS = ("fatal", "error")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Persons to convert, and the rows that the readers and the grouping refused on the way to them."""

    persons: tuple[PersonRows, ...]
    refused: tuple[Rejected, ...] = ()


@dataclass(slots=True)
class Made:
    """What a chunk became: lines by output file, bundles by case key, rejects, their persons' other rows, counts."""

    lines: dict[str, bytes] = field(default_factory=dict)
    bundles: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    rejects: list[Rejected] = field(default_factory=list)
    context: dict[str, list[Row]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


class Maker:
    """Converts chunks; one a process, for it keeps the compiled mapping and its templates."""

    def __init__(
        self,
        mapping: LoadedMapping,
        sheets: Mapping[str, Sheet],
        lookups: Mapping[str, Lookup],
        options: Options,
    ) -> None:
        self.options = options
        self.mapping = mapping.mapping
        self.sheets = sheets
        self.plan = Plan(mapping, sheets, lookups)
        self.hidden = identifying(self.plan.frame)
        self.checker = Checker(profiles=(folder("profiles"),))
        self.templates = Templates(terminology=options.terminology, checker=TemplateChecker(self.checker))
        self._origins: dict[tuple[str, str], bytes] = {}

    def __call__(self, chunk: Chunk) -> Made:
        """The chunk converted; raises `Halted` where a row is rejected and the options say so."""
        made = Made()
        parts: dict[str, list[bytes]] = {}
        for each in chunk.refused:
            made.tally.of(each.table)["read"] += 1
            self._reject(made, each)
        for person in chunk.persons:
            self._person(person, made, parts)
        made.rejects.sort(key=lambda each: (each.table, each.number))
        made.lines = {
            name if name in (INDEX, FINDINGS) else f"{name}.ndjson": b"\n".join(lines) + b"\n"
            for name, lines in parts.items()
            if lines
        }
        return made

    def _person(self, person: PersonRows, made: Made, parts: dict[str, list[bytes]]) -> None:
        tally = made.tally
        for table, rows in person.rows.items():
            tally.of(table)["read"] += len(rows)
        broken = [Rejected(table, number, tuple(row), row.reason) for table, number, row in person.broken]
        for each in broken:
            tally.of(each.table)["read"] += 1
        if not person.rows:
            for each in broken:
                self._reject(made, each)
            return
        mapped, shaped, refused = self._conforming(person)
        refused += broken
        for table, count in mapped.filtered.items():
            tally.of(table)["filtered"] += count
        for table, count in mapped.converted.items():
            tally.of(table)["converted"] += count
        tally.unmapped.update(
            masked(self.mapping, mapped.unmapped, self.hidden) if self.mapping.privacy.hides else mapped.unmapped
        )
        tally.defaults.update(mapped.defaults)
        for each in refused:
            self._reject(made, each)
        if refused:
            gone = {(each.table, each.number) for each in refused}
            for table, rows in person.rows.items():
                others = [row for number, row in rows if (table, number) not in gone]
                if others:
                    made.context.setdefault(table, []).extend(others)
        if mapped.case is not None and shaped is not None:
            tally.persons += 1
            for told in shaped.remarks:
                key, _, remark = told.partition(": ")
                if remark.endswith(LEFT_OUT):
                    tally.unmapped[mapped.places[key][0], "code", remark] += 1
            self._write(mapped.case, mapped, shaped, made, parts)

    def _conforming(self, person: PersonRows) -> tuple[Mapped, Shaped | None, list[Rejected]]:
        """The person mapped and shaped; rows whose resources do not conform are taken out, one round after the other,
        until the rest does.
        """
        out: dict[tuple[str, int], Rejected] = {}
        while True:
            left = without(person, out)
            mapped = self.plan.person(left)
            refused = [*out.values(), *self._refused(mapped, left)]
            if mapped.case is None:
                return mapped, None, refused
            shaped = self.templates.shape(mapped.case)
            if self.options.allow_errors:
                return mapped, shaped, refused
            bad = {
                (table, number): Rejected(table, number, (), f"{each.message} {each.mend}".strip(), rule)
                for place, each in shaped.findings
                if each.severity in _SERIOUS
                for rule, table, number in self._behind(place, shaped, mapped)[0]
            }
            if not bad:
                return mapped, shaped, refused
            cells = {(table, number): row for table, rows in person.rows.items() for number, row in rows}
            out |= {
                place: Rejected(each.table, each.number, cells[place], each.reason, each.rule)
                for place, each in bad.items()
            }

    def _refused(self, mapped: Mapped, person: PersonRows) -> Iterable[Rejected]:
        if not mapped.rejects:
            return
        cells = {(table, number): row for table, rows in person.rows.items() for number, row in rows}
        seen: dict[tuple[str, int], Rejected] = {}
        for each in mapped.rejects:
            place = (each.table, each.row)
            if place not in seen:
                reason = f"{each.reason[:1].upper()}{each.reason[1:]}; {each.mend}."
                seen[place] = Rejected(each.table, each.row, cells[place], reason, each.rule, each.column)
        yield from seen.values()

    def _behind(
        self, place: int, shaped: Shaped, mapped: Mapped
    ) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
        """The rows behind a finding: that of the fact it is in, or else all of the person's; and rows of other facts or
        tables that the fact has words from.
        """
        fact = shaped.resources[place][2] if place >= 0 else ""
        found = mapped.places.get(fact)
        if found is None:
            return [*dict.fromkeys(mapped.places.values())], []
        return [found], [(found[0], each.table, each.row) for each in mapped.given.get(fact, ())]

    def _reject(self, made: Made, each: Rejected) -> None:
        if self.options.on_error == "halt":
            file, row = self.sheets[each.table].place(each.number)
            column = f", column {each.column}" if each.column else ""
            reason = plain(each.reason) if self.mapping.privacy.hides else each.reason
            raise Halted(f"{file}, row {row}{column}: {reason} Nothing after it was converted (--on-error halt).")
        made.tally.of(each.table)["rejected"] += 1
        made.tally.rejected[(each.table, each.rule, plain(each.reason))] += 1
        made.rejects.append(each)

    def _write(self, case: Case, mapped: Mapped, shaped: Shaped, made: Made, parts: dict[str, list[bytes]]) -> None:
        resources = made.tally.resources
        self._count((each for _, each in shaped.findings), made.tally)
        for of, each in shaped.findings:
            if each.severity != "information":
                parts.setdefault(FINDINGS, []).append(self._found(case, of, each, shaped, mapped))
        if self.options.form != "ndjson":
            data, _ = made.bundles[case.key] = self._bundle(case, mapped)
            report = self.checker.report()
            self.checker.check_bytes(data, report)
            known = {(each.rule, each.message) for _, each in shaped.findings}
            self._count((each for each in report.findings if (each.rule, each.message) not in known), made.tally)
            for kind, _, _, _ in shaped.resources:
                resources[kind] += 1
            return
        index = parts.setdefault(INDEX, [])
        places, given = mapped.places, mapped.given
        for kind, identity, fact, line in shaped.resources:
            resources[kind] += 1
            lines = parts.get(kind)
            if lines is None:
                lines = parts[kind] = []
            lines.append(line)
            place = places.get(fact)
            if place is not None:
                origin = self._origin(*place)
                if fact in given:
                    origin += b"," + exactjson.write(self._others(case, fact))[1:-1]
                # ids, types and keys of facts need no escaping in JSON
                index.append(
                    b'{"resource":"%b/%b","case":"%b","fact":"%b",%b}'
                    % (kind.encode(), identity.encode(), case.key.encode(), fact.encode(), origin)
                )

    def _count(self, findings: Iterable[Finding], tally: Tally) -> None:
        for each in findings:
            tally.findings[(each.severity, each.rule, plain(each.message))] += 1

    def _found(self, case: Case, place: int, each: Finding, shaped: Shaped, mapped: Mapped) -> bytes:
        """A finding as a line: what was found, in which resource, and the rows behind it."""
        rows = []
        own, others = self._behind(place, shaped, mapped)
        for rule, table, number in own + others:
            file, row = self.sheets[table].place(number)
            rows.append({"file": file, "rule": rule, "row": row})
        told = {"severity": each.severity, "rule": each.rule, "message": each.message, "case": case.key}
        resource = {"resource": "/".join(shaped.resources[place][:2])} if place >= 0 else {}
        return json.dumps(told | resource | {"rows": rows}).encode()

    def _origin(self, rule: str, table: str, number: int) -> bytes:
        """File, row and rule, as the end of an index line."""
        file, row = self.sheets[table].place(number)
        known = self._origins.get((rule, file))
        if known is None:
            known = self._origins[(rule, file)] = (
                f'"file":{json.dumps(file, ensure_ascii=False)},"rule":{json.dumps(rule)},"row":'.encode()
            )
        return b"%b%d" % (known, row)

    def _others(self, case: Case, fact: str) -> dict[str, Any]:
        """What follows in the index for a fact of several rows: the columns read in its own, and the other rows, each
        with the columns that gave it words.
        """
        tables = self.plan.frame.tables
        own, *others = cells_of(case.by_key[fact].source)
        also = []
        for each in others:
            file, row = self.sheets[each.table].place(each.row)
            also.append({"file": file, "row": row, "columns": [*tables[each.table].printed(each.columns)]})
        return {"columns": [*tables[own.table].printed(own.columns)], "also": also}

    def _bundle(self, case: Case, mapped: Mapped) -> tuple[bytes, bytes]:
        """The bundle of a person and the index beside it, both as files hold them."""
        conversion = convert_case(case, form=self.options.form, terminology=self.options.terminology)
        index = {}
        for identity, entry in conversion.index.items():
            place = mapped.places.get(entry["fact"])
            if place:
                rule, table, number = place
                file, row = self.sheets[table].place(number)
                entry = {"resource": entry["resource"], "fact": entry["fact"], "file": file, "row": row, "rule": rule}
                if entry["fact"] in mapped.given:
                    entry |= self._others(case, entry["fact"])
            index[identity] = entry
        return conversion.to_json(), exactjson.write(index, indent=True)


def without(person: PersonRows, out: Mapping[tuple[str, int], object]) -> PersonRows:
    """`person` less the rows `out` (table, number)."""
    if not out:
        return person
    return PersonRows(
        person.key,
        {
            table: kept
            for table, rows in person.rows.items()
            if (kept := [(number, row) for number, row in rows if (table, number) not in out])
        },
    )
