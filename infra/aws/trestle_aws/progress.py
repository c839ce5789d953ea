"""What is said while a command works: lines on standard error, with the time since its start. Standard output is for
results.
"""

from __future__ import annotations

import sys

from trestle_aws import pace


class Progress:
    """Lines for somebody who waits."""

    def __init__(self) -> None:
        self._began = pace.now()

    def say(self, line: str) -> None:
        """One line, with minutes and seconds since the start."""
        minutes, seconds = divmod(int(pace.now() - self._began), 60)
        print(f"{minutes:3d}:{seconds:02d} {line}", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """A result."""
    print(text, flush=True)


def table(rows: list[tuple[str, ...]]) -> str:
    """Columns; the first row is the heading. Columns of numbers are the caller's to pad."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
