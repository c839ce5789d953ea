"""The resource schemas that cfn-lint ships: what a resource's properties must be, and which of them cannot be changed.

cfn-lint is a tool of the tests; `trestle-aws` itself does without this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from jsonschema import Draft7Validator, ValidationError, validators

from trestle_aws.template import Resource
from trestle_aws.values import Symbol, TemplateError, Value

_PACKAGE = find_spec("cfnlint")
if _PACKAGE is None or _PACKAGE.origin is None:
    raise ImportError("the resource schemas come with cfn-lint, which is not installed: make test-aws installs it")
SCHEMAS = Path(_PACKAGE.origin).parent / "data" / "schemas"
Schema = dict[str, object]

NUMBER = re.compile(r"-?\d+(\.\d+)?")


@cache
def _index(region: str) -> dict[str, str]:
    with (SCHEMAS / "providers" / f"{region}.json").open(encoding="utf-8") as file:
        return cast(dict[str, str], json.load(file))


@cache
def of(resource_type: str, region: str = "us-east-1") -> Schema:
    """The schema of a resource type."""
    name = _index(region).get(resource_type)
    if name is None:
        raise TemplateError(f"there is no resource type {resource_type} in {region}")
    with (SCHEMAS / "resources" / f"{name}.json").open(encoding="utf-8") as file:
        return cast(Schema, json.load(file))


def create_only(resource_type: str) -> set[str]:
    """Paths of the properties whose change replaces the resource: {"VpcId", "Endpoint/Port"}."""
    return _paths(resource_type, "createOnlyProperties")


def conditional_create_only(resource_type: str) -> set[str]:
    """Paths of the properties whose change replaces the resource in some cases."""
    return _paths(resource_type, "conditionalCreateOnlyProperties")


def taggable(resource_type: str) -> str | None:
    """The property that holds the type's tags, if it has any."""
    schema = of(resource_type)
    tagging = schema.get("tagging")
    if isinstance(tagging, dict) and not tagging.get("taggable", True):
        return None
    name = "Tags"
    if isinstance(tagging, dict) and isinstance(tagging.get("tagProperty"), str):
        name = str(tagging["tagProperty"]).removeprefix("/properties/")
    return name if name in _mapping(schema.get("properties")) else None


def attributes(resource_type: str) -> set[str]:
    """What Fn::GetAtt can give, with dots in nested names."""
    return {path.replace("/", ".") for path in _paths(resource_type, "readOnlyProperties")}


def _paths(resource_type: str, keyword: str) -> set[str]:
    listed = of(resource_type).get(keyword)
    return {str(path).removeprefix("/properties/") for path in listed} if isinstance(listed, list) else set()


_known: dict[tuple[str, str], list[str]] = {}
"""Answers that were given before: the same resource is in many environments."""


def errors(resource: Resource) -> list[str]:
    """What is wrong with the resource's properties, each with the path: "Listeners/0/Port: ..."."""
    key = (resource.type, repr(resource.properties))
    if key not in _known:
        _known[key] = _errors(resource)
    return _known[key]


