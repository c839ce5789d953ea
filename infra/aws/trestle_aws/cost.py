"""What evaluated stacks cost a month, line by line. Pure: the same stacks and prices give the same sum.

Every type of resource is either priced here, part of something that is, or in FREE; what is none of these is named, not
passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from trestle_aws.free import FREE
from trestle_aws.prices import Prices
from trestle_aws.template import Resource, Stack
from trestle_aws.values import GetAtt, Ref, Value

DEFAULT_VOLUME_GIB = 8.0


@dataclass(frozen=True)
class Line:
    """A priced thing."""

    stack: str
    what: str
    count: float
    month: float


Price = Callable[["Reckoning", Stack, Resource], list[Line]]


@dataclass
class Reckoning:
    """What the prices are applied to."""

    prices: Prices
    unpriced: set[str]
    """Types that nobody has put a price on."""

    def stacks(self, stacks: Iterable[Stack]) -> list[Line]:
        """The lines of all the stacks, and what they use together."""
        stacks = list(stacks)
        lines: list[Line] = []
        for stack in stacks:
            for resource in stack.resources.values():
                lines += self.resource(stack, resource)
        lines = _merged([*lines, *self._together(stacks)])
        return lines + _office_hours(stacks, lines)

    def resource(self, stack: Stack, resource: Resource) -> list[Line]:
        """The lines of one resource."""
        if resource.type in PRICED:
            return PRICED[resource.type](self, stack, resource)
        if resource.type not in FREE:
            self.unpriced.add(resource.type)
        return []

    def _together(self, stacks: list[Stack]) -> list[Line]:
        """What is free up to a number of all the stacks', and what traffic is assumed to cost."""
        prices = self.prices
        found = []
        for what, kind, free in (("alarms", "alarm", "alarms"), ("dashboards", "dashboard", "dashboards")):
            number = sum(len(stack.of_type(TYPES[kind])) for stack in stacks)
            gratis = prices.plain("free", free)
            if number:
                month = max(number - gratis, 0.0) * prices.price("monthly", kind)
                found.append(Line("ops", f"{what} ({gratis:.0f} are free)", number, month))
        logs = prices.plain("assumed", "logs_gib")
        found.append(Line("all", "logs, GiB", logs, logs * prices.price("per_gib", "logs_ingested")))
        out = prices.plain("assumed", "transfer_out_gib")
        paid = max(out - prices.plain("free", "transfer_out_gib"), 0.0)
        found.append(
            Line("all", "traffic out, GiB (100 are free)", out, paid * prices.price("per_gib", "transfer_out"))
        )
        if any(stack.key == "app" for stack in stacks):
            between = prices.plain("assumed", "between_zones_gib")
            month = between * prices.price("per_gib", "transfer_between_zones")
            found.append(Line("all", "traffic between zones, GiB", between, month))
        return found


WEEK = 7 * 24
DAYS = {"MON-FRI": 5, "MON-SAT": 6, "SUN-SAT": 7}


def _office_hours(stacks: list[Stack], lines: list[Line]) -> list[Line]:
    """What the stack schedule saves by stopping instances and the database between office hours. All else is paid for
    on.
    """
    schedule = next((stack for stack in stacks if stack.key == "schedule"), None)
    if schedule is None or schedule.parameters.get("OfficeHours") != "yes":
        return []
    given = schedule.parameters
    hours = DAYS[str(given["Days"])] * (_float(given["StopHour"], 24.0) - _float(given["StartHour"], 0.0))
    stopped = [
        line
        for line in lines
        if line.stack in ("app", "instances") and line.what.endswith((" instances", "by the minute"))
    ]
    if given["Database"] == "yes":
        stopped += [line for line in lines if line.stack == "data" and " databases" in line.what]
    saved = total(stopped) * (1 - hours / WEEK)
    return [Line("schedule", f"saved: {hours:.0f} of {WEEK} hours a week", 1, -saved)]


def total(lines: Iterable[Line]) -> float:
    """The sum."""
    return sum(line.month for line in lines)


