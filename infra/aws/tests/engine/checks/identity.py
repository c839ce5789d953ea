"""Properties of roles: what each may do in AWS, and who may be one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore.exceptions import UnknownServiceError

from engine.checks.machine import machines, user_data
from engine.checks.registry import property_of
from engine.environment import GIVEN, Environment, at, items, mapping
from trestle_aws.values import Value


def statements(environment: Environment) -> Iterator[tuple[object, dict[str, Value]]]:
    """Each statement of each role's policies."""
    for resource in environment.resources("AWS::IAM::Role"):
        for policy in map(mapping, items(resource.properties.get("Policies"))):
            for statement in map(mapping, items(at(policy, "PolicyDocument/Statement"))):
                yield resource, statement
    for resource in environment.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        for statement in map(mapping, items(at(resource.properties, "PolicyDocument/Statement"))):
            yield resource, statement


WITHOUT_RESOURCE = {
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
"""Actions that know no resource."""


@property_of("roles may do named things with named resources")
def least_privilege(environment: Environment) -> Iterator[tuple[object, str]]:
    told = environment.parameter("SlackSecretArn", "ops") or "none"
    ours = (told, f"{GIVEN['Project']}/{GIVEN['Environment']}", f"{GIVEN['Project']}-{GIVEN['Environment']}", "${")
    for where, statement in statements(environment):
        actions = [str(action) for action in items(statement.get("Action"))]
        if statement.get("Effect") != "Allow" or not actions or "NotAction" in statement or "NotResource" in statement:
            yield where, f"{statement.get('Sid')} is no list of what is allowed"
        for action in actions:
            if "*" in action or ":" not in action:
                yield where, f"{statement.get('Sid')} allows {action}"
        for target in map(str, items(statement.get("Resource"))):
            if target == "*" and not set(actions) <= WITHOUT_RESOURCE:
                yield where, f"{statement.get('Sid')} allows {', '.join(actions)} on everything"
            if (
                target != "*"
                and set(actions) != {"logs:DescribeLogGroups"}
                and not any(mark in target for mark in ours)
                and not target.endswith(":instance/*")
            ):
                yield where, f"{statement.get('Sid')} reaches {target}, which may be somebody else's"
        if not items(statement.get("Resource")):
            yield where, f"{statement.get('Sid')} names no resource"


@property_of("only the job may read the master user's secret")
def master_secret(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("security"):
        return
    job = environment.behind(environment.export("JobRole"))
    master = environment.behind(environment.export("MasterSecretArn"))
    readers = []
    for where, statement in statements(environment):
        for target in map(str, items(statement.get("Resource"))):
            if "secretsmanager:GetSecretValue" in items(statement.get("Action")) and (
                "/master-" in target or str(master) in target
            ):
                readers.append(where)
    for reader in readers:
        if reader is not job:
            yield reader, "may read the master user's secret"
    if job not in readers:
        yield "security", "the job may not read the master user's secret"


@property_of("a role is taken on only by the service that it is for")
def trust(environment: Environment) -> Iterator[tuple[object, str]]:
    profiles = {
        str(other)
        for resource in environment.resources("AWS::IAM::InstanceProfile")
        for other in items(resource.properties.get("Roles"))
    }
    for resource in environment.resources("AWS::IAM::Role"):
        found = items(at(resource.properties, "AssumeRolePolicyDocument/Statement"))
        if len(found) != 1:
            yield resource, "is trusted by more than one statement, or none"
        for statement in map(mapping, found):
            service = at(statement, "Principal/Service")
            if mapping(statement.get("Principal")).keys() != {"Service"} or not isinstance(service, str):
                yield resource, f"trusts {statement.get('Principal')}"
            elif (str(resource.ref) in profiles) != (service == "ec2.amazonaws.com"):
                yield resource, f"trusts {service}"
            if statement.get("Effect") != "Allow" or statement.get("Action") != "sts:AssumeRole":
                yield resource, f"its trust says {statement.get('Effect')} {statement.get('Action')}"
        for path in ("AssumeRolePolicyDocument/Version",):
            if at(resource.properties, path) != "2012-10-17":
                yield (
                    resource,
                    f"{path} is {at(resource.properties, path)}: the older language takes variables literally",
                )


@property_of("policies are of the current language")
def policy_language(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources():
        for path, document in documents(resource.properties):
            if mapping(document).get("Version") != "2012-10-17":
                yield resource, f"{path}: Version is {mapping(document).get('Version')}"
            for statement in map(mapping, items(mapping(document).get("Statement"))):
                if statement.get("Effect") not in ("Allow", "Deny"):
                    yield resource, f"{path}: Effect is {statement.get('Effect')}"


def documents(value: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    """Policy documents, wherever they are in a resource."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict) and "Statement" in item:
                yield f"{path}/{key}", item
            yield from documents(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from documents(item, path)


# Actions that are named otherwise than the call, or whose service boto3 does not know.
NOT_CALLS = WITHOUT_RESOURCE | {"lambda:InvokeFunction", "ssm:UpdateInstanceInformation"}


@cache
def operations(service: str) -> frozenset[str]:
    """The calls of a service."""
    return frozenset(botocore.session.get_session().get_service_model(service).operation_names)


@property_of("policies allow actions that exist")
def actions_exist(environment: Environment) -> Iterator[tuple[object, str]]:
    """A misspelled action is no error to IAM; it allows nothing."""
    for where, statement in statements(environment):
        for action in map(str, items(statement.get("Action"))):
            service, _, name = action.partition(":")
            try:
                known = action in NOT_CALLS or name in operations(service)
            except UnknownServiceError:
                known = False
            if not known and "*" not in action:
                yield where, f"{statement.get('Sid')} allows {action}, which is nothing"


@property_of("the VPN's role may do what its program does, and nothing else")
def vpn_role(environment: Environment) -> Iterator[tuple[object, str]]:
    for machine in machines(environment):
        if machine.stack != "access":
            continue
        called = {
            f"ssm:{name}"
            for name in re.findall(r"\| *(?:\\\n)? *ssm (\w+)|^ *ssm (\w+)", user_data(machine), re.MULTILINE)
            for name in name
            if name
        }
        profile = environment.behind(machine.data.get("IamInstanceProfile"))
        allowed = set()
        for role in map(environment.behind, items(profile.properties.get("Roles")) if profile else []):
            for where, statement in statements(environment):
                if where is role:
                    allowed |= set(map(str, items(statement.get("Action"))))
        if called != allowed:
            yield (
                machine,
                f"calls {', '.join(sorted(called)) or 'nothing'} and may {', '.join(sorted(allowed)) or 'do nothing'}",
            )
