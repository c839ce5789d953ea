"""Parameters of one stack that say what another stack is: when a user sets the one, the other follows.

Presets give both. What a user sets of the other by its own name goes over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from trestle_aws.capacity import BURSTABLE

# The parameter that follows, and the one that it follows.
FOLLOWS = {
    ("data", "ApiMaxInstances"): ("app", "ApiMax"),
    ("app", "DatabaseClass"): ("data", "DatabaseClass"),
    ("app", "PoolSize"): ("data", "PoolSize"),
    ("app", "RefreshSurplus"): ("data", "RefreshSurplus"),
    ("data", "PoolSize"): ("app", "PoolSize"),
    ("data", "RefreshSurplus"): ("app", "RefreshSurplus"),
    ("schedule", "WebMin"): ("app", "WebMin"),
    ("schedule", "WebMax"): ("app", "WebMax"),
    ("schedule", "ApiMin"): ("app", "ApiMin"),
    ("schedule", "ApiMax"): ("app", "ApiMax"),
    ("ops", "CacheNodes"): ("data", "CacheNodes"),
    ("ops", "ApiEntry"): ("app", "ApiEntry"),
    ("security", "ApiEntry"): ("app", "ApiEntry"),
}
# Alarms on CPU credits are for classes that have some.
MACHINES = (("app", "WebInstanceType"), ("app", "ApiInstanceType"), ("instances", "InstanceType"))
Said = Callable[[str, str], str]


def following(stack: str, said: Said, chosen: Said) -> Iterator[tuple[str, str]]:
    """What follows in a stack. `said` is what the user set of a stack's parameter, `chosen` what it is in the end."""
    for (key, parameter), source in FOLLOWS.items():
        if key == stack and (value := said(*source)):
            yield parameter, value
    if stack == "ops":
        if any(said(*machine) for machine in MACHINES):
            yield "BurstableInstances", _yes(any(BURSTABLE.match(chosen(*machine)) for machine in MACHINES))
        if database := said("data", "DatabaseClass"):
            yield "BurstableDatabase", _yes(bool(BURSTABLE.match(database)))
        if cache := said("data", "Cache"):
            yield "Cache", _yes(cache != "none")


def schedule(stacks: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """What the stack schedule has to know of the preset that it is added to."""
    yield "Tier", "groups" if "app" in stacks else "instances"
    yield "Database", _yes("data" in stacks)
    for parameter in ("WebMin", "WebMax", "ApiMin", "ApiMax"):
        if value := stacks.get("app", {}).get(parameter):
            yield parameter, value


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
