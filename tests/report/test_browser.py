"""The page in Debian's Chromium, opened from disk with the network off: what is drawn where, and what can be done."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from casefhir import exactjson
from casefhir.report.bundles import Resources, read
from casefhir.report.check import findings
from casefhir.report.documents import Sources
from casefhir.report.page import page
from tests.report.cohort import cohort
from tests.report.conftest import ROOT, Open, bundle, drawn, held, sources_of, suite, told

pytestmark = pytest.mark.browser
SCIG = ROOT / "bundles" / "scig-antisynthetase-jo1.json"


def press(browser: Any, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)
    drawn(browser)


def show_all(browser: Any) -> None:
    browser.execute_script("document.querySelectorAll('[data-panel]:not(:checked)').forEach((box) => box.click())")
    drawn(browser)


# What the page shows, from its DOM and SVG: a fact's row in the tables, its marks on the axes, its place in a list.
MARKS = """
    const box = document.getElementById(arguments[0] + '-chart');
    if (!box) return [];
    return [...box.querySelectorAll('svg [aria-label][aria-roledescription]')]
        .filter((mark) => mark.tagName !== 'g' && !mark.getAttribute('aria-label').startsWith('reference range'))
        .map((mark) => { const at = mark.getBoundingClientRect();
            const panel = mark.closest('.role-scope');
            const ticks = [...panel.querySelectorAll('.role-axis')].flatMap((axis) => {
                const texts = [...axis.querySelectorAll('.role-axis-label text')].map((text) => {
                    const place = text.getBoundingClientRect();
                    return [text.textContent.replaceAll(',', '').replace('\u2212', '-'),
                        (place.top + place.bottom) / 2, place.left]; });
                return texts.length > 1 && Math.abs(texts[0][1] - texts[1][1]) > 3 ? texts : []; });
            return {fact: mark.dataset.fact,
                label: mark.getAttribute('aria-label'), left: at.left, right: at.right,
                middle: (at.top + at.bottom) / 2, round: mark.getAttribute('aria-roledescription') === 'point',
                ticks: ticks.map(([text, y]) => [text, y])}; });
"""
ROWS = "return [...document.querySelectorAll('tr[data-fact]')].map((row) => [row.dataset.fact, row.id])"
LISTED = "return [...document.querySelectorAll('[data-listed]')].map((each) => each.dataset.listed)"
YEARS = """
    const box = document.getElementById(arguments[0] + '-chart');
    if (!box) return [];
    return [...box.querySelectorAll('.role-axis-label text')].filter((text) => /^\\d{4}$/.test(text.textContent))
        .map((text) => { const at = text.getBoundingClientRect();
            return [text.textContent, (at.left + at.right) / 2]; });
