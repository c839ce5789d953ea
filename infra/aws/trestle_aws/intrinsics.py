"""The intrinsic functions, as CloudFormation computes them, over one template's parameters, mappings and conditions."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trestle_aws.values import (
    Call,
    GetAtt,
    Import,
    Ref,
    Symbol,
    TemplateError,
    Text,
    Value,
    scalar,
    split,
    symbols,
    text,
)

FUNCTION = re.compile(r"Ref|Fn::\w+")
VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


class _NoValue:
    """What `AWS::NoValue` gives: the property, or the list's item, is left out."""


NO_VALUE = _NoValue()
Evaluated = Value | _NoValue


@dataclass
class Scope:
    """Everything that an expression can name."""

    stack: str
    parameters: Mapping[str, Value]
    pseudo: Mapping[str, Value]
    mappings: Mapping[str, Mapping[str, Mapping[str, object]]]
    condition_bodies: Mapping[str, object]
    resources: Mapping[str, Mapping[str, object]]
    zones: list[str]
    imports: Mapping[str, Value] | None
    known: dict[str, bool] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    """The exports that were asked for."""

    def evaluate(self, expression: object) -> Value:
        """The value of an expression that must have one."""
        value = self._evaluate(expression)
        if isinstance(value, _NoValue):
            raise TemplateError("AWS::NoValue is only for what Fn::If leaves out")
        return value

    def optional(self, expression: object) -> Value:
        """The same with None for `AWS::NoValue`."""
        value = self._evaluate(expression)
        return None if isinstance(value, _NoValue) else value

    def condition(self, name: str) -> bool:
        """Is the condition of this name true?"""
        if name not in self.known:
            if name not in self.condition_bodies:
                raise TemplateError(f"there is no condition {name}")
            try:
                self.known[name] = self.truth(self.condition_bodies[name])
            except RecursionError:
                raise TemplateError(f"the condition {name} depends on itself") from None
        return self.known[name]

    def truth(self, expression: object) -> bool:
        """The value of a condition's expression."""
        if not isinstance(expression, dict) or len(expression) != 1:
            raise TemplateError(f"a condition is needed, not {expression!r}")
        function, argument = next(iter(expression.items()))
        match function, argument:
            case "Condition", str(name):
                return self.condition(name)
            case "Fn::And", [_, _, *_]:
                return all([self.truth(item) for item in argument])  # noqa: C419 - the others may be wrong, too
            case "Fn::Or", [_, _, *_]:
                return any([self.truth(item) for item in argument])  # noqa: C419
            case "Fn::Not", [item]:
                return not self.truth(item)
            case "Fn::Equals", [left, right]:
                return self._comparable(left) == self._comparable(right)
        raise TemplateError(f"{function} is no condition: {argument!r}")

    def _comparable(self, expression: object) -> object:
        value = self.evaluate(expression)
        if next(symbols(value), None):
            raise TemplateError(f"a condition compares parameters only, not {value}")
        return value if isinstance(value, (list, dict)) else scalar(value)

    def _evaluate(self, expression: object) -> Evaluated:
        if isinstance(expression, list):
            items = [self._evaluate(item) for item in expression]
            return [item for item in items if not isinstance(item, _NoValue)]
        if not isinstance(expression, dict):
            if expression is None or isinstance(expression, (str, int, float, bool)):
                return expression
            raise TemplateError(f"{expression!r} is no value of a template")
        if len(expression) == 1:
            name, argument = next(iter(expression.items()))
            if isinstance(name, str) and FUNCTION.fullmatch(name):
                return self._call(name, argument)
        result: dict[str, Value] = {}
        for key, item in expression.items():
            value = self._evaluate(item)
            if not isinstance(value, _NoValue):
                result[str(key)] = value
        return result

    def _call(self, name: str, argument: object) -> Evaluated:
        if name == "Ref":
            return self._ref(str(argument))
        if name == "Fn::If":
            return self._if(argument)
        function = FUNCTIONS.get(name)
        if function is None:
            raise TemplateError(f"the function {name} is not known here")
        return function(self, argument)

    def _ref(self, name: str) -> Evaluated:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        self._needs(name)
        return Ref(self.stack, name)

    def _if(self, argument: object) -> Evaluated:
        if not isinstance(argument, list) or len(argument) != 3:
            raise TemplateError(f"Fn::If needs a condition and two values, not {argument!r}")
        return self._evaluate(argument[1] if self.condition(str(argument[0])) else argument[2])

    def attribute(self, logical_id: str, attribute: str) -> Value:
        """`Fn::GetAtt`; a VPC's CIDR is known from its properties."""
        self._needs(logical_id)
        resource = self.resources[logical_id]
        properties = resource.get("Properties")
        if resource.get("Type") == "AWS::EC2::VPC" and attribute == "CidrBlock" and isinstance(properties, dict):
            return self.evaluate(properties.get("CidrBlock"))
        return GetAtt(self.stack, logical_id, attribute)

    def _needs(self, logical_id: str) -> None:
        if logical_id not in self.resources:
            raise TemplateError(f"there is no parameter or resource {logical_id}")
        condition = self.resources[logical_id].get("Condition")
        if isinstance(condition, str) and not self.condition(condition):
            raise TemplateError(f"the resource {logical_id} is named, but its condition {condition} is false")

    def named(self, name: str) -> Value:
        """A `${name}` of Fn::Sub."""
        if "." in name:
            logical_id, attribute = name.split(".", 1)
            return self.attribute(logical_id, attribute)
        value = self._ref(name)
        if isinstance(value, _NoValue):
            raise TemplateError("Fn::Sub cannot take AWS::NoValue")
        return value


