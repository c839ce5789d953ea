"""Ships log lines to CloudWatch: journal and files, to the groups /PROJECT/ENVIRONMENT/web, api, job and system, a stream an instance.

Invariants: a line counts as shipped only when CloudWatch has taken it, so a restart repeats some and loses none; what cannot be
shipped stays where it lies, and takes no more memory here.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from systemd import daemon

from trestle_instance import account
from trestle_instance.batches import Event, batches
from trestle_instance.machine import Machine, write
from trestle_instance.metadata import Metadata
from trestle_instance.sources import Files, Journal

STATE = Path("/var/lib/trestle-logs/position.json")
# How long lines are collected before they are sent, and how long the last ones may take when the machine stops.
EVERY = 1.0
LAST_SECONDS = 12.0
LONGEST_PAUSE = 30.0
NGINX = {"/var/log/trestle-web/access.log": "web", "/var/log/trestle-web/error.log": "web"}
LAUNCHER = {
    f"/var/lib/trestle/shop/logs/{name}.log": group
    for name, group in (("access", "web"), ("error", "web"), ("api-*", "api"))
}
# By role: the group of a service's lines in the journal, and of files.
UNITS = {
    "web": {"trestle-web.service": "web"},
    "api": {"trestle-api.service": "api"},
    "instance": {"trestle-web.service": "web", "trestle-api.service": "api"},
    "single": {"trestle-front.service": "web", "trestle-single.service": "api"},
    "job": {"trestle-job.service": "job"},
}
FILES = {"web": NGINX, "instance": NGINX, "single": LAUNCHER}


class Shipper:
    """What is read, and where it goes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._stream = Metadata().instance()
        self._client = account.client(machine, "logs")
        self._streams: set[str] = set()
        known = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.journal = Journal(UNITS[machine.role], known.get("journal"))
        self.files = Files.at(FILES.get(machine.role, {}), known.get("files"))
        self.stopping = threading.Event()

    def turn(self) -> int:
        """Reads once and ships what was read; how many lines."""
        events: dict[str, list[Event]] = defaultdict(list)
        for source in (self.journal, self.files):
            for group, event in source.read():
                events[group].append(event)
        for group, lines in sorted(events.items()):
            for batch in batches(lines):
                self._put(group, batch)
        if events:
            write(STATE, json.dumps({"journal": self.journal.position(), "files": self.files.position()}))
            self.files.tidy()
        return sum(map(len, events.values()))

    def _put(self, group: str, batch: list[Event]) -> None:
        """One call, until it is taken. When the machine stops a refusal is the end."""
        pause = 1.0
        while True:
            try:
                self._open(group)
                entries = [{"timestamp": event.time, "message": event.line} for event in batch]
                self._client.put_log_events(
                    logGroupName=self._machine.path(group), logStreamName=self._stream, logEvents=entries
                )
                return
            except (ClientError, BotoCoreError) as error:
                print(f"{self._machine.path(group)} takes no lines: {error}", file=sys.stderr, flush=True)
                if self.stopping.wait(pause):
                    raise
                pause = min(pause * 2, LONGEST_PAUSE)

    def _open(self, group: str) -> None:
        if group in self._streams:
            return
        try:
            self._client.create_log_stream(logGroupName=self._machine.path(group), logStreamName=self._stream)
        except self._client.exceptions.ResourceAlreadyExistsException:
            pass
        self._streams.add(group)


def main() -> None:
    """Until SIGTERM, and then until all that is there is shipped."""
    shipper = Shipper(Machine.known())

    def stop(*_: object) -> None:
        shipper.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    daemon.notify("READY=1")
    while not shipper.stopping.wait(EVERY):
        shipper.turn()
    until = time.monotonic() + LAST_SECONDS
    while shipper.turn() and time.monotonic() < until:
        pass


if __name__ == "__main__":
    main()
