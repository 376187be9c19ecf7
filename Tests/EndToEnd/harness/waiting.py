"""Waiting on conditions, with a deadline each."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineExceeded(AssertionError):
    pass


def wait_until(condition: Callable[[], T], what: str, seconds: float = 10, interval: float = 0.02) -> T:
    """Asks `condition` until it answers something true, and gives that back; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"not within {seconds} s: {what} (last answer: {answer!r})")
        time.sleep(interval)
