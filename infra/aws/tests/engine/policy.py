"""IAM's decision on a call: identity policies of a role, with the operators that the templates use.

A statement that this does not understand is an error, not a refusal: a test must not pass because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from trestle_aws.values import Bind, Value, bind

KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}
Context = Mapping[str, str]


class PolicyError(Exception):
    """The policy says something that is not evaluated here."""


@dataclass(frozen=True)
class Statement:
    """One statement of a role."""

    role: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, tuple[str, ...]]]

    def names(self, action: str) -> bool:
        """Whether it is about an action. Case does not count in actions."""
        return any(matches(pattern.lower(), action.lower()) for pattern in self.actions)

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Whether it says something about the call."""
        if not self.names(action) or not any(matches(pattern, resource) for pattern in self.resources):
            return False
        return all(
            _holds(operator, context.get(key), values)
            for operator, keys in self.condition.items()
            for key, values in keys.items()
        )

    def __str__(self) -> str:
        return f"{self.role}/{self.sid}"


def allowed(statements: Iterable[Statement], action: str, resource: str, context: Context | None = None) -> bool:
    """What is not allowed is denied, and a denial wins."""
    effects = {statement.effect for statement in statements if statement.covers(action, resource, context or {})}
    return "Allow" in effects and "Deny" not in effects


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: * for any letters, / and : included, ? for one."""
    return _expression(pattern).fullmatch(text) is not None


@lru_cache(10_000)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


def _holds(operator: str, value: str | None, wanted: Sequence[str]) -> bool:
    base, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if value is None:
        return if_exists or base in ("StringNotEquals", "StringNotLike")
    match base:
        case "StringEquals" | "ArnEquals" if base == "StringEquals" or not any(
            set("*?") & set(each) for each in wanted
        ):
            return value in wanted
        case "StringNotEquals":
            return value not in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(matches(each, value) for each in wanted)
        case "StringNotLike":
            return not any(matches(each, value) for each in wanted)
        case "Bool":
            return value.lower() == wanted[0].lower()
    raise PolicyError(f"the operator {operator} is not evaluated here")


def statements(role: str, properties: Mapping[str, Value], binding: Bind) -> list[Statement]:
    """The statements of an AWS::IAM::Role's own policies."""
    if properties.get("ManagedPolicyArns"):
        raise PolicyError(f"{role}: what a managed policy says is not known here")
    found = []
    for policy in _list(bind(properties.get("Policies") or [], binding)):
        document = policy["PolicyDocument"]
        found += [
            _statement(role, f"{policy['PolicyName']}-{number}", each)
            for number, each in enumerate(_list(document["Statement"]))
        ]
    return found


def _statement(role: str, name: str, body: Mapping[str, Value]) -> Statement:
    if set(body) - KNOWN:
        raise PolicyError(f"{role}: {', '.join(sorted(set(body) - KNOWN))} is not evaluated here")
    condition = {
        operator: {key: tuple(map(str, _list(values))) for key, values in keys.items()}  # type: ignore[union-attr]
        for operator, keys in (body.get("Condition") or {}).items()  # type: ignore[union-attr]
    }
    return Statement(
        role=role,
        sid=str(body.get("Sid") or name),
        effect=str(body["Effect"]),
        actions=tuple(map(str, _list(body["Action"]))),
        resources=tuple(map(str, _list(body["Resource"]))),
        condition=condition,
    )


def _list(value: Value) -> list:  # type: ignore[type-arg]
    return value if isinstance(value, list) else [value]
