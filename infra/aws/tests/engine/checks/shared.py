"""Properties of stacks beside each other: what two of them say, they say alike, and no name is claimed twice."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.environment import Environment
from trestle_aws.template import Resource


@property_of("parameters that two stacks share are the same in both")
def shared_parameters(environment: Environment) -> Iterator[tuple[object, str]]:
    pairs = [
        ("app", "ApiMax", "data", "ApiMaxInstances"),
        ("app", "PoolSize", "data", "PoolSize"),
        ("app", "RefreshSurplus", "data", "RefreshSurplus"),
        ("app", "DatabaseClass", "data", "DatabaseClass"),
        ("ops", "DatabaseClass", "data", "DatabaseClass"),
        ("app", "ApiEntry", "security", "ApiEntry"),
        ("app", "ApiEntry", "ops", "ApiEntry"),
        ("app", "Currency", "job", "Currency"),
        ("app", "CacheCatalogSeconds", "edge", "CacheCatalogSeconds"),
        ("data", "CacheNodes", "ops", "CacheNodes"),
        ("instances", "PoolSize", "data", "PoolSize"),
        ("instances", "Currency", "job", "Currency"),
        ("network", "ZoneCount", "peering", "ZoneCount"),
        ("app", "WebMin", "schedule", "WebMin"),
        ("app", "WebMax", "schedule", "WebMax"),
        ("app", "ApiMin", "schedule", "ApiMin"),
        ("app", "ApiMax", "schedule", "ApiMax"),
        ("instances", "Count", "ops", "Instances"),
    ]
    for first, name, second, other in pairs:
        if environment.has(first) and environment.has(second):
            left, right = environment.parameter(name, first), environment.parameter(other, second)
            if left != right and (left or right):
                yield f"{first}.{name}", f"is {left}, and {second}.{other} is {right}"
    if environment.has("data") and environment.has("ops"):
        cached = environment.parameter("Cache", "data") != "none"
        if cached != (environment.parameter("Cache", "ops") == "yes"):
            yield (
                "ops.Cache",
                f"is {environment.parameter('Cache', 'ops')}, and data.Cache is {environment.parameter('Cache', 'data')}",
            )
    if environment.has("app") and environment.has("edge"):
        through = environment.parameter("Mode", "edge") == "all"
        if through != (environment.parameter("BehindCloudFront", "app") == "yes"):
            yield (
                "app.BehindCloudFront",
                f"is {environment.parameter('BehindCloudFront', 'app')}, and edge.Mode is {environment.parameter('Mode', 'edge')}",
            )
        if environment.parameter("CloudFrontOnly", "security") == "yes" and not through:
            yield "security.CloudFrontOnly", "is yes, and visitors do not come by CloudFront"


@property_of("no name is claimed twice")
def names(environment: Environment) -> Iterator[tuple[object, str]]:
    """Two stacks that make the same parameter or log group fail at the second."""
    found: dict[tuple[str, str, str], Resource] = {}
    for stack in environment.stacks.values():
        for resource in stack.resources.values():
            for key in ("Name", "LogGroupName", "AlarmName", "DashboardName", "FunctionName"):
                value = resource.properties.get(key)
                if value is None or resource.type in ("AWS::Route53::RecordSet", "AWS::Logs::MetricFilter"):
                    continue
                mark = (resource.type, stack.region, str(value))
                if mark in found:
                    yield resource, f"{key} {value} is {found[mark]}'s, too"
                found[mark] = resource
