"""Mutations drawn by lot: every property of every resource, changed by operators that know nothing of its meaning.

Left out is what means nothing to a machine (descriptions, tags, which have a property of their own) and texts of more than one
line, which are programs and are proven by running them. The draw is by a hash of seed, place and operator, so a change of one
template does not shuffle the others.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.environment import templates
from engine.mutate import Body, Mutation
from trestle_aws import schema

SEED = "trestle-1"
COUNT = 200

SILENT = {
    "AlarmDescription",
    "CacheParameterGroupDescription",
    "Comment",
    "DBSubnetGroupDescription",
    "Description",
    "DisplayName",
    "GroupDescription",
    "HostedZoneTags",
    "Label",
    "PolicyName",
    "ReplicationGroupDescription",
    "Sid",
    "TagSpecifications",
    "Tags",
    "VersionDescription",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Site:
    """A place in a template and what is done there."""

    stack: str
    path: Path
    operator: str
    value: object = None

    @property
    def key(self) -> str:
        """Its name: app ApiGroup/Properties/HealthCheckType remove."""
        return f"{self.stack}: {self.operator} {'/'.join(map(str, self.path))}"


def sites() -> Iterator[Site]:
    """All there are."""
    for stack, template in templates().items():
        for logical_id, body in template.resources.items():
            for attribute in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Condition", "UpdatePolicy"):
                if attribute in body:
                    yield Site(stack, (logical_id, attribute), "remove")
            for path, node, removable in _nodes(body.get("Properties", {}), (logical_id, "Properties")):
                if removable:
                    yield Site(stack, path, "remove")
                yield from _operators(stack, template.body, str(body["Type"]), path, node)


def _nodes(node: object, path: Path) -> Iterator[tuple[Path, object, bool]]:
    """Each value below, and whether it is a property or a list's item, so that it can be left out."""
    function = isinstance(node, dict) and len(node) == 1 and _is_function(next(iter(node)))
    if isinstance(node, dict):
        for key, item in node.items():
            if key in SILENT or (isinstance(item, str) and "\n" in item):
                continue
            yield (*path, key), item, not function
            if not (function and key in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::FindInMap")):
                yield from _nodes(item, (*path, key))
    elif isinstance(node, list):
        plain = not (path and isinstance(path[-1], str) and _is_function(path[-1]))
        for index, item in enumerate(node):
            if isinstance(item, str) and "\n" in item:
                continue
            yield (*path, index), item, plain
            yield from _nodes(item, (*path, index))


def _is_function(key: object) -> bool:
    return key == "Ref" or str(key).startswith("Fn::")


def _operators(stack: str, body: Body, kind: str, path: Path, node: object) -> Iterator[Site]:
    last = path[-1]
    inside = [part for part in path if _is_function(part)]
    if isinstance(node, bool):
        yield Site(stack, path, "flip", not node)
    elif isinstance(node, int):
        yield Site(stack, path, "more", node * 2 + 1)
    elif (
        isinstance(node, str)
        and last not in ("Ref", "Fn::Sub")
        and not (inside and inside[-1] == "Fn::If" and last == 0)
    ):
        if node.isdigit():
            yield Site(stack, path, "more", str(int(node) * 2 + 1))
        elif node.lower() in ("true", "false"):
            yield Site(stack, path, "flip", "false" if node.lower() == "true" else "true")
        elif other := _other_enum(kind, path, node):
            yield Site(stack, path, "another", other)
        elif not inside or inside[-1] in ("Fn::If",):
            yield Site(stack, path, "misspell", f"{node}x")
    if isinstance(node, dict) and len(node) == 1:
        function, argument = next(iter(node.items()))
        if function == "Fn::If" and isinstance(argument, list):
            yield Site(stack, path, "swap branches", {"Fn::If": [argument[0], argument[2], argument[1]]})
        if function == "Ref" and (name := _sibling(body, str(argument))):
            yield Site(stack, path, "another", {"Ref": name})
        if function == "Fn::GetAtt" and isinstance(argument, list) and (name := _sibling(body, str(argument[0]))):
            yield Site(stack, path, "another", {"Fn::GetAtt": [name, argument[1]]})
        if function == "Fn::Sub" and isinstance(argument, str):
            yield Site(stack, path, "misspell", {"Fn::Sub": f"{argument}x"})
        if function == "Fn::ImportValue" and (name := _other_export(argument)):
            yield Site(stack, path, "another", {"Fn::ImportValue": {"Fn::Sub": name}})


def _other_enum(kind: str, path: Path, value: str) -> str | None:
    """Another value that the schema would take there."""
    root = schema.of(kind)
    here: dict[str, object] = root
    for part in path[2:]:
        if _is_function(part):
            return None
        here = schema.followed(root, here)
        inner = here.get("items") if isinstance(part, int) else dict(here.get("properties", {})).get(part)  # type: ignore[call-overload]
        if not isinstance(inner, dict):
            return None
        here = inner
    allowed = schema.followed(root, here).get("enum")
    others = [str(one) for one in allowed if str(one) != value] if isinstance(allowed, list) else []
    return _chosen(f"{kind}{path}", others)


def _sibling(body: Body, name: str) -> str | None:
    """Another resource or parameter of the same type."""
    for section in ("Resources", "Parameters"):
        found = body.get(section, {})
        assert isinstance(found, dict)
        if name in found:
            others = [other for other, one in found.items() if other != name and one["Type"] == found[name]["Type"]]
            return _chosen(name, others)
    return None


def _other_export(argument: object) -> str | None:
    name = str(argument.get("Fn::Sub")) if isinstance(argument, dict) else ""
    known = sorted(
        str(output["Export"]["Name"]["Fn::Sub"])
        for template in templates().values()
        for output in dict(template.body.get("Outputs", {})).values()  # type: ignore[call-overload]
        if "Export" in output
    )
    return _chosen(name, [other for other in known if other != name])


def _chosen(key: str, others: list[str]) -> str | None:
    return min(others, key=lambda other: _hash(key + other)) if others else None


def _hash(text: str) -> str:
    return hashlib.sha256(f"{SEED} {text}".encode()).hexdigest()


def mutation(site: Site) -> Mutation:
    """What it does to the template's body."""

    def apply(body: Body) -> None:
        here: object = body["Resources"]
        for part in site.path[:-1]:
            here = here[part]  # type: ignore[index]
        if site.operator == "remove":
            del here[site.path[-1]]  # type: ignore[attr-defined]
        else:
            here[site.path[-1]] = copy.deepcopy(site.value)  # type: ignore[index]

    return Mutation(site.key, site.stack, apply)


def draw(count: int = COUNT) -> list[Site]:
    """The first ones by the hash of their names."""
    return sorted(sites(), key=lambda site: _hash(site.key))[:count]
