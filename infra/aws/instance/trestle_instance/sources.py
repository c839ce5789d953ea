"""Where log lines come from: systemd's journal, and the files that nginx and `trestle up` write.

Each says how far it has read (`position`), and begins there again after a restart.
"""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from systemd import journal

from trestle_instance.batches import Event, shortened

# In one turn; what is more waits where it lies.
MOST_LINES = 5000
MOST_BYTES = 4 * 1024 * 1024
# A file that has grown beyond is emptied when all of it is shipped, so that logs never fill the disk.
LONGEST_FILE = 64 * 1024 * 1024
READ_AT_ONCE = 1024 * 1024
# Of services that are not Trestle's only what somebody has to see: warnings and worse.
WORTH_SHIPPING = 4
OWN = ("trestle-", "cloud-")


class Source(Protocol):
    """A place that lines come from."""

    def read(self) -> Iterator[tuple[str, Event]]:
        """The lines that have come since, each with its log group's short name."""

    def position(self) -> object:
        """How far it has read, for JSON."""


class Journal:
    """The journal: services of the shop to their groups, the rest to `system`."""

    def __init__(self, groups: dict[str, str], position: object) -> None:
        self._groups = groups
        self._reader = journal.Reader()
        self._cursor = str(position or "")
        if self._cursor:
            self._reader.seek_cursor(self._cursor)
            self._reader.get_next()
        else:
            self._reader.seek_head()

    def read(self) -> Iterator[tuple[str, Event]]:
        """What has come."""
        self._reader.process()
        size = 0
        for _ in range(MOST_LINES):
            entry = self._reader.get_next() if size < MOST_BYTES else None
            if not entry:
                return
            self._cursor = entry["__CURSOR"]
            unit = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER") or "kernel")
            text = entry.get("MESSAGE", "")
            line = text if isinstance(text, str) else bytes(text).decode(errors="replace")
            size += len(line)
            at = int(entry["__REALTIME_TIMESTAMP"].timestamp() * 1000)
            group = self._groups.get(unit)
            if group and entry.get("_TRANSPORT") == "stdout":
                yield group, Event(at, shortened(line))
            elif group or unit.startswith(OWN) or int(entry.get("PRIORITY", 6)) <= WORTH_SHIPPING:
                yield "system", Event(at, shortened(f"{unit}: {line}"))

    def position(self) -> object:
        """A cursor."""
        return self._cursor


@dataclass
class _Followed:
    """A file, by its inode, and how much of it is read."""

    inode: int
    offset: int = 0


@dataclass
class Files:
    """Files that grow by lines. nginx and `trestle up` append to them, so a file can be emptied under them."""

    groups: dict[str, str]
    """Patterns of paths, each with its group."""
    followed: dict[str, _Followed] = field(default_factory=dict)

    @classmethod
    def at(cls, groups: dict[str, str], position: object) -> Files:
        """Where an earlier run was."""
        known = position if isinstance(position, dict) else {}
        return cls(groups, {path: _Followed(*where) for path, where in known.items()})

    def read(self) -> Iterator[tuple[str, Event]]:
        """What has come, of each file."""
        for pattern, group in self.groups.items():
            for path in sorted(glob.glob(pattern)):
                for line in self._lines(path):
                    yield group, Event(_time(line), shortened(line))

    def position(self) -> object:
        """Inodes and offsets."""
        return {path: [file.inode, file.offset] for path, file in self.followed.items()}

    def _lines(self, path: str) -> Iterator[str]:
        with open(path, "rb") as file:
            seen = os.fstat(file.fileno())
            at = self.followed.get(path)
            if at is None or at.inode != seen.st_ino or at.offset > seen.st_size:
                at = self.followed[path] = _Followed(seen.st_ino)
            file.seek(at.offset)
            content = file.read(READ_AT_ONCE)
            # A line without its end is read when it has one, unless it is longer than all that is taken.
            end = content.rfind(b"\n") + 1 or (len(content) if len(content) == READ_AT_ONCE else 0)
            at.offset += end
        yield from (line for line in content[:end].decode(errors="replace").splitlines() if line)

    def tidy(self) -> None:
        """Empties what is long and shipped to its end."""
        for path, at in self.followed.items():
            if at.offset < LONGEST_FILE:
                continue
            with open(path, "r+b") as file:
                if os.fstat(file.fileno()).st_size == at.offset:
                    file.truncate(0)
                    at.offset = 0


def _time(line: str) -> int:
    """When a line of nginx's access log was written, to the second; now, where a line does not begin with it."""
    if line.startswith('{"time":"'):
        try:
            return int(datetime.fromisoformat(line[9 : line.index('"', 9)]).timestamp() * 1000)
        except ValueError:
            pass
    return int(time.time() * 1000)
