"""Shells complete commands, options and case keys."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
SHELLS = ["bash", "zsh", "fish"]


def complete(shell: str, *words: str) -> list[str]:
    """What the shell's script would be answered for these words, the last of them unfinished."""
    line = " ".join(("casefhir", *words))
    asked = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    done = subprocess.run(
        [BIN / "casefhir"],
        env={**os.environ, "_CASEFHIR_COMPLETE": f"{shell}_complete", **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")


def script(shell: str) -> str:
    env = {**os.environ, "_CASEFHIR_COMPLETE": f"{shell}_source"}
    return subprocess.run([BIN / "casefhir"], env=env, capture_output=True, text=True, check=True).stdout


def needed(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{shell} is not installed")
        pytest.skip(f"{shell} is not installed")
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_and_keys_are_offered(shell: str) -> None:
    assert any("convert" in each for each in complete(shell, "conv"))
    assert any("--terminology" in each for each in complete(shell, "convert", "--term"))
    assert any("snomed" in each for each in complete(shell, "convert", "--terminology", "sno"))
    assert any("scig-antisynthetase-jo1" in each for each in complete(shell, "show", "scig"))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_takes_the_script(shell: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(script(shell), encoding="utf-8")
    flag = ["--no-execute"] if shell == "fish" else ["-n"]
    subprocess.run([needed(shell), *flag, str(tmp_path / "script")], check=True)


def test_bash_completes_a_word() -> None:
    steps = """
        eval "$(_CASEFHIR_COMPLETE=bash_source casefhir)"
        compopt() { :; }  # bash has it at a prompt only
        COMP_WORDS=(casefhir show tocilizumab-antisynthetase-p) COMP_CWORD=2
        _casefhir_completion casefhir tocilizumab-antisynthetase-p show
        echo "${COMPREPLY[@]}"
    """
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run([needed("bash"), "-c", steps], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tocilizumab-antisynthetase-pl12"], done.stderr


def test_fish_completes_a_word() -> None:
    steps = "_CASEFHIR_COMPLETE=fish_source casefhir | source; complete -C 'casefhir show tocilizumab-antisynthetase-p'"
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run([needed("fish"), "-c", steps], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:1] == ["tocilizumab-antisynthetase-pl12"], done.stderr


def test_zsh_completes_a_word() -> None:
    """zsh completes only at a prompt, so it gets one: a terminal in which the tab key is pressed."""
    needed("zsh")
    import pty
    import select
    import time

    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover, the shell
        env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "> "}
        os.execvpe("zsh", ["zsh", "-f"], env)
    typed = [
        "autoload -Uz compinit; compinit -u -D\n",
        'eval "$(_CASEFHIR_COMPLETE=zsh_source casefhir)"; echo rea""dy\n',
        "casefhir show tocilizumab-antisynthetase-p\t",
    ]
    wanted = ["", "ready", "tocilizumab-antisynthetase-pl12"]
    seen, deadline = "", time.monotonic() + 300
    try:
        for line, until in zip(typed, wanted, strict=True):
            os.write(terminal, line.encode())
            while until not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 4096).decode(errors="replace")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    assert "tocilizumab-antisynthetase-pl12" in seen, seen
