"""Reads evaluated stacks as a `Network`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network

from trestle_aws.network import AclEntry, Group, Host, Network, Permission, Ports, Route, Subnet
from trestle_aws.template import Resource, Stack, TemplateError
from trestle_aws.values import GetAtt, Ref, Symbol, Value, items, truth

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "-1": "all"}


def read(stacks: Iterable[Stack]) -> Network:
    """The network that the stacks make."""
    return _Reader([resource for stack in stacks for resource in stack.resources.values()]).network


def name_of(value: Value) -> str:
    """What a resource is called here, by whatever names it: its `Ref`, its id or ARN as an attribute, or plain text."""
    if isinstance(value, GetAtt):
        return str(Ref(value.stack, value.id))
    return str(value)


def ports_of(entry: dict[str, Value]) -> Ports:
    """The protocol and ports of a security group's rule."""
    protocol = PROTOCOLS.get(str(entry.get("IpProtocol")), str(entry.get("IpProtocol")))
    if protocol == "all" or "FromPort" not in entry:
        return Ports(protocol)
    if protocol == "icmp":
        # The first "port" is the message's type; -1 is any.
        kind = int(str(entry["FromPort"]))
        return Ports(protocol, max(kind, 0), 255 if kind < 0 else kind)
    return Ports(protocol, int(str(entry["FromPort"])), int(str(entry["ToPort"])))


