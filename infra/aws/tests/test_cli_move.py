"""`trestle-aws move`: what may be replaced, the data's way to RDS, what is removed, and how a move that was stopped
goes on.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_world import World, world

MOVE = "python3 -m trestle_instance.data_move"


def given(world: World, key: str) -> dict[str, str]:
    return world.formation.entries["us-east-1", f"trestle-shop-{key}"].given


def there(world: World) -> set[str]:
    return {entry.key for entry in world.formation.entries.values()}


def preset(world: World) -> str:
    value = world.client("ssm").get_parameter(Name="/trestle/shop/trestle-aws/deployed")["Parameter"]["Value"]
    return str(json.loads(value)["preset"])


def moves(world: World) -> list[str]:
    return [command.line for command in world.commands if "data_move" in command.line]


@pytest.fixture
def one(world: World) -> World:
    """Stage 1."""
    world.build()
    world.ok("deploy", "stage-1-single")
    world.finish_job()
    world.formation.history.clear()
    return world


def test_the_data_is_moved_after_the_job_and_before_the_instance_is_replaced(one: World) -> None:
    seen: dict[str, Any] = {}
    one.formation.on_change = lambda key: seen.setdefault(key, len(moves(one)))  # type: ignore[func-returns-value]
    old = one.formation.accounts["us-east-1", "trestle-shop-"].made["instances", "First"].id
    one.replies.append(("data_move", 0, "move-data: moved: both databases hold the same rows\n", ""))
    said = one.ok("move", "--yes")
    assert "from stage-1-single to stage-2-database" in said.err
    assert "both databases hold the same rows" in said.err
    assert seen["data"] == seen["job"] == 0 and seen["instances"] == 1
    assert [command.instance for command in one.commands if "data_move" in command.line] == [old]
    # The shop is moved in: no goods of its own are waiting there.
    history = one.formation.history
    assert history.index(("create", "data")) < history.index(("create", "job")) < history.index(("update", "instances"))
    assert given(one, "instances")["Database"] == "rds"
    assert preset(one) == "stage-2-database"


def test_rds_is_empty_when_the_data_comes(one: World) -> None:
    products: list[str] = []
    one.formation.on_change = lambda key: products.append(given(one, "job")["Products"]) if key == "instances" else None
    one.ok("move", "--yes")
    assert products == ["0"]


def test_a_data_move_that_fails_stops_before_the_instance_and_is_tried_again(one: World) -> None:
    one.replies.append(
        (
            "data_move",
            1,
            "not the same: orders\nmove-data: nothing was moved\n",
            "data-move: stopped: move-data ended with 1\n",
        )
    )
    said = one.run("move", "--yes")
    # Why is among what it said, before the last word.
    assert said.code == 1 and "move-data ended with 1" in said.complaint and "not the same: orders" in said.err
    assert given(one, "instances")["Database"] == "local" and preset(one) == "stage-1-single"
    one.replies.clear()
    one.ok("move", "--yes")
    assert len(moves(one)) == 2 and given(one, "instances")["Database"] == "rds"


def test_data_that_was_moved_is_not_moved_twice(one: World) -> None:
    one.formation.failing["instances", "First"] = "no capacity"
    assert one.run("move", "--yes").code == 1
    assert len(moves(one)) == 1 and preset(one) == "stage-1-single"
    said = one.ok("move", "--yes")
    assert "the data was moved before" in said.err and len(moves(one)) == 1
    assert preset(one) == "stage-2-database"


def test_the_shop_is_not_stopped_without_asking(one: World) -> None:
    said = one.run("move")
    assert said.code == 64 and "--yes" in said.complaint
    assert one.formation.history == [] and moves(one) == []


def test_a_replacement_that_the_growth_path_names_is_carried_out(one: World) -> None:
    one.formation.replacing["instances", "First"] = "True"
    one.formation.replacing["instances", "FirstAssociation"] = "Conditional"
    one.ok("move", "--yes")
    assert preset(one) == "stage-2-database"


@pytest.mark.parametrize(("answer", "word"), [("True", "replace it"), ("Conditional", "perhaps replace it")])
def test_what_aws_would_replace_is_named_with_the_property(one: World, answer: str, word: str) -> None:
    one.formation.replacing["security", "SingleRole"] = answer
    one.formation.replacing["security", "InstanceSecurityGroup"] = answer
    one.formation.replacing["network", "PublicSubnet1"] = answer
    one.formation.replacing["network", "AppSubnet1"] = answer
    _change(one, "network", "PublicSubnet1", "MapPublicIpOnLaunch")
    said = one.run("move", "--yes")
    assert said.code == 1
    assert (
        f"network/PublicSubnet1 (AWS::EC2::Subnet): AWS would {word} because of MapPublicIpOnLaunch" in said.complaint
    )
    assert "--allow network/PublicSubnet1" in said.complaint
    assert ("update", "network") not in one.formation.history and preset(one) == "stage-1-single"
    assert one.formation.sets == {}, "the change set is left behind"
    one.ok("move", "--yes", "--allow", "network/PublicSubnet1")


def _change(world: World, key: str, id_: str, name: str) -> None:
    """As if the stack had been made by another version of the template."""
    stack = world.formation.entries["us-east-1", f"trestle-shop-{key}"].stack
    assert stack
    stack.resources[id_].properties[name] = "another"


def test_load_balancers_take_over_before_the_instances_go(world: World) -> None:
    world.build()
    world.finish_job()
    world.ok("deploy", "stage-3-second-instance")
    during: dict[str, tuple[str, str]] = {}

    def look(key: str) -> None:
        during[key] = (given(world, "network")["PrivateInstances"], given(world, "security")["Tier"])

    world.formation.on_change = look
    world.formation.history.clear()
    world.ok("move")
    history = world.formation.history
    # Both have a place while one takes over from the other.
    assert during["app"] == ("both", "both")
    assert history.index(("create", "app")) < history.index(("delete", "instances"))
    assert "instances" not in there(world) and preset(world) == "stage-4-load-balancers"
    assert (given(world, "network")["PrivateInstances"], given(world, "security")["Tier"]) == ("yes", "groups")
    assert world.group()["DesiredCapacity"] == 2


def test_a_takeover_that_was_stopped_goes_on(world: World) -> None:
    world.build()
    world.finish_job()
    world.ok("deploy", "stage-3-second-instance")
    world.formation.on_change = lambda key: (
        world.formation.failing.update({("network", "Vpc"): "a limit"}) if key == "app" else None
    )
    said = world.run("move")
    assert said.code == 1 and "instances" not in there(world) and preset(world) == "stage-3-second-instance"
    world.formation.on_change = lambda key: None
    world.formation.failing.clear()
    world.ok("move")
    assert preset(world) == "stage-4-load-balancers" and given(world, "network")["PrivateInstances"] == "yes"


def test_what_would_be_gone_with_its_stack_has_to_be_expected(world: World) -> None:
    world.build()
    world.finish_job()
    world.ok("deploy", "stage-2-database")
    # Back: nothing names the database as something that may go.
    said = world.run("move", "stage-1-single")
    assert said.code == 1 and "would be gone with its stack" in said.complaint and "--allow" in said.complaint
    assert "data" in there(world)


def test_refusals(one: World) -> None:
    said = one.run("move", "stage-1-single")
    assert said.code == 64 and "it is there already" in said.complaint
    said = one.run("move", "stage-99")
    assert said.code == 64 and "stage-99" in said.complaint and "stage-2-database" in said.complaint
    assert one.formation.history == []


def test_data_move_alone_wants_the_job_first(one: World) -> None:
    said = one.run("data-move", "--yes")
    assert said.code == 1 and "the job has not reported" in said.complaint
    one.report()
    one.ok("data-move", "--yes")
    assert moves(one) == [f"env --chdir=/opt/trestle/current/instance {MOVE}"]
