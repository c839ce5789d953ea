"""Presets: each can be made, says only what differs from the defaults, and is one step further than the one before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest
import yaml
from conftest import environment
from engine.environment import ROOT, Environment, at, items, mapping, templates

from trestle_aws import presets
from trestle_aws.values import GetAtt, Value

# Parameters of one name that mean something else, or are chosen for each stack by itself.
OWN = {
    "InstanceType",
    "VolumeGiB",
    "DebianAmi",
    # The data stack's engine, and whether or where there is one elsewhere.
    "Cache",
    "Database",
    # Where pictures lie, and whether they have a name.
    "Pictures",
    # CloudFront's certificate is of us-east-1.
    "CertificateArn",
    # The second VPC's.
    "ZoneCount",
}


@pytest.mark.parametrize("name", presets.names())
def test_everything_imported_was_made_before(name: str) -> None:
    whole = environment(name)
    assert list(whole.stacks) == [key for key in presets.ORDER if key in whole.stacks]
    made: set[str] = set()
    for stack in whole.stacks.values():
        assert stack.imported <= made, (
            f"{stack.key} takes {sorted(stack.imported - made)}, which nothing before it exports"
        )
        made |= set(stack.exports)


def test_the_growth_path_and_two_more() -> None:
    assert set(presets.names()) == {*presets.PATH, "demo", "production"}


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_in_one_sentence_what_it_is(name: str) -> None:
    description = presets.read(name).description
    assert 40 <= len(description) <= 200
    assert "\n" not in description


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_names_only_what_differs_from_the_defaults(name: str) -> None:
    """And quotes what YAML would take for a truth or a number: a reader sees the strings that CloudFormation gets."""
    source = yaml.safe_load((ROOT / "presets" / f"{name}.yml").read_text(encoding="utf-8"))
    for key, parameters in source["stacks"].items():
        definitions = templates()[key].parameters
        for parameter, value in parameters.items():
            assert isinstance(value, str), f"{key}.{parameter} needs quotes"
            assert value != str(definitions[parameter].get("Default")), f"{key}.{parameter}: {value} is the default"


@pytest.mark.parametrize("name", presets.names())
def test_stacks_agree_on_what_they_share(name: str) -> None:
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for key, stack in environment(name).stacks.items():
        for parameter in stack.parameters.keys() - OWN:
            values[parameter][key] = str(stack.parameters[parameter])
    whole = environment(name)
    if whole.has("app"):
        values["ApiMax"]["data"] = whole.parameter("ApiMaxInstances", "data")
    different = {parameter: by_stack for parameter, by_stack in values.items() if len(set(by_stack.values())) > 1}
    assert not different


# --- One step further ------------------------------------------------------------------------------------------------


def instances(whole: Environment) -> Iterator[tuple[str, str]]:
    """What each instance that no group made runs, and its subnet."""
    for one in whole.resources("AWS::EC2::Instance"):
        if one.stack == "instances":
            single = whole.parameter("Database", "instances") == "local"
            yield ("all tiers" if single else "nginx and API"), str(one.properties["SubnetId"])


def database(whole: Environment) -> str:
    for one in whole.resources("AWS::RDS::DBInstance"):
        return "RDS with a standby" if one.properties["MultiAZ"] is True else "RDS"
    return "on the instance"


def cache(whole: Environment) -> str:
    if any(True for _ in whole.resources("AWS::ElastiCache::ReplicationGroup")):
        return "ElastiCache"
    return "on the instance"


def groups(whole: Environment) -> dict[str, str]:
    """By tier: its numbers, and whether they follow the load."""
    found = {}
    for role in ("Web", "Api"):
        group = whole.behind(whole.export(f"{role}Group"))
        if group is not None:
            policies = [
                one
                for one in whole.resources("AWS::AutoScaling::ScalingPolicy")
                if one.properties["AutoScalingGroupName"] == group.ref
            ]
            numbers = f"{group.properties['MinSize']} to {group.properties['MaxSize']}"
            found[role.lower()] = f"{numbers}, {'following the load' if policies else 'fixed'}"
    return found


def pictures(whole: Environment) -> str:
    """Who may read the pictures' bucket, and which host the pages show them from."""
    readers = {
        str(at(statement, "Principal") if at(statement, "Principal") == "*" else at(statement, "Principal/Service"))
        for policy in whole.resources("AWS::S3::BucketPolicy")
        if policy.stack == "assets"
        for statement in items(at(policy.properties, "PolicyDocument/Statement"))
        if at(statement, "Effect") == "Allow"
    }
    hosts = [
        one.properties["Value"]
        for one in whole.resources("AWS::SSM::Parameter")
        if str(one.properties["Name"]).endswith("/config/web/TRESTLE_WEB_PICTURE_HOSTS")
    ]
    shown = "S3" if hosts and hosts == [whole.export("PicturesOrigin")] else "another host" if hosts else "the shop"
    return f"read by {', '.join(sorted(readers)) or 'nobody'}, shown from {shown}"


