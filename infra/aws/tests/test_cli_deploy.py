"""`trestle-aws deploy`: order, parameters, the job, what a failure leaves and how the next call goes on."""

from __future__ import annotations

import hashlib

import pytest
from cli_world import World, world

from trestle_aws.presets import ORDER, read

BUCKET = "test-trestle-shop-release-bucket"


def created(world: World) -> list[str]:
    return [key for word, key in world.formation.history if word == "create"]


def given(world: World, key: str, region: str = "us-east-1") -> dict[str, str]:
    return world.formation.entries[region, f"trestle-shop-{key}"].given


def instances_of(world: World, role: str) -> list[str]:
    found = world.client("ec2").describe_instances(Filters=[{"Name": "tag:Role", "Values": [role]}])["Reservations"]
    return [it["State"]["Name"] for reservation in found for it in reservation["Instances"]]


@pytest.fixture
def ready(world: World) -> World:
    """A release is built, and the job does what it should."""
    world.build()
    world.finish_job()
    return world


def test_stacks_are_made_in_order_with_the_release_and_the_group_starts_last(ready: World) -> None:
    said = ready.ok("deploy", "demo")
    assert created(ready) == [key for key in ORDER if key in read("demo").stacks]
    keys = ready.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert "releases/1.0.0/trestle-1.0.0-amd64.tar.gz" in [it["Key"] for it in keys]
    for key in ("job", "app"):
        assert (given(ready, key)["Release"], given(ready, key)["ReleaseBucket"]) == ("1.0.0", BUCKET)
        assert given(ready, key)["ReleaseSha256"] == hashlib.sha256(b"an archive").hexdigest()
    # First without an instance of the API, then, when the job has reported, with them.
    assert ready.formation.history[-1] == ("update", "app")
    assert given(ready, "app")["DatabaseReady"] == "yes"
    assert ready.group("api")["DesiredCapacity"] == 2
    assert "job: done" in said.err and "the shop: http://" in said.err


def test_the_api_has_no_instance_before_the_job_has_reported(world: World) -> None:
    world.build()
    seen = []

    def look() -> None:
        if ("create", "app") in world.formation.history:
            seen.append(world.group("api")["MaxSize"])
        if len(seen) == 3:
            world.report()

    world.on_sleep.append(look)
    world.ok("deploy", "demo")
    assert seen[:3] == [0, 0, 0]
    assert world.group("api")["MaxSize"] == 4


def test_given_again_it_changes_nothing_and_starts_no_second_job(ready: World) -> None:
    ready.ok("deploy", "demo")
    before = list(ready.formation.history)
    said = ready.ok("deploy", "demo")
    assert ready.formation.history == before
    assert said.err.count("nothing to change") == len(read("demo").stacks)
    assert len(instances_of(ready, "job")) == 1
    assert ready.refreshed == []


def test_a_job_that_fails_is_told_with_its_step_and_the_next_call_runs_it_again(world: World) -> None:
    world.build()
    world.finish_job(state="failed", step="migrate", message="Access denied for user trestle")
    said = world.run("deploy", "demo")
    assert said.code == 1
    assert "job: migrate failed: Access denied for user trestle" in said.complaint
    assert world.group("api")["MaxSize"] == 0
    world.on_sleep.clear()
    world.finish_job()
    world.ok("deploy", "demo")
    assert world.group("api")["MaxSize"] == 4
    assert len(instances_of(world, "job")) == 2


def test_a_new_database_is_prepared_though_an_old_one_was(ready: World) -> None:
    ready.report()
    ready.ok("deploy", "demo")
    assert len(instances_of(ready, "job")) == 1


def test_a_job_that_ends_without_a_word_is_not_waited_for(world: World) -> None:
    world.build()

    def die() -> None:
        ec2 = world.client("ec2")
        for r in ec2.describe_instances(Filters=[{"Name": "tag:Role", "Values": ["job"]}])["Reservations"]:
            ec2.terminate_instances(InstanceIds=[it["InstanceId"] for it in r["Instances"]])

    world.on_sleep.append(die)
    said = world.run("deploy", "demo")
    assert said.code == 1 and "ended without a report" in said.complaint
    assert world.clock < 1000 + 300


def test_a_job_that_is_under_way_is_waited_for_instead_of_started_twice(world: World) -> None:
    world.build()
    world.on_sleep.append(_interrupt_at_job(world))
    assert world.run("deploy", "demo").code == 130
    assert instances_of(world, "job") == ["running"]
    world.on_sleep.clear()
    world.finish_job()
    said = world.ok("deploy", "demo")
    assert "under way since an earlier attempt" in said.err
    assert len(instances_of(world, "job")) == 1


def _interrupt_at_job(world: World):
    def happening() -> None:
        if instances_of(world, "job"):
            raise KeyboardInterrupt

    return happening


