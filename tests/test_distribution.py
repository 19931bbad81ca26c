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
