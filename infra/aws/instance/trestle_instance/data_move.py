"""Moves the data of this instance's shop into RDS, stage 1 to 2 of the growth path: `move-data` as the shop's user.

    python3 -m trestle_instance.data_move      on an instance of role single, as root

The shop is read from meanwhile. When all has been moved it is stopped and stays so: what it would take now would be lost.
When not, it goes on as before.

Invariant: the URL of the database, with its password, is in a file that the shop's user alone reads, and gone afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trestle_instance.configure import systemctl
from trestle_instance.machine import CURRENT, Machine, Stop
from trestle_instance.settings import Database

UNIT = "trestle-single.service"
USER = "trestle"
SHOP = Path("/var/lib/trestle/shop")
# In memory, not on the disk.
RUN = Path("/run")
PATH = f"{CURRENT}/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def say(line: str) -> None:
    """One line of progress."""
    print(f"data-move: {line}", flush=True)


@contextmanager
def told(url: str) -> Iterator[str]:
    """A file with the URL, for as long as this lasts."""
    with tempfile.NamedTemporaryFile("w", prefix="trestle-target-", dir=RUN) as file:
        shutil.chown(file.name, USER)
        file.write(url)
        file.flush()
        yield file.name


def move(machine: Machine) -> None:
    """All of it."""
    if machine.role != "single":
        raise Stop(f"this is an instance of role {machine.role}: it has no database of its own")
    if subprocess.run(["systemctl", "--quiet", "is-active", UNIT]).returncode != 0:
        raise Stop(f"{UNIT} does not run: its data was moved before, or the shop has to be started first")
    with told(Database.of(machine, "app-secret").url()) as target:
        script = [str(CURRENT / "instance/move-data"), target, str(SHOP)]
        command = ["runuser", "-u", USER, "--", "env", f"PATH={PATH}", *script]
        # One stream, so that what went wrong stands where it happened.
        code = subprocess.run(command, stderr=subprocess.STDOUT).returncode
    if code != 0:
        raise Stop(f"move-data ended with {code}; what it said last says why")
    try:
        systemctl("disable", "--now", UNIT)
    except Stop as error:
        raise Stop(f"all was moved, but the shop here could not be stopped: {error}. It must take no writes") from error
    say("the shop here is stopped; it goes on with the new database")


def main() -> int:
    """Answers the exit code; the last line says what was done or why not."""
    try:
        move(Machine.known())
    except Stop as error:
        print(f"data-move: stopped: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
