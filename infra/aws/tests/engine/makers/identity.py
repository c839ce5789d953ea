"""Roles and policies, and the keys and secrets that they open."""

from __future__ import annotations

import json
from typing import Any

from engine.deploy import Deployment, Made, makes, tags
from engine.makers.network import document
from trestle_aws.template import Resource

Properties = dict[str, Any]


@makes("AWS::IAM::Role")
def role(to: Deployment, resource: Resource, properties: Properties) -> Made:
    iam = to.client("iam")
    policies, managed = properties.pop("Policies", []), properties.pop("ManagedPolicyArns", [])
    name = properties.setdefault("RoleName", to.name(resource, 64))
    made = to.fitted("iam", "create_role", properties)["Role"]
    for policy in policies:
        iam.put_role_policy(
            RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document(policy["PolicyDocument"])
        )
    for arn in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Made(name, {"Arn": made["Arn"], "RoleId": made["RoleId"]})


@makes("AWS::IAM::Policy", "AWS::IAM::RolePolicy")
def policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    for name in properties.get("Roles", [properties.get("RoleName")]):
        to.client("iam").put_role_policy(
            RoleName=name, PolicyName=properties["PolicyName"], PolicyDocument=document(properties["PolicyDocument"])
        )
    return Made(resource.id)


@makes("AWS::IAM::ManagedPolicy")
def managed_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.get("ManagedPolicyName", to.name(resource, 64))
    made = to.client("iam").create_policy(PolicyName=name, PolicyDocument=document(properties["PolicyDocument"]))[
        "Policy"
    ]
    for other in properties.get("Roles", []):
        to.client("iam").attach_role_policy(RoleName=other, PolicyArn=made["Arn"])
    return Made(made["Arn"], {"PolicyArn": made["Arn"]})


@makes("AWS::IAM::InstanceProfile")
def instance_profile(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.get("InstanceProfileName", to.name(resource, 64))
    made = to.client("iam").create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    for other in properties["Roles"]:
        to.client("iam").add_role_to_instance_profile(InstanceProfileName=name, RoleName=other)
    return Made(name, {"Arn": made["Arn"]})


@makes("AWS::KMS::Key")
def key(to: Deployment, resource: Resource, properties: Properties) -> Made:
    rotation = properties.pop("EnableKeyRotation", False)
    properties.pop("PendingWindowInDays", None)
    wanted = [{"TagKey": one["Key"], "TagValue": one["Value"]} for one in tags(properties)]
    if "KeyPolicy" in properties:
        properties["Policy"] = document(properties.pop("KeyPolicy"))
    made = to.fitted("kms", "create_key", properties, Tags=wanted)["KeyMetadata"]
    if rotation:
        to.client("kms").enable_key_rotation(KeyId=made["KeyId"])
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


@makes("AWS::KMS::Alias")
def alias(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("kms", "create_alias", properties)
    return Made(properties["AliasName"])


@makes("AWS::SecretsManager::Secret")
def secret(to: Deployment, resource: Resource, properties: Properties) -> Made:
    manager = to.client("secretsmanager")
    properties.setdefault("Name", to.name(resource, 64))
    if generate := properties.pop("GenerateSecretString", None):
        key, template = generate.pop("GenerateStringKey", None), generate.pop("SecretStringTemplate", None)
        password = to.fitted("secretsmanager", "get_random_password", generate)["RandomPassword"]
        properties["SecretString"] = json.dumps({**json.loads(template), key: password}) if key else password
    wanted = tags(properties)
    made = to.fitted("secretsmanager", "create_secret", properties, Tags=wanted)
    assert manager.get_secret_value(SecretId=made["ARN"])
    return Made(made["ARN"], {"Id": made["ARN"]})


@makes("AWS::SecretsManager::SecretTargetAttachment")
def secret_target(to: Deployment, resource: Resource, properties: Properties) -> Made:
    return Made(properties["SecretId"])


@makes("AWS::SecretsManager::ResourcePolicy")
def secret_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.client("secretsmanager").put_resource_policy(
        SecretId=properties["SecretId"], ResourcePolicy=document(properties["ResourcePolicy"])
    )
    return Made(properties["SecretId"])


@makes("AWS::SSM::Parameter")
def parameter(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    properties.setdefault("Name", to.name(resource, 64))
    to.fitted("ssm", "put_parameter", properties, Tags=wanted)
    return Made(properties["Name"], {"Type": properties["Type"], "Value": properties["Value"]})


@makes("AWS::SSM::Document")
def ssm_document(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties.setdefault("Name", to.name(resource, 64))
    properties.pop("UpdateMethod", None)
    to.fitted("ssm", "create_document", properties)
    return Made(properties["Name"])