"""


def test_every_course_value_and_adverse_event_is_once_on_the_page_at_its_place_on_the_axis(
    opened: Open, cases: Resources
) -> None:
    """The bundles are read here anew, as plain JSON: nothing of the report room says what is expected."""
    browser = opened(page(cases))
    show_all(browser)
    assert [each["message"] for each in browser.get_log("browser")] == []
    rows = browser.execute_script(ROWS)
    listed = browser.execute_script(LISTED)
    by_row = {row: fact for fact, row in rows}
    assert len(by_row) == len(rows)
    names = [link.text for link in browser.find_elements("css selector", "nav a")]
    counted = {"drawn": 0, "reckoned": 0, "listed": 0, "heights": 0}
    for number, name in enumerate(names, 1):
        bundle = json.loads((ROOT / "bundles" / f"{name}.json").read_text("utf-8"))
        told = {each["fullUrl"]: each["resource"] for each in bundle["entry"]}
        told |= {f"{each['resourceType']}/{each['id']}": each for each in list(told.values())}
        marks = browser.execute_script(MARKS, f"case{number}")
        place = _axis(browser.execute_script(YEARS, f"case{number}"))
        for url, fact in list(told.items()):
            if url.startswith("urn:") or fact["resourceType"] not in _OF_THE_ISSUE:
                continue
            assert [each for each, _ in rows].count(url) == 1, url
            (key,) = (row for each, row in rows if each == url)
            own = [each for each in marks if each["fact"] == key]
            assert bool(own) + listed.count(key) == 1, (url, own)
            days = stretch(fact, told)
            if days is None:
                counted["listed"] += listed.count(key)
                counted["reckoned"] += bool(own)
                assert not own or "relative-date" in json.dumps(fact), url
                continue
            parts = (fact, *fact.get("component", []))
            assert len(own) == max(1, sum("valueQuantity" in each for each in parts)), url
            for mark in own:
                counted["drawn"] += 1
                if mark["round"]:
                    assert days[1] - days[0] == timedelta(days=1)
                    assert place(days[0]) - 8 <= mark["left"] <= mark["right"] <= place(days[1]) + 8
                else:
                    assert mark["left"] == pytest.approx(place(days[0]), abs=1.5), (url, mark)
                    assert mark["right"] == pytest.approx(place(days[1]), abs=1.5), (url, mark)
                ticks = [(float(text), y) for text, y in mark["ticks"] if _NUMBER.fullmatch(text)]
                if "valueQuantity" in fact and len(own) == 1 and len(ticks) > 1:
                    (low, lower), (high, upper) = min(ticks), max(ticks)
                    wanted = lower + (fact["valueQuantity"]["value"] - low) / (high - low) * (upper - lower)
                    assert mark["middle"] == pytest.approx(wanted, abs=2), (url, mark)
                    counted["heights"] += 1
    assert counted["drawn"] > 130
    assert counted["heights"] > 60
    assert counted["listed"] > 200
    assert counted["reckoned"] > 0


_OF_THE_ISSUE = ("MedicationStatement", "Observation", "AdverseEvent")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def stretch(fact: dict[str, Any], told: dict[str, Any]) -> tuple[date, date] | None:
    """The first day of `fact` and the day after its last, where dates tell them or a length of time from a date."""
    for key in ("effectiveDateTime", "date"):
        if key in fact or f"_{key}" in fact:
            return moved(fact.get(key), fact.get(f"_{key}"), told)
    period = fact.get("effectivePeriod", {})
    start = moved(period.get("start"), period.get("_start"), told)
    end = moved(period.get("end"), period.get("_end"), told)
    return ((start or end)[0], (end or start)[1]) if start or end else None  # type: ignore[index]


def moved(written: str | None, beside: Any, told: dict[str, Any]) -> tuple[date, date] | None:
    if written is not None:
        year, *rest = (int(each) for each in written[:10].split("-"))
        if not rest:
            return date(year, 1, 1), date(year + 1, 1, 1)
        month = rest[0]
        if len(rest) == 1:
            return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, rest[1]), date(year, month, rest[1]) + timedelta(days=1)
    for each in (beside or {}).get("extension", []):
        parts = {part["url"]: part for part in each.get("extension", [])}
        length = parts.get("offset", {}).get("valueDuration", {})
        event = told.get(parts.get("event", {}).get("valueReference", {}).get("reference", ""))
        if event and length.get("code") == "mo" and "comparator" not in length:
            if parts["relationship"]["valueCode"] not in ("after-start", "after", "before"):
                return None
            # an event that has an end is left to the report's own tests
            at = event.get("effectiveDateTime") or event.get("period", {}).get("start")
            if at is None and "end" not in event.get("effectivePeriod", {}):
                at = event.get("effectivePeriod", {}).get("start")
            anchor = moved(at, None, told) if at else None
            sign = -1 if parts["relationship"]["valueCode"] == "before" else 1
            return anchor and tuple(_months(day, sign * length["value"]) for day in anchor)  # type: ignore[return-value]
    return None


def _months(day: date, count: int) -> date:
    total = day.year * 12 + day.month - 1 + count
    return date(total // 12, total % 12 + 1, day.day)


def _axis(years: list[tuple[str, float]]) -> Callable[[date], float]:
    """Where a day lies, from the years that stand at the axis."""
    if not years:
        return lambda day: -1.0
    (first, left), (last, right) = min(years), max(years)
    begin = date(int(first), 1, 1)
    each_day = (right - left) / (date(int(last), 1, 1) - begin).days
    return lambda day: left + (day - begin).days * each_day


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


def test_copying_puts_the_bundle_or_the_table_on_the_clipboard(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    read_back = "const done = arguments[0]; setTimeout(() => navigator.clipboard.readText().then(done, done), 200)"
    browser.find_element("css selector", ".copy-json").click()
    copied = exactjson.read(browser.execute_async_script(read_back).encode())
    assert len(copied["entry"]) == len(exactjson.read(SCIG.read_bytes())["entry"])
    assert browser.find_element("id", "told").text == "The bundle is copied."
    browser.find_element("css selector", "[data-copy=case1-t1]").click()
    lines = browser.execute_async_script(read_back).splitlines()
    assert lines[0].split("\t")[:3] == ["What", "Value", "When"]
    assert len(lines) == 1 + len(browser.find_elements("css selector", "#case1-t1 tbody tr"))


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
    assert browser.execute_script(ACTIVE) == []
    scripts = browser.execute_script("return [...document.scripts].filter((each) => !each.type).length")
    assert scripts == 2
    titles = browser.execute_script("return [...document.querySelectorAll('tbody th')].map((each) => each.textContent)")
    assert sorted(" ".join(each.split()) for each in titles) == sorted(
        " ".join(each.split()) for each in [*payloads, *payloads]
    )


ACTIVE = """return [...document.querySelectorAll('*')].filter((each) =>
    [...each.attributes].some((attribute) => /^on/i.test(attribute.name))
    || /^(javascript|data|https?):/i.test(each.getAttribute('href') ?? each.getAttribute('xlink:href') ?? '')
    || ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'BASE', 'VIDEO', 'AUDIO'].includes(each.tagName)
    ).map((each) => each.outerHTML.slice(0, 200))"""


def test_script_in_names_of_cases_sources_and_findings_stays_text(opened: Open, tmp_path: Path) -> None:
    """Where the page is put together by script: many cases, small multiples, documents, tooltips, findings."""
    payloads = [each for each in exactjson.read((suite("naughty") / "xss-payloads.json").read_bytes()) if each.strip()]
    said = "\n".join(payloads)
    (tmp_path / "said").mkdir()
    document = told(said, {f"o{at}": payload for at, payload in enumerate(payloads[:40])})
    (tmp_path / "said.json").write_bytes(bundle(*(each.value | {"status": payloads[3]} for each in document)))
    for at, payload in enumerate(payloads[:60]):
        subject = {"reference": f"urn:uuid:p{at}"}
        (tmp_path / f"{at}.json").write_bytes(
            bundle(
                {"resourceType": "Patient", "id": f"p{at}", "name": [{"text": payload}]},
                {
                    "resourceType": "MedicationStatement",
                    "id": f"m{at}",
                    "subject": subject,
                    "medicationCodeableConcept": {"text": payloads[0]},
                    "effectivePeriod": {"start": "2012"},
                },
                {
                    "resourceType": "Observation",
                    "id": f"v{at}",
                    "subject": subject,
                    "code": {"text": payloads[1]},
                    "valueQuantity": {"value": at, "unit": payloads[2]},
                    "referenceRange": [{"high": {"value": 30, "unit": payloads[2]}, "text": payload}],
                    "effectiveDateTime": "2012-05",
                },
            )
        )
    files = sorted(tmp_path.glob("*.json"))
    browser = opened(page(read(files), findings(files), Sources(sources_of(tmp_path / "said", said))))
    for section in browser.find_elements("css selector", ".case"):
        browser.execute_script("unpack(arguments[0])", section)
    browser.execute_script("document.querySelectorAll('.chart').forEach(began)")
    drawn(browser)
    browser.execute_async_script("const done = arguments[0]; drawMultiples().then(done)")
    mark = browser.find_element("css selector", ".chart svg [data-fact]")
    webdriver.ActionChains(browser).move_to_element(mark).perform()
    assert [each["message"] for each in browser.get_log("browser")] == []
    assert browser.execute_script(ACTIVE) == []
    shown = [each.get_attribute("textContent") for each in browser.find_elements("css selector", "#cohort tbody th")]
    names = {" ".join(each.partition(" (case")[0].split()) for each in shown}
    assert {" ".join(each.split()) for each in payloads[:60]} <= names
    assert browser.find_elements("css selector", ".findings li")
    words = browser.find_element("css selector", ".words").get_attribute("textContent")
    assert words == said.replace("\r\n", "\n").replace("\r", "\n")  # HTML has one end of line


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


def serious_faults(browser: Any, rules: Any = None, without: Any = None) -> list[Any]:
    """What axe-core calls serious or critical on the open page."""
    browser.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    browser.set_script_timeout(300)
    found = browser.execute_async_script(
        """const [rules, without, done] = arguments;
        axe.run({include: [['html']], exclude: without}, {resultTypes: ['violations'], elementRef: false, ...rules})
            .then((found) => done([found.violations, found.passes.length]))""",
        rules or {},
        without or [],
    )
    assert found[1] > 0
    return [
        (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
        for each in found[0]
        if each["impact"] in ("serious", "critical")
    ]


def test_axe_finds_no_serious_fault_on_the_page_of_the_six_cases(opened: Open, cases: Resources) -> None:
    browser = opened(page(cases, []))
    assert serious_faults(browser) == []
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    try:  # in the dark nothing but the colours is another, and the rows of a table all have the same
        rows = [["tbody tr:nth-child(n+4)"], [".undated li:nth-child(n+4)"]]
        assert serious_faults(browser, {"runOnly": ["color-contrast"]}, rows) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_axe_finds_no_serious_fault_with_sources_and_findings(opened: Open, tmp_path: Path) -> None:
    said = "Case presentation\nThe CK was 489 UI/l and fell. She likes tea."
    sources = Sources(sources_of(tmp_path, said))
    resources = told(said, {"ck": "CK was 489 UI/l", "unit": "UI/l and fell"})
    (tmp_path / "wrong.json").write_bytes(bundle(*(each.value | {"status": "wrong"} for each in resources)))
    read_again = read([tmp_path / "wrong.json"])
    browser = opened(page(read_again, findings([tmp_path / "wrong.json"]), sources))
    assert browser.find_elements("css selector", ".finding.error")
    assert serious_faults(browser) == []


def test_the_keyboard_reaches_each_mark_and_its_fact(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    stops = browser.find_elements("css selector", ".chart svg [data-fact][tabindex='0']")
    assert len(stops) == 1  # one stop of the Tab key; the arrows go on from there
    browser.execute_script("arguments[0].focus()", stops[0])
    keys = webdriver.ActionChains(browser)
    keys.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT).perform()
    now = browser.switch_to.active_element
    marks = browser.find_elements("css selector", ".chart svg [data-fact]")
    assert now == marks[1]
    assert now.aria_role == "link"
    said, fact = now.get_attribute("aria-label"), now.get_attribute("data-fact")
    webdriver.ActionChains(browser).send_keys(Keys.ENTER).perform()
    row = browser.find_element("css selector", "tr:target")
    assert row.get_attribute("id") == fact
    assert said.startswith(row.find_element("css selector", "th").text)


def test_pointing_at_an_adverse_event_shows_its_suspect(opened: Open) -> None:
    subject = {"reference": "Patient/p"}
    course = {
        "resourceType": "MedicationStatement",
        "id": "m",
        "subject": subject,
        "medicationCodeableConcept": {"text": "azathioprine"},
        "effectivePeriod": {"start": "2012", "end": "2013"},
    }
    event = {
        "resourceType": "AdverseEvent",
        "id": "e",
        "subject": subject,
        "event": {"text": "headache"},
        "date": "2012-05",
        "suspectEntity": [{"instance": {"reference": "MedicationStatement/m"}}],
    }
    browser = opened(page(held({"resourceType": "Patient", "id": "p"}, course, event)))
    assert "headache ← azathioprine" in browser.find_element("css selector", ".chart").text
    mark = browser.find_element("css selector", '.chart [aria-label^="Adverse events: headache"]')
    webdriver.ActionChains(browser).move_to_element(mark).perform()
    lit = browser.find_elements("css selector", ".chart .linked")
    assert [each.get_attribute("aria-label").partition(",")[0] for each in lit] == ["azathioprine"]
    assert browser.find_element("id", "vg-tooltip-element").text.endswith(mark.get_attribute("aria-label"))


def test_words_in_no_fact_are_gone_through_one_by_one(opened: Open, tmp_path: Path) -> None:
    said = "Case presentation\nThe CK was 489 UI/l, and CRP was high. She likes tea."
    sources = Sources(sources_of(tmp_path, said))
    browser = opened(page(told(said, {"ck": "The CK was 489 UI/l", "crp": "CRP was high"}), None, sources))
    gone = []
    for _ in range(3):
        press(browser, "[data-gap]")
        gone.append(browser.find_element("css selector", ".gap.lit").text.strip())
    assert gone == [", and", ". She likes tea.", ", and"]


RELATIVE = {
    "url": "http://hl7.org/fhir/StructureDefinition/relative-date",
    "extension": [
        {"url": "event", "valueReference": {"reference": "Observation/o"}},
        {"url": "relationship", "valueCode": "after"},
        {"url": "offset", "valueDuration": {"value": 3, "code": "mo", "system": "http://unitsofmeasure.org"}},
    ],
}
ODD = {
    "nothing": [],
    "no ids": [{"resourceType": "Patient"}, {"resourceType": "Observation", "code": {"text": "x"}}],
    "after itself": [{"_effectiveDateTime": {"extension": [RELATIVE]}}],
    "an end before its start": [{"effectivePeriod": {"start": "2014", "end": "2012"}, "valueString": "x"}],
    "no dates": [{"id": f"o{at}", "effectiveDateTime": each}
                 for at, each in enumerate(["2012-13", "soon", 5, ["2012"], None])],
    "the first and the last day": [{"id": f"o{at}", "effectiveDateTime": each, "valueQuantity": {"value": at}}
                                   for at, each in enumerate(["0001-01-01", "9999-12-31"])],
    "numbers of all sizes": [{"id": f"o{at}", "effectiveDateTime": f"201{at}", "valueQuantity": {"value": each}}
                             for at, each in enumerate([Decimal("1E300"), -5, Decimal("1E-300"), True, "12", [1]])],
    "R5": [{"resourceType": "MedicationStatement", "medication": {"concept": {"text": "x"}},
            "effectivePeriod": {"start": "2014"}}],
    "a group": [{"subject": {"reference": "Group/g"}, "effectiveDateTime": "2012"},
                {"resourceType": "Group", "id": "g"}],
    "long words": [{"code": {"text": "\u202e" + "B" * 50000}, "effectiveDateTime": "2012",
                    "valueString": "C " * 50000}],
    "parts of nothing": [{"status": ["x"], "note": "y", "component": [None, {}]}],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_bundle_opens_without_an_error_and_every_fact_is_told(name: str, opened: Open) -> None:
    plain = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}, "code": {"text": "CK"}}
    found = [each if each.get("resourceType") in ("Patient", "Group") else plain | each for each in ODD[name]]
    resources = held(*found)
    browser = opened(page(resources))
    assert [each["message"] for each in browser.get_log("browser")] == []
    rows = browser.execute_script("return document.querySelectorAll('tr[data-fact]').length")
    assert rows == sum(each.type not in ("Patient", "Group") for each in resources)
    wide, window = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window


def test_two_hundred_cases_open_at_once_and_are_unpacked_when_the_reader_comes(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    browser = opened(page(read([cohort(200, tmp_path / "bundles")])))
    assert [each["message"] for each in browser.get_log("browser")] == []
    assert len(browser.find_elements("css selector", "#cohort tbody tr")) == 200
    packed = "return document.querySelectorAll('script[type=\"text/x-case\"]').length"
    assert browser.execute_script(packed) >= 198
    browser.find_element("css selector", "[data-filter=cohort]").send_keys("jo1-003")
    (kept,) = [each for each in browser.find_elements("css selector", "#cohort tbody tr") if each.is_displayed()]
    kept.find_element("css selector", "a").click()
    key = browser.execute_script("return location.hash.slice(1)")
    drawn(browser)
    browser.implicitly_wait(10)
    section = browser.find_element("id", key)
    assert section.find_element("css selector", "h2").text == "scig-antisynthetase-jo1-003"
    assert len(section.find_elements("css selector", "tr[data-fact]")) == 207
    assert section.find_elements("css selector", ".chart svg [data-fact]")
    assert browser.execute_script(packed) >= 190  # the others still wait
    assert [each["message"] for each in browser.get_log("browser")] == []
