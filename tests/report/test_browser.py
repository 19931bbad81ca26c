"""The page in Debian's Chromium, opened from disk with the network off: what is drawn where, and what can be done."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from selenium import webdriver

from casefhir import exactjson
from casefhir.report.bundles import Resources, read
from casefhir.report.documents import Sources
from casefhir.report.facts import cases as grouped
from casefhir.report.page import page
from casefhir.report.timeline import timeline
from tests.report.conftest import ROOT, held, sources_of, suite, told

pytestmark = pytest.mark.browser
SCIG = ROOT / "bundles" / "scig-antisynthetase-jo1.json"
Open = Callable[[bytes], Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        why = "chromium and chromium-driver are not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    options = webdriver.ChromeOptions()
    # a proxy that is not there: whatever asks the network fails and is logged
    for each in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1440,1000",
        "--proxy-server=http://127.0.0.1:9",
    ):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


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
    browser.set_script_timeout(60)
    browser.execute_async_script("""
        const done = arguments[0];
        const look = () => [...charts.values()].every((chart) => !chart.shown.size
            || chart.box.dataset.drawn === String(chart.turn)) ? done() : setTimeout(look, 30);
        look();""")


def press(browser: Any, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)
    drawn(browser)


def show_all(browser: Any) -> None:
    browser.execute_script("document.querySelectorAll('[data-panel]:not(:checked)').forEach((box) => box.click())")
    drawn(browser)


MARKS = """
    const box = document.getElementById(arguments[0] + '-chart');
    return [...box.querySelectorAll('svg [aria-label][aria-roledescription]')]
        .filter((mark) => mark.tagName !== 'g' && !mark.getAttribute('aria-label').startsWith('reference range'))
        .map((mark) => { const at = mark.getBoundingClientRect();
            return {label: mark.getAttribute('aria-label'), left: at.left, right: at.right}; });
"""
YEARS = """
    const box = document.getElementById(arguments[0] + '-chart');
    return [...box.querySelectorAll('.role-axis-label text')].filter((text) => /^\\d{4}$/.test(text.textContent))
        .map((text) => { const at = text.getBoundingClientRect();
            return [text.textContent, (at.left + at.right) / 2]; });
