"""HL7's public validator test cases against this validator: verdict by verdict, as a Markdown table.

    python tools/compare_test_cases.py [JAR]            the table
    python tools/compare_test_cases.py --docs [JAR]     the table into docs/hl7-cases.md

JAR: org.hl7.fhir.testcases:fhir-test-cases (default: 1.7.69 in ~/.m2). In scope is every R4 JSON case whose
reference outcome is shipped and that needs nothing but what the jar carries: supporting definitions (JSON or XML),
profiles, packages. The others are listed with what they need.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fhir_xml
from compare_judge import near, place

from casefhir import exactjson
from casefhir.conformance.api import validate_bytes
from casefhir.conformance.definitions import KINDS
from casefhir.conformance.findings import Finding, Report
from casefhir.conformance.validator import Validator
from casefhir.errors import CasefhirError

VERSION = "1.7.69"
JAR = Path.home() / ".m2/repository/org/hl7/fhir/testcases/fhir-test-cases" / VERSION / f"fhir-test-cases-{VERSION}.jar"
DOCS = Path(__file__).resolve().parents[1] / "docs/hl7-cases.md"
HEADING = "# HL7's test cases, case by case"
BASE = "org/hl7/fhir/testcases/validator/"
SERVER = "needs a terminology server"
OPTION = "sets an option that this validator does not have: "
MODULES = {
    "cda": "is CDA, not FHIR",
    "shc": "is a SMART health card, not a resource",
    "cdshooks": "is a CDS Hooks message, not a resource",
    "logical": "is an instance of a logical model, not a resource",
}
OPTIONS = {
    "noHtmlInMarkdown": "HTML in markdown refused",
    "validateReference": "references fetched and validated",
    "security-checks": "markup in strings refused",
    "advisor": "a policy advisor that leaves checks out",
    "allow-comments": "comments in JSON allowed",
    "scoring": "scores",
    "for-publication": "HL7's publication rules",
    "new-xver-mode": "cross-version extensions",
    "r5-bundle-relative-reference-policy": "R5's rules for references in a Bundle",
    "fetch-canonicals": "definitions fetched from the network",
    "allowed-extension-domain": "extensions of a domain allowed unseen",
}
VALUES = {("examples", False): "example URLs refused", ("validateContains", "IGNORE"): "contained resources ignored"}


@dataclass(frozen=True)
class Case:
    """One test: the instance, its definitions and packages, the profile asked for and the reference's outcome."""

    name: str
    file: str
    outcome: str | dict[str, Any]
    supporting: tuple[str, ...]
    packages: tuple[str, ...] = ()
    profile: str | None = None


@dataclass
class Row:
    """A compared case: both verdicts, and whether an error of ours is where one of HL7's is."""

    name: str
    theirs: str
    ours: str
    placed: bool
    note: str


@dataclass
class Table:
    """What was compared, and by reason what was not."""

    rows: list[Row] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def agreed(self) -> int:
        return sum(row.theirs == row.ours for row in self.rows)


def reason(entry: dict[str, Any]) -> str | None:
    """Why an entry of the manifest is out of scope whatever the jar carries, None when it may be in."""
    if not str(entry.get("version", "")).startswith("4.0"):
        return "is of another FHIR version"
    if not entry["file"].endswith(".json"):
        return "is not JSON"
    if entry.get("module", "") in MODULES:
        return MODULES[entry["module"]]
    if entry.get("use-test") is False:
        return "is not used by HL7 either"
    if "supporting5" in entry:
        return "needs R5 definitions"
    if "ips" in entry:
        return f"needs package hl7.fhir.{entry['ips']}.ips"
    if "sct" in entry:
        return SERVER
    for option, why in OPTIONS.items():
        if option in entry:
            return OPTION + why
    for (option, value), why in VALUES.items():
        if entry.get(option) == value:
            return OPTION + why
    return None


def cases(entry: dict[str, Any]) -> Iterator[Case]:
    """The base case of an entry and its profile case."""
    supporting = tuple(entry.get("supporting", ())) + tuple(entry.get("profiles", ()))
    packages = tuple(entry.get("packages", ())) + tuple(entry.get("package-map", {}).values())
    if isinstance(entry.get("java"), str | dict):
        yield Case(entry["name"], entry["file"], entry["java"], supporting, packages)
    profile = entry.get("profile")
    if isinstance(profile, dict) and isinstance(profile.get("java"), str | dict):
        yield Case(
            entry["name"] + " (profile)",
            entry["file"],
            profile["java"],
            supporting + tuple(profile.get("supporting", ())),
            packages + tuple(profile.get("packages", ())),
            profile["source"],
        )


