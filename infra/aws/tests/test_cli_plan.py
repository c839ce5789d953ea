"""`trestle-aws plan`: its sums against ones computed by hand, quotas, warnings, and the price table that users edit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trestle_aws import cli, cost, presets, quotas
from trestle_aws.cost import Reckoning
from trestle_aws.errors import UsageError
from trestle_aws.free import FREE
from trestle_aws.prices import Prices
from trestle_aws.template import Stack, Template

ROOT = Path(__file__).resolve().parent.parent
# Prices that are easily multiplied: a month has 100 hours.
TABLE = """
region_factor: {us-east-1: 1.0, moon-1: 2.0}
hours_per_month: 100
instances: {t4g.nano: {hour: 0.01, vcpu: 2}, c7g.large: {hour: 0.10, vcpu: 2}, c7g.xlarge: {hour: 0.20, vcpu: 4}}
databases: {db.m7g.large: 0.30}
caches: {cache.m7g.large: 0.20}
valkey_factor: 0.8
hourly:
  nat_gateway: 0.05
  application_load_balancer: 0.02
  application_capacity_unit: 0.01
  network_load_balancer: 0.03
  network_capacity_unit: 0.005
  interface_endpoint_in_a_zone: 0.01
  public_ipv4_address: 0.005
monthly:
  {ebs_gib: 0.1, database_gib: 0.2, snapshot_gib: 0.1, ebs_snapshot_gib: 0.05, secret: 0.5, alarm: 0.1, dashboard: 3,
   composite_alarm: 0.5, hosted_zone: 0.5, kms_key: 1, detailed_monitoring: 2}
per_gib:
  {nat_gateway: 0.05, interface_endpoint: 0.01, logs_ingested: 0.5, s3_month: 0.02, transfer_out: 0.1,
   transfer_between_zones: 0.02}
free: {alarms: 2, dashboards: 1, transfer_out_gib: 100, cloudfront_gib: 1000}
assumed:
  {load_balancer_capacity_units: 2, nat_gib: 10, endpoint_gib: 5, logs_gib: 4, pictures_gib: 3, transfer_out_gib: 150,
   between_zones_gib: 10}
quotas:
  {elastic_ip_addresses: 5, vpcs: 5, internet_gateways: 5, nat_gateways_in_a_zone: 5, on_demand_vcpus: 8,
   interface_endpoints_in_a_vpc: 50, load_balancers: 50, database_instances: 40, rules_in_a_security_group: 60}
rules_of_cloudfronts_prefix_list: 55
"""


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    (tmp_path / "prices.yml").write_text(TABLE)
    return Prices.read("us-east-1", tmp_path / "prices.yml")


def stack(resources: str, key: str = "app") -> Stack:
    indented = "".join(f"  {line}\n" for line in resources.strip().splitlines())
    return Template.parse(f"Resources:\n{indented}", key).evaluate({})


def sums(prices: Prices, *stacks: Stack) -> dict[str, float]:
    """By what it is, without what is assumed of traffic."""
    unpriced: set[str] = set()
    lines = Reckoning(prices, unpriced).stacks(stacks)
    assert unpriced == set()
    return {line.what: pytest.approx(line.month) for line in lines if line.stack != "all"}


GROUP = """
Template:
  Type: AWS::EC2::LaunchTemplate
  Properties:
    LaunchTemplateData:
      InstanceType: c7g.large
      Monitoring: {Enabled: true}
      BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeSize: 10}}]
Group:
  Type: AWS::AutoScaling::AutoScalingGroup
  Properties:
    LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: !GetAtt Template.LatestVersionNumber}
    MinSize: "3"
    MaxSize: "5"
"""


def test_a_group_costs_its_least_number_of_machines_with_disks_and_metrics(prices: Prices) -> None:
    assert sums(prices, stack(GROUP)) == {
        "c7g.large instances": 3 * 0.10 * 100,
        "their disks, GiB": 3 * 10 * 0.1,
        "their metrics by the minute": 3 * 2.0,
    }
    wanted = stack(GROUP.replace('MinSize: "3"', 'MinSize: "3"\n    DesiredCapacity: "4"'))
    assert sums(prices, wanted)["c7g.large instances"] == 40.0
    none = stack(GROUP.replace('MinSize: "3"', 'MinSize: "0"'))
    assert sums(prices, none) == {}


def test_an_instance_takes_from_its_launch_template_what_it_does_not_say(prices: Prices) -> None:
    found = sums(
        prices,
        stack(
            """
Template:
  Type: AWS::EC2::LaunchTemplate
  Properties:
    LaunchTemplateData:
      InstanceType: c7g.large
      NetworkInterfaces: [{DeviceIndex: 0, AssociatePublicIpAddress: true}]
