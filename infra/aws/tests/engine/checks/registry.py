"""Properties that every environment has: each a function from an evaluated environment to what contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.environment import Environment, at, number, truth
from trestle_aws.template import Resource
from trestle_aws.values import Value

Predicate = Callable[[Value], bool]


@dataclass(frozen=True)
class Finding:
    """Something that contradicts a property."""

    property: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} ({self.property})"


Check = Callable[[Environment], Iterator[tuple[object, str]]]
CHECKS: dict[str, Callable[[Environment], list[Finding]]] = {}


def property_of(name: str) -> Callable[[Check], Check]:
    """Registers a check; it yields what is wrong as (where, message)."""

    def register(check: Check) -> Check:
        def run(environment: Environment) -> list[Finding]:
            try:
                return [Finding(name, str(where), message) for where, message in check(environment)]
            except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
                # What is not of the form that AWS wants cannot be looked at, and that is a finding, too.
                return [Finding(name, environment.name, f"cannot be looked at: {error!r}")]

        assert name not in CHECKS, name
        CHECKS[name] = run
        return check

    return register


@dataclass(frozen=True)
class Need:
    """What every resource of a type has to say at a path; `reason` is what would happen otherwise."""

    type: str
    path: str
    holds: Predicate
    reason: str
    when: Callable[[Resource, Environment], bool] = lambda resource, environment: True


def needs(name: str, *wanted: Need) -> None:
    """Registers a list of needs as one property."""

    @property_of(name)
    def check(environment: Environment) -> Iterator[tuple[object, str]]:
        for need in wanted:
            for resource in environment.resources(need.type):
                value = at(resource.properties, need.path)
                if need.when(resource, environment) and not need.holds(value):
                    yield resource, f"{need.path} is {value}: {need.reason}"


def is_true(value: Value) -> bool:
    """true, or "true"."""
    return truth(value)


def is_false(value: Value) -> bool:
    """false, or "false"; not absent."""
    return value is not None and not truth(value)


def absent_or_false(value: Value) -> bool:
    """The service's default is false."""
    return not truth(value)


def equals(*wanted: object) -> Predicate:
    """One of these; numbers may be written as strings."""
    return lambda value: value in wanted or (value is not None and str(value) in [str(one) for one in wanted])


def between(low: float, high: float) -> Predicate:
    """A number within bounds."""
    return lambda value: low <= number(value) <= high


def present(value: Value) -> bool:
    """Something is there."""
    return value not in (None, "", [], {})


def absent(value: Value) -> bool:
    """Nothing is there, so that CloudFormation chooses a name and can replace the resource."""
    return value is None


def run(environment: Environment, only: set[str] | None = None) -> list[Finding]:
    """What contradicts any property."""
    return [finding for name, check in CHECKS.items() if only is None or name in only for finding in check(environment)]


def first(environment: Environment) -> Finding | None:
    """The first finding, for those who only ask whether there is one."""
    for check in CHECKS.values():
        if findings := check(environment):
            return findings[0]
    return None
