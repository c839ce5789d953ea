"""Types of resources that cost nothing themselves, or so little at this size that it rounds to nothing.

Requests, the Lambda, CloudFront's first TiB: whoever has more of them than a demonstration reads its bill.
"""

from __future__ import annotations

FREE = frozenset(
    f"AWS::{name}"
    for name in """
    AutoScaling::LifecycleHook AutoScaling::ScalingPolicy AutoScaling::ScheduledAction AutoScaling::WarmPool
    CertificateManager::Certificate CloudFormation::WaitCondition CloudFormation::WaitConditionHandle
    CloudFront::CachePolicy CloudFront::Distribution CloudFront::Function CloudFront::OriginAccessControl
    CloudFront::OriginRequestPolicy CloudFront::ResponseHeadersPolicy EC2::EIPAssociation EC2::FlowLog
    EC2::InternetGateway EC2::LaunchTemplate EC2::NetworkAcl EC2::NetworkAclEntry EC2::NetworkInterface EC2::Route
    EC2::RouteTable EC2::SecurityGroup EC2::SecurityGroupEgress EC2::SecurityGroupIngress EC2::Subnet
    EC2::SubnetNetworkAclAssociation EC2::SubnetRouteTableAssociation EC2::VPC EC2::VPCGatewayAttachment
    EC2::VPCPeeringConnection ElastiCache::ParameterGroup ElastiCache::SubnetGroup ElasticLoadBalancingV2::Listener
    ElasticLoadBalancingV2::ListenerCertificate ElasticLoadBalancingV2::ListenerRule ElasticLoadBalancingV2::TargetGroup
    Events::Rule IAM::InstanceProfile IAM::ManagedPolicy IAM::Policy IAM::Role Lambda::Function Lambda::Permission
    Logs::LogGroup Logs::MetricFilter Logs::QueryDefinition Logs::ResourcePolicy RDS::DBParameterGroup
    RDS::DBSubnetGroup Route53::RecordSet Route53::RecordSetGroup S3::BucketPolicy Scheduler::Schedule
    Scheduler::ScheduleGroup SNS::Subscription SNS::Topic SNS::TopicPolicy SSM::Parameter
    SecretsManager::SecretTargetAttachment
    """.split()
)
