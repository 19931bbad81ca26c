"""A report as JSON lines, OperationOutcome, SARIF or JUnit XML: text for others' tools."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from casefhir.conformance.findings import Finding, Report
from casefhir.conformance.origins import origin_of

Json = dict[str, Any]
_SARIF_LEVELS = {"fatal": "error", "error": "error", "warning": "warning", "information": "note"}
_ISSUE_CODES = {
    "json": "structure",
    "structure": "structure",
    "terminology": "code-invalid",
    "references": "not-found",
    "profiles": "value",
    "meaning": "business-rule",
    "invariants": "not-supported",
}
REDACTED = "(redacted)"


def _line(finding: Finding, redact: bool) -> Json:
    found: Json = {
        "file": finding.file,
        "severity": finding.severity,
        "rule": finding.rule,
        "location": finding.location,
        "pointer": finding.pointer,
        "line": finding.line,
        "column": finding.column,
        "offset": finding.offset,
        "message": said(finding, redact=redact),
        "mend": finding.mend,
    }
    if finding.value is not None:
        found["value"] = REDACTED if redact else finding.value
    origin = origin_of(finding)
    if origin is not None:
        found["origin"] = {"fact": origin.fact, "mapping": origin.mapping, "line": origin.line}
    return found


def said(finding: Finding, *, redact: bool = False) -> str:
    """The finding's sentence; with `redact`, without the value it quotes."""
    if not redact or not finding.value:
        return finding.message
    return finding.message.replace(finding.value, REDACTED).replace(repr(finding.value)[1:-1], REDACTED)


def summary(report: Report) -> Json:
    """The closing object: counts, layers, what could not be checked, findings not kept or accepted, mustSupport."""
    return {
        "resources": report.resources,
        "counts": report.counts,
        "left_out": dict(sorted(report.left_out.items())),
        "accepted": sum(report.accepted.values()),
        "layers": report.layers,
        "unchecked": dict(sorted(report.unchecked.items())),
        "must_support": {
            profile: {path: {"given": given, "of": possible} for path, (given, possible) in elements.items()}
            for profile, elements in sorted(report.must_support.items())
        },
        "ok": report.ok,
    }


def finding_lines(report: Report, *, redact: bool = False) -> Iterator[str]:
    """One JSON object a finding; no newline at the ends. In a bundle of ours with an index beside it, `origin` is the
    fact and the mapping's file and line.
    """
    for each in report.findings:
        yield json.dumps(_line(each, redact), ensure_ascii=False)


def to_json_lines(report: Report, *, redact: bool = False) -> Iterator[str]:
    """One JSON object a finding, then the closing object; no newline at the ends."""
    yield from finding_lines(report, redact=redact)
    yield json.dumps(summary(report), ensure_ascii=False)


def _issue_code(rule: str) -> str:
    return _ISSUE_CODES.get(rule.partition(".")[0], "invariant") if "." in rule else "invariant"


def to_operation_outcome(report: Report, *, redact: bool = False) -> Json:
    """An R4 OperationOutcome; without findings its one issue says so, for R4 wants one."""
    issues = [
        {
            "severity": each.severity,
            "code": _issue_code(each.rule),
            "details": {"text": f"{each.rule}: {said(each, redact=redact)}"},
            **({"diagnostics": each.mend} if each.mend else {}),
            **({"expression": [each.location]} if each.location else {}),
        }
        for each in report.findings
    ]
    if not issues:
        issues = [{"severity": "information", "code": "informational", "details": {"text": "No findings."}}]
    return {"resourceType": "OperationOutcome", "issue": issues}


def to_sarif(report: Report, *, redact: bool = False) -> Json:
    """A SARIF 2.1.0 log with one run."""
    rules = sorted({each.rule for each in report.findings})
    results = [
        {
            "ruleId": each.rule,
            "level": _SARIF_LEVELS[each.severity],
            "message": {"text": f"{said(each, redact=redact)} {each.mend}".strip()},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(each.file or "-")},
                        "region": _region(each),
                    },
                    "logicalLocations": [{"fullyQualifiedName": each.location}],
                }
            ],
        }
        for each in report.findings
    ]
    driver = {"name": "casefhir", "rules": [{"id": each} for each in rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _region(finding: Finding) -> Json:
    found: Json = {"startLine": finding.line or 1}
    if finding.column is not None and finding.offset is not None:
        found |= {"startColumn": finding.column, "byteOffset": finding.offset}
    return found


def to_junit(report: Report, *, redact: bool = False) -> str:
    """JUnit XML: one test case a finding, failed for errors; one passed case when there are none."""
    failed = report.counts["fatal"] + report.counts["error"]
    cases = [_case(each, redact) for each in report.findings] or ['<testcase classname="casefhir" name="validate"/>']
    head = f'<testsuite name="casefhir validate" tests="{len(cases)}" failures="{failed}" errors="0" skipped="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>", ""])


def _case(finding: Finding, redact: bool) -> str:
    from xml.sax.saxutils import escape, quoteattr  # it brings http and ssl, which no other form needs

    name = quoteattr(f"{finding.rule} {finding.location}")
    start = f"<testcase classname={quoteattr(finding.file or '-')} name={name}>"
    words = said(finding, redact=redact)
    text = escape(f"{words} {finding.mend} (line {finding.line or '?'})")
    if finding.severity in ("fatal", "error"):
        failure = f"<failure type={quoteattr(finding.severity)} message={quoteattr(words)}>{text}</failure>"
        return f"{start}{failure}</testcase>"
    return f"{start}<system-out>{escape(finding.severity)}: {text}</system-out></testcase>"
