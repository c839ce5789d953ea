"""A TCP load balancer chooses an instance for a connection, not for a request. nginx keeps connections, so it must end them soon:
else an instance that was added gets nothing, however busy the others are.

A real nginx with the configuration of a web instance, and a balancer that counts.
"""

from __future__ import annotations

import http.client
import re
import shutil
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_web_scheme import ROOT, nginx

WITHIN = 10.0
"""Seconds until an instance that was added has its share; auto scaling thinks in minutes."""

pytestmark = pytest.mark.skipif(
    not shutil.which("nginx") or not shutil.which("envsubst"),
    reason="nginx and envsubst are not installed (make setup installs them)",
)


class Balancer(socketserver.ThreadingTCPServer):
    """Whoever connects gets the newest instance, for as long as the connection lasts."""

    daemon_threads = True
    allow_reuse_address = True
    newest = "first"
    connections = 0


class Connection(socketserver.StreamRequestHandler):
    """One connection to an instance, which answers each request with its name."""

    server: Balancer

    def handle(self) -> None:
        """Until nginx closes it."""
        instance = self.server.newest
        self.server.connections += 1
        while self.rfile.readline() not in (b"", b"\r\n"):
            while self.rfile.readline() not in (b"", b"\r\n"):
                pass
            body = instance.encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.fixture
def balancer() -> Iterator[Balancer]:
    """Listening."""
    with Balancer(("127.0.0.1", 0), Connection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_an_instance_that_is_added_gets_requests_soon(balancer: Balancer, tmp_path: Path) -> None:
    unit = (ROOT / "infra/aws/instance/units/trestle-web.service").read_text()
    variables = dict(re.findall(r"^Environment=(TRESTLE_WEB_KEEPALIVE_SECONDS)=(\d+)$", unit, re.MULTILINE))
    with nginx(tmp_path, variables, api=f"127.0.0.1:{balancer.server_address[1]}") as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

        def ask() -> str:
            client.request("GET", "/api/v1/products")
            return client.getresponse().read().decode()

        asked = 0
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert ask() == "first"
            asked += 1
        assert balancer.connections < asked / 10, "connections are to be kept: making one costs more than a request"
        balancer.newest = "added"
        until = time.monotonic() + WITHIN
        # Never idle for long, and not so busy that a connection ends by its number of requests.
        while ask() != "added":
            assert time.monotonic() < until, f"after {WITHIN:.0f} s the instance that was added has got nothing"
            time.sleep(0.02)
