"""Properties of who may speak with whom: the chain of security groups."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from engine.checks import roles
from engine.checks.registry import property_of
from engine.environment import Environment
from trestle_aws.network import WORLD, Permission, Ports, internal
from trestle_aws.stacknet import name_of

Edge = tuple[str, str, str]
"""From whom, to whom, by what."""

NOTHING = Permission(Ports("all"), IPv4Network("127.0.0.1/32"))
"""How a group says that it may send nothing."""


def expected_edges(environment: Environment) -> set[Edge]:
    """The chain ALB -> web -> API -> MySQL and Redis, and what the options add."""
    tier = environment.parameter("Tier", "security")
    entry = environment.parameter("ApiEntry", "security")
    edges: set[Edge] = {("job", "database", "tcp 3306")}
    if tier in ("groups", "both"):
        edges |= {("alb", "web", "tcp 80"), ("api", "database", "tcp 3306"), ("api", "cache", "tcp 6379")}
        edges |= {("generator", "alb", "tcp 80"), ("generator", "alb", "tcp 443")}
        front = "nlb" if entry == "nlb" else "alb"
        edges |= {(front, "api", "tcp 8000"), (front, "api", "tcp 9000")}
        if entry == "nlb":
            edges.add(("web", "nlb", "tcp 80"))
    if tier in ("instances", "both"):
        edges |= {("instance", "database", "tcp 3306"), ("instance", "cache", "tcp 6379")}
    for option, role in (("Bastion", "bastion"), ("OpenVpn", "openvpn")):
        if environment.parameter(option, "access") == "yes":
            edges |= {(role, other, "tcp 22") for other in ("web", "api", "instance")}
    if environment.parameter("OpenVpn", "access") == "yes":
        edges |= {("openvpn", "web", "tcp 80"), ("openvpn", "api", "tcp 9000")}
    return edges


def edges(environment: Environment, egress: bool) -> set[Edge]:
    """The edges between groups as one side of them says it."""
    known = roles.of(environment)
    found = set()
    for name, group in known.network.groups.items():
        for permission in group.egress if egress else group.ingress:
            if isinstance(permission.peer, str) and permission.peer in known.groups:
                here, there = known.groups[name], known.groups[permission.peer]
                found.add((here, there, str(permission.ports)) if egress else (there, here, str(permission.ports)))
    return found


@property_of("security groups admit exactly the chain's edges")
def admitted_edges(environment: Environment) -> Iterator[tuple[object, str]]:
    if environment.has("security"):
        expected, found = expected_edges(environment), edges(environment, egress=False)
        for source, target, ports in sorted(found - expected):
            yield "security", f"{target} admits {source} at {ports}"
        for source, target, ports in sorted(expected - found):
            yield "security", f"{target} refuses {source} at {ports}"


@property_of("security groups send exactly along the chain's edges")
def sent_edges(environment: Environment) -> Iterator[tuple[object, str]]:
    """A group that no edge leads to may say what it would send; what it may not is anything beside the whole chain."""
    if not environment.has("security"):
        return
    expected, found = expected_edges(environment), edges(environment, egress=True)
    # The load generator goes to the ALB's public addresses, which no group stands for.
    expected -= {edge for edge in expected if edge[0] == "generator"}
    always = {("api", "database", "tcp 3306"), ("api", "cache", "tcp 6379"), ("alb", "web", "tcp 80")}
    always |= {("nlb", "api", "tcp 8000"), ("nlb", "api", "tcp 9000")}
    always |= {("instance", "database", "tcp 3306"), ("instance", "cache", "tcp 6379")}
    for source, target, ports in sorted(found - expected - always):
        yield "security", f"{source} may send to {target} at {ports}"
    for source, target, ports in sorted((expected | always) - found):
        yield "security", f"{source} may not send to {target} at {ports}"


OUT: dict[str, set[str]] = {
    "api": {"tcp 443"},
    "web": {"tcp 443"},
    "job": {"tcp 443"},
    "instance": {"tcp 443"},
    "generator": {"tcp 443", "tcp 80"},
    "nat": {"tcp 443", "tcp 80"},
    "bastion": {"tcp 80"},
    "openvpn": {"tcp 80", "tcp 443"},
}
"""By which ports each may speak with the world: AWS by 443; 80 is Debian's packages, and the generator's shop."""


@property_of("what goes out to the world is named, for each role")
def egress(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    for name, group in known.network.groups.items():
        role = known.groups[name]
        out = {str(permission.ports) for permission in group.egress if permission.peer == WORLD}
        if out != OUT.get(role, set()):
            wanted = ", ".join(sorted(OUT.get(role, set()))) or "nothing"
            yield name, f"{role} may send {', '.join(sorted(out)) or 'nothing'} to the world, not {wanted}"
        for permission in group.egress:
            if isinstance(permission.peer, IPv4Network) and permission.peer != WORLD and permission != NOTHING:
                if role != "ping" or str(permission.peer) != environment.parameter("PeerCidr", "peering"):
                    yield name, f"{role} may send {permission.ports} to {permission.peer}"


@property_of("blocks are admitted only where no group can stand for the peer")
def admitted_blocks(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    app = [known.network.subnets[name].block for name in known.subnets("AppSubnets")]
    for name, group in known.network.groups.items():
        role = known.groups[name]
        for permission in group.ingress:
            if not isinstance(permission.peer, IPv4Network) or not internal(permission.peer):
                continue
            ports = str(permission.ports)
            if role in ("nat", "endpoint"):
                covers = all(block.subnet_of(permission.peer) for block in app)
                others = [
                    subnet
                    for subnet in known.network.subnets.values()
                    if subnet.name not in known.subnets("AppSubnets")
                ]
                if ports != "tcp 443" or not covers or any(other.block.overlaps(permission.peer) for other in others):
                    yield name, f"{role} admits {permission.peer} at {ports}, not the app subnets at tcp 443"
            elif role == "peer":
                if ports != "icmp 8" or str(permission.peer) != environment.parameter("VpcCidr", "network"):
                    yield name, f"{role} admits {permission.peer} at {ports}"
            elif role in ("alb", "instance", "bastion", "openvpn"):
                continue  # AllowedFrom and AdminCidr may be private networks; "who visitors are" looks at them.
            else:
                yield name, f"{role} admits {permission.peer} at {ports}"


@property_of("CloudFront's addresses are admitted by AWS's own list")
def cloudfront_only(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    wanted = environment.parameter("CloudFrontOnly", "security") == "yes"
    port = f"tcp {environment.parameter('CloudFrontPort', 'security')}"
    prefix_list = environment.parameter("CloudFrontPrefixList", "security")
    found = {
        (known.groups[name], str(permission.peer), str(permission.ports))
        for name, group in known.network.groups.items()
        for permission in group.ingress
        if isinstance(permission.peer, str) and permission.peer not in known.groups
    }
    expected = {("alb", prefix_list, port)} if wanted else set()
    for role, peer, ports in sorted(found ^ expected):
        yield "security", f"{role} and {peer} at {ports}: CloudFrontOnly is {'yes' if wanted else 'no'}"


@property_of("each security group is of the VPC of those that are in it")
def groups_in_vpc(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    shop = environment.behind(environment.export("VpcId"))
    for resource in environment.resources("AWS::EC2::SecurityGroup"):
        members = [host for host in known.network.hosts.values() if str(resource.ref) in host.groups]
        peers = {known.network.subnets[one].vpc for host in members for one in host.subnets}
        if peers and peers != {name_of(resource.properties["VpcId"])}:
            yield resource, "is in another VPC"
        if resource.stack != "peering" and environment.behind(resource.properties["VpcId"]) is not shop:
            yield resource, "is not in the shop's VPC"


@property_of("hosts are in the group of their role")
def groups_of_hosts(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    kinds = {"alb": {"alb"}, "nlb": {"nlb"}, "database": {"database"}, "cache": {"cache"}, "endpoint": {"endpoint"}}
    for host in known.network.hosts.values():
        if host.kind != "nat" and not host.groups:
            yield host.name, "is in no security group, so in the VPC's default one"
        found = {known.groups.get(name, name) for name in host.groups}
        if host.kind in kinds and found != kinds[host.kind]:
            yield host.name, f"a {host.kind} is in the group of {', '.join(sorted(found))}"
        if len(host.groups) > 1:
            yield host.name, f"is in more than one group: {', '.join(sorted(found))}"
