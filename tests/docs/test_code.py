"""Every code block of the documentation runs as a reader would run it, from the top of its page."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, blocks, prepare, run

WITH_CODE = [page for page in PAGES if blocks(page)]
WITH_SERVER = [page for page in WITH_CODE if any(each.needs_server for each in blocks(page))]


def names(page: Path) -> str:
    return page.stem


@pytest.mark.parametrize("page", WITH_CODE, ids=names)
@pytest.mark.thorough
def test_what_needs_no_server_runs(page: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    for block in blocks(page):
        if not block.needs_server:
            run(block, tmp_path)


@pytest.mark.java
@pytest.mark.parametrize("page", WITH_SERVER, ids=names)
def test_what_needs_a_server_runs_against_one(page: Path, hapi: Any, tmp_path: Path) -> None:
    prepare(tmp_path)
    for block in blocks(page):
        run(block, tmp_path, hapi.base)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_code_is_fenced_so_that_it_is_run(page: Path) -> None:
    """An indented block would be shown as code and run by nobody; under a tab or a list it is text."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^(?:    ).*\b(?:casefhir [a-z]+ |import |= )[^`]*$", text, re.MULTILINE)
    assert not indented