class _Reader:
    def __init__(self, resources: list[Resource]) -> None:
        self.resources = resources
        self.by_name = {str(resource.ref): resource for resource in resources}
        self.network = Network()
        self.tables: dict[str, set[Route]] = {}
        self.acls: dict[str, set[AclEntry]] = {}
        # The order matters: subnets before what is put into them, hosts last.
        for types, read in STEPS:
            for resource in resources:
                if resource.type in types:
                    try:
                        read(self, resource)
                    except (KeyError, ValueError) as error:
                        raise TemplateError(
                            f"{resource}: cannot be read as a part of the network: {error!r}"
                        ) from error

    def vpc(self, resource: Resource) -> None:
        self.network.blocks[str(resource.ref)] = IPv4Network(str(resource.properties["CidrBlock"]))

    def gateway(self, resource: Resource) -> None:
        if "InternetGatewayId" in resource.properties:
            self.network.gateways.add(name_of(resource.properties["VpcId"]))

    def subnet(self, resource: Resource) -> None:
        properties = resource.properties
        self.network.subnets[str(resource.ref)] = Subnet(
            name=str(resource.ref),
            vpc=name_of(properties["VpcId"]),
            block=IPv4Network(str(properties["CidrBlock"])),
            zone=str(properties.get("AvailabilityZone")),
            public_addresses=truth(properties.get("MapPublicIpOnLaunch")),
        )

    def route(self, resource: Resource) -> None:
        properties = resource.properties
        kinds = {"GatewayId": "internet", "NatGatewayId": "nat", "InstanceId": "nat", "NetworkInterfaceId": "nat"}
        kinds |= {"VpcPeeringConnectionId": "peering", "VpcEndpointId": "endpoint"}
        for key, kind in kinds.items():
            if key in properties:
                to = IPv4Network(str(properties["DestinationCidrBlock"]))
                route = Route(to, kind, name_of(properties[key]))
                self.tables.setdefault(name_of(properties["RouteTableId"]), set()).add(route)

    def endpoint_routes(self, resource: Resource) -> None:
        for table in items(resource.properties.get("RouteTableIds")):
            route = Route(str(resource.properties["ServiceName"]), "endpoint", str(resource.ref))
            self.tables.setdefault(name_of(table), set()).add(route)

    def table_of_subnet(self, resource: Resource) -> None:
        subnet = self.network.subnets[name_of(resource.properties["SubnetId"])]
        subnet.routes = self.tables.get(name_of(resource.properties["RouteTableId"]), set())

    def acl_entry(self, resource: Resource) -> None:
        properties = resource.properties
        ports = properties.get("PortRange")
        protocol = PROTOCOLS[str(properties["Protocol"])]
        self.acls.setdefault(name_of(properties["NetworkAclId"]), set()).add(
            AclEntry(
                number=int(str(properties["RuleNumber"])),
                egress=truth(properties.get("Egress")),
                allow=properties["RuleAction"] == "allow",
                ports=Ports(protocol, int(str(ports["From"])), int(str(ports["To"])))
                if isinstance(ports, dict)
                else Ports(protocol),
                block=IPv4Network(str(properties["CidrBlock"])),
            )
        )

    def acl_of_subnet(self, resource: Resource) -> None:
        subnet = self.network.subnets[name_of(resource.properties["SubnetId"])]
        subnet.acl = self.acls.get(name_of(resource.properties["NetworkAclId"]), set())

    def group(self, resource: Resource) -> None:
        group = self.network.groups.setdefault(str(resource.ref), Group(str(resource.ref)))
        for entry in items(resource.properties.get("SecurityGroupIngress")):
            group.ingress.add(_permission(entry))
        if "SecurityGroupEgress" not in resource.properties:
            # EC2's own default. A separate Egress resource does not take it away.
            group.egress.add(Permission(Ports("all"), IPv4Network("0.0.0.0/0")))
        for entry in items(resource.properties.get("SecurityGroupEgress")):
            group.egress.add(_permission(entry))

    def group_rule(self, resource: Resource) -> None:
        group = self.network.groups[name_of(resource.properties["GroupId"])]
        side = group.ingress if resource.type.endswith("Ingress") else group.egress
        side.add(_permission(resource.properties))

    def host(self, resource: Resource, kind: str, subnets: Value, groups: Value, public: bool = False) -> None:
        name = str(resource.ref)
        self.network.hosts[name] = Host(
            name, kind, [name_of(item) for item in items(subnets)], [name_of(item) for item in items(groups)], public
        )

    def balancer(self, resource: Resource) -> None:
        properties = resource.properties
        kind = "nlb" if properties.get("Type") == "network" else "alb"
        subnets = properties.get("Subnets") or [
            _get(item, "SubnetId") for item in items(properties.get("SubnetMappings"))
        ]
        public = properties.get("Scheme", "internet-facing") == "internet-facing"
        self.host(resource, kind, subnets, properties.get("SecurityGroups"), public)

    def nat(self, resource: Resource) -> None:
        public = (
            resource.properties.get("ConnectivityType", "public") == "public" and "AllocationId" in resource.properties
        )
        self.host(resource, "nat", [resource.properties["SubnetId"]], [], public)

    def database(self, resource: Resource) -> None:
        group = self._named(resource.properties.get("DBSubnetGroupName"))
        subnets = group.properties["SubnetIds"] if group else []
        public = truth(resource.properties.get("PubliclyAccessible"))
        self.host(resource, "database", subnets, resource.properties.get("VPCSecurityGroups"), public)

    def cache(self, resource: Resource) -> None:
        group = self._named(resource.properties.get("CacheSubnetGroupName"))
        subnets = group.properties["SubnetIds"] if group else []
        groups = resource.properties.get("SecurityGroupIds") or resource.properties.get("VpcSecurityGroupIds")
        self.host(resource, "cache", subnets, groups)

    def endpoint(self, resource: Resource) -> None:
        if resource.properties.get("VpcEndpointType") == "Interface":
            properties = resource.properties
            self.host(resource, "endpoint", properties.get("SubnetIds"), properties.get("SecurityGroupIds"))

    def function(self, resource: Resource) -> None:
        config = resource.properties.get("VpcConfig")
        if isinstance(config, dict):
            self.host(resource, "function", config.get("SubnetIds"), config.get("SecurityGroupIds"))

    def instance(self, resource: Resource) -> None:
        data = {**self._template(resource.properties.get("LaunchTemplate")), **resource.properties}
        subnets, groups, public = _interface(data)
        kind = "nat" if str(data.get("SourceDestCheck")).lower() == "false" else "instance"
        self.host(resource, kind, subnets, groups, public)

    def scaling_group(self, resource: Resource) -> None:
        _, groups, public = _interface(self._template(resource.properties.get("LaunchTemplate")))
        subnets = items(resource.properties.get("VPCZoneIdentifier"))
        automatic = any(self.network.subnets[name_of(subnet)].public_addresses for subnet in subnets)
        self.host(resource, "group", subnets, groups, public or automatic)

    def launch_template(self, resource: Resource) -> None:
        """One that nothing else starts: trestle-aws does, from the subnet that its network interface names."""
        data = resource.properties.get("LaunchTemplateData")
        subnets, groups, public = _interface(data if isinstance(data, dict) else {})
        used = any(
            str(resource.ref) == name_of(_get(other.properties.get("LaunchTemplate"), "LaunchTemplateId"))
            for other in self.resources
        )
        if not used and groups:
            self.host(resource, "instance", subnets, groups, public)

    def address(self, resource: Resource) -> None:
        """An Elastic IP makes its instance public."""
        named = resource.properties.get("InstanceId")
        host = self.network.hosts.get(name_of(named)) if isinstance(named, Symbol) else None
        if host:
            host.public = True

    def _template(self, named: Value) -> dict[str, Value]:
        template = self._named(_get(named, "LaunchTemplateId"))
        data = template.properties.get("LaunchTemplateData") if template else None
        return data if isinstance(data, dict) else {}

    def _named(self, value: Value) -> Resource | None:
        return self.by_name.get(name_of(value)) if isinstance(value, Symbol) else None


