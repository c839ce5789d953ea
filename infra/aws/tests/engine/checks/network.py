"""Properties of the network: where things stand, and by which ways they leave."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from engine.checks import roles
from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, truth
from trestle_aws import stacknet
from trestle_aws.network import internal

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
        found = [
            known.network.subnets[name].zone for name in sorted(known.subnets(export)) if name in known.network.subnets
        ]
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
    exports = {
        "alb": "PublicSubnets",
        "web": "AppSubnets",
        "api": "AppSubnets",
        "nlb": "AppSubnets",
        "endpoint": "AppSubnets",
    }
    exports |= {"database": "DataSubnets", "cache": "DataSubnets"}
    for role, export in exports.items():
        for host in known.hosts(role):
            missing = known.subnets(export) - set(host.subnets)
            if missing:
                yield host.name, f"{role} is not in {', '.join(sorted(missing))}"


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
    expected = {
        "none": set(),
        "instance": {"AWS::EC2::Instance"},
        "single": {"AWS::EC2::NatGateway"},
        "per-zone": {"AWS::EC2::NatGateway"},
    }
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
        used[stacknet.name_of(resource.properties["SubnetId"])] = {
            stacknet.name_of(resource.properties["RouteTableId"])
        }
    known = roles.of(environment)
    for tables, subnets in (
        ("PublicRouteTable", "PublicSubnets"),
        ("AppRouteTables", "AppSubnets"),
        ("DataRouteTable", "DataSubnets"),
    ):
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
