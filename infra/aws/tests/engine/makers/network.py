"""VPCs with all that is in them, by EC2's API."""

from __future__ import annotations

import json
from typing import Any

from engine.deploy import Deployment, Made, makes, tags, take
from trestle_aws.template import Resource

Properties = dict[str, Any]


def tag(to: Deployment, physical: str, wanted: list[dict[str, str]]) -> None:
    """EC2's own way of tagging."""
    if wanted:
        to.client("ec2").create_tags(Resources=[physical], Tags=wanted)


@makes("AWS::EC2::VPC")
def vpc(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted, dns = tags(properties), take(properties, "EnableDnsSupport", "EnableDnsHostnames")
    made = to.fitted("ec2", "create_vpc", properties)["Vpc"]
    for name, value in dns.items():
        to.client("ec2").modify_vpc_attribute(VpcId=made["VpcId"], **{name: {"Value": value}})
    tag(to, made["VpcId"], wanted)
    acls = to.client("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [made["VpcId"]]}])[
        "NetworkAcls"
    ]
    return Made(
        made["VpcId"],
        {"CidrBlock": made["CidrBlock"], "DefaultNetworkAcl": acls[0]["NetworkAclId"], "VpcId": made["VpcId"]},
    )


@makes("AWS::EC2::InternetGateway")
def internet_gateway(to: Deployment, resource: Resource, properties: Properties) -> Made:
    made = to.call("ec2", "create_internet_gateway")["InternetGateway"]
    tag(to, made["InternetGatewayId"], tags(properties))
    return Made(made["InternetGatewayId"])


@makes("AWS::EC2::VPCGatewayAttachment")
def attachment(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("ec2", "attach_internet_gateway", properties)
    return Made(f"{properties['InternetGatewayId']}|{properties['VpcId']}")


@makes("AWS::EC2::Subnet")
def subnet(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted, public = tags(properties), properties.pop("MapPublicIpOnLaunch", False)
    made = to.fitted("ec2", "create_subnet", properties)["Subnet"]
    to.client("ec2").modify_subnet_attribute(SubnetId=made["SubnetId"], MapPublicIpOnLaunch={"Value": public})
    tag(to, made["SubnetId"], wanted)
    return Made(made["SubnetId"], {"AvailabilityZone": made["AvailabilityZone"], "CidrBlock": made["CidrBlock"]})


@makes("AWS::EC2::RouteTable")
def route_table(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    made = to.fitted("ec2", "create_route_table", properties)["RouteTable"]
    tag(to, made["RouteTableId"], wanted)
    return Made(made["RouteTableId"])


@makes("AWS::EC2::Route")
def route(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("ec2", "create_route", properties)
    return Made(f"{properties['RouteTableId']}|{properties['DestinationCidrBlock']}")


@makes("AWS::EC2::SubnetRouteTableAssociation")
def route_table_association(to: Deployment, resource: Resource, properties: Properties) -> Made:
    return Made(to.fitted("ec2", "associate_route_table", properties)["AssociationId"])


@makes("AWS::EC2::NetworkAcl")
def network_acl(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    made = to.fitted("ec2", "create_network_acl", properties)["NetworkAcl"]
    tag(to, made["NetworkAclId"], wanted)
    return Made(made["NetworkAclId"])


@makes("AWS::EC2::NetworkAclEntry")
def network_acl_entry(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.fitted("ec2", "create_network_acl_entry", {"Egress": False, **properties})
    return Made(resource.id)


@makes("AWS::EC2::SubnetNetworkAclAssociation")
def network_acl_association(to: Deployment, resource: Resource, properties: Properties) -> Made:
    acls = to.client("ec2").describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [properties["SubnetId"]]}]
    )["NetworkAcls"]
    old = [one for acl in acls for one in acl["Associations"] if one["SubnetId"] == properties["SubnetId"]]
    made = to.client("ec2").replace_network_acl_association(
        AssociationId=old[0]["NetworkAclAssociationId"], NetworkAclId=properties["NetworkAclId"]
    )
    return Made(made["NewAssociationId"], {"AssociationId": made["NewAssociationId"]})


@makes("AWS::EC2::EIP")
def address(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted, instance = tags(properties), properties.pop("InstanceId", None)
    made = to.fitted("ec2", "allocate_address", properties)
    if instance:
        to.client("ec2").associate_address(AllocationId=made["AllocationId"], InstanceId=instance)
    tag(to, made["AllocationId"], wanted)
    return Made(made["PublicIp"], {"AllocationId": made["AllocationId"], "PublicIp": made["PublicIp"]})


@makes("AWS::EC2::EIPAssociation")
def address_association(to: Deployment, resource: Resource, properties: Properties) -> Made:
    return Made(to.fitted("ec2", "associate_address", properties)["AssociationId"])


@makes("AWS::EC2::NatGateway")
def nat_gateway(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    made = to.fitted("ec2", "create_nat_gateway", properties)["NatGateway"]
    tag(to, made["NatGatewayId"], wanted)
    return Made(made["NatGatewayId"], {"NatGatewayId": made["NatGatewayId"]})


def permissions(entries: list[Properties]) -> list[Properties]:
    """A security group's rules as EC2's API writes them."""
    found = []
    for entry in entries:
        described = {"Description": entry["Description"]} if "Description" in entry else {}
        one = {"IpProtocol": str(entry["IpProtocol"]), **take(dict(entry), "FromPort", "ToPort")}
        if "CidrIp" in entry:
            one["IpRanges"] = [{"CidrIp": entry["CidrIp"], **described}]
        for key in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
            if key in entry:
                one["UserIdGroupPairs"] = [{"GroupId": entry[key], **described}]
        for key in ("SourcePrefixListId", "DestinationPrefixListId"):
            if key in entry:
                one["PrefixListIds"] = [{"PrefixListId": entry[key], **described}]
        found.append(one)
    return found


@makes("AWS::EC2::SecurityGroup")
def security_group(to: Deployment, resource: Resource, properties: Properties) -> Made:
    ec2 = to.client("ec2")
    name = properties.get("GroupName", to.name(resource, 255))
    made = ec2.create_security_group(
        GroupName=name, Description=properties["GroupDescription"], VpcId=properties["VpcId"]
    )
    group = made["GroupId"]
    if ingress := permissions(properties.get("SecurityGroupIngress", [])):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ingress)
    if "SecurityGroupEgress" in properties:
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    if egress := permissions(properties.get("SecurityGroupEgress", [])):
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=egress)
    tag(to, group, tags(properties))
    return Made(group, {"GroupId": group, "VpcId": properties["VpcId"]})


@makes("AWS::EC2::SecurityGroupIngress")
def ingress_rule(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.client("ec2").authorize_security_group_ingress(
        GroupId=properties["GroupId"], IpPermissions=permissions([properties])
    )
    return Made(resource.id)


@makes("AWS::EC2::SecurityGroupEgress")
def egress_rule(to: Deployment, resource: Resource, properties: Properties) -> Made:
    to.client("ec2").authorize_security_group_egress(
        GroupId=properties["GroupId"], IpPermissions=permissions([properties])
    )
    return Made(resource.id)


@makes("AWS::EC2::VPCEndpoint")
def endpoint(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    made = to.fitted("ec2", "create_vpc_endpoint", properties)["VpcEndpoint"]
    tag(to, made["VpcEndpointId"], wanted)
    return Made(made["VpcEndpointId"], {"Id": made["VpcEndpointId"]})


@makes("AWS::EC2::FlowLog")
def flow_log(to: Deployment, resource: Resource, properties: Properties) -> Made:
    tags(properties)
    properties["ResourceIds"] = [properties.pop("ResourceId")]
    return Made(to.fitted("ec2", "create_flow_logs", properties)["FlowLogIds"][0])


@makes("AWS::EC2::VPCPeeringConnection")
def peering(to: Deployment, resource: Resource, properties: Properties) -> Made:
    wanted = tags(properties)
    made = to.fitted("ec2", "create_vpc_peering_connection", properties)["VpcPeeringConnection"]
    physical = made["VpcPeeringConnectionId"]
    if properties.get("PeerRegion", to.region) == to.region:
        to.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=physical)
    tag(to, physical, wanted)
    return Made(physical, {"Id": physical})


@makes("AWS::EC2::PrefixList")
def prefix_list(to: Deployment, resource: Resource, properties: Properties) -> Made:
    tags(properties)
    made = to.fitted("ec2", "create_managed_prefix_list", properties)["PrefixList"]
    return Made(made["PrefixListId"], {"PrefixListId": made["PrefixListId"]})


def document(value: Any) -> str:
    """A policy as the JSON that APIs take."""
    return value if isinstance(value, str) else json.dumps(value)
