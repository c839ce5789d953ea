"""A network of its own: a namespace with a bridge, at which the region's services listen, and one for each machine.

Only this process's threads that are told so are in it; the host's own network is not touched.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lab.leftovers import NAME

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
METADATA = "169.254.169.254"
# Of its own, a bridge has the lowest address of its ports: it would change with each machine that comes or goes, and the others would
# go on sending to the old one for a minute.
BRIDGE = "02:00:00:00:00:01"
GATEWAY = "10.20.0.1"
"""Nothing listens there."""
AWS = "10.20.0.10"
DATABASE = "10.20.0.11"
CACHE = "10.20.0.12"
BALANCER = ("10.20.0.21", "10.20.0.22")
OTHER_API = "10.20.0.31"
_libc = ctypes.CDLL(None, use_errno=True)


class Vpc:
    """The network. `close` removes it."""

    def __init__(self) -> None:
        self.name = f"{NAME}-{os.getpid()}"
        self._machines: list[str] = []
        _ip(f"netns add {self.name}")
        addresses = [
            f"{GATEWAY}/16",
            *(f"{address}/16" for address in (AWS, DATABASE, CACHE, *BALANCER, OTHER_API)),
            f"{METADATA}/32",
        ]
        bridge = ["link set lo up", f"link add br0 address {BRIDGE} type bridge", "link set br0 up"]
        _batch(self.name, bridge + [f"addr add {each} dev br0" for each in addresses])
        self._threads = ThreadPoolExecutor(32, "vpc", initializer=self.enter)

    def enter(self) -> None:
        """The calling thread is in the network from now on, and so is every socket that it makes."""
        with open(f"/run/netns/{self.name}") as namespace:
            if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def inside(self, call: Callable[[], T]) -> T:
        """Does something in the network."""
        return self._threads.submit(call).result()

    def thread(self, call: Callable[[], object]) -> threading.Thread:
        """A thread in the network, for as long as this process runs."""

        def run() -> None:
            self.enter()
            call()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def command(self, *words: str | Path) -> list[str]:
        """A command line that runs in the network."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def attach(self, name: str, address: str) -> Path:
        """A namespace for a machine, with its address and the way to the metadata service and nowhere else."""
        namespace = f"{self.name}-{name}"
        outside = f"m{len(self._machines)}"
        _ip(f"netns add {namespace}")
        self._machines.append(namespace)
        _batch(
            self.name,
            [f"link add {outside} type veth peer name eth0 netns {namespace}", f"link set {outside} master br0 up"],
        )
        _batch(
            namespace,
            ["link set lo up", f"addr add {address}/16 dev eth0", "link set eth0 up", f"route add {METADATA} dev eth0"],
        )
        return Path("/run/netns") / namespace

    def close(self) -> None:
        """Removes the namespaces; what is in them ends with them."""
        self._threads.shutdown(wait=False)
        for namespace in [*self._machines, self.name]:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True)


def _batch(namespace: str, lines: list[str]) -> None:
    subprocess.run(["ip", "-n", namespace, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)