One:
  Type: AWS::EC2::Instance
  Properties:
    LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: "1"}
    InstanceType: c7g.xlarge
Address: {Type: AWS::EC2::EIP}
"""
        ),
    )
    # A disk of 8 GiB unless told; the interface's address and the Elastic IP.
    assert found == {"c7g.xlarge instances": 20.0, "their disks, GiB": 0.8, "public IPv4 addresses": 1.0}


def test_load_balancers_cost_hours_units_and_an_address_in_each_zone(prices: Prices) -> None:
    found = sums(
        prices,
        stack(
            """
Alb:
  Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Properties: {Type: application, Scheme: internet-facing, Subnets: [a, b, c]}
Nlb:
  Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Properties: {Type: network, Scheme: internal, Subnets: [a, b, c]}
"""
        ),
    )
    assert found == {
        "application load balancers": 2.0 + 2 * 1.0,
        "network load balancers": 3.0 + 2 * 0.5,
        "public IPv4 addresses": 3 * 0.5,
    }


def test_ways_out(prices: Prices) -> None:
    found = sums(
        prices,
        stack(
            """
One: {Type: AWS::EC2::NatGateway}
Two: {Type: AWS::EC2::NatGateway}
S3: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Gateway}}
Ssm: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Interface, SubnetIds: [a, b]}}
""",
            "network",
        ),
    )
    assert found == {"NAT gateways": 2 * (5.0 + 10 * 0.05), "interface endpoints": 2 * 1.0 + 5 * 0.01}


def test_a_standby_doubles_the_database_and_nodes_count_each(prices: Prices) -> None:
    source = """
Database:
  Type: AWS::RDS::DBInstance
  Properties: {DBInstanceClass: db.m7g.large, MultiAZ: MULTI, AllocatedStorage: "50"}
Cache:
  Type: AWS::ElastiCache::ReplicationGroup
  Properties: {CacheNodeType: cache.m7g.large, NumCacheClusters: 3, Engine: ENGINE}
