"""Logs, alarms, dashboards, notifications, functions and schedules."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from engine.deploy import Deployment, Made, makes, tags
from trestle_aws.template import Resource

Properties = dict[str, Any]


@makes("AWS::Logs::LogGroup")
def log_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    logs = to.client("logs")
    name = properties.setdefault("LogGroupName", to.name(resource, 64))
    retention = properties.pop("RetentionInDays", None)
    wanted = {one["Key"]: one["Value"] for one in tags(properties)}
    made = to.fitted("logs", "create_log_group", properties, tags=wanted)
    assert made is not None
    if retention:
        logs.put_retention_policy(logGroupName=name, retentionInDays=retention)
    return Made(name, {"Arn": f"arn:aws:logs:{to.region_now}:123456789012:log-group:{name}:*"})


@makes("AWS::Logs::MetricFilter")
def metric_filter(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties.setdefault("FilterName", to.name(resource, 64))
    to.fitted("logs", "put_metric_filter", properties)
    return Made(properties["FilterName"])


@makes("AWS::Logs::QueryDefinition")
def query_definition(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("logs", "put_query_definition", properties)
    return Made(to.name(resource, 64), {"QueryDefinitionId": to.name(resource, 64)})


@makes("AWS::CloudWatch::Alarm")
def alarm(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("AlarmName", to.name(resource, 64))
    to.fitted("cloudwatch", "put_metric_alarm", properties)
    return Made(name, {"Arn": f"arn:aws:cloudwatch:{to.region_now}:123456789012:alarm:{name}"})


@makes("AWS::CloudWatch::CompositeAlarm")
def composite_alarm(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("AlarmName", to.name(resource, 64))
    to.fitted("cloudwatch", "put_composite_alarm", properties)
    return Made(name, {"Arn": f"arn:aws:cloudwatch:{to.region_now}:123456789012:alarm:{name}"})


@makes("AWS::CloudWatch::Dashboard")
def dashboard(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("DashboardName", to.name(resource, 64))
    to.fitted("cloudwatch", "put_dashboard", properties)
    return Made(name)


@makes("AWS::SNS::Topic")
def topic(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.pop("TopicName", to.name(resource, 64))
    wanted = tags(properties)
    subscriptions = properties.pop("Subscription", [])
    made = to.call(
        "sns", "create_topic", Name=name, Attributes={key: str(value) for key, value in properties.items()}, Tags=wanted
    )
    for one in subscriptions:
        to.fitted("sns", "subscribe", one, TopicArn=made["TopicArn"])
    return Made(made["TopicArn"], {"TopicName": name, "TopicArn": made["TopicArn"]})


@makes("AWS::SNS::Subscription")
def subscription(to: Deployment, resource: Resource, properties: Properties) -> Made:
    return Made(to.fitted("sns", "subscribe", properties)["SubscriptionArn"])


@makes("AWS::SNS::TopicPolicy")
def topic_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    import json

    for arn in properties["Topics"]:
        to.call(
            "sns",
            "set_topic_attributes",
            TopicArn=arn,
            AttributeName="Policy",
            AttributeValue=json.dumps(properties["PolicyDocument"]),
        )
    return Made(resource.id)


@makes("AWS::Lambda::Function")
def function(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("FunctionName", to.name(resource, 64))
    wanted = {one["Key"]: one["Value"] for one in tags(properties)}
    reserved = properties.pop("ReservedConcurrentExecutions", None)
    if "ZipFile" in properties["Code"]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", properties["Code"]["ZipFile"])
        properties["Code"] = {"ZipFile": packed.getvalue()}
    made = to.fitted(
        "lambda",
        "create_function",
        {key: value for key, value in properties.items() if key != "Code"},
        Code=properties["Code"],
        Tags=wanted,
    )
    if reserved is not None:
        to.call("lambda", "put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=reserved)
    return Made(name, {"Arn": made["FunctionArn"]})


@makes("AWS::Lambda::Permission")
def permission(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("lambda", "add_permission", properties, StatementId=resource.id)
    return Made(resource.id)


@makes("AWS::Events::Rule")
def event_rule(to: Deployment, resource: Resource, properties: Properties) -> Made:
    targets, name = properties.pop("Targets", []), properties.setdefault("Name", to.name(resource, 64))
    made = to.fitted("events", "put_rule", properties)
    if targets:
        to.fitted("events", "put_targets", {"Rule": name, "Targets": targets})
    return Made(name, {"Arn": made["RuleArn"]})


@makes("AWS::Scheduler::Schedule")
def schedule(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("Name", to.name(resource, 64))
    made = to.fitted("scheduler", "create_schedule", properties)
    return Made(name, {"Arn": made["ScheduleArn"]})


@makes("AWS::Scheduler::ScheduleGroup")
def schedule_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("Name", to.name(resource, 64))
    made = to.fitted("scheduler", "create_schedule_group", properties)
    return Made(name, {"Arn": made["ScheduleGroupArn"]})


@makes("AWS::CloudFormation::WaitConditionHandle")
def wait_condition_handle(to: Deployment, resource: Resource, properties: Properties) -> Made:
    """An address that nobody calls: it stands in a stack that would have no resource."""
    return Made(f"https://cloudformation-waitcondition-{to.region}.s3.amazonaws.com/{resource.id}")


@makes("AWS::CloudFormation::WaitConditionHandle")
def handle(to: Deployment, resource: Resource, properties: Properties) -> Made:
    """Nothing anywhere but an address: a stack with nothing to make is made of one."""
    return Made(f"https://cloudformation-waitcondition.s3.amazonaws.com/{resource.id}")
