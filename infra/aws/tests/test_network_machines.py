"""What the small machines of network, access and peering do: their own user-data, run as far as it can be run here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.environment import ROOT, at, items, mapping
from lab import needs

from trestle_aws.intrinsics import decoded
from trestle_aws.template import Stack, Template
from trestle_aws.values import Symbol, Value

ADDRESS = "203.0.113.1"
IMPORTS: dict[str, Value] = {
    "trestle-test-ReleaseBucket": "releases",
    "trestle-test-VpcId": "vpc-0a",
    "trestle-test-VpcCidr": "10.20.0.0/16",
    "trestle-test-PublicSubnets": "subnet-0a,subnet-0b",
    "trestle-test-AppSubnets": "subnet-0c,subnet-0d",
    "trestle-test-PublicRouteTable": "rtb-0a",
    "trestle-test-AppRouteTables": "rtb-0b,rtb-0c",
} | {f"trestle-test-{name}SecurityGroup": "sg-0a" for name in ("Web", "Api", "Instance")}
GIVEN: dict[str, dict[str, str]] = {
    "network": {},
    "access": {"Bastion": "yes", "OpenVpn": "yes", "AdminCidr": "198.51.100.0/24", "KeyPair": "operators"},
    "peering": {
        "Side": "requester",
        "PeerRegion": "ap-northeast-1",
        "PeerVpcId": "vpc-0123456789",
        "PeerAddress": "127.0.0.1",
    },
}
MOST_BYTES = 16 * 1024
"""What EC2 takes as user-data, before it is encoded."""


def everything_is_an_address(symbol: Symbol) -> Value:
    """The only thing that user-data takes from a resource is its address."""
    return ADDRESS


def stack(name: str, **given: str) -> Stack:
    """A stack with its options on."""
    parameters = {"Environment": "test", **GIVEN[name], **given}
    return Template.read(ROOT / "stacks" / f"{name}.yml").evaluate(
        parameters, imports=IMPORTS, binding=everything_is_an_address
    )


def scripts(of: Stack) -> dict[str, str]:
    """User-data of each instance, by what the instance is called."""
    found = {}
    for resource in of.of_type("AWS::EC2::Instance"):
        if "UserData" in resource.properties:
            tags = {str(tag["Key"]): str(tag["Value"]) for tag in map(mapping, items(resource.properties["Tags"]))}
            found[tags["Name"].rpartition("-")[2]] = str(decoded(resource.properties["UserData"]))
    return found


def here_document(script: str, file: str) -> str:
    """What a script writes into a file."""
    match = re.search(rf"^ *cat >{re.escape(file)} <<'?END'?\n(.*?)^END$", script, re.M | re.S)
    assert match, f"nothing is written into {file}"
    return match.group(1)


@pytest.mark.parametrize(
    "name, machines", [("network", {"nat"}), ("access", {"bastion", "openvpn"}), ("peering", {"ping"})]
)
def test_user_data_is_a_script_that_bash_can_read(name: str, machines: set[str]) -> None:
    found = scripts(stack(name))
    assert found.keys() == machines
    for machine, script in found.items():
        assert script.startswith("#!/bin/bash\nset -euo pipefail\n"), machine
        assert len(script.encode()) < MOST_BYTES, machine
        read = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert read.returncode == 0, f"{machine}: {read.stderr}"


def test_the_vpn_instance_may_do_what_its_user_data_does() -> None:
    """Neither less nor more, and with nothing but the parameter that it writes."""
    access = stack("access")
    script = scripts(access)["openvpn"]
    called = {f"ssm:{action}" for action in re.findall(r"\bssm (?:=> )?([A-Z]\w+)$", script, re.M)}
    (role,) = access.of_type("AWS::IAM::Role")
    statements = [mapping(one) for one in items(at(role.properties, "Policies/0/PolicyDocument/Statement"))]
    assert called == {str(action) for one in statements for action in items(one["Action"])}
    name = access.outputs["OpenVpnProfile"]
    assert {str(one["Resource"]) for one in statements} == {f"arn:aws:ssm:us-east-1:123456789012:parameter{name}"}
    assert (
        str(name) == "/trestle/test/access/vpn/profile" and "name=/$Project/$Environment/access/vpn/profile\n" in script
    )
    assert '"Type": "SecureString"' in script


def test_the_vpn_listens_where_its_security_group_and_its_profile_say() -> None:
    access = stack("access")
    script = scripts(access)["openvpn"]
    (entry,) = [
        rule
        for group in access.of_type("AWS::EC2::SecurityGroup")
        for rule in map(mapping, items(group.properties.get("SecurityGroupIngress")))
        if rule["IpProtocol"] == "udp"
    ]
    server = here_document(script, "/etc/openvpn/server/server.conf")
    assert entry["FromPort"] == entry["ToPort"] == 1194 and entry["CidrIp"] == GIVEN["access"]["AdminCidr"]
    assert "port 1194\nproto udp4\n" in server and "remote %s 1194" in script and f"Address='{ADDRESS}'" in script
    # Whoever has lost a laptop: certificates end, and one can be revoked.
    assert "crl-verify " in server and "EASYRSA_CERT_EXPIRE=" in script


def test_the_bastion_takes_keys_alone_and_passes_on_ssh_alone() -> None:
    settings = here_document(scripts(stack("access"))["bastion"], "/etc/ssh/sshd_config.d/10-bastion.conf").splitlines()
    for line in (
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin no",
        "PermitOpen *:22",
    ):
        assert line in settings


# --- Run for real, in network namespaces ------------------------------------------------------------------------------------

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not needs.may_isolate(), reason="namespaces and raw sockets need root, of a machine"
)
needs_ip = pytest.mark.skipif(not shutil.which("ip"), reason="needs ip (package iproute2)")
needs_nft = pytest.mark.skipif(not shutil.which("nft"), reason="needs nft (package nftables)")

SERVER = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def log_message(self, *words):
        pass
servers = [http.server.HTTPServer(("0.0.0.0", port), Handler) for port in (80, 443)]
print("listening", flush=True)
for server in servers:
    threading.Thread(target=server.serve_forever).start()
"""
NAT_INSIDE, NAT_OUTSIDE, OUTSIDE, APP, DATA = "10.20.4.1", "198.51.100.1", "198.51.100.2", "10.20.4.10", "10.20.8.10"