def machines(stack: Stack, resource: Resource) -> tuple[str, dict[str, Value], float, float]:
    """Of an instance or a group: the instance type, its properties, how many there are, and how many there may be at
    most.
    """
    data = _template(stack, resource)
    if resource.type == "AWS::EC2::Instance":
        properties = data | resource.properties
        return str(properties.get("InstanceType", "")), properties, 1.0, 1.0
    least = _float(resource.properties.get("MinSize"), 0.0)
    desired = _float(resource.properties.get("DesiredCapacity"), least)
    return str(data.get("InstanceType", "")), data, desired, _float(resource.properties.get("MaxSize"), desired)


def _template(stack: Stack, resource: Resource) -> dict[str, Value]:
    """What the launch template of an instance or a group says, if it has one."""
    named = resource.properties.get("LaunchTemplate")
    reference = named.get("LaunchTemplateId") if isinstance(named, dict) else None
    template = stack.resources.get(reference.id) if isinstance(reference, Ref) else None
    data = template.properties.get("LaunchTemplateData") if template else None
    return data if isinstance(data, dict) else {}


def _instances(reckoning: Reckoning, stack: Stack, resource: Resource) -> list[Line]:
    type_, properties, number, _ = machines(stack, resource)
    if not number:
        return []
    prices = reckoning.prices
    gib = _volume(properties)
    lines = [
        Line(stack.key, f"{type_} instances", number, number * prices.month("instances", type_, "hour")),
        Line(stack.key, "their disks, GiB", number * gib, number * gib * prices.price("monthly", "ebs_gib")),
    ]
    monitoring = properties.get("Monitoring")
    detailed = monitoring.get("Enabled") if isinstance(monitoring, dict) else monitoring
    if str(detailed).lower() == "true":
        lines.append(
            Line(
                stack.key,
                "their metrics by the minute",
                number,
                number * prices.price("monthly", "detailed_monitoring"),
            )
        )
    if _has_public_address(properties):
        lines.append(
            Line(stack.key, "public IPv4 addresses", number, number * prices.month("hourly", "public_ipv4_address"))
        )
    return lines


def _has_public_address(properties: dict[str, Value]) -> bool:
    interfaces = properties.get("NetworkInterfaces")
    first = interfaces[0] if isinstance(interfaces, list) and interfaces else None
    return isinstance(first, dict) and str(first.get("AssociatePublicIpAddress")).lower() == "true"


def _volume(properties: dict[str, Value]) -> float:
    mappings = properties.get("BlockDeviceMappings")
    first = mappings[0] if isinstance(mappings, list) and mappings else None
    ebs = first.get("Ebs") if isinstance(first, dict) else None
    return _float(ebs.get("VolumeSize"), DEFAULT_VOLUME_GIB) if isinstance(ebs, dict) else DEFAULT_VOLUME_GIB


def _nat_gateway(reckoning: Reckoning, stack: Stack, _resource: Resource) -> list[Line]:
    prices = reckoning.prices
    gib = prices.plain("assumed", "nat_gib")
    month = prices.month("hourly", "nat_gateway") + gib * prices.price("per_gib", "nat_gateway")
    return [Line(stack.key, "NAT gateways", 1, month)]


def _address(reckoning: Reckoning, stack: Stack, _resource: Resource) -> list[Line]:
    return [Line(stack.key, "public IPv4 addresses", 1, reckoning.prices.month("hourly", "public_ipv4_address"))]


def _load_balancer(reckoning: Reckoning, stack: Stack, resource: Resource) -> list[Line]:
    prices = reckoning.prices
    kind = "network" if resource.properties.get("Type") == "network" else "application"
    units = prices.plain("assumed", "load_balancer_capacity_units")
    month = prices.month("hourly", f"{kind}_load_balancer") + units * prices.month("hourly", f"{kind}_capacity_unit")
    lines = [Line(stack.key, f"{kind} load balancers", 1, month)]
    if resource.properties.get("Scheme", "internet-facing") == "internet-facing":
        zones = _length(resource.properties.get("Subnets"), 2)
        address = prices.month("hourly", "public_ipv4_address")
        lines.append(Line(stack.key, "public IPv4 addresses", zones, zones * address))
    return lines