Secret: {Type: AWS::SecretsManager::Secret}
"""
    one = sums(prices, stack(source.replace("MULTI", "false").replace("ENGINE", "redis"), "data"))
    assert one == {
        "db.m7g.large databases": 30.0,
        "database storage, GiB": 10.0,
        "cache.m7g.large nodes of Redis": 3 * 20.0,
        "secrets": 0.5,
    }
    two = sums(prices, stack(source.replace("MULTI", "true").replace("ENGINE", "valkey"), "data"))
    assert two["db.m7g.large databases, in two zones"] == 60.0 and two["database storage, GiB, in two zones"] == 20.0
    assert two["cache.m7g.large nodes of Valkey"] == 3 * 16.0


def test_the_first_alarms_and_dashboards_are_free_over_all_stacks(prices: Prices) -> None:
    alarms = "\n".join(f"A{number}: {{Type: AWS::CloudWatch::Alarm}}" for number in range(3))
    found = sums(
        prices, stack(alarms, "network"), stack(f"{alarms}\nBoard: {{Type: AWS::CloudWatch::Dashboard}}", "ops")
    )
    assert found == {"alarms (2 are free)": 4 * 0.1, "dashboards (1 are free)": 0.0}


def test_what_is_assumed_of_traffic(prices: Prices) -> None:
    lines = {line.what: line.month for line in Reckoning(prices, set()).stacks([stack(GROUP)]) if line.stack == "all"}
    assert lines == {
        "logs, GiB": 4 * 0.5,
        "traffic out, GiB (100 are free)": pytest.approx(50 * 0.1),
        "traffic between zones, GiB": 10 * 0.02,
    }


def test_another_region_has_its_factor_and_an_unknown_one_is_told(prices: Prices, tmp_path: Path) -> None:
    moon = Prices.read("moon-1", tmp_path / "prices.yml")
    assert sums(moon, stack(GROUP))["c7g.large instances"] == 60.0
    assert moon.knows("moon-1") and not prices.knows("mars-1")
    assert Prices.read("mars-1", tmp_path / "prices.yml").factor == 1.0


def test_a_type_without_a_price_is_named_not_passed_over(prices: Prices) -> None:
    unpriced: set[str] = set()
    Reckoning(prices, unpriced).stacks([stack("Model: {Type: AWS::SageMaker::Model}")])
    assert unpriced == {"AWS::SageMaker::Model"}


# --- The presets
# ------------------------------------------------------------------------------------------------------------


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = cli.main(["plan", *words])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def total(page: str) -> float:
    found = re.search(r"together, about +([\d.]+)", page)
    assert found
    return float(found[1])


@pytest.mark.parametrize("preset", presets.names())
def test_every_preset_is_priced_to_the_last_resource_and_its_sum_is_that_of_its_lines(
    capsys: pytest.CaptureFixture[str], preset: str
) -> None:
    page = planned(capsys, preset)
    rows = [line.rsplit(None, 1)[-1] for line in page.split("USD A MONTH\n")[1].split("\n\n")[0].splitlines()]
    # Each line is rounded by itself.
    assert sum(map(float, rows[:-1])) == pytest.approx(float(rows[-1]), abs=0.01 * len(rows))
    assert total(page) > 0


def test_demo_by_hand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """From the AWS price lists, hour by hour; the committed table holds these prices."""
    month = 730
    demo = (
        3 * 0.0104 * month  # one web and two API instances, t3.micro
        + 3 * 2.10  # their metrics
        + 3 * 8 * 0.08  # their disks
        + 0.0042 * month + 8 * 0.08 + 0.005 * month  # the NAT instance, its disk, its address
        + (0.0225 + 0.2 * 0.008) * month + 2 * 0.005 * month  # the load balancer and its two addresses
        + 0.016 * month + 20 * 0.115  # RDS and its storage
        + 0.016 * 0.8 * month  # Valkey
        + 4 * 0.40  # secrets
        + 0.50 + 8 * 0.10  # alarms beyond the ten that are free
        + 2 * 0.50 + 20 * 0.02 + 0.023  # logs, traffic between zones, the release
    )  # fmt: skip
    assert total(planned(capsys, "demo")) == pytest.approx(demo, abs=0.5)
    assert 85 < demo < 95


def test_what_a_parameter_changes_is_in_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    # A standby: another db.t4g.micro and its 20 GiB.
    difference = total(planned(capsys, "demo", "--set", "data.MultiAz=yes")) - total(planned(capsys, "demo"))
    assert difference == pytest.approx(0.016 * 730 + 20 * 0.115, abs=0.02)


def test_office_hours_save_what_is_stopped_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "OfficeHours=yes", "--set", "Days=MON-FRI", "--set", "StartHour=8", "--set", "StopHour=20"]
    # Three t3.micro with their metrics and the database's hours, in 108 of 168 hours.
    saved = (3 * (0.0104 * 730 + 2.10) + 0.016 * 730) * 108 / 168
    page = planned(capsys, "demo", *settings)
    assert "saved: 60 of 168 hours a week" in page
    assert total(planned(capsys, "demo")) - total(page) == pytest.approx(saved, abs=0.02)


def test_every_stack_is_listed_with_the_resources_that_it_makes(capsys: pytest.CaptureFixture[str]) -> None:
    page = planned(capsys, "production", "--set", "Domain=shop.example.com", "--environment", "live")
    for key in ("network", "data", "app", "dns", "certificate", "records"):
        assert re.search(rf"^trestle-live-{key} +\d+", page, re.MULTILINE)
    assert "certificate-us-east-1" not in page, "nothing there goes through CloudFront"
    full = planned(capsys, "demo", "--resources")
    assert re.search(r"^trestle-shop-app +ApiGroup +AWS::AutoScaling::AutoScalingGroup$", full, re.MULTILINE)


# --- Quotas
# -----------------------------------------------------------------------------------------------------------------


def test_vcpus_are_those_of_grown_groups(prices: Prices) -> None:
    uses = {use.quota: use for use in quotas.uses([stack(GROUP)], prices)}
    vcpus = uses["on demand vcpus"]
    # Five c7g.large at most.
    assert (vcpus.used, vcpus.allowed, vcpus.is_near, vcpus.is_over) == (10, 8, True, True)
    assert not uses["vpcs"].is_near


def test_cloudfronts_prefix_list_fills_a_security_group(prices: Prices) -> None:
    source = """
Group:
  Type: AWS::EC2::SecurityGroup
  Properties:
    SecurityGroupIngress: [{CidrIp: 10.0.0.0/8}, {CidrIp: 11.0.0.0/8}]
    SecurityGroupEgress: [{CidrIp: 0.0.0.0/0}]
