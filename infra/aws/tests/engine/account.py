"""Reads an account by boto3 as a `Network`, with the names that the stacks' resources have, so that the two can be compared."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from engine.deploy import Deployment
from trestle_aws.network import AclEntry, Group, Host, Network, Permission, Ports, Route, Subnet
from trestle_aws.values import Ref

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "-1": "all", "tcp": "tcp", "udp": "udp", "icmp": "icmp"}


def read(deployment: Deployment) -> Network:
    """What AWS would say of the deployment's region."""
    return _Account(deployment).network


class _Account:
    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.ec2 = deployment.client("ec2")
        self.names = {made.id: str(Ref(*key)) for key, made in deployment.made.items()}
        for key, made in deployment.made.items():
            for attribute in ("AllocationId", "GroupId"):
                if attribute in made.attributes:
                    self.names[str(made.attributes[attribute])] = str(Ref(*key))
        self.network = Network()
        for vpc in self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]:
            self.network.blocks[self.name(vpc["VpcId"])] = IPv4Network(vpc["CidrBlock"])
        for gateway in self.ec2.describe_internet_gateways()["InternetGateways"]:
            self.network.gateways |= {
                self.name(one["VpcId"])
                for one in gateway["Attachments"]
                if self.name(one["VpcId"]) in self.network.blocks
            }
        self.subnets()
        self.routes()
        self.access_lists()
        self.groups()
        self.balancers()
        self.nat_gateways()
        self.databases()
        self.caches()
        self.endpoints()
        self.instances()
        self.scaling_groups()
        self.launch_templates()

    def name(self, physical: str) -> str:
        """The name of a resource by its id."""
        return self.names.get(physical, physical)

    def host(self, physical: str, kind: str, subnets: list[str], groups: list[str], public: bool = False) -> None:
        name = self.name(physical)
        self.network.hosts[name] = Host(
            name, kind, [self.name(one) for one in subnets], [self.name(one) for one in groups], public
        )

    def subnets(self) -> None:
        for subnet in self.ec2.describe_subnets()["Subnets"]:
            if self.name(subnet["VpcId"]) in self.network.blocks:
                name = self.name(subnet["SubnetId"])
                self.network.subnets[name] = Subnet(
                    name,
                    self.name(subnet["VpcId"]),
                    IPv4Network(subnet["CidrBlock"]),
                    subnet["AvailabilityZone"],
                    subnet["MapPublicIpOnLaunch"],
                )

    def routes(self) -> None:
        kinds = {
            "NatGatewayId": "nat",
            "InstanceId": "nat",
            "VpcPeeringConnectionId": "peering",
            "GatewayId": "internet",
        }
        for table in self.ec2.describe_route_tables()["RouteTables"]:
            found = set()
            for route in table["Routes"]:
                for key, kind in kinds.items():
                    by = route.get(key)
                    if not by or by == "local" or not route.get("DestinationCidrBlock"):
                        continue
                    found.add(Route(IPv4Network(route["DestinationCidrBlock"]), kind, self.name(by)))
                    break
            for endpoint in self.ec2.describe_vpc_endpoints()["VpcEndpoints"]:
                if table["RouteTableId"] in endpoint.get("RouteTableIds", []):
                    found.add(Route(endpoint["ServiceName"], "endpoint", self.name(endpoint["VpcEndpointId"])))
            for association in table["Associations"]:
                if association.get("SubnetId"):
                    self.network.subnets[self.name(association["SubnetId"])].routes = found

    def access_lists(self) -> None:
        for acl in self.ec2.describe_network_acls()["NetworkAcls"]:
            if acl["IsDefault"]:
                continue
            entries = {
                AclEntry(
                    number=entry["RuleNumber"],
                    egress=entry["Egress"],
                    allow=entry["RuleAction"] == "allow",
                    ports=Ports(PROTOCOLS[entry["Protocol"]], entry["PortRange"]["From"], entry["PortRange"]["To"])
                    if entry.get("PortRange", {}).get("From") is not None
                    else Ports(PROTOCOLS[entry["Protocol"]]),
                    block=IPv4Network(entry["CidrBlock"]),
                )
                for entry in acl["Entries"]
                if entry["RuleNumber"] < 32767
            }
            for association in acl["Associations"]:
                self.network.subnets[self.name(association["SubnetId"])].acl = entries

    def groups(self) -> None:
        for group in self.ec2.describe_security_groups()["SecurityGroups"]:
            if group["GroupName"] == "default":
                continue
            name = self.name(group["GroupId"])
            self.network.groups[name] = Group(
                name,
                {one for entry in group["IpPermissions"] for one in self.permissions(entry)},
                {one for entry in group["IpPermissionsEgress"] for one in self.permissions(entry)},
            )

    def permissions(self, entry: dict[str, Any]) -> list[Permission]:
        protocol = PROTOCOLS[entry["IpProtocol"]]
        if protocol == "all":
            ports = Ports("all")
        elif protocol == "icmp":
            kind = entry["FromPort"]
            ports = Ports("icmp", max(kind, 0), 255 if kind < 0 else kind)
        else:
            ports = Ports(protocol, entry["FromPort"], entry["ToPort"])
        peers: list[IPv4Network | str] = [IPv4Network(one["CidrIp"]) for one in entry.get("IpRanges", [])]
        peers += [self.name(one["GroupId"]) for one in entry.get("UserIdGroupPairs", [])]
        peers += [self.name(one["PrefixListId"]) for one in entry.get("PrefixListIds", [])]
        return [Permission(ports, peer) for peer in peers]

    def balancers(self) -> None:
        for one in self.deployment.client("elbv2").describe_load_balancers()["LoadBalancers"]:
            subnets = [zone["SubnetId"] for zone in one["AvailabilityZones"]]
            kind = {"application": "alb", "network": "nlb"}[one["Type"]]
            self.host(
                one["LoadBalancerArn"], kind, subnets, one.get("SecurityGroups", []), one["Scheme"] == "internet-facing"
            )

    def nat_gateways(self) -> None:
        for one in self.ec2.describe_nat_gateways()["NatGateways"]:
            public = one.get("ConnectivityType", "public") == "public" and any(
                address.get("AllocationId") for address in one["NatGatewayAddresses"]
            )
            self.host(one["NatGatewayId"], "nat", [one["SubnetId"]], [], public)

    def databases(self) -> None:
        for one in self.deployment.client("rds").describe_db_instances()["DBInstances"]:
            subnets = [subnet["SubnetIdentifier"] for subnet in one["DBSubnetGroup"]["Subnets"]]
            groups = [group["VpcSecurityGroupId"] for group in one["VpcSecurityGroups"]]
            self.host(one["DBInstanceIdentifier"], "database", subnets, groups, one["PubliclyAccessible"])

    def caches(self) -> None:
        """moto keeps neither subnets nor groups of a replication group; they are taken from what it was made with."""
        for (stack, logical_id), resource in self.deployment.resources.items():
            if resource.type == "AWS::ElastiCache::ReplicationGroup":
                group = next(
                    one
                    for key, one in self.deployment.resources.items()
                    if str(Ref(*key)) == str(resource.properties["CacheSubnetGroupName"])
                )
                subnets = self.deployment.bound(group.properties["SubnetIds"])
                groups = self.deployment.bound(resource.properties["SecurityGroupIds"])
                self.host(self.deployment.made[stack, logical_id].id, "cache", subnets, groups)

    def endpoints(self) -> None:
        for one in self.ec2.describe_vpc_endpoints()["VpcEndpoints"]:
            if one["VpcEndpointType"] == "Interface":
                groups = [group["GroupId"] for group in one.get("Groups", [])]
                self.host(one["VpcEndpointId"], "endpoint", one["SubnetIds"], groups)

    def instances(self) -> None:
        addresses = {one.get("InstanceId") for one in self.ec2.describe_addresses()["Addresses"]}
        for reservation in self.ec2.describe_instances()["Reservations"]:
            for one in reservation["Instances"]:
                physical = one["InstanceId"]
                if physical not in self.names:
                    continue  # One that a group started.
                kind = "instance" if one["SourceDestCheck"] else "nat"
                groups = [group["GroupId"] for group in one["SecurityGroups"]]
                asked = any(interface.get("Association") for interface in one["NetworkInterfaces"])
                self.host(physical, kind, [one["SubnetId"]], groups, physical in addresses or asked)

    def scaling_groups(self) -> None:
        for one in self.deployment.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]:
            _, groups, public = self.template(one["LaunchTemplate"]["LaunchTemplateId"])
            self.host(one["AutoScalingGroupName"], "group", one["VPCZoneIdentifier"].split(","), groups, public)

    def launch_templates(self) -> None:
        """Those that trestle-aws starts itself: nothing in the stacks names them."""
        named = {
            str(resource.properties["LaunchTemplate"]["LaunchTemplateId"])  # type: ignore[index, call-overload]
            for resource in self.deployment.resources.values()
            if "LaunchTemplate" in resource.properties
        }
        for one in self.ec2.describe_launch_templates()["LaunchTemplates"]:
            subnets, groups, public = self.template(one["LaunchTemplateId"])
            if self.name(one["LaunchTemplateId"]) not in named:
                self.host(one["LaunchTemplateId"], "instance", subnets, groups, public)

    def template(self, physical: str) -> tuple[list[str], list[str], bool]:
        """Subnets, security groups and public address of what a launch template starts."""
        versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=physical)["LaunchTemplateVersions"]
        data = versions[-1]["LaunchTemplateData"]
        interfaces = data.get("NetworkInterfaces", [])
        groups = data.get("SecurityGroupIds", []) + [group for one in interfaces for group in one.get("Groups", [])]
        subnets = [one["SubnetId"] for one in interfaces if "SubnetId" in one]
        return subnets, groups, any(one.get("AssociatePublicIpAddress") for one in interfaces)
