"""Time: the one place where it is waited for, so that tests need not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from trestle_aws.errors import Failure

T = TypeVar("T")


def sleep(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def until(look: Callable[[], T | None], what: str, *, within: float, every: float = 5.0) -> T:
    """Looks again and again until there is something to be seen; fails, naming `what`, when there is nothing."""
    end = now() + within
    while True:
        seen = look()
        if seen is not None:
            return seen
        if now() >= end:
            raise Failure(f"{what}: not after {within:.0f} s")
        sleep(every)
