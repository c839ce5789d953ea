"""Signals: whoever asks this program to end gets an orderly end."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def listen() -> None:
    """From now on each of them is a KeyboardInterrupt."""
    for number in ENDING:
        signal.signal(number, _interrupt)


class Deaf:
    """Within it none of them is heard: something has to be put in order first."""

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
