"""What tests share: the folders, and the honest skips of what needs Java or the source documents."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.thorough import of

# No test hangs on chance or on how long something takes here: the machine may be busy. So the examples are the same
# every time; others are tried on purpose (make explore).
_UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, database=None, max_examples=of(100), **_UNTIMED)
settings.register_profile("explore", derandomize=False, print_blob=True, **_UNTIMED)
settings.load_profile("same")

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI") == "true"


def sources_folder() -> Path | None:
    """The folder of the five source documents: CASEFHIR_SOURCES, or where they lie beside the checkout."""
    named = os.environ.get("CASEFHIR_SOURCES")
    for folder in ([Path(named)] if named else []) + [ROOT.parent / "shared" / "seeds"]:
        if folder.is_dir():
            return folder
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("examples")
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


def pytest_collection_finish() -> None:
    """Go seldom through what stays: a fifth of the tests' time goes into collecting garbage otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Make what is collected at the very end little: execnet interrupts a worker that takes over five seconds to end
    after it has told its last result, which shows as a KeyboardInterrupt though all tests passed.
    """
    gc.collect()
    gc.freeze()


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
