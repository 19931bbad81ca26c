"""A terminology server is asked for what is not known here; what it does not know, or fails to say, stays unchecked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from casefhir.cli import main
from casefhir.conformance import Report, validate
from casefhir.conformance.tx import NoTerminologyServer, TerminologyServer
from tests.conformance.builders import observation
from tests.delivery.conftest import start, stop

ATC = "http://www.whocc.no/atc"
VALUE_SET = "https://example.org/fhir/ValueSet/remote"


def said(result, **more):
    values = [{"name": name, "valueString": value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "result", "valueBoolean": result}, *values]}


@contextmanager
def serving(answer) -> Iterator[tuple[str, list]]:
    """A server on this machine; `answer` gets path and query and gives a status and JSON (or bytes)."""
    asked: list = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked.append((parts.path, query))
            status, body, *headers = answer(parts.path, query)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a client that hangs up is what some tests are about
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir", asked
    finally:
        server.shutdown()
        server.server_close()


def coded(*codes, system=ATC, **more):
    return observation(code={"coding": [{"system": system, "code": code, **more} for code in codes]})


def told(report: Report):
    return {(each.severity, each.rule) for each in report.findings}


def by_code(path, query):
    """M01 is a code, called Muscles; all others are not."""
    if query["code"] != "M01":
        return 200, said(False, message=f"Unknown code '{query['code']}'")
    if query.get("display", "Muscles") != "Muscles":
        return 200, said(False, message="Wrong Display Name", display="Muscles")
    return 200, said(True, display="Muscles")


def test_a_code_is_right_when_the_server_says_so():
    with serving(by_code) as (url, asked):
        report = validate(coded("M01"), tx=url)
    assert not report.findings
    assert not report.unchecked
    assert asked == [("/fhir/CodeSystem/$validate-code", {"url": ATC, "code": "M01"})]


def test_a_code_that_the_server_refuses_is_an_error_with_its_words():
    with serving(by_code) as (url, _):
        (one,) = validate(coded("X9"), tx=url).findings
    assert (one.severity, one.rule, one.value) == ("error", "terminology.unknown-code", "X9")
    assert "Unknown code 'X9'" in one.message


def test_a_display_is_sent_only_when_it_differs_and_is_a_warning():
    with serving(by_code) as (url, asked):
        assert not validate(coded("M01", display="muscles"), tx=url).findings
        assert len(asked) == 1
        report = validate(coded("M01", display="Bananas"), tx=url)
    assert told(report) == {("warning", "terminology.display")}
    assert "Muscles" in report.findings[0].mend


def test_each_question_is_asked_once_and_nothing_without_a_server():
    with serving(by_code) as (url, asked):
        validate([coded("M01"), coded("M01", "M01")], tx=url)
        assert len(asked) == 1
        assert validate(coded("M01")).unchecked == {ATC: 1}
        assert validate(coded("M01"), tx=url, layers={"structure"}).ok
        assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        said(False, message="CodeSystem is unknown and can't be validated: http://www.whocc.no/atc"),
        said(False, message="A definition for CodeSystem 'x' could not be found, so the code cannot be validated"),
        said(False, **{"message": "No", "x-caused-by-unknown-system": ATC}),
        said(False),
        {
            "parameter": [
                {"name": "result", "valueBoolean": False},
                {"name": "message", "valueString": "No"},
                {"name": "issues", "resource": {"resourceType": "OperationOutcome", "issue": [{"code": "not-found"}]}},
            ]
        },
    ],
)
def test_a_server_that_does_not_know_the_system_refuses_nothing(answer):
    with serving(lambda *_: (200, answer)) as (url, _):
        report = validate(coded("M01"), tx=url)
    assert not report.findings
    assert report.unchecked == {ATC: 1}
    assert report.layers["terminology"] == "ran"


@pytest.mark.parametrize("status", [400, 404, 422, 501 - 80])
def test_a_refused_question_leaves_the_code_unchecked(status):
    with serving(lambda *_: (status, {"resourceType": "OperationOutcome"})) as (url, _):
        assert validate(coded("M01"), tx=url).unchecked == {ATC: 1}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((503, b""), "503"),
        ((429, b"", ("Retry-After", "0")), "429"),
        ((401, b""), "refused"),
        ((302, b"", ("Location", "http://127.0.0.1:9/")), "redirect"),
        ((200, b"<html>"), "no Parameters"),
        ((200, b"[" * 100_000), "no Parameters"),
        ((200, b"x" * 2_000_000), "bytes"),
        ((200, {"parameter": 7}), "no Parameters"),
    ],
)
def test_a_server_that_fails_is_told_given_up_and_believed_in_nothing(answer, why, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with serving(lambda *_: answer) as (url, asked):
        report = validate(coded(*(f"M{number}" for number in range(50))), tx=url)
    assert not report.findings
    assert report.unchecked == {ATC: 50}
    assert "given up" in report.layers["terminology"]
    assert why in report.layers["terminology"]
    assert len(asked) <= 6


def test_one_failure_is_told_and_the_next_question_is_asked(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with serving(lambda path, query: (500, b"") if query["code"] == "M02" else by_code(path, query)) as (url, _):
        report = validate(coded("M02", "M01", "X9"), tx=url)
    assert told(report) == {("error", "terminology.unknown-code")}
    assert report.unchecked == {ATC: 1}
    assert "left questions unanswered: it answers 500" in report.layers["terminology"]


def test_a_slow_server_does_not_hold_the_validation_up():
    def slow(*_):
        time.sleep(0.5)
        return 200, said(True)

    with serving(slow) as (url, _):
        server = TerminologyServer(url, timeout=0.1)
        assert server.code(ATC, "M01") is None
        assert "within 0.1 s" in str(server.trouble)


def test_a_value_set_that_is_not_known_here_is_asked_for(tmp_path):
    profile = {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/fhir/StructureDefinition/bound",
        "name": "Bound",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"path": "Observation.code", "binding": {"strength": "required", "valueSet": VALUE_SET + "|2.0"}}
            ]
        },
    }
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile), encoding="utf-8")

    with serving(by_code) as (url, asked):
        right, wrong = (
            validate(coded(code), profiles=[path], profile=profile["url"], tx=url) for code in ("M01", "X9")
        )
    assert ("/fhir/ValueSet/$validate-code", {"url": VALUE_SET, "system": ATC, "code": "M01"}) in asked
    assert not right.findings
    assert not right.unchecked
    assert ("error", "terminology.required-binding") in told(wrong)


@pytest.mark.parametrize("url", ["tx.example.org", "ftp://tx.example.org", "http://", "http://x\n.org", ""])
def test_what_is_no_server_is_refused(url):
    with pytest.raises(NoTerminologyServer, match="give https://host/fhir"):
        TerminologyServer(url)


def test_a_password_in_the_url_is_not_repeated():
    assert "secret" not in TerminologyServer("http://me:secret@127.0.0.1:9/fhir").name


def test_on_the_command_line_a_failed_server_ends_with_the_code_of_the_network(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(coded("M01")), encoding="utf-8")
    found = CliRunner().invoke(main, ["validate", str(path), "--tx", "http://127.0.0.1:9/fhir"])
    assert found.exit_code == 4
    assert "Layer terminology: ran, but terminology server http://127.0.0.1:9/fhir" in found.stderr
    with serving(by_code) as (url, _):
        assert CliRunner().invoke(main, ["validate", str(path), "--tx", url]).exit_code == 0


@pytest.mark.java
def test_a_hapi_server_answers_for_what_it_has_and_refuses_nothing_else():
    url, port = start()
    try:
        countries = "urn:iso:std:iso:3166"
        report = validate(coded("DE", "QQQ", system=countries), tx=url)
        assert [(each.rule, each.value) for each in report.findings] == [("terminology.unknown-code", "QQQ")]
        named = validate(coded("DE", system=countries, display="Bananas"), tx=url)
        assert told(named) == {("warning", "terminology.display")}
        unknown = validate(coded("M01"), tx=url)
        assert not unknown.findings
        assert unknown.unchecked == {ATC: 1}
    finally:
        stop(port)
