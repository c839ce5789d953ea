"""Who reaches whom. A way counts only if the reply finds back: routes and access lists are asked in both directions.

Security groups remember connections; network access lists do not, so they must let a reply to any ephemeral port.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from trestle_aws.network import WORLD, Host, Network, Permission, Subnet, internal

EPHEMERAL = (1024, 65535)
"""Ports that a reply may go to: NAT gateways and load balancers use all of these."""


@dataclass(frozen=True, order=True)
class Way:
    """A connection that can be opened. `source` or `target` may be "internet"."""

    source: str
    target: str
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} {self.protocol} {self.port}"


class Graph:
    """Answers over one network."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def from_internet(self, host: Host, protocol: str, port: int, block: IPv4Network = WORLD) -> bool:
        """Can somebody of the block open a connection to the host?"""
        return host.public and any(
            self._internet_subnet(subnet)
            and self._admits(host, block, protocol, port)
            and subnet.lets(False, block, protocol, port, port)
            and subnet.lets(True, block, protocol, *EPHEMERAL)
            for subnet in self._subnets(host)
        )

    def to_internet(self, host: Host, protocol: str = "tcp", port: int = 443) -> bool:
        """Can the host open a connection to the world, and does the reply come back?"""
        return self._sends(host, WORLD, protocol, port) and all(
            self._way_out(subnet, host.public, protocol, port) for subnet in self._subnets(host)
        )

    def any_to_internet(self, host: Host) -> bool:
        """Is there a way out from any of its subnets, whatever the security group says?"""
        return any(self._way_out(subnet, True, "tcp", 443) or subnet.way_out() for subnet in self._subnets(host))

    def connects(self, source: Host, target: Host, protocol: str, port: int) -> bool:
        """Can the source open a connection to the target from each of its subnets to each of the target's?"""
        return (
            self._sends_to(source, target, protocol, port)
            and self._admitted(source, target, protocol, port)
            and all(
                self._carries(one, other, protocol, port)
                for one in self._subnets(source)
                for other in self._subnets(target)
            )
        )

    def connects_somehow(self, source: Host, target: Host, protocol: str, port: int) -> bool:
        """The same from any subnet to any: what must not be is tested by this."""
        return (
            self._sends_to(source, target, protocol, port)
            and self._admitted(source, target, protocol, port)
            and any(
                self._carries(one, other, protocol, port)
                for one in self._subnets(source)
                for other in self._subnets(target)
            )
        )

    def open_ports(self, host: Host) -> set[tuple[str, int, int]]:
        """Protocols and ports of the host that anybody from the internet can open, or from a part of it."""
        found = set()
        for group in host.groups:
            for permission in self.network.groups[group].ingress if group in self.network.groups else ():
                if isinstance(permission.peer, IPv4Network) and not internal(permission.peer):
                    ports = permission.ports
                    if self.from_internet(host, ports.protocol, ports.first, permission.peer):
                        found.add((ports.protocol, ports.first, ports.last))
        return found

    def _subnets(self, host: Host) -> list[Subnet]:
        return [self.network.subnets[name] for name in host.subnets if name in self.network.subnets]

    def _internet_subnet(self, subnet: Subnet) -> bool:
        out = subnet.way_out()
        return out is not None and out.kind == "internet" and subnet.vpc in self.network.gateways

    def _way_out(self, subnet: Subnet, public: bool, protocol: str, port: int) -> bool:
        if not subnet.lets(True, WORLD, protocol, port, port) or not subnet.lets(False, WORLD, protocol, *EPHEMERAL):
            return False
        if self._internet_subnet(subnet):
            return public
        out = subnet.way_out()
        if out is None or out.kind != "nat" or out.by not in self.network.hosts:
            return False
        nat = self.network.hosts[out.by]
        # The packet enters the NAT's subnet, leaves it for the world, and its reply comes the same way.
        return nat.public and all(
            self._internet_subnet(other)
            and (other is subnet or other.lets(False, subnet.block, protocol, port, port))
            and other.lets(True, WORLD, protocol, port, port)
            and other.lets(False, WORLD, protocol, *EPHEMERAL)
            and (other is subnet or other.lets(True, subnet.block, protocol, *EPHEMERAL))
            and (not nat.groups or self._nat_instance_passes(nat, subnet, protocol, port))
            for other in self._subnets(nat)
        )

    def _nat_instance_passes(self, nat: Host, subnet: Subnet, protocol: str, port: int) -> bool:
        return self._admits(nat, subnet.block, protocol, port) and self._sends(nat, WORLD, protocol, port)

    def _carries(self, one: Subnet, other: Subnet, protocol: str, port: int) -> bool:
        if one is other:
            return True
        return (
            self._routed(one, other)
            and self._routed(other, one)
            and one.lets(True, other.block, protocol, port, port)
            and other.lets(False, one.block, protocol, port, port)
            and other.lets(True, one.block, protocol, *EPHEMERAL)
            and one.lets(False, other.block, protocol, *EPHEMERAL)
        )

    @staticmethod
    def _routed(one: Subnet, other: Subnet) -> bool:
        if one.vpc == other.vpc:
            return True
        return any(
            route.kind == "peering" and isinstance(route.to, IPv4Network) and other.block.subnet_of(route.to)
            for route in one.routes
        )

    def _permissions(self, host: Host, egress: bool) -> list[Permission]:
        known = [self.network.groups[name] for name in host.groups if name in self.network.groups]
        return [permission for group in known for permission in (group.egress if egress else group.ingress)]

    def _sends(self, host: Host, block: IPv4Network, protocol: str, port: int) -> bool:
        return self._covers(self._permissions(host, True), block, protocol, port)

    def _admits(self, host: Host, block: IPv4Network, protocol: str, port: int) -> bool:
        return self._covers(self._permissions(host, False), block, protocol, port)

    @staticmethod
    def _covers(permissions: list[Permission], block: IPv4Network, protocol: str, port: int) -> bool:
        return any(
            permission.ports.holds(protocol, port)
            and isinstance(permission.peer, IPv4Network)
            and block.subnet_of(permission.peer)
            for permission in permissions
        )

    def _sends_to(self, source: Host, target: Host, protocol: str, port: int) -> bool:
        return self._names(self._permissions(source, True), target, protocol, port)

    def _admitted(self, source: Host, target: Host, protocol: str, port: int) -> bool:
        return self._names(self._permissions(target, False), source, protocol, port)

    def _names(self, permissions: list[Permission], peer: Host, protocol: str, port: int) -> bool:
        blocks = [subnet.block for subnet in self._subnets(peer)]
        for permission in permissions:
            if not permission.ports.holds(protocol, port):
                continue
            if isinstance(permission.peer, str):
                if permission.peer in peer.groups:
                    return True
            elif blocks and all(block.subnet_of(permission.peer) for block in blocks):
                return True
        return False
