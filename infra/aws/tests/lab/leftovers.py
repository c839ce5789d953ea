"""What a lab leaves behind when its process is killed: namespaces with what runs in them, mounts, groups, folders. The next one removes it.

Everything bears the number of the process that made it, and only what belongs to one that is gone is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

NAME = "trestle-lab"
OWNED = re.compile(rf"^{NAME}-(\d+)(-|$)")
GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


def is_left(name: str) -> bool:
    """Whether a thing of this name belongs to a lab whose process is gone."""
    found = OWNED.match(name)
    return found is not None and not Path("/proc", found[1]).exists()


def sweep() -> None:
    """Removes what is left of others."""
    for namespace in filter(is_left, _names(Path("/run/netns"))):
        until = time.monotonic() + 5
        while (processes := _processes(namespace)) and time.monotonic() < until:
            for process in processes:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True)
    folders = [folder for folder in Path(tempfile.gettempdir()).glob(f"{NAME}-*") if is_left(folder.name)]
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for folder in folders:
        for mount in reversed([mount for mount in mounts if mount.startswith(f"{folder}/")]):
            subprocess.run(["umount", "--lazy", mount], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
    for parent in GROUPS:
        for group in filter(is_left, _names(parent)):
            remove_group(parent / group)


def remove_group(group: Path) -> None:
    """A group of processes that has none any more, from its leaves."""
    for path in sorted(group.rglob("cgroup.procs"), key=lambda path: -len(path.parts)):
        try:
            path.parent.rmdir()
        except OSError:
            pass


def _processes(namespace: str) -> list[int]:
    found = subprocess.run(["ip", "netns", "pids", namespace], text=True, capture_output=True).stdout
    return [int(process) for process in found.split()]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
