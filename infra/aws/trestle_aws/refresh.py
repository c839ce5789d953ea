"""Instance refresh: instances are replaced, new ones first, until all run what the launch template says now."""

from __future__ import annotations

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from trestle_aws import fleet, pace
from trestle_aws.clients import code_of
from trestle_aws.context import Context
from trestle_aws.errors import Failure

WITHIN = 3600.0
LOOK_EVERY = 10.0
# How many more there may be meanwhile is the group's own maintenance policy, which knows what connections the database
# has.
PREFERENCES = {"SkipMatching": True}
UNDER_WAY = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")


def groups(context: Context) -> None:
    """Refreshes each group of the place that has an instance of an older launch template, and waits."""
    client = context.clients.of("autoscaling")
    names = list(fleet.group_names(context.exports()))
    if not names:
        return
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
    started = {}
    for group in found:
        if any(_version(it) != _version(group) for it in group["Instances"]):
            name = group["AutoScalingGroupName"]
            started[name] = _start(client, name)
            context.say(f"{name}: instances are being replaced, one after the other")
    for name, id_ in started.items():
        _wait(context, client, name, id_)


def _version(holder: dict[str, dict[str, str]]) -> str:
    template = holder.get("LaunchTemplate") or {}
    return f"{template.get('LaunchTemplateId')}:{template.get('Version')}"


def _start(client: BaseClient, name: str) -> str:
    try:
        started = client.start_instance_refresh(AutoScalingGroupName=name, Preferences=PREFERENCES)
        return str(started["InstanceRefreshId"])
    except ClientError as error:
        if code_of(error) != "InstanceRefreshInProgress":
            raise
        under_way = client.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"]
        return str(next(it["InstanceRefreshId"] for it in under_way if it["Status"] in UNDER_WAY))


def _wait(context: Context, client: BaseClient, name: str, id_: str) -> None:
    said = -1

    def look() -> dict[str, str] | None:
        nonlocal said
        found = client.describe_instance_refreshes(AutoScalingGroupName=name, InstanceRefreshIds=[id_])[
            "InstanceRefreshes"
        ][0]
        percent = int(found.get("PercentageComplete", 0))
        if percent != said:
            said = percent
            context.say(f"{name}: {percent} % replaced")
        return None if found["Status"] in UNDER_WAY else found

    found = pace.until(look, f"{name}: instances are not replaced", within=WITHIN, every=LOOK_EVERY)
    if found["Status"] != "Successful":
        raise Failure(
            f"{name}: replacing instances ended as {found['Status']}: "
            f"{found.get('StatusReason', 'no reason was given')}"
        )
