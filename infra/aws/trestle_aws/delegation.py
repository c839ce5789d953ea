"""Whether the world finds a domain's name servers at Route 53. ACM would wait for days for a domain that was not
delegated.

A question to a resolver in a few lines: the standard library asks for addresses only.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

from trestle_aws.errors import Failure

RESOLVERS = ("1.1.1.1", "8.8.8.8")
PORT = 53
WITHIN = 3.0
NS = 2
IN = 1
# Recursion desired.
FLAGS = 0x0100
NAME_ERROR = 3
Ask = Callable[[str], set[str]]


def check(domain: str, wanted: Iterable[str], ask: Ask | None = None) -> None:
    """Fails, saying what to enter where, unless one of the zone's name servers answers for the domain."""
    ours = {_plain(name) for name in wanted}
    found = (ask or name_servers)(domain)
    if found & ours:
        return
    there = ", ".join(sorted(found)) or "none"
    lines = "\n".join(f"  {name}" for name in sorted(ours))
    raise Failure(
        f"{domain} is not delegated to its hosted zone yet: DNS names {there}. Enter these name servers at the "
        "registrar (or as NS records "
        f"of {domain} in the parent zone), wait some minutes, and give the same command again:\n{lines}"
    )


def name_servers(domain: str, resolvers: Iterable[str] | None = None, port: int = PORT) -> set[str]:
    """The names that resolvers give; the first resolver that answers counts."""
    silent = []
    for resolver in resolvers or [*RESOLVERS, *own_resolvers()]:
        try:
            return _ask(domain, resolver, port)
        except OSError as error:
            silent.append(f"{resolver}: {error}")
    raise Failure(f"no resolver says who answers for {domain}: {'; '.join(silent)}")


def own_resolvers(path: Path = Path("/etc/resolv.conf")) -> list[str]:
    """This machine's, for networks that let nobody ask others. They may remember for longer what was not there yet."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    return [line[1] for line in words if line[:1] == ["nameserver"] and len(line) > 1 and ":" not in line[1]]


def _ask(domain: str, resolver: str, port: int) -> set[str]:
    number = secrets.randbelow(1 << 16)
    labels = b"".join(bytes([len(label)]) + label for label in domain.encode("ascii").split(b"."))
    question = struct.pack("!6H", number, FLAGS, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", NS, IN)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(WITHIN)
        channel.connect((resolver, port))
        channel.send(question)
        answer = channel.recv(4096)
    return parse(answer, number)


def parse(answer: bytes, number: int) -> set[str]:
    """The name servers in an answer; none where the domain does not exist. What cannot be read is an OSError."""
    try:
        found, flags, questions, answers, *_ = struct.unpack_from("!6H", answer)
        code = flags & 0xF
        if found != number or code not in (0, NAME_ERROR):
            raise OSError(f"it answers with code {code}")
        at = 12
        for _ in range(questions):
            at = _name(answer, at)[1] + 4
        servers = set()
        for _ in range(answers):
            at = _name(answer, at)[1]
            kind, _, _, length = struct.unpack_from("!2HIH", answer, at)
            at += 10
            if kind == NS:
                servers.add(_plain(_name(answer, at)[0]))
            at += length
        return servers
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise OSError(f"its answer cannot be read: {error}") from error


def _name(answer: bytes, at: int) -> tuple[str, int]:
    """A name, which may go on somewhere else in the answer, and where what follows it begins."""
    labels: list[str] = []
    after: int | None = None
    for _ in range(128):
        length = answer[at]
        if length >= 0xC0:
            after = after or at + 2
            at = struct.unpack_from("!H", answer, at)[0] & 0x3FFF
        elif length:
            labels.append(answer[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
        else:
            return ".".join(labels), after or at + 1
    raise OSError("a name in its answer has no end")


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
