"""What steers a stack, where there is no auto scaling group, and where there is nothing at all."""

from __future__ import annotations

import json
from typing import Any

from cli_world import World, world

SHOP = "/opt/trestle/current/instance/shop"


def status(world: World) -> dict[str, Any]:
    return dict(json.loads(world.ok("status", "--json").out))


def test_without_a_shop_it_says_so(world: World) -> None:
    for words in (
        ["status"],
        ["scale", "2"],
        ["kill", "api-1"],
        ["audit"],
        ["stress", "api-1"],
        ["loadtest", "run"],
        ["move"],
    ):
        said = world.run(*words)
        assert (
            said.code == 1
            and "nothing is deployed as --project trestle --environment shop --region us-east-1" in said.complaint
        )


def test_a_stage_without_groups_is_steered_too_and_nothing_is_terminated(world: World) -> None:
    world.build()
    world.ok("deploy", "stage-1-single")
    found = status(world)
    assert [it["name"] for it in found["processes"]] == ["api-1"] and "desired" not in found
    address = world.client("ec2").describe_addresses()["Addresses"][0]["PublicIp"]
    assert found["url"] == f"http://{address}"
    world.ok("kill", "api-1")
    assert world.commands[-1].line == f"{SHOP} signal KILL"
    assert status(world)["processes"][0]["state"] == "ready"
    said = world.run("scale", "2")
    assert said.code == 64 and "no auto scaling group" in said.complaint