def _endpoint(reckoning: Reckoning, stack: Stack, resource: Resource) -> list[Line]:
    if resource.properties.get("VpcEndpointType") != "Interface":
        return []
    prices = reckoning.prices
    zones = _length(resource.properties.get("SubnetIds"), 2)
    gib = prices.plain("assumed", "endpoint_gib")
    month = zones * prices.month("hourly", "interface_endpoint_in_a_zone") + gib * prices.price(
        "per_gib", "interface_endpoint"
    )
    return [Line(stack.key, "interface endpoints", 1, month)]


def _database(reckoning: Reckoning, stack: Stack, resource: Resource) -> list[Line]:
    prices = reckoning.prices
    class_ = str(resource.properties.get("DBInstanceClass", ""))
    copies = 2 if str(resource.properties.get("MultiAZ", "false")).lower() == "true" else 1
    gib = _float(resource.properties.get("AllocatedStorage"), 20.0)
    suffix = ", in two zones" if copies == 2 else ""
    return [
        Line(stack.key, f"{class_} databases{suffix}", 1, copies * prices.month("databases", class_)),
        Line(stack.key, f"database storage, GiB{suffix}", gib, copies * gib * prices.price("monthly", "database_gib")),
    ]


def _cache(reckoning: Reckoning, stack: Stack, resource: Resource) -> list[Line]:
    prices = reckoning.prices
    properties = resource.properties
    type_ = str(properties.get("CacheNodeType", ""))
    replicas = _float(properties.get("ReplicasPerNodeGroup"), 0.0)
    nodes = _float(properties.get("NumCacheClusters"), replicas + 1.0)
    engine = str(properties.get("Engine", "redis"))
    factor = prices.plain("valkey_factor") if engine == "valkey" else 1.0
    return [
        Line(
            stack.key, f"{type_} nodes of {engine.capitalize()}", nodes, nodes * factor * prices.month("caches", type_)
        )
    ]


def _bucket(reckoning: Reckoning, stack: Stack, _resource: Resource) -> list[Line]:
    gib = reckoning.prices.plain("assumed", "pictures_gib")
    return [Line(stack.key, "S3 storage, GiB", gib, gib * reckoning.prices.price("per_gib", "s3_month"))]


def _monthly(name: str, what: str) -> Price:
    def price(reckoning: Reckoning, stack: Stack, _resource: Resource) -> list[Line]:
        return [Line(stack.key, what, 1, reckoning.prices.price("monthly", name))]

    return price


def _nothing(_reckoning: Reckoning, _stack: Stack, _resource: Resource) -> list[Line]:
    return []


TYPES = {"alarm": "AWS::CloudWatch::Alarm", "dashboard": "AWS::CloudWatch::Dashboard"}
PRICED: dict[str, Price] = {
    "AWS::EC2::Instance": _instances,
    "AWS::AutoScaling::AutoScalingGroup": _instances,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::EIP": _address,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::RDS::DBInstance": _database,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _monthly("secret", "secrets"),
    "AWS::KMS::Key": _monthly("kms_key", "KMS keys"),
    "AWS::CloudWatch::CompositeAlarm": _monthly("composite_alarm", "composite alarms"),
    "AWS::Route53::HostedZone": _monthly("hosted_zone", "hosted zones"),
    # Reckoned together: the first ones are free.
    "AWS::CloudWatch::Alarm": _nothing,
    "AWS::CloudWatch::Dashboard": _nothing,
}


def _merged(lines: list[Line]) -> list[Line]:
    """Like things of a stack in one line, in the order in which they came."""
    merged: dict[tuple[str, str], Line] = {}
    for line in lines:
        key = (line.stack, line.what)
        before = merged.get(key, Line(line.stack, line.what, 0.0, 0.0))
        merged[key] = Line(line.stack, line.what, before.count + line.count, before.month + line.month)
    return list(merged.values())


def _float(value: Value | object, default: float) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return default
    return default


def _length(value: Value | object, default: int) -> int:
    """Of a list; a list that another stack exports has as many items as there are zones."""
    if isinstance(value, list):
        return max(len(value), 1)
    return default if not isinstance(value, GetAtt) else 1
