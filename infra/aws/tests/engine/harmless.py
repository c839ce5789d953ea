"""Changes that change nothing that matters. A property that notices one states too much."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.mutate import Body, Mutation, drop, put, resource


def _do(name: str, stack: str, apply: Callable[[Body], None]) -> Mutation:
    return Mutation(name, stack, apply)


def _reverse(section: str) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        found = body[section]
        assert isinstance(found, dict)
        turned = dict(reversed(list(found.items())))
        # A plain comparison of mappings does not see their order; an entry says that something was done.
        body[section] = turned
        body["Metadata"] = {**dict(body.get("Metadata", {})), "Turned": section}  # type: ignore[call-overload]

    return apply


def _turn_list(path: str) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        here: object = body["Resources"]
        for part in path.split("/"):
            here = here[int(part)] if isinstance(here, list) else here[part]  # type: ignore[index]
        assert isinstance(here, list) and len(here) > 1, path
        here.reverse()

    return apply


def rename(old: str, new: str) -> Callable[[Body], None]:
    """Another logical id, wherever it is named."""

    def walk(node: object) -> object:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        result = {}
        for key, item in node.items():
            if key == "Ref" and item == old:
                item = new
            elif key == "Fn::GetAtt" and isinstance(item, list) and item[0] == old:
                item = [new, item[1]]
            elif key == "DependsOn":
                item = [new if one == old else one for one in (item if isinstance(item, list) else [item])]
            elif key == "Fn::Sub":
                text, *rest = item if isinstance(item, list) else [item]
                text = re.sub(rf"\$\{{{old}(?=[.}}])", "${" + new, text)
                item = [text, walk(rest[0])] if rest else text
            else:
                item = walk(item)
            result[key] = item
        return result

    def apply(body: Body) -> None:
        changed = walk({key: item for key, item in body.items() if key in ("Resources", "Outputs")})
        assert isinstance(changed, dict)
        changed["Resources"] = {new if key == old else key: item for key, item in changed["Resources"].items()}
        body |= changed

    return apply


def _add_tag(logical_id: str) -> Callable[[Body], None]:
    return lambda body: resource(body, logical_id)["Properties"]["Tags"].append({"Key": "Team", "Value": "shop"})


def _name_tag(logical_id: str, value: str) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        for tag in resource(body, logical_id)["Properties"]["Tags"]:
            if tag["Key"] == "Name":
                tag["Value"] = {"Fn::Sub": "${Project}-${Environment}-" + value}

    return apply


def _add_output(body: Body) -> None:
    body["Outputs"]["Extra"] = {"Value": {"Ref": "AWS::StackName"}, "Description": "for people"}  # type: ignore[index]


HARMLESS = [
    _do("resources in another order", "network", _reverse("Resources")),
    _do("resources of the shop in another order", "app", _reverse("Resources")),
    _do("parameters in another order", "data", _reverse("Parameters")),
    _do("outputs in another order", "security", _reverse("Outputs")),
    _do("another logical id: the VPC", "network", rename("Vpc", "ShopVpc")),
    _do("another logical id: the load balancer", "app", rename("Alb", "PublicBalancer")),
    _do("another logical id: the database", "data", rename("Database", "Mysql")),
    _do("another logical id: a security group", "security", rename("ApiSecurityGroup", "ApiGroupOfRules")),
    _do("another logical id: the distribution", "edge", rename("Distribution", "Cdn")),
    _do("one more tag", "data", _add_tag("Database")),
    _do("another end of the tag Name", "network", _name_tag("Vpc", "vpc")),
    _do("tags in another order", "app", _turn_list("Alb/Properties/Tags")),
    _do("another description of a template", "app", put("/Description", "Something else")),
    _do("another description of a parameter", "network", put("/Parameters/Nat/Description", "Something else")),
    _do(
        "another description of a rule",
        "security",
        put("DatabaseFromApi/Properties/Description", "Something else"),
    ),
    _do("a group's rules in another order", "security", _turn_list("ApiSecurityGroup/Properties/SecurityGroupEgress")),
    _do(
        "a role's statements in another order",
        "security",
        _turn_list("ApiRole/Properties/Policies/0/PolicyDocument/Statement"),
    ),
    _do("a load balancer's attributes in another order", "app", _turn_list("Alb/Properties/LoadBalancerAttributes")),
    _do("another number of a rule that stays where it is", "app", put("HttpFromWww/Properties/Priority", 11)),
    _do(
        "other numbers of an access list's entries",
        "network",
        put("DataAclRedisFromApp/Properties/RuleNumber", 115),
    ),
    _do("one more output", "data", _add_output),
    _do("no grouping of parameters in the console", "ops", drop("/Metadata")),
    _do("a number written as text", "data", put("CacheGroup/Properties/Port", "6379")),
    _do("true written as text", "data", put("Database/Properties/StorageEncrypted", "true")),
]
