"""S3, CloudFront, Route 53 and certificates."""

from __future__ import annotations

from typing import Any

from engine.deploy import Deployment, Made, makes, tags
from engine.fit import fit
from engine.makers.network import document
from trestle_aws.place import Place
from trestle_aws.planning import Examples
from trestle_aws.template import Resource

Properties = dict[str, Any]


@makes("AWS::S3::Bucket")
def bucket(to: Deployment, resource: Resource, properties: Properties) -> Made:
    s3 = to.client("s3")
    name = properties.pop("BucketName", None) or f"test-{to.name(resource, 50)}".lower()
    where = {} if to.region_now == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": to.region_now}}
    s3.create_bucket(Bucket=name, **where)
    if encryption := properties.pop("BucketEncryption", None):
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                **_rest(rule, "ServerSideEncryptionByDefault"),
            }
            for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if versions := properties.pop("VersioningConfiguration", None):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versions)
    if block := properties.pop("PublicAccessBlockConfiguration", None):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if owners := properties.pop("OwnershipControls", None):
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=owners)
    if lifecycle := properties.pop("LifecycleConfiguration", None):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if cors := properties.pop("CorsConfiguration", None):
        rules = [{key: value for key, value in rule.items() if key != "Id"} for rule in cors["CorsRules"]]
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    if wanted := tags(properties):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": wanted})
    assert not properties, f"not put into the bucket: {', '.join(properties)}"
    return Made(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{to.region_now}.amazonaws.com",
        },
    )


def _lifecycle_rule(rule: Properties) -> Properties:
    made = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = rule[name]
    if "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    return made


def _rest(value: Properties, *without: str) -> Properties:
    return {key: item for key, item in value.items() if key not in without}


@makes("AWS::S3::BucketPolicy")
def bucket_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=document(properties["PolicyDocument"]))
    return Made(properties["Bucket"])


@makes("AWS::CloudFront::OriginAccessControl")
def origin_access_control(to: Deployment, resource: Resource, properties: Properties) -> Made:
    made = to.fitted("cloudfront", "create_origin_access_control", properties)["OriginAccessControl"]
    return Made(made["Id"], {"Id": made["Id"]})


CLOUDFRONT = {
    "AWS::CloudFront::CachePolicy": "create_cache_policy",
    "AWS::CloudFront::OriginRequestPolicy": "create_origin_request_policy",
    "AWS::CloudFront::ResponseHeadersPolicy": "create_response_headers_policy",
}


@makes(*CLOUDFRONT)
def cloudfront_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("cloudfront", CLOUDFRONT[resource.type], properties)
    return Made(to.name(resource, 36), {"Id": to.name(resource, 36)})


@makes("AWS::CloudFront::Function")
def cloudfront_function(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties.pop("AutoPublish", None)
    properties.pop("Tags", None)
    name = properties["Name"]
    to.fitted("cloudfront", "create_function", properties)
    arn = f"arn:aws:cloudfront::123456789012:function/{name}"
    return Made(name, {"FunctionARN": arn, "FunctionMetadata.FunctionARN": arn})


@makes("AWS::CloudFront::Distribution")
def distribution(to: Deployment, resource: Resource, properties: Properties) -> Made:
    config = properties["DistributionConfig"]
    config["CallerReference"] = to.name(resource)
    config.setdefault("Comment", "")
    if "IPV6Enabled" in config:
        config["IsIPV6Enabled"] = config.pop("IPV6Enabled")
    for behaviour in [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", [])]:
        # The API nests what is cached inside what is allowed.
        allowed, cached = behaviour.pop("AllowedMethods", None), behaviour.pop("CachedMethods", None)
        if allowed:
            behaviour["AllowedMethods"] = {"Quantity": len(allowed), "Items": allowed}
            if cached:
                behaviour["AllowedMethods"]["CachedMethods"] = {"Quantity": len(cached), "Items": cached}
    certificate = config.get("ViewerCertificate", {})
    if "CloudFrontDefaultCertificate" in certificate:
        certificate["CloudFrontDefaultCertificate"] = bool(certificate["CloudFrontDefaultCertificate"])
    fitted = fit(to.client("cloudfront"), "create_distribution", {"DistributionConfig": config})
    made = to.call("cloudfront", "create_distribution", **fitted)["Distribution"]
    return Made(made["Id"], {"Id": made["Id"], "DomainName": made["DomainName"]})


@makes("AWS::Route53::HostedZone")
def hosted_zone(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties, "HostedZoneTags")
    made = to.fitted("route53", "create_hosted_zone", properties, CallerReference=to.name(resource))
    physical = made["HostedZone"]["Id"].split("/")[-1]
    to.client("route53").change_tags_for_resource(ResourceType="hostedzone", ResourceId=physical, AddTags=wanted)
    return Made(physical, {"Id": physical, "NameServers": made["DelegationSet"]["NameServers"]})


@makes("AWS::Route53::RecordSet")
def record(to: Deployment, resource: Resource, properties: Properties) -> Made:
    zone = properties.pop("HostedZoneId")
    properties.pop("Comment", None)
    if "ResourceRecords" in properties:
        properties["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
    if "AliasTarget" in properties:
        properties["AliasTarget"].setdefault("EvaluateTargetHealth", False)
    change = {"Action": "CREATE", "ResourceRecordSet": properties}
    to.fitted("route53", "change_resource_record_sets", {"HostedZoneId": zone, "ChangeBatch": {"Changes": [change]}})
    return Made(properties["Name"])


@makes("AWS::Route53::RecordSetGroup")
def record_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    for one in properties["RecordSets"]:
        record(to, resource, {"HostedZoneId": properties["HostedZoneId"], **one})
    return Made(resource.id)


@makes("AWS::CertificateManager::Certificate")
def certificate(to: Deployment, resource: Resource, properties: Properties) -> Made:
    options = properties.pop("DomainValidationOptions", [])
    assert all("HostedZoneId" in option for option in options)
    if "CertificateTransparencyLoggingPreference" in properties:
        preference = properties.pop("CertificateTransparencyLoggingPreference")
        properties["Options"] = {"CertificateTransparencyLoggingPreference": preference}
    arn = to.fitted("acm", "request_certificate", properties)["CertificateArn"]
    # Later stacks were evaluated with an example of an ARN, since the parameters of a preset hold none.
    to.aliases[Examples(Place("", "", to.region_now)).certificate(resource.stack)] = arn
    return Made(arn)
