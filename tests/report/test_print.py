"""The page on paper: what Debian's Chromium prints, read from the PDF, and the page before and after it."""

import base64
import io
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from casefhir.report.bundles import Resources, read
from casefhir.report.documents import Sources
from casefhir.report.page import page
from tests.report.conftest import ROOT, Open, drawn, held, sources_of, told

pytestmark = pytest.mark.browser
SCIG = ROOT / "bundles" / "scig-antisynthetase-jo1.json"
PAPERS = {"A4": (8.27, 11.69), "Letter": (8.5, 11.0)}


def printed(browser: Any, paper: str) -> list[Any]:
    """The pages that the browser prints of what is open."""
    width, height = PAPERS[paper]
    found = browser.execute_cdp_cmd("Page.printToPDF", {"paperWidth": width, "paperHeight": height})
    return list(PdfReader(io.BytesIO(base64.b64decode(found["data"]))).pages)


def words(sheet: Any) -> list[tuple[str, float, float]]:
    """What stands on a page of a PDF: text, its size in points, and how high it stands."""
    found: list[tuple[str, float, float]] = []

    def seen(text: str, all_: list[float], own: list[float], _: Any, size: float) -> None:
        up = (own[2] * all_[0] + own[3] * all_[2], own[2] * all_[1] + own[3] * all_[3])
        at = own[4] * all_[1] + own[5] * all_[3] + all_[5]
        if text.strip():
            found.append((text.strip(), size * math.hypot(*up), at))

    sheet.extract_text(visitor_text=seen)
    return found


@pytest.mark.parametrize("paper", PAPERS)
def test_six_cases_are_legible_on_paper_and_each_page_is_headed_by_its_case(
    opened: Open, cases: Resources, paper: str
) -> None:
    sheets = printed(opened(page(cases)), paper)
    assert 50 <= len(sheets) <= 75
    names = [each.stem for each in sorted((ROOT / "bundles").glob("*.json"))]
    heads = []
    for sheet in sheets:
        found = words(sheet)
        assert min(size for _, size, _ in found) >= 7  # points
        assert len(found) > 2  # more than its head and its number
        top = max(at for _, _, at in found)
        heads.append(" ".join(text for text, _, at in found if at > top - 4))
    assert heads[0] == "6 cases"
    assert list(dict.fromkeys(heads)) == ["6 cases", *names]
    timelines = [sheet.extract_text() for sheet, head in zip(sheets, heads) if head == SCIG.stem][:3]
    assert "Treatment courses" in "".join(timelines)  # drawn when the browser came to print
    assert "rituximab: 2 g every 6 months" in "".join(timelines)


def test_nothing_is_wider_than_the_paper(opened: Open, cases: Resources) -> None:
    """What is wider makes a browser shrink all of it, or is cut."""
    browser = opened(page(cases))
    between_the_margins = {"width": 703, "height": 1000, "deviceScaleFactor": 1, "mobile": False}  # A4, CSS pixels
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", between_the_margins)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        wide = browser.execute_script("""return [...document.querySelectorAll('body *')]
            .filter((each) => !each.closest('svg svg, svg *') && each.getBoundingClientRect().right > 704)
            .map((each) => [each.tagName, each.id, each.textContent.slice(0, 60)])""")
        assert wide == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_charts_come_in_parts_that_fit_on_a_page_with_every_mark_and_as_one_again_afterwards(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    marks = "return [...document.querySelectorAll('.chart [data-fact]')].map((each) => each.getAttribute('aria-label'))"
    browser.execute_script("document.querySelectorAll('[data-panel]:not(:checked)').forEach((box) => box.click())")
    drawn(browser)
    before = Counter(browser.execute_script(marks))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert Counter(browser.execute_script(marks)) == before
        sizes = browser.execute_script("""return [...document.querySelectorAll('.chart .part')].map((part) => {
            const svg = part.querySelector('svg');
            return [part.offsetHeight, svg.getBoundingClientRect().width / svg.viewBox.baseVal.width]; })""")
        assert len(sizes) > 3
        assert all(height < 480 and scale == pytest.approx(1) for height, scale in sizes)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    drawn(browser)
    assert browser.execute_script("return document.querySelectorAll('.chart svg').length") == 1
    assert Counter(browser.execute_script(marks)) == before


def test_tables_are_opened_for_print_alone_and_controls_are_left_out(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    tables = "details.facts, .undated details"
    browser.execute_script(f"document.querySelectorAll('{tables}').forEach((each) => {{ each.open = false; }})")
    closed = f"return [...document.querySelectorAll('{tables}')].filter((each) => !each.open).length"
    before = browser.execute_script(closed)
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script(closed) == 0 < before
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        controls = """return [...document.querySelectorAll('button, .tools, .chart-tools, nav, .on-screen')]
            .filter((each) => !each.closest('th') && each.checkVisibility()).length"""
        assert browser.execute_script(controls) == 0
        assert browser.find_element("css selector", "thead th").text == "What"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script(closed) == before


def test_a_dark_screen_prints_black_on_white(opened: Open) -> None:
    browser = opened(page(read([SCIG])))
    features = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    try:
        colours = browser.execute_script("""return ['body', '.chart', '.facts td', '.hint'].map((each) => {
            const style = getComputedStyle(document.querySelector(each));
            return [style.color, style.backgroundColor]; })""")
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    light = {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}
    assert all(ink in ("rgb(0, 0, 0)", "rgb(51, 51, 51)") and ground in light for ink, ground in colours)


def test_a_document_is_printed_whole_behind_the_record(opened: Open, tmp_path: Path) -> None:
    said = "Case presentation\nThe CK was 489 UI/l. " + "\n".join(f"Line {at} of the story." for at in range(120))
    resources = told(said, {"ck": "CK was 489 UI/l"})
    sheets = [
        sheet.extract_text()
        for sheet in printed(opened(page(resources, None, Sources(sources_of(tmp_path, said)))), "A4")
    ]
    (first,) = [at for at, sheet in enumerate(sheets) if "Line 0 of the story." in sheet]
    assert "Results (1)" in "".join(sheets[:first])
    assert all(f"Line {at} of the story." in "".join(sheets) for at in range(120))


def test_a_name_at_the_head_of_a_page_stays_text(opened: Open) -> None:
    name = 'a" } body { display: none } </style><script>alert(1)</script> \\ é'
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": name}]}
    (sheet,) = printed(opened(page(held(patient))), "A4")
    assert sheet.extract_text().count("alert(1)") == 2  # the head of the page, and its heading
