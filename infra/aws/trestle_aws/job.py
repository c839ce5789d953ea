"""The one-off job: an instance that makes the application's database user, migrates, seeds on demand, reports, and ends
itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from botocore.exceptions import ClientError

from trestle_aws import pace
from trestle_aws.clients import code_of
from trestle_aws.context import Context
from trestle_aws.errors import Failure

REPORT = "job/report"
# Written over what an earlier job has reported, when the next one starts.
STARTED = "started"
# A boot, packages, a migration; a seed of 100,000 products on the smallest class.
WITHIN = 1800.0
LOOK_EVERY = 5.0
GONE = ("shutting-down", "terminated", "stopping", "stopped")
# An instance that has ended without a report gets so many more looks: the report may be a moment older than the state.
LOOKS_AFTER_ITS_END = 2


@dataclass(frozen=True)
class Report:
    """What the job said last."""

    release: str
    state: str
    step: str
    message: str
    at: str

    @property
    def is_done(self) -> bool:
        """Whether the database is ready for the release."""
        return self.state == "done"


def report(context: Context) -> Report | None:
    """The last report; none before the first."""
    try:
        found = context.clients.of("ssm").get_parameter(Name=context.place.parameter(REPORT))
    except ClientError as error:
        if code_of(error) == "ParameterNotFound":
            return None
        raise
    try:
        value = json.loads(found["Parameter"]["Value"])
    except json.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not value.get("state"):
        return None
    texts = {name: str(value.get(name, "")) for name in ("release", "state", "step", "message", "at")}
    return Report(**texts)


def forget(context: Context) -> None:
    """What was reported is of a database that is no more."""
    try:
        context.clients.of("ssm").delete_parameter(Name=context.place.parameter(REPORT))
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise


def start(context: Context, release: str) -> str:
    """Starts the job's instance, or finds the one that is under way; answers its id. Its launch template says all, tags
    included.
    """
    under_way = running(context)
    if under_way:
        context.say(f"job: {under_way[0]} is under way since an earlier attempt")
        return under_way[0]
    exports = context.exports()
    if "JobLaunchTemplateId" not in exports:
        raise Failure("the stack job exports no launch template: deploy it again")
    _mark(context, release)
    started = context.clients.of("ec2").run_instances(
        LaunchTemplate={
            "LaunchTemplateId": exports["JobLaunchTemplateId"],
            "Version": exports.get("JobLaunchTemplateVersion", "$Latest"),
        },
        MinCount=1,
        MaxCount=1,
    )
    id_ = str(started["Instances"][0]["InstanceId"])
    context.say(f"job: {id_} prepares the database")
    return id_


def wait(context: Context, id_: str) -> Report:
    """Waits until it has reported; a failed one ends the command with its step and message."""
    looks = 0

    def look() -> Report | None:
        nonlocal looks
        found = report(context)
        if found and found.state != STARTED:
            return found
        if _state(context, id_) in GONE:
            looks += 1
            if looks > LOOKS_AFTER_ITS_END:
                raise Failure(
                    f"job: {id_} ended without a report; its log is in {context.place.parameter('job')} and in the "
                    "console output"
                )
        return None

    found = pace.until(look, f"job: {id_} has not reported", within=WITHIN, every=LOOK_EVERY)
    if not found.is_done:
        raise Failure(f"job: {found.step} failed: {found.message}; its log is in {context.place.parameter('job')}")
    context.say(f"job: done ({found.message or found.step})")
    return found


def _mark(context: Context, release: str) -> None:
    """The parameter, which the job itself can only write over: made here, it bears the tags."""
    client, name = context.clients.of("ssm"), context.place.parameter(REPORT)
    value = json.dumps({"release": release, "state": STARTED, "step": "start", "message": "", "at": ""})
    try:
        client.put_parameter(Name=name, Value=value, Type="String", Tags=context.place.tag_list("job"))
    except ClientError as error:
        if code_of(error) != "ParameterAlreadyExists":
            raise
        client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def running(context: Context) -> list[str]:
    """The job's instances that have not ended."""
    filters = [
        *context.place.filters(),
        {"Name": "tag:Role", "Values": ["job"]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    found = context.clients.of("ec2").describe_instances(Filters=filters)["Reservations"]
    return [str(it["InstanceId"]) for reservation in found for it in reservation["Instances"]]


def end(context: Context) -> None:
    """Ends those, and waits until they are gone."""
    ids = running(context)
    if ids:
        client = context.clients.of("ec2")
        client.terminate_instances(InstanceIds=ids)
        context.say(f"job: {', '.join(ids)} ended")
        client.get_waiter("instance_terminated").wait(InstanceIds=ids)


def _state(context: Context, id_: str) -> str:
    try:
        found = context.clients.of("ec2").describe_instances(InstanceIds=[id_])["Reservations"]
    except ClientError as error:
        # EC2 does not know an instance at once everywhere.
        if code_of(error) == "InvalidInstanceID.NotFound":
            return "pending"
        raise
    return str(found[0]["Instances"][0]["State"]["Name"])
