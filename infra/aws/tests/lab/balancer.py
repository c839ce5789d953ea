"""The internal network load balancer: passes TCP on to the healthy targets, one address for each zone, one name for both."""

from __future__ import annotations

import asyncio
import itertools
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence

from lab.vpc import Vpc

CHECK_EVERY = 0.5


class Balancer:
    """Targets are host:port; a target in `leaving` (deregistered) gets no new connection, and keeps those that it has."""

    def __init__(self, vpc: Vpc, addresses: Sequence[str], port: int) -> None:
        self._vpc = vpc
        self._addresses = addresses
        self._port = port
        self._turn = itertools.count()
        self._ready = threading.Event()
        self.targets: list[str] = []
        self.healthy: set[str] = set()
        self.leaving: set[str] = set()
        vpc.thread(lambda: asyncio.run(self._serve()))
        assert self._ready.wait(10)
        vpc.thread(self._check)

    async def _serve(self) -> None:
        servers = [
            await asyncio.start_server(self._pass, address, self._port, backlog=512) for address in self._addresses
        ]
        self._ready.set()
        await asyncio.gather(*(server.serve_forever() for server in servers))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        able = [target for target in self.targets if target in self.healthy and target not in self.leaving]
        if not able:
            writer.transport.abort()
            return
        host, port = able[next(self._turn) % len(able)].split(":")
        try:
            other_reader, other_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_copy(reader, other_writer), _copy(other_reader, writer))

    def _check(self) -> None:
        """Health by /readyz on the operations port, as the target group asks for it."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        pause = threading.Event()
        while True:
            for target in list(self.targets):
                try:
                    with opener.open(f"http://{target.split(':')[0]}:9000/readyz", timeout=2):
                        self.healthy.add(target)
                except (OSError, urllib.error.URLError):
                    self.healthy.discard(target)
            pause.wait(CHECK_EVERY)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
