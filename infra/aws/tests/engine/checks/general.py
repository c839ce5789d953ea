"""Properties of every resource: valid, tagged, replaceable, naming nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.environment import GIVEN, Environment, at, items
from trestle_aws import schema
from trestle_aws.template import Resource
from trestle_aws.values import Call, GetAtt, Ref, Text, Value, symbols

PREFIX = f"{GIVEN['Project']}-{GIVEN['Environment']}"


@property_of("every resource fits its schema")
def fits_schema(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources():
        for error in schema.errors(resource):
            yield resource, error


@property_of("every attribute that is asked for exists")
def attributes_exist(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack in environment.stacks.values():
        everything: list[tuple[object, Value]] = [
            (resource, dict(resource.properties)) for resource in stack.resources.values()
        ]
        everything += [(f"{stack.key} output {name}", value) for name, value in stack.outputs.items()]
        for where, value in everything:
            for symbol in symbols(value):
                resource = environment.behind(symbol) if isinstance(symbol, GetAtt) else None
                if resource and isinstance(symbol, GetAtt) and symbol.attribute not in _attributes(resource.type):
                    yield where, f"{resource.type} has no attribute {symbol.attribute}"


EXTRA_ATTRIBUTES = {"AWS::EC2::VPC": {"CidrBlock"}, "AWS::EC2::Subnet": {"AvailabilityZone", "CidrBlock", "VpcId"}}


def _attributes(resource_type: str) -> set[str]:
    return schema.attributes(resource_type) | EXTRA_ATTRIBUTES.get(resource_type, set())


KINDS: dict[str, set[str]] = {
    "AllocationId": {"AWS::EC2::EIP"},
    "AutoScalingGroupName": {"AWS::AutoScaling::AutoScalingGroup"},
    "CacheParameterGroupName": {"AWS::ElastiCache::ParameterGroup"},
    "CacheSubnetGroupName": {"AWS::ElastiCache::SubnetGroup"},
    "DBParameterGroupName": {"AWS::RDS::DBParameterGroup"},
    "DBSubnetGroupName": {"AWS::RDS::DBSubnetGroup"},
    "DeliverLogsPermissionArn": {"AWS::IAM::Role"},
    "DestinationSecurityGroupId": {"AWS::EC2::SecurityGroup"},
    "GatewayId": {"AWS::EC2::InternetGateway"},
    "GroupId": {"AWS::EC2::SecurityGroup"},
    "HostedZoneId": {"AWS::Route53::HostedZone", "AWS::ElasticLoadBalancingV2::LoadBalancer"},
    "IamInstanceProfile": {"AWS::IAM::InstanceProfile"},
    "InstanceId": {"AWS::EC2::Instance"},
    "InternetGatewayId": {"AWS::EC2::InternetGateway"},
    "LaunchTemplateId": {"AWS::EC2::LaunchTemplate"},
    "ListenerArn": {"AWS::ElasticLoadBalancingV2::Listener"},
    "LoadBalancerArn": {"AWS::ElasticLoadBalancingV2::LoadBalancer"},
    "NatGatewayId": {"AWS::EC2::NatGateway"},
    "NetworkAclId": {"AWS::EC2::NetworkAcl"},
    "OriginAccessControlId": {"AWS::CloudFront::OriginAccessControl"},
    "Roles": {"AWS::IAM::Role"},
    "RouteTableId": {"AWS::EC2::RouteTable"},
    "RouteTableIds": {"AWS::EC2::RouteTable"},
    "SecurityGroupIds": {"AWS::EC2::SecurityGroup"},
    "SecurityGroups": {"AWS::EC2::SecurityGroup"},
    "SourceSecurityGroupId": {"AWS::EC2::SecurityGroup"},
    "SubnetId": {"AWS::EC2::Subnet"},
    "SubnetIds": {"AWS::EC2::Subnet"},
    "Subnets": {"AWS::EC2::Subnet"},
    "TargetGroupARNs": {"AWS::ElasticLoadBalancingV2::TargetGroup"},
    "TargetGroupArn": {"AWS::ElasticLoadBalancingV2::TargetGroup"},
    "TopicArn": {"AWS::SNS::Topic"},
    "VPCSecurityGroups": {"AWS::EC2::SecurityGroup"},
    "VPCZoneIdentifier": {"AWS::EC2::Subnet"},
    "VpcId": {"AWS::EC2::VPC"},
}
"""What a property of this name must name."""


@property_of("every reference is to a resource of the right kind")
def reference_kinds(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources():
        for path, value in _named(resource.properties):
            kinds = KINDS.get(path.rsplit("/", 1)[-1])
            for item in items(value) if kinds else ():
                if isinstance(item, (Text, Call)):
                    yield resource, f"{path} is {item}, not one resource"
                other = environment.behind(item)
                if other is not None and kinds and other.type not in kinds:
                    yield resource, f"{path} names {other}, a {other.type}"
                if isinstance(item, str) and not re.fullmatch(r"[a-z]+-[0-9a-f]+|[A-Z0-9]+|\d*|arn:.*", item):
                    yield resource, f"{path} is {item!r}"


def _named(value: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}/{key}", item
            yield from _named(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, path)


def tags_of(resource: Resource) -> dict[str, Value] | None:
    """A resource's tags; None if its type has none."""
    name = schema.taggable(resource.type)
    if name is None or resource.type in UNTAGGED:
        return None
    value = resource.properties.get(name)
    if resource.type == "AWS::EC2::LaunchTemplate":
        value = next((one.get("Tags") for one in items(value) if isinstance(one, dict)), None)
    if isinstance(value, dict):
        return value
    return {
        str(one["Key"]): one["Value"]
        for one in items(value)
        if isinstance(one, dict) and "Key" in one and "Value" in one
    }


