"""Texts that AWS limits and that no schema looks at: a wrong character in a security group's description ends a deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from engine.environment import build, items, mapping
from engine.variants import all_variants

from trestle_aws.template import Resource

TAKEN = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
"""What EC2 takes as a description of a group or a rule: no apostrophe, for one."""
GROUPS = ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")


def descriptions(resource: Resource) -> Iterator[str]:
    """The group's own, and one of each rule."""
    if resource.type != "AWS::EC2::SecurityGroup":
        yield str(resource.properties.get("Description", ""))
        return
    yield str(resource.properties["GroupDescription"])
    for side in ("SecurityGroupIngress", "SecurityGroupEgress"):
        for rule in items(resource.properties.get(side)):
            yield str(mapping(rule).get("Description", ""))


@pytest.mark.parametrize("name", sorted(all_variants()))
def test_security_groups_and_their_rules_are_described_as_ec2_takes_it(name: str) -> None:
    found = [(str(one), text) for one in build(all_variants()[name]).resources(*GROUPS) for text in descriptions(one)]
    assert found
    assert [(where, text) for where, text in found if not TAKEN.fullmatch(text)] == []
