"""`status`, `kill`, `pause`, `resume`, `stress`, and trestle-api's own commands: what load tests steer a stack by."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_world import World, demo, shop

# They share a shop that is deployed once.
pytestmark = pytest.mark.xdist_group("steer")

REPOSITORY = Path(__file__).resolve().parents[3]
DRIVER = REPOSITORY / "loadtest/src/stack/driver.rs"
SHOP = "/opt/trestle/current/instance/shop"


def status(shop: World) -> dict[str, Any]:
    return dict(json.loads(shop.ok("status", "--json").out))


def ids(shop: World) -> dict[str, str]:
    return {it["name"]: it["id"] for it in status(shop)["processes"]}


# --- What the load tests ask
# ----------------------------------------------------------------------------------------------


def test_status_has_the_fields_that_the_load_tests_read(shop: World) -> None:
    found = status(shop)
    source = DRIVER.read_text()
    for struct, value in (("Status", found), ("Process", found["processes"][0])):
        body = re.search(rf"pub struct {struct} \{{(.*?)\n\}}", source, re.DOTALL)
        assert body
        for optional, name in re.findall(r"(#\[serde\(default\)\]\s*)?pub (\w+):", body[1]):
            assert optional or name in value, f"{struct}.{name}"
    assert found["desired"] == 2
    assert found["url"].startswith("http://") and found["url"].endswith(".elb.amazonaws.com")
    names = [it["name"] for it in found["processes"]]
    assert names == ["web-1", "api-1", "api-2", "database", "redis"]
    api = found["processes"][1]
    assert re.fullmatch(r"10\.20\.[45]\.\d+:8000", api["address"]) and api["ops_address"] == api["address"].replace(
        ":8000", ":9000"
    )
    # It runs on another machine.
    assert api["pid"] is None
    assert {it["state"] for it in found["processes"]} == {"ready"}


def test_every_command_line_of_the_load_tests_is_understood(shop: World) -> None:
    source = DRIVER.read_text()
    lines = re.findall(r'\[("(?:status|scale|kill|pause|resume|stress|audit)"[^\]]*)\]', source)
    assert len(lines) >= 7
    values = {"&count": "2", "name": "api-1", "&seconds": "5"}
    shop.replies.append(("audit", 0, "audit: all 12 checks hold (0.1 s)\n", ""))
    for number, line in enumerate(lines):
        words = [values.get(word.strip(), word.strip().strip('"')) for word in line.split(",")]
        placed = (
            ["--environment=shop", *words] if number % 2 else [*words, "--environment", "shop", "--region", "us-east-1"]
        )
        assert shop.run(*placed).code == 0, placed


def test_cpu_is_a_share_of_the_instance_as_cloudwatch_has_it(shop: World) -> None:
    first = ids(shop)["api-1"]
    now = datetime.now(UTC)
    data = [
        {
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": "InstanceId", "Value": first}],
            "Timestamp": now - timedelta(minutes=ago),
            "Value": value,
        }
        for ago, value in ((4, 90.0), (2, 42.0))
    ]
    shop.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=data)
    cpu = {it["name"]: it["cpu"] for it in status(shop)["processes"]}
    assert cpu["api-1"] == 0.42
    assert cpu["api-2"] is None and cpu["database"] is None


def test_states_are_those_of_group_and_balancer(shop: World) -> None:
    first, second = (it["InstanceId"] for it in shop.group()["Instances"])
    names = {id_: name for name, id_ in ids(shop).items()}

    def states(first_health: str, lifecycle: str) -> dict[str, str]:
        shop.answers["DescribeTargetHealth"] = lambda client, parameters: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": first}, "TargetHealth": {"State": first_health}},
                {"Target": {"Id": second}, "TargetHealth": {"State": "healthy"}},
            ]
        }
        real = shop.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=["trestle-shop-app-ApiGroup", "trestle-shop-app-WebGroup"]
        )
        for group in real["AutoScalingGroups"]:
            for instance in group["Instances"]:
                instance["LifecycleState"] = lifecycle if instance["InstanceId"] == second else "InService"
        shop.answers["DescribeAutoScalingGroups"] = lambda client, parameters: real
        found = {it["name"]: it["state"] for it in status(shop)["processes"]}
        shop.answers.clear()
        return {"first": found[names[first]], "second": found[names[second]]}

    assert states("healthy", "InService") == {"first": "ready", "second": "ready"}
    assert states("initial", "Pending:Wait") == {"first": "starting", "second": "starting"}
    assert states("unhealthy", "Terminating:Wait") == {"first": "unhealthy", "second": "draining"}
    assert states("draining", "Standby") == {"first": "draining", "second": "held"}


def test_a_machine_that_ends_is_down_before_anybody_has_noticed(shop: World) -> None:
    dying = ids(shop)["api-2"]
    real = shop.client("ec2").describe_instances()
    for instance in (it for reservation in real["Reservations"] for it in reservation["Instances"]):
        if instance["InstanceId"] == dying:
            instance["State"] = {"Name": "shutting-down"}
    shop.answers["DescribeInstances"] = lambda client, parameters: real
    found = {it["name"]: it["state"] for it in status(shop)["processes"]}
    assert found["api-2"] == "down" and found["api-1"] == "ready"


def test_who_replaces_a_replica_has_its_name_and_the_others_keep_theirs(shop: World) -> None:
    before = ids(shop)
    shop.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=before["api-1"], ShouldDecrementDesiredCapacity=False
    )
    after = ids(shop)
    assert after["api-2"] == before["api-2"]
    assert after["api-1"] != before["api-1"]
    shop.ok("scale", "4", "--wait")
    assert set(ids(shop)) >= {"api-1", "api-2", "api-3", "api-4"}
    assert ids(shop) == ids(shop)


def test_the_page_for_people(shop: World) -> None:
    page = shop.ok("status").out
    assert "api: 2 wanted, 2 to 4" in page and "preset demo, release 1.0.0" in page and "shop: http://" in page


# --- Faults
# ----------------------------------------------------------------------------------------------------------------


def test_kill_terminates_the_instance_and_no_other(shop: World) -> None:
    before = ids(shop)
    shop.ok("kill", "api-2")
    states = {
        it["InstanceId"]: it["State"]["Name"]
        for r in shop.client("ec2").describe_instances()["Reservations"]
        for it in r["Instances"]
    }
    assert states[before["api-2"]] == "terminated"
    assert states[before["api-1"]] == states[before["web-1"]] == "running"


def test_kill_of_the_database_fails_over_only_where_there_is_a_standby(shop: World) -> None:
    asked: list[dict[str, Any]] = []
    shop.answers["RebootDBInstance"] = lambda client, parameters: asked.append(parameters) or {"DBInstance": {}}
    assert "restarts, in its only zone" in shop.ok("kill", "database").err
    database = shop.client("rds").describe_db_instances()["DBInstances"][0]
    shop.answers["DescribeDBInstances"] = lambda client, parameters: {"DBInstances": [database | {"MultiAZ": True}]}
    assert "fails over" in shop.ok("kill", "database").err
    assert [it["ForceFailover"] for it in asked] == [False, True]


def test_kill_of_redis_restarts_a_node_that_is_alone_and_fails_over_else(shop: World) -> None:
    asked: list[str] = []
    shop.answers["RebootCacheCluster"] = lambda client, parameters: asked.append(parameters["CacheClusterId"]) or {}
    shop.answers["TestFailover"] = lambda client, parameters: (
        asked.append(f"failover {parameters['NodeGroupId']}") or {}
    )
    group = shop.client("elasticache").describe_replication_groups()["ReplicationGroups"][0] | {
        "MemberClusters": ["redis-001"]
    }
    shop.answers["DescribeReplicationGroups"] = lambda client, parameters: {"ReplicationGroups": [group]}
    shop.ok("kill", "redis")
    group |= {"AutomaticFailover": "enabled", "NodeGroups": [{"NodeGroupId": "0001"}]}
    shop.ok("kill", "redis")
    assert asked == ["redis-001", "failover 0001"]


def test_an_unknown_name_is_refused_with_those_that_there_are_and_nothing_is_killed(shop: World) -> None:
    for words in (["kill", "api-1", "api-9"], ["pause", "api-1", "api-9"], ["stress", "api-9"], ["resume", "nginx"]):
        said = shop.run(*words)
        assert said.code == 64 and "web-1, api-1, api-2, database, redis" in said.complaint
    assert shop.commands == []
    assert len(shop.group()["Instances"]) == 2 and ids(shop)["api-1"]


def test_pause_and_resume_signal_the_api_of_each_instance(shop: World) -> None:
    known = ids(shop)
    shop.ok("pause", "api-1", "api-2")
    shop.ok("resume", "api-1")
    told = [(command.instance, command.line) for command in shop.commands]
    assert told == [
        (known["api-1"], f"{SHOP} signal STOP"),
        (known["api-2"], f"{SHOP} signal STOP"),
        (known["api-1"], f"{SHOP} signal CONT"),
    ]


@pytest.mark.parametrize("words", [["pause", "database"], ["pause", "web-1"], ["stress", "redis"], ["stress", "web-1"]])
def test_only_replicas_are_frozen_and_stressed(shop: World, words: list[str]) -> None:
    said = shop.run(*words)
    assert said.code == 64 and words[1] in said.complaint
    assert shop.commands == []


def test_stress_burns_for_the_time_that_was_said(shop: World) -> None:
    shop.ok("stress", "api-2", "--seconds", "120")
    shop.ok("stress", "api-1")
    assert [command.line for command in shop.commands] == [f"{SHOP} burn 120", f"{SHOP} burn 60"]
    for wrong in ("0", "3601", "soon"):
        assert shop.run("stress", "api-1", "--seconds", wrong).code == 64


def test_what_an_instance_says_of_a_failure_is_shown(shop: World) -> None:
    shop.replies.append(("signal", 1, "", "Unit trestle-api.service not loaded.\n"))
    said = shop.run("pause", "api-1")
    assert said.code == 1 and "Unit trestle-api.service not loaded." in said.complaint


def test_an_instance_that_systems_manager_does_not_know_is_named(shop: World) -> None:
    def unknown(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        raise client.exceptions.InvalidInstanceId(
            {"Error": {"Code": "InvalidInstanceId", "Message": ""}}, "SendCommand"
        )

    shop.answers["SendCommand"] = unknown
    said = shop.run("pause", "api-1")
    assert said.code == 1 and "does its agent reach SSM?" in said.complaint


# --- trestle-api's own commands
# ------------------------------------------------------------------------------------------


def test_an_audit_is_run_on_an_instance_and_its_words_and_code_are_its_own(shop: World) -> None:
    shop.replies.append(("audit", 0, "stock adds up\naudit: all 12 checks hold (0.3 s)\n", ""))
    said = shop.ok("audit", "--settled")
    assert said.out.splitlines()[-1] == "audit: all 12 checks hold (0.3 s)"
    assert shop.commands[-1].line == f"{SHOP} api audit --settled"
    # The load test waits for ten minutes.
    assert shop.commands[-1].seconds == 600
    shop.replies[:] = [("audit", 1, "FAIL stock\naudit: 1 check failed (0.3 s)\n", "")]
    said = shop.run("audit", "--settled")
    assert said.code == 1 and said.out.splitlines()[-1] == "audit: 1 check failed (0.3 s)"


def test_words_reach_trestle_api_as_they_are_but_for_the_place(shop: World) -> None:
    shop.ok(
        "admin", "grant", "--environment", "shop", "ada's account@example.com", "--region=us-east-1", "--", "--project"
    )
    assert shlex.split(shop.commands[-1].line) == [
        SHOP,
        "api",
        "admin",
        "grant",
        "ada's account@example.com",
        "--",
        "--project",
    ]


def test_an_import_brings_its_file_and_leaves_none(shop: World, tmp_path: Path) -> None:
    file = tmp_path / "our products.csv"
    file.write_text("Handle,Title\n")
    seen: list[int] = []
    bucket = "test-trestle-shop-release-bucket"
    shop.on_sleep.append(lambda: None)
    real = shop._send

    def send(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        objects = shop.client("s3").list_objects_v2(Bucket=bucket, Prefix="passing/").get("Contents", [])
        seen.append(len(objects))
        return real(parameters)

    shop.answers["SendCommand"] = send
    shop.ok("import", str(file), "--all-or-nothing")
    line = shlex.split(shop.commands[-1].line)
    assert line[:2] == ["bash", "-c"]
    assert f'{SHOP} api import "$file" --all-or-nothing' in line[2] and "https://" in line[2] and "trap" in line[2]
    assert seen == [1]
    assert "Contents" not in shop.client("s3").list_objects_v2(Bucket=bucket, Prefix="passing/")
    assert shop.run("import", "not-there.csv").code == 64


def test_an_interrupted_command_is_cancelled_on_the_instance(shop: World) -> None:
    shop.answers["GetCommandInvocation"] = lambda client, parameters: {"Status": "InProgress"}

    def interrupt() -> None:
        raise KeyboardInterrupt

    shop.on_sleep.append(interrupt)
    assert shop.run("audit").code == 130
    assert shop.cancelled == ["command-1"]


def test_a_command_that_never_ends_is_given_up(shop: World) -> None:
    shop.answers["GetCommandInvocation"] = lambda client, parameters: {"Status": "InProgress"}
    began = shop.clock
    said = shop.run("audit")
    assert said.code == 1 and "did not end" in said.complaint
    assert shop.clock - began < 700 and shop.cancelled == ["command-1"]


def test_without_a_ready_instance_there_is_nobody_to_audit(shop: World) -> None:
    shop.answers["DescribeTargetHealth"] = lambda client, parameters: {"TargetHealthDescriptions": []}
    said = shop.run("audit")
    assert said.code == 1 and "no instance of the API is ready" in said.complaint