"""


def test_every_mark_of_the_six_cases_is_drawn_once_at_its_place_on_the_axis(opened: Open, cases: Resources) -> None:
    browser = opened(page(cases))
    show_all(browser)
    assert [each["message"] for each in browser.get_log("browser")] == []
    compared = 0
    for case in grouped(cases):
        plan = timeline(case)
        if plan is None:
            continue
        wanted = [row for panel in plan["panels"] for row in panel["spec"]["data"]["values"]]
        marks = browser.execute_script(MARKS, case.key)
        assert sorted(each["label"] for each in marks) == sorted(row["label"] for row in wanted)
        years = browser.execute_script(YEARS, case.key)
        (first, left), (last, right) = min(years), max(years)
        if first == last:
            continue
        per_second = (right - left) / (_second(f"{last}-01-01") - _second(f"{first}-01-01"))
        for mark in marks:
            row = next(each for each in wanted if each["label"] == mark["label"])
            begin = left + (_second(row["from"]) - _second(f"{first}-01-01")) * per_second
            end = left + (_second(row["to"]) - _second(f"{first}-01-01")) * per_second
            if row["how"] != "day":
                assert mark["left"] == pytest.approx(begin, abs=2), mark
                assert mark["right"] == pytest.approx(end, abs=2), mark
            compared += 1
    assert compared > 150


def _second(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def test_a_click_on_a_mark_opens_its_fact(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    browser.execute_script("document.querySelectorAll('details.facts').forEach((each) => { each.open = false; })")
    mark = browser.find_element("css selector", '.chart [aria-label^="creatine kinase: 489"]')
    webdriver.ActionChains(browser).move_to_element(mark).click().perform()
    browser.implicitly_wait(5)
    row = browser.find_element("css selector", "tr:target")
    assert "489 UI/l" in row.text
    assert row.is_displayed()


def test_a_place_lights_up_its_words_and_words_light_up_their_facts(opened: Open, tmp_path: Path) -> None:
    said = "The CK was 489 UI/l and fell."
    sources = Sources(sources_of(tmp_path, said))
    browser = opened(page(told(said, {"ck": "CK was 489 UI/l", "unit": "UI/l and"}), None, sources))
    browser.find_element("css selector", '[data-fact="Observation/ck"] .place').click()
    assert "".join(each.text for each in browser.find_elements("css selector", ".said.lit")) == "CK was 489 UI/l"
    shared = next(each for each in browser.find_elements("css selector", ".said") if each.text == "UI/l")
    shared.click()
    lit = [each.get_attribute("data-fact") for each in browser.find_elements("css selector", "tr.lit")]
    assert sorted(lit) == ["Observation/ck", "Observation/unit"]


def test_series_are_hidden_and_shown_again(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    before = len(browser.find_elements("css selector", '.chart [aria-label^="creatine kinase:"]'))
    press(browser, '[data-panel="s0"]')
    assert browser.find_elements("css selector", '.chart [aria-label^="creatine kinase:"]') == []
    press(browser, '[data-panel="s0"]')
    assert len(browser.find_elements("css selector", '.chart [aria-label^="creatine kinase:"]')) == before > 0


def test_time_is_zoomed_moved_and_whole_again(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    whole = browser.execute_script(YEARS, "case1")
    press(browser, "[data-zoom='0.5']")
    near = browser.execute_script(YEARS, "case1")
    assert max(each[0] for each in near) < max(each[0] for each in whole)
    press(browser, "[data-move='0.25']")
    assert browser.execute_script(YEARS, "case1") != near
    press(browser, "[data-reset]")
    assert browser.execute_script(YEARS, "case1") == whole


def test_cases_stand_side_by_side_in_months_from_the_chosen_start(opened: Open, cases: Resources) -> None:
    browser = opened(page(cases))
    chosen = browser.execute_async_script("""
        const done = arguments[0], data = JSON.parse(document.getElementById('multiples-data').textContent);
        const at = data.measures.findIndex((each) => each.name.startsWith('DLCO'));
        const event = data.events.findIndex((each) => each.name.endsWith('rituximab'));
        document.getElementById('aligned').value = event;
        document.getElementById('measure').value = at;
        document.getElementById('measure').dispatchEvent(new Event('change'));
        const box = document.getElementById('multiples');
        const look = () => box.dataset.drawn?.startsWith('DLCO') ? done(box.dataset.drawn) : setTimeout(look, 30);
        look();""")
    assert chosen.startswith("DLCO")
    marks = browser.execute_script("""return [...document.querySelectorAll('#multiples line[aria-label]')]
        .map((each) => each.getAttribute('aria-label'))""")
    data = exactjson.read(
        browser.execute_script("return document.getElementById('multiples-data').textContent").encode()
    )
    measure, event = chosen.split("|")
    rows = next(each["rows"] for each in data["measures"] if each["name"] == measure)
    starts = next(each["starts"] for each in data["events"] if each["name"] == event)
    assert sorted(marks) == sorted(row["label"] for row in rows if row["case"] in starts)
    assert marks


def test_tables_filter_sort_and_copy_as_safe_text(opened: Open) -> None:
    names = ["b", "=1+1", "-5", "a"]
    subject = {"reference": "Patient/p"}
    problems = [
        {"resourceType": "Condition", "id": str(at), "subject": subject, "code": {"text": name}}
        for at, name in enumerate(names)
    ]
    browser = opened(page(held({"resourceType": "Patient", "id": "p"}, *problems)))
    text = browser.execute_script("return asText(document.querySelector('table'))")
    assert [line.split("\t")[0] for line in text.splitlines()] == ["What", "b", "'=1+1", "-5", "a"]
    press(browser, "thead th button")
    shown = [each.text for each in browser.find_elements("css selector", "tbody th")]
    assert sorted(shown) == sorted(names)
    assert shown.index("a") < shown.index("b")
    browser.find_element("css selector", "[data-filter]").send_keys("=1")
    assert [each.text for each in browser.find_elements("css selector", "tbody th") if each.is_displayed()] == ["=1+1"]


def test_the_bundle_that_is_copied_is_the_bundle(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    copied = browser.execute_script("return document.getElementById('case1-json').textContent")
    wanted = exactjson.read(SCIG.read_bytes())
    assert [each["resource"] for each in exactjson.read(copied.encode())["entry"]] == [
        each["resource"] for each in wanted["entry"]
    ]


def test_script_in_every_field_stays_text(opened: Open) -> None:
    folder = suite("naughty")
    payloads = [
        each
        for name in ("xss-payloads.json", "blns.json")
        for each in exactjson.read((folder / name).read_bytes())
        if isinstance(each, str) and each.strip()
    ]
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": payloads[0]}], "gender": payloads[1]}
    found: list[dict[str, Any]] = [patient]
    for at, payload in enumerate(payloads):
        concept = {"text": payload, "coding": [{"system": payload, "code": payload, "display": payload}]}
        common = {
            "subject": {"reference": "Patient/p"},
            "note": [{"text": payload}],
            "status": payload,
            "text": {"status": "generated", "div": payload},
        }
        when = f"20{at % 20:02d}-0{at % 9 + 1}"
        found.append(
            {
                "resourceType": "Observation",
                "id": f"{at}o",
                "code": concept,
                "effectiveDateTime": when,
                "valueQuantity": {"value": at, "unit": payload, "code": "g"},
                **common,
            }
        )
        found.append(
            {
                "resourceType": "MedicationStatement",
                "id": payload,
                "medicationCodeableConcept": concept,
                "effectivePeriod": {"start": when},
                "dosage": [{"text": payload}],
                **common,
            }
        )
    browser = opened(page(held(*found)))  # an alert would end the next command with an error
    assert [each["message"] for each in browser.get_log("browser")] == []
    assert (
        browser.execute_script("""return [...document.querySelectorAll('*')].filter((each) =>
        [...each.attributes].some((attribute) => /^on/i.test(attribute.name))
        || /^(javascript|data|https?):/i.test(each.getAttribute('href') ?? each.getAttribute('xlink:href') ?? '')
        || ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'BASE', 'VIDEO', 'AUDIO'].includes(each.tagName)
        ).map((each) => each.outerHTML.slice(0, 200))""")
        == []
    )
    scripts = browser.execute_script("return [...document.scripts].filter((each) => !each.type).length")
    assert scripts == 2
    titles = browser.execute_script("return [...document.querySelectorAll('tbody th')].map((each) => each.textContent)")
    assert sorted(" ".join(each.split()) for each in titles) == sorted(
        " ".join(each.split()) for each in [*payloads, *payloads]
    )


OVERLAPS = """
    const found = [];
    for (const box of document.querySelectorAll('.chart')) {
        const texts = [...box.querySelectorAll('svg text')].filter((each) => each.textContent.trim())
            .map((each) => [each.textContent, each.getBoundingClientRect()]);
        texts.forEach(([one, a], at) => { for (const [other, b] of texts.slice(at + 1))
            if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5) found.push([box.id, one, other]); });
    }
    return found;