def _errors(resource: Resource) -> list[str]:
    try:
        schema = of(resource.type)
    except TemplateError as error:
        return [str(error)]
    found = []
    read_only = _paths(resource.type, "readOnlyProperties")
    for name in resource.properties:
        if name in read_only and name not in _mapping(schema.get("required")):
            found.append(f"{name}: cannot be set")
    properties = typed(resource.type, resource.properties)
    for wrong in _validator(resource.type).iter_errors(properties):
        found.extend(
            f"{'/'.join(map(str, leaf.absolute_path)) or '.'}: {leaf.message[:300]}" for leaf in _leaves(wrong)
        )
    return found


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Of "none of these fits" the complaints of the branch that fits best."""
    if not error.context:
        yield error
        return
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    for inner in min(branches.values(), key=len):
        yield from _leaves(inner)


@cache
def _validator(resource_type: str) -> Draft7Validator:
    return VALIDATOR(of(resource_type))


def _lenient(check: Callable[..., Iterator[ValidationError] | None]) -> Callable[..., Iterator[ValidationError]]:
    """The check, passed over where a symbol stands: what only a deployment knows has no form yet."""

    def checked(validator: object, value: object, instance: object, schema: object) -> Iterator[ValidationError]:
        if isinstance(instance, Symbol):
            return
        try:
            yield from check(validator, value, instance, schema) or ()
        except re.error:
            # A few patterns are not Python's.
            return

    return checked


def _pattern(validator: object, pattern: str, instance: object, schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not instance.startswith("{{resolve:") and not re.search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern}")


def _excluded(validator: object, value: object, instance: object, schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and isinstance(value, dict):
        for name, others in value.items():
            for other in others if name in instance else []:
                if other in instance:
                    yield ValidationError(f"{name} and {other} exclude each other")


def _xor(validator: object, names: list[str], instance: object, schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and sum(name in instance for name in names) != 1:
        yield ValidationError(f"exactly one of {', '.join(names)} is needed")


def _dependent(
    validator: object, value: dict[str, list[str]], instance: object, schema: object
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, others in value.items():
            for other in others if name in instance else []:
                if other not in instance:
                    yield ValidationError(f"{name} needs {other}")


def _enum_ignoring_case(
    validator: object, values: list[str], instance: object, schema: object
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and instance.lower() not in [value.lower() for value in values]:
        yield ValidationError(f"{instance!r} is none of {', '.join(values)}")


VALIDATOR = validators.extend(
    Draft7Validator,
    {
        **{keyword: _lenient(check) for keyword, check in Draft7Validator.VALIDATORS.items() if keyword != "$ref"},
        "pattern": _lenient(_pattern),
        "format": lambda validator, value, instance, schema: (),
        "uniqueItems": lambda validator, value, instance, schema: (),
        "dependentExcluded": _excluded,
        "dependentRequired": _dependent,
        "requiredXor": _xor,
        "enumCaseInsensitive": _enum_ignoring_case,
    },
)


def typed(resource_type: str, properties: Mapping[str, Value]) -> dict[str, Value]:
    """The properties with numbers and booleans where the schema wants them; CloudFormation converts in the same way."""
    schema = of(resource_type)
    value = _typed(schema, schema, dict(properties))
    return cast(dict[str, Value], value)


def _typed(root: Schema, schema: Schema, value: Value) -> Value:
    schema = followed(root, schema)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if isinstance(value, dict) and "properties" in schema:
        known = _mapping(schema["properties"])
        return {name: _typed(root, known[name], item) if name in known else item for name, item in value.items()}
    if isinstance(value, dict) and "patternProperties" in schema:
        inner = next(iter(_mapping(schema["patternProperties"]).values()))
        return {name: _typed(root, inner, item) for name, item in value.items()}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_typed(root, cast(Schema, schema["items"]), item) for item in value]
    for branches in (schema.get(keyword) for keyword in ("oneOf", "anyOf")):
        if isinstance(branches, list) and not kinds and isinstance(value, (dict, list)):
            return value
    return _scalar(kinds, value)


def _scalar(kinds: list[object], value: Value) -> Value:
    if isinstance(value, str) and "string" not in kinds:
        if {"integer", "number"} & set(kinds) and NUMBER.fullmatch(value):
            return float(value) if "." in value else int(value)
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return value.lower() == "true"
    if isinstance(value, bool) and "boolean" not in kinds and "string" in kinds:
        return "true" if value else "false"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if kinds and not {"integer", "number"} & set(kinds) and "string" in kinds:
            return str(value)
    return value


def followed(root: Schema, schema: Schema) -> Schema:
    while isinstance(schema.get("$ref"), str):
        target: object = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = _mapping(target)[part]
        schema = cast(Schema, target)
    return schema


def _mapping(value: object) -> dict[str, Schema]:
    return cast(dict[str, Schema], value) if isinstance(value, dict) else {}
