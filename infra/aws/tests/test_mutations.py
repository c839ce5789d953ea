"""Wrong templates are noticed: each named mistake by a property, and harmless changes by none.

The mutations drawn by lot are `make mutate-aws`; mutations.md has the table of both.
"""

from __future__ import annotations

from functools import cache

import pytest
from conftest import environment
from engine import drawn, inputs
from engine.checks import CHECKS, Finding
from engine.environment import templates
from engine.harmless import HARMLESS
from engine.mutate import Mutation, caught
from engine.named import NAMED
from engine.variants import all_variants


@cache
def noticed(mutation: Mutation) -> Finding | None:
    """What `caught` says, asked once."""
    return caught(mutation, quick=True)


def test_there_are_enough() -> None:
    assert len({mutation.name for mutation in NAMED}) == len(NAMED) >= 40
    assert len({mutation.name for mutation in HARMLESS}) == len(HARMLESS) >= 20


@pytest.mark.parametrize("mutation", NAMED, ids=lambda mutation: mutation.name)
def test_a_mistake_is_noticed(mutation: Mutation) -> None:
    assert noticed(mutation), f"no property notices: {mutation.name}"


@pytest.mark.parametrize("mutation", HARMLESS, ids=lambda mutation: mutation.name)
def test_a_harmless_change_is_not(mutation: Mutation) -> None:
    finding = caught(mutation, quick=True)
    assert finding is None, str(finding)


def test_every_property_can_fail() -> None:
    """A property that no mistake of the lists breaks would be one that proves nothing."""
    named = {finding.property for mutation in NAMED if (finding := noticed(mutation))}
    assert len(named) >= 40, sorted(named)


def test_every_stack_has_mistakes() -> None:
    assert {mutation.stack for mutation in NAMED} >= set(templates()) - {"generator", "dns"}


def test_the_draw_is_the_same_each_time() -> None:
    sites = drawn.draw()
    assert len(sites) == drawn.COUNT and sites == drawn.draw()
    assert len({site.key for site in drawn.sites()}) > 2000


def test_nothing_is_wrong_without_a_mutation() -> None:
    """Else each mutation would seem to be noticed; `caught` looks for news only."""
    for name in all_variants():
        for check in CHECKS.values():
            assert not check(environment(name)), name
    assert not list(inputs.accepted(templates()))
