"""Deploys evaluated stacks into moto, each resource by the API call that CloudFormation makes in its place.

moto's own CloudFormation ignores many types and says CREATE_COMPLETE all the same; here a type without a maker is an error.
botocore checks each call's parameters against AWS's service model before it leaves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from engine.fit import Parameters, fit
from trestle_aws import schema
from trestle_aws.template import Resource, Stack, TemplateError
from trestle_aws.values import GetAtt, Ref, SsmParameter, Symbol, Value, bind

IMAGE = "ami-12c6146b"
"""One that moto has in every region; its whole list takes seconds to read."""

DYNAMIC = re.compile(
    r"\{\{resolve:(ssm|secretsmanager):((?:[^:}]|:(?!SecretString))+)(?::SecretString:([^:}]*)(?::[^}]*)?)?\}\}"
)


@dataclass
class Made:
    """What a maker gives back: what `Ref` gives, and the attributes that are asked for."""

    id: str
    attributes: dict[str, Value] = field(default_factory=dict)


Maker = Callable[["Deployment", Resource, dict[str, Any]], Made]
MAKERS: dict[str, Maker] = {}


def makes(*types: str) -> Callable[[Maker], Maker]:
    """Registers the maker of resource types."""

    def register(maker: Maker) -> Maker:
        for name in types:
            MAKERS[name] = maker
        return maker

    return register


class Deployment:
    """An account with stacks in it."""

    def __init__(self, region: str) -> None:
        import_module("engine.makers")
        self.region = region
        self.made: dict[tuple[str, str], Made] = {}
        self.resources: dict[tuple[str, str], Resource] = {}
        self.aliases: dict[str, str] = {}
        """Values that were given before they could be known, and what they are now."""
        self.unsupported: set[str] = set()
        """Operations that moto has not; their parameters were checked by botocore all the same."""
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self.region_now = region
        """The region of the stack that is being deployed."""

    def client(self, service: str) -> Any:
        """A client in the region of the stack that is being deployed."""
        key = (service, self.region_now)
        if key not in self._clients:
            self._clients[key] = boto3.client(service, region_name=self.region_now)
        return self._clients[key]

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call; an operation that moto lacks is only checked."""
        try:
            answer: dict[str, Any] = getattr(self.client(service), operation)(**parameters)
            return answer
        except NotImplementedError:
            self.unsupported.add(f"{service} {operation}")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in ("404", "InvalidAction", "UnknownOperationException"):
                raise
            self.unsupported.add(f"{service} {operation}")
        return {}

    def fitted(self, service: str, operation: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A call with a resource's properties as its parameters."""
        return self.call(service, operation, **{**fit(self.client(service), operation, properties), **more})

    def deploy(self, stacks: Iterable[Stack]) -> None:
        """The stacks one after another, their resources in the order of their dependencies."""
        for stack in stacks:
            self.region_now = stack.region
            for resource in stack.in_order():
                self._make(stack, resource)
            self.region_now = self.region

    def _make(self, stack: Stack, resource: Resource) -> None:
        maker = MAKERS.get(resource.type)
        if maker is None:
            raise TemplateError(f"{resource}: {resource.type} has no maker in tests/engine")
        wrong = schema.errors(resource)
        if wrong:
            raise TemplateError(f"{resource}: {'; '.join(wrong)}")
        try:
            properties = schema.typed(resource.type, resource.properties)
            bound: Parameters = self.resolved(bind(properties, self.binding))  # type: ignore[assignment]
            made = maker(self, resource, bound)
        except Exception as error:
            raise TemplateError(f"{resource} ({resource.type}): {error}") from error
        self.made[stack.key, resource.id] = made
        self.resources[stack.key, resource.id] = resource

    def bound(self, value: Value) -> Any:
        """A value with all that the deployment knows now."""
        return self.resolved(bind(value, self.binding))

    def binding(self, symbol: Symbol) -> Value:
        """The real value of a reference."""
        if isinstance(symbol, SsmParameter):
            return self._parameter(symbol.path)
        if isinstance(symbol, Ref):
            return self.made[symbol.stack, symbol.id].id
        if isinstance(symbol, GetAtt):
            made = self.made[symbol.stack, symbol.id]
            if symbol.attribute not in made.attributes:
                raise TemplateError(
                    f"{symbol}: the maker of {self.resources[symbol.stack, symbol.id].type} gives no such attribute"
                )
            return made.attributes[symbol.attribute]
        raise TemplateError(f"{symbol} is not known")

    def _parameter(self, path: str) -> str:
        if "debian" in path or "ami" in path:
            return IMAGE
        return str(self.client("ssm").get_parameter(Name=path)["Parameter"]["Value"])

    def resolved(self, value: Value) -> Value:
        """The value with its {{resolve:...}} in their real values."""
        if isinstance(value, str):
            return self.aliases.get(value, DYNAMIC.sub(self._dynamic, value))
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if isinstance(value, dict):
            return {key: self.resolved(item) for key, item in value.items()}
        return value

    def _dynamic(self, match: re.Match[str]) -> str:
        kind, name, key = match.groups()
        if kind == "ssm":
            return self._parameter(name.split(":")[0])
        secret = str(self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        return str(json.loads(secret)[key]) if key else secret

    def name(self, resource: Resource, longest: int = 32) -> str:
        """A generated name, as CloudFormation makes one."""
        return f"{resource.stack}-{resource.id}"[:longest].strip("-")


def take(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """These properties, removed from the others."""
    return {name: properties.pop(name) for name in names if name in properties}


def tags(properties: dict[str, Any], name: str = "Tags") -> list[dict[str, str]]:
    """The tags, removed from the properties."""
    found = properties.pop(name, [])
    return [{"Key": key, "Value": value} for key, value in found.items()] if isinstance(found, dict) else list(found)
