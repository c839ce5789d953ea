"""A visitor: asks the web tier as the public load balancer does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.vpc import Vpc

FORWARDED = {"Host": "shop.example.com", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self):  # type: ignore[no-untyped-def]
        """The body."""
        return json.loads(self.body)


def ask(
    vpc: Vpc,
    address: str,
    path: str,
    *,
    method: str = "GET",
    port: int = 80,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own."""

    def call() -> Answer:
        connection = http.client.HTTPConnection(address, port, timeout=15)
        try:
            given = {**FORWARDED, **(headers or {})}
            content = None
            if body is not None:
                given["Content-Type"] = "application/json"
                content = json.dumps(body)
            connection.request(method, path, content, given)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    return vpc.inside(call)


@dataclass
class Visitors:
    """Several at once, who ask on kept connections until they are stopped."""

    vpc: Vpc
    address: str
    path: str
    count: int = 6
    pause: float = 0.01
    answers: Counter[str] = field(default_factory=Counter)
    replicas: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Visitors:
        self._threads = [self.vpc.thread(self._visit) for _ in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _visit(self) -> None:
        connection = http.client.HTTPConnection(self.address, 80, timeout=15)
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                # A query of its own, so that no cache answers for the tier behind.
                connection.request("GET", f"{self.path}?limit={number % 7 + 1}", headers=FORWARDED)
                answer = connection.getresponse()
                answer.read()
                said = str(answer.status)
                self.replicas[answer.headers.get("Trestle-Replica", "")] += 1
                if answer.headers.get("Connection", "").lower() == "close":
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                said = repr(error)
                connection.close()
            self.answers[said] += 1
            time.sleep(self.pause)
        connection.close()
