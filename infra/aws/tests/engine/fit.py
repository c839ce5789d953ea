"""Turns a resource's properties into an API call's parameters, led by botocore's service model.

CloudFormation and the APIs nearly agree: names differ in case, lists are {Quantity, Items} in CloudFront, documents are JSON
strings in IAM. What agrees in nothing is named by the caller; a property that the call does not know is an error, never dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.client import BaseClient
from botocore.model import ListShape, MapShape, Shape, StructureShape

from trestle_aws.template import TemplateError
from trestle_aws.values import Value

Parameters = dict[str, Any]


def fit(client: BaseClient, operation: str, properties: Mapping[str, Value]) -> Parameters:
    """The parameters of the operation ("create_vpc") that these properties are."""
    names = client.meta.method_to_api_mapping
    shape = client.meta.service_model.operation_model(names[operation]).input_shape
    assert isinstance(shape, StructureShape)
    return _structure(shape, dict(properties), operation)


def _structure(shape: StructureShape, value: Mapping[str, Value], where: str) -> Parameters:
    known = {name.lower(): name for name in shape.members}
    result: Parameters = {}
    for key, item in value.items():
        name = known.get(key.lower())
        if name is None:
            raise TemplateError(f"{where}: the API has no {key}")
        result[name] = _convert(shape.members[name], item, f"{where}.{name}")
    return result


def _convert(shape: Shape, value: Value, where: str) -> Any:
    if isinstance(shape, StructureShape):
        if {"Quantity", "Items"} <= set(shape.members) and isinstance(value, list):
            items = _convert(shape.members["Items"], value, where)
            return {"Quantity": len(items), "Items": items}
        if not isinstance(value, dict):
            raise TemplateError(f"{where}: a mapping is needed, not {value!r}")
        fitted = _structure(shape, value, where)
        for name in shape.required_members:
            # CloudFront's API demands lists that CloudFormation leaves out.
            member = shape.members[name]
            if (
                name not in fitted
                and isinstance(member, StructureShape)
                and {"Quantity", "Items"} <= set(member.members)
            ):
                fitted[name] = {"Quantity": 0}
            elif name == "Quantity" and isinstance(fitted.get("Items"), list):
                fitted[name] = len(fitted["Items"])
        return fitted
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise TemplateError(f"{where}: a list is needed, not {value!r}")
        return [_convert(shape.member, item, where) for item in value]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            raise TemplateError(f"{where}: a mapping is needed, not {value!r}")
        return {key: _convert(shape.value, item, where) for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _scalar(kind: str, value: Value) -> Any:
    if kind == "string" and isinstance(value, (dict, list)):
        return json.dumps(value)
    if kind == "string" and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind in ("float", "double") and isinstance(value, (str, int)):
        return float(value)
    if kind == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value
