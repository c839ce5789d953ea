"""Evaluates a CloudFormation template as CloudFormation would, with every constraint and rule enforced.

    template = Template.read(path)
    stack = template.evaluate({"Environment": "demo"}, imports=exports)

What only a deployment knows stays a symbol (see `values`): a resource's id, its attributes, a value in Systems Manager.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trestle_aws import parameters as parameter
from trestle_aws import reader, rules
from trestle_aws.intrinsics import Scope
from trestle_aws.parameters import ParameterError
from trestle_aws.rules import RuleError
from trestle_aws.values import Bind, GetAtt, Ref, TemplateError, Value, bind, symbols

__all__ = ["ParameterError", "Resource", "RuleError", "Stack", "Template", "TemplateError", "exports_of"]

ACCOUNT = "123456789012"


@dataclass
class Resource:
    """A resource that is made: its condition is true."""

    stack: str
    id: str
    type: str
    properties: dict[str, Value]
    depends_on: list[str] = field(default_factory=list)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    creation_policy: Value = None
    update_policy: Value = None
    metadata: dict[str, Value] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        """What others name it by."""
        return Ref(self.stack, self.id)

    def __str__(self) -> str:
        return f"{self.stack}/{self.id}"


@dataclass
class Stack:
    """A template evaluated with parameters."""

    key: str
    """The stack's short name: network."""
    name: str
    """Its name in AWS: trestle-demo-network."""
    region: str
    parameters: dict[str, Value]
    conditions: dict[str, bool]
    resources: dict[str, Resource]
    outputs: dict[str, Value]
    exports: dict[str, Value]
    imported: set[str]
    """The names of the exports that it takes."""

    def of_type(self, *types: str) -> list[Resource]:
        """Its resources of these types."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def in_order(self) -> list[Resource]:
        """The resources with each after those that it names or depends on."""
        done: dict[str, Resource] = {}
        waiting: set[str] = set()

        def visit(logical_id: str) -> None:
            if logical_id in done:
                return
            if logical_id in waiting:
                raise TemplateError(f"{self.key}: {logical_id} depends on itself, by {', '.join(sorted(waiting))}")
            waiting.add(logical_id)
            resource = self.resources[logical_id]
            for other in [*resource.depends_on, *_own(self.key, resource.properties)]:
                if other in self.resources and other != logical_id:
                    visit(other)
            waiting.discard(logical_id)
            done[logical_id] = resource

        for logical_id in self.resources:
            visit(logical_id)
        return list(done.values())


class Template:
    """A template's body in long form, and what evaluates it."""

    def __init__(self, body: dict[str, object], name: str) -> None:
        self.body = body
        self.name = name

    @classmethod
    def read(cls, path: Path) -> Template:
        """The template in a file; its name is the file's, without .yml."""
        return cls(reader.read(path), path.stem)

    @classmethod
    def parse(cls, source: str, name: str = "template") -> Template:
        """The template in a string."""
        return cls(reader.parse(source, name), name)

    @property
    def parameters(self) -> dict[str, dict[str, object]]:
        """The definitions of its parameters."""
        return self._section("Parameters")

    @property
    def resources(self) -> dict[str, dict[str, object]]:
        """Its resources as they are written."""
        return self._section("Resources")

    def _section(self, name: str) -> dict[str, dict[str, object]]:
        section = self.body.get(name, {})
        if not isinstance(section, dict):
            raise TemplateError(f"{self.name}: {name} is no mapping")
        return section

    def evaluate(
        self,
        parameters: Mapping[str, object],
        *,
        region: str = "us-east-1",
        zones: list[str] | None = None,
        imports: Mapping[str, Value] | None = None,
        ssm: Mapping[str, str] | None = None,
        key: str | None = None,
        account: str = ACCOUNT,
        binding: Bind | None = None,
    ) -> Stack:
        """The stack that the template makes of these parameters.

        Without `imports` an import stays a symbol; with them a missing one is an error. `key` is the stack's short name if it
        is not the template's. Raises ParameterError, RuleError, and TemplateError for what is wrong in the template.
        """
        try:
            return self._evaluate(parameters, region, zones, imports, ssm or {}, key or self.name, account, binding)
        except (ParameterError, RuleError):
            raise
        except TemplateError as error:
            raise TemplateError(f"{self.name}: {error}") from error

    def _evaluate(
        self,
        given: Mapping[str, object],
        region: str,
        zones: list[str] | None,
        imports: Mapping[str, Value] | None,
        ssm: Mapping[str, str],
        key: str,
        account: str,
        binding: Bind | None,
    ) -> Stack:
        values = parameter.resolve(self.parameters, given, ssm)
        written = parameter.raw(self.parameters, given)
        rules.check(self._section("Rules"), {name: _seen_by_rules(values[name], written[name]) for name in values})
        name = "-".join(str(values[part]) for part in ("Project", "Environment") if part in values)
        name = f"{name}-{key}" if name else key
        scope = Scope(
            stack=key,
            parameters=values,
            pseudo={
                "AWS::AccountId": account,
                "AWS::NotificationARNs": [],
                "AWS::Partition": "aws",
                "AWS::Region": region,
                "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{name}/00000000-0000-0000-0000-000000000000",
                "AWS::StackName": name,
                "AWS::URLSuffix": "amazonaws.com",
            },
            mappings=self._section("Mappings"),  # type: ignore[arg-type]
            condition_bodies=self._section("Conditions"),
            resources=self.resources,
            zones=zones or [region + letter for letter in "abc"],
            imports=imports,
        )
        conditions = {condition: scope.condition(condition) for condition in scope.condition_bodies}
        resources = self._resources(scope, binding)
        outputs, exports = self._outputs(scope, binding)
        return Stack(key, name, region, dict(values), conditions, resources, outputs, exports, scope.imported)

    def _resources(self, scope: Scope, binding: Bind | None) -> dict[str, Resource]:
        resources = {}
        for logical_id, body in self.resources.items():
            try:
                if "Condition" in body and not scope.condition(str(body["Condition"])):
                    continue
                resources[logical_id] = _resource(scope, logical_id, body, binding)
            except TemplateError as error:
                raise TemplateError(f"{logical_id}: {error}") from error
        return resources

    def _outputs(self, scope: Scope, binding: Bind | None) -> tuple[dict[str, Value], dict[str, Value]]:
        outputs: dict[str, Value] = {}
        exports: dict[str, Value] = {}
        for name, body in self._section("Outputs").items():
            try:
                if "Condition" in body and not scope.condition(str(body["Condition"])):
                    continue
                value = scope.evaluate(body["Value"])
                if isinstance(value, (list, dict)):
                    raise TemplateError("an output is a string; join the list")
                outputs[name] = bind(value, binding) if binding else value
                if isinstance(body.get("Export"), dict):
                    exports[str(scope.evaluate(body["Export"]["Name"]))] = outputs[name]  # type: ignore[index]
            except TemplateError as error:
                raise TemplateError(f"output {name}: {error}") from error
        return outputs, exports


