"""The properties, by area. Importing this registers all."""

from engine.checks import general, network, registry, security
from engine.checks.registry import CHECKS, Finding, first, run

__all__ = ["CHECKS", "Finding", "first", "general", "network", "registry", "run", "security"]
