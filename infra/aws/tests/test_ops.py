"""The stack ops: what it refuses, the table of metrics, and the tools by which alarms and queries are looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine import aws_metrics, metric_math
from engine.checks import alarms, queries
from engine.environment import REGION, STACKS, build
from engine.variants import OPTIONS, all_variants
from engine.watching import Metric, widgets

from trestle_aws.template import ParameterError, RuleError, Stack, Template

WEBHOOK = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/example"
SECRET = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:slack-AbCdEf"


def evaluate(**parameters: str) -> Stack:
    return Template.read(STACKS / "ops.yml").evaluate({"Environment": "test"} | parameters, region=REGION)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"SlackWebhook": WEBHOOK, "SlackSecretArn": SECRET}, "not both"),
        ({"Tier": "instances", "Database": "no"}, "Database=no needs Cache=no"),
        ({"Database": "no", "Cache": "no"}, "Tier=groups needs Database=yes"),
    ],
)
def test_contradictions_are_refused(parameters: dict[str, str], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        evaluate(**parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlertEmail", "nobody"),
        ("AlertEmail", "a b@example.com"),
        ("SlackWebhook", "http://hooks.slack.com/services/T0/B0/x"),
        ("SlackWebhook", "https://hooks.slack.com.evil.example/services/T0/B0/x"),
        ("SlackWebhook", "https://example.com/?https://hooks.slack.com/services/T0"),
        ("SlackSecretArn", "slack"),
        ("LatencySeconds", "0"),
        ("LatencySeconds", "11"),
        ("ErrorPercent", "0"),
        ("ErrorPercent", "51"),
        ("FreeStorageGiB", "0"),
        ("FreeStorageGiB", "101"),
        ("CacheNodes", "4"),
        ("Instances", "3"),
        ("LogDays", "2"),
        ("Tier", "both"),
        ("ApiEntry", "alb"),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError) as refused:
        evaluate(**{name: value})
    assert refused.value.name == name


def test_the_webhook_is_shown_nowhere() -> None:
    body = Template.read(STACKS / "ops.yml").parameters["SlackWebhook"]
    assert body["NoEcho"] is True
    stack = evaluate(SlackWebhook=WEBHOOK)
    holding = [resource.id for resource in stack.resources.values() if WEBHOOK in str(resource.properties)]
    assert holding == ["SlackSecret"], "the secret, and nothing that the console shows"
    assert WEBHOOK not in str(stack.outputs)


def test_without_anybody_to_tell_there_is_still_a_dashboard() -> None:
    stack = evaluate()
    assert not stack.of_type("AWS::SNS::Subscription", "AWS::Lambda::Function", "AWS::SecretsManager::Secret")
    assert stack.of_type("AWS::CloudWatch::Dashboard") and stack.of_type("AWS::SNS::Topic")


def test_the_table_of_metrics_names_its_sources() -> None:
    assert set(aws_metrics.SOURCES) == set(aws_metrics.METRICS)
    assert all(source.startswith("https://docs.aws.amazon.com/") for source in aws_metrics.SOURCES.values())


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (("AWS/ApplicationELB", "HTTPCode_Target_5xx_Count", "LoadBalancer", "AlbFullName"), "has no metric"),
        (("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancerName", "AlbFullName"), "does not exist by"),
        (("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", "NlbFullName"), "nothing that is there"),
        (("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", "AlbDnsName"), "nothing that is there"),
        (("AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "DatabaseEndpoint"), "nothing that is there"),
        (("AWS/RDS", "BurstBalance", "DBInstanceIdentifier", "DatabaseIdentifier"), "has no metric"),
        (("AWS/ElastiCache", "CPUUtilization", "CacheClusterId", "CacheIdentifier"), "nothing that is there"),
        (("AWS/ElastiCache", "CPUUtilization", "ReplicationGroupId", "CacheIdentifier"), "does not exist by"),
    ],
)
def test_a_metric_that_would_stay_silent_is_noticed(metric: tuple[str, str, str, str], said: str) -> None:
    environment = build(all_variants()["production"])
    namespace, name, dimension, export = metric
    statistic = "Sum" if "Count" in name else "Average"
    assert said in alarms.wrong(
        environment, Metric(namespace, name, ((dimension, str(environment.export(export))),), statistic, 60)
    )


@pytest.mark.parametrize(
    ("expression", "values", "result"),
    [
        ("100 * a / b", {"a": 1, "b": 50}, 2),
        ("a / b", {"a": 1, "b": 0}, None),
        ("a + 1", {"a": None}, None),
        ("FILL(a, 0) + 1", {"a": None}, 1),
        ("IF(a >= 20, b, 0)", {"a": 19, "b": 7}, 0),
        ("IF(a >= 20, b, 0)", {"a": 20, "b": 7}, 7),
        ("IF(a > 0, b, 0)", {"a": None, "b": 7}, None),
        ("MIN([a, b])", {"a": 2, "b": None}, 2),
        ("MAX(METRICS())", {"a": 2, "b": 3}, 3),
        ("MAX(METRICS())", {"a": None}, None),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], result: float | None) -> None:
    assert metric_math.evaluate(expression, values) == result


@pytest.mark.parametrize("expression", ["c", "a +", "AVG2(a)", "IF(a)", "a and b", "MAX(a)", "__import__('os')"])
def test_metric_math_that_is_none(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        metric_math.evaluate(expression, {"a": 1.0, "b": 1.0})


def test_fields_come_from_the_programs_that_write_them() -> None:
    assert {"uri", "status", "seconds", "upstream_status", "replica", "cache", "request_id"} <= queries.web_fields()
    assert {
        "method",
        "route",
        "status",
        "micros",
        "queries",
        "query_micros",
        "redis_micros",
        "cause",
        "cache",
        "reason",
    } <= queries.api_fields()
    assert "uri" not in queries.api_fields() and "route" not in queries.web_fields()
    assert "request" in queries.api_messages()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fields @timestamp, uri | sort @timestamp desc", "no line has uri"),
        ("filter statuss >= 500", "no line has statuss"),
        ("stats count(*) as n by route | sort m desc", "no line has m"),
        ("stats percentile(micros, 99) by route", "there is no function percentile"),
        ("select route", "command 1 is select"),
        ("filter status >= 500 | limit 20 | order by route", "command 3 is order"),
    ],
)
def test_a_query_that_would_find_nothing_is_noticed(query: str, said: str) -> None:
    assert said in list(queries.problems(query, queries.api_fields()))


@pytest.mark.parametrize("name", ["production", "alarms of one instance", "alarms of CloudFront", "no cache"])
def test_dashboards_are_json_that_cloudwatch_takes(name: str) -> None:
    environment = build(all_variants()[name])
    (dashboard,) = environment.resources("AWS::CloudWatch::Dashboard")
    assert len(list(widgets(dashboard))) >= 4
    titles = [widget.title for widget in widgets(dashboard)]
    assert any(title.startswith("MySQL") for title in titles) is environment.has("data")
    assert any(title.startswith("Cache") for title in titles) is bool(alarms.nodes(environment))
    assert ("CloudFront" in titles) is (environment.parameter("Edge", "ops") == "yes")


def test_an_alarm_of_cloudfront_is_where_its_numbers_are() -> None:
    at_home = build(OPTIONS["alarms of CloudFront"])
    assert at_home.region == "us-east-1" and "EdgeErrors" in at_home.stacks["ops"].resources
    assert "EdgeErrors" not in evaluate(Edge="yes").resources, "elsewhere it would say nothing for ever"


def test_what_alarms_say_is_written_for_people() -> None:
    body = Template.read(STACKS / "ops.yml").resources
    for name, resource in body.items():
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            text = str(resource["Properties"]["AlarmDescription"])  # type: ignore[index]
            assert len(text) <= 1024, f"{name}: CloudWatch takes no more"
            assert not re.search(r"\s{2}|\$\{", text), name


def test_the_repository_is_where_the_checks_look() -> None:
    assert (Path(queries.REPOSITORY) / "services/api/openapi.json").is_file()
