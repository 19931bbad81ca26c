"""The distribution installs with pip alone: wheel, sdist and editable, mappings included."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def distributions(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What to hand to pip for each way to install."""
    out = tmp_path_factory.mktemp("dist")
    builder = out / "builder"
    subprocess.run([sys.executable, "-m", "venv", str(builder)], check=True)
    python = str(builder / "bin" / "python")
    subprocess.run([python, *PIP, "install", "build"], check=True)
    subprocess.run([python, "-m", "build", "--outdir", str(out), str(root)], check=True, capture_output=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return {"wheel": [str(wheel)], "sdist": [str(sdist)], "editable": ["--editable", str(root)]}


@pytest.mark.parametrize("way", ["wheel", "sdist", "editable"])
def test_a_clean_environment_converts_the_published_cases(
    way: str, distributions: dict[str, list[str]], root: Path, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    bin_folder = tmp_path / "venv" / "bin"
    subprocess.run([str(bin_folder / "python"), *PIP, "install", *distributions[way]], check=True)
    run = subprocess.run(
        [str(bin_folder / "casefhir"), "convert"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for committed in (root / "bundles").glob("*.json"):
        assert (tmp_path / "out" / committed.name).read_bytes() == committed.read_bytes()
    typed = "import casefhir, pathlib; print((pathlib.Path(casefhir.__file__).parent / 'py.typed').is_file())"
    shown = subprocess.run(
        [str(bin_folder / "python"), "-c", typed], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "True"


def _environment(folder: Path, *requirements: str) -> Path:
    """A fresh environment with these installed: its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "python"), *PIP, "install", *requirements], check=True)
    return folder / "bin"


def _said(folder: Path, *command: str | Path, code: int = 0, **more: str) -> str:
    """What a command says, run with nothing of this checkout's environment."""
    run = subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_without_extras_what_they_add_is_told_and_users_can_check_their_types(
    distributions: dict[str, list[str]], root: Path, tmp_path: Path
) -> None:
    bin_folder = _environment(tmp_path / "venv", *distributions["wheel"], "mypy", "fastapi")
    casefhir, bundles = bin_folder / "casefhir", root / "bundles"
    assert _said(tmp_path, bin_folder / "python", "-m", "casefhir", "--version") == _said(
        tmp_path, casefhir, "--version"
    )
    assert "pip install 'casefhir[report]'" in _said(tmp_path, casefhir, "report", bundles, "-o", "r.html", code=2)
    assert "pip install 'casefhir[tables]'" in _said(tmp_path, casefhir, "query", "select 1", bundles, code=2)
    (tmp_path / "case.yaml").write_text(
        _said(tmp_path, casefhir, "show", "scig-antisynthetase-jo1", "--record", "yaml")
    )
    _said(tmp_path, casefhir, "convert", "case.yaml")
    assert "_casefhir_completion" in _said(tmp_path, casefhir, _CASEFHIR_COMPLETE="bash_source")
    (tmp_path / "endpoint.py").write_bytes((root / "examples" / "endpoint.py").read_bytes())
    assert "Success" in _said(tmp_path, bin_folder / "mypy", "--strict", "endpoint.py")


def test_with_extras_the_wheel_draws_asks_and_exports(
    distributions: dict[str, list[str]], root: Path, tmp_path: Path
) -> None:
    (wheel,) = distributions["wheel"]
    bin_folder = _environment(tmp_path / "venv", f"{wheel}[report,tables,phenopacket]")
    casefhir, bundles = bin_folder / "casefhir", root / "bundles"
    _said(tmp_path, casefhir, "report", bundles, "-o", "report.html")
    _said(tmp_path, casefhir, "plot", bundles, "--code", "ck", "-o", "ck.svg")
    for form in ("csv", "parquet", "xlsx", "phenopacket"):
        _said(tmp_path, casefhir, "table", bundles, "-o", form, "--format", form)
    assert "6" in _said(tmp_path, casefhir, "query", "select count(*) from patients", bundles)
