"""Properties of options: the peered VPC, and that nothing is there for nobody."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks import roles
from engine.checks.registry import property_of
from engine.environment import Environment
from trestle_aws import stacknet


@property_of("the peered VPC answers pings, and nothing else passes between the two")
def peering(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("peering") or environment.parameter("Side", "peering") != "both":
        return
    known = roles.of(environment)
    for ping in known.hosts("ping"):
        for peer in known.hosts("peer"):
            if not known.graph.connects(ping, peer, "icmp", 8):
                yield peer.name, "does not answer pings from the shop"
            if known.graph.connects_somehow(peer, ping, "icmp", 8) or known.graph.connects_somehow(
                ping, peer, "tcp", 22
            ):
                yield peer.name, "more than pings from the shop passes"
            if known.graph.any_to_internet(peer):
                yield peer.name, "reaches the internet"
    if not known.hosts("ping") or not known.hosts("peer"):
        yield "peering", "nobody pings, or nobody is pinged"
    tables = {
        stacknet.name_of(value)
        for export in ("AppRouteTables", "PublicRouteTable")
        for value in environment.export_list(export)
    }
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
        if resource.stack != "security" and not any(
            str(resource.ref) in host.groups for host in known.network.hosts.values()
        ):
            yield resource, "is a security group that nobody is in"
    for vpc in known.network.blocks:
        if not any(subnet.vpc == vpc for subnet in known.network.subnets.values()):
            yield vpc, "is a VPC without a subnet"
    inside = {name for host in known.network.hosts.values() for name in host.subnets}
    for subnet in known.network.subnets.values():
        if subnet.name not in inside and subnet.name.startswith("${peering/"):
            yield subnet.name, "is a subnet that nobody is in"
    associated = {
        stacknet.name_of(one.properties["RouteTableId"])
        for one in environment.resources("AWS::EC2::SubnetRouteTableAssociation")
    }
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
        said = [
            (str(one.properties.get("DestinationCidrBlock")), one.properties.get("VpcPeeringConnectionId"))
            for one in back
        ]
        wanted = (environment.parameter("ShopCidr", "peering"), environment.parameter("PeeringConnectionId", "peering"))
        if said != [wanted]:
            yield "peering", f"the way back is {said}"
