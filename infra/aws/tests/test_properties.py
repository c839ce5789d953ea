"""Every property holds in every preset, and in each with the options that it can have."""

from __future__ import annotations

import pytest
from conftest import environment
from engine.checks import CHECKS
from engine.variants import all_variants


@pytest.mark.parametrize("name", all_variants())
def test_properties_hold(name: str) -> None:
    found = [str(finding) for check in CHECKS.values() for finding in check(environment(name))]
    assert not found, "\n".join(found)