def test_the_reason_of_the_resource_that_failed_is_shown_not_of_those_cancelled(ready: World) -> None:
    ready.formation.failing["data", "Database"] = "Cannot find version 8.4 for mysql"
    said = ready.run("deploy", "demo")
    assert said.code == 1
    assert said.complaint == (
        "trestle-aws: data: ROLLBACK_COMPLETE: Database (AWS::RDS::DBInstance): Cannot find version 8.4 for mysql"
    )


def test_after_a_failed_creation_the_next_call_cleans_up_and_goes_on(ready: World) -> None:
    ready.formation.failing["data", "Database"] = "no capacity"
    assert ready.run("deploy", "demo").code == 1
    said = ready.ok("deploy", "demo")
    assert "data: ROLLBACK_COMPLETE: what an earlier attempt left is deleted first" in said.err
    history = ready.formation.history
    assert history.count(("create", "network")) == 1
    assert history[history.index(("create", "data")) + 1] == ("delete", "data")
    assert ready.group("api")["DesiredCapacity"] == 2


def test_a_failed_update_is_rolled_back_and_the_next_call_tries_again(ready: World) -> None:
    ready.ok("deploy", "demo")
    ready.formation.failing["app", "ApiGroup"] = "a limit"
    said = ready.run("deploy", "demo", "--set", "app.ApiMax=3")
    assert (
        said.code == 1
        and "app: UPDATE_ROLLBACK_COMPLETE: ApiGroup (AWS::AutoScaling::AutoScalingGroup): a limit" in said.complaint
    )
    ready.ok("deploy", "demo", "--set", "app.ApiMax=3")
    assert ready.group("api")["MaxSize"] == 3


def test_a_rollback_that_failed_is_continued_first(ready: World) -> None:
    ready.ok("deploy", "demo")
    ready.formation.entries["us-east-1", "trestle-shop-app"].status = "UPDATE_ROLLBACK_FAILED"
    ready.ok("deploy", "demo", "--set", "app.WebMax=3")
    history = ready.formation.history
    assert history[history.index(("continue", "app")) + 1] == ("update", "app")


def test_what_another_call_has_begun_is_waited_for(ready: World) -> None:
    ready.formation.slow = 1000
    ready.on_sleep.append(_interrupt_when(ready, ("create", "security")))
    assert ready.run("deploy", "demo").code == 130
    ready.on_sleep.clear()
    ready.formation.slow = 2
    ready.formation.entries["us-east-1", "trestle-shop-security"].busy = 2
    ready.finish_job()
    said = ready.ok("deploy", "demo")
    assert "security: CREATE_IN_PROGRESS: waiting for what was begun before" in said.err
    assert ready.formation.history.count(("create", "security")) == 1


def _interrupt_when(world: World, what: tuple[str, str]):
    world.formation.slow = 1

    def happening() -> None:
        if what in world.formation.history:
            world.formation.entries["us-east-1", f"trestle-shop-{what[1]}"].busy = 1000
            raise KeyboardInterrupt

    return happening


def test_a_wrong_parameter_is_named_before_anything_is_made(ready: World) -> None:
    for words, name in (
        (["--set", "app.ApiMax=99"], "app.ApiMax"),
        (["--set", "Domain=Not A Domain"], "Domain"),
        (["--set", "app.Colour=red"], "app.Colour"),
        (["--set", "Colour=red"], "Colour"),
        (["--set", "edge.Mode=all"], "edge"),
        (["--set", "ApiMax"], "ApiMax"),
        (["--set", "app.WebMin=3", "--set", "app.WebMax=2"], "WebMin is more than WebMax"),
        (["--set", "network.Nat=none"], "Nat = none"),
        (["--set", "app.ApiMax=16"], "ApiMax"),
    ):
        said = ready.run("deploy", "demo", *words)
        assert said.code == 64 and name in said.complaint, said.err
    assert ready.formation.history == []


def test_without_a_release_it_says_how_to_make_one(world: World) -> None:
    said = world.run("deploy", "demo")
    assert said.code == 64 and "`trestle-aws build` makes one" in said.complaint
    world.build("1.0.0")
    said = world.run("deploy", "demo", "--release", "2.0.0")
    assert said.code == 64 and "--release 2.0.0" in said.complaint and "1.0.0" in said.complaint
    assert world.formation.history == []


