"""`casefhir validate`: a report to read, forms for machines, switches, streams of any length."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from casefhir.cli import findings, main
from casefhir.conformance import validate
from tests.test_interruption import attentive

BAD = '{\n  "resourceType": "Patient",\n  "language": "日本",\n  "x": "é", "gender": "bananas"\n}\n'
LINE = '{"resourceType": "Patient", "gender": "bananas"}\n'


def run(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], input=given)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.json"
    path.write_text(BAD, encoding="utf-8")
    return path


def test_the_report_shows_the_line_and_points_at_the_place(bad: Path) -> None:
    said = run("validate", bad).stdout
    assert f"{bad}:4:23  Patient.gender" in said
    shown, caret = next(
        pair for pair in zip(said.splitlines(), said.splitlines()[1:], strict=False) if '"gender"' in pair[0]
    )
    assert shown[caret.index("^") : caret.rindex("^") + 1] == '"bananas"'
    assert "to mend: Use one of: female, male" in said


def test_findings_alike_are_told_once_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_text(LINE * 30, encoding="utf-8")
    said = run("validate", path).stdout
    assert said.count("bananas is not in the value set") == 1
    assert "30 times" in said
    assert "also at 2:39, 3:39" in said
    assert "and 23 more" in said
    assert run("validate", path, "-v").stdout.count(f"{path}:30:39") == 1


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_nothing_is_wider_than_it(width: int, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad.write_text(BAD.replace("é", "wide 日本 and long " * 20), encoding="utf-8")
    screen = io.StringIO()
    made = Console(file=screen, width=width, force_terminal=True, color_system=None)
    monkeypatch.setattr(findings, "console", lambda: made)
    findings.show(validate(bad))
    from rich.cells import cell_len

    lines = screen.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    place = next(number for number, line in enumerate(lines) if "^" in line and '"ban' in lines[number - 1])
    before = lines[place][: lines[place].index("^")]
    shown = lines[place - 1]
    assert cell_len(shown[: shown.index('"bananas"'[:4])]) == cell_len(before)


def test_escapes_of_a_hostile_file_do_not_reach_the_terminal(bad: Path) -> None:
    bad.write_bytes(b'{"resourceType": "Patient", "[red]x\\u001b[31m": "\x7f", "gender": "[/bold]\xc2\x9b"}')
    found = run("validate", bad)
    assert found.exit_code == 1, found.stderr
    assert "\x1b" not in found.stdout
    assert "\x9b" not in found.stdout
    assert "[red]x" in found.stdout


def test_redaction_takes_the_excerpt_too(bad: Path) -> None:
    said = run("validate", bad, "--redact").stdout
    assert "bananas" not in said
    assert "Patient.gender" in said


def test_json_lines_end_with_counts_and_layers(bad: Path) -> None:
    *lines, closing = map(json.loads, run("validate", bad, "--json", "--skip", "meaning").stdout.splitlines())
    gender = next(each for each in lines if each["pointer"] == "/gender")
    assert (gender["line"], gender["column"]) == (4, 23)
    assert bad.read_bytes()[gender["offset"] :].startswith(b'"bananas"')
    assert closing["counts"]["error"] == sum(each["severity"] == "error" for each in lines)
    assert closing["layers"]["meaning"] == "skipped: not asked for"
    assert closing["layers"]["structure"] == "ran"


def test_each_layer_has_its_switch(bad: Path) -> None:
    assert "unknown-element" not in run("validate", bad, "--only", "terminology").stdout
    assert "required-binding" not in run("validate", bad, "--skip", "terminology").stdout
    assert "Layer terminology: skipped" in run("validate", bad, "--skip", "terminology").stderr
    assert run("validate", bad, "--skip", "json", "--only", "json").exit_code == 2


def test_stdin_may_be_one_resource_or_lines_of_them() -> None:
    assert "1 resource:" in run("validate", "-", given=BAD).stderr
    found = run("validate", "-", "--json", given=LINE * 3)
    assert [json.loads(line).get("line") for line in found.stdout.splitlines() if "bananas" in line] == [1, 2, 3]


def test_files_that_are_passed_over_are_named(tmp_path: Path, bad: Path) -> None:
    bad.rename(tmp_path / "BAD.JSON")
    (tmp_path / "notes.xml").write_text("<x/>", encoding="utf-8")
    found = run("validate", tmp_path)
    assert found.exit_code == 1
    assert "passed over" in found.stderr
    assert "1 .xml" in found.stderr


def test_what_is_beyond_the_limit_is_counted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_text(LINE * 30, encoding="utf-8")
    found = run("validate", path, "--json", "--limit", 5)
    closing = json.loads(found.stdout.splitlines()[-1])
    assert len(found.stdout.splitlines()) == 11
    assert closing["counts"]["error"] == 30
    assert closing["left_out"]["terminology.required-binding"] == 25
    assert "25 findings of terminology.required-binding" in run("validate", path, "--limit", 5).stderr
    assert len(run("validate", path, "--json", "--limit", 0).stdout.splitlines()) == 61


def test_a_baseline_takes_known_findings_out(tmp_path: Path, bad: Path) -> None:
    known = tmp_path / "known"
    reasons = [{"rule": each, "reason": "fed so"} for each in ("dom-6", "terminology.required-binding", "obs-6")]
    known.write_text(json.dumps(reasons), encoding="utf-8")
    bad.write_text(LINE, encoding="utf-8")
    found = run("validate", bad, "--accept", known, "--fail-on", "warning")
    assert found.exit_code == 0, found.stdout
    assert "2 accepted" in found.stderr
    assert "obs-6 is found no more" in found.stderr


def test_warnings_fail_when_asked_to(bad: Path) -> None:
    bad.write_text('{"resourceType": "Patient", "active": true}', encoding="utf-8")
    assert run("validate", bad).exit_code == 0
    assert run("validate", bad, "--fail-on", "warning").exit_code == 1


@pytest.mark.thorough
def test_a_stream_of_lines_takes_steady_memory_and_several_jobs_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_text(LINE * 15_000, encoding="utf-8")
    script = (
        "import pathlib, re, sys; from casefhir.cli import main\n"
        "if __name__ == '__main__':\n"
        "    try: main(sys.argv[1:])\n"
        "    except SystemExit: pass\n"
        "    status = pathlib.Path('/proc/self/status')\n"
        "    found = re.search(r'VmHWM:\\s+(\\d+)', status.read_text()) if status.exists() else None\n"
        "    print(int(found[1]) // 1024 if found else 0, file=sys.stderr)\n"
    )
    program = tmp_path / "program.py"
    program.write_text(script, encoding="utf-8")
    outputs = []
    for jobs in ("1", "2"):
        command = [sys.executable, str(program), "validate", str(path), "--json", "--only", "json", "--jobs", jobs]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        assert int(done.stderr.split()[-1]) < 150  # MB; 0 where the system does not say
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0].splitlines()[-1])["resources"] == 15_000


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.thorough
def test_an_interruption_of_several_jobs_ends_quietly(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_text(LINE * 40_000, encoding="utf-8")
    command = [sys.executable, "-m", "casefhir", "validate", str(path), "--json", "--jobs", "2", "--limit", "0"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=attentive,
    )
    assert running.stdout is not None
    running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130, said
    assert said.strip() == "Interrupted."
