"""Lasting names of instances: api-1, web-2.

A replica's name is in a tag of its instance, given when it is first seen: the lowest number that no living one has. So
who replaces api-1 is api-1, as it is where `trestle` keeps processes.
"""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from trestle_aws.clients import code_of
from trestle_aws.context import Context

NAME_TAG = "Replica"


def numbered(context: Context, tier: str, living: list[dict[str, object]]) -> list[tuple[int, dict[str, object]]]:
    """Instances with their lasting numbers; who has none yet is given one."""
    living = sorted(living, key=lambda it: (str(it["LaunchTime"]), str(it["InstanceId"])))
    taken: dict[int, dict[str, object]] = {}
    new = []
    for instance in living:
        number = _number(tier, instance)
        if number is None or number in taken:
            new.append(instance)
        else:
            taken[number] = instance
    for instance in new:
        number = next(it for it in range(1, len(living) + 1) if it not in taken)
        taken[number] = instance
        try:
            context.clients.of("ec2").create_tags(
                Resources=[instance["InstanceId"]], Tags=[{"Key": NAME_TAG, "Value": f"{tier}-{number}"}]
            )
        except ClientError as error:
            # It ended meanwhile.
            if code_of(error) != "InvalidInstanceID.NotFound":
                raise
    return sorted(taken.items())


def _number(tier: str, instance: dict[str, object]) -> int | None:
    tags = instance.get("Tags")
    for tag in tags if isinstance(tags, list) else []:
        if tag["Key"] == NAME_TAG and (match := re.fullmatch(rf"{tier}-(\d+)", tag["Value"])):
            return int(match[1])
    return None
