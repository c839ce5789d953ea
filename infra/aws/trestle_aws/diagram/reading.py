"""Reads evaluated stacks as a scene. Who reaches whom is what `graph` says, the same that the tests of the templates ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from trestle_aws import stacknet
from trestle_aws.diagram.model import BROWSERS, CLOUDFRONT, NAMES, PICTURES, Cell, Edge, Scene, Thing
from trestle_aws.graph import Graph
from trestle_aws.network import Host, Network
from trestle_aws.template import Resource, Stack, TemplateError
from trestle_aws.values import Value, mapping, symbols

SUBNET = re.compile(r"(Public|App|Data)Subnet(\d)")
ENGINES = {"mysql": "MySQL", "valkey": "Valkey", "redis": "Redis"}


def read(stacks: Iterable[Stack]) -> Scene:
    """The scene that stacks make."""
    return _Reader(list(stacks)).scene


class _Reader:
    def __init__(self, stacks: list[Stack]) -> None:
        self.stacks = {stack.key: stack for stack in stacks}
        self.resources = {str(one.ref): one for stack in stacks for one in stack.resources.values()}
        self.network: Network = stacknet.read(stacks)
        self.graph = Graph(self.network)
        self.scene = Scene()
        self._place()
        self._outside()
        for host in self.network.hosts.values():
            self._host(host)
        self._services()
        self.scene.edges = list(self._edges())

    def of_type(self, *types: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type in types]

    def _place(self) -> None:
        for resource in self.of_type("AWS::EC2::VPC"):
            self.scene.vpc, self.scene.block = str(resource), str(resource.properties["CidrBlock"])
        for resource in self.of_type("AWS::EC2::InternetGateway"):
            self.scene.gateway = str(resource)
        for resource in self.of_type("AWS::EC2::VPCEndpoint"):
            service = str(resource.properties["ServiceName"]).rpartition(".")[2]
            self.scene.endpoints.append((str(resource), service))
        for name, subnet in self.network.subnets.items():
            tier, zone = self._subnet(name)
            out = subnet.way_out()
            nat = str(self.resources[out.by]) if out and out.kind == "nat" else ""
            self.scene.cells.append(Cell(str(self.resources[name]), tier, zone, str(subnet.block), nat))
            if tier == "public":
                self.scene.zones.append(subnet.zone)

    def _subnet(self, name: str) -> tuple[str, int]:
        """Tier and zone of a subnet."""
        found = SUBNET.fullmatch(self.resources[name].id)
        if not found:
            raise TemplateError(f"{name}: a subnet is called PublicSubnet1, AppSubnet1, DataSubnet1 and so on")
        return found[1].lower(), int(found[2]) - 1

    # --- Outside of the VPC -----------------------------------------------------------------------------------------

    def _outside(self) -> None:
        self._add(Thing(BROWSERS, "internet", "browsers", ("the internet",)))
        for resource in self.of_type("AWS::CloudFront::Distribution"):
            self._add(Thing(CLOUDFRONT, "service", "CloudFront", (self._caches(resource),), (str(resource),)))
        zones = [*self.of_type("AWS::Route53::HostedZone"), *self.of_type("AWS::Route53::RecordSet")]
        if zones:
            domain = str(self.stacks["dns"].parameters.get("Domain"))
            self._add(Thing(NAMES, "service", "Route 53", (domain,), tuple(map(str, zones))))
        if "assets" in self.stacks:
            buckets = self.stacks["assets"].of_type("AWS::S3::Bucket")
            self._add(Thing(PICTURES, "service", "S3: pictures", ("of the products",), tuple(map(str, buckets))))

    def _caches(self, distribution: Resource) -> str:
        config = mapping(distribution.properties["DistributionConfig"])
        return "pages and pictures" if len(_list(config["Origins"])) > 1 else "pictures"

    def _add(self, thing: Thing) -> None:
        self.scene.things[thing.name] = thing

    # --- In it --------------------------------------------------------------------------------------------------------

    def _host(self, host: Host) -> None:
        resource = self.resources[host.name]
        places = [self._subnet(name) for name in host.subnets]
        tier, zones = places[0][0], tuple(zone for _, zone in places)
        make = {
            "alb": self._balancer,
            "nlb": self._balancer,
            "group": self._group,
            "instance": self._instance,
            "database": self._database,
            "cache": self._cache,
            "nat": self._nat,
        }.get(host.kind)
        if make is None:
            raise TemplateError(f"{resource}: there is no drawing of a host of the kind {host.kind}")
        make(resource, tier, zones)

    def _balancer(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        network = resource.properties.get("Type") == "network"
        notes = ["internal, TCP"] if network else []
        for rule in self.of_type("AWS::ElasticLoadBalancingV2::ListenerRule"):
            actions = [mapping(action) for action in _list(rule.properties["Actions"])]
            paths = [path for one in _list(rule.properties["Conditions"]) for path in _paths(mapping(one))]
            if not network and paths and any(action.get("Type") == "forward" for action in actions):
                notes.append(f"{', '.join(paths)} straight to the API")
        title = f"{'Network' if network else 'Application'} Load Balancer"
        self._add(Thing(str(resource), "nlb" if network else "alb", title, tuple(notes), (str(resource),), tier, zones))

    def _group(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        template = self._named(mapping(resource.properties["LaunchTemplate"])["LaunchTemplateId"])
        type_ = mapping(template.properties["LaunchTemplateData"])["InstanceType"]
        least, most = int(str(resource.properties["MinSize"])), int(str(resource.properties["MaxSize"]))
        count = f"{least}" if least == most else f"{least} to {most}"
        policies = [
            one for one in self.of_type("AWS::AutoScaling::ScalingPolicy") if resource.ref in symbols(one.properties)
        ]
        notes = (f"{count} × {type_}" + (", scaled by CPU" if policies else ""),)
        title = {"WebGroup": "web: nginx", "ApiGroup": "API: trestle-api"}[resource.id]
        stands_for = (str(resource), str(template), *map(str, policies))
        self._add(Thing(str(resource), "group", title, notes, stands_for, tier, zones, least, most))

    def _instance(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        if resource.type == "AWS::EC2::LaunchTemplate":
            self._add(Thing(str(resource), "job", "job", ("runs once",), (str(resource),), tier, zones))
            return
        parameters = self.stacks[resource.stack].parameters
        holds = ["nginx", "API"]
        holds += ["Redis"] if parameters["Cache"] == "local" else []
        holds += ["database"] if parameters["Database"] == "local" else []
        addresses = [
            str(self._named(one.properties["AllocationId"]))
            for one in self.of_type("AWS::EC2::EIPAssociation")
            if resource.ref in symbols(one.properties)
        ]
        template = self._named(mapping(resource.properties["LaunchTemplate"])["LaunchTemplateId"])
        notes = (f"{resource.properties['InstanceType']}{', Elastic IP' if addresses else ''}", ", ".join(holds))
        self._add(
            Thing(
                str(resource),
                "instance",
                "EC2 instance",
                notes,
                (str(resource), str(template), *addresses),
                tier,
                zones,
            )
        )

    def _database(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        properties, name = resource.properties, str(resource)
        engine = f"{ENGINES[str(properties['Engine'])]} {properties['EngineVersion']}"
        notes = (engine, str(properties["DBInstanceClass"]), f"{properties['AllocatedStorage']} GiB")
        self._add(Thing(name, "database", "RDS", notes, (name,), tier, zones[:1]))
        if properties["MultiAZ"] in (True, "true"):
            self._add(
                Thing(
                    f"{name} standby",
                    "standby",
                    "RDS standby",
                    ("takes over when", "the other fails"),
                    (name,),
                    tier,
                    zones[1:2],
                )
            )

    def _cache(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        properties, name = resource.properties, str(resource)
        notes = (
            ENGINES[str(properties["Engine"])] + f" {properties['EngineVersion']}",
            str(properties["CacheNodeType"]),
        )
        self._add(Thing(name, "cache", "ElastiCache", notes, (name,), tier, zones[:1]))
        for number in range(1, int(str(properties["NumCacheClusters"]))):
            where = zones[number % len(zones)]
            self._add(Thing(f"{name} replica {number}", "replica", "replica", notes, (name,), tier, (where,)))

    def _nat(self, resource: Resource, tier: str, zones: tuple[int, ...]) -> None:
        named = {stacknet.name_of(symbol) for symbol in symbols(resource.properties)}
        addresses = [
            str(one)
            for one in self.of_type("AWS::EC2::EIP")
            if str(one.ref) in named or resource.ref in symbols(one.properties)
        ]
        gateway = resource.type == "AWS::EC2::NatGateway"
        title = "NAT gateway" if gateway else "NAT instance"
        type_ = [] if gateway else [str(resource.properties.get("InstanceType", ""))]
        notes = (", ".join([*type_, *(["Elastic IP"] if addresses else [])]),)
        self._add(Thing(str(resource), "nat", title, notes, (str(resource), *addresses), tier, zones))

    def _named(self, value: Value) -> Resource:
        return self.resources[stacknet.name_of(value)]

    # --- Services and connections ---------------------------------------------------------------------------------------

    def _services(self) -> None:
        def line(text: str, *types: str, but: str = "") -> None:
            found = [str(one) for one in self.of_type(*types) if one.stack != but]
            if found:
                self.scene.services.append((text.format(len(found)), tuple(found)))

        line("S3: releases", "AWS::S3::Bucket", but="assets")
        line("Secrets Manager: {}", "AWS::SecretsManager::Secret")
        line("Parameter Store: {}", "AWS::SSM::Parameter")
        line("IAM: {} roles", "AWS::IAM::Role")
        line("certificates (ACM): {}", "AWS::CertificateManager::Certificate")
        line("log groups: {}", "AWS::Logs::LogGroup")
        line("VPC flow logs", "AWS::EC2::FlowLog")
        line("alarms: {}", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        line("dashboard", "AWS::CloudWatch::Dashboard")
        line("SNS: who is told", "AWS::SNS::Topic")

    def _edges(self) -> Iterator[Edge]:
        yield from self._from_outside()
        hosts = self.network.hosts.values()
        for target in hosts:
            for source in hosts:
                ports = sorted(
                    {
                        p
                        for p in self._referenced(source, target)
                        if self.graph.connects_somehow(source, target, "tcp", p)
                    }
                )
                if source is not target and ports:
                    yield Edge(self._name(source), self._name(target), ", ".join(map(str, ports)))

    def _referenced(self, source: Host, target: Host) -> Iterator[int]:
        """The ports that a group of the target opens for a group of the source by name."""
        for group in target.groups:
            for permission in self.network.groups[group].ingress:
                if permission.peer in source.groups:
                    yield from range(permission.ports.first, permission.ports.last + 1)

    def _from_outside(self) -> Iterator[Edge]:
        if NAMES in self.scene.things:
            yield Edge(BROWSERS, NAMES, "53")
        for host in self.network.hosts.values():
            ports = sorted({first for _, first, _ in self.graph.open_ports(host)} & self._answered(host))
            if ports and host.kind != "nat":
                yield Edge(BROWSERS, self._name(host), ", ".join(map(str, ports)))
        pictures = self.scene.things.get(PICTURES)
        if pictures and self.stacks["assets"].parameters["PublicRead"] == "yes":
            yield Edge(BROWSERS, PICTURES, "443")
        for distribution in self.of_type("AWS::CloudFront::Distribution"):
            yield Edge(BROWSERS, CLOUDFRONT, "443")
            for origin in map(mapping, _list(mapping(distribution.properties["DistributionConfig"])["Origins"])):
                behind = self.resources[stacknet.name_of(origin["DomainName"])]
                config = mapping(origin.get("CustomOriginConfig"))
                secure = config.get("OriginProtocolPolicy") != "http-only"
                yield Edge(
                    CLOUDFRONT,
                    PICTURES if str(behind) in _resources(pictures) else str(behind),
                    "443" if secure else "80",
                )

    def _answered(self, host: Host) -> set[int]:
        """The ports on which a load balancer listens; any port of another host may be."""
        listeners = [
            one
            for one in self.of_type("AWS::ElasticLoadBalancingV2::Listener")
            if self.resources[host.name].ref in symbols(one.properties)
        ]
        return (
            {int(str(one.properties["Port"])) for one in listeners}
            if host.kind in ("alb", "nlb")
            else set(range(65536))
        )

    def _name(self, host: Host) -> str:
        return str(self.resources[host.name])


def _resources(thing: Thing | None) -> tuple[str, ...]:
    return thing.resources if thing else ()


def _paths(condition: dict[str, Value]) -> list[str]:
    return [str(path) for path in _list(mapping(condition.get("PathPatternConfig")).get("Values"))]


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
