"""What is looked at before a change set is carried out: what AWS would replace, and with it whatever was in it."""

from __future__ import annotations

from trestle_aws import expected
from trestle_aws.cloudformation import ResourceChange, Review
from trestle_aws.context import Context
from trestle_aws.errors import Failure

# The disk of a single instance has the only copy of the shop in stage 1. Later such an instance keeps nothing.
KEEPS_DATA = {"instances/First"}


def of_growth(context: Context, way: str, listed: set[str]) -> Review:
    """For `move`: nothing is replaced that the growth path does not name."""

    def review(key: str, changes: list[ResourceChange]) -> None:
        for change in changes:
            what = f"{key}/{change['LogicalResourceId']}"
            if (done := _loses(change)) and what not in listed:
                raise Failure(
                    f"{what} ({change['ResourceType']}): AWS would {done} it{_because(change)}, which {way} does not "
                    f"expect. Nothing of {key} was changed. If it is meant, say --allow {what}"
                )
            context.say(f"{key}: {change['Action'].lower()} {change['LogicalResourceId']} ({change['ResourceType']})")

    return review


def of_data(local: bool, allowed: set[str]) -> Review:
    """For `deploy`: nothing is replaced that has data in it. `local`: the instance has the database."""

    def review(key: str, changes: list[ResourceChange]) -> None:
        for change in changes:
            what = f"{key}/{change['LogicalResourceId']}"
            keeps = change["ResourceType"] in expected.DATA or (local and what in KEEPS_DATA)
            # What is removed was taken back by the user.
            if keeps and change["Action"] == "Modify" and (done := _loses(change)) and what not in allowed:
                hint = "; `trestle-aws move` takes its data to RDS first" if what in KEEPS_DATA else ""
                raise Failure(
                    f"{what} ({change['ResourceType']}): AWS would {done} it{_because(change)}, and what is in it would "
                    f"be gone. Nothing of {key} was changed{hint}. If it is meant, say --allow {what}"
                )

    return review


def _loses(change: ResourceChange) -> str:
    """What would be done to what there is; nothing for a change in place."""
    if change["Action"] == "Remove" and change["ResourceType"] in expected.DATA:
        return "remove"
    if change["Action"] == "Modify":
        return {"True": "replace", "Conditional": "perhaps replace"}.get(change["Replacement"], "")
    return ""


def _because(change: ResourceChange) -> str:
    """The properties that it is for."""
    names = []
    for detail in change["Details"]:
        aim = detail.get("Target")
        if isinstance(aim, dict) and aim.get("Name"):
            names.append(str(aim["Name"]))
    return f" because of {', '.join(sorted(set(names)))}" if names else ""
