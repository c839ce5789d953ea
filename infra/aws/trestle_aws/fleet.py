"""The shop's parts as the load tests see them: replicas with lasting names, their states, the database, the cache, the
address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from trestle_aws import metrics
from trestle_aws.context import Context
from trestle_aws.errors import Failure, UsageError
from trestle_aws.replicas import numbered

API_PORT = 8000
WEB_PORT = 80
OPS_PORT = 9000
TIERS = ("web", "api")
# What the auto scaling group says while an instance comes and goes.
COMING = ("Pending", "Pending:Wait", "Pending:Proceed", "Warmed:Pending", "EnteringStandby")
GOING = ("Terminating", "Terminating:Wait", "Terminating:Proceed", "Detaching", "Terminated", "Detached")
# What EC2 says of a machine that serves nobody, before its group and its load balancer have noticed.
MACHINE = {"pending": "starting", "shutting-down": "down", "stopping": "down", "stopped": "down"}
# What RDS says of an instance that serves, or that does not; in all other states it changes and comes back.
DATABASE = {"available": "ready", "backing-up": "ready", "stopped": "down", "stopping": "down", "failed": "down"}
HEALTH = {"healthy": "ready", "initial": "starting", "unused": "starting", "draining": "draining"}


@dataclass(frozen=True)
class Member:
    """An instance of a tier, or the database, or the cache. Field by field what `trestle status --json` has, and what
    AWS adds.
    """

    name: str
    state: str
    address: str
    ops_address: str | None = None
    pid: int | None = None
    cpu: float | None = None
    id: str = ""
    type: str = ""
    zone: str = ""


@dataclass(frozen=True)
class Group:
    """An auto scaling group."""

    tier: str
    name: str
    minimum: int
    maximum: int
    desired: int
    instances: dict[str, str]
    """Lifecycle state by instance id."""
    suspended: frozenset[str]
    zones: int


@dataclass(frozen=True)
class Fleet:
    """All of it."""

    url: str
    members: list[Member]
    groups: dict[str, Group]

    def find(self, name: str) -> Member:
        """The member of this name."""
        for member in self.members:
            if member.name == name:
                return member
        names = ", ".join(member.name for member in self.members)
        raise UsageError(f"NAME {name!r}: the stack has no such part; it has {names or 'none'}")

    def replicas(self) -> list[Member]:
        """The API's instances."""
        return [member for member in self.members if member.name.startswith("api-")]

    @property
    def api(self) -> Group:
        """The group that is scaled."""
        if "api" not in self.groups:
            raise UsageError(
                "this preset has no auto scaling group of the API; presets from stage-4-load-balancers on have"
            )
        return self.groups["api"]

    def to_json(self) -> dict[str, object]:
        """What `status --json` prints."""
        desired = {"desired": self.groups["api"].desired} if "api" in self.groups else {}
        groups = {
            tier: {"min": group.minimum, "max": group.maximum, "desired": group.desired}
            for tier, group in self.groups.items()
        }
        return {"url": self.url, **desired, "groups": groups, "processes": [asdict(member) for member in self.members]}


def look(context: Context, *, with_cpu: bool = False) -> Fleet:
    """The fleet as it is now."""
    exports = context.exports()
    if "VpcId" not in exports:
        raise context.nothing()
    groups = _groups(context, exports)
    instances = _instances(context)
    states = {tier: _states(context, exports, groups[tier]) for tier in groups}
    cpu = metrics.cpu(context.clients.of("cloudwatch"), list(instances)) if with_cpu else {}
    members: list[Member] = []
    for tier in groups:
        living = [instances[id_] for id_ in groups[tier].instances if id_ in instances]
        for number, instance in numbered(context, tier, living):
            members.append(_member(tier, number, instance, states[tier], cpu))
    fixed = [id_ for id_ in exports.get("InstanceIds", "").split(",") if id_ in instances]
    for number, instance in numbered(context, "api", [instances[id_] for id_ in fixed]):
        members.append(_member("api", number, instance, _fixed_states(context, fixed), cpu))
    members.extend(_database(context, exports))
    members.extend(_cache(context, exports))
    return Fleet(url(exports, _parameters(context)), members, groups)


def url(exports: dict[str, str], parameters: dict[str, dict[str, str]]) -> str:
    """The shop's address: the domain, else CloudFront's name where all goes through it, else the load balancer's, else
    an instance's.
    """
    domains = [given.get("Domain", "") for key, given in parameters.items() if key in ("records", "app", "edge")]
    domain = next((domain for domain in domains if domain), "")
    if domain:
        return f"https://{domain}"
    if parameters.get("edge", {}).get("Mode") == "all" and "DistributionDomain" in exports:
        return f"https://{exports['DistributionDomain']}"
    if "AlbDnsName" in exports:
        return f"http://{exports['AlbDnsName']}"
    addresses = exports.get("InstanceAddresses", "")
    return f"http://{addresses.split(',')[0]}" if addresses else ""


def _parameters(context: Context) -> dict[str, dict[str, str]]:
    states = {key: context.stacks(key).state(key) for key in ("records", "app", "edge")}
    return {key: state.parameters for key, state in states.items() if state}


def group_names(exports: dict[str, str]) -> dict[str, str]:
    """The tier by the name of its auto scaling group."""
    return {exports[export]: tier for tier, export in (("web", "WebGroup"), ("api", "ApiGroup")) if export in exports}


