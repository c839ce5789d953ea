"""Reads a template's YAML: short tags become the long form, dates stay strings, a key given twice is an error."""

from __future__ import annotations

from pathlib import Path

import yaml

from trestle_aws.values import TemplateError

LONG_NAMES = {"Ref": "Ref", "Condition": "Condition"}
"""Tags whose long form has no `Fn::` before it."""


# libyaml's parser is ten times as fast; PyYAML has it on the usual machines.
_Safe: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TemplateLoader(_Safe):  # type: ignore[misc]
    """Plain YAML as CloudFormation reads it."""


# CloudFormation keeps 2012-10-17 a string.
TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, object]:
    result: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in result:
            raise TemplateError(f"line {key_node.start_mark.line + 1}: the key {key} is there twice")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
    argument: object
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
        if suffix == "GetAtt":
            argument = str(argument).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = _mapping(loader, node) if isinstance(node, yaml.MappingNode) else None
    return {LONG_NAMES.get(suffix, f"Fn::{suffix}"): argument}


TemplateLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
TemplateLoader.add_multi_constructor("!", _short_tag)


def read(path: Path) -> dict[str, object]:
    """The template in the file, in long form."""
    with path.open(encoding="utf-8") as file:
        return parse(file.read(), str(path))


def parse(source: str, name: str) -> dict[str, object]:
    """The template in a string; `name` is what messages call it."""
    try:
        body = yaml.load(source, Loader=TemplateLoader)
    except TemplateError as error:
        raise TemplateError(f"{name}: {error}") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{name} is not YAML: {error}") from error
    if not isinstance(body, dict):
        raise TemplateError(f"{name} has no mapping at its top")
    return body
