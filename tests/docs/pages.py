"""The code blocks of a page, and how a reader would run them: one after the other, in one folder."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from click.testing import CliRunner

from casefhir.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
SERVERS = ("http://localhost:8090/fhir", "https://fhir.example.org/r4")
_BLOCK = re.compile(r"^( *)```(.*?)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\[exit code (\d+)\]")
# the folders that a reader has beside the pages
_BESIDE = ("bundles", "examples", "mappings", "profiles", "views")


@dataclass(frozen=True)
class Block:
    """A block of code: the page and line it stands on, its language, the name of the file it is (if one), its text."""

    page: str
    line: int
    language: str
    title: str | None
    text: str

    @property
    def needs_server(self) -> bool:
        return any(server in self.text for server in SERVERS)

    def __str__(self) -> str:
        return f"docs/{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page; a fence without a language is one of commands."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        words = match[2].split(maxsplit=1)
        title = re.search(r'title="([^"]+)"', match[2])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page.name, line, words[0] if words else "", title[1] if title else None, match[3]))
    return found


def prepare(folder: Path) -> None:
    """What a reader has: the folders of the repository, and something converted."""
    for name in _BESIDE:
        (folder / name).symlink_to(ROOT / name)


def run(block: Block, folder: Path, server: str | None = None) -> None:
    """Run a block in a folder; a server stands in for those that the page names. Fails with its place."""
    text = block.text
    for named in SERVERS:
        text = text.replace(named, server or named)
    match block.language:
        case "python":
            done = _started([sys.executable, "-c", text], folder)
            assert done.returncode == 0, f"{block}: {done.stderr}"
        case "console" | "":
            for command, expected in _commands(text, marked=block.language == "console"):
                _command(block, command, expected, folder)
        case "yaml":
            assert yaml.safe_load(text), block
        case "toml":
            _toml(text)
        case "json":
            assert json.loads(text), block
        case _:
            raise AssertionError(f"{block}: {block.language!r} is no language that these tests can run")
    if block.title:
        (folder / block.title).write_text(text, encoding="utf-8")


def _toml(text: str) -> None:
    """TOML, or lines of it that show the ways to write one key."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        for line in text.splitlines():
            tomllib.loads(line)


def _started(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # what a test server is, and nothing of the machine's own settings
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASEFHIR_")}
    return subprocess.run(
        command, cwd=folder, env={**kept, "PATH": path}, capture_output=True, text=True, check=False, timeout=300
    )


def _commands(text: str, *, marked: bool) -> Iterator[tuple[str, list[str]]]:
    """Each command and the lines that are shown below it."""
    command, shown = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ ") or not marked:
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        elif line.strip():
            shown.append(line)
    if command:
        yield command, shown


def _ran(command: str, folder: Path) -> tuple[int, str]:
    """How a command ended and what it said; casefhir's own run in this process, which is quicker."""
    words = shlex.split(command, comments=True)
    program, *arguments = words
    target = None
    if len(arguments) > 2 and arguments[-2] == ">":
        *arguments, _, target = arguments
    if program != "casefhir" or {"|", ">", ">>", "<", "&&"} & set(arguments):
        done = _started(["bash", "-c", command], folder)
        return done.returncode, done.stdout + done.stderr
    with contextlib.chdir(folder):
        result = CliRunner().invoke(main, arguments, terminal_width=200)
        if target:
            Path(target).write_text(result.stdout, encoding="utf-8")
    return result.exit_code, result.output


def _command(block: Block, command: str, shown: list[str], folder: Path) -> None:
    if command.startswith("pip install "):
        return  # tests/test_distribution.py installs each of these
    if command.startswith("make "):
        assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), block
        return
    assert command.startswith(("casefhir ", "python ")), f"{block}: {command}"
    code, said = _ran(command, folder)
    codes = [int(match[1]) for line in shown if (match := _EXIT.fullmatch(line))]
    assert code == (codes[0] if codes else 0), f"{block}: {command}: {said}"
    for line in shown:
        assert _EXIT.fullmatch(line) or line in said, f"{block}: {command} does not say {line!r} but {said}"
