"""What `move` expects AWS to replace on the growth path: the committed list, which a test computes from the schemas."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import yaml

from trestle_aws.presets import PATH, ROOT

# What is gone for good with its stack: data, and addresses that visitors know.
DATA = frozenset(
    f"AWS::{name}"
    for name in [
        "RDS::DBInstance",
        "S3::Bucket",
        "SecretsManager::Secret",
        "ElastiCache::ReplicationGroup",
        "Route53::HostedZone",
        "EC2::Volume",
        "EC2::EIP",
    ]
)
KINDS = ("replaced", "may be replaced", "removed data")


def listed(source: str, target: str, root: Path = ROOT) -> set[str]:
    """The resources, as STACK/LOGICALID, that the way from one preset to the other may replace or remove."""
    steps = yaml.safe_load((root / "growth.yml").read_text(encoding="utf-8"))
    return {
        str(name) for step in _steps(source, target) for kind in KINDS for name in steps.get(step, {}).get(kind, {})
    }


def _steps(source: str, target: str) -> list[str]:
    """One, or those of the growth path that lie between the two."""
    if source in PATH and target in PATH and PATH.index(source) < PATH.index(target):
        way = PATH[PATH.index(source) : PATH.index(target) + 1]
        return [f"{first} -> {second}" for first, second in pairwise(way)]
    return [f"{source} -> {target}"]
