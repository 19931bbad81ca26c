"""What the README promises runs as it is written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (casefhir .*)$", TEXT, re.M)
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
JSON = re.findall(r"```json\n(.*?)```", TEXT, re.S)


def test_it_opens_with_the_two_commands() -> None:
    assert TEXT.startswith("# casefhir\n\n```console\n$ make demo\n$ make test\n```")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.thorough
def test_commands_end_well(command: str, tmp_path: Path) -> None:
    arguments = [each.strip("'") for each in re.findall(r"'[^']*'|\S+", command)][1:]
    arguments = [str(ROOT / each) if each.startswith("examples") else each for each in arguments]
    if arguments[0] == "validate":
        arguments = ["validate", str(ROOT / "bundles")]
    run = subprocess.run(
        [sys.executable, "-m", "casefhir", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout + run.stderr


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.thorough
def test_code_runs(block: str, tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "observations" in run.stdout


def test_the_excerpt_is_in_the_bundle() -> None:
    """Every element of the excerpt stands in the resource it was shortened from."""
    excerpt = json.loads(JSON[0])
    bundle = json.loads((ROOT / "bundles" / "scig-antisynthetase-jo1.json").read_text(encoding="utf-8"))
    resource = next(
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["meta"]["tag"][2]["code"].endswith("/igg1-2012-12")
    )
    for element, value in excerpt.items():
        assert resource[element] == value
