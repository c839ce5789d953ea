"""Log lines packed as CloudWatch takes them (PutLogEvents): so many bytes and lines in a call, in the order of their times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_BYTES = 1_048_576
MOST_EVENTS = 10_000
LONGEST_SPAN_MS = 24 * 3600 * 1000
# What CloudWatch counts for an event besides its text.
OVERHEAD = 26
LONGEST_LINE = 256 * 1024 - OVERHEAD


@dataclass(frozen=True)
class Event:
    """A line, with its time in milliseconds since 1970."""

    time: int
    line: str

    @property
    def size(self) -> int:
        """What it counts."""
        return len(self.line.encode()) + OVERHEAD


def shortened(line: str) -> str:
    """A line that fits."""
    raw = line.encode()
    return line if len(raw) <= LONGEST_LINE else raw[:LONGEST_LINE].decode(errors="ignore")


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """The events in calls."""
    batch: list[Event] = []
    size = 0
    for event in sorted(events, key=lambda event: event.time):
        too_much = size + event.size > MOST_BYTES or len(batch) == MOST_EVENTS
        if batch and (too_much or event.time - batch[0].time >= LONGEST_SPAN_MS):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield batch
