"""How many examples a property is tried with: a few in `make test`, all of them in `make thorough`, which CI runs."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import settings

THOROUGH = os.environ.get("CASEFHIR_THOROUGH") == "1"
Test = TypeVar("Test", bound=Callable[..., Any])


def of(most: int) -> int:
    """All of `most` examples, or a few of them."""
    return most if THOROUGH else max(most // 10, 5)


def examples(most: int, **more: Any) -> Callable[[Test], Test]:
    """Hypothesis' settings for a property whose `most` examples take longer than a second or so."""

    def decorate(test: Test) -> Test:
        marked: Test = pytest.mark.examples(settings(max_examples=of(most), **more)(test))
        return marked

    return decorate
