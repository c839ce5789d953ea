"""The properties, by area. Importing this registers all."""

from engine.checks import (
    alarms,
    app,
    data,
    edge,
    general,
    instance,
    machines,
    names,
    network,
    permissions,
    queries,
    registry,
    schedule,
    security,
)
from engine.checks.registry import CHECKS, Finding, first, run

__all__ = [
    "CHECKS",
    "Finding",
    "alarms",
    "app",
    "data",
    "edge",
    "first",
    "general",
    "instance",
    "machines",
    "names",
    "network",
    "permissions",
    "queries",
    "registry",
    "run",
    "schedule",
    "security",
]
