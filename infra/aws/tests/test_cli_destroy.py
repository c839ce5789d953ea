"""`trestle-aws destroy`: all of this environment, nothing of another, and what remains is told with its price."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from cli_world import World, world

BUCKET = "test-trestle-shop-release-bucket"


@pytest.fixture
def stage(world: World) -> World:
    """Stage 2: an instance and RDS, small enough to be made for each test."""
    world.build()
    world.finish_job()
    world.ok("deploy", "stage-2-database")
    world.formation.history.clear()
    return world


def deleted(world: World) -> list[str]:
    return [key for word, key in world.formation.history if word == "delete"]


def test_stacks_go_in_reverse_order_and_the_last_snapshot_stays_with_its_price(stage: World) -> None:
    made = [entry.key for entry in stage.formation.entries.values()]
    said = stage.ok("destroy", "--yes")
    assert deleted(stage) == list(reversed(made))
    assert stage.formation.entries == {}
    assert [it["DBSnapshotIdentifier"] for it in stage.client("rds").describe_db_snapshots()["DBSnapshots"]] == [
        "trestle-shop-data-database-final"
    ]
    row = next(line for line in said.out.splitlines() if "database snapshot" in line)
    # 20 GiB at 0.095 USD.
    assert "trestle-shop-data-database-final" in row and "1.90" in row
    assert "`destroy --purge` removes it" in said.out


def test_the_bucket_is_emptied_with_all_versions_and_markers(stage: World) -> None:
    s3 = stage.client("s3")
    for content in (b"one", b"two"):
        s3.put_object(Bucket=BUCKET, Key="releases/old", Body=content)
    s3.delete_object(Bucket=BUCKET, Key="releases/old")
    stage.ok("destroy", "--yes")
    assert BUCKET not in [it["Name"] for it in s3.list_buckets()["Buckets"]]


def test_purge_removes_what_would_remain(stage: World) -> None:
    said = stage.ok("destroy", "--yes", "--purge")
    assert stage.client("rds").describe_db_snapshots()["DBSnapshots"] == []
    assert "removed: database snapshot trestle-shop-data-database-final" in said.err
    assert said.out.strip() == "Nothing remains."


def test_given_again_it_still_tells_and_removes_what_remains(stage: World) -> None:
    stage.ok("destroy", "--yes")
    said = stage.ok("destroy")
    assert "database snapshot" in said.out and "no stack trestle-shop-* bears both tags" in said.err
    assert "Nothing remains" in stage.ok("destroy", "--yes", "--purge").out


def test_a_running_job_is_ended_first(stage: World) -> None:
    stage.on_sleep.clear()
    exports = stage.formation.entries["us-east-1", "trestle-shop-job"].exports
    template = exports["trestle-shop-JobLaunchTemplateId"]
    id_ = stage.client("ec2").run_instances(LaunchTemplate={"LaunchTemplateId": template}, MinCount=1, MaxCount=1)[
        "Instances"
    ][0]["InstanceId"]
    stage.ok("destroy", "--yes")
    state = stage.client("ec2").describe_instances(InstanceIds=[id_])["Reservations"][0]["Instances"][0]["State"][
        "Name"
    ]
    assert state == "terminated"


# --- Nothing else
# ----------------------------------------------------------------------------------------------------------


def everything(world: World) -> dict[str, Any]:
    """What could be hurt by mistake."""
    ec2 = world.client("ec2")
    states = {
        it["InstanceId"]: it["State"]["Name"] for r in ec2.describe_instances()["Reservations"] for it in r["Instances"]
    }
    return {
        "stacks": {name for _, name in world.formation.entries},
        "buckets": {it["Name"] for it in world.client("s3").list_buckets()["Buckets"]},
        "databases": {it["DBInstanceIdentifier"] for it in world.client("rds").describe_db_instances()["DBInstances"]},
        "snapshots": {it["DBSnapshotIdentifier"] for it in world.client("rds").describe_db_snapshots()["DBSnapshots"]},
        "instances": {id_ for id_, state in states.items() if state == "running"},
        "addresses": {it["AllocationId"] for it in ec2.describe_addresses()["Addresses"]},
        "volumes": {it["VolumeId"] for it in ec2.describe_volumes()["Volumes"]},
        "secrets": {it["Name"] for it in world.client("secretsmanager").list_secrets()["SecretList"]},
        "logs": {it["logGroupName"] for it in world.client("logs").describe_log_groups()["logGroups"]},
        "parameters": {it["Name"] for it in world.client("ssm").describe_parameters()["Parameters"]},
    }


def foreign(world: World) -> None:
    """Things that look like this environment's and lack a tag, or bear another's."""
    half = [{"Key": "Project", "Value": "trestle"}]
    others = [{"Key": "Project", "Value": "trestle"}, {"Key": "Environment", "Value": "shop-b"}]
    for number, tags in enumerate((half, others)):
        name = f"trestle-shop-{number}"
        world.client("s3").create_bucket(Bucket=name)
        world.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        world.client("s3").put_object(Bucket=name, Key="keep", Body=b"")
        world.client("secretsmanager").create_secret(Name=name, SecretString="x", Tags=tags)
        spec = [{"ResourceType": "volume", "Tags": tags}]
        world.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=spec)
        spec = [{"ResourceType": "elastic-ip", "Tags": tags}]
        world.client("ec2").allocate_address(Domain="vpc", TagSpecifications=spec)
        spec = [{"ResourceType": "instance", "Tags": [*tags, {"Key": "Role", "Value": "job"}]}]
        world.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=spec)
        world.client("logs").create_log_group(
            logGroupName=f"/trestle/shop/{number}", tags={it["Key"]: it["Value"] for it in tags}
        )
        world.client("ssm").put_parameter(Name=f"/trestle/shop/{number}", Value="x", Type="String", Tags=tags)
        rds = world.client("rds")
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.micro", Engine="mysql", AllocatedStorage=20, Tags=tags
        )
        rds.create_db_snapshot(DBSnapshotIdentifier=f"{name}-final", DBInstanceIdentifier=name, Tags=tags)


def test_another_environment_and_untagged_things_stay_even_when_purging(world: World) -> None:
    world.build()
    # Its name begins as this one's does.
    world.ok("--environment", "shop-b", "deploy", "stage-1-single")
    foreign(world)
    before = everything(world)
    world.finish_job()
    world.ok("deploy", "stage-2-database")
    assert everything(world) != before
    world.ok("destroy", "--yes", "--purge")
    assert everything(world) == before


def test_a_stack_of_the_right_name_without_both_tags_stays(stage: World) -> None:
    entry = stage.formation.entries["us-east-1", "trestle-shop-job"]
    entry.tags = [{"Key": "Project", "Value": "trestle"}]
    stage.run("destroy", "--yes")
    assert "job" not in deleted(stage)
    assert ("us-east-1", "trestle-shop-job") in stage.formation.entries


def test_a_bucket_that_lost_its_tags_is_not_emptied(stage: World) -> None:
    stage.client("s3").delete_bucket_tagging(Bucket=BUCKET)
    said = stage.run("destroy", "--yes")
    assert said.code == 1 and BUCKET in said.complaint and "left as it is" in said.complaint
    assert stage.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0


# --- Asking and refusing
# --------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_asks_for_the_name(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for typed in ("", "yes\n", "trestle-shop-b\n", "trestle\n"):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        said = stage.run("destroy")
        assert said.code == 64 and "nothing was done" in said.complaint
    monkeypatch.setattr(sys, "stdin", io.StringIO("trestle-shop\n"))
    assert "--yes" in stage.run("destroy").complaint, "nobody is at a terminal"
    assert deleted(stage) == []
    monkeypatch.setattr(sys, "stdin", Terminal("trestle-shop\n"))
    stage.ok("destroy")
    assert deleted(stage)[-1] == "release"


def test_deletion_protection_is_respected_and_it_is_said_how_it_is_taken_back(stage: World) -> None:
    stage.ok("deploy", "stage-2-database", "--set", "DeletionProtection=yes")
    stage.formation.history.clear()
    said = stage.run("destroy", "--yes", "--purge")
    assert said.code == 64
    assert "DeletionProtection=yes in the stack data" in said.complaint
    command = said.complaint.split("`")[1].split()
    assert command == ["trestle-aws", "deploy", "stage-2-database", "--set", "DeletionProtection=no"]
    assert deleted(stage) == []
    stage.ok(*command[1:])
    stage.ok("destroy", "--yes")


def test_termination_protection_of_a_stack_is_respected(stage: World) -> None:
    stage.formation.entries["us-east-1", "trestle-shop-network"].protected = True
    said = stage.run("destroy", "--yes")
    assert said.code == 64 and "trestle-shop-network has termination protection" in said.complaint
    assert deleted(stage) == []


def test_after_a_failure_the_next_call_goes_on(stage: World) -> None:
    # Somebody's stack uses an export of the network.
    other = stage.formation._new("us-east-1", "mine-own-stack")
    other.stack = stage.formation.entries["us-east-1", "trestle-shop-security"].stack
    other.status = "CREATE_COMPLETE"
    said = stage.run("destroy", "--yes")
    assert said.code == 1
    assert "network: DELETE_FAILED" in said.complaint and "in use by stack" in said.complaint
    del stage.formation.entries["us-east-1", "mine-own-stack"]
    stage.ok("destroy", "--yes")
    assert stage.formation.entries == {}


def test_what_is_under_way_is_waited_for(stage: World) -> None:
    entry = stage.formation.entries["us-east-1", "trestle-shop-instances"]
    entry.status, entry.then, entry.busy = "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", 3
    stage.ok("destroy", "--yes")
    assert stage.formation.entries == {}
