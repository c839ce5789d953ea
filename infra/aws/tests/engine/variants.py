"""The environments that the properties are looked at in: each preset as it is, and with each option that it can have."""

from __future__ import annotations

from engine.environment import Variant
from trestle_aws import presets

DOMAIN = "Domain=shop.example.com"
ACCESS = ("access.Bastion=yes", "access.OpenVpn=yes", "access.AdminCidr=198.51.100.0/24", "access.KeyPair=operators")

OPTIONS: dict[str, Variant] = {
    "production with a domain": Variant("production", (DOMAIN, "AlertEmail=alerts@example.com")),
    "demo with a domain": Variant("demo", (DOMAIN,)),
    "stage 3 with a domain": Variant("stage-3-second-instance", (DOMAIN,)),
    "stage 7 with a domain": Variant("stage-7-pictures-cdn", (DOMAIN,)),
    "stage 8 with a domain": Variant("stage-8-cdn", (DOMAIN,)),
    "stage 8 with a catalogue that may be 10 s old": Variant("stage-8-cdn", ("CacheCatalogSeconds=10",)),
    "endpoints instead of a NAT": Variant(
        "stage-5-auto-scaling", ("network.Nat=none", "network.Endpoints=yes", "network.FlowLogs=yes")
    ),
    "bastion and VPN": Variant("demo", ACCESS + ("app.KeyPair=operators",), ("access",)),
    "bastion and VPN by the internal load balancer": Variant("stage-4-load-balancers", ACCESS, ("access",)),
    "a single NAT gateway in chosen zones": Variant(
        "demo",
        ("network.Nat=single", "network.Zones=ap-northeast-2a,ap-northeast-2d", "security.AllowedFrom=192.0.2.0/24"),
    ),
    "a second VPC": Variant("demo", (), ("peering",)),
    "a second VPC in another region asks": Variant(
        "demo",
        (
            "peering.Side=requester",
            "peering.PeerRegion=ap-northeast-1",
            "peering.PeerVpcId=vpc-0123456789abcdef0",
            "peering.PeerAddress=10.30.0.14",
        ),
        ("peering",),
    ),
    "a second VPC in another region answers": Variant(
        "demo", ("peering.Side=accepter", "peering.PeeringConnectionId=pcx-0123456789abcdef0"), ("peering",)
    ),
    "a bastion alone": Variant("demo", ACCESS[:1] + ACCESS[2:], ("access",)),
    "a VPN alone": Variant("demo", ACCESS[1:3], ("access",)),
    "a second VPC beside three zones": Variant("production", ("peering.ZoneCount=3",), ("peering",)),
    "office hours": Variant("demo", ("schedule.OfficeHours=yes", "schedule.TimeZone=Asia/Seoul")),
    "office hours of single instances": Variant(
        "stage-3-second-instance",
        (
            "schedule.Tier=instances",
            "ops.Tier=instances",
            "ops.Instances=2",
            "ops.Edge=no",
            "schedule.OfficeHours=yes",
            "schedule.TimeZone=Asia/Seoul",
        ),
        ("schedule", "ops"),
    ),
    "alarms of one instance": Variant(
        "stage-1-single",
        ("ops.Tier=instances", "ops.Database=no", "ops.Cache=no", "AlertEmail=alerts@example.com"),
        ("ops",),
    ),
    "alarms by Slack and e-mail": Variant(
        "demo", ("AlertEmail=alerts@example.com", "SlackWebhook=https://hooks.slack.com/services/T0/B0/x"), ()
    ),
    "alarms of CloudFront": Variant("stage-7-pictures-cdn", ("ops.Edge=yes",), ("ops",), region="us-east-1"),
    "alarms by a secret that exists": Variant(
        "demo", ("SlackSecretArn=arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:slack-abcdef",), ()
    ),
    "a load generator": Variant("production", (), ("generator",)),
    "Redis with two replicas": Variant(
        "stage-5-auto-scaling",
        ("data.Cache=redis", "data.CacheNodes=3", "data.CacheFailover=yes", "ops.CacheNodes=3"),
        ("ops",),
    ),
    "its own Redis on one instance": Variant("stage-2-database", ("data.BackupDays=0", "instances.KeyPair=operators")),
    "arm64": Variant(
        "stage-4-load-balancers",
        (
            "app.Architecture=arm64",
            "app.WebInstanceType=t4g.small",
            "app.ApiInstanceType=c7g.medium",
            "job.Architecture=arm64",
            "job.InstanceType=t4g.small",
        ),
    ),
    "before the job has reported": Variant("stage-5-auto-scaling", ("app.DatabaseReady=no",)),
    "while single instances give way to groups": Variant(
        "stage-4-load-balancers",
        (
            "security.Tier=both",
            "network.PrivateInstances=both",
            "instances.Database=rds",
            "instances.Cache=elasticache",
        ),
        ("instances",),
    ),
    "pictures of another host": Variant("stage-7-pictures-cdn", ("PictureHosts=d111111abcdef8.cloudfront.net",)),
    "a zone that was there before": Variant("demo", (DOMAIN, "ExistingZoneId=Z0123456789ABC")),
    "no cache": Variant("demo", ("data.Cache=none", "ops.Cache=no")),
}


def all_variants() -> dict[str, Variant]:
    """By name; the presets first."""
    return {name: Variant(name) for name in presets.names()} | OPTIONS
