"""How fast the report of a cohort opens, beside the same cohort as a plain page of tables.

    python bench/report.py --cases 200

Writes both pages, opens each five times in Debian's Chromium and prints a Markdown table: file size, seconds until
the page can be used (the navigation's load event), and seconds until one case, asked for by its link, is drawn. The
plain page has the same rows in the same tables with no script at all: what a browser needs for the facts alone.
Then each thing that a reader does on the page: seconds from the click or the key until the browser has shown it.
"""

import argparse
import html
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.report.cohort import cohort

from casefhir.report.bundles import Resources, read
from casefhir.report.facts import ORDER, cases
from casefhir.report.page import page

LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
DRAWN = """const [key, done] = arguments;
    location.hash = key;
    const look = () => document.querySelector(`#${key} .chart svg [data-fact]`) ? done() : setTimeout(look, 10);
    look();"""

# acts, and is done when the browser has laid out and painted, and the chart that was touched is drawn
ACTED = """const [act, key, done] = arguments;
    const chart = charts.get(key), begun = performance.now();
    new Function('key', act)(key);
    const shown = () => requestAnimationFrame(() => setTimeout(() => done((performance.now() - begun) / 1000)));
    const look = () => chart.box.dataset.drawn === String(chart.turn) ? shown() : setTimeout(look, 5);
    look();"""
ACTS = {
    "sort the table of cases": "document.querySelectorAll('#cohort thead button')[2].click()",
    "filter the cases": """const box = document.querySelector('[data-filter=cohort]');
        box.value = box.value ? '' : 'jo1'; box.dispatchEvent(new Event('input', { bubbles: true }))""",
    "sort a table of facts": "document.querySelector(`#${key} .facts thead button`).click()",
    "filter facts": """const box = document.querySelector(`#${key} .facts [data-filter]`);
        box.value = box.value ? '' : 'fatigue'; box.dispatchEvent(new Event('input', { bubbles: true }))""",
    "hide or show a series": "document.querySelector(`#${key} [data-panel]`).click()",
    "zoom in": "document.querySelector(`#${key} [data-zoom='0.5']`).click()",
    "the whole time again": "document.querySelector(`#${key} [data-reset]`).click()",
}
HEAP = "return performance.memory.usedJSHeapSize / 1e6"


def plain(resources: Resources) -> bytes:
    """The facts as tables, and nothing else."""
    said = ["<!doctype html><meta charset=utf-8><title>plain</title>"]
    for case in cases(resources):
        said.append(f"<h2>{html.escape(case.name)}</h2>")
        for kind in ORDER:
            said.append(f"<h3>{kind}</h3><table>")
            for fact in case.of_kind(kind):
                cells = (fact.title, fact.value, fact.when, fact.status, "; ".join(fact.notes))
                said.append("<tr>" + "".join(f"<td>{html.escape(each)}</td>" for each in cells) + "</tr>")
            said.append("</table>")
    return "".join(said).encode()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    options = webdriver.ChromeOptions()
    for each in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-precise-memory-info",
        "--window-size=1440,1000",
    ):
        options.add_argument(each)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.set_script_timeout(120)
    with tempfile.TemporaryDirectory() as folder:
        bundles = Path(folder) / "bundles"
        bundles.mkdir()
        resources = read([cohort(given.cases, bundles)])
        started = time.perf_counter()
        report = page(resources)
        written = time.perf_counter() - started
        files = {"report": report, "plain tables": plain(resources)}
        found: dict[str, list[float]] = {name: [] for name in files}
        one: list[float] = []
        acted: dict[str, list[float]] = {name: [] for name in ACTS}
        heap = 0.0
        for name, data in files.items():
            (Path(folder) / f"{name}.html").write_bytes(data)
        for _ in range(given.runs):  # in turns, so that both meet the same load of the machine
            for name in files:
                browser.get((Path(folder) / f"{name}.html").as_uri())
                found[name].append(browser.execute_script(LOADED))
                if name == "report":
                    started = time.perf_counter()
                    browser.execute_async_script(DRAWN, f"case{given.cases}")
                    one.append(time.perf_counter() - started)
                    for _ in range(4):
                        for act, script in ACTS.items():
                            acted[act].append(browser.execute_async_script(ACTED, script, f"case{given.cases}"))
                    heap = browser.execute_script(HEAP)
    browser.quit()
    print(f"{given.cases} cases, {len(resources)} resources; the report is written in {written:.1f} s\n")
    print("| page | MB | opens in s (min, median, max) |\n|---|---|---|")
    for name, seconds in found.items():
        spread = f"{min(seconds):.2f}, {statistics.median(seconds):.2f}, {max(seconds):.2f}"
        print(f"| {name} | {len(files[name]) / 1e6:.1f} | {spread} |")
    print(f"\na case far down, asked for by its link, is drawn in {statistics.median(one):.2f} s (median)")
    print(f"the page's scripts then hold {heap:.0f} MB\n\n| done on the page | s (median, max) |\n|---|---|")
    for name, seconds in acted.items():
        print(f"| {name} | {statistics.median(seconds):.2f}, {max(seconds):.2f} |")
    ratio = statistics.median(found["report"]) / statistics.median(found["plain tables"])
    print(f"report to plain tables: {ratio:.2f}")


if __name__ == "__main__":
    main()
