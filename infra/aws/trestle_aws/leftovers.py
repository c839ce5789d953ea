"""What is left of an environment when its stacks are gone, with its price: snapshots, secrets in their waiting time,
volumes, logs.

Invariant: only what bears both tags is listed, and only that is ever removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trestle_aws import buckets, fleet
from trestle_aws.context import Context
from trestle_aws.prices import Prices


@dataclass(frozen=True)
class Leftover:
    """A thing that remains."""

    kind: str
    id: str
    month: float
    note: str
    remove: Callable[[], object]


def find(context: Context, prices: Prices) -> list[Leftover]:
    """All that is left, by asking each service that keeps something."""
    finders = (
        _snapshots,
        _volume_snapshots,
        _volumes,
        _addresses,
        _instances,
        _secrets,
        _log_groups,
        _parameters,
        _buckets,
    )
    return [leftover for finder in finders for leftover in finder(context, prices)]


def _snapshots(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("rds")
    for page in client.get_paginator("describe_db_snapshots").paginate(SnapshotType="manual"):
        for it in page["DBSnapshots"]:
            tags = it.get("TagList") or client.list_tags_for_resource(ResourceName=it["DBSnapshotArn"])["TagList"]
            if context.place.owns(tags):
                id_ = it["DBSnapshotIdentifier"]
                month = float(it.get("AllocatedStorage", 0)) * prices.price("monthly", "snapshot_gib")
                yield Leftover(
                    "database snapshot",
                    id_,
                    month,
                    "the last state of the data; at most this price",
                    _call(client.delete_db_snapshot, DBSnapshotIdentifier=id_),
                )


def _volume_snapshots(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("ec2")
    for page in client.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=context.place.filters()):
        for it in page["Snapshots"]:
            month = float(it["VolumeSize"]) * prices.price("monthly", "ebs_snapshot_gib")
            id_ = it["SnapshotId"]
            yield Leftover(
                "disk snapshot", id_, month, "at most this price", _call(client.delete_snapshot, SnapshotId=id_)
            )


def _volumes(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("ec2")
    filters = [*context.place.filters(), {"Name": "status", "Values": ["available"]}]
    for page in client.get_paginator("describe_volumes").paginate(Filters=filters):
        for it in page["Volumes"]:
            month = float(it["Size"]) * prices.price("monthly", "ebs_gib")
            yield Leftover("disk", it["VolumeId"], month, "", _call(client.delete_volume, VolumeId=it["VolumeId"]))


def _addresses(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("ec2")
    for it in client.describe_addresses(Filters=context.place.filters())["Addresses"]:
        id_ = it["AllocationId"]
        month = prices.month("hourly", "public_ipv4_address")
        yield Leftover(
            "Elastic IP", it.get("PublicIp", id_), month, "", _call(client.release_address, AllocationId=id_)
        )


def _instances(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("ec2")
    for it in fleet.instances(context, "pending", "running", "stopping", "stopped"):
        id_, type_ = str(it["InstanceId"]), str(it["InstanceType"])
        month = prices.month("instances", type_, "hour")
        yield Leftover("instance", id_, month, type_, _call(client.terminate_instances, InstanceIds=[id_]))


def _secrets(context: Context, prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("secretsmanager")
    filters = [{"Key": "tag-key", "Values": ["Environment"]}]
    for page in client.get_paginator("list_secrets").paginate(Filters=filters, IncludePlannedDeletion=True):
        for it in page["SecretList"]:
            if not context.place.owns(it.get("Tags")):
                continue
            waits = it.get("DeletedDate") is not None
            month = 0.0 if waits else prices.price("monthly", "secret")
            note = "in its waiting time, free" if waits else ""
            call = _call(client.delete_secret, SecretId=it["ARN"], ForceDeleteWithoutRecovery=True)
            yield Leftover("secret", it["Name"], month, note, call)


def _log_groups(context: Context, _prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("logs")
    for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=context.place.parameter("")):
        for it in page["logGroups"]:
            name = it["logGroupName"]
            tags = client.list_tags_log_group(logGroupName=name)["tags"]
            if context.place.owns([{"Key": key, "Value": value} for key, value in tags.items()]):
                yield Leftover("log group", name, 0.0, "", _call(client.delete_log_group, logGroupName=name))


def _parameters(context: Context, _prices: Prices) -> Iterator[Leftover]:
    client = context.clients.of("ssm")
    pages = client.get_paginator("get_parameters_by_path").paginate(
        Path=context.place.parameter("").rstrip("/"), Recursive=True
    )
    for page in pages:
        for it in page["Parameters"]:
            tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=it["Name"])["TagList"]
            if context.place.owns(tags):
                yield Leftover("parameter", it["Name"], 0.0, "", _call(client.delete_parameter, Name=it["Name"]))


def _buckets(context: Context, prices: Prices) -> Iterator[Leftover]:
    for name in buckets.owned(context):
        month = prices.plain("assumed", "pictures_gib") * prices.price("per_gib", "s3_month")
        yield Leftover("bucket", name, month, "by what is in it", _call(buckets.delete, context=context, name=name))


def _call(function: Callable[..., object], **arguments: object) -> Callable[[], object]:
    return lambda: function(**arguments)
