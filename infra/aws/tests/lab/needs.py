"""What the lab needs of the machine: root, some programs of Debian, and the release binaries."""

from __future__ import annotations

import os

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


def missing() -> str:
    """What is missing, as a sentence; "" when all is there."""
    if os.geteuid() != 0:
        return "instances are booted by systemd-nspawn, which needs root (sudo make test-aws)"
    packages = [package for program, package in PROGRAMS.items() if tiers.program(program) is None]
    if packages:
        return f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not (binaries() / "trestle-api").exists():
        return f"{binaries()} has no release binaries: make build"
    return ""


def check() -> None:
    """Without root the tests are passed over, and say so; in CI, or when something else is missing, they fail."""
    lacking = missing()
    if not lacking:
        return
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip(f"NOT RUN: {lacking}", allow_module_level=False)
    pytest.fail(f"instances cannot be booted here: {lacking}", pytrace=False)
