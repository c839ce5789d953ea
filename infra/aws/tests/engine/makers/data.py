"""RDS and ElastiCache."""

from __future__ import annotations

from typing import Any

from engine.deploy import Deployment, Made, makes, tags
from trestle_aws.template import Resource

Properties = dict[str, Any]


@makes("AWS::RDS::DBSubnetGroup")
def subnet_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("DBSubnetGroupName", to.name(resource, 64).lower())
    to.fitted("rds", "create_db_subnet_group", properties)
    return Made(name)


@makes("AWS::RDS::DBParameterGroup")
def parameter_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    values = properties.pop("Parameters", {})
    properties["DBParameterGroupFamily"] = properties.pop("Family")
    name = properties.setdefault("DBParameterGroupName", to.name(resource, 64).lower())
    to.fitted("rds", "create_db_parameter_group", properties)
    to.client("rds").modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for key, value in values.items()
        ],
    )
    return Made(name, {"DBParameterGroupName": name})


@makes("AWS::RDS::DBInstance")
def database(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("DBInstanceIdentifier", to.name(resource, 60).lower())
    properties["VpcSecurityGroupIds"] = properties.pop("VPCSecurityGroups")
    properties.pop("ApplyImmediately", None)
    properties.pop("AllowMajorVersionUpgrade", None)
    properties.pop("DeleteAutomatedBackups", None)
    made = to.fitted("rds", "create_db_instance", properties)["DBInstance"]
    return Made(
        name,
        {
            "Endpoint.Address": made["Endpoint"]["Address"],
            "Endpoint.Port": str(made["Endpoint"]["Port"]),
            "DBInstanceArn": made["DBInstanceArn"],
            "DbiResourceId": made["DbiResourceId"],
            "MasterUserSecret.SecretArn": made.get("MasterUserSecret", {}).get("SecretArn", ""),
        },
    )


@makes("AWS::ElastiCache::SubnetGroup")
def cache_subnet_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties["CacheSubnetGroupDescription"] = properties.pop("Description")
    name = properties.setdefault("CacheSubnetGroupName", to.name(resource, 64).lower())
    to.fitted("elasticache", "create_cache_subnet_group", properties)
    return Made(name)


@makes("AWS::ElastiCache::ParameterGroup")
def cache_parameter_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    values = properties.pop("Properties", {})
    name = properties.setdefault("CacheParameterGroupName", to.name(resource, 64).lower())
    properties.setdefault("CacheParameterGroupFamily", "")
    to.fitted("elasticache", "create_cache_parameter_group", properties)
    to.call(
        "elasticache",
        "modify_cache_parameter_group",
        CacheParameterGroupName=name,
        ParameterNameValues=[{"ParameterName": key, "ParameterValue": str(value)} for key, value in values.items()],
    )
    return Made(name, {"CacheParameterGroupName": name})


@makes("AWS::ElastiCache::ReplicationGroup")
def replication_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("ReplicationGroupId", to.name(resource, 40).lower())
    wanted = tags(properties)
    made = to.fitted("elasticache", "create_replication_group", properties, Tags=wanted)["ReplicationGroup"]
    endpoint = (made.get("NodeGroups") or [{}])[0].get("PrimaryEndpoint", {})
    return Made(
        name,
        {
            "PrimaryEndPoint.Address": endpoint.get("Address", f"master.{name}.cache.amazonaws.com"),
            "PrimaryEndPoint.Port": str(endpoint.get("Port", 6379)),
            "ReaderEndPoint.Address": f"replica.{name}.cache.amazonaws.com",
        },
    )