def test_from_a_machine_without_builds_what_is_in_the_bucket_is_deployed(ready: World) -> None:
    ready.ok("deploy", "stage-1-single")
    ready.build("1.1.0", b"a newer archive")
    ready.ok("deploy", "stage-1-single", "--allow", "instances/First")
    for path in (ready.root.parent.parent / ".trestle-aws/releases").iterdir():
        path.unlink()
    # What is there stays, unless another one is named that was there before.
    ready.ok("deploy", "stage-1-single")
    assert given(ready, "instances")["Release"] == "1.1.0"
    ready.ok("deploy", "stage-1-single", "--release", "1.0.0", "--allow", "instances/First")
    assert given(ready, "instances")["Release"] == "1.0.0"
    assert given(ready, "instances")["ReleaseSha256"] == hashlib.sha256(b"an archive").hexdigest()
    assert ready.run("deploy", "stage-1-single", "--release", "0.9.0").code == 64


def test_an_archive_for_the_other_processor_is_not_taken(world: World) -> None:
    world.build(architecture="arm64")
    said = world.run("deploy", "demo")
    assert said.code == 64 and "no archive for amd64" in said.complaint


def test_another_archive_of_the_same_version_is_refused(ready: World) -> None:
    ready.ok("deploy", "demo")
    ready.build(content=b"another one")
    said = ready.run("deploy", "demo")
    assert said.code == 1 and "is another archive of this version" in said.complaint


def test_a_new_release_migrates_first_and_then_replaces_instances(ready: World) -> None:
    ready.ok("deploy", "demo")
    ready.build("1.1.0", b"a newer archive")
    ready.on_sleep.clear()
    ready.finish_job(release="1.1.0")
    seen: dict[str, list[str]] = {}
    ready.formation.on_change = lambda key: seen.update({key: instances_of(ready, "job")})
    ready.ok("deploy", "demo", "--release", "1.1.0")
    # The second job had ended before the launch templates named the new release, and the API stayed on all the while.
    assert seen == {"job": ["terminated"], "app": ["terminated", "terminated"]}
    assert given(ready, "app")["DatabaseReady"] == "yes"
    assert sorted(ready.refreshed) == ["trestle-shop-app-ApiGroup", "trestle-shop-app-WebGroup"]


def test_a_refresh_that_fails_is_told(ready: World) -> None:
    ready.ok("deploy", "demo")
    ready.build("1.1.0", b"a newer archive")
    ready.on_sleep.clear()
    ready.finish_job(release="1.1.0")
    ready.refresh_ends = ("Failed", "instances did not become healthy")
    said = ready.run("deploy", "demo")
    assert said.code == 1 and "replacing instances ended as Failed: instances did not become healthy" in said.complaint


def test_what_was_set_stays_set_and_a_secret_is_kept_without_being_known(ready: World) -> None:
    hook = "https://hooks.slack.com/services/T0/B0/secret"
    ready.ok("deploy", "demo", "--set", "app.ApiMax=3", "--set", f"ops.SlackWebhook={hook}")
    record = ready.client("ssm").get_parameter(Name="/trestle/shop/trestle-aws/deployed")["Parameter"]["Value"]
    assert "SlackWebhook" in record and hook not in record
    ready.ok("deploy", "demo", "--set", "app.WebMax=3")
    assert given(ready, "app")["ApiMax"] == "3" and given(ready, "app")["WebMax"] == "3"
    assert given(ready, "ops")["SlackWebhook"] == hook
    ready.ok("deploy", "demo", "--set", "ops.SlackWebhook=", "--set", "app.ApiMax=4")
    assert given(ready, "ops")["SlackWebhook"] == "" and given(ready, "app")["ApiMax"] == "4"


def test_the_only_copy_of_the_shop_is_not_replaced_by_a_newer_release(ready: World) -> None:
    ready.ok("deploy", "stage-1-single")
    ready.build("1.1.0", b"a newer archive")
    ready.formation.replacing["instances", "First"] = "True"
    _touch(ready, "instances", "First")
    said = ready.run("deploy", "stage-1-single")
    assert said.code == 1
    assert "instances/First (AWS::EC2::Instance): AWS would replace it because of Touched" in said.complaint
    assert "`trestle-aws move` takes its data to RDS first" in said.complaint
    assert ("update", "instances") not in ready.formation.history
    ready.ok("deploy", "stage-1-single", "--allow", "instances/First")


@pytest.mark.parametrize("answer", ["True", "Conditional"])
def test_a_database_is_not_replaced_unless_it_is_meant(ready: World, answer: str) -> None:
    ready.ok("deploy", "stage-2-database")
    for id_ in ("Database", "DatabaseParameters"):
        ready.formation.replacing["data", id_] = answer
        _touch(ready, "data", id_)
    said = ready.run("deploy", "stage-2-database")
    assert said.code == 1 and "data/Database (AWS::RDS::DBInstance)" in said.complaint
    # Nothing is lost with a parameter group; and the instance has no data of its own any more.
    ready.formation.replacing["instances", "First"] = "True"
    _touch(ready, "instances", "First")
    ready.ok("deploy", "stage-2-database", "--allow", "data/Database")


