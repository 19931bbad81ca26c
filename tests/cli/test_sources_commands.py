"""verify, coverage, locate and new, as typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casefhir.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MAPPING = EXAMPLES / "example_azathioprine_dermatomyositis.py"
ARTICLE = EXAMPLES / "example-article.txt"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def changed(folder: Path, old: str, new: str) -> Path:
    path = folder / MAPPING.name
    path.write_text(MAPPING.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return path


def test_verify_proves_the_example() -> None:
    done = run("verify", MAPPING, "--sources", EXAMPLES)
    assert done.exit_code == 0
    assert done.stdout == ""  # nothing to report
    assert "proven" in done.stderr


def test_verify_tells_findings_with_file_and_line(tmp_path: Path) -> None:
    path = changed(tmp_path, '"58 kg"', '"85 kg"')
    done = run("verify", path, "--sources", EXAMPLES)
    assert done.exit_code == 1
    line = next(n for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if '"85 kg"' in text)
    assert done.stdout.startswith(f"{path}:{line}: weight: value: 85 kg stands in none of its spans.")


def test_verify_writes_one_json_object_a_case() -> None:
    done = run("verify", MAPPING, "--sources", EXAMPLES, "--json")
    (report,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert report["case"] == "example-azathioprine-dermatomyositis"
    assert report["proven"] is True
    assert report["findings"] == []


def test_verify_without_the_document_proves_nothing(tmp_path: Path) -> None:
    done = run("verify", MAPPING, "--sources", tmp_path)
    assert done.exit_code == 1
    assert f"{MAPPING}:" in done.stdout
    assert "None of the 0 files" in done.stdout


def test_a_changed_document_is_told_and_can_be_relocated(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("The journal\n\n" + ARTICLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert run("verify", MAPPING, "--sources", tmp_path).exit_code == 1
    done = run("verify", MAPPING, "--sources", tmp_path, "--relocate")
    assert done.exit_code == 0
    assert "relocated, not proven" in done.stderr


def test_a_mapping_that_does_not_load_is_refused_with_its_line(tmp_path: Path) -> None:
    path = changed(tmp_path, 'evidence=("jo1",)', 'evidence=("jo2",)')
    done = run("verify", path, "--sources", EXAMPLES)
    assert done.exit_code == 1
    assert f"{path}:" in done.stderr
    assert "'jo2'" in done.stderr


def test_coverage_shows_that_nothing_is_missing() -> None:
    done = run("coverage", MAPPING, "--sources", EXAMPLES)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "The case" in done.stderr


def test_coverage_tells_what_is_in_neither(tmp_path: Path) -> None:
    path = changed(tmp_path, "    left_out=(LeftOut(0, 43,", "    left_out=(LeftOut(0, 16,")
    done = run("coverage", path, "--sources", EXAMPLES, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["complete"] is False


def test_locate_prints_what_a_mapping_takes() -> None:
    done = run("locate", ARTICLE, "Muscle score ... 60")
    assert (done.exit_code, done.stdout) == (0, 'at(836, 18, "Muscle score … 60"),  # line 5\n')
    (place,) = [json.loads(line) for line in run("locate", ARTICLE, "Muscle score", "--json").stdout.splitlines()]
    assert place == {"offset": 836, "length": 12, "quote": "Muscle score", "line": 5}


def test_locate_says_where_nothing_is() -> None:
    done = run("locate", ARTICLE, "no such words")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "Nothing in" in done.stderr


def test_new_writes_a_skeleton_that_loads_and_overwrites_nothing(tmp_path: Path) -> None:
    made = run("new", "my-case", "--document", ARTICLE, "-o", tmp_path)
    assert made.exit_code == 0
    assert made.stdout.strip() == str(tmp_path / "my_case.py")
    assert run("verify", tmp_path / "my_case.py", "--sources", EXAMPLES).exit_code == 0
    again = run("new", "my-case", "--document", ARTICLE, "-o", tmp_path)
    assert again.exit_code != 0
    assert "already there" in again.stderr


@pytest.mark.parametrize("words", [["verify"], ["coverage"], ["new", "x"], ["verify", "--sources", "/nowhere/at/all"]])
def test_usage_mistakes_exit_with_2(words: list[str]) -> None:
    assert run(*words).exit_code == 2


def test_an_unknown_case_is_told_with_those_there_are() -> None:
    done = run("coverage", "no-such-case", "--sources", EXAMPLES)
    assert done.exit_code == 2
    assert "No published case is called" in done.stderr
