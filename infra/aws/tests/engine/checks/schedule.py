"""Properties of the schedule: what needs the database runs only while it does, on the days and hours of the time zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, number
from trestle_aws.template import Resource
from trestle_aws.values import Symbol, Text, Value

NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
NUMBERS = ("0", "1", "2", "3", "4", "5", "6")
MONDAY = datetime(2026, 11, 30)
"""A week without a change of clocks anywhere; test_schedule.py looks at those."""


@dataclass(frozen=True)
class Cron:
    """A time of day on days of the week: all that the schedules use of cron."""

    minute: int
    hour: int
    days: frozenset[int]
    """0 is Sunday."""

    @classmethod
    def of(cls, text: str) -> Cron:
        """Of `M H * * DAYS` (auto scaling) or `cron(M H ? * DAYS *)` (EventBridge). ValueError for all else."""
        fields = text.split()
        if match := re.fullmatch(r"cron\((\d+) (\d+) (\S+) \* (\S+) \*\)", text):
            minute, hour, day, week = match.groups()
            # EventBridge wants exactly one of day of month and day of week to be ?.
            if (day, week).count("?") != 1 or (week == "?" and day != "*"):
                raise ValueError(f"{text}: EventBridge wants one ? in it")
            return cls(_number(minute, 59), _number(hour, 23), _days("*" if week == "?" else week, NAMES))
        if len(fields) == 5 and fields[2:4] == ["*", "*"]:
            return cls(_number(fields[0], 59), _number(fields[1], 23), _days(fields[4], NUMBERS))
        raise ValueError(f"{text} is no time of day on days of the week")

    def times(self, zone: ZoneInfo, first: datetime = MONDAY, days: int = 7) -> list[datetime]:
        """When it comes, in a zone, from a day on."""
        found = []
        for offset in range(days):
            day = first + timedelta(days=offset)
            if day.isoweekday() % 7 in self.days:
                found.append(day.replace(hour=self.hour, minute=self.minute, tzinfo=zone))
        return found


def _number(text: str, most: int) -> int:
    value = int(text)
    if not 0 <= value <= most:
        raise ValueError(f"{text} is more than {most}")
    return value


def _days(text: str, known: tuple[str, ...]) -> frozenset[int]:
    if text == "*":
        return frozenset(range(7))
    first, _, last = text.partition("-")
    begin, end = known.index(first), known.index(last or first)
    if begin > end:
        raise ValueError(f"{text} ends before it begins; cron's weeks begin on Sunday")
    return frozenset(range(begin, end + 1))


@dataclass(frozen=True)
class Step:
    """Something that is stopped or started at a time."""

    resource: Resource
    what: str
    """web, api, database, instances"""
    starts: bool
    cron: Cron
    zone: str


def group_names(environment: Environment) -> dict[Value, str]:
    """The groups' names as the schedule sees them."""
    return {environment.export("WebGroup"): "web", environment.export("ApiGroup"): "api"}  # type: ignore[dict-item]


CALLS = {
    "rds:stopDBInstance": ("database", False),
    "rds:startDBInstance": ("database", True),
    "ec2:stopInstances": ("instances", False),
    "ec2:startInstances": ("instances", True),
}


def steps(environment: Environment) -> Iterator[Step | tuple[Resource, str]]:
    """All of them; a pair says what cannot be understood."""
    groups = group_names(environment)
    for action in environment.resources("AWS::AutoScaling::ScheduledAction"):
        name = action.properties.get("AutoScalingGroupName")
        what = groups.get(name) if isinstance(name, Symbol) else None
        yield from _step(action, what, number(action.properties.get("MaxSize")) > 0, "Recurrence", "TimeZone")
    for one in environment.resources("AWS::Scheduler::Schedule"):
        call = str(at(one.properties, "Target/Arn")).removeprefix("arn:aws:scheduler:::aws-sdk:")
        what, starts = CALLS.get(call, (None, False))
        yield from _step(one, what, starts, "ScheduleExpression", "ScheduleExpressionTimezone")


def _step(
    resource: Resource, what: str | None, starts: bool, when: str, zone: str
) -> Iterator[Step | tuple[Resource, str]]:
    if what is None:
        yield resource, "stops and starts nothing of the shop"
        return
    try:
        cron = Cron.of(str(resource.properties.get(when)))
    except ValueError as error:
        yield resource, str(error)
        return
    yield Step(resource, what, starts, cron, str(resource.properties.get(zone, "")))


@property_of("what is scheduled is understood by AWS")
def readable(environment: Environment) -> Iterator[tuple[object, str]]:
    for step in steps(environment):
        if isinstance(step, tuple):
            yield step
    for one in environment.resources("AWS::Scheduler::Schedule"):
        if at(one.properties, "FlexibleTimeWindow/Mode") != "OFF":
            yield one, "comes some time later than it says"
        if one.properties.get("State", "ENABLED") != "ENABLED":
            yield one, "is switched off"
        if not 60 <= number(at(one.properties, "Target/RetryPolicy/MaximumEventAgeInSeconds")) <= 900:
            yield one, "may be tried hours later, against the next one"


