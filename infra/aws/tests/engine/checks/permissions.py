"""What roles may do is what instances and the Lambda function do, call by call: the bootstrap tests record it (recorded_calls.json).

A recorded call names what it is about, not its ARN (`logs:PutLogEvents web`), so it can be looked at in every environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from engine.checks.registry import property_of
from engine.environment import GIVEN, ROOT, Environment, at, items
from engine.policy import Statement, allowed, statements
from trestle_aws.template import ACCOUNT, Resource
from trestle_aws.values import GetAtt, Ref, Symbol, Value, bind

RECORDED = ROOT / "tests/recorded_calls.json"
ROLES = {"web": "WebRole", "api": "ApiRole", "job": "JobRole", "single": "SingleRole", "generator": "GeneratorRole"}
"""The roles of instances, and the exports that name them."""
AGENT = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""Called by Amazon's SSM agent for Session Manager and Run Command. It cannot be run without an account, so nothing records it."""
RUNTIME = ("logs:CreateLogStream", "logs:PutLogEvents")
"""Called by Lambda itself around the function."""
INSTANCE = "i-0123456789abcdef0"
STRANGE = (
    "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "ssm:PutParameter", "ssm:GetParameter", "ssm:SendCommand", "ssm:StartSession",
    "secretsmanager:PutSecretValue", "secretsmanager:ListSecrets", "logs:DeleteLogStream", "logs:CreateLogGroup", "iam:PassRole",
    "ec2:RunInstances", "ec2:TerminateInstances", "sts:AssumeRole", "autoscaling:SetDesiredCapacity", "rds:DeleteDBInstance", "kms:Decrypt",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """An action on a resource, with what IAM knows of the resource."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    def is_allowed(self, by: list[Statement]) -> bool:
        """IAM's decision."""
        return allowed(by, self.action, self.resource, dict(self.context))

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@cache
def recorded() -> dict[str, list[str]]:
    """By role, "ACTION WHAT"."""
    return dict(json.loads(RECORDED.read_text()))


class Names:
    """What recorded calls are about, in an environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.region = environment.region
        place = f"{GIVEN['Project']}/{GIVEN['Environment']}"
        self._path = f"/{place}/"
        self._parameters = {
            str(parameter.properties["Name"]): parameter.properties["Value"]
            for parameter in environment.resources("AWS::SSM::Parameter")
        }

    def call(self, said: str) -> Call | None:
        """The call; None where what it is about is not part of the environment."""
        action, about = said.split(" ", 1)
        service = action.split(":")[0]
        prefix = f"arn:aws:{service}:{self.region}:{ACCOUNT}:"
        match service:
            case "s3":
                release = GIVEN["Release"]
                return Call(
                    action, f"arn:aws:s3:::{GIVEN['ReleaseBucket']}/releases/{release}/trestle-{release}-amd64.tar.gz"
                )
            case "ssm":
                return Call(action, f"{prefix}parameter{self._path}{about}")
            case "logs":
                return Call(action, f"{prefix}log-group:{self._path}{about}:log-stream:{INSTANCE}")
            case "secretsmanager":
                arn = self._secret(self._parameters.get(self._path + about))
                return Call(action, arn) if arn else None
            case "autoscaling":
                return self._group(action, about)
        raise AssertionError(f"recorded, and not known here: {said}")

    def _secret(self, named: Value) -> str:
        """A secret's ARN, from the parameter that names it."""
        secret = self.environment.behind(named)
        if secret is None or not isinstance(secret.properties.get("Name"), str):
            return ""
        return f"arn:aws:secretsmanager:{self.region}:{ACCOUNT}:secret:{secret.properties['Name']}-AbCdEf"

    def _group(self, action: str, export: str) -> Call | None:
        group = self.environment.behind(self.environment.export(export))
        if group is None:
            return None
        # As CloudFormation makes it up.
        name = f"{self.environment.stacks[group.stack].name}-{group.id}-1A2B3C4D5E6F"
        arn = f"arn:aws:autoscaling:{self.region}:{ACCOUNT}:autoScalingGroup:11111111-2222-3333-4444-555555555555:autoScalingGroupName/{name}"
        tags = [tag for tag in items(group.properties.get("Tags")) if isinstance(tag, dict)]
        return Call(action, arn, tuple((f"autoscaling:ResourceTag/{tag['Key']}", str(tag["Value"])) for tag in tags))

    def bound(self, symbol: Symbol) -> Value:
        """What policies say of other resources."""
        resource = self.environment.behind(symbol)
        if resource and resource.type == "AWS::S3::Bucket":
            return GIVEN["ReleaseBucket"] if resource.stack == "release" else f"{resource.stack}-bucket"
        if resource and resource.type == "AWS::SecretsManager::Secret":
            return self._secret(symbol) or f"arn:aws:secretsmanager:{self.region}:{ACCOUNT}:secret:{resource.id}-AbCdEf"
        if resource and resource.type == "AWS::Logs::LogGroup" and isinstance(symbol, GetAtt):
            return f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{bind(resource.properties.get('LogGroupName'), self.bound)}:*"
        if isinstance(symbol, (Ref, GetAtt)):
            return f"{symbol.stack}-{symbol.id}"
        return str(symbol)


def agent(names: Names) -> list[Call]:
    """The agent's calls, on the instance itself or on nothing that has a name."""
    instance = f"arn:aws:ec2:{names.region}:{ACCOUNT}:instance/{INSTANCE}"
    return [Call(action, instance if action.startswith("ssm:") else "*") for action in AGENT]


@dataclass(frozen=True)
class Bearer:
    """A role, what it may, and what it does."""

    resource: Resource
    statements: list[Statement]
    calls: list[Call]
    service: str
    is_whole: bool
    """Whether all that was recorded of it is part of the environment."""


def bearers(environment: Environment) -> Iterator[Bearer]:
    """Of instances and of the function that posts to Slack."""
    names = Names(environment)
    for role, export in ROLES.items():
        resource = environment.behind(environment.export(export))
        if resource is None:
            continue
        calls = [names.call(said) for said in recorded()[role]]
        there = [call for call in calls if call is not None]
        own = statements(resource.id, resource.properties, names.bound)
        yield Bearer(resource, own, there + agent(names), "ec2.amazonaws.com", len(there) == len(calls))
    for function in environment.resources("AWS::Lambda::Function"):
        resource = environment.behind(function.properties.get("Role"))
        if resource is not None:
            yield Bearer(
                resource,
                statements(resource.id, resource.properties, names.bound),
                list(_of_function(names, function)),
                "lambda.amazonaws.com",
                True,
            )


def _of_function(names: Names, function: Resource) -> Iterator[Call]:
    secret = bind(at(function.properties, "Environment/Variables/WEBHOOK_SECRET"), names.bound)
    yield Call("secretsmanager:GetSecretValue", str(secret))
    group = names.environment.behind(at(function.properties, "LoggingConfig/LogGroup"))
    written = (
        bind(group.properties.get("LogGroupName"), names.bound)
        if group
        else f"/aws/lambda/{function.properties.get('FunctionName')}"
    )
    for action in RUNTIME:
        yield Call(
            action, f"arn:aws:logs:{names.region}:{ACCOUNT}:log-group:{written}:log-stream:2026/11/28/[$LATEST]0123"
        )


@property_of("roles may do what they do, and nothing else")
def least_privilege(environment: Environment) -> Iterator[tuple[object, str]]:
    known = list(bearers(environment))
    for one in known:
        for call in one.calls:
            if not call.is_allowed(one.statements):
                yield one.resource, f"may not {call}, and does"
        if one.is_whole:
            yield from _unused(one)
        for call in _others(one, known):
            if call.is_allowed(one.statements):
                yield one.resource, f"may {call}, and never does"
        trust = at(one.resource.properties, "AssumeRolePolicyDocument/Statement")
        if trust != [{"Effect": "Allow", "Principal": {"Service": one.service}, "Action": "sts:AssumeRole"}]:
            yield one.resource, f"may be taken by others than {one.service}"
        if one.resource.properties.get("ManagedPolicyArns"):
            yield one.resource, "has managed policies, which allow what nobody recorded"


def _unused(one: Bearer) -> Iterator[tuple[object, str]]:
    """Each action, each resource and each statement is there for a call."""
    for statement in one.statements:
        used = [call for call in one.calls if statement.covers(call.action, call.resource, dict(call.context))]
        for action in statement.actions:
            if "*" in action or not any(call.action.lower() == action.lower() for call in used):
                yield one.resource, f"{statement.sid} allows {action}, which nothing calls"
        for resource in statement.resources:
            narrow = Statement(statement.role, statement.sid, "Allow", statement.actions, (resource,), {})
            if not any(narrow.covers(call.action, call.resource, {}) for call in used):
                yield one.resource, f"{statement.sid} names {resource}, which nothing asks for"
        rest = [other for other in one.statements if other is not statement]
        if statement.effect == "Allow" and all(call.is_allowed(rest) for call in used):
            yield one.resource, f"{statement.sid} allows nothing that others do not"


def _others(one: Bearer, known: list[Bearer]) -> Iterator[Call]:
    """Calls that are not its own: of other roles, on resources of another environment or account, and such as the shop never makes."""
    own = {(call.action, call.resource) for call in one.calls}
    for other in known:
        yield from (call for call in other.calls if (call.action, call.resource) not in own)
    for call in one.calls:
        if call.resource == "*":
            continue
        strange = call.resource.replace(f"{GIVEN['Project']}/{GIVEN['Environment']}", f"{GIVEN['Project']}/other")
        strange = strange.replace(f"{GIVEN['Project']}-{GIVEN['Environment']}", f"{GIVEN['Project']}-other")
        elsewhere = call.resource.replace(f":{ACCOUNT}:", ":999999999999:").replace(
            "arn:aws:s3:::", "arn:aws:s3:::another-"
        )
        yield from (Call(call.action, other, call.context) for other in (strange, elsewhere) if other != call.resource)
        if call.context:
            yield Call(call.action, call.resource, _of_others(call.context))
        yield from (
            Call(action, call.resource, call.context) for action in STRANGE if (action, call.resource) not in own
        )


def _of_others(context: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((key, f"{value}-other") for key, value in context)


def text(mapping: Mapping[str, list[str]]) -> str:
    """How recorded calls are kept in the file."""
    return json.dumps({role: sorted(calls) for role, calls in sorted(mapping.items())}, indent=2) + "\n"
