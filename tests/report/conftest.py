"""What the tests of the report room share: small bundles, the public suites, and a browser."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from casefhir import exactjson
from casefhir.report.bundles import Held, Resources, read
from tests.chromium import chromium

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[[bytes], Any]


def suite(name: str) -> Path:
    """The folder of a public suite; skips, or fails in CI, where it is missing."""
    named = os.environ.get("CASEFHIR_SUITES")
    for folder in ([Path(named)] if named else []) + [ROOT.parent / "shared" / "suites"]:
        if (folder / name).is_dir():
            return folder / name
    why = f"the public suite {name} is not here; CASEFHIR_SUITES names the folder of the suites"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def held(*values: dict[str, Any]) -> Resources:
    """`values` as loose resources."""
    return Resources(Held(each, "test.json", "", "", None, None) for each in values)


def bundle(*values: dict[str, Any], **urls: str) -> bytes:
    """A collection of `values`; `urls` maps a resource's id to its fullUrl."""
    entries = [
        {"fullUrl": urls.get(each.get("id", ""), f"urn:uuid:{each.get('id')}"), "resource": each} for each in values
    ]
    return exactjson.write({"resourceType": "Bundle", "type": "collection", "entry": entries})


def sources_of(folder: Path, said: str) -> Path:
    """`folder` with the document `said` in it."""
    (folder / "article.txt").write_bytes(said.encode())
    return folder


def told(said: str, facts: dict[str, str]) -> Resources:
    """A patient, the document `said`, and an observation a fact, by id, with the place of its words in `said`."""
    name = "ni:///sha-256;" + urlsafe_b64encode(sha256(said.encode()).digest()).decode().rstrip("=")
    found: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p"},
        {
            "resourceType": "DocumentReference",
            "id": "d",
            "identifier": [{"value": name}],
            "subject": {"reference": "Patient/p"},
            "content": [{"attachment": {"title": "A report"}}],
        },
    ]
    for id_, words in facts.items():
        place = {
            "url": "http://hl7.org/fhir/StructureDefinition/derivation-reference",
            "extension": [
                {"url": "reference", "valueReference": {"reference": "DocumentReference/d"}},
                {"url": "offset", "valueInteger": said.index(words)},
                {"url": "length", "valueInteger": len(words)},
            ],
        }
        found.append(
            {
                "resourceType": "Observation",
                "id": id_,
                "status": "final",
                "code": {"text": words},
                "subject": {"reference": "Patient/p"},
                "extension": [place],
            }
        )
    return held(*found)


@pytest.fixture(scope="session")
def cases() -> Resources:
    """The six committed bundles."""
    return read(sorted((ROOT / "bundles").glob("*.json")))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium("--window-size=1440,1000", logs={"browser": "ALL"}) as driver:
        yield driver


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Open:
    """Opens a page from disk and waits until its timelines are drawn."""

    def open_(html: bytes) -> Any:
        (tmp_path / "report.html").write_bytes(html)
        browser.get((tmp_path / "report.html").as_uri())
        drawn(browser)
        return browser

    return open_


def drawn(browser: Any) -> None:
    """Waits until every chart that was begun is drawn."""
    browser.set_script_timeout(300)
    browser.execute_async_script("""
        const done = arguments[0];
        const look = () => [...charts.values()].every((chart) => !chart.shown.size
            || chart.box.dataset.drawn === String(chart.turn)) ? done() : setTimeout(look, 30);
        look();""")
