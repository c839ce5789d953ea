"""Properties of the network: who reaches whom, where things stand, and that nothing stands alone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from trestle_aws import stacknet
from trestle_aws.network import Host, internal

from engine.checks import roles
from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, truth

TIERS = {"PublicSubnets": "public", "AppSubnets": "app", "DataSubnets": "data"}
AWS_CALLS = ("ssm", "ssmmessages", "secretsmanager", "logs", "autoscaling")
"""What an instance calls, besides S3."""


@property_of("each tier has a subnet in each zone")
def zones(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("network"):
        return
    known = roles.of(environment)
    count = int(environment.parameter("ZoneCount", "network"))
    chosen = items(environment.stacks["network"].parameters.get("Zones"))
    expected = [str(zone) for zone in chosen] or [environment.region + letter for letter in "abc"[:count]]
    if environment.export("ZoneCount") != str(count):
        yield "network", f"ZoneCount is exported as {environment.export('ZoneCount')}"
    for export, tier in TIERS.items():
        found = [known.network.subnets[name].zone for name in sorted(known.subnets(export)) if name in known.network.subnets]
        if sorted(found) != sorted(expected):
            yield export, f"the {tier} subnets are in {', '.join(found)}, not once in each of {', '.join(expected)}"


@property_of("subnets do not overlap, lie in their VPC, and leave room")
def address_plan(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    for vpc, block in known.network.blocks.items():
        inside = [subnet for subnet in known.network.subnets.values() if subnet.vpc == vpc]
        for subnet in inside:
            if not subnet.block.subnet_of(block):
                yield subnet.name, f"{subnet.block} is not in {block}"
            if subnet.block.prefixlen != 24:
                yield subnet.name, f"{subnet.block} is no /24: 251 addresses, as the address plan says"
            for other in inside:
                if other is not subnet and other.block.overlaps(subnet.block):
                    yield subnet.name, f"{subnet.block} overlaps {other.name}"
        if not internal(block) or not 16 <= block.prefixlen <= 20:
            yield vpc, f"{block} is not private, or not from /16 to /20"
        for other_vpc, other_block in known.network.blocks.items():
            if other_vpc != vpc and other_block.overlaps(block):
                yield vpc, f"{block} overlaps {other_block}, so the VPCs cannot be peered"
    if environment.has("network") and str(environment.export("VpcCidr")) != environment.parameter("VpcCidr", "network"):
        yield "network", "VpcCidr is not what it was asked to be"


@property_of("each tier's subnets are one block, so that an access list can name it")
def tiers_are_blocks(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    for export in TIERS:
        blocks = [known.network.subnets[name].block for name in known.subnets(export) if name in known.network.subnets]
        quarter = {str(IPv4Network((int(block.network_address) & ~0x3FF, 22))) for block in blocks}
        if len(quarter) > 1:
            yield export, f"the subnets are in {', '.join(sorted(quarter))}"


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
        allowed = role in ("alb", "bastion", "openvpn", "instance", "nat") or (role in ("job", "generator") and no_private)
        if host.public and not allowed and not (role in ("job", "generator") and tiers == {"public"}):
            yield host.name, f"{role} has a public address"
        if host.public and "public" not in tiers:
            yield host.name, f"{role} is public in subnets that are not"
    for subnet in known.network.subnets.values():
        if subnet.public_addresses:
            yield subnet.name, "gives every instance a public address that nobody asked for"


@property_of("each tier stands in its own subnets")
def places(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    where = {
        "alb": {"public"},
        "bastion": {"public"},
        "openvpn": {"public"},
        "nat": {"public"},
        "instance": {"public"},
        "nlb": {"app"},
        "web": {"app"},
        "api": {"app"},
        "endpoint": {"app"},
        "ping": {"app"},
        "database": {"data"},
        "cache": {"data"},
    }
    for host in known.network.hosts.values():
        role = known.role_of(host)
        tiers = known.tier_of(host)
        if not host.subnets and role not in ("job", "generator"):
            yield host.name, "stands in no subnet"
        elif role in where and tiers != where[role]:
            yield host.name, f"{role} stands in {', '.join(sorted(tiers))} subnets"


@property_of("what must survive a zone stands in every zone")
def spread(environment: Environment) -> Iterator[tuple[object, str]]:
    known = roles.of(environment)
    exports = {"alb": "PublicSubnets", "web": "AppSubnets", "api": "AppSubnets", "nlb": "AppSubnets", "endpoint": "AppSubnets"}
    exports |= {"database": "DataSubnets", "cache": "DataSubnets"}
    for role, export in exports.items():
        for host in known.hosts(role):
            missing = known.subnets(export) - set(host.subnets)
            if missing:
                yield host.name, f"{role} is not in {', '.join(sorted(missing))}"


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
    tiers = {"yes": {"AppSubnets"}, "no": {"AppSubnets", "PublicSubnets"}, "both": {"AppSubnets", "PublicSubnets"}}.get(private, set())
    for name in known.subnets("DataSubnets"):
        subnet = known.network.subnets[name]
        if subnet.acl is None:
            yield name, "has no access list of its own"
            continue
        for export in TIERS:
            for other in (known.network.subnets[one] for one in known.subnets(export)):
                for port, allowed in ((3306, True), (6379, True), (22, False), (3305, False), (3307, False), (6378, False), (6380, False), (443, False)):
                    wanted = allowed and export in tiers
                    if subnet.lets(False, other.block, "tcp", port, port) != wanted and other.name not in known.subnets("DataSubnets"):
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
            any(known.graph.connects(host, endpoint, "tcp", 443) for endpoint in _endpoints(environment, known, name)) for name in AWS_CALLS
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


@property_of("each zone's way out is its own where that was asked for")
def nat(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("network"):
        return
    known = roles.of(environment)
    wanted = environment.parameter("Nat", "network")
    ways = {}
    for name in sorted(known.subnets("AppSubnets")):
        subnet = known.network.subnets[name]
        out = subnet.way_out()
        if wanted == "none":
            if out:
                yield name, f"has a way out by {out.by}, and Nat is none"
            continue
        if out is None or out.by not in known.network.hosts:
            yield name, "has no way out"
            continue
        ways[name] = known.network.hosts[out.by]
        if wanted == "per-zone" and subnet.zone not in [known.network.subnets[one].zone for one in ways[name].subnets]:
            yield name, f"leaves by {out.by}, which is in another zone"
    gateways = {host.name for host in ways.values()}
    if wanted == "per-zone" and len(gateways) != len(ways):
        yield "network", "zones share a NAT gateway"
    if wanted in ("single", "instance") and len(gateways) > 1:
        yield "network", "more than one NAT, which nobody asked for"
    expected = {"none": set(), "instance": {"AWS::EC2::Instance"}, "single": {"AWS::EC2::NatGateway"}, "per-zone": {"AWS::EC2::NatGateway"}}
    kinds = {resource.type for resource in environment.resources() if str(resource.ref) in gateways}
    if kinds != expected[wanted]:
        yield "network", f"Nat is {wanted}, and the way out is {', '.join(kinds) or 'none'}"
    used = len(list(environment.resources("AWS::EC2::NatGateway")))
    if used != (len(gateways) if wanted in ("single", "per-zone") else 0):
        yield "network", f"{used} NAT gateways are paid for"


@property_of("endpoints are there when they were asked for, and lead to what instances call")
def endpoints(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("network"):
        return
    wanted = set(AWS_CALLS) if environment.parameter("Endpoints", "network") == "yes" else set()
    if environment.parameter("PrivateInstances", "network") != "no":
        wanted.add("s3")
    known = roles.of(environment)
    found = {}
    for resource in environment.resources("AWS::EC2::VPCEndpoint"):
        service = str(resource.properties.get("ServiceName"))
        found[service.removeprefix(f"com.amazonaws.{environment.region}.")] = resource
        gateway = service.endswith(".s3")
        if resource.properties.get("VpcEndpointType") != ("Gateway" if gateway else "Interface"):
            yield resource, f"is a {resource.properties.get('VpcEndpointType')} endpoint for {service}"
        if gateway:
            tables = {stacknet.name_of(value) for value in items(resource.properties.get("RouteTableIds"))}
            wanted_tables = {stacknet.name_of(value) for value in environment.export_list("AppRouteTables")}
            if tables != wanted_tables:
                yield resource, "is not in the app subnets' route tables, and in no other"
        elif not truth(resource.properties.get("PrivateDnsEnabled")):
            yield resource, "does not take over the service's name, so nobody uses it"
    for service in sorted(set(found) ^ wanted):
        yield "network", f"the endpoint of {service} is {'missing' if service in wanted else 'paid for in vain'}"
    assert known


@property_of("the S3 endpoint leads to the release bucket alone, for reading")
def s3_endpoint(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::EC2::VPCEndpoint"):
        if resource.properties.get("VpcEndpointType") != "Gateway":
            continue
        statements = items(at(resource.properties, "PolicyDocument/Statement"))
        if not statements:
            yield resource, "has no policy, so data can be carried off to any bucket"
        for statement in map(mapping, statements):
            if statement.get("Effect") != "Allow" or items(statement.get("Action")) != ["s3:GetObject"]:
                yield resource, f"allows {statement.get('Action')}"
            bucket = str(environment.export("ReleaseBucket"))
            for target in items(statement.get("Resource")):
                if str(target) != f"arn:aws:s3:::{bucket}/releases/*":
                    yield resource, f"leads to {target}"
            if at(statement, "Condition/StringEquals/aws:PrincipalAccount") is None:
                yield resource, "is open to other accounts' principals"


@property_of("the route tables and subnets that are exported are the ones in use")
def exports_in_use(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("network"):
        return
    used: dict[str, set[str]] = {}
    for resource in environment.resources("AWS::EC2::SubnetRouteTableAssociation"):
        used[stacknet.name_of(resource.properties["SubnetId"])] = {stacknet.name_of(resource.properties["RouteTableId"])}
    known = roles.of(environment)
    for tables, subnets in (("PublicRouteTable", "PublicSubnets"), ("AppRouteTables", "AppSubnets"), ("DataRouteTable", "DataSubnets")):
        exported = {stacknet.name_of(value) for value in environment.export_list(tables)}
        real = set().union(*(used.get(name, {f"none of {name}"}) for name in known.subnets(subnets)))
        if exported != real:
            yield tables, f"is {', '.join(sorted(exported))}; the subnets use {', '.join(sorted(real))}"
    if environment.behind(environment.export("VpcId")) is None:
        yield "network", "VpcId is not exported"


@property_of("names resolve inside the VPC")
def dns(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::EC2::VPC"):
        for key in ("EnableDnsSupport", "EnableDnsHostnames"):
            if not truth(resource.properties.get(key)):
                yield resource, f"{key} is off, which endpoints and RDS's name need"


@property_of("the peered VPC answers pings, and nothing else passes between the two")
def peering(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("peering") or environment.parameter("Side", "peering") != "both":
        return
    known = roles.of(environment)
    for ping in known.hosts("ping"):
        for peer in known.hosts("peer"):
            if not known.graph.connects(ping, peer, "icmp", 8):
                yield peer.name, "does not answer pings from the shop"
            if known.graph.connects_somehow(peer, ping, "icmp", 8) or known.graph.connects_somehow(ping, peer, "tcp", 22):
                yield peer.name, "more than pings from the shop passes"
            if known.graph.any_to_internet(peer):
                yield peer.name, "reaches the internet"
    if not known.hosts("ping") or not known.hosts("peer"):
        yield "peering", "nobody pings, or nobody is pinged"
    tables = {stacknet.name_of(value) for export in ("AppRouteTables", "PublicRouteTable") for value in environment.export_list(export)}
    routed = {
        stacknet.name_of(resource.properties["RouteTableId"])
        for resource in environment.resources("AWS::EC2::Route")
        if "VpcPeeringConnectionId" in resource.properties
    }
    for table in sorted(tables - routed):
        yield table, "has no route to the second VPC"
    for resource in environment.resources("AWS::EC2::Route"):
        block = str(resource.properties.get("DestinationCidrBlock"))
        if "VpcPeeringConnectionId" in resource.properties and block not in (
            environment.parameter("PeerCidr", "peering"),
            environment.parameter("VpcCidr", "network"),
        ):
            yield resource, f"sends {block} over the peering"




@property_of("nothing stands alone, and is paid for")
def used(environment: Environment) -> Iterator[tuple[object, str]]:
    """What only an option needs is there with that option, and not without."""
    known = roles.of(environment)
    taken = set()
    for resource in environment.resources("AWS::EC2::NatGateway", "AWS::EC2::EIPAssociation"):
        taken.add(str(environment.behind(resource.properties.get("AllocationId"))))
    for resource in environment.resources("AWS::EC2::EIP"):
        if "InstanceId" not in resource.properties and str(resource) not in taken:
            yield resource, "is an address that nobody has, for which AWS asks more than for one in use"
    for resource in environment.resources("AWS::EC2::SecurityGroup"):
        # The security stack's groups wait for who comes; the options' are their own.
        if resource.stack != "security" and not any(str(resource.ref) in host.groups for host in known.network.hosts.values()):
            yield resource, "is a security group that nobody is in"
    for vpc in known.network.blocks:
        if not any(subnet.vpc == vpc for subnet in known.network.subnets.values()):
            yield vpc, "is a VPC without a subnet"
    inside = {name for host in known.network.hosts.values() for name in host.subnets}
    for subnet in known.network.subnets.values():
        if subnet.name not in inside and subnet.name.startswith("${peering/"):
            yield subnet.name, "is a subnet that nobody is in"
    associated = {stacknet.name_of(one.properties["RouteTableId"]) for one in environment.resources("AWS::EC2::SubnetRouteTableAssociation")}
    for resource in environment.resources("AWS::EC2::RouteTable"):
        if str(resource.ref) not in associated:
            yield resource, "is a route table that no subnet has"
    side = environment.parameter("Side", "peering")
    if side:
        expected = {"both": (2, 1), "accepter": (2, 0), "requester": (1, 1)}[side]
        found = (len(known.network.blocks), len(list(environment.resources("AWS::EC2::VPCPeeringConnection"))))
        if found != expected:
            yield "peering", f"{found[0]} VPCs and {found[1]} connections with Side={side}"


@property_of("the peering connection is between the two VPCs, and each side's instance has the other's address")
def peers(environment: Environment) -> Iterator[tuple[object, str]]:
    side = environment.parameter("Side", "peering")
    for connection in environment.resources("AWS::EC2::VPCPeeringConnection"):
        properties = connection.properties
        if properties.get("VpcId") != environment.export("VpcId"):
            yield connection, f"is not of the shop's VPC but of {properties.get('VpcId')}"
        vpc, region = environment.parameter("PeerVpcId", "peering"), environment.parameter("PeerRegion", "peering")
        other = environment.behind(properties.get("PeerVpcId"))
        own = other is not None and other.stack == "peering" and other.type == "AWS::EC2::VPC"
        if (side == "both") != own or (side != "both" and properties.get("PeerVpcId") != vpc):
            yield connection, f"leads to {properties.get('PeerVpcId')}"
        if properties.get("PeerRegion") != (environment.region if side == "both" else region):
            yield connection, f"leads to {properties.get('PeerRegion')}"
    if side == "accepter":
        back = [one for one in environment.resources("AWS::EC2::Route") if one.stack == "peering"]
        said = [(str(one.properties.get("DestinationCidrBlock")), one.properties.get("VpcPeeringConnectionId")) for one in back]
        wanted = (environment.parameter("ShopCidr", "peering"), environment.parameter("PeeringConnectionId", "peering"))
        if said != [wanted]:
            yield "peering", f"the way back is {said}"
