"""Roles may do what instances and the Slack function were seen to do (test_bootstrap.py, test_slack.py record it), and nothing else.

The property itself is in engine/checks/permissions.py and is looked at in every environment; here it is shown that it notices.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
from collections.abc import Iterator
from functools import cache

import boto3
import botocore.client
import pytest
from engine.checks.permissions import bearers, least_privilege, recorded
from engine.environment import ROOT, Environment, Variant, build
from engine.policy import PolicyError, Statement, allowed, statements
from moto import mock_aws

SLACK = Variant("demo", ("AlertEmail=alerts@example.com", "SlackWebhook=https://hooks.slack.com/services/T0/B0/x"))
WHOLE = Variant("stage-5-auto-scaling")
"""Has all that instances ask for: groups, an internal load balancer, a cache."""
ROLES = ("WebRole", "ApiRole", "JobRole", "SingleRole", "GeneratorRole")


def findings(environment: Environment) -> list[str]:
    """What contradicts the property."""
    return [f"{where}: {message}" for where, message in least_privilege(environment)]


@cache
def whole(variant: Variant) -> Environment:
    """Evaluated once."""
    return build(variant)


def with_statements(role: str) -> tuple[Environment, list[dict[str, object]]]:
    """An environment with a copy of a role, and the statements of that copy, to be changed."""
    stack, variant = ("ops", SLACK) if role == "SlackRole" else ("security", WHOLE)
    known = whole(variant)
    resource = copy.deepcopy(known.stacks[stack].resources[role])
    resources = {**known.stacks[stack].resources, role: resource}
    stacks = {**known.stacks, stack: dataclasses.replace(known.stacks[stack], resources=resources)}
    policies = resource.properties["Policies"]
    assert isinstance(policies, list) and len(policies) == 1
    return dataclasses.replace(known, stacks=stacks), policies[0]["PolicyDocument"]["Statement"]  # type: ignore[index,call-overload,return-value]


def places() -> Iterator[tuple[str, int]]:
    """Each statement of each role."""
    for role in (*ROLES, "SlackRole"):
        yield from ((role, number) for number in range(len(with_statements(role)[1])))


@pytest.mark.parametrize("variant", [WHOLE, SLACK], ids=["groups", "slack"])
def test_roles_are_as_wide_as_what_they_do(variant: Variant) -> None:
    environment = whole(variant)
    assert findings(environment) == []
    known = list(bearers(environment))
    assert all(one.is_whole for one in known) and len(known) == len(ROLES) + (variant is SLACK)


@pytest.mark.parametrize(("role", "number"), list(places()))
def test_a_statement_that_is_removed_is_missed(role: str, number: int) -> None:
    environment, found = with_statements(role)
    del found[number]
    assert any("may not" in finding and "and does" in finding for finding in findings(environment))


@pytest.mark.parametrize(("role", "number"), list(places()))
def test_a_statement_that_is_widened_is_noticed(role: str, number: int) -> None:
    """In its resources, in its actions, and by losing its condition."""
    environment, found = with_statements(role)
    if found[number]["Resource"] != "*":
        found[number]["Resource"] = "*"
        assert findings(environment) != []
    environment, found = with_statements(role)
    actions = found[number]["Action"]
    found[number]["Action"] = f"{(actions if isinstance(actions, str) else actions[0]).split(':')[0]}:*"  # type: ignore[index]
    assert findings(environment) != []
    environment, found = with_statements(role)
    if found[number].pop("Condition", None):
        assert findings(environment) != []


@pytest.mark.parametrize("role", ROLES)
def test_one_more_statement_is_noticed(role: str) -> None:
    for action, resource in (
        ("s3:GetObject", "*"),
        ("secretsmanager:GetSecretValue", "*"),
        ("ec2:DescribeInstances", "*"),
    ):
        environment, found = with_statements(role)
        found.append({"Effect": "Allow", "Action": action, "Resource": resource})
        assert findings(environment) != [], action


def test_the_master_users_secret_is_the_jobs_alone() -> None:
    holders = [role for role, calls in recorded().items() if any("master-secret" in call for call in calls)]
    assert holders == ["job"]


def test_the_slack_function_asks_for_its_webhook_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call that its code makes of AWS; CloudWatch's own are the runtime's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    calls: list[tuple[str, str, object]] = []
    real = botocore.client.BaseClient._make_api_call

    def record(self, operation, arguments):  # type: ignore[no-untyped-def]
        calls.append((self.meta.service_model.service_name, operation, arguments))
        return real(self, operation, arguments)

    spec = importlib.util.spec_from_file_location("slack_recorded", ROOT / "lambda/slack.py")
    assert spec and spec.loader
    slack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(slack)
    with mock_aws():
        made = boto3.client("secretsmanager").create_secret(Name="webhook", SecretString="http://127.0.0.1:9/T/B/x")
        monkeypatch.setenv("WEBHOOK_SECRET", made["ARN"])
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", record)
        monkeypatch.setattr(slack.time, "sleep", lambda seconds: None)
        with pytest.raises(RuntimeError):
            slack.handler({"Records": [{"Sns": {"Message": json.dumps({"hello": 1}), "Subject": "x"}}]}, None)
    assert calls == [("secretsmanager", "GetSecretValue", {"SecretId": made["ARN"]})]


def statement(**body: object) -> list[Statement]:
    """A role with one statement."""
    document = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **body}}
    return statements(
        "Role", {"Policies": [{"PolicyName": "p", "PolicyDocument": document}]}, lambda symbol: str(symbol)
    )  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "action", "resource", "context", "may"),
    [
        ({}, "s3:GetObject", "arn:aws:s3:::b/x/y", {}, True),
        ({}, "S3:getobject", "arn:aws:s3:::b/x", {}, True),
        ({}, "s3:GetObject", "arn:aws:s3:::B/x", {}, False),
        ({}, "s3:GetObject", "arn:aws:s3:::b", {}, False),
        ({}, "s3:PutObject", "arn:aws:s3:::b/x", {}, False),
        ({"Action": ["s3:Get*", "s3:Put?bject"]}, "s3:PutObject", "arn:aws:s3:::b/x", {}, True),
        ({"Resource": "arn:aws:s3:::b/?"}, "s3:GetObject", "arn:aws:s3:::b/xy", {}, False),
        ({"Effect": "Deny"}, "s3:GetObject", "arn:aws:s3:::b/x", {}, False),
        (
            {"Condition": {"StringEquals": {"aws:ResourceTag/P": "a"}}},
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            {"aws:ResourceTag/P": "a"},
            True,
        ),
        (
            {"Condition": {"StringEquals": {"aws:ResourceTag/P": ["a", "b"]}}},
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            {"aws:ResourceTag/P": "b"},
            True,
        ),
        (
            {"Condition": {"StringEquals": {"aws:ResourceTag/P": "a"}}},
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            {"aws:ResourceTag/P": "A"},
            False,
        ),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/P": "a"}}}, "s3:GetObject", "arn:aws:s3:::b/x", {}, False),
        (
            {"Condition": {"StringLike": {"k": "a*"}, "Bool": {"s": "true"}}},
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            {"k": "ab", "s": "true"},
            True,
        ),
        (
            {"Condition": {"StringLike": {"k": "a*"}, "Bool": {"s": "true"}}},
            "s3:GetObject",
            "arn:aws:s3:::b/x",
            {"k": "ab"},
            False,
        ),
        ({"Condition": {"StringEqualsIfExists": {"k": "a"}}}, "s3:GetObject", "arn:aws:s3:::b/x", {}, True),
        ({"Condition": {"StringNotEquals": {"k": "a"}}}, "s3:GetObject", "arn:aws:s3:::b/x", {"k": "a"}, False),
    ],
)
def test_the_evaluator_decides_as_iam(
    body: dict[str, object], action: str, resource: str, context: dict[str, str], may: bool
) -> None:
    assert allowed(statement(**body), action, resource, context) is may


def test_a_denial_wins() -> None:
    both = statement() + statement(Effect="Deny", Resource="arn:aws:s3:::b/secret")
    assert allowed(both, "s3:GetObject", "arn:aws:s3:::b/open") and not allowed(
        both, "s3:GetObject", "arn:aws:s3:::b/secret"
    )


@pytest.mark.parametrize(
    "body", [{"NotAction": "s3:*"}, {"Principal": "*"}, {"Condition": {"DateLessThan": {"k": "2026"}}}]
)
def test_what_is_not_understood_is_an_error(body: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        allowed(statement(**body), "s3:GetObject", "arn:aws:s3:::b/x", {"k": "x"})