@property_of("a demonstration runs in its hours and no longer")
def hours(environment: Environment) -> Iterator[tuple[object, str]]:
    if environment.parameter("OfficeHours", "schedule") != "yes":
        for one in environment.resources("AWS::AutoScaling::ScheduledAction", "AWS::Scheduler::Schedule"):
            yield one, "stops a shop that is to run on"
        return
    known = [step for step in steps(environment) if isinstance(step, Step)]
    zone = environment.parameter("TimeZone", "schedule")
    first, last = (number(environment.parameter(name, "schedule")) for name in ("StartHour", "StopHour"))
    days = _days(environment.parameter("Days", "schedule"), NAMES)
    database = environment.parameter("Database", "schedule") == "yes"
    wanted = {"instances"} if environment.parameter("Tier", "schedule") == "instances" else {"web", "api"}
    for what in wanted | ({"database"} if database else set()):
        for starts in (True, False):
            count = sum(step.what == what and step.starts == starts for step in known)
            if count != 1:
                yield "schedule", f"{what} is {'started' if starts else 'stopped'} {count} times"
    for step in known:
        if step.zone != zone:
            yield step.resource, f"goes by the clock of {step.zone or 'UTC'}, not of {zone}"
        if step.what not in wanted | {"database"}:
            yield step.resource, f"is about {step.what}, which is not there"
        if step.starts and step.cron.days != days:
            yield step.resource, "starts on other days"
        if not step.starts and step.cron.days != frozenset(range(7)):
            yield (
                step.resource,
                "does not stop every evening, so RDS's own start after seven days, or somebody's, costs on",
            )
        if step.cron.hour != (first if step.starts else last):
            yield step.resource, f"comes at {step.cron.hour}:{step.cron.minute:02}"
    minutes = {(step.what, step.starts): step.cron.hour * 60 + step.cron.minute for step in known}
    for what in wanted:
        if database and minutes.get((what, True), 0) - minutes.get(("database", True), 0) < 15:
            yield "schedule", f"{what} starts before the database has"
        if database and minutes.get(("database", False), 0) - minutes.get((what, False), 0) < 5:
            yield "schedule", f"the database stops while {what} may still use it"


@property_of("groups come back as they were")
def sizes(environment: Environment) -> Iterator[tuple[object, str]]:
    for step in steps(environment):
        if not isinstance(step, Step) or step.what not in ("web", "api"):
            continue
        found = tuple(number(step.resource.properties.get(name)) for name in ("MinSize", "MaxSize", "DesiredCapacity"))
        least, most = (number(environment.parameter(f"{step.what.title()}{bound}", "app")) for bound in ("Min", "Max"))
        wanted = (least, most, least) if step.starts else (0, 0, 0)
        if found != wanted:
            yield step.resource, f"sets {found}, not {wanted} (least, most, wanted)"


@property_of("the scheduler may do what it does, and nothing else")
def scheduler(environment: Environment) -> Iterator[tuple[object, str]]:
    for one in environment.resources("AWS::Scheduler::Schedule"):
        call = str(at(one.properties, "Target/Arn")).removeprefix("arn:aws:scheduler:::aws-sdk:")
        what, starts = CALLS.get(call, ("", False))
        try:
            given = json.loads(str(at(one.properties, "Target/Input")))
        except ValueError:
            yield one, "its input is no JSON"
            continue
        if what == "database":
            wanted: object = {"DbInstanceIdentifier": str(environment.export("DatabaseIdentifier"))}
        else:
            wanted = {"InstanceIds": [str(one) for one in environment.export_list("InstanceIds")]}
        if given != wanted:
            yield one, f"its input is {given}, not {wanted}"
        # A stopped database refuses to be stopped: to try that again is of no use.
        retries = number(at(one.properties, "Target/RetryPolicy/MaximumRetryAttempts"))
        if (retries != 0) if (what, starts) == ("database", False) else not 1 <= retries <= 10:
            yield one, f"is tried {retries:g} times again"
        group = environment.behind(one.properties.get("GroupName"))
        if group is None or group.type != "AWS::Scheduler::ScheduleGroup":
            yield one, "is in no group of ours"
        role = environment.behind(at(one.properties, "Target/RoleArn"))
        if role is None:
            yield one, "has no role"
            continue
        yield from _role(environment, one, role, call, group)


def _role(
    environment: Environment, one: Resource, role: Resource, call: str, group: Resource | None
) -> Iterator[tuple[object, str]]:
    service, _, name = call.partition(":")
    action = f"{service}:{name[:1].upper()}{name[1:]}"
    lines = [
        mapping(line)
        for policy in items(role.properties.get("Policies"))
        for line in items(at(policy, "PolicyDocument/Statement"))
    ]
    fitting = [line for line in lines if action in items(line.get("Action"))]
    if len(fitting) != 1:
        yield role, f"allows {action} {len(fitting)} times"
    for line in fitting:
        if service == "rds":
            wanted: Value = Text(
                (f"arn:aws:rds:{environment.region}:123456789012:db:", environment.export("DatabaseIdentifier"))
            )  # type: ignore[arg-type]
            if line.get("Resource") != wanted:
                yield role, f"{action} is allowed on {line.get('Resource')}"
        else:
            tags = {
                f"aws:ResourceTag/{tag}": environment.parameter(tag, "schedule") for tag in ("Project", "Environment")
            }
            if at(line, "Condition/StringEquals") != tags:
                yield role, f"{action} is allowed on instances of others"
    trust = mapping(items(at(role.properties, "AssumeRolePolicyDocument/Statement"))[0])
    source = f"arn:aws:scheduler:{environment.region}:123456789012:schedule-group/{group.properties.get('Name') if group else ''}"
    if at(trust, "Condition/StringEquals/aws:SourceArn") != source:
        yield role, "may be taken by schedules of others"


@property_of("no stack is empty")
def something(environment: Environment) -> Iterator[tuple[object, str]]:
    """CloudFormation takes no template without a resource, as one is whose options are all off."""
    for key, stack in environment.stacks.items():
        if not stack.resources:
            yield key, "has no resource with these parameters"