class Runner:
    """Runs cases out of the archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = set(archive.namelist())

    def read(self, name: str) -> bytes | None:
        return self.archive.read(BASE + name) if BASE + name in self.names else None

    def expected(self, case: Case) -> list[dict[str, Any]] | None:
        """The errors of the reference, None where its outcome is not shipped."""
        outcome = case.outcome
        if isinstance(outcome, str):
            data = self.read("outcomes/" + outcome)
            if data is None:
                return None
            outcome = json.loads(data)
        outcome = outcome.get("outcome", outcome)
        return [each for each in outcome.get("issue", ()) if each.get("severity") in ("error", "fatal")]

    def resource(self, name: str) -> dict[str, Any]:
        data = self.read(name)
        if data is None:
            raise LookupError(f"needs {name}, which is not shipped")
        found: dict[str, Any] = fhir_xml.resource(data) if name.endswith(".xml") else exactjson.read(data)
        return found

    def package(self, name: str) -> Iterator[dict[str, Any]]:
        data = self.read(name)
        if data is None:
            raise LookupError(f"needs package {name.partition('#')[0]}")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if member.isfile() and re.match(r"package/[^.][^/]*\.json\Z", member.name):
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield exactjson.read(stream.read())

    def definitions(self, case: Case) -> tuple[list[dict[str, Any]], str | None]:
        """The definitions of a case, and the canonical URL of the profile asked for."""
        found: list[dict[str, Any]] = []
        for name in case.supporting:
            one = self.resource(name)
            found.extend([entry.get("resource", {}) for entry in one.get("entry", ())] or [one])
        for name in case.packages:
            found.extend(self.package(name))
        profile = case.profile
        if profile is not None and not profile.startswith("http"):
            one = self.resource(profile)
            found.append(one)
            profile = one["url"]
        return [each for each in found if each.get("resourceType") in KINDS], profile

    def ours(self, case: Case) -> list[Finding]:
        """The errors found here."""
        own, profile = self.definitions(case)
        data = self.read(case.file)
        if data is None:
            raise LookupError("needs an instance that is not shipped")
        report = Report()
        validate_bytes(data, Validator(own, profile=profile), report)
        return [each for each in report.findings if each.severity in ("error", "fatal")]


def unknown(found: list[Finding]) -> str | None:
    """Why a case that names a profile nobody gave is out of scope: neither side can check it."""
    for each in found:
        if each.rule == "profiles.unknown":
            return f"needs profile {each.value}"
    return None


def compare(runner: Runner, case: Case, table: Table) -> None:
    """Run one case and put it into the table."""
    expected = runner.expected(case)
    if expected is None:
        table.left_out["has no outcome shipped"].append(case.name)
        return
    try:
        found = runner.ours(case)
    except (LookupError, CasefhirError) as error:
        table.left_out[str(error)].append(case.name)
        return
    said = [each.get("details", {}).get("text", "") for each in expected]
    if said and not found and all("Wrong Display Name" in each for each in said):
        table.left_out["needs a terminology server for displays"].append(case.name)
        return
    missing = unknown(found)
    if missing is not None:
        table.left_out[missing].append(case.name)
        return
    theirs, ours = "fail" if expected else "pass", "fail" if found else "pass"
    places = [place(where) for each in expected for where in each.get("expression") or each.get("location") or ("",)]
    placed = any(near(place(each.location), where) for each in found for where in places)
    note = "" if theirs == ours else f"{found[0].rule}: {found[0].message}" if found else said[0]
    table.rows.append(Row(case.name, theirs, ours, placed, note))


def run(jar: Path = JAR) -> Table:
    """Compare every case of `jar`."""
    table = Table()
    with zipfile.ZipFile(jar) as archive:
        runner = Runner(archive)
        for entry in json.loads(archive.read(BASE + "manifest.json"))["test-cases"]:
            why = reason(entry)
            for case in cases(entry):
                if why is not None:
                    table.left_out[why].append(case.name)
                else:
                    compare(runner, case, table)
    return table


def markdown(table: Table) -> str:
    """The table as `docs/hl7-cases.md` has it."""
    both = [row for row in table.rows if row.theirs == row.ours == "fail"]
    lines = [
        f"In scope {len(table.rows)} verdicts, agreed {table.agreed} "
        f"({100 * table.agreed / len(table.rows):.1f} %). Of {len(both)} that both refuse, "
        f"{sum(row.placed for row in both)} have an error at the same element or its parent.",
        "",
        "| case | HL7 | casefhir | difference |",
        "| --- | --- | --- | --- |",
    ]
    for row in table.rows:
        note = " ".join(row.note.split())[:110].replace("|", "/")
        lines.append(f"| {row.name} | {row.theirs} | {row.ours} | {note} |")
    lines += ["", "Out of scope, each with what it needs:", "", "| reason | cases | which |", "| --- | --- | --- |"]
    for why, names in sorted(table.left_out.items(), key=lambda item: (-len(item[1]), item[0])):
        every = ", ".join(names) if len(names) < 100 else f"{names[0]} to {names[-1]}"
        lines.append(f"| {why} | {len(names)} | {every} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    given = [each for each in arguments if each != "--docs"]
    found = markdown(run(Path(given[0]) if given else JAR))
    if "--docs" in arguments:
        DOCS.write_text(f"{HEADING}\n\n{found}", encoding="utf-8")
    else:
        sys.stdout.write(found)


if __name__ == "__main__":
    main(sys.argv[1:])