def origins(whole: Environment) -> set[str]:
    """What CloudFront asks."""
    names = {str(whole.export("PicturesOrigin")): "pictures", str(whole.export("AlbDnsName")): "load balancer"}
    return {
        names[str(mapping(origin)["DomainName"])]
        for one in whole.resources("AWS::CloudFront::Distribution")
        for origin in items(at(one.properties, "DistributionConfig/Origins"))
    }


def visitors(whole: Environment) -> set[str]:
    """Which groups take connections from outside of the VPC, and from whom."""
    found = set()
    for rule in whole.resources("AWS::EC2::SecurityGroupIngress"):
        source: Value = rule.properties.get("CidrIp") or rule.properties.get("SourcePrefixListId")
        group = rule.properties["GroupId"]
        if source and rule.stack == "security" and isinstance(group, GetAtt):
            found.add(
                f"{group.id.removesuffix('SecurityGroup')} from {'everywhere' if source == '0.0.0.0/0' else 'CloudFront'}"
            )
    return found


def features(name: str) -> dict[str, object]:
    """What somebody who is taught with it would see."""
    whole = environment(name)
    made = list(instances(whole))
    balancers = whole.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    return {
        "instances": [runs for runs, _ in made],
        "their subnets": len({subnet for _, subnet in made}),
        "addresses": len([one for one in whole.resources("AWS::EC2::EIP") if one.stack == "instances"]),
        "database": database(whole),
        "cache": cache(whole),
        "load balancers": sorted(f"{one.properties['Scheme']} {one.properties['Type']}" for one in balancers),
        "groups": groups(whole),
        "way out": whole.parameter("Nat", "network"),
        "pictures": pictures(whole),
        "CloudFront asks": origins(whole),
        "visitors": visitors(whole),
    }


FIRST = {
    "instances": ["all tiers"],
    "their subnets": 1,
    "addresses": 1,
    "database": "on the instance",
    "cache": "on the instance",
    "load balancers": [],
    "groups": {},
    "way out": "none",
    "pictures": "read by nobody, shown from the shop",
    "CloudFront asks": set(),
    "visitors": {"Instance from everywhere"},
}
STEPS: dict[str, dict[str, object]] = {
    "stage-2-database": {"instances": ["nginx and API"], "database": "RDS"},
    "stage-3-second-instance": {
        "instances": ["nginx and API"] * 2,
        "their subnets": 2,
        "addresses": 2,
        "database": "RDS with a standby",
        "cache": "ElastiCache",
    },
    "stage-4-load-balancers": {
        "instances": [],
        "their subnets": 0,
        "addresses": 0,
        "load balancers": ["internal network", "internet-facing application"],
        "groups": {"web": "2 to 2, fixed", "api": "2 to 2, fixed"},
        "way out": "instance",
        "visitors": {"Alb from everywhere"},
    },
    "stage-5-auto-scaling": {"groups": {"web": "2 to 4, following the load", "api": "2 to 4, following the load"}},
    "stage-6-pictures-s3": {"pictures": "read by *, shown from S3"},
    "stage-7-pictures-cdn": {
        "pictures": "read by cloudfront.amazonaws.com, shown from another host",
        "CloudFront asks": {"pictures"},
    },
    "stage-8-cdn": {
        "pictures": "read by cloudfront.amazonaws.com, shown from the shop",
        "CloudFront asks": {"pictures", "load balancer"},
        "visitors": {"Alb from CloudFront"},
    },
}
"""What is new in each stage. All else stays as it was."""


def test_the_first_stage_is_one_instance() -> None:
    assert features(presets.PATH[0]) == FIRST


@pytest.mark.parametrize(("before", "after"), list(pairwise(presets.PATH)))
def test_a_stage_adds_what_it_says_and_nothing_else(before: str, after: str) -> None:
    was, becomes = features(before), features(after)
    assert {what: value for what, value in becomes.items() if value != was[what]} == STEPS[after]


@pytest.mark.parametrize("name", ["production"])
def test_production_has_nothing_alone(name: str) -> None:
    whole = environment(name)
    assert features(name)["database"] == "RDS with a standby"
    assert len(whole.export_list("AppSubnets")) == 3
    assert len(list(whole.resources("AWS::EC2::NatGateway"))) == 3
    for role in ("Web", "Api"):
        group = whole.behind(whole.export(f"{role}Group"))
        assert group is not None and int(str(group.properties["MinSize"])) >= 3
    replicas = next(whole.resources("AWS::ElastiCache::ReplicationGroup")).properties
    assert int(str(replicas["NumCacheClusters"])) >= 2 and replicas["AutomaticFailoverEnabled"] is True


def test_production_is_protected_and_demo_is_removed_by_one_command() -> None:
    def protected(name: str) -> list[bool]:
        whole = environment(name)
        databases = [one.properties["DeletionProtection"] is True for one in whole.resources("AWS::RDS::DBInstance")]
        balancers = [
            mapping(attribute)["Value"] == "true"
            for one in whole.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
            for attribute in items(one.properties["LoadBalancerAttributes"])
            if mapping(attribute)["Key"] == "deletion_protection.enabled"
        ]
        return databases + balancers

    assert protected("production") == [True, True, True]
    assert protected("demo") == [False, False]