class Lines:
    """app and data - nat - the internet, each a namespace."""

    def __init__(self) -> None:
        self.names = {name: f"trestle-{os.getpid()}-{name}" for name in ("app", "data", "nat", "internet")}
        self.servers: list[subprocess.Popen[str]] = []

    def build(self) -> None:
        for name in self.names:
            self.ip(f"netns add {self.names[name]}")
            self.ip("link set lo up", name)
        inside = ["link add br0 type bridge", f"addr add {NAT_INSIDE}/16 dev br0", "link set br0 up"]
        for words in inside:
            self.ip(words, "nat")
        for name, address in (("app", APP), ("data", DATA)):
            self.ip(f"link add {name} type veth peer name eth0 netns {self.names[name]}", "nat")
            self.ip(f"link set {name} master br0 up", "nat")
            for words in (f"addr add {address}/16 dev eth0", "link set eth0 up", f"route add default via {NAT_INSIDE}"):
                self.ip(words, name)
        self.ip(f"link add out type veth peer name eth0 netns {self.names['internet']}", "nat")
        for words in (f"addr add {NAT_OUTSIDE}/24 dev out", "link set out up"):
            self.ip(words, "nat")
        for words in (f"addr add {OUTSIDE}/24 dev eth0", "link set eth0 up", f"route add default via {NAT_OUTSIDE}"):
            self.ip(words, "internet")
        for name in ("internet", "app"):
            self.serve(name)

    def serve(self, name: str) -> None:
        """An HTTP server on 80 and 443 that says who asks."""
        server = subprocess.Popen(self.command(name, sys.executable, "-c", SERVER), stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        assert server.stdout and server.stdout.readline() == "listening\n"

    def command(self, name: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.names[name], *words]

    def ip(self, words: str, name: str = "") -> None:
        subprocess.run(
            ["ip", *(["-n", self.names[name]] if name else []), *words.split()], check=True, capture_output=True
        )

    def ask(self, name: str, url: str) -> str:
        """Who the server saw; nothing when it was not reached."""
        ran = subprocess.run(
            self.command(name, "curl", "-s", "--noproxy", "*", "--max-time", "0.5", url), text=True, capture_output=True
        )
        return ran.stdout

    def close(self) -> None:
        for server in self.servers:
            server.kill()
            server.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    try:
        made.build()
        yield made
    finally:
        made.close()


@needs_root
@needs_ip
@needs_nft
def test_the_nat_instance_passes_on_https_of_the_app_subnets_and_nothing_else(lines: Lines, tmp_path: Path) -> None:
    script = scripts(stack("network"))["nat"]
    assert re.search(r"net\.ipv4\.ip_forward = 1", script)
    (tmp_path / "nftables.conf").write_text(here_document(script, "/etc/nftables.conf"))
    subprocess.run(lines.command("nat", "sysctl", "-qw", "net.ipv4.ip_forward=1"), check=True)
    assert lines.ask("app", f"http://{OUTSIDE}:443/") == APP, "without the rules its own address goes out"
    subprocess.run(lines.command("nat", "nft", "--file", str(tmp_path / "nftables.conf")), check=True)
    assert lines.ask("app", f"http://{OUTSIDE}:443/") == NAT_OUTSIDE
    assert lines.ask("app", f"http://{OUTSIDE}:80/") == "", "http goes out"
    assert lines.ask("data", f"http://{OUTSIDE}:443/") == "", "the data subnets have a way out"
    assert lines.ask("internet", f"http://{APP}:443/") == "", "the internet comes in"


@needs_root
@needs_ip
def test_the_ping_of_the_second_vpc_says_whether_there_is_an_answer(lines: Lines, tmp_path: Path) -> None:
    program = tmp_path / "ping-peer"
    program.write_text(here_document(scripts(stack("peering"))["ping"], "/usr/local/bin/ping-peer"))
    for address, said in ((DATA, r"answers in \d+\.\d ms"), ("10.20.4.99", "does not answer")):
        running = subprocess.Popen(
            lines.command("app", sys.executable, str(program), address), stdout=subprocess.PIPE, text=True
        )
        try:
            assert running.stdout
            assert re.fullmatch(f"trestle: peering: {re.escape(address)} {said}", running.stdout.readline().strip())
        finally:
            running.kill()
            running.wait()