def _get_att(scope: Scope, argument: object) -> Value:
    match argument:
        case str(dotted) if "." in dotted:
            logical_id, attribute = dotted.split(".", 1)
        case [str(logical_id), str(attribute)]:
            pass
        case _:
            raise TemplateError(f"Fn::GetAtt needs a resource and an attribute, not {argument!r}")
    return scope.attribute(logical_id, attribute)


def _sub(scope: Scope, argument: object) -> Value:
    match argument:
        case str(source):
            extra: dict[str, Value] = {}
        case [str(source), dict(names)]:
            extra = {str(name): scope.evaluate(value) for name, value in names.items()}
        case _:
            raise TemplateError(f"Fn::Sub needs a string, and perhaps a mapping, not {argument!r}")
    parts: list[Value] = []
    end = 0
    for match in VARIABLE.finditer(source):
        parts.append(source[end : match.start()])
        end = match.end()
        literal, name = match.group(1), match.group(2).strip()
        if literal:
            parts.append("${" + name + "}")
        else:
            value = extra[name] if name in extra else scope.named(name)
            if isinstance(value, (list, dict)):
                raise TemplateError(f"Fn::Sub cannot put a list in the place of ${{{name}}}")
            parts.append(value)
    parts.append(source[end:])
    return text(parts)


def _join(scope: Scope, argument: object) -> Value:
    match argument:
        case [str(delimiter), items]:
            values = scope.evaluate(items)
        case _:
            raise TemplateError(f"Fn::Join needs a delimiter and a list, not {argument!r}")
    if isinstance(values, Symbol):
        return Call("Fn::Join", (delimiter, values))
    if not isinstance(values, list):
        raise TemplateError(f"Fn::Join needs a list, not {values!r}")
    parts: list[Value] = []
    for index, value in enumerate(values):
        parts += [delimiter, value] if index else [value]
    return text(parts)


def _split(scope: Scope, argument: object) -> Value:
    match argument:
        case [str(delimiter), source]:
            return split(delimiter, scope.evaluate(source))
    raise TemplateError(f"Fn::Split needs a delimiter and a string, not {argument!r}")


