"""What tests share: the folders, and the honest skips of what needs Java or the source documents."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# no test hangs on how long something takes here: the machine may be busy
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI") == "true"


def sources_folder() -> Path | None:
    """The folder of the five source documents: CASEFHIR_SOURCES, or where they lie beside the checkout."""
    named = os.environ.get("CASEFHIR_SOURCES")
    for folder in ([Path(named)] if named else []) + [ROOT.parent / "shared" / "seeds"]:
        if folder.is_dir():
            return folder
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lacks = {}
    if not (shutil.which("java") and shutil.which("mvn")):
        lacks["java"] = "Java 17 and Maven are not installed"
    if sources_folder() is None:
        lacks["documents"] = "the source documents are not here; CASEFHIR_SOURCES names their folder"
    for item in items:
        for mark, why in lacks.items():
            if item.get_closest_marker(mark):
                if IN_CI:
                    # in CI a check that could not run is a failure
                    item.add_marker(pytest.mark.usefixtures("_must_run_in_ci"))
                else:
                    item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture
def _must_run_in_ci() -> None:
    pytest.fail("this test cannot run here, and in CI it has to")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> Path:
    folder = sources_folder()
    assert folder is not None
    return folder


@pytest.fixture(scope="session", autouse=True)
def _state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What commands remember (the outbox of an upload) is not written into the home of who runs the tests."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
