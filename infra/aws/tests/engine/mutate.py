"""Changes templates on purpose, and asks the properties whether they notice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine import inputs
from engine.checks import CHECKS, Finding
from engine.environment import Environment, Variant, parameters, template_of, templates
from engine.variants import all_variants
from trestle_aws.template import ParameterError, RuleError, Template, TemplateError, exports_of

Body = dict[str, object]


@dataclass(frozen=True)
class Mutation:
    """One change of one template."""

    name: str
    stack: str
    apply: Callable[[Body], None]


def mutated(mutation: Mutation) -> Template:
    """The template with the change."""
    body = copy.deepcopy(templates()[mutation.stack].body)
    before = copy.deepcopy(body)
    mutation.apply(body)
    if body == before:
        raise ValueError(f"{mutation.name}: nothing was changed")
    return Template(body, mutation.stack)


@cache
def _variants(stack: str) -> list[tuple[str, Variant]]:
    """The environments with a stack; the richest ones first, since they notice most."""
    found = [(name, variant) for name, variant in all_variants().items() if _given(stack, variant)]
    return sorted(found, key=lambda pair: -len(parameters(pair[1])))


@cache
def _distinct(stack: str) -> list[tuple[str, Variant]]:
    """Of those with the same parameters of the stack the richest one."""
    known: dict[str, tuple[str, Variant]] = {}
    for name, variant in _variants(stack):
        known.setdefault(str(_given(stack, variant)), (name, variant))
    return list(known.values())


def _given(stack: str, variant: Variant) -> list[tuple[str, dict[str, str]]]:
    """The stack's parameters; the certificate's is there once for each region."""
    return [(key, values) for key, values in parameters(variant).items() if key.removesuffix("-us-east-1") == stack]


@cache
def _whole(name: str, variant: Variant) -> Environment:
    from engine.environment import build

    return build(variant, name=name)


def with_template(name: str, variant: Variant, template: Template) -> Environment:
    """The environment with one template changed; stacks before it are taken as they are."""
    original = _whole(name, variant)
    environment = Environment(name, variant.region, dict(original.given))
    changed = False
    for key, values in parameters(variant).items():
        if not changed and key.removesuffix("-us-east-1") != template.name:
            environment.stacks[key] = original.stacks[key]
            continue
        changed = True
        region = original.stacks[key].region
        source = template if key.removesuffix("-us-east-1") == template.name else template_of(key, templates())
        environment.stacks[key] = source.evaluate(
            values,
            region=region,
            key=key,
            imports=exports_of([stack for stack in environment.stacks.values() if stack.region == region]),
        )
    return environment


def first_finding(environment: Environment, before: set[str]) -> Finding | None:
    """The first that was not there without the change."""
    for check in CHECKS.values():
        for finding in check(environment):
            if str(finding) not in before:
                return finding
    return None


@cache
def _before(name: str, variant: Variant) -> frozenset[str]:
    return frozenset(str(finding) for check in CHECKS.values() for finding in check(_whole(name, variant)))


def caught(mutation: Mutation, *, quick: bool = False) -> Finding | None:
    """By which property a change is noticed; None if by none.

    `quick` asks only one of the environments that give the stack the same parameters.
    """
    template = mutated(mutation)
    for where, what in inputs.accepted({mutation.stack: template}):
        return Finding("templates refuse what is out of bounds or contradicts itself", where, what)
    for name, variant in (_distinct if quick else _variants)(mutation.stack):
        try:
            environment = with_template(name, variant, template)
            finding = first_finding(environment, set(_before(name, variant)))
        except (ParameterError, RuleError) as error:
            return Finding("every preset and option fits the templates' rules", name, str(error))
        except TemplateError as error:
            return Finding("every preset and option can be deployed", name, str(error))
        if finding:
            return finding
    return None


# --- Ways to say where a change is -----------------------------------------------------------------------------------


def resource(body: Body, name: str) -> dict[str, Any]:
    """One resource by its logical id."""
    section = body["Resources"]
    assert isinstance(section, dict)
    found = section[name]
    assert isinstance(found, dict)
    return found


def put(path: str, value: object) -> Callable[[Body], None]:
    """Sets what is at a path such as "Database/Properties/PubliclyAccessible", below Resources."""

    def apply(body: Body) -> None:
        target, last = _target(body, path)
        target[last] = value

    return apply


def drop(path: str) -> Callable[[Body], None]:
    """Removes what is at a path, or a whole resource, or another section's entry ("/Rules/X")."""

    def apply(body: Body) -> None:
        target, last = _target(body, path)
        del target[last]

    return apply


def replace_text(path: str, old: str, new: str) -> Callable[[Body], None]:
    """Replaces text in the string at a path."""

    def apply(body: Body) -> None:
        target, last = _target(body, path)
        text = target[last]
        assert isinstance(text, str) and old in text, f"{path} has no {old}"
        target[last] = text.replace(old, new)

    return apply


def _target(body: Body, path: str) -> tuple[Any, str | int]:
    here: object = body if path.startswith("/") else body["Resources"]
    *parts, last = path.strip("/").split("/")
    for part in parts:
        here = here[int(part)] if isinstance(here, list) else here[part.replace("~1", "/")]  # type: ignore[index]
    assert isinstance(here, (dict, list)), path
    key: str | int = int(last) if isinstance(here, list) else last.replace("~1", "/")
    if isinstance(here, list):
        assert int(key) < len(here), path
    return here, key