UNTAGGED = {
    "AWS::AutoScaling::ScheduledAction",
    "AWS::CloudFront::Function",
    "AWS::EC2::LaunchTemplate",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::IAM::InstanceProfile",
}
"""Parts of something that is tagged, or charged for nothing and found through it."""


@property_of("every resource says whose it is")
def tagged(environment: Environment) -> Iterator[tuple[object, str]]:
    """trestle-aws removes only what has both tags, and bills are read by them."""
    for resource in environment.resources():
        found = tags_of(resource)
        if found is not None:
            yield from ((resource, message) for message in wrong_tags(found))


def wrong_tags(found: dict[str, Value]) -> Iterator[str]:
    """Why these tags do not say whose a resource is."""
    for key in ("Project", "Environment"):
        if found.get(key) != GIVEN[key]:
            yield f"the tag {key} is {found.get(key)}"
    name = str(found.get("Name", ""))
    if name != PREFIX and not name.startswith(f"{PREFIX}-"):
        yield f"the tag Name is {name!r} and does not begin with {PREFIX}"


@property_of("what a group or launch template starts is tagged as well")
def started_tagged(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::AutoScaling::AutoScalingGroup"):
        tags = [one for one in items(resource.properties.get("Tags")) if isinstance(one, dict)]
        for one in tags:
            if str(one.get("PropagateAtLaunch")).lower() != "true":
                yield resource, f"the tag {one.get('Key')} is not given to instances"
    groups = {
        str(environment.behind(at(one.properties, "LaunchTemplate/LaunchTemplateId")))
        for one in environment.resources("AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance")
    }
    for resource in environment.resources("AWS::EC2::LaunchTemplate"):
        data = resource.properties.get("LaunchTemplateData")
        specifications = items(data.get("TagSpecifications")) if isinstance(data, dict) else []
        kinds = {}
        for item in specifications:
            if isinstance(item, dict):
                kinds[str(item.get("ResourceType"))] = {
                    str(tag["Key"]): tag["Value"]
                    for tag in items(item.get("Tags"))
                    if isinstance(tag, dict) and "Value" in tag
                }
        # A group and an instance have tags of their own, which the instance gets.
        for kind in (
            ("volume", "network-interface") if str(resource) in groups else ("instance", "volume", "network-interface")
        ):
            if kind not in kinds:
                yield resource, f"the {kind}s that it starts have no tags"
            else:
                yield from ((resource, f"{kind}: {message}") for message in wrong_tags(kinds[kind]))
    for resource in environment.resources("AWS::EC2::Instance"):
        if (
            "LaunchTemplate" not in resource.properties
            and str(resource.properties.get("PropagateTagsToVolumeOnCreation")).lower() != "true"
        ):
            yield resource, "its volumes get no tags"


FIXED_NAMES = {
    "AWS::AutoScaling::AutoScalingGroup": "AutoScalingGroupName",
    "AWS::EC2::LaunchTemplate": "LaunchTemplateName",
    "AWS::ElastiCache::ReplicationGroup": "ReplicationGroupId",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBParameterGroup": "DBParameterGroupName",
    "AWS::S3::Bucket": "BucketName",
}


@property_of("no fixed name stands in the way of a replacement")
def replaceable(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources(*FIXED_NAMES):
        if FIXED_NAMES[resource.type] in resource.properties:
            yield resource, f"{FIXED_NAMES[resource.type]} is fixed, so a replacement cannot be made beside it"


@property_of("what others could have taken is named by project and environment")
def names_are_ours(environment: Environment) -> Iterator[tuple[object, str]]:
    """Two environments in one account must not meet."""
    for resource in environment.resources():
        for key in ("Name", "LogGroupName", "FunctionName", "DashboardName", "AlarmName", "TopicName", "ExportName"):
            value = resource.properties.get(key)
            if isinstance(value, (str, Text)) and resource.type not in PUBLIC_NAMES:
                if PREFIX not in str(value) and PREFIX.replace("-", "/") not in str(value):
                    yield resource, f"{key} is {value}, which another environment may have"


PUBLIC_NAMES = {"AWS::Route53::HostedZone", "AWS::Route53::RecordSet"}


@property_of("no region, account or partition is written down")
def portable(environment: Environment) -> Iterator[tuple[object, str]]:
    """CloudFront alone takes its certificate from another region than the stack's."""
    other = re.compile(r"\b(us|eu|ap|sa|ca|me|af)-(gov-)?(north|south|east|west|central)+(east|west)?-\d\b")
    asked = environment.parameter("PeerRegion", "peering")
    for stack in environment.stacks.values():
        for resource in stack.resources.values():
            for path, value in _named(resource.properties):
                if isinstance(value, (str, Text)) and value != asked:
                    for match in other.finditer(str(value)):
                        if match.group() != stack.region and not (
                            match.group() == "us-east-1" and path.endswith("/AcmCertificateArn")
                        ):
                            yield resource, f"{path} names {match.group()}"


@property_of("every import is exported by a stack before it")
def imports_exist(environment: Environment) -> Iterator[tuple[object, str]]:
    known: set[str] = set()
    for stack in environment.stacks.values():
        for name in sorted(stack.imported - known):
            yield stack.key, f"takes {name}, which no stack before it exports"
        known |= set(stack.exports)


@property_of("exports have their stack's environment in their names")
def exports_are_ours(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack in environment.stacks.values():
        for name, value in stack.exports.items():
            if not re.fullmatch(rf"{re.escape(PREFIX)}-[A-Z]\w+", name):
                yield stack.key, f"the export {name} is not named {PREFIX}-NAME"
            if value == "":
                yield stack.key, f"the export {name} is empty, which CloudFormation refuses"


@property_of("a public address or route waits for the internet gateway")
def waits_for_gateway(environment: Environment) -> Iterator[tuple[object, str]]:
    """EC2 refuses an address or a route before the gateway is attached, and deletes neither after it is detached."""
    for stack in environment.stacks.values():
        attachments = {resource.id for resource in stack.of_type("AWS::EC2::VPCGatewayAttachment")}
        if not attachments:
            continue
        for resource in stack.of_type("AWS::EC2::EIP", "AWS::EC2::NatGateway"):
            if not attachments & made_before(environment, resource):
                yield resource, "does not wait for the internet gateway's attachment"
        for resource in stack.of_type("AWS::EC2::Route"):
            if "GatewayId" in resource.properties and not attachments & made_before(environment, resource):
                yield resource, "does not wait for the internet gateway's attachment"


def made_before(environment: Environment, resource: Resource) -> set[str]:
    """Ids of everything that is made before a resource, in its stack."""
    found: set[str] = set()
    waiting = [resource]
    while waiting:
        one = waiting.pop()
        named = [
            symbol.id
            for symbol in symbols(one.properties)
            if isinstance(symbol, (Ref, GetAtt)) and symbol.stack == one.stack
        ]
        for other in [*one.depends_on, *named]:
            if other not in found and other in environment.stacks[one.stack].resources:
                found.add(other)
                waiting.append(environment.stacks[one.stack].resources[other])
    return found
