"""What the lab needs of the machine: root, some programs of Debian, and the release binaries."""

from __future__ import annotations

import os
import subprocess

import pytest

from lab import tiers
from lab.region import binaries

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "mariadbd": "mariadb-server",
    "redis-server": "redis-server",
    "strip": "binutils",
}


def may_isolate() -> bool:
    """Whether this process may make network namespaces: root of a container may not."""
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


def without() -> str:
    """Why machines are not booted here although all that can be installed is there; "" when they are."""
    if os.geteuid() != 0:
        return "instances are booted by systemd-nspawn, which needs root (sudo make test-aws)"
    if not may_isolate():
        return "instances are booted in network namespaces, which root of this container may not make"
    if not (binaries() / "trestle-api").exists():
        return f"{binaries()} has no release binaries (make build)"
    return ""


def check() -> None:
    """Without root or binaries the tests are passed over, and say so; in CI they fail, and everywhere when a program is missing."""
    reason = without()
    if reason and not os.environ.get("CI"):
        pytest.skip(f"NOT RUN: {reason}")
    packages = [package for program, package in PROGRAMS.items() if tiers.program(program) is None]
    if packages:
        reason = f"apt-get install --no-install-recommends {' '.join(packages)} (tools/lab-setup)"
    if reason:
        pytest.fail(f"instances cannot be booted: {reason}", pytrace=False)