def _interface(data: dict[str, Value]) -> tuple[list[Value], list[Value], bool]:
    """Subnets, security groups and public address of an instance or launch template."""
    subnets, groups = list(items(data.get("SubnetId"))), list(items(data.get("SecurityGroupIds")))
    public = False
    for interface in items(data.get("NetworkInterfaces")):
        if isinstance(interface, dict):
            subnets += items(interface.get("SubnetId"))
            groups += items(interface.get("Groups") or interface.get("GroupSet"))
            public = public or truth(interface.get("AssociatePublicIpAddress"))
    return subnets, groups, public


def _permission(entry: Value) -> Permission:
    if not isinstance(entry, dict):
        raise ValueError(f"no rule: {entry!r}")
    for key in ("CidrIp",):
        if key in entry:
            return Permission(ports_of(entry), IPv4Network(str(entry[key])))
    for key in (
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
        "SourcePrefixListId",
        "DestinationPrefixListId",
        "CidrIpv6",
    ):
        if key in entry:
            return Permission(ports_of(entry), name_of(entry[key]))
    raise KeyError("the rule has no peer")


def _get(value: Value, key: str) -> Value:
    return value.get(key) if isinstance(value, dict) else None


STEPS: list[tuple[set[str], Callable[[_Reader, Resource], None]]] = [
    ({"AWS::EC2::VPC"}, _Reader.vpc),
    ({"AWS::EC2::VPCGatewayAttachment"}, _Reader.gateway),
    ({"AWS::EC2::Subnet"}, _Reader.subnet),
    ({"AWS::EC2::Route"}, _Reader.route),
    ({"AWS::EC2::VPCEndpoint"}, _Reader.endpoint_routes),
    ({"AWS::EC2::SubnetRouteTableAssociation"}, _Reader.table_of_subnet),
    ({"AWS::EC2::NetworkAclEntry"}, _Reader.acl_entry),
    ({"AWS::EC2::SubnetNetworkAclAssociation"}, _Reader.acl_of_subnet),
    ({"AWS::EC2::SecurityGroup"}, _Reader.group),
    ({"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}, _Reader.group_rule),
    ({"AWS::ElasticLoadBalancingV2::LoadBalancer"}, _Reader.balancer),
    ({"AWS::EC2::NatGateway"}, _Reader.nat),
    ({"AWS::RDS::DBInstance"}, _Reader.database),
    ({"AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::CacheCluster"}, _Reader.cache),
    ({"AWS::EC2::VPCEndpoint"}, _Reader.endpoint),
    ({"AWS::Lambda::Function"}, _Reader.function),
    ({"AWS::EC2::Instance"}, _Reader.instance),
    ({"AWS::AutoScaling::AutoScalingGroup"}, _Reader.scaling_group),
    ({"AWS::EC2::LaunchTemplate"}, _Reader.launch_template),
    ({"AWS::EC2::EIP", "AWS::EC2::EIPAssociation"}, _Reader.address),
]
