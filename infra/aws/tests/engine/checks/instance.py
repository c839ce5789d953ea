"""What templates and instances have to agree on besides user-data: parameters, the hook, the group's name. The other side is instance/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from engine.checks.registry import property_of
from engine.environment import GIVEN, ROOT, Environment, at
from trestle_aws.values import Value

PREFIX = f"/{GIVEN['Project']}/{GIVEN['Environment']}/config/"
READ = {
    "api": "api", "web": "web", "instance-api": "api", "instance-web": "web", "job": "api", "database": "", "cache": "", "keys": "",
}  # fmt: skip
"""The parts of config/ that instances read, and the program whose variables may be there."""
FIXED = {
    "database": {"endpoint": "Address", "port": "Port", "name": "", "app-secret": "/app-", "master-secret": "/master-"},
    "cache": {"endpoint": "Address", "port": "Port", "auth-secret": "/cache-"},
    "keys": {"secret": "/keys-"},
    "job": {"products": "", "customers": ""},
}
"""What is no variable of a program: the end of the attribute that it has to be, or a part of the secret's name."""
TYPES = {"database": "AWS::RDS::DBInstance", "cache": "AWS::ElastiCache::ReplicationGroup"}
OWN = {"TRESTLE_WEB_LINGER_SECONDS"}
"""Variables that instance/ itself reads."""


@property_of("a group's instances can say that they have drained")
def draining(environment: Environment) -> Iterator[tuple[object, str]]:
    hooks = list(environment.resources("AWS::AutoScaling::LifecycleHook"))
    for group in environment.resources("AWS::AutoScaling::AutoScalingGroup"):
        own = [hook for hook in hooks if environment.behind(hook.properties.get("AutoScalingGroupName")) is group]
        if [hook.properties.get("LifecycleHookName") for hook in own] != [hook_name()]:
            yield group, f"drain.py completes the hook {hook_name()}, and it has not just that"
        template = environment.behind(at(group.properties, "LaunchTemplate/LaunchTemplateId"))
        tags = at(template.properties, "LaunchTemplateData/MetadataOptions/InstanceMetadataTags") if template else None
        if tags != "enabled":
            yield group, "its instances cannot read its name from their tags (InstanceMetadataTags)"


@property_of("parameters below config/ are what instances read there")
def configuration(environment: Environment) -> Iterator[tuple[object, str]]:
    found: dict[str, dict[str, Value]] = {part: {} for part in READ}
    for parameter in environment.resources("AWS::SSM::Parameter"):
        name = str(parameter.properties.get("Name"))
        if "/config/" not in name:
            continue
        part, _, rest = name.removeprefix(PREFIX).partition("/")
        if not name.startswith(PREFIX) or part not in READ:
            yield parameter, f"nobody reads {name}"
            continue
        found[part][rest] = parameter.properties.get("Value")
        if rest not in FIXED.get(part, {}) and rest not in variables().get(READ[part], set()):
            yield parameter, f"{rest} is no variable that config/{part} may have"
        if parameter.properties.get("Type") != "String":
            yield parameter, "is no String"
    for part, wanted in FIXED.items():
        stack = "job" if part == "job" else "data"
        if not environment.has(stack) or (part == "cache" and not list(environment.resources(TYPES["cache"]))):
            continue
        for name, kind in wanted.items():
            if name not in found[part]:
                yield stack, f"config/{part}/{name} is missing"
            elif reason := _wrong(environment, part, found[part][name], kind):
                yield f"config/{part}/{name}", reason


def _wrong(environment: Environment, part: str, value: Value, kind: str) -> str:
    """Why a value is not of its kind; "" when it is."""
    behind = environment.behind(value)
    if kind.startswith("/"):
        named = (
            behind is not None
            and behind.type == "AWS::SecretsManager::Secret"
            and kind in str(behind.properties.get("Name"))
        )
        return "" if named else f"is {value}, which is no secret *{kind}*"
    if kind:
        right = (
            behind is not None and behind.type == TYPES[part] and str(getattr(value, "attribute", "")).endswith(kind)
        )
        return "" if right else f"is {value}, not the {kind.lower()} of the {part}"
    return ""


@cache
def hook_name() -> str:
    """What drain.py completes."""
    source = (ROOT / "instance/trestle_instance/drain.py").read_text()
    found = re.search(r'^HOOK = "(\w+)"$', source, re.MULTILINE)
    assert found
    return found[1]


@cache
def variables() -> dict[str, set[str]]:
    """The variables of each program, from its own source."""
    repository = ROOT.parents[1]
    api = set(re.findall(r'env = "(TRESTLE_\w+)"', (repository / "services/api/src/config.rs").read_text()))
    web = set(re.findall(r"\bTRESTLE_WEB_\w+", (repository / "services/web/render").read_text()))
    assert len(api) > 15 and len(web) > 10
    return {"api": api, "web": web | OWN}
