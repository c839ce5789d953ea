"""What `move` expects AWS to replace on a step of the growth path: the committed list, which a test computes from the resource schemas."""

from __future__ import annotations

from pathlib import Path

import yaml

from trestle_aws.presets import ROOT

# Types that hold data: they are never removed by a step without being expected to.
DATA = frozenset(
    f"AWS::{name}"
    for name in """
    RDS::DBInstance S3::Bucket SecretsManager::Secret ElastiCache::ReplicationGroup Route53::HostedZone Logs::LogGroup EC2::Volume
    """.split()
)


def replaced(source: str, target: str, root: Path = ROOT) -> set[str]:
    """The resources, as STACK/LOGICALID, that this step may replace."""
    path = root / "growth.yml"
    if not path.is_file():
        return set()
    steps = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    step = steps.get(f"{source} -> {target}", {})
    return {str(name) for kind in ("replaced", "may be replaced") for name in step.get(kind) or []}
