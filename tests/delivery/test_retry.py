"""How long to wait before asking again."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefhir.delivery.retry import RetryPolicy, retry_after_seconds

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_gives_seconds_or_nothing(header: str) -> None:
    found = retry_after_seconds(header, NOW)
    assert found is None or found >= 0


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_backoff_grows_but_never_beyond_its_bound(tried: int, seed: int) -> None:
    policy = RetryPolicy(attempts=50, base=0.5, cap=30)
    wait = policy.wait(tried, None, random.Random(seed))
    assert wait is not None
    assert 0 <= wait <= min(30, 0.5 * 2**tried)


@given(st.floats(0, 300), st.integers(1, 40), st.integers(0, 2**32))
def test_retry_after_is_never_undercut_and_outdone_by_more_each_time(asked: float, tried: int, seed: int) -> None:
    policy = RetryPolicy(attempts=50, base=0.5, cap=30)
    wait = policy.wait(tried, asked, random.Random(seed))
    assert wait is not None
    assert asked <= wait <= asked + min(30, 0.5 * 2 ** (tried - 1))


def test_patience_ends_after_the_attempts_and_before_a_wait_that_is_too_long() -> None:
    policy = RetryPolicy(attempts=3, longest=60)
    rng = random.Random(1)
    assert [policy.wait(tried, None, rng) is None for tried in (1, 2, 3)] == [False, False, True]
    assert policy.wait(1, 61, rng) is None
