"""The properties, by area. Importing this registers all."""

from engine.checks import app, data, edge, general, machines, names, network, registry, schedule, security
from engine.checks.registry import CHECKS, Finding, first, run

__all__ = ["CHECKS", "Finding", "app", "data", "edge", "first", "general", "machines", "names", "network", "registry", "run", "schedule", "security"]
