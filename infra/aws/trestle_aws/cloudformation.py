"""Stacks in CloudFormation: their state, and changing one by a change set, from whatever state an earlier attempt left
it in.

Invariant: a change that is interrupted or fails can be begun again; nothing waits for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypedDict

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from trestle_aws import pace
from trestle_aws.clients import code_of
from trestle_aws.errors import Failure
from trestle_aws.events import Event, first_reason
from trestle_aws.place import Place
from trestle_aws.progress import Progress

# RDS Multi-AZ takes 15 to 20 minutes, CloudFront 5 to 10, a certificate as long as DNS takes.
CHANGED_WITHIN = 3600.0
LOOK_EVERY = 5.0
# What CloudFormation takes in a call; a longer template goes through the release bucket.
LONGEST_BODY = 51_200
# A stack in these states was never made: it holds nothing that is worth keeping and can only be deleted.
NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED")


class ResourceChange(TypedDict):
    """A change of a resource, as a change set names it."""

    Action: str
    LogicalResourceId: str
    ResourceType: str
    Replacement: str
    Details: list[dict[str, object]]


class Outcome(Enum):
    """What came of a change."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class State:
    """A stack as it is."""

    name: str
    stack_id: str
    status: str
    reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]
    tags: list[dict[str, str]]
    protected: bool

    @property
    def is_moving(self) -> bool:
        """Whether CloudFormation is at work on it. A stack under review is not: it waits for its change set."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Wanted:
    """A stack as it should be. Parameters in `kept` stay as the stack has them."""

    key: str
    body: str
    parameters: dict[str, str]
    kept: frozenset[str] = frozenset()

    def arguments(self) -> list[dict[str, object]]:
        """The parameters as CloudFormation takes them."""
        given: list[dict[str, object]] = [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in self.parameters.items()
            if name not in self.kept
        ]
        return given + [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(self.kept)]


Review = Callable[[str, list[ResourceChange]], None]
Upload = Callable[[str], str]


@dataclass
class Stacks:
    """The stacks of one place, in one region."""

    client: BaseClient
    place: Place
    progress: Progress
    upload: Upload | None = None
    """Puts a template where CloudFormation can read it; answers the URL."""

    def state(self, key: str) -> State | None:
        """A stack; none where there is none, or one that was deleted."""
        return self.look(self.place.stack(key))

    def look(self, name: str) -> State | None:
        """The same by the full name or the stack's id."""
        try:
            found = self.client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        if not found or found[0]["StackStatus"] == "DELETE_COMPLETE":
            return None
        stack = found[0]
        return State(
            name=stack["StackName"],
            stack_id=stack["StackId"],
            status=stack["StackStatus"],
            reason=stack.get("StackStatusReason", ""),
            parameters={p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", [])},
            outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
            tags=stack.get("Tags", []),
            protected=bool(stack.get("EnableTerminationProtection", False)),
        )

    def change(self, wanted: Wanted, review: Review | None = None) -> Outcome:
        """Makes the stack as it is wanted. `review` sees the changes first and may refuse them by raising."""
        state = self._ready(wanted.key)
        kind = "UPDATE" if state else "CREATE"
        change_set = self._change_set(wanted, kind)
        if change_set is None:
            self.progress.say(f"{wanted.key}: nothing to change")
            return Outcome.UNCHANGED
        try:
            if review:
                review(wanted.key, self._changes(change_set))
        except BaseException:
            self._drop(wanted.key, change_set, kind)
            raise
        self.progress.say(f"{wanted.key}: {'being created' if kind == 'CREATE' else 'being changed'}")
        seen = self._event_ids(wanted.key)
        self.client.execute_change_set(ChangeSetName=change_set)
        self._wait(wanted.key, seen, (f"{kind}_COMPLETE",))
        return Outcome.CREATED if kind == "CREATE" else Outcome.UPDATED

    def delete(self, state: State, key: str, retain: list[str] | None = None) -> None:
        """Deletes a stack and waits until it is gone."""
        seen = self._event_ids(key)
        arguments = {"RetainResources": retain} if retain and state.status == "DELETE_FAILED" else {}
        self.client.delete_stack(StackName=state.stack_id, **arguments)
        self._wait(key, seen, ("DELETE_COMPLETE",), state.stack_id)

    def resources(self, name: str) -> list[tuple[str, str, str]]:
        """Logical id, type and physical id of what a stack holds."""
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=name)
        return [
            (it["LogicalResourceId"], it["ResourceType"], it.get("PhysicalResourceId", ""))
            for page in pages
            for it in page["StackResourceSummaries"]
            if it["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def _ready(self, key: str) -> State | None:
        """The stack when it can be changed: what was begun before is waited for, what it left is cleaned up."""
        state = self.state(key)
        if state and state.is_moving:
            self.progress.say(f"{key}: {state.status}: waiting for what was begun before")
            state = self.settled(key)
        if state and state.status == "UPDATE_ROLLBACK_FAILED":
            self.progress.say(f"{key}: {state.status}: rolling back first")
            seen = self._event_ids(key)
            self.client.continue_update_rollback(StackName=state.name)
            self._wait(key, seen, ("UPDATE_ROLLBACK_COMPLETE",))
            state = self.state(key)
        if state and state.status in NEVER_MADE:
            self.progress.say(f"{key}: {state.status}: what an earlier attempt left is deleted first")
            self.delete(state, key)
            state = None
        return state

    def settled(self, key: str) -> State | None:
        """The stack when CloudFormation is not at work on it any more."""

        def look() -> tuple[State | None] | None:
            state = self.state(key)
            return None if state and state.is_moving else (state,)

        return pace.until(look, f"{key}: CloudFormation is not done", within=CHANGED_WITHIN, every=LOOK_EVERY)[0]

    def _change_set(self, wanted: Wanted, kind: str) -> str | None:
        """The change set's id; none when nothing would change."""
        name = f"trestle-{int(time.time() * 1000)}"
        created = self.client.create_change_set(
            StackName=self.place.stack(wanted.key),
            ChangeSetName=name,
            ChangeSetType=kind,
            Parameters=wanted.arguments(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=self.place.tag_list(),
            **self._template(wanted),
        )
        change_set = str(created["Id"])

        def look() -> dict[str, str] | None:
            found = self.client.describe_change_set(ChangeSetName=change_set)
            return found if found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

        found = pace.until(look, f"{wanted.key}: the change set is not made", within=300, every=2)
        if found["Status"] == "CREATE_COMPLETE":
            return change_set
        self._drop(wanted.key, change_set, kind)
        reason = found.get("StatusReason", "")
        if "didn't contain changes" in reason or "No updates" in reason:
            return None
        raise Failure(f"{wanted.key}: {reason or 'the change set failed'}")

    def _template(self, wanted: Wanted) -> dict[str, str]:
        if len(wanted.body.encode()) <= LONGEST_BODY:
            return {"TemplateBody": wanted.body}
        if self.upload is None:
            raise Failure(
                f"{wanted.key}: the template has more than {LONGEST_BODY} bytes, and there is no release bucket yet"
            )
        return {"TemplateURL": self.upload(wanted.body)}

    def _changes(self, change_set: str) -> list[ResourceChange]:
        pages = self.client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        changes = [change["ResourceChange"] for page in pages for change in page.get("Changes", [])]
        return [
            ResourceChange(
                Action=change["Action"],
                LogicalResourceId=change["LogicalResourceId"],
                ResourceType=change["ResourceType"],
                Replacement=str(change.get("Replacement", "False")),
                Details=change.get("Details", []),
            )
            for change in changes
        ]

    def _drop(self, key: str, change_set: str, kind: str) -> None:
        """A change set that is not carried out, and the empty stack that one for a new stack has made."""
        self.client.delete_change_set(ChangeSetName=change_set)
        state = self.state(key) if kind == "CREATE" else None
        if state and state.status == "REVIEW_IN_PROGRESS":
            self.client.delete_stack(StackName=state.name)

    def _event_ids(self, key: str) -> set[str]:
        return {event["EventId"] for event in self._events(self.place.stack(key))}

    def _events(self, name: str) -> list[Event]:
        """Oldest first."""
        try:
            found = self.client.describe_stack_events(StackName=name)["StackEvents"]
        except ClientError as error:
            if code_of(error) == "ValidationError":
                return []
            raise
        return list(reversed(found))

    def _wait(self, key: str, seen: set[str], good: tuple[str, ...], stack_id: str | None = None) -> None:
        """Tells each event that is new; fails with the first resource's reason."""
        events: list[Event] = []
        name = stack_id or self.place.stack(key)

        def look() -> str | None:
            for event in self._events(name):
                if event["EventId"] not in seen:
                    seen.add(event["EventId"])
                    events.append(event)
                    self._tell(key, event)
            state = self.look(name)
            if state is None:
                return "DELETE_COMPLETE"
            return None if state.is_moving else state.status

        status = pace.until(look, f"{key}: CloudFormation is not done", within=CHANGED_WITHIN, every=LOOK_EVERY)
        if status in good:
            return
        raise Failure(f"{key}: {status}: {first_reason(events)}")

    def _tell(self, key: str, event: Event) -> None:
        if event["ResourceType"] == "AWS::CloudFormation::Stack":
            return
        status = event["ResourceStatus"]
        if status.endswith(("_COMPLETE", "_FAILED")):
            reason = event.get("ResourceStatusReason", "")
            why = f": {reason}" if reason and status.endswith("_FAILED") else ""
            self.progress.say(f"{key}: {status} {event['LogicalResourceId']} ({event['ResourceType']}){why}")
