"""What runs a system of ours, with its launch template's data merged in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from engine.environment import ROOT, Environment, at, mapping
from trestle_aws.intrinsics import decoded
from trestle_aws.template import Resource
from trestle_aws.values import Call, Text, Value


@dataclass
class Machine:
    """An instance, or what a group or trestle-aws starts, with its launch template's data merged in."""

    resource: Resource
    template: Resource | None
    data: dict[str, Value]

    def __str__(self) -> str:
        return str(self.resource)

    @property
    def stack(self) -> str:
        return self.resource.stack


def machines(environment: Environment) -> list[Machine]:
    """All of them; a launch template that nothing in the stacks uses is started by trestle-aws."""
    found, used = [], set()
    for resource in environment.resources("AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup"):
        template = environment.behind(at(resource.properties, "LaunchTemplate/LaunchTemplateId"))
        data = dict(mapping(template.properties.get("LaunchTemplateData"))) if template else {}
        if resource.type == "AWS::EC2::Instance":
            data |= resource.properties
        found.append(Machine(resource, template, data))
        if template:
            used.add(str(template))
    for resource in environment.resources("AWS::EC2::LaunchTemplate"):
        if str(resource) not in used:
            found.append(Machine(resource, resource, dict(mapping(resource.properties.get("LaunchTemplateData")))))
    return found


def user_data(machine: Machine) -> str:
    """The text of its user-data, symbols as ${...}; "" without."""
    value = machine.data.get("UserData")
    if value is None:
        return ""
    if isinstance(value, str) or (isinstance(value, Call) and value.function == "Fn::Base64"):
        found = decoded(value)
        return str(found) if isinstance(found, (str, Text)) else ""
    return ""


def head_of(machine: Machine) -> dict[str, str]:
    """The NAME='value' lines that its user-data begins with."""
    return dict(re.findall(r"^([A-Za-z0-9]+)='([^']*)'$", user_data(machine).split("set -euo", 1)[0], re.MULTILINE))


def role_of(machine: Machine) -> str:
    return head_of(machine).get("ROLE", "")


@cache
def tested_user_data() -> str:
    """What tests/test_bootstrap*.py run."""
    path = ROOT / "instance" / "user-data.sh"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[text.index("set -euo pipefail") :] if "set -euo pipefail" in text else text
