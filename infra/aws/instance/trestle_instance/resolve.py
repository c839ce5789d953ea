"""Looks up where the API is, and has nginx reloaded when that has changed. nginx of Debian 13 looks names up at its start alone."""

from __future__ import annotations

import socket
import subprocess
import sys

from trestle_instance.machine import FOLDER, Stop
from trestle_instance.settings import addresses_of_api


def look_up(name: str) -> list[str]:
    """The addresses of HOST:PORT, with their port, in order."""
    host, _, port = name.rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise Stop(f"{name} cannot be looked up: {error}") from error
    return sorted({f"{address[0]}:{port}" for *_, address in found})


def main() -> None:
    """Once. What cannot be looked up stays where it was."""
    name = (FOLDER / "web-api-name").read_text().strip()
    if not name:
        return
    try:
        addresses = look_up(name)
    except Stop as error:
        sys.exit(str(error))
    if addresses_of_api(addresses):
        print(f"{name} is at {' '.join(addresses)}", flush=True)
        subprocess.run(["systemctl", "try-reload-or-restart", "trestle-web"], check=True)


if __name__ == "__main__":
    main()
