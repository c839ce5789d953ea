"""The properties, by area. Importing this registers all."""

from engine.checks import app, data, general, machines, network, registry, security
from engine.checks.registry import CHECKS, Finding, first, run

__all__ = ["CHECKS", "Finding", "app", "data", "first", "general", "machines", "network", "registry", "run", "security"]
