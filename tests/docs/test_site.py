"""The documentation as a site: built with strict links, whole, and loading nothing from elsewhere."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

import casefhir
from casefhir.cli import main
from casefhir.errors import CasefhirError
from casefhir.record import Fact
from tests.chromium import chromium
from tests.docs.pages import ROOT

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does; strict: a link that leads nowhere fails."""
    folder = tmp_path_factory.mktemp("site")
    # a proxy that is not there: whatever asks the network fails
    env = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=env | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loads(HTMLParser):
    """Everything that a page would fetch by itself when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next", "edit"):
            self.found.append(given.get("href") or "")
        elif tag != "a":
            self.found += [given[name] or "" for name in ("src", "srcset", "data", "poster") if name in given]


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert not [each for each in loads.found if re.match(r"(?:[a-z]+:)?//", each)], page.name


def test_no_style_loads_anything_from_elsewhere(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", text), sheet.name


def test_every_command_is_there_with_its_example(site: Path) -> None:
    text = (site / "commands.html").read_text(encoding="utf-8")
    for name in main.commands:
        assert f'id="{name}"' in text
        assert f"casefhir {name}" in text


def test_every_error_is_there(site: Path) -> None:
    text = (site / "errors.html").read_text(encoding="utf-8")

    def below(kind: type[CasefhirError]) -> Iterator[type[CasefhirError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    for module in pkgutil.walk_packages(casefhir.__path__, "casefhir."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = [each for each in below(CasefhirError) if each.__module__.startswith("casefhir.")]
    assert len(kinds) > 10
    for each in kinds:
        assert f"<code>{each.__name__}</code>" in text
        assert each.__module__ in text


def test_the_library_is_there_with_every_name_that_the_page_asks_for(site: Path) -> None:
    text = (site / "reference.html").read_text(encoding="utf-8")
    there = {each.rpartition(".")[2] for each in re.findall(r'id="(casefhir\.[^"]+)"', text)}
    asked = re.findall(r"members: \[(.*)\]", (ROOT / "docs/reference.md").read_text(encoding="utf-8"))
    names = {name.strip(' "') for each in asked for name in each.split(",")}
    facts = {kind.__name__ for kind in get_args(Fact)}
    assert names | facts | set(casefhir.__all__) <= there
    for name in ("pull", "diff", "remove"):  # modules are called so too
        assert f'id="casefhir.delivery.{name}.{name}"' in text


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium(logs={"browser": "ALL", "performance": "ALL"}) as driver:
        yield driver


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 400])
def test_pages_open_from_disk_fit_and_ask_nothing_of_the_network(site: Path, browser: Any, width: int) -> None:
    browser.set_window_size(width, 1000)
    # a headless window has a smallest width of its own
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    )
    for page in sorted(each for each in site.glob("*.html") if each.stem != "404"):  # that one is a server's
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, page.name
    asked = [
        match[1]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
        for match in [re.search(r'"url":"([a-z]+):', entry["message"].partition('"request":')[2])]
        if match
    ]
    assert asked
    assert set(asked) <= {"file", "data", "blob"}
    assert not [each for each in browser.get_log("browser") if each["level"] == "SEVERE"]


@pytest.mark.browser
def test_the_search_finds_without_a_network(site: Path, browser: Any) -> None:
    browser.get((site / "index.html").as_uri() + "?q=outbox")
    browser.set_script_timeout(150)
    found = browser.execute_async_script("""
        const done = arguments[0], until = Date.now() + 120000;
        const look = () => {
            const links = [...document.querySelectorAll(".md-search-result__link")].map((each) => each.href);
            links.length || Date.now() > until ? done(links) : setTimeout(look, 100);
        };
        look();""")
    assert any("delivery" in each for each in found)
