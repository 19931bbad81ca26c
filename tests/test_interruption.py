"""Ctrl-C while workers are started is put off, not lost, and never reaches them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

KILL = "os.kill(os.getpid(), signal.SIGINT)"
PUT_OFF = "import os, signal\nfrom casefhir.interruption import put_off\nwith put_off():\n"


def attentive() -> None:
    """Hear Ctrl-C also where the tests were started in the background, which is deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """`program` in a process that has one thread."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, preexec_fn=attentive
    )


def test_an_interruption_comes_when_it_is_over():
    told = run(f"{PUT_OFF}    {KILL}; print('to the end')\n")
    assert told.stdout == "to the end\n"
    assert told.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_what_starts_meanwhile_is_deaf_to_it():
    child = f"import os, signal; {KILL}; print('still here')"
    told = run(
        f'{PUT_OFF}    import subprocess, sys\n    subprocess.run([sys.executable, "-c", {child!r}], check=True)\n'
    )
    assert (told.stdout, told.returncode) == ("still here\n", 0)


@pytest.mark.thorough
def test_a_conversion_in_several_processes_ends_quietly(tmp_path: Path):
    for part in range(40):
        rows = "".join(f"p{part:02}{each:03},1,CK,{each},U/L\n" for each in range(900))
        (tmp_path / f"results{part:02}.csv").write_text("patient,no,test,value,unit\n" + rows)
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        'casefhir = 1\nname = "t"\ntitle = "t"\nversion = "1"\nrecorded = "2026-01-01T00:00:00Z"\ntest_data = true\n'
        '[tables.results]\nfiles = ["results*.csv"]\nkey = ["patient"]\n[person]\ntable = "results"\n[[measurement]]\n'
        'name = "result"\ntable = "results"\nkey = ["no"]\nconcept = "test"\ntext = "test"\nvalue = "value"\n'
        'unit = "unit"\n'
    )
    command = [sys.executable, "-m", "casefhir", "convert", str(tmp_path), "--mapping", str(mapping)]
    command += ["-o", str(tmp_path / "out"), "--as", "ndjson", "--jobs", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=attentive)
    assert running.stderr is not None
    running.stderr.readline()
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130, said
    assert said.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in said
