"""What CloudFormation tells of a stack's resources, and which of it is the reason of a failure."""

from __future__ import annotations

from typing import TypedDict


class Event(TypedDict):
    """An event of a stack, as far as it is used."""

    EventId: str
    LogicalResourceId: str
    ResourceType: str
    ResourceStatus: str
    ResourceStatusReason: str


def first_reason(events: list[Event]) -> str:
    """The resource that failed first, and why; those that were only cancelled because of it say nothing."""
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    telling = [event for event in failed if "cancelled" not in event.get("ResourceStatusReason", "").lower()]
    if not telling:
        return "no resource names a reason"
    first = min(telling, key=lambda event: event["ResourceType"] == "AWS::CloudFormation::Stack")
    return (
        f"{first['LogicalResourceId']} ({first['ResourceType']}): "
        f"{first.get('ResourceStatusReason', 'no reason was given')}"
    )
