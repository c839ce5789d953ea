"""The CloudWatch metrics that Trestle looks at, as AWS documents them: which exist, and by which dimensions they can be asked for.

CloudWatch takes an alarm on a metric that does not exist, and the alarm then says nothing for ever. Sources, read in November 2026:
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCES = {
    "AWS/ApplicationELB": "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
    "AWS/NetworkELB": "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html",
    "AWS/EC2": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html",
    "AWS/AutoScaling": "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html",
    "AWS/RDS": "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html",
    "AWS/ElastiCache": "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html (host level: CacheMetrics.HostLevel.html)",
    "AWS/CloudFront": "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html",
    "AWS/Lambda": "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
}


@dataclass(frozen=True)
class Metric:
    """One metric: the sets of dimensions, each of which it is published under, and the statistics that mean something."""

    dimensions: tuple[frozenset[str], ...]
    statistics: frozenset[str]


def _of(*dimensions: str, statistics: str = "Average Minimum Maximum") -> Metric:
    return Metric(tuple(frozenset(one.split()) for one in dimensions), frozenset(statistics.split()))


_BALANCER = ("LoadBalancer", "LoadBalancer AvailabilityZone")
_TARGETS = ("LoadBalancer TargetGroup", "LoadBalancer TargetGroup AvailabilityZone")
_COUNT = "Sum"
_EC2 = ("InstanceId", "AutoScalingGroupName", "ImageId", "InstanceType")
_GROUP = ("AutoScalingGroupName",)
_DATABASE = ("DBInstanceIdentifier",)
_CACHE = ("CacheClusterId", "CacheClusterId CacheNodeId")
_FRONT = ("DistributionId Region",)

METRICS: dict[str, dict[str, Metric]] = {
    "AWS/ApplicationELB": {
        "RequestCount": _of(*_BALANCER, *_TARGETS, statistics=_COUNT),
        "RequestCountPerTarget": _of("TargetGroup", "LoadBalancer TargetGroup", statistics=_COUNT),
        "HTTPCode_Target_5XX_Count": _of(*_BALANCER, *_TARGETS, statistics=_COUNT),
        "HTTPCode_ELB_5XX_Count": _of(*_BALANCER, statistics=_COUNT),
        "TargetResponseTime": _of(*_BALANCER, *_TARGETS, statistics="Average Maximum p50 p90 p95 p99 p99.9"),
        "HealthyHostCount": _of(*_TARGETS),
        "UnHealthyHostCount": _of(*_TARGETS),
    },
    "AWS/NetworkELB": {"HealthyHostCount": _of(*_TARGETS), "UnHealthyHostCount": _of(*_TARGETS)},
    "AWS/EC2": {
        "CPUUtilization": _of(*_EC2),
        "CPUCreditBalance": _of(*_EC2),
        **{
            name: _of("InstanceId", "AutoScalingGroupName", statistics="Maximum Sum")
            for name in ("StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System")
        },
    },
    "AWS/AutoScaling": {
        name: _of(*_GROUP)
        for name in ("GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize")
    },
    "AWS/RDS": {
        name: _of(*_DATABASE)
        for name in (
            "CPUUtilization",
            "CPUCreditBalance",
            "DatabaseConnections",
            "DiskQueueDepth",
            "FreeStorageSpace",
            "FreeableMemory",
            "ReadIOPS",
            "WriteIOPS",
            "ReadLatency",
            "WriteLatency",
        )
    },
    "AWS/ElastiCache": {
        **{
            name: _of(*_CACHE)
            for name in ("CPUUtilization", "EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "CurrConnections")
        },
        **{name: _of(*_CACHE, statistics=_COUNT) for name in ("CacheHits", "CacheMisses", "Evictions")},
    },
    "AWS/CloudFront": {
        "Requests": _of(*_FRONT, statistics=_COUNT),
        "4xxErrorRate": _of(*_FRONT, statistics="Average"),
        "5xxErrorRate": _of(*_FRONT, statistics="Average"),
    },
    "AWS/Lambda": {"Errors": _of("FunctionName", "FunctionName Resource", statistics=_COUNT)},
}
