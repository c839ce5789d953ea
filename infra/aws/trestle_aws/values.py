"""What a template's expressions evaluate to: plain JSON, and symbols for what only a deployment knows.

`Ref` and `GetAtt` stand for a resource's id and attributes; `Text` is a string with symbols in it; `Call` is a function whose
arguments are not known yet. `bind` puts real values in their places.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, Union

Value: TypeAlias = Union[None, bool, int, float, str, "Symbol", list["Value"], dict[str, "Value"]]


class TemplateError(Exception):
    """The template cannot be evaluated; the message says where and why."""


class Symbol:
    """Something that only a deployment knows."""


@dataclass(frozen=True)
class Ref(Symbol):
    """What CloudFormation's `Ref` gives of a resource: `stack` is the stack's short name (network), `id` the logical id."""

    stack: str
    id: str

    def __str__(self) -> str:
        return f"${{{self.stack}/{self.id}}}"


@dataclass(frozen=True)
class GetAtt(Symbol):
    """An attribute of a resource."""

    stack: str
    id: str
    attribute: str

    def __str__(self) -> str:
        return f"${{{self.stack}/{self.id}.{self.attribute}}}"


@dataclass(frozen=True)
class Import(Symbol):
    """An export of another stack that was not given."""

    name: str

    def __str__(self) -> str:
        return f"${{import {self.name}}}"


@dataclass(frozen=True)
class SsmParameter(Symbol):
    """The value of a Systems Manager parameter, for parameters of the types `AWS::SSM::Parameter::Value<...>`."""

    path: str

    def __str__(self) -> str:
        return f"${{ssm {self.path}}}"


@dataclass(frozen=True)
class Text(Symbol):
    """A string with symbols in it. Neighbouring strings are one part, and there are at least two parts."""

    parts: tuple[str | Symbol, ...]

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)


@dataclass(frozen=True)
class Call(Symbol):
    """A function (`Fn::Select`, `Fn::Split`, `Fn::Base64`, `Fn::Cidr`) with an argument that is not known yet."""

    function: str
    arguments: tuple[str | int | Symbol, ...] = field(default=())

    def __str__(self) -> str:
        return f"${{{self.function} {', '.join(str(argument) for argument in self.arguments)}}}"


Bind: TypeAlias = Callable[[Symbol], Value]


def items(value: Value) -> list[Value]:
    """A list as it is; nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def mapping(value: Value) -> dict[str, Value]:
    """A mapping as it is; nothing as an empty one."""
    return value if isinstance(value, dict) else {}


def truth(value: Value) -> bool:
    """A boolean property; templates write it as true and "true"."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def text(parts: list[Value]) -> str | Symbol:
    """The parts one after another: a plain string if all are plain."""
    merged: list[str | Symbol] = []
    for part in parts:
        pieces: tuple[str | Symbol, ...]
        if isinstance(part, Text):
            pieces = part.parts
        elif isinstance(part, Symbol):
            pieces = (part,)
        else:
            pieces = (scalar(part),)
        for piece in pieces:
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            elif piece != "":
                merged.append(piece)
    if not merged:
        return ""
    return merged[0] if len(merged) == 1 else Text(tuple(merged))


def scalar(value: Value) -> str:
    """A plain value as the string that CloudFormation makes of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateError(f"a string is needed, not {type(value).__name__}: {value!r}")


def split(delimiter: str, source: Value) -> list[Value] | Symbol:
    """Cut at the delimiters that are known; a symbol alone may hold delimiters, so it stays a call."""
    if isinstance(source, str):
        return list(source.split(delimiter))
    if isinstance(source, Text):
        items: list[list[Value]] = [[]]
        for part in source.parts:
            if isinstance(part, str):
                first, *others = part.split(delimiter)
                items[-1].append(first)
                items.extend([other] for other in others)
            else:
                items[-1].append(part)
        return [text(item) for item in items]
    if isinstance(source, (Ref, GetAtt)) and delimiter == ",":
        # One resource's id: lists are exported joined, and a list of one has no comma.
        return [source]
    if isinstance(source, Symbol):
        return Call("Fn::Split", (delimiter, source))
    raise TemplateError(f"Fn::Split needs a string, not {source!r}")


def symbols(value: Value) -> Iterator[Symbol]:
    """Each `Ref`, `GetAtt`, `Import` and `SsmParameter` in a value, however deep."""
    if isinstance(value, Text):
        for part in value.parts:
            yield from symbols(part)
    elif isinstance(value, Call):
        for argument in value.arguments:
            yield from symbols(argument)
    elif isinstance(value, Symbol):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from symbols(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from symbols(item)


def bind(value: Value, binding: Bind) -> Value:
    """The value with what `binding` says in the places of its symbols."""
    if isinstance(value, Text):
        return text([bind(part, binding) for part in value.parts])
    if isinstance(value, Call):
        return _call(value.function, [bind(argument, binding) for argument in value.arguments])
    if isinstance(value, Symbol):
        return binding(value)
    if isinstance(value, list):
        return [bind(item, binding) for item in value]
    if isinstance(value, dict):
        return {key: bind(item, binding) for key, item in value.items()}
    return value


def _call(function: str, arguments: list[Value]) -> Value:
    if any(isinstance(argument, Symbol) for argument in arguments):
        return Call(function, tuple(argument for argument in arguments if isinstance(argument, (str, int, Symbol))))
    match function, arguments:
        case "Fn::Base64", [str(source)]:
            return base64.b64encode(source.encode()).decode()
        case "Fn::Split", [str(delimiter), source]:
            return split(delimiter, source)
        case "Fn::Select", [int(index), list(items)]:
            return items[index]
        case "Fn::Join", [str(delimiter), list(items)]:
            return delimiter.join(scalar(item) for item in items)
    raise TemplateError(f"{function} of {arguments!r} cannot be computed")