def _select(scope: Scope, argument: object) -> Value:
    if not isinstance(argument, list) or len(argument) != 2:
        raise TemplateError(f"Fn::Select needs an index and a list, not {argument!r}")
    index = int(scalar(scope.evaluate(argument[0])))
    items = scope.evaluate(argument[1])
    if isinstance(items, Symbol):
        return Call("Fn::Select", (index, items))
    if not isinstance(items, list) or not 0 <= index < len(items):
        raise TemplateError(f"Fn::Select: there is no item {index} in {items!r}")
    return items[index]


def _find_in_map(scope: Scope, argument: object) -> Value:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        raise TemplateError(f"Fn::FindInMap needs a map and two keys, not {argument!r}")
    name, first, second = (scalar(scope.evaluate(key)) for key in argument[:3])
    rows = {str(key): row for key, row in scope.mappings.get(name, {}).items()}
    row = {str(key): value for key, value in rows.get(first, {}).items()}
    if second in row:
        return scope.evaluate(row[second])
    if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
        return scope.evaluate(argument[3]["DefaultValue"])
    raise TemplateError(f"the mapping {name} has no {first}, {second}")


def _import(scope: Scope, argument: object) -> Value:
    name = scope.evaluate(argument)
    if not isinstance(name, str):
        raise TemplateError(f"the name of an import must be known: {name}")
    scope.imported.add(name)
    if scope.imports is None:
        return Import(name)
    if name not in scope.imports:
        raise TemplateError(f"no export named {name} found")
    return scope.imports[name]


def _azs(scope: Scope, argument: object) -> Value:
    region = scope.evaluate(argument)
    if region not in ("", scope.pseudo["AWS::Region"]):
        raise TemplateError(f"Fn::GetAZs of another region: {region}")
    return list(scope.zones)


def _cidr(scope: Scope, argument: object) -> Value:
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise TemplateError(f"Fn::Cidr needs a block, a count and the host bits, not {argument!r}")
    block = scope.evaluate(argument[0])
    count = int(scalar(scope.evaluate(argument[1])))
    bits = int(scalar(scope.evaluate(argument[2]))) if len(argument) == 3 else 8
    if not isinstance(block, str):
        if isinstance(block, Symbol):
            return Call("Fn::Cidr", (block, count, bits))
        raise TemplateError(f"Fn::Cidr needs a block, not {block!r}")
    network = ipaddress.ip_network(block)
    prefix = network.max_prefixlen - bits
    if not 1 <= count <= 256 or prefix < network.prefixlen or count > 2 ** (prefix - network.prefixlen):
        raise TemplateError(f"Fn::Cidr: {block} does not hold {count} blocks with {bits} host bits")
    size = 1 << bits
    first = int(network.network_address)
    return [f"{ipaddress.ip_address(first + index * size)}/{prefix}" for index in range(count)]


def _base64(scope: Scope, argument: object) -> Value:
    source = scope.evaluate(argument)
    if isinstance(source, str):
        return base64.b64encode(source.encode()).decode()
    if isinstance(source, Symbol):
        return Call("Fn::Base64", (source,))
    raise TemplateError(f"Fn::Base64 needs a string, not {source!r}")


def decoded(value: Value) -> str | Text | Symbol:
    """The text inside a value of Fn::Base64, for reading user-data."""
    if isinstance(value, Call) and value.function == "Fn::Base64" and isinstance(value.arguments[0], Symbol):
        return value.arguments[0]
    if isinstance(value, str):
        return base64.b64decode(value).decode()
    raise TemplateError(f"not the result of Fn::Base64: {value!r}")


FUNCTIONS: Mapping[str, Callable[[Scope, object], Value]] = {
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::ImportValue": _import,
    "Fn::GetAZs": _azs,
    "Fn::Cidr": _cidr,
    "Fn::Base64": _base64,
}
