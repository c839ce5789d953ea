"""A template's parameters: their values from what was given and the defaults, with every constraint enforced."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trestle_aws.values import SsmParameter, TemplateError, Value

SSM_TYPE = re.compile(r"AWS::SSM::Parameter::Value<(?P<type>.+)>")
LIST_TYPE = re.compile(r"List<(?P<type>.+)>")
AWS_TYPES = {
    "AWS::EC2::AvailabilityZone::Name": r"[a-z]{2}(-[a-z]+)+-\d[a-z]",
    "AWS::EC2::Image::Id": r"ami-[0-9a-f]+",
    "AWS::EC2::Instance::Id": r"i-[0-9a-f]+",
    "AWS::EC2::KeyPair::KeyName": r".{1,255}",
    "AWS::EC2::SecurityGroup::GroupName": r".{1,255}",
    "AWS::EC2::SecurityGroup::Id": r"sg-[0-9a-f]+",
    "AWS::EC2::Subnet::Id": r"subnet-[0-9a-f]+",
    "AWS::EC2::VPC::Id": r"vpc-[0-9a-f]+",
    "AWS::EC2::Volume::Id": r"vol-[0-9a-f]+",
    "AWS::Route53::HostedZone::Id": r"Z[0-9A-Z]+",
    "AWS::SSM::Parameter::Name": r"[\w./-]{1,1011}",
}
"""Types whose values AWS looks up in the account; here their form is checked."""


class ParameterError(TemplateError):
    """A parameter's value is not allowed."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"parameter {name}: {reason}")
        self.name = name
        self.reason = reason


def resolve(
    definitions: Mapping[str, Mapping[str, object]], given: Mapping[str, object], ssm: Mapping[str, str]
) -> dict[str, Value]:
    """What `Ref` gives for each parameter. Numbers stay strings, as in CloudFormation."""
    for name in given:
        if name not in definitions:
            raise ParameterError(name, "the template has no such parameter")
    return {name: _value(name, definition, given, ssm) for name, definition in definitions.items()}


def raw(definitions: Mapping[str, Mapping[str, object]], given: Mapping[str, object]) -> dict[str, str]:
    """Each parameter's value as it was given, before lists are cut and Systems Manager is asked."""
    return {name: _string(given.get(name, definition.get("Default", ""))) for name, definition in definitions.items()}


def _value(name: str, definition: Mapping[str, object], given: Mapping[str, object], ssm: Mapping[str, str]) -> Value:
    if name not in given and "Default" not in definition:
        raise ParameterError(name, "has no default and was not given")
    source = _string(given[name] if name in given else definition["Default"])
    kind = str(definition.get("Type", ""))
    if stored := SSM_TYPE.fullmatch(kind):
        check(name, definition, "String", [source])
        if not re.fullmatch(r"/?[\w.-]+(/[\w.-]+)*", source):
            raise ParameterError(name, f"{source!r} is not the name of a Systems Manager parameter")
        if source not in ssm:
            return SsmParameter(source)
        source, kind = ssm[source], stored["type"]
        definition = {}
    if kind == "CommaDelimitedList":
        items = [item.strip() for item in source.split(",")] if source else []
        check(name, definition, "String", items)
        return list(items)
    if listed := LIST_TYPE.fullmatch(kind):
        items = [item.strip() for item in source.split(",")]
        check(name, definition, listed["type"], items)
        return list(items)
    check(name, definition, kind, [source])
    return source


def check(name: str, definition: Mapping[str, object], kind: str, items: list[str]) -> None:
    """Raise the constraint that an item breaks. CloudFormation checks a list's items one by one."""
    for item in items:
        reason = _broken(definition, kind, item)
        if reason:
            raise ParameterError(name, reason)


def _broken(definition: Mapping[str, object], kind: str, item: str) -> str | None:
    if kind == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", item):
            return f"{item!r} is not a number"
        if "MinValue" in definition and float(item) < float(_string(definition["MinValue"])):
            return f"{item} is less than {definition['MinValue']}"
        if "MaxValue" in definition and float(item) > float(_string(definition["MaxValue"])):
            return f"{item} is more than {definition['MaxValue']}"
    elif kind in AWS_TYPES:
        if not re.fullmatch(AWS_TYPES[kind], item):
            return f"{item!r} is not of the type {kind}"
    elif kind != "String":
        return f"the type {kind} is unknown"
    if "MinLength" in definition and len(item) < int(_string(definition["MinLength"])):
        return f"{item!r} is shorter than {definition['MinLength']}"
    if "MaxLength" in definition and len(item) > int(_string(definition["MaxLength"])):
        return f"{item!r} is longer than {definition['MaxLength']}"
    allowed = definition.get("AllowedValues")
    if isinstance(allowed, list) and item not in [_string(value) for value in allowed]:
        return f"{item!r} is none of {', '.join(_string(value) for value in allowed)}"
    pattern = definition.get("AllowedPattern")
    if isinstance(pattern, str) and not re.fullmatch(pattern, item):
        return _string(definition.get("ConstraintDescription", f"{item!r} does not match {pattern}"))
    return None


def _string(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_string(item) for item in value)
    return str(value)
