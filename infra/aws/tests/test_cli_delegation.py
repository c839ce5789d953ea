"""Whether a domain is delegated: the question to a resolver, by UDP, and what its answer is held against."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trestle_aws import delegation
from trestle_aws.errors import Failure

OURS = ["ns-1.awsdns-01.com", "ns-2.awsdns-02.net."]


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def answer(question: bytes, servers: list[str], code: int = 0) -> bytes:
    """As a resolver answers: the owner is a pointer to the question, and an alias stands before the servers."""
    number = struct.unpack_from("!H", question)[0]
    head = struct.pack("!6H", number, 0x8180 | code, 1, len(servers) + 1, 0, 0)
    records = b"\xc0\x0c" + struct.pack("!2HIH", 5, 1, 60, 2) + b"\xc0\x0c"
    for server in servers:
        first, _, rest = server.partition(".")
        # The last labels of the second server are a pointer, too.
        data = name(server) if rest else bytes([len(first)]) + first.encode() + b"\xc0\x0c"
        records += b"\xc0\x0c" + struct.pack("!2HIH", 2, 1, 60, len(data)) + data
    return head + question[12:] + records


@contextmanager
def resolver(reply) -> Iterator[int]:  # type: ignore[no-untyped-def]
    """A resolver on this machine; `reply` makes the answer of the question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))

        def serve() -> None:
            question, whom = channel.recvfrom(512)
            if (content := reply(question)) is not None:
                channel.sendto(content, whom)

        threading.Thread(target=serve, daemon=True).start()
        yield channel.getsockname()[1]


def test_the_question_is_for_the_domains_name_servers() -> None:
    questions = []

    def reply(question: bytes) -> bytes:
        questions.append(question)
        return answer(question, ["NS1.example.net", "ns2"])

    with resolver(reply) as port:
        assert delegation.name_servers("shop.example.com", ["127.0.0.1"], port) == {
            "ns1.example.net",
            "ns2.shop.example.com",
        }
    number, flags, count = struct.unpack_from("!3H", questions[0])
    assert flags & 0x0100, "it asks for recursion"
    assert (count, questions[0][12:]) == (1, name("shop.example.com") + struct.pack("!2H", 2, 1))


def test_a_domain_that_does_not_exist_has_none() -> None:
    with resolver(lambda question: answer(question, [], code=3)) as port:
        assert delegation.name_servers("shop.example.com", ["127.0.0.1"], port) == set()


@pytest.mark.parametrize(
    "reply",
    [
        lambda question: answer(question, ["ns1.example.net"], code=2),
        lambda question: b"\0\0" + answer(question, ["ns1.example.net"])[2:] if question[:2] != b"\0\0" else b"",
        lambda question: answer(question, ["ns1.example.net"])[:40],
        lambda question: question[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + b"\xc0\x0c" * 2,
    ],
    ids=["server failure", "another question's answer", "cut off", "a name without an end"],
)
def test_an_answer_that_is_none_is_named_with_its_resolver(reply) -> None:  # type: ignore[no-untyped-def]
    with resolver(reply) as port, pytest.raises(Failure, match="127.0.0.1: "):
        delegation.name_servers("shop.example.com", ["127.0.0.1"], port)


def test_a_silent_resolver_is_not_waited_for_long_and_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "WITHIN", 0.1)
    with (
        resolver(lambda question: None) as port,
        pytest.raises(Failure, match="no resolver says who answers for shop.example.com"),
    ):
        delegation.name_servers("shop.example.com", ["127.0.0.1"], port)
    with resolver(lambda question: answer(question, ["ns1.example.net"])) as port:
        assert delegation.name_servers("shop.example.com", ["127.0.0.2", "127.0.0.1"], port) == {"ns1.example.net"}


def test_this_machines_resolvers_are_asked_where_others_may_not_be(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# mine\nsearch example.com\nnameserver 192.0.2.1\nnameserver fe80::1\nnameserver\nnameserver 192.0.2.2 # b\n"
    )
    assert delegation.own_resolvers(file) == ["192.0.2.1", "192.0.2.2"]
    assert delegation.own_resolvers(tmp_path / "none") == []


def test_one_of_the_zones_servers_is_enough() -> None:
    delegation.check("shop.example.com", OURS, lambda domain: {"ns-2.awsdns-02.net", "old.example.net"})


@pytest.mark.parametrize("found", [set(), {"ns1.parking.example"}])
def test_else_it_says_what_to_enter_where(found: set[str]) -> None:
    with pytest.raises(Failure) as refused:
        delegation.check("shop.example.com", OURS, lambda domain: found)
    said = str(refused.value)
    assert "shop.example.com is not delegated" in said and "registrar" in said
    assert "\n  ns-1.awsdns-01.com\n  ns-2.awsdns-02.net" in said
    assert (found.pop() if found else "none") in said
