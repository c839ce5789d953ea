"""A fixed number of replicas for a measurement: min = max = desired, and no alarm or schedule moves it meanwhile.

Invariant: what has to be restored is written to a parameter before anything is changed, so that whatever ends this
process, `trestle-aws scale --release` (or the end of the hold itself) brings the group back to what it was.
"""

from __future__ import annotations

from datetime import UTC, datetime

from trestle_aws.context import Context
from trestle_aws.errors import Failure
from trestle_aws.fleet import Group

NOTE = "hold"
# AlarmNotification: target tracking acts through alarms. ScheduledActions would set other bounds, AZRebalance end
# instances.
SUSPENDED = ("AlarmNotification", "AZRebalance", "ScheduledActions")


def begin(context: Context, group: Group, count: int, by: str) -> None:
    """Holds the group at so many; `by` tells this hold from those of others."""
    was: dict[str, object] = {
        "by": by,
        "group": group.name,
        "min": group.minimum,
        "max": group.maximum,
        "desired": group.desired,
        "suspended": sorted(group.suspended),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if not context.notes.write(NOTE, was, new=True):
        held = context.notes.read(NOTE) or {}
        raise Failure(f"the group is held since {held.get('since')}; `trestle-aws scale --release` ends that")
    client = context.clients.of("autoscaling")
    client.suspend_processes(AutoScalingGroupName=group.name, ScalingProcesses=list(SUSPENDED))
    change(context, group.name, count)


def change(context: Context, group: str, count: int) -> None:
    """Another number while it is held."""
    context.clients.of("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=group, MinSize=count, MaxSize=count, DesiredCapacity=count
    )


def is_held(context: Context, by: str | None = None) -> bool:
    """Whether somebody holds the group, or whether this one does."""
    was = context.notes.read(NOTE)
    return was is not None and by in (None, was["by"])


def release(context: Context) -> bool:
    """Brings the group back to what it was; false when nobody holds it. Can be repeated until it is done."""
    was = context.notes.read(NOTE)
    if was is None:
        return False
    client = context.clients.of("autoscaling")
    group = str(was["group"])
    if not client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]:
        # The shop was destroyed, or its group replaced: there is nothing to bring back.
        context.notes.forget(NOTE)
        return True
    client.update_auto_scaling_group(
        AutoScalingGroupName=group,
        MinSize=_number(was["min"]),
        MaxSize=_number(was["max"]),
        DesiredCapacity=_number(was["desired"]),
    )
    before = was["suspended"]
    theirs = {str(process) for process in before} if isinstance(before, list) else set()
    client.resume_processes(AutoScalingGroupName=group, ScalingProcesses=[it for it in SUSPENDED if it not in theirs])
    context.notes.forget(NOTE)
    return True


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise Failure(f"the parameter of the hold has {value!r} where a number should be")
    return value
