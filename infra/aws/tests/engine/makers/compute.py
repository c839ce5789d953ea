"""Instances, launch templates, auto scaling groups and load balancers."""

from __future__ import annotations

import base64
from typing import Any

from engine.deploy import Deployment, Made, makes, tags, take
from engine.makers.network import tag
from trestle_aws.template import Resource

Properties = dict[str, Any]


@makes("AWS::EC2::LaunchTemplate")
def launch_template(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties.setdefault("LaunchTemplateName", to.name(resource, 64))
    made = to.fitted("ec2", "create_launch_template", properties)["LaunchTemplate"]
    return Made(
        made["LaunchTemplateId"],
        {"LatestVersionNumber": "1", "DefaultVersionNumber": "1", "LaunchTemplateId": made["LaunchTemplateId"]},
    )


@makes("AWS::EC2::KeyPair")
def key_pair(to: Deployment, resource: Resource, properties: Properties) -> Made:
    made = to.client("ec2").create_key_pair(KeyName=properties["KeyName"])
    return Made(properties["KeyName"], {"KeyPairId": made["KeyPairId"]})


@makes("AWS::EC2::Instance")
def instance(to: Deployment, resource: Resource, properties: Properties) -> Made:
    ec2 = to.client("ec2")
    wanted, forwards = tags(properties), properties.pop("SourceDestCheck", True)
    properties.pop("PropagateTagsToVolumeOnCreation", None)
    protected = properties.pop("DisableApiTermination", False)
    if "IamInstanceProfile" in properties:
        properties["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
    if "UserData" in properties:
        properties["UserData"] = base64.b64decode(properties["UserData"]).decode()
    if zone := properties.pop("AvailabilityZone", None):
        properties["Placement"] = {"AvailabilityZone": zone}
    for interface in properties.get("NetworkInterfaces", []):
        interface["Groups"] = interface.pop("GroupSet", [])
    if "Monitoring" in properties:
        properties["Monitoring"] = {"Enabled": properties["Monitoring"]}
    if "CreditSpecification" in properties:
        properties["CreditSpecification"] = {"CpuCredits": properties["CreditSpecification"]["CPUCredits"]}
    if "LaunchTemplate" in properties and "SubnetId" not in properties:
        # moto forgets the interfaces of a launch template, and looks for security groups beside them.
        named = properties["LaunchTemplate"]["LaunchTemplateId"]
        version = ec2.describe_launch_template_versions(LaunchTemplateId=named)["LaunchTemplateVersions"][-1]
        interfaces = version["LaunchTemplateData"]["NetworkInterfaces"]
        properties |= {"NetworkInterfaces": interfaces, "SecurityGroupIds": interfaces[0]["Groups"]}
    made = to.fitted("ec2", "run_instances", properties, MinCount=1, MaxCount=1)["Instances"][0]
    physical = made["InstanceId"]
    ec2.modify_instance_attribute(InstanceId=physical, SourceDestCheck={"Value": bool(forwards)})
    if protected:
        ec2.modify_instance_attribute(InstanceId=physical, DisableApiTermination={"Value": True})
    tag(to, physical, wanted)
    return Made(
        physical,
        {
            "PrivateIp": made["PrivateIpAddress"],
            "PublicIp": made.get("PublicIpAddress", ""),
            "PublicDnsName": made.get("PublicDnsName", ""),
            "PrivateDnsName": made["PrivateDnsName"],
            "InstanceId": physical,
            "AvailabilityZone": made["Placement"]["AvailabilityZone"],
        },
    )


@makes("AWS::AutoScaling::AutoScalingGroup")
def group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    autoscaling = to.client("autoscaling")
    metrics = properties.pop("MetricsCollection", [])
    notifications = properties.pop("NotificationConfigurations", [])
    name = properties.setdefault("AutoScalingGroupName", to.name(resource, 64))
    properties["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
    for one in properties.get("Tags", []):
        one |= {"ResourceId": name, "ResourceType": "auto-scaling-group"}
    to.fitted("autoscaling", "create_auto_scaling_group", properties)
    for one in metrics:
        to.fitted("autoscaling", "enable_metrics_collection", one, AutoScalingGroupName=name)
    for one in notifications:
        to.fitted("autoscaling", "put_notification_configuration", one, AutoScalingGroupName=name)
    made = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    return Made(name, {"AutoScalingGroupARN": made["AutoScalingGroupARN"]})


@makes("AWS::AutoScaling::ScalingPolicy")
def scaling_policy(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = to.name(resource, 64)
    to.fitted("autoscaling", "put_scaling_policy", properties, PolicyName=name)
    made = to.client("autoscaling").describe_policies(PolicyNames=[name])["ScalingPolicies"][0]
    return Made(made["PolicyARN"], {"Arn": made["PolicyARN"], "PolicyName": name})


@makes("AWS::AutoScaling::LifecycleHook")
def lifecycle_hook(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = properties.setdefault("LifecycleHookName", to.name(resource, 64))
    to.fitted("autoscaling", "put_lifecycle_hook", properties)
    return Made(name)


@makes("AWS::AutoScaling::ScheduledAction")
def scheduled_action(to: Deployment, resource: Resource, properties: Properties) -> Made:
    name = to.name(resource, 64)
    to.fitted("autoscaling", "put_scheduled_update_group_action", properties, ScheduledActionName=name)
    return Made(name, {"ScheduledActionName": name})


@makes("AWS::ElasticLoadBalancingV2::LoadBalancer")
def balancer(to: Deployment, resource: Resource, properties: Properties) -> Made:
    attributes = properties.pop("LoadBalancerAttributes", [])
    enforce = take(properties, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    properties.setdefault("Name", to.name(resource))
    made = to.fitted("elbv2", "create_load_balancer", properties)["LoadBalancers"][0]
    to.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"], Attributes=attributes)
    assert set(enforce) <= {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"}
    arn = made["LoadBalancerArn"]
    return Made(
        arn,
        {
            "DNSName": made["DNSName"],
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "LoadBalancerFullName": arn.split(":loadbalancer/")[1],
            "LoadBalancerName": made["LoadBalancerName"],
            "LoadBalancerArn": arn,
        },
    )


@makes("AWS::ElasticLoadBalancingV2::TargetGroup")
def target_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    attributes, targets = properties.pop("TargetGroupAttributes", []), properties.pop("Targets", [])
    properties.setdefault("Name", to.name(resource))
    made = to.fitted("elbv2", "create_target_group", properties)["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    to.client("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    if targets:
        to.fitted("elbv2", "register_targets", {"Targets": targets}, TargetGroupArn=arn)
    return Made(
        arn,
        {"TargetGroupFullName": arn.split(":")[-1], "TargetGroupName": made["TargetGroupName"], "TargetGroupArn": arn},
    )


@makes("AWS::ElasticLoadBalancingV2::Listener")
def listener(to: Deployment, resource: Resource, properties: Properties) -> Made:
    properties.pop("ListenerAttributes", None)
    made = to.fitted("elbv2", "create_listener", properties)["Listeners"][0]
    return Made(made["ListenerArn"], {"ListenerArn": made["ListenerArn"]})


@makes("AWS::ElasticLoadBalancingV2::ListenerRule")
def listener_rule(to: Deployment, resource: Resource, properties: Properties) -> Made:
    made = to.fitted("elbv2", "create_rule", properties)["Rules"][0]
    return Made(made["RuleArn"], {"RuleArn": made["RuleArn"]})
