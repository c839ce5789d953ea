"""Properties of reachability: who gets in, who gets out, and whether the reply comes back."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from engine.checks import roles
from engine.checks.network import AWS_CALLS, TIERS
from engine.checks.registry import property_of
from engine.environment import Environment, truth
from trestle_aws.network import Host, internal


@property_of("from the internet only the ALB's 80 and 443 and the options' ports")
def from_internet(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    expected = {
        "alb": {("tcp", 80, 80), ("tcp", 443, 443)},
        "instance": {("tcp", 80, 80), ("tcp", 443, 443)},
        "bastion": {("tcp", 22, 22)},
        "openvpn": {("udp", 1194, 1194)},
    }
    cloudfront = environment.parameter("CloudFrontOnly", "security") == "yes"
    for host in known.network.hosts.values():
        role = known.role_of(host)
        allowed = expected.get(role, set()) if not (cloudfront and role == "alb") else set()
        found = known.graph.open_ports(host)
        for port in sorted(found - allowed):
            yield host.name, f"the internet reaches {role} at {port[0]} {port[1]}-{port[2]}"
        for port in sorted(allowed - found):
            yield host.name, f"visitors do not reach {role} at {port[0]} {port[1]}, or get no reply"


@property_of("who visitors and operators are is what the parameters say")
def admitted(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    visitors = {"alb", "instance"}
    allowed = environment.parameter("AllowedFrom", "security")
    operators = environment.parameter("AdminCidr", "access")
    for name, group in known.network.groups.items():
        role = known.groups[name]
        for permission in group.ingress:
            if isinstance(permission.peer, IPv4Network) and not internal(permission.peer):
                wanted = allowed if role in visitors else operators if role in ("bastion", "openvpn") else "nobody"
                if str(permission.peer) != wanted:
                    yield name, f"{role} admits {permission.peer}, not {wanted}"


@property_of("only what has to be is public")
def public(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    # Without a NAT the single instances and the one-off job stand in public subnets and reach AWS by their own addresses.
    no_private = environment.parameter("PrivateInstances", "network") == "no"
    for host in known.network.hosts.values():
        role, tiers = known.role_of(host), known.tier_of(host)
        allowed = role in ("alb", "bastion", "openvpn", "instance", "nat") or (
            role in ("job", "generator") and no_private
        )
        if host.public and not allowed and not (role in ("job", "generator") and tiers == {"public"}):
            yield host.name, f"{role} has a public address"
        if host.public and "public" not in tiers:
            yield host.name, f"{role} is public in subnets that are not"
    for subnet in known.network.subnets.values():
        if subnet.public_addresses:
            yield subnet.name, "gives every instance a public address that nobody asked for"


@property_of("from data subnets no way out")
def no_way_out(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    for name in known.subnets("DataSubnets"):
        subnet = known.network.subnets[name]
        for route in subnet.routes:
            yield name, f"has a route to {route.to} by {route.by}"
        for entry in subnet.acl or ():
            if entry.allow and not entry.block.subnet_of(known.network.blocks[subnet.vpc]):
                yield name, f"its access list lets {entry.block} {'out' if entry.egress else 'in'}"
    for host in known.hosts("database", "cache"):
        if known.graph.any_to_internet(host) or known.graph.to_internet(host):
            yield host.name, "reaches the internet"


@property_of("data subnets speak only with those that have instances, and only by MySQL and Redis")
def data_acl(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    private = environment.parameter("PrivateInstances", "network")
    tiers = {"yes": {"AppSubnets"}, "no": {"AppSubnets", "PublicSubnets"}, "both": {"AppSubnets", "PublicSubnets"}}.get(
        private, set()
    )
    for name in known.subnets("DataSubnets"):
        subnet = known.network.subnets[name]
        if subnet.acl is None:
            yield name, "has no access list of its own"
            continue
        for export in TIERS:
            for other in (known.network.subnets[one] for one in known.subnets(export)):
                for port, allowed in (
                    (3306, True),
                    (6379, True),
                    (22, False),
                    (3305, False),
                    (3307, False),
                    (6378, False),
                    (6380, False),
                    (443, False),
                ):
                    wanted = allowed and export in tiers
                    if subnet.lets(False, other.block, "tcp", port, port) != wanted and other.name not in known.subnets(
                        "DataSubnets"
                    ):
                        yield name, f"{'refuses' if wanted else 'admits'} {export} at {port}"
                if export in tiers and not subnet.lets(True, other.block, "tcp", 1024, 65535):
                    yield name, f"replies do not get back to {export}"
                if subnet.lets(True, other.block, "tcp", 443, 443):
                    yield name, f"may open connections to {export}"
        for entry in subnet.acl:
            if entry.allow and entry.ports.protocol != "tcp":
                yield name, f"entry {entry.number} admits {entry.ports.protocol}"
            vpc = known.network.blocks[subnet.vpc]
            if entry.allow and (not entry.block.subnet_of(vpc) or entry.block == vpc):
                yield name, f"entry {entry.number} is for {entry.block}"


@property_of("instances reach AWS")
def reach_aws(environment: Environment) -> Iterator[tuple[object, str]]:
    """By an address of their own, by a NAT, or by endpoints in each subnet, whose replies come back."""
    known = roles.of(environment)
    for host in known.hosts("web", "api", "job", "instance", "generator"):
        if not host.subnets:
            continue
        by_endpoints = all(
            any(known.graph.connects(host, endpoint, "tcp", 443) for endpoint in _endpoints(environment, known, name))
            for name in AWS_CALLS
        )
        if not known.graph.to_internet(host) and not by_endpoints:
            yield host.name, f"{known.role_of(host)} reaches neither the internet nor endpoints by 443"


def _endpoints(environment: Environment, known: roles.Roles, name: str) -> list[Host]:
    found = []
    for resource in environment.resources("AWS::EC2::VPCEndpoint"):
        ours = resource.properties.get("ServiceName") == f"com.amazonaws.{environment.region}.{name}"
        if ours and str(resource.ref) in known.network.hosts and truth(resource.properties.get("PrivateDnsEnabled")):
            found.append(known.network.hosts[str(resource.ref)])
    return found