Rule: {Type: AWS::EC2::SecurityGroupIngress, Properties: {GroupId: !GetAtt Group.GroupId, SourcePrefixListId: pl-1}}
Other: {Type: AWS::EC2::SecurityGroupIngress, Properties: {GroupId: !Ref Second, CidrIp: 10.0.0.0/8}}
Second: {Type: AWS::EC2::SecurityGroup}
"""
    use = next(use for use in quotas.uses([stack(source)], prices) if use.quota == "rules in a security group")
    assert use.used == 57


def test_quotas_that_are_near_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "elastic ip addresses: 3 of 5" in planned(capsys, "production")
    assert "elastic ip" not in planned(capsys, "demo")
    assert "rules in a security group: 5" in planned(capsys, "stage-8-cdn")


# --- Warnings
# ---------------------------------------------------------------------------------------------------------------

HTTP = "its cookies are without Secure"
ENDPOINTS = "interface endpoints cost about"


def test_http_is_told_and_what_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert HTTP in planned(capsys, "demo") and HTTP in planned(capsys, "stage-1-single")
    assert HTTP not in planned(capsys, "demo", "--set", "Domain=shop.example.com")
    assert HTTP not in planned(capsys, "stage-8-cdn")


def test_endpoints_are_held_against_a_nat_instance(capsys: pytest.CaptureFixture[str]) -> None:
    page = planned(capsys, "demo", "--set", "network.Nat=none", "--set", "network.Endpoints=yes")
    found = re.search(
        rf"{ENDPOINTS} (\d+) USD a month; a NAT instance \(t4g.nano, Nat=instance, Endpoints=no\) about (\d+)", page
    )
    assert found and int(found[1]) > int(found[2]) == round((0.0042 + 0.005) * 730)
    assert ENDPOINTS not in planned(capsys, "demo")


@pytest.mark.parametrize(
    ("preset", "settings", "said", "unless"),
    [
        ("demo", (), "MultiAz=no", ("data.MultiAz=yes",)),
        ("demo", (), "nobody is told of alarms", ("AlertEmail=ada@example.com",)),
        ("demo", (), "Nat=instance: the way out is in one zone", ("network.Nat=per-zone",)),
        ("demo", (), "DeletionProtection=no", ("DeletionProtection=yes",)),
    ],
)
def test_what_is_weaker_than_it_looks_is_told(
    capsys: pytest.CaptureFixture[str], preset: str, settings: tuple[str, ...], said: str, unless: tuple[str, ...]
) -> None:
    assert said in planned(capsys, preset, *settings)
    assert said not in planned(capsys, preset, *(word for setting in unless for word in ("--set", setting)))


def test_burstable_classes_are_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert "- cache.t4g.micro, db.t4g.micro, t3.micro: burstable" in planned(capsys, "demo")
    assert "db.t4g" not in planned(capsys, "production")


def test_a_database_on_the_instance_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the database is on the instance" in planned(capsys, "stage-1-single")
    assert "the database is on the instance" not in planned(capsys, "stage-2-database")


# --- The table
# ---------------------------------------------------------------------------------------------------------------


def test_another_table_is_used_and_what_is_wrong_in_it_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "mine.yml"
    source = (ROOT / "prices.yml").read_text()
    table.write_text(source.replace("db.t4g.micro: 0.016", "db.t4g.micro: 1.016"))
    assert total(planned(capsys, "demo", "--prices", str(table))) == pytest.approx(
        total(planned(capsys, "demo")) + 730, abs=0.02
    )
    for wrong, named in (
        (source.replace("  db.t4g.micro: 0.016\n", ""), "databases/db.t4g.micro is missing"),
        (source.replace("db.t4g.micro: 0.016", "db.t4g.micro: cheap"), "databases/db.t4g.micro is 'cheap', no price"),
        (source.replace("db.t4g.micro: 0.016", "db.t4g.micro: -1"), "databases/db.t4g.micro is -1, no price"),
        ("- 1\n", "no table of prices"),
        ("a: [", "mine.yml"),
    ):
        table.write_text(wrong)
        assert cli.main(["plan", "demo", "--prices", str(table)]) == 64
        assert named in capsys.readouterr().err


def test_every_class_that_a_template_allows_has_a_price() -> None:
    prices = Prices.read("us-east-1")
    for path in (ROOT / "stacks").glob("*.yml"):
        for name, definition in Template.read(path).parameters.items():
            for value in definition.get("AllowedValues", []):  # type: ignore[attr-defined]
                if name.endswith("InstanceType"):
                    assert prices.plain("instances", value, "hour") > 0 < prices.plain("instances", value, "vcpu")
                if name == "DatabaseClass":
                    assert prices.plain("databases", value) > 0
                if name == "CacheNodeType":
                    assert prices.plain("caches", value) > 0


def test_nothing_is_both_free_and_priced() -> None:
    assert not FREE & set(cost.PRICED)
    with pytest.raises(UsageError, match="nothing/here is missing"):
        Prices.read("us-east-1").plain("nothing", "here")