def _groups(context: Context, exports: dict[str, str]) -> dict[str, Group]:
    names = group_names(exports)
    if not names:
        return {}
    client = context.clients.of("autoscaling")
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=list(names))["AutoScalingGroups"]
    groups = {}
    for group in found:
        tier = names[group["AutoScalingGroupName"]]
        groups[tier] = Group(
            tier=tier,
            name=group["AutoScalingGroupName"],
            minimum=group["MinSize"],
            maximum=group["MaxSize"],
            desired=group["DesiredCapacity"],
            instances={it["InstanceId"]: it["LifecycleState"] for it in group["Instances"]},
            suspended=frozenset(it["ProcessName"] for it in group.get("SuspendedProcesses", [])),
            zones=len(group["AvailabilityZones"]),
        )
    return {tier: groups[tier] for tier in TIERS if tier in groups}


def instances(context: Context, *states: str) -> Iterator[dict[str, object]]:
    """EC2's view of the environment's instances in these states."""
    filters = [*context.place.filters(), {"Name": "instance-state-name", "Values": [*states]}]
    for page in context.clients.of("ec2").get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            yield from reservation["Instances"]


def _instances(context: Context) -> dict[str, dict[str, object]]:
    """Those that have not ended, by id."""
    found = instances(context, "pending", "running", "stopping", "stopped", "shutting-down")
    return {str(it["InstanceId"]): it for it in found}


def _states(context: Context, exports: dict[str, str], group: Group) -> dict[str, str]:
    """Each instance's state, of what the group and the load balancer say."""
    target_group = exports.get("WebTargetGroupArn" if group.tier == "web" else "ApiTargetGroupArn", "")
    health: dict[str, str] = {}
    if target_group:
        client = context.clients.of("elbv2")
        for found in client.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]:
            health[found["Target"]["Id"]] = found["TargetHealth"]["State"]
    states = {}
    for id_, lifecycle in group.instances.items():
        if lifecycle in GOING:
            states[id_] = "draining"
        elif lifecycle in COMING:
            states[id_] = "starting"
        elif lifecycle != "InService":
            states[id_] = "held"
        else:
            states[id_] = HEALTH.get(health.get(id_, "initial" if target_group else "healthy"), "unhealthy")
    return states


def _fixed_states(context: Context, ids: list[str]) -> dict[str, str]:
    """Of instances without a group: as EC2's own checks say."""
    if not ids:
        return {}
    client = context.clients.of("ec2")
    found = client.describe_instance_status(InstanceIds=ids, IncludeAllInstances=True)["InstanceStatuses"]
    states = {}
    for it in found:
        if it["InstanceState"]["Name"] != "running":
            states[it["InstanceId"]] = "starting" if it["InstanceState"]["Name"] == "pending" else "down"
        else:
            checks = {it[check]["Status"] for check in ("InstanceStatus", "SystemStatus")}
            states[it["InstanceId"]] = {"ok": "ready", "initializing": "starting"}.get(
                "/".join(sorted(checks)), "unhealthy"
            )
    return states


def _member(
    tier: str, number: int, instance: dict[str, object], states: dict[str, str], cpu: dict[str, float]
) -> Member:
    id_ = str(instance["InstanceId"])
    address = str(instance.get("PrivateIpAddress", ""))
    placement = instance.get("Placement")
    return Member(
        name=f"{tier}-{number}",
        state=MACHINE.get(_machine_state(instance), states.get(id_, "down")),
        address=f"{address}:{API_PORT if tier == 'api' else WEB_PORT}",
        ops_address=f"{address}:{OPS_PORT}" if tier == "api" else None,
        cpu=cpu.get(id_),
        id=id_,
        type=str(instance.get("InstanceType", "")),
        zone=str(placement.get("AvailabilityZone", "")) if isinstance(placement, dict) else "",
    )


def _machine_state(instance: dict[str, object]) -> str:
    state = instance.get("State")
    return str(state.get("Name", "")) if isinstance(state, dict) else ""


def _database(context: Context, exports: dict[str, str]) -> list[Member]:
    id_ = exports.get("DatabaseIdentifier")
    if not id_:
        return []
    found = context.clients.of("rds").describe_db_instances(DBInstanceIdentifier=id_)["DBInstances"][0]
    endpoint = found.get("Endpoint", {})
    state = DATABASE.get(found["DBInstanceStatus"], "starting")
    address = f"{endpoint.get('Address', '')}:{endpoint.get('Port', '')}"
    zone = str(found.get("AvailabilityZone", ""))
    return [Member("database", state, address, id=id_, type=found["DBInstanceClass"], zone=zone)]


def _cache(context: Context, exports: dict[str, str]) -> list[Member]:
    id_ = exports.get("CacheIdentifier")
    if not id_:
        return []
    found = context.clients.of("elasticache").describe_replication_groups(ReplicationGroupId=id_)["ReplicationGroups"][
        0
    ]
    state = "ready" if found["Status"] == "available" else "starting"
    address = f"{exports.get('CacheEndpoint', '')}:{exports.get('CachePort', '')}"
    return [Member("redis", state, address, id=id_, type=found.get("CacheNodeType", ""))]


def instance_for_commands(fleet: Fleet) -> Member:
    """An instance of the API that is ready, on which trestle-api's commands are run."""
    for member in fleet.replicas():
        if member.state == "ready":
            return member
    raise Failure("no instance of the API is ready, and trestle-api's commands run on one")