"""


@pytest.mark.parametrize("width", [1440, 800, 400])
def test_nothing_overlaps_or_is_wider_than_the_window(opened: Open, width: int, cases: Resources) -> None:
    browser = opened(page(cases))
    browser.set_window_size(width, 1000)
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        browser.refresh()
        drawn(browser)
        wide, window = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window
        cut = browser.execute_script("""return [...document.querySelectorAll('.chart')]
            .filter((box) => box.scrollWidth > box.clientWidth + 1)
            .map((box) => [box.id, box.scrollWidth, box.clientWidth])""")
        assert cut == []
        assert browser.execute_script(OVERLAPS) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.set_window_size(1440, 1000)


def test_print_opens_every_table_and_leaves_the_controls_out(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    browser.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script("return document.querySelectorAll('details:not([open])').length") == 0
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert (
            browser.execute_script("""return [...document.querySelectorAll('button, .tools, nav')]
            .filter((each) => !each.closest('th') && each.checkVisibility()).length""")
            == 0
        )
        assert browser.find_element("css selector", "thead th").text == "What"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened: Open, scheme: str) -> None:
    small = [
        ROOT / "bundles" / f"{name}.json" for name in ("rituximab-dermatopolymyositis", "ivig-necrotizing-myopathy-srp")
    ]
    browser = opened(page(read(small), []))
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        browser.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8"))
        found = browser.execute_async_script("const done = arguments[0]; axe.run(document).then(done)")
        serious = [
            (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert len(found["passes"]) > 10
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
