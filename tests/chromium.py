"""Debian's Chromium for tests of pages: required in CI, and off the network."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from selenium import webdriver

# a proxy that is not there: whatever asks the network fails and is logged
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--proxy-server=http://127.0.0.1:9",
)


@contextmanager
def chromium(*arguments: str, logs: Mapping[str, str]) -> Iterator[webdriver.Chrome]:
    """A browser with further `arguments` that keeps `logs`; where there is none, a failure in CI and else a skip."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        why = "chromium and chromium-driver are not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    options = webdriver.ChromeOptions()
    for each in (*_ARGUMENTS, *arguments):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", dict(logs))
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.command_executor.client_config.timeout = 600  # a busy machine takes its time for a script
    try:
        yield driver
    finally:
        driver.quit()