def exports_of(stacks: list[Stack]) -> dict[str, Value]:
    """The exports of all the stacks, for the next one's imports."""
    exports: dict[str, Value] = {}
    for stack in stacks:
        for name, value in stack.exports.items():
            if name in exports:
                raise TemplateError(f"{stack.name}: the export {name} exists already")
            exports[name] = value
    return exports


def _resource(scope: Scope, logical_id: str, body: Mapping[str, object], binding: Bind | None) -> Resource:
    properties = scope.evaluate(body.get("Properties", {}))
    if not isinstance(properties, dict):
        raise TemplateError("Properties is no mapping")
    if binding:
        properties = {name: bind(value, binding) for name, value in properties.items()}
    depends = body.get("DependsOn", [])
    depends_on = [str(other) for other in depends] if isinstance(depends, list) else [str(depends)]
    for other in depends_on:
        if other not in scope.resources:
            raise TemplateError(f"DependsOn names {other}, which is not there")
    return Resource(
        stack=scope.stack,
        id=logical_id,
        type=str(body["Type"]),
        properties=properties,
        depends_on=depends_on,
        deletion_policy=_policy(body, "DeletionPolicy"),
        update_replace_policy=_policy(body, "UpdateReplacePolicy"),
        creation_policy=scope.optional(body.get("CreationPolicy")),
        update_policy=scope.optional(body.get("UpdatePolicy")),
        metadata=_metadata(scope, body),
    )


def _policy(body: Mapping[str, object], attribute: str) -> str:
    policy = body.get(attribute, "Delete")
    if not isinstance(policy, str):
        raise TemplateError(f"{attribute} is a string, not an expression")
    return policy


def _metadata(scope: Scope, body: Mapping[str, object]) -> dict[str, Value]:
    metadata = scope.evaluate(body.get("Metadata", {}))
    return metadata if isinstance(metadata, dict) else {}


def _own(stack: str, properties: dict[str, Value]) -> list[str]:
    return [symbol.id for symbol in symbols(properties) if isinstance(symbol, (Ref, GetAtt)) and symbol.stack == stack]


def _seen_by_rules(value: Value, written: str) -> object:
    return value if isinstance(value, list) else written
