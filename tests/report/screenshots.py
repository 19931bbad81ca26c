"""Draws the pictures of the documentation: `python -m tests.report.screenshots` writes them to docs/img/ (chromium).

Look at each: nothing may overlap, nothing may be cut.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from selenium import webdriver

from casefhir.report.bundles import read
from casefhir.report.check import findings
from casefhir.report.page import page
from tests.report.conftest import ROOT

SIX = sorted((ROOT / "bundles").glob("*.json"))
SCIG, PL12 = (
    ROOT / "bundles" / f"{each}.json" for each in ("scig-antisynthetase-jo1", "tocilizumab-antisynthetase-pl12")
)
# name, bundles, width, height, colours, what stands at the top
PICTURES = (
    ("report-1440", [PL12], 1440, 1000, "light", "h1"),
    ("report-800", [PL12], 800, 1000, "light", "h1"),
    ("report-400", [PL12], 400, 1000, "light", "h1"),
    ("report-dark", [SCIG], 1440, 1000, "dark", "h3"),
    ("report-events", SIX[2:3], 1100, 600, "light", "h4.block"),
    ("report-cohort", SIX, 1440, 1020, "light", "h1"),
)
DRAWN = """const done = arguments[0];
    const look = () => [...charts.values()].every((chart) => chart.box.dataset.drawn === String(chart.turn))
        ? setTimeout(done, 800) : setTimeout(look, 50);
    look();"""


def main() -> None:
    """Writes docs/img/*.png."""
    options = webdriver.ChromeOptions()
    for each in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(each)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.set_script_timeout(60)
    with tempfile.TemporaryDirectory() as folder:
        for name, bundles, width, height, scheme, top in PICTURES:
            file = Path(folder) / f"{name}.html"
            file.write_bytes(page(read(bundles), findings(bundles)))
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
            browser.get(file.as_uri())
            browser.execute_script("document.querySelector(arguments[0]).scrollIntoView()", top)
            browser.execute_async_script(DRAWN)
            picture = ROOT / "docs" / "img" / f"{name}.png"
            picture.write_bytes(browser.get_screenshot_as_png())
            if shutil.which("pngquant"):  # a fifth of the size, where Debian's pngquant is there
                subprocess.run(["pngquant", "64", "--force", "--ext", ".png", str(picture)], check=True)
    browser.quit()


if __name__ == "__main__":
    main()
