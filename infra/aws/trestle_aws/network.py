"""A network as packets see it: subnets with their routes and access lists, security groups, and who stands where.

Two readers fill it, one from evaluated stacks and one from an account; names are the same in both, so they can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network

WORLD = IPv4Network("0.0.0.0/0")
INTERNAL = [IPv4Network(block) for block in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def internal(block: IPv4Network) -> bool:
    """Is all of the block private, so that nothing from the internet comes from there?"""
    return any(block.subnet_of(other) for other in INTERNAL)


@dataclass(frozen=True, order=True)
class Ports:
    """A protocol ("tcp", "udp", "icmp", "all") and its ports, both ends included."""

    protocol: str
    first: int = 0
    last: int = 65535

    def holds(self, protocol: str, port: int) -> bool:
        """Is this port one of them?"""
        return self.protocol == "all" or (self.protocol == protocol and self.first <= port <= self.last)

    def __str__(self) -> str:
        if (self.first, self.last) == (0, 65535):
            return self.protocol
        return (
            f"{self.protocol} {self.first}" if self.first == self.last else f"{self.protocol} {self.first}-{self.last}"
        )


@dataclass(frozen=True)
class Permission:
    """A rule of a security group: the peer is a block, a security group, or a prefix list."""

    ports: Ports
    peer: IPv4Network | str


@dataclass
class Group:
    """A security group."""

    name: str
    ingress: set[Permission] = field(default_factory=set)
    egress: set[Permission] = field(default_factory=set)


@dataclass(frozen=True)
class AclEntry:
    """A numbered entry of a network access list."""

    number: int
    egress: bool
    allow: bool
    ports: Ports
    block: IPv4Network


@dataclass(frozen=True)
class Route:
    """Where a block's packets go: "internet", "nat", "peering", "endpoint", and by whom."""

    to: IPv4Network | str
    kind: str
    by: str


@dataclass
class Subnet:
    """A subnet with what applies to it."""

    name: str
    vpc: str
    block: IPv4Network
    zone: str
    public_addresses: bool = False
    routes: set[Route] = field(default_factory=set)
    acl: set[AclEntry] | None = None
    """None is the VPC's default list, which lets everything through."""

    def way_out(self) -> Route | None:
        """The route to everywhere."""
        return next((route for route in self.routes if route.to == WORLD), None)

    def lets(self, egress: bool, block: IPv4Network, protocol: str, first: int, last: int) -> bool:
        """Does the access list let all of these ports to or from all of the block? The first entry that fits decides."""
        if self.acl is None:
            return True
        return all(self._decides(egress, block, protocol, port) for port in {first, last})

    def _decides(self, egress: bool, block: IPv4Network, protocol: str, port: int) -> bool:
        for entry in sorted(self.acl or (), key=lambda entry: entry.number):
            if entry.egress != egress or not entry.ports.holds(protocol, port):
                continue
            if block.subnet_of(entry.block):
                return entry.allow
            if entry.block.subnet_of(block) and not entry.allow:
                return False
        return False


@dataclass
class Host:
    """Something with network interfaces."""

    name: str
    kind: str
    """alb, nlb, instance, group, database, cache, endpoint, nat, function."""
    subnets: list[str]
    groups: list[str]
    public: bool = False
    """Has addresses that the internet can send to."""


@dataclass
class Network:
    """All of it."""

    blocks: dict[str, IPv4Network] = field(default_factory=dict)
    """The VPCs' blocks."""
    gateways: set[str] = field(default_factory=set)
    """The VPCs with an internet gateway attached."""
    subnets: dict[str, Subnet] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
