"""HL7's public validator test cases against this validator: verdict by verdict, as a Markdown table.

    python tools/compare_test_cases.py [JAR] > table.md

JAR: org.hl7.fhir.testcases:fhir-test-cases (default: 1.7.69 in ~/.m2). In scope are R4 JSON cases whose reference
outcome is shipped and that need neither a package, a terminology server nor another format; the others are
counted by reason.
"""

import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefhir import exactjson
from casefhir.conformance.api import validate_bytes
from casefhir.conformance.findings import Finding, Report
from casefhir.conformance.packages import DEFINITIONS
from casefhir.conformance.validator import Validator
from casefhir.errors import CasefhirError

VERSION = "1.7.69"
JAR = Path.home() / ".m2/repository/org/hl7/fhir/testcases/fhir-test-cases" / VERSION / f"fhir-test-cases-{VERSION}.jar"
BASE = "org/hl7/fhir/testcases/validator/"
OUT_OF_SCOPE = {
    "tx": "terminology server",
    "tx-advanced": "terminology server",
    "cda": "CDA",
    "shc": "health cards",
    "shlinks": "health cards",
    "cdshooks": "CDS Hooks",
    "logical": "logical models",
    "xml": "XML",
    "json5": "JSON5",
    "fml": "mapping language",
    "matchetype": "matchetypes",
    "ips": "package",
}
OPTIONS = {
    "packages": "package",
    "package-map": "package",
    "logical": "logical models",
    "matchetype": "matchetypes",
    "noHtmlInMarkdown": "option",
    "validateReference": "option",
    "fetcher": "needs a Questionnaire or canonical fetcher",
    "tx-dependent": "terminology server",
    "use-test": "not used by HL7 either",
    "generate-shapshot": "snapshot generation",
    "certificate": "health cards",
    "for-publication": "publication",
    "supporting5": "R5 definitions",
    "new-xver-mode": "cross-version",
    "sct": "terminology server",
    "security-checks": "option",
    "suppress": "option",
    "advisor": "option",
    "examples": "option",
    "allow-comments": "option",
    "ips": "package",
    "best-practice": "option",
    "scoring": "option",
    "validateContains": "option",
    "crumb-trail": "option",
    "language": "translated messages",
}


@dataclass(frozen=True)
class Case:
    """One test: the instance, its definitions, the profile asked for and the reference's outcome."""

    name: str
    file: str
    outcome: str
    supporting: tuple[str, ...]
    profile: str | None


def reason(entry: dict[str, Any]) -> str | None:
    """Why an entry of the manifest is out of scope, None when it is in."""
    if not str(entry.get("version", "")).startswith("4.0"):
        return "other FHIR version"
    if not entry["file"].endswith(".json"):
        return "not JSON"
    module = entry.get("module", "")
    if module in OUT_OF_SCOPE:
        return OUT_OF_SCOPE[module]
    for option, why in OPTIONS.items():
        if option in entry:
            return why
    return None


def cases(entry: dict[str, Any]) -> Iterator[Case]:
    """The base case of an entry and its profile case."""
    supporting = tuple(entry.get("supporting", ())) + tuple(entry.get("profiles", ()))
    if isinstance(entry.get("java"), str):
        yield Case(entry["name"], entry["file"], entry["java"], supporting, None)
    profile = entry.get("profile")
    if isinstance(profile, dict) and isinstance(profile.get("java"), str) and "packages" not in profile:
        extra = tuple(profile.get("supporting", ()))
        yield Case(
            entry["name"] + " (profile)",
            entry["file"],
            profile["java"],
            supporting + extra + (profile["source"],),
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
        data = self.read("outcomes/" + case.outcome)
        if data is None:
            return None
        outcome = json.loads(data)
        outcome = outcome.get("outcome", outcome)
        return [each for each in outcome.get("issue", ()) if each.get("severity") in ("error", "fatal")]

    def definitions(self, case: Case) -> tuple[list[dict[str, Any]], str | None]:
        found: list[dict[str, Any]] = []
        profile = None
        for name in case.supporting:
            data = self.read(name)
            if data is None or not name.endswith(".json"):
                raise LookupError(f"supporting file {name} is not JSON or not shipped")
            one = exactjson.read(data)
            for each in [entry.get("resource", {}) for entry in one.get("entry", ())] or [one]:
                if each.get("resourceType") in DEFINITIONS:
                    found.append(each)
            if name == case.profile:
                profile = one.get("url")
        return found, profile

    def ours(self, case: Case) -> list[Finding]:
        own, profile = self.definitions(case)
        data = self.read(case.file)
        if data is None:
            raise LookupError("the instance is not shipped")
        report = Report()
        validate_bytes(data, Validator(own, profile=profile), report)
        return [each for each in report.findings if each.severity in ("error", "fatal")]


def main(arguments: list[str]) -> None:
    jar = Path(arguments[0]) if arguments else JAR
    left_out: Counter[str] = Counter()
    rows: list[tuple[str, str, str, str]] = []
    with zipfile.ZipFile(jar) as archive:
        runner = Runner(archive)
        for entry in json.loads(archive.read(BASE + "manifest.json"))["test-cases"]:
            why = reason(entry)
            if why is not None:
                left_out[why] += 1
                continue
            for case in cases(entry):
                try:
                    expected = runner.expected(case)
                    found = None if expected is None else runner.ours(case)
                except (LookupError, CasefhirError) as error:
                    left_out[f"definitions: {str(error).partition(' ')[0]}"] += 1
                    continue
                if expected is None or found is None:
                    left_out["no reference outcome shipped"] += 1
                    continue
                said = [each.get("details", {}).get("text", "") for each in expected]
                if said and all(each.startswith("Wrong Display Name") for each in said):
                    left_out["displays of a terminology server"] += 1
                    continue
                if any(each.rule == "profiles.unknown" for each in found):
                    left_out["names a profile that is not shipped"] += 1
                    continue
                theirs, mine = "fail" if expected else "pass", "fail" if found else "pass"
                first = found[0].rule if found else ""
                rows.append((case.name, theirs, mine, "" if mine == theirs else first or said[0]))
    agreed = sum(theirs == mine for _, theirs, mine, _ in rows)
    print(f"In scope {len(rows)}, agreed {agreed} ({100 * agreed / len(rows):.1f} %).\n")
    print("Out of scope: " + "; ".join(f"{why} {count}" for why, count in left_out.most_common()) + ".\n")
    print("| case | HL7 | casefhir | difference |\n| --- | --- | --- | --- |")
    for name, theirs, mine, note in rows:
        print(f"| {name} | {theirs} | {mine} | {note[:110].replace('|', '/')} |")


if __name__ == "__main__":
    main(sys.argv[1:])
