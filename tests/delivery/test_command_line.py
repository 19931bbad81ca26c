"""`casefhir upload` as a person or a script meets it: what it shows, its exit codes, its log; what it never tells."""

import base64
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from casefhir import exactjson, library
from casefhir.delivery import last_sources, receipts

from .conftest import PATIENCE, Hapi, until
from .example import changed, full_bundle, new_id, small_bundle, write_bundle
from .loopback import CAPABILITIES, Reply, Request, serving

PROGRAM = (sys.executable, "-c", "from casefhir.cli import main; main()")
CANARY = "canary-5f1e0c"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing set that an upload would listen to, and a home of its own for the outbox."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CASEFHIR_")}
    return {**plain, "XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "200"}


def run(environ: dict[str, str], *words: object) -> "subprocess.CompletedProcess[str]":
    command = [*PROGRAM, *map(str, words)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE)


def takes_everything(request: Request) -> Reply | None:
    """A server that holds nothing and takes any transaction."""
    if request.path == "/fhir/metadata":
        return Reply(body=CAPABILITIES)
    if request.method != "POST":
        return Reply(404)
    bundle = json.loads(request.body)
    kind = bundle["type"]
    answers = [
        {"status": "404"} if kind == "batch" else {"status": "201", "location": f"{row['request']['url']}/_history/1"}
        for row in bundle["entry"]
    ]
    return Reply(
        body={"resourceType": "Bundle", "type": f"{kind}-response", "entry": [{"response": one} for one in answers]}
    )


def refuses(key: str) -> Callable[[Request], Reply | None]:
    """The same, but for one case."""

    def answer(request: Request) -> Reply | None:
        if b"transaction" in request.body and f"|{key}".encode() in request.body.replace(b'case","code":"', b"|"):
            issue = {"severity": "error", "code": "invalid", "diagnostics": "not to my taste"}
            return Reply(422, {"resourceType": "OperationOutcome", "issue": [issue]})
        return takes_everything(request)

    return answer


def test_the_receipt_is_a_table_and_a_line_a_case_goes_before_it(tmp_path: Path, environ: dict[str, str]) -> None:
    for key in ("alpha", "beta"):
        write_bundle(tmp_path / "out", small_bundle(key), key)
    with serving(refuses("beta")) as server:
        done = run(environ, "upload", f"{server.url}/fhir", tmp_path / "out", "--jobs", 1)
    assert done.returncode == 3
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["alpha", "done", "9", "0", "0", "0", "0"] in rows
    assert ["beta", "refused", "0", "0", "0", "0", "9"] in rows
    assert ["all", "9", "0", "0", "0", "9"] in rows
    assert f"alpha: {server.url}/fhir/Patient/{new_id('alpha', 'subject')}" in done.stdout
    assert "Loopback 1" in done.stdout
    said = done.stderr.splitlines()
    assert said[:2] == ["1: alpha: done (9 created)", "2: beta: refused"]
    assert "not to my taste" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr  # nothing for a terminal where there is none


def test_the_receipt_as_json_has_counts_and_the_servers_ids(tmp_path: Path, environ: dict[str, str]) -> None:
    path = write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    with serving(takes_everything) as server:
        done = run(environ, "upload", f"{server.url}/fhir", path, "--json")
    receipt = json.loads(done.stdout)
    assert (done.returncode, receipt["created"], receipt["refused"], receipt["fhir_version"]) == (0, 9, 0, "4.0.1")
    assert receipt["software"] == "Loopback 1"
    assert f"Patient/{new_id('alpha', 'subject')}" in {row["server"] for row in receipt["cases"][0]["resources"]}


@pytest.mark.thorough
def test_a_server_that_goes_away_ends_with_4_and_the_receipt_until_then(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    for key in ("alpha", "beta"):
        write_bundle(tmp_path / "out", small_bundle(key), key)
    taken: list[str] = []

    def answer(request: Request) -> Reply | None:
        if taken:
            return Reply(503)
        if b"transaction" in request.body:
            taken.append(request.path)
        return takes_everything(request)

    with serving(answer) as server:
        words = ("upload", f"{server.url}/fhir", tmp_path / "out", "--jobs", 1, "--attempts", 1)
        done = run(environ, *words)
        assert done.returncode == 4
        assert ["alpha", "done", "9", "0", "0", "0", "0"] in [line.split() for line in done.stdout.splitlines()]
        assert "--resume" in done.stderr
        taken.clear()
        taken_up = run(environ, "upload", "--resume", "--jobs", 1)  # neither the server nor the bundles named again
    assert taken_up.returncode == 0
    assert taken_up.stderr.splitlines() == ["1: alpha: skipped", "2: beta: done (9 created)"]
    kept = receipts(Path(environ["XDG_STATE_HOME"]) / "casefhir" / "outbox.sqlite")
    assert {row["case"] for row in kept} == {"alpha", "beta"}


@pytest.mark.thorough
def test_a_refusal_of_a_published_case_names_its_line_though_no_folder_is_given(environ: dict[str, str]) -> None:
    def answer(request: Request) -> Reply | None:
        if request.method == "POST" and json.loads(request.body)["type"] == "transaction":
            issue = {"severity": "error", "code": "invalid", "diagnostics": "no", "expression": ["Bundle.entry[5]"]}
            return Reply(422, {"resourceType": "OperationOutcome", "issue": [issue]})
        return takes_everything(request)

    with serving(answer) as server:
        done = run(environ, "upload", f"{server.url}/fhir", "--json")
    assert done.returncode == 3
    receipt = json.loads(done.stdout)
    assert len(receipt["cases"]) == 6
    lines = {path.name: path.read_text("utf-8").splitlines() for path in library.published_mappings()}
    for case in receipt["cases"]:
        fact, file, number = re.search(r"fact (\S+) \((\w+\.py):(\d+)\)", case["problem"]).groups()  # type: ignore[union-attr]
        assert f'"{fact}"' in lines[file][int(number) - 1]


def test_nothing_listens_there_is_4(environ: dict[str, str]) -> None:
    done = run(environ, "upload", "http://127.0.0.1:9/fhir", "--attempts", 1)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no connection" in done.stderr


def test_the_server_may_be_named_by_the_environment_and_ndjson_come_on_stdin(environ: dict[str, str]) -> None:
    lines = b"".join(exactjson.write(small_bundle(key)) + b"\n" for key in ("alpha", "beta"))
    with serving(takes_everything) as server:
        environ["CASEFHIR_URL"] = f"{server.url}/fhir"
        done = subprocess.run([*PROGRAM, "upload", "-", "--json"], env=environ, input=lines, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["by_state"] == {"done": 2}


def test_what_is_no_server_and_no_file_is_said(environ: dict[str, str]) -> None:
    done = run(environ, "upload", "localhost:8090/fhir")
    assert done.returncode == 2
    assert "looks like https://host/fhir" in done.stderr


def test_bars_on_a_terminal(tmp_path: Path, environ: dict[str, str]) -> None:
    path = write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    main, terminal = pty.openpty()
    with serving(takes_everything) as server:
        command = [*PROGRAM, "upload", f"{server.url}/fhir", str(path), "--json", "-vv"]
        child = subprocess.Popen(command, env={**environ, "TERM": "xterm"}, stderr=terminal, stdout=subprocess.PIPE)
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(main, 4096):
                shown += piece
        except OSError:
            pass  # the terminal's other end is closed: that is how its end is told
        assert child.stdout
        assert json.loads(child.stdout.read())["created"] == 9
        assert child.wait(timeout=PATIENCE) == 0
    os.close(main)
    text = shown.decode()
    assert "all cases" in text
    assert "/9" in text  # the case's resources
    assert "alpha: done" not in text  # plain lines are for where there is no terminal
    # what is logged stands on lines of its own, above the bars
    assert any("9 to send, 0 held as meant" in line and "━" not in line for line in text.splitlines())


@pytest.mark.thorough
def test_vv_tells_each_request_with_its_status_size_and_time(tmp_path: Path, environ: dict[str, str]) -> None:
    path = write_bundle(tmp_path, small_bundle("alpha"), "alpha")
    with serving(takes_everything) as server:
        quiet = run(environ, "upload", f"{server.url}/fhir", path, "--dry-run").stderr
        said = run(environ, "upload", f"{server.url}/fhir", path, "-vv").stderr
        more = run(environ, "upload", f"{server.url}/fhir", path, "-vvv").stderr
    line = r"\d\d:\d\d:\d\d\.\d{3} casefhir\.delivery: POST \S+/fhir \(\d{4} bytes\): 200, \d+ bytes, \d+ ms"
    assert re.search(line, said)
    assert re.search(r"GET \S+/fhir/metadata\S* \(0 bytes\): 200, \d+ bytes, \d+ ms", said)
    assert "alpha: 9 to send, 0 held as meant" in said
    assert "casefhir.delivery" not in quiet
    assert "httpcore" not in said
    assert "httpcore" in more
    assert re.search(line, more)


@pytest.mark.parametrize("way", ["token", "token file", "client secret", "private key", "proxy", "settings file"])
@pytest.mark.thorough
def test_a_canary_secret_greps_to_nothing_at_vvv(way: str, tmp_path: Path, environ: dict[str, str]) -> None:
    """Everything the command says and leaves behind; the server echoes what it was sent, in headers and bodies."""
    sent: list[str] = []
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def answer(request: Request) -> Reply | None:
        head = request.headers.get("authorization") or request.headers.get("proxy-authorization") or ""
        echo = f"you sent {head} {request.body[:3000].decode(errors='replace')}"
        sent.append(echo)
        if request.path == "/token":
            return Reply(body={"access_token": f"{CANARY}-granted", "expires_in": 300}, headers={"X-Echo": echo[:300]})
        if request.path.endswith("/fhir/metadata"):
            return Reply(body={**CAPABILITIES, "software": {"name": echo}}, headers={"X-Echo": echo[:300]})
        issue = {"severity": "error", "code": "security", "diagnostics": echo, "expression": [echo]}
        return Reply(422, {"resourceType": "OperationOutcome", "issue": [issue]}, {"X-Echo": head})

    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "secret").write_text(f"{CANARY}-file\n")
    (hidden / "key.pem").write_bytes(key)
    (hidden / "server.toml").write_text(f'[server]\ntoken = "{CANARY}-toml"\n')
    path = write_bundle(tmp_path / "out", small_bundle("alpha"), "alpha")
    with serving(answer) as server:
        words: tuple[object, ...] = ()
        token_url = ("--client-id", "c", "--token-url", f"{server.url}/token")
        if way == "token":
            environ["CASEFHIR_TOKEN"] = f"{CANARY}-fixed"
        elif way == "token file":
            words = ("--token-file", hidden / "secret")
        elif way == "client secret":
            environ["CASEFHIR_CLIENT_SECRET"] = f"{CANARY}-client"
            words = token_url
        elif way == "private key":
            words = ("--private-key-file", hidden / "key.pem", *token_url)
        elif way == "proxy":
            environ["CASEFHIR_PROXY"] = server.url.replace("//", f"//user:{CANARY}-proxy@")
        else:
            words = ("--config", hidden / "server.toml")
        base = "http://fhir.example.org/fhir" if way == "proxy" else f"{server.url}/fhir"
        outputs = [
            run(environ, verb, base, *rest, *words, "-vvv", "--attempts", 2)
            for verb, *rest in (
                ("upload", path, *(["--json"] if way.startswith("token") else [])),
                *([("pull", "--case", "alpha", "-o", tmp_path / "out")] if way == "token" else []),
                *([("remove", "--tag", "alpha", "--dry-run")] if way == "client secret" else []),
            )
        ]
    left = [
        file.read_bytes() for folder in ("out", "state") for file in (tmp_path / folder).rglob("*") if file.is_file()
    ]
    everything = "".join(done.stdout + done.stderr for done in outputs) + b"".join(left).decode(errors="replace")
    for done in outputs:
        assert "httpcore" in done.stderr  # the most talkative level, and it talks
        assert re.search(r"casefhir\.delivery: (GET|POST) \S+ \(\d+ bytes\): \d+, \d+ bytes, \d+ ms", done.stderr)
    assert "***" in everything  # it was echoed, and hidden
    reached = "".join(sent)
    if way == "proxy":
        assert base64.b64encode(f"user:{CANARY}-proxy".encode()).decode() in reached
    elif way != "client secret":
        assert CANARY in reached or "client_assertion" in reached
    packed = [base64.b64encode(text.encode()).decode() for text in (f"c:{CANARY}-client", f"user:{CANARY}-proxy")]
    for secret in (CANARY, key.decode().splitlines()[2], *packed):
        assert secret not in everything
    assert "eyJ" not in everything  # no signed assertion


def test_a_proxys_password_is_not_taken_from_a_flag(environ: dict[str, str]) -> None:
    done = run(environ, "upload", "http://127.0.0.1:9/fhir", "--proxy", f"http://user:{CANARY}@127.0.0.1:9")
    assert done.returncode == 2
    assert "CASEFHIR_PROXY" in done.stderr
    assert CANARY not in done.stderr


@pytest.mark.java
def test_a_killed_upload_is_resumed_without_naming_anything_again(
    hapi: Hapi, tmp_path: Path, environ: dict[str, str]
) -> None:
    kinds = ("Patient", "Observation", "Condition")
    for number in range(6):
        write_bundle(tmp_path / "out", small_bundle(f"case-{number}"), f"case-{number}")
    # the look ahead, the first case, and the second, which is held up
    hapi.control(fault="slow", every=3, seconds=int(PATIENCE))
    command = [*PROGRAM, "upload", hapi.base, str(tmp_path / "out"), "--jobs", "1"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as victim:
        assert victim.stderr
        assert victim.stderr.readline().startswith("1: case-0: done")
        until(lambda: hapi.counted("faults") > 0)
        victim.send_signal(signal.SIGKILL)
    hapi.settle()
    assert len(hapi.state(("Patient",))) < 6
    outbox = Path(environ["XDG_STATE_HOME"]) / "casefhir" / "outbox.sqlite"
    assert last_sources(outbox) == (hapi.base, "put", [str(tmp_path / "out")])
    # another look in between does not hide that something is left to do
    assert run(environ, "upload", hapi.base, tmp_path / "out", "--dry-run").returncode == 0
    resumed = run(environ, "upload", "--resume", "--verify", "--json")
    assert resumed.returncode == 0, resumed.stderr
    states = json.loads(resumed.stdout)["by_state"]
    assert states["skipped"] >= 1
    assert sum(states.values()) == 6
    state = hapi.state(kinds)
    assert len(state) == 6 * 5
    assert {resource["meta"]["versionId"] for resource in state.values()} == {"1"}
    again = run(environ, "upload", "--resume")
    assert (again.returncode, again.stdout) == (0, "")
    assert "Nothing to resume" in again.stderr


@pytest.mark.java
def test_a_dry_run_shows_each_change_as_it_is_and_as_it_would_be(
    hapi: Hapi, tmp_path: Path, environ: dict[str, str]
) -> None:
    run(environ, "upload", hapi.base, write_bundle(tmp_path, full_bundle("alpha"), "alpha"))
    other = full_bundle("alpha")
    number = next(n for n, row in enumerate(other["entry"]) if row["resource"]["resourceType"] == "Patient")
    before = other["entry"][number]["resource"]["gender"]
    path = write_bundle(tmp_path / "new", changed(other, number, gender="other"), "alpha")
    done = run(environ, "upload", hapi.base, path, "--dry-run")
    assert done.returncode == 0
    assert f"    Patient.gender: {before} -> other" in done.stdout.splitlines()
    held: Any = hapi.state(("Patient",))
    assert [resource["gender"] for resource in held.values()] == [before]
