"""Signals: whoever asks this program to end gets an orderly end."""

from __future__ import annotations

import signal
import subprocess
from types import FrameType, TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


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


def run(command: list[str]) -> int:
    """Runs a program; answers its exit code. When this one is asked to end the program is, too, and has time for it."""
    child = subprocess.Popen(command)
    try:
        code = child.wait()
    except KeyboardInterrupt as asked:
        # A terminal's Ctrl-C is for all its programs; any other signal was for this one.
        if asked.args and asked.args[0] != signal.SIGINT:
            child.send_signal(asked.args[0])
        try:
            child.wait()
        except KeyboardInterrupt:
            child.kill()
            child.wait()
        raise
    return code if code >= 0 else 128 - code
