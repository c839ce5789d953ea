"""Reachability: each part of a way is needed, the reply's too. One network, and what is left of it when one part is missing."""

from __future__ import annotations

import pytest

from trestle_aws import schema, stacknet
from trestle_aws.graph import Graph
from trestle_aws.network import Host
from trestle_aws.template import Resource, Template

SOURCE = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway, Properties: {}}
  Attachment: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  Public: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Private: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  PublicTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PrivateTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PublicRoute: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref PublicTable, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}}
  PrivateRoute: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref PrivateTable, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
  A: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Public, RouteTableId: !Ref PublicTable}}
  B: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Private, RouteTableId: !Ref PrivateTable}}
  Address: {Type: AWS::EC2::EIP, Properties: {Domain: vpc}}
  Nat: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: !Ref Public, AllocationId: !GetAtt Address.AllocationId}}
  FrontGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: front
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, DestinationSecurityGroupId: !GetAtt BackGroup.GroupId}]
  BackGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: back
      VpcId: !Ref Vpc
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
  BackFromFront:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref BackGroup, IpProtocol: tcp, FromPort: 80, ToPort: 80, SourceSecurityGroupId: !Ref FrontGroup}
  Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref Vpc}}
  In: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, RuleNumber: 100, Protocol: 6, RuleAction: allow, CidrBlock: 10.0.0.0/24, PortRange: {From: 80, To: 80}}}
  Back1: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, Egress: true, RuleNumber: 100, Protocol: 6, RuleAction: allow, CidrBlock: 10.0.0.0/24, PortRange: {From: 1024, To: 65535}}}
  Out: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, Egress: true, RuleNumber: 110, Protocol: 6, RuleAction: allow, CidrBlock: 0.0.0.0/0, PortRange: {From: 443, To: 443}}}
  OutBack: {Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, RuleNumber: 120, Protocol: 6, RuleAction: allow, CidrBlock: 0.0.0.0/0, PortRange: {From: 1024, To: 65535}}}
  C: {Type: AWS::EC2::SubnetNetworkAclAssociation, Properties: {SubnetId: !Ref Private, NetworkAclId: !Ref Acl}}
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [!Ref Public], SecurityGroups: [!Ref FrontGroup]}}
  Template: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {SecurityGroupIds: [!Ref BackGroup]}}}
  Group: {Type: AWS::AutoScaling::AutoScalingGroup, Properties: {VPCZoneIdentifier: [!Ref Private], LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: "1"}}}
"""


def ways(*without: str, deny: str = "") -> tuple[bool, bool, bool]:
    """From the internet to the balancer, from there to the group, and from the group to the world."""
    body = Template.parse(SOURCE, "net").body
    resources = body["Resources"]
    assert isinstance(resources, dict)
    for name in without:
        del resources[name]
    if deny:
        port = {"From": 80, "To": 80} if deny == "In" else {"From": 2000, "To": 65535}
        entry = {
            "NetworkAclId": {"Ref": "Acl"},
            "RuleNumber": 90,
            "Protocol": 6,
            "RuleAction": "deny",
            "CidrBlock": "0.0.0.0/0",
            "PortRange": port,
        }
        resources["Deny"] = {
            "Type": "AWS::EC2::NetworkAclEntry",
            "Properties": entry | ({"Egress": True} if deny == "Back1" else {}),
        }
    network = stacknet.read([Template(body, "net").evaluate({})])
    graph = Graph(network)

    def host(name: str) -> Host:
        return network.hosts[f"${{net/{name}}}"]

    front, back = host("Balancer"), host("Group")
    return graph.from_internet(front, "tcp", 443), graph.connects(front, back, "tcp", 80), graph.to_internet(back)


def test_all_ways_are_open() -> None:
    assert ways() == (True, True, True)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("Attachment", (False, True, False)),
        ("PublicRoute", (False, True, False)),
        ("A", (False, True, False)),
        ("PrivateRoute", (True, True, False)),
        ("B", (True, True, False)),
        ("BackFromFront", (True, False, True)),
        ("In", (True, False, True)),
        ("Back1", (True, False, True)),
        ("Out", (True, True, False)),
    ],
)
def test_each_part_is_needed(part: str, expected: tuple[bool, bool, bool]) -> None:
    assert ways(part) == expected


def test_the_reply_needs_its_own_entry() -> None:
    """Port 80 comes from a high port and goes back there, so the world's replies help nobody inside."""
    assert ways("OutBack") == (True, True, False)


@pytest.mark.parametrize(("deny", "expected"), [("In", (True, False, True)), ("Back1", (True, False, True))])
def test_a_lower_number_decides(deny: str, expected: tuple[bool, bool, bool]) -> None:
    assert ways(deny=deny) == expected


def test_what_is_not_admitted_is_not_reached() -> None:
    network = stacknet.read([Template.parse(SOURCE, "net").evaluate({})])
    graph = Graph(network)
    front, back = network.hosts["${net/Balancer}"], network.hosts["${net/Group}"]
    assert graph.open_ports(front) == {("tcp", 443, 443)}
    assert graph.open_ports(back) == set()
    assert not graph.from_internet(front, "tcp", 80)
    assert not graph.connects_somehow(back, front, "tcp", 80)
    assert not graph.connects_somehow(front, back, "tcp", 81)


# --- Schemas --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "properties", "word"),
    [
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDns": True}, "EnableDns"),
        ("AWS::EC2::Subnet", {"CidrBlock": "10.0.0.0/24"}, "VpcId"),
        ("AWS::RDS::DBInstance", {"StorageEncrypted": "perhaps"}, "StorageEncrypted"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", {"Protocol": "SMTP"}, "Protocol"),
        ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"MetadataOptions": {"HttpTokens": "yes"}}}, "HttpTokens"),
        ("AWS::S3::Bucket", {"Arn": "arn:aws:s3:::x"}, "Arn"),
        ("AWS::EC2::Nothing", {}, "there is no resource type"),
    ],
)
def test_a_schema_refuses(kind: str, properties: dict[str, object], word: str) -> None:
    found = schema.errors(Resource("s", "R", kind, properties))  # type: ignore[arg-type]
    assert found and word in " ".join(found)


def test_a_schema_takes_what_is_right_and_what_is_not_known_yet() -> None:
    stack = Template.parse(SOURCE, "net").evaluate({})
    for resource in stack.resources.values():
        if resource.type != "AWS::AutoScaling::AutoScalingGroup":
            assert schema.errors(resource) == []


def test_strings_become_what_the_schema_wants() -> None:
    typed = schema.typed(
        "AWS::RDS::DBInstance", {"StorageEncrypted": "true", "AllocatedStorage": 20, "BackupRetentionPeriod": "7"}
    )
    assert typed == {"StorageEncrypted": True, "AllocatedStorage": "20", "BackupRetentionPeriod": 7}


def test_create_only() -> None:
    assert "DBName" in schema.create_only("AWS::RDS::DBInstance")
    assert "MultiAZ" in schema.conditional_create_only("AWS::RDS::DBInstance")
    assert "MultiAZ" not in schema.create_only("AWS::RDS::DBInstance")
