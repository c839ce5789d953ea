"""Every preset is deployed into an account in memory, and the account is asked by boto3 what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module

import pytest
from conftest import environment
from engine import account
from engine.deploy import MAKERS, Deployment
from engine.environment import Environment, templates
from engine.variants import all_variants
from moto import mock_aws

from trestle_aws import presets, stacknet
from trestle_aws.graph import Graph
from trestle_aws.network import WORLD

OPTIONS = [
    "stage 8 with a catalogue that may be 10 s old",
    "stage 7 with a domain",
    "bastion and VPN",
    "a second VPC beside three zones",
    "endpoints instead of a NAT",
    "office hours",
    "office hours of single instances",
    "alarms by Slack and e-mail",
    "alarms of CloudFront",
    "a load generator",
]
"""Besides the presets: so that each type of resource is made at least once."""


@pytest.fixture(scope="module", params=[*presets.names(), *OPTIONS])
def deployed(request: pytest.FixtureRequest) -> Iterator[tuple[Environment, Deployment]]:
    """An environment, and the account with it."""
    wanted = environment(request.param)
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        deployment = Deployment(wanted.region)
        deployment.deploy(wanted.stacks.values())
        yield wanted, deployment


Pair = tuple[Environment, Deployment]


def test_the_account_has_the_network_that_the_stacks_say(deployed: Pair) -> None:
    """The graph of the properties is drawn from stacks; here it is drawn from what EC2, ELB, RDS and Auto Scaling answer."""
    wanted, deployment = deployed
    real, said = account.read(deployment), stacknet.read(wanted.stacks.values())
    assert real.blocks == said.blocks
    assert real.gateways == said.gateways
    assert real.subnets == said.subnets
    assert real.groups == said.groups
    assert real.hosts == said.hosts


def test_from_the_internet_only_the_entrance(deployed: Pair) -> None:
    wanted, deployment = deployed
    network = account.read(deployment)
    graph = Graph(network)
    opened = {host.kind: graph.open_ports(host) for host in network.hosts.values() if graph.open_ports(host)}
    cloudfront = wanted.parameter("CloudFrontOnly", "security") == "yes"
    entrance = "alb" if wanted.has("app") else "instance"
    expected = {} if cloudfront else {entrance: {("tcp", 80, 80), ("tcp", 443, 443)}}
    if wanted.parameter("Bastion", "access") == "yes":
        ports = set().union(*(graph.open_ports(host) for host in network.hosts.values() if host.kind == "instance"))
        assert ports == {("tcp", 22, 22), ("udp", 1194, 1194)}
        opened.pop("instance")
    assert opened == expected


def test_data_subnets_have_no_way_out(deployed: Pair) -> None:
    wanted, deployment = deployed
    ec2 = deployment.client("ec2")
    for value in wanted.export_list("DataSubnets"):
        physical = deployment.bound(value)
        tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [physical]}])[
            "RouteTables"
        ]
        assert [route["GatewayId"] for table in tables for route in table["Routes"]] == ["local"]
        acls = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [physical]}])[
            "NetworkAcls"
        ]
        allowed = [entry for acl in acls for entry in acl["Entries"] if entry["RuleAction"] == "allow"]
        assert allowed and all(entry["CidrBlock"] != str(WORLD) for entry in allowed)


def test_the_database_is_private_and_kept(deployed: Pair) -> None:
    wanted, deployment = deployed
    databases = deployment.client("rds").describe_db_instances()["DBInstances"]
    assert len(databases) == int(wanted.has("data"))
    for database in databases:
        assert database["StorageEncrypted"] and not database["PubliclyAccessible"]
        assert database["MultiAZ"] == (wanted.parameter("MultiAz", "data") == "yes")
        assert database["DeletionProtection"] == (wanted.parameter("DeletionProtection", "data") == "yes")
        assert str(database["BackupRetentionPeriod"]) == wanted.parameter("BackupDays", "data")
        zones = {subnet["SubnetAvailabilityZone"]["Name"] for subnet in database["DBSubnetGroup"]["Subnets"]}
        assert len(zones) == int(wanted.parameter("ZoneCount", "network"))
        groups = [group["DBParameterGroupName"] for group in database["DBParameterGroups"]]
        parameters = deployment.client("rds").describe_db_parameters(DBParameterGroupName=groups[0])["Parameters"]
        assert {one["ParameterName"]: one["ParameterValue"] for one in parameters}["require_secure_transport"] == "1"


def test_the_passwords_are_those_of_the_secrets(deployed: Pair) -> None:
    """References to secrets are resolved as CloudFormation does it, so a wrong key or name would fail the deployment."""
    wanted, deployment = deployed
    for export in ("MasterSecretArn", "AppSecretArn", "CacheAuthSecretArn"):
        if wanted.export(export) is not None:
            value = deployment.client("secretsmanager").get_secret_value(
                SecretId=deployment.bound(wanted.export(export))
            )
            assert len(json.loads(value["SecretString"])["password"]) >= 32


def test_groups_check_health_and_drain(deployed: Pair) -> None:
    wanted, deployment = deployed
    if not wanted.has("app"):
        pytest.skip("single instances")
    elb, autoscaling = deployment.client("elbv2"), deployment.client("autoscaling")
    checks = {}
    for group in elb.describe_target_groups()["TargetGroups"]:
        found = elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
        attributes = {one["Key"]: one["Value"] for one in found}
        assert attributes["deregistration_delay.timeout_seconds"] == "15"
        checks[group["Port"]] = (group["HealthCheckPort"], group["HealthCheckPath"], group["Matcher"]["HttpCode"])
    assert checks == {80: ("80", "/healthz", "200"), 8000: ("9000", "/readyz", "200")}
    groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert len(groups) == 2
    for one in groups:
        role = next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Role")
        prefix = role.title()
        ready = role == "web" or wanted.parameter("DatabaseReady", "app") == "yes"
        bounds = (str(one["MinSize"]), str(one["MaxSize"]))
        assert (
            bounds == (wanted.parameter(f"{prefix}Min", "app"), wanted.parameter(f"{prefix}Max", "app"))
            if ready
            else ("0", "0")
        )
        assert one["HealthCheckType"] == "ELB"
        assert one["TargetGroupARNs"] == [deployment.bound(wanted.export(f"{prefix}TargetGroupArn"))]
        hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=one["AutoScalingGroupName"])["LifecycleHooks"]
        assert [hook["LifecycleTransition"] for hook in hooks] == ["autoscaling:EC2_INSTANCE_TERMINATING"]
        policies = autoscaling.describe_policies(AutoScalingGroupName=one["AutoScalingGroupName"])["ScalingPolicies"]
        kinds = [policy["PolicyType"] for policy in policies]
        assert kinds == (["TargetTrackingScaling"] if wanted.parameter("AutoScaling", "app") == "yes" and ready else [])
        subnets = deployment.client("ec2").describe_subnets(SubnetIds=one["VPCZoneIdentifier"].split(","))["Subnets"]
        assert len({subnet["AvailabilityZone"] for subnet in subnets}) == int(wanted.parameter("ZoneCount", "network"))


def test_instances_ask_for_tokens_and_encrypt(deployed: Pair) -> None:
    _, deployment = deployed
    ec2 = deployment.client("ec2")
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        versions = ec2.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"])[
            "LaunchTemplateVersions"
        ]
        data = versions[-1]["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert all(disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"])


def test_buckets_are_closed(deployed: Pair) -> None:
    wanted, deployment = deployed
    s3 = deployment.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        opened = (
            name == deployment.bound(wanted.export("PicturesBucket") or "")
            and wanted.parameter("PublicRead", "assets") == "yes"
        )
        assert block["BlockPublicPolicy"] != opened and block["BlockPublicAcls"]
        assert s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        assert any(
            one["Effect"] == "Deny" and "aws:SecureTransport" in str(one["Condition"]) for one in policy["Statement"]
        )


def test_names_lead_to_what_answers(deployed: Pair) -> None:
    """The chain that a browser follows: the zone's servers, the record, and the name of what it is an alias of."""
    wanted, deployment = deployed
    if not wanted.has("records"):
        pytest.skip("no domain")
    route53 = deployment.client("route53")
    zone = deployment.bound(wanted.export("HostedZoneId"))
    records = {
        (one["Name"].rstrip("."), one["Type"]): one
        for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    }
    balancers = [one["DNSName"] for one in deployment.client("elbv2").describe_load_balancers()["LoadBalancers"]]
    found = deployment.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    reachable = balancers + [one["DomainName"] for one in found]
    for name in ("shop.example.com", "www.shop.example.com"):
        record = records[name, "A"]
        alias = record.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
        assert alias in reachable or record.get("ResourceRecords")


def test_alarms_look_at_what_is_there(deployed: Pair) -> None:
    wanted, deployment = deployed
    physical = {made.id for made in deployment.made.values()}
    physical |= {str(value) for made in deployment.made.values() for value in made.attributes.values()}
    alarms = deployment.client("cloudwatch").describe_alarms()["MetricAlarms"]
    if wanted.has("ops"):
        assert len(alarms) > 5
    for alarm in alarms:
        dimensions = list(alarm.get("Dimensions", []))
        for metric in alarm.get("Metrics", []):
            dimensions += metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        for one in dimensions:
            value = one["Value"]
            assert value in physical or value.rsplit("-", 1)[0] in physical or value == "Global", (
                f"{alarm['AlarmName']}: {one}"
            )


def test_every_type_has_been_made() -> None:
    """A template with a new type of resource needs a maker, and an environment here that has it."""
    used = {str(body["Type"]) for template in templates().values() for body in template.resources.values()}
    made = {resource.type for name in [*presets.names(), *OPTIONS] for resource in environment(name).resources()}
    import_module("engine.makers")
    assert used <= set(MAKERS)
    assert used == made
    assert set(OPTIONS) <= set(all_variants())
