"""The region's services at their real names, by https: each request's signature is checked, the role's policy from the template is
enforced, the call is recorded, and moto answers."""

from __future__ import annotations

import io
import json
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from lab.authority import Authority
from lab.calls import Call, Wire, call_of, is_signed_by
from lab.metadata import Metadata
from lab.vpc import AWS, Vpc

SERVICES = ("s3", "ssm", "secretsmanager", "logs", "autoscaling")
StartResponse = Callable[[str, list[tuple[str, str]]], object]
# moto has no lifecycle actions.
COMPLETED = (
    '<CompleteLifecycleActionResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><CompleteLifecycleActionResult/>'
    "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></CompleteLifecycleActionResponse>"
)


class Policy(Protocol):
    """What decides on a call."""

    def allows(self, role: str, call: Call) -> bool:
        """Whether the role may."""


class Cloud:
    """The services of a network."""

    def __init__(self, vpc: Vpc, authority: Authority, metadata: Metadata, region: str, policy: Policy) -> None:
        self.calls: dict[str, list[Call]] = defaultdict(list)
        """What was allowed, by role."""
        self.refused: list[str] = []
        self.lifecycle: list[dict[str, str]] = []
        """The lifecycle actions that were completed."""
        self._metadata = metadata
        self._policy = policy
        self._lock = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.names = [f"{service}.{region}.amazonaws.com" for service in SERVICES]
        context = authority.context(f"*.{region}.amazonaws.com", f"*.s3.{region}.amazonaws.com")
        listener = vpc.inside(lambda: socket.create_server((AWS, 443), backlog=128))
        server = TlsServer(AWS, 443, self.answer, handler=Quiet, fd=listener.fileno())
        server.ssl_context = context
        self._listener = listener
        vpc.thread(server.serve_forever)

    def answer(self, environ: dict[str, object], start: StartResponse) -> Iterable[bytes]:
        """One request."""
        wire = _wire(environ)
        try:
            key, *_ = wire.scope()
            call = call_of(wire)
            asking = next(each for each in self._metadata.instances.values() if each.key == key)
        except (ValueError, StopIteration) as error:
            return self._refuse(start, "InvalidClientTokenId", f"{wire.host}{wire.path}: {error!r}")
        if not is_signed_by(wire, asking.secret) or wire.headers.get("x-amz-security-token") != asking.session:
            return self._refuse(start, "SignatureDoesNotMatch", str(call))
        if not self._policy.allows(asking.role, call):
            return self._refuse(start, "AccessDeniedException", f"{asking.role} may not {call}")
        with self._lock:
            self.calls[asking.role].append(call)
        if call.action == "autoscaling:CompleteLifecycleAction":
            return self._complete(start, wire)
        return self._moto(environ, start)  # type: ignore[no-any-return]

    def _complete(self, start: StartResponse, wire: Wire) -> Iterable[bytes]:
        with self._lock:
            self.lifecycle.append(dict(parse_qsl(wire.body.decode())))
        start("200 OK", [("Content-Type", "text/xml")])
        return [COMPLETED.encode()]

    def _refuse(self, start: StartResponse, code: str, message: str) -> Iterable[bytes]:
        with self._lock:
            self.refused.append(f"{code}: {message}")
        start("403 Forbidden", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps({"__type": code, "message": message}).encode()]


class TlsServer(ThreadedWSGIServer):
    """Shakes hands in the request's own thread: a machine that is switched off meanwhile must not hold up the others."""

    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """One connection."""
        request.settimeout(60)
        assert isinstance(self.ssl_context, ssl.SSLContext)
        try:
            with self.ssl_context.wrap_socket(request, server_side=True) as connection:
                super().finish_request(connection, client_address)
        except OSError:
            pass


class Quiet(WSGIRequestHandler):
    """Keeps connections, says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Not to the test's output."""


def _wire(environ: dict[str, object]) -> Wire:
    length = int(str(environ.get("CONTENT_LENGTH") or 0))
    stream = environ["wsgi.input"]
    body = stream.read(length) if length else b""  # type: ignore[attr-defined]
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {
        name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]).split("?")[0]
    return Wire(
        str(environ["REQUEST_METHOD"]), headers["host"], raw, str(environ.get("QUERY_STRING", "")), headers, body
    )