def _touch(world: World, key: str, id_: str) -> None:
    """As if the stack had been made by another version of its template."""
    stack = world.formation.entries["us-east-1", f"trestle-shop-{key}"].stack
    assert stack
    stack.resources[id_].properties["Touched"] = "yes"


def test_another_preset_is_for_move(ready: World) -> None:
    ready.ok("deploy", "demo")
    said = ready.run("deploy", "production")
    assert said.code == 64 and "move production" in said.complaint


def test_two_environments_stand_beside_each_other(ready: World) -> None:
    ready.ok("deploy", "stage-1-single")
    ready.ok("--environment", "other", "deploy", "stage-1-single")
    names = {name for _, name in ready.formation.entries}
    assert {"trestle-shop-instances", "trestle-other-instances"} <= names


# --- With a domain
# --------------------------------------------------------------------------------------------------------


def test_a_domain_that_is_not_delegated_stops_before_the_certificate_and_is_gone_on_with(ready: World) -> None:
    ready.name_servers = {"ns1.parking.example"}
    said = ready.run("deploy", "demo", "--set", "Domain=shop.example.com")
    assert said.code == 1
    assert "shop.example.com is not delegated" in said.err and "ns1.parking.example" in said.err
    servers = _zone(ready)["DelegationSet"]["NameServers"]
    assert all(server in said.err for server in servers)
    assert "certificate" not in created(ready)
    ready.name_servers = {servers[0]}
    ready.ok("deploy", "demo", "--set", "Domain=shop.example.com")
    assert created(ready).count("certificate") == 1
    app = given(ready, "app")
    assert app["Domain"] == "shop.example.com" and app["CertificateArn"].startswith("arn:aws:acm:us-east-1:")
    assert given(ready, "records")["Target"] == "alb"


def _zone(world: World) -> dict:  # type: ignore[type-arg]
    exports = world.formation.entries["us-east-1", "trestle-shop-dns"].exports
    return {"DelegationSet": {"NameServers": exports["trestle-shop-NameServers"].split(",")}}


def test_cloudfront_takes_its_certificate_from_us_east_1_and_the_balancer_its_own(ready: World) -> None:
    words = ["--region", "eu-west-1", "deploy", "stage-8-cdn", "--set", "Domain=shop.example.com"]
    ready.answers |= PREFIX_LIST
    ready.name_servers = {"ns.parking.example"}
    assert ready.run(*words).code == 1
    zone = ready.formation.entries["eu-west-1", "trestle-shop-dns"].exports
    ready.name_servers = set(zone["trestle-shop-NameServers"].split(","))
    _job_in(ready, "eu-west-1")
    ready.ok(*words)
    east = ready.formation.entries["us-east-1", "trestle-shop-certificate-us-east-1"]
    assert east.given["HostedZoneId"] == zone["trestle-shop-HostedZoneId"]
    edge, app = given(ready, "edge", "eu-west-1"), given(ready, "app", "eu-west-1")
    assert ":us-east-1:" in edge["CertificateArn"] and ":eu-west-1:" in app["CertificateArn"]
    assert app["TrustedProxies"] == "198.51.100.0/24,203.0.113.0/25"
    security = given(ready, "security", "eu-west-1")
    assert (security["CloudFrontPrefixList"], security["CloudFrontPort"]) == ("pl-12345678", "443")
    assert given(ready, "records", "eu-west-1")["Target"] == "cloudfront"


PREFIX_LIST = {
    "DescribeManagedPrefixLists": lambda client, parameters: {"PrefixLists": [{"PrefixListId": "pl-12345678"}]},
    "GetManagedPrefixListEntries": lambda client, parameters: {
        "Entries": [{"Cidr": "203.0.113.0/25"}, {"Cidr": "198.51.100.0/24"}]
    },
}


def _job_in(world: World, region: str) -> None:
    def happening() -> None:
        ec2 = world.client("ec2", region)
        if ec2.describe_instances(Filters=[{"Name": "tag:Role", "Values": ["job"]}])["Reservations"]:
            value = '{"release": "1.0.0", "state": "done", "step": "seed", "message": "ready", "at": "now"}'
            world.client("ssm", region).put_parameter(
                Name="/trestle/shop/job/report", Value=value, Type="String", Overwrite=True
            )

    world.on_sleep.append(happening)


def test_pictures_behind_cloudfront_without_a_domain_are_named_to_the_web_tier(ready: World) -> None:
    ready.ok("deploy", "stage-7-pictures-cdn")
    distribution = ready.formation.entries["us-east-1", "trestle-shop-edge"].exports["trestle-shop-DistributionDomain"]
    assert given(ready, "app")["PictureHosts"] == distribution != ""
    shown = [command.line for command in ready.commands if "pictures" in command.line]
    assert shown == [f"/opt/trestle/current/instance/shop api pictures https://{distribution}/product-pictures"]
