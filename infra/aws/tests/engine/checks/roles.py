"""Who is who in an environment, by exports and by what they are for; never by logical ids, which may change."""

from __future__ import annotations

from engine.environment import Environment, items
from trestle_aws import stacknet
from trestle_aws.graph import Graph
from trestle_aws.network import Host, Network
from trestle_aws.template import Resource

GROUPS = {
    "alb": "AlbSecurityGroup",
    "web": "WebSecurityGroup",
    "nlb": "NlbSecurityGroup",
    "api": "ApiSecurityGroup",
    "database": "DatabaseSecurityGroup",
    "cache": "CacheSecurityGroup",
    "job": "JobSecurityGroup",
    "instance": "InstanceSecurityGroup",
    "generator": "GeneratorSecurityGroup",
}
"""Security groups by role, and the export that names each."""


class Roles:
    """An environment's network with names for the parts."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.network: Network = stacknet.read(environment.stacks.values())
        self.graph = Graph(self.network)
        self.groups = {}
        for role, export in GROUPS.items():
            value = environment.export(export)
            if value is not None:
                self.groups[stacknet.name_of(value)] = role
        for resource in environment.resources("AWS::EC2::SecurityGroup"):
            name = str(resource.ref)
            if name not in self.groups:
                self.groups[name] = self._by_use(resource)

    def _by_use(self, group: Resource) -> str:
        """The role of a group that is its stack's own business: by who is in it."""
        name = str(group.ref)
        members = [host for host in self.network.hosts.values() if name in host.groups]
        if any(host.kind == "endpoint" for host in members):
            return "endpoint"
        if any(host.kind == "nat" for host in members):
            return "nat"
        if group.stack == "access":
            entries = [one for one in items(group.properties.get("SecurityGroupIngress")) if isinstance(one, dict)]
            return "openvpn" if any(one.get("IpProtocol") == "udp" for one in entries) else "bastion"
        if group.stack == "peering":
            return "ping" if items(group.properties.get("SecurityGroupIngress")) == [] else "peer"
        return f"{group.stack} {group.id}"

    def subnets(self, export: str) -> set[str]:
        """Names of the subnets that are exported so."""
        return {stacknet.name_of(value) for value in self.environment.export_list(export)}

    def tier_of(self, host: Host) -> set[str]:
        """In which of the three kinds of subnets a host stands."""
        tiers = {
            "public": self.subnets("PublicSubnets"),
            "app": self.subnets("AppSubnets"),
            "data": self.subnets("DataSubnets"),
        }
        return {next((tier for tier, names in tiers.items() if subnet in names), "other") for subnet in host.subnets}

    def role_of(self, host: Host) -> str:
        """A host's role, by its first security group."""
        return self.groups.get(host.groups[0], host.kind) if host.groups else host.kind

    def hosts(self, *roles: str) -> list[Host]:
        """The hosts of these roles."""
        return [host for host in self.network.hosts.values() if self.role_of(host) in roles]


def of(environment: Environment) -> Roles:
    """The environment's roles, read once."""
    known = environment.__dict__.get("_roles")
    if known is None:
        known = environment.__dict__["_roles"] = Roles(environment)
    return known
