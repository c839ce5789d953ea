"""`trestle-aws scale`: the number, what is refused, and a hold that gives back whatever happens."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cli_world import World, demo, shop

# They share a shop that is deployed once.
pytestmark = pytest.mark.xdist_group("scale")

HOLD = "/trestle/shop/trestle-aws/hold"


def bounds(shop: World) -> tuple[int, int, int]:
    group = shop.group()
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


def suspended(shop: World) -> set[str]:
    return {it["ProcessName"] for it in shop.group()["SuspendedProcesses"]}


def note(shop: World) -> dict[str, Any] | None:
    try:
        return dict(json.loads(shop.client("ssm").get_parameter(Name=HOLD)["Parameter"]["Value"]))
    except shop.client("ssm").exceptions.ParameterNotFound:
        return None


def test_scale_returns_when_exactly_so_many_are_ready(shop: World) -> None:
    said = shop.ok("scale", "3", "--wait")
    assert bounds(shop) == (2, 4, 3)
    assert "3 of 3 ready, 0 on their way" in said.err
    shop.ok("scale", "2", "--wait")
    assert bounds(shop) == (2, 4, 2)


def test_wait_does_not_return_before_the_balancer_finds_them_healthy(shop: World) -> None:
    looks: list[int] = []

    def health(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        looks.append(1)
        ids = [
            it["InstanceId"]
            for it in shop.group("api" if "Api" in parameters["TargetGroupArn"] else "web")["Instances"]
        ]
        state = "healthy" if len(looks) > 8 else "initial"
        return {"TargetHealthDescriptions": [{"Target": {"Id": id_}, "TargetHealth": {"State": state}} for id_ in ids]}

    shop.answers["DescribeTargetHealth"] = health
    said = shop.ok("scale", "3", "--wait")
    assert "0 of 3 ready, 3 on their way" in said.err and len(looks) > 8


def test_scaling_in_waits_until_what_goes_is_gone(shop: World) -> None:
    shop.ok("scale", "3", "--wait")
    names = ["trestle-shop-app-ApiGroup", "trestle-shop-app-WebGroup"]
    draining = shop.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
    api = next(it for it in draining["AutoScalingGroups"] if it["AutoScalingGroupName"] == names[0])
    api["Instances"][0]["LifecycleState"] = "Terminating:Wait"
    machines = shop.client("ec2").describe_instances()
    looks: list[int] = []

    def groups(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        looks.append(1)
        if len(looks) == 4:
            shop.answers.clear()
        return draining

    shop.answers |= {"DescribeAutoScalingGroups": groups, "DescribeInstances": lambda client, parameters: machines}
    said = shop.ok("scale", "2", "--wait")
    assert "2 of 2 ready, 1 on their way" in said.err and len(looks) == 4


def test_wait_gives_up_within_the_time_that_the_load_test_grants(shop: World) -> None:
    unhealthy = {"TargetHealthDescriptions": []}
    shop.answers["DescribeTargetHealth"] = lambda client, parameters: unhealthy
    began = shop.clock
    said = shop.run("scale", "3", "--wait")
    assert said.code == 1 and "3 replicas are not ready" in said.complaint
    assert shop.clock - began < 300


def test_a_number_beyond_the_groups_bounds_is_refused(shop: World) -> None:
    for count in ("1", "5"):
        said = shop.run("scale", count)
        assert said.code == 64 and "2 to 4" in said.complaint
    assert bounds(shop) == (2, 4, 2)


@pytest.mark.parametrize(
    "words", [["0"], ["-1"], ["two"], ["101"], [], ["2", "--seconds", "5"], ["2", "--allow-burst"], ["--release", "2"]]
)
def test_wrong_words(shop: World, words: list[str]) -> None:
    said = shop.run("scale", *words)
    assert said.code == 64, said.err
    assert bounds(shop) == (2, 4, 2)


def test_more_than_the_database_has_connections_for_is_refused(shop: World) -> None:
    # db.t4g.micro: 60 connections, of which 80 % are 48; pools of 8, one instance more while they are refreshed: 5 fit.
    said = shop.run("scale", "6", "--hold", "--allow-burst", "--seconds", "1")
    assert said.code == 64
    assert "8 connections (PoolSize) x (6 + 1" in said.complaint and "5 replicas fit" in said.complaint
    assert bounds(shop) == (2, 4, 2) and note(shop) is None
    assert shop.run("scale", "5", "--hold", "--allow-burst", "--seconds", "1").code == 0


def test_burstable_classes_are_not_measured(shop: World) -> None:
    said = shop.run("scale", "3", "--hold", "--seconds", "1")
    assert said.code == 64 and "t3.micro" in said.complaint and "--allow-burst" in said.complaint
    assert note(shop) is None


def test_a_hold_fixes_the_number_and_gives_all_back(shop: World) -> None:
    seen = []
    shop.on_sleep.append(lambda: seen.append((bounds(shop), suspended(shop))))
    said = shop.ok("scale", "5", "--hold", "--allow-burst", "--seconds", "3")
    assert seen and seen[-1] == ((5, 5, 5), {"AlarmNotification", "AZRebalance", "ScheduledActions"})
    assert bounds(shop) == (2, 4, 2) and suspended(shop) == set() and note(shop) is None
    assert "released: 2 to 4, 2 wanted, as before" in said.err


def test_what_somebody_else_had_suspended_stays_so(shop: World) -> None:
    name = shop.group()["AutoScalingGroupName"]
    shop.client("autoscaling").suspend_processes(
        AutoScalingGroupName=name, ScalingProcesses=["AZRebalance", "Terminate"]
    )
    shop.ok("scale", "3", "--hold", "--allow-burst", "--seconds", "1")
    assert suspended(shop) == {"AZRebalance", "Terminate"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_hold_that_is_interrupted_gives_all_back(shop: World, number: signal.Signals) -> None:
    held = []

    def interrupt() -> None:
        if bounds(shop)[0] == 3 and not held:
            held.append(suspended(shop))
            os.kill(os.getpid(), number)

    shop.on_sleep.append(interrupt)
    said = shop.run("scale", "3", "--hold", "--allow-burst")
    assert said.code == 130
    assert held and bounds(shop) == (2, 4, 2) and suspended(shop) == set() and note(shop) is None


def test_a_second_interruption_does_not_keep_it_from_giving_back(shop: World) -> None:
    real = shop.client("autoscaling")

    def resume(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGINT)
        shop.answers.pop("ResumeProcesses")
        real.resume_processes(**parameters)
        return {}

    shop.answers["ResumeProcesses"] = resume
    shop.on_sleep.append(lambda: os.kill(os.getpid(), signal.SIGINT) if bounds(shop)[0] == 3 else None)
    assert shop.run("scale", "3", "--hold", "--allow-burst").code == 130
    assert bounds(shop) == (2, 4, 2) and suspended(shop) == set() and note(shop) is None


def test_a_killed_hold_is_ended_by_release_and_nothing_else_begins_meanwhile(shop: World) -> None:
    _killed(shop)
    assert bounds(shop) == (3, 3, 3) and note(shop) is not None
    said = shop.run("scale", "4", "--hold", "--allow-burst")
    assert said.code == 1 and "--release" in said.complaint
    assert bounds(shop) == (3, 3, 3), "another's hold was given back"
    shop.ok("scale", "--release")
    assert bounds(shop) == (2, 4, 2) and suspended(shop) == set() and note(shop) is None
    assert "nobody holds" in shop.ok("scale", "--release").err


def test_a_release_that_breaks_off_can_be_given_again(shop: World) -> None:
    _killed(shop)

    def broken(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    shop.answers["ResumeProcesses"] = broken
    assert shop.run("scale", "--release").code == 130
    assert note(shop) is not None
    shop.answers.clear()
    shop.ok("scale", "--release")
    assert bounds(shop) == (2, 4, 2) and suspended(shop) == set() and note(shop) is None


def test_within_a_hold_scale_moves_the_fixed_number(shop: World) -> None:
    _killed(shop)
    shop.ok("scale", "1", "--wait")
    assert bounds(shop) == (1, 1, 1)
    said = shop.run("scale", "6", "--wait")
    assert said.code == 64 and "5 replicas fit" in said.complaint
    shop.ok("scale", "--release")
    assert bounds(shop) == (2, 4, 2)


def test_a_hold_lasts_as_long_as_its_command_and_ends_as_it_ended(shop: World) -> None:
    said = shop.run("scale", "3", "--hold", "--allow-burst", "--", sys.executable, "-c", "raise SystemExit(7)")
    assert said.code == 7
    assert bounds(shop) == (2, 4, 2) and note(shop) is None


def test_a_hold_waits_until_its_command_has_put_things_in_order(shop: World, tmp_path: Path) -> None:
    program = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.3)
    pathlib.Path("ended").write_text("in order")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("began").touch()
time.sleep(30)
"""
    (tmp_path / "program.py").write_text(program)

    def terminate() -> None:
        while not (tmp_path / "began").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=terminate, daemon=True).start()
    words = ["--", "env", f"--chdir={tmp_path}", sys.executable, "program.py"]
    said = shop.run("scale", "3", "--hold", "--allow-burst", *words)
    assert said.code == 130
    assert (tmp_path / "ended").read_text() == "in order"
    assert bounds(shop) == (2, 4, 2) and note(shop) is None


def test_a_command_that_is_none_is_refused_before_anything_is_held(shop: World) -> None:
    said = shop.run("scale", "3", "--hold", "--allow-burst", "--", "no-such-program")
    assert said.code == 64 and "no-such-program" in said.complaint
    assert bounds(shop) == (2, 4, 2) and note(shop) is None


def _killed(shop: World) -> None:
    """What a hold of 3 leaves when its process is killed: no code of its runs any more."""

    class Killed(BaseException):
        pass

    def kill() -> None:
        if bounds(shop)[0] == 3:
            shop.answers |= dict.fromkeys(("GetParameter", "UpdateAutoScalingGroup", "ResumeProcesses"), _dead)
            raise Killed

    def _dead(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        raise Killed

    shop.on_sleep.append(kill)
    with pytest.raises(Killed):
        shop.run("scale", "3", "--hold", "--allow-burst")
    shop.on_sleep.clear()
    shop.answers.clear()
