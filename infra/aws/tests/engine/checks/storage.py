"""Properties of buckets and log groups."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks.registry import property_of
from engine.environment import GIVEN, Environment, at, items, mapping, number, truth
from trestle_aws.values import GetAtt, Value

PREFIX = f"{GIVEN['Project']}-{GIVEN['Environment']}"
NAMESPACE = f"/{GIVEN['Project']}/{GIVEN['Environment']}"


PUBLIC = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


@property_of("buckets are encrypted, versioned, and closed unless pictures are read from S3 itself")
def buckets(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::S3::Bucket"):
        properties = resource.properties
        opened = resource.stack == "assets" and environment.parameter("PublicRead", "assets") == "yes"
        for key in PUBLIC:
            wanted = not (opened and key in ("BlockPublicPolicy", "RestrictPublicBuckets"))
            if truth(at(properties, f"PublicAccessBlockConfiguration/{key}")) != wanted:
                yield resource, f"{key} is {at(properties, f'PublicAccessBlockConfiguration/{key}')}"
        algorithm = at(
            properties,
            "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        )
        if algorithm not in ("AES256", "aws:kms"):
            yield resource, f"is encrypted by {algorithm}"
        if algorithm == "aws:kms":
            yield resource, "asks a KMS permission of every reader"
        if at(properties, "VersioningConfiguration/Status") != "Enabled":
            yield resource, "what is replaced is gone"
        if [mapping(one).get("ObjectOwnership") for one in items(at(properties, "OwnershipControls/Rules"))] != [
            "BucketOwnerEnforced"
        ]:
            yield resource, "takes ACLs, by which one object alone can be opened"
        rules = [mapping(one) for one in items(at(properties, "LifecycleConfiguration/Rules"))]
        days = environment.parameter("OldVersionDays", resource.stack) or "30"
        said = {
            "old versions": [
                str(at(one, "NoncurrentVersionExpiration/NoncurrentDays"))
                for one in rules
                if "NoncurrentVersionExpiration" in one
            ]
            == [days],
            "broken uploads": any(
                1 <= number(at(one, "AbortIncompleteMultipartUpload/DaysAfterInitiation")) <= 7 for one in rules
            ),
            "delete markers": any(truth(one.get("ExpiredObjectDeleteMarker")) for one in rules),
        }
        for what, forgotten in said.items():
            if not forgotten:
                yield resource, f"{what} are kept, and paid for, for ever, or not as long as was asked"
        if any(one.get("Status") != "Enabled" or not one.get("Id") for one in rules):
            yield resource, "a rule of its lifecycle is switched off, or has no name"


@property_of("buckets answer by TLS only, and to whom they are for")
def bucket_policies(environment: Environment) -> Iterator[tuple[object, str]]:
    for bucket in environment.resources("AWS::S3::Bucket"):
        policies = [
            one
            for one in environment.resources("AWS::S3::BucketPolicy")
            if environment.behind(one.properties.get("Bucket")) is bucket
        ]
        statements = [
            mapping(one) for policy in policies for one in items(at(policy.properties, "PolicyDocument/Statement"))
        ]
        arn = str(GetAtt(bucket.stack, bucket.id, "Arn"))
        plain_http = [
            one
            for one in statements
            if one.get("Effect") == "Deny"
            and one.get("Principal") == "*"
            and one.get("Action") == "s3:*"
            and sorted(map(str, items(one.get("Resource")))) == sorted([arn, f"{arn}/*"])
            and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        if not plain_http:
            yield bucket, "answers without TLS"
        allowed = [one for one in statements if one.get("Effect") == "Allow"]
        if bucket.stack != "assets":
            if allowed:
                yield bucket, f"its policy lets {allowed[0].get('Principal')} in"
            old_tls = [
                one
                for one in statements
                if at(one, "Condition/NumericLessThan/s3:TlsVersion") == "1.2" and one.get("Effect") == "Deny"
            ]
            if not old_tls or old_tls[0].get("Principal") != "*" or old_tls[0].get("Action") != "s3:*":
                yield bucket, "takes TLS 1.1"
            if old_tls and sorted(map(str, items(old_tls[0].get("Resource")))) != sorted([arn, f"{arn}/*"]):
                yield bucket, "takes TLS 1.1 for a part of it"
            continue
        if len(allowed) != 1:
            yield bucket, f"{len(allowed)} statements let somebody in"
        for one in allowed:
            if one.get("Action") != "s3:GetObject" or str(one.get("Resource")) != f"{arn}/product-pictures/*":
                yield bucket, f"lets {one.get('Principal')} do {one.get('Action')} with {one.get('Resource')}"
            if environment.parameter("PublicRead", "assets") == "yes":
                if one.get("Principal") != "*":
                    yield bucket, f"lets {one.get('Principal')} read, not everybody"
            else:
                source = str(at(one, "Condition/ArnLike/aws:SourceArn"))
                wanted = (
                    f"arn:aws:cloudfront::123456789012:distribution/{environment.parameter('Distribution', 'assets')}"
                )
                if one.get("Principal") != {"Service": "cloudfront.amazonaws.com"} or source != wanted:
                    yield bucket, f"lets {one.get('Principal')} of {source} read, not this account's distribution alone"


@property_of("the buckets that are exported are the ones that are used")
def bucket_exports(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack, pairs in {
        "release": {"ReleaseBucket": ""},
        "assets": {"PicturesBucket": "", "PicturesOrigin": "RegionalDomainName"},
    }.items():
        for bucket in environment.stacks[stack].of_type("AWS::S3::Bucket") if environment.has(stack) else ():
            for export, attribute in pairs.items():
                wanted: Value = GetAtt(bucket.stack, bucket.id, attribute) if attribute else bucket.ref
                if environment.export(export) != wanted:
                    yield bucket, f"{export} is {environment.export(export)}"
            if stack == "assets":
                url = f"https://{GetAtt(bucket.stack, bucket.id, 'RegionalDomainName')}/product-pictures"
                if str(environment.export("PicturesUrl")) != url:
                    yield bucket, f"PicturesUrl is {environment.export('PicturesUrl')}"


@property_of("logs are kept for as long as was asked, under the names that instances and queries use")
def log_groups(environment: Environment) -> Iterator[tuple[object, str]]:
    expected: dict[str, str] = {}
    if environment.has("network"):
        days = environment.parameter("LogRetentionDays", "network")
        expected |= {f"{NAMESPACE}/{name}": days for name in ("web", "api", "job", "system")}
        if environment.parameter("FlowLogs", "network") == "yes":
            expected[f"{NAMESPACE}/flow"] = days
    if environment.parameter("SlackWebhook", "ops") or environment.parameter("SlackSecretArn", "ops"):
        expected[f"{NAMESPACE}/slack"] = environment.parameter("LogDays", "ops")
    found = {
        str(one.properties.get("LogGroupName")): str(one.properties.get("RetentionInDays"))
        for one in environment.resources("AWS::Logs::LogGroup")
    }
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            yield name, f"is kept for {found.get(name)} days, not {expected.get(name)}"


@property_of("flow logs are of the whole VPC, and may be written")
def flow_logs(environment: Environment) -> Iterator[tuple[object, str]]:
    logs = list(environment.resources("AWS::EC2::FlowLog"))
    if len(logs) != int(environment.parameter("FlowLogs", "network") == "yes"):
        yield "network", f"{len(logs)} flow logs"
    for resource in logs:
        properties = resource.properties
        if properties.get("ResourceType") != "VPC" or properties.get("ResourceId") != environment.export("VpcId"):
            yield resource, f"is of {properties.get('ResourceType')} {properties.get('ResourceId')}"
        if (
            properties.get("TrafficType") != "ALL"
            or properties.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs"
        ):
            yield resource, f"has {properties.get('TrafficType')} traffic"
        role = environment.behind(properties.get("DeliverLogsPermissionArn"))
        group = environment.behind(properties.get("LogGroupName"))
        trusted = (
            [mapping(one).get("Principal") for one in items(at(role.properties, "AssumeRolePolicyDocument/Statement"))]
            if role
            else []
        )
        if trusted != [{"Service": "vpc-flow-logs.amazonaws.com"}]:
            yield resource, "its role is not for flow logs"
        target = str(group.properties.get("LogGroupName")) if group else ""
        if not target.endswith("/flow"):
            yield resource, f"goes to {target}"
        actions = {
            str(action)
            for policy in map(mapping, items(role.properties.get("Policies") if role else None))
            for one in map(mapping, items(at(policy, "PolicyDocument/Statement")))
            for action in items(one.get("Action"))
            if any(f"{target}:" in str(where) for where in items(one.get("Resource")))
        }
        if not {"logs:CreateLogStream", "logs:PutLogEvents"} <= actions:
            yield resource, f"its role may {', '.join(sorted(actions)) or 'do nothing'} with {target}"
