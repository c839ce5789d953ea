"""Where the parts of the web and API tiers are, and what the application itself says of paths, ports and variables."""

from __future__ import annotations

import re
from functools import cache

from engine.environment import ROOT, Environment, items, mapping
from trestle_aws.template import Resource
from trestle_aws.values import Value

SOURCE = ROOT.parents[1] / "services"
LONGEST_REQUEST = 12
"""Seconds: a checkout that nginx tries twice."""


@cache
def web_paths() -> set[str]:
    """Paths that nginx answers itself."""
    text = (SOURCE / "web" / "nginx" / "server.conf.template").read_text(encoding="utf-8")
    return set(re.findall(r"^location = (/\S*) \{", text, re.MULTILINE))


@cache
def operations_paths() -> set[str]:
    """Paths of the API's operations port."""
    text = (SOURCE / "api" / "src" / "ops" / "mod.rs").read_text(encoding="utf-8")
    return set(re.findall(r'\.route\("(/[a-z/]*)"', text))


@cache
def api_variables() -> set[str]:
    """Environment variables that trestle-api knows."""
    text = (SOURCE / "api" / "src" / "config.rs").read_text(encoding="utf-8")
    return set(re.findall(r'env = "(TRESTLE_[A-Z_]+)"', text))


def attributes(resource: Resource, name: str) -> dict[str, str]:
    """A load balancer's or target group's attributes."""
    return {
        str(mapping(one).get("Key")): str(mapping(one).get("Value")) for one in items(resource.properties.get(name))
    }


def config(environment: Environment) -> dict[str, Value]:
    """What instances read: the part of each parameter's name after config/, and its value."""
    found = {}
    for resource in environment.resources("AWS::SSM::Parameter"):
        _, mark, name = str(resource.properties.get("Name")).partition("/config/")
        if mark:
            found[name] = resource.properties.get("Value")
    return found


def balancers(environment: Environment, kind: str) -> list[Resource]:
    """Load balancers of a kind (application, network)."""
    return [
        resource
        for resource in environment.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
        if resource.properties.get("Type", "application") == kind
    ]


def group_of(environment: Environment, role: str) -> Resource | None:
    """The auto scaling group of a tier."""
    return environment.behind(environment.export(f"{role.title()}Group"))


def targets_of(environment: Environment, role: str) -> Resource | None:
    """The target group of a tier."""
    return environment.behind(environment.export(f"{role.title()}TargetGroupArn"))
