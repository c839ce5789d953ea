"""What the templates have to refuse: values out of bounds, and parameters that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.environment import GIVEN
from trestle_aws.template import ParameterError, RuleError, Template

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"

BAD: dict[str, list[str]] = {
    "AdminCidr": ["0.0.0.0/0", "10.0.0.0/8", "198.51.100.7", "x"],
    "AlertEmail": ["nobody", "a b@example.com"],
    "AllowedFrom": ["0.0.0.0", "300.1.1.1/8", "10.0.0.0/33", "::/0"],
    "ApiMax": ["0", "17", "-1"],
    "ApiMaxInstances": ["0", "17"],
    "ApiMin": ["0", "9"],
    "BackupDays": ["-1", "36", "x"],
    "CacheCatalogSeconds": ["-1", "31", "x"],
    "CacheNodes": ["0", "4"],
    "CertificateArn": ["x", "arn:aws:iam::123456789012:role/x"],
    "CloudFrontPort": ["8080", "22"],
    "CloudFrontPrefixList": ["x", "pl-"],
    "CpuTarget": ["19", "91"],
    "Currency": ["usd", "US", "DOLLAR"],
    "Customers": ["-1", "1000001"],
    "DatabaseClass": ["db.t2.micro", "db.m7g.16xlarge"],
    "DatabaseStorageGiB": ["5", "100000"],
    "DatabaseVersion": ["5.7", "8.0"],
    "DebianAmi": ["ami-0123456789abcdef0", "x"],
    "DebianAmiArm64": ["ami-0123456789abcdef0", "/aws/service/debian/release/13/latest/amd64"],
    "Distribution": ["x", "e2qwruhapomqzl"],
    "Domain": ["Shop.example.com", "example", "-a.example.com", "https://example.com", "a..com", "x y.com"],
    "Environment": ["", "Demo", "1demo", "a" * 17, "a_b", "a b"],
    "ErrorPercent": ["0", "51"],
    "ExistingZoneId": ["x", "/hostedzone/Z1"],
    "FreeStorageGiB": ["0", "101"],
    "HostedZoneId": ["x"],
    "KeyPair": ["x" * 256],
    "LatencySeconds": ["0", "11"],
    "LogDays": ["0", "2"],
    "LogRetentionDays": ["0", "2", "4000"],
    "NatInstanceType": ["m7g.16xlarge", "t3.nano"],
    "OldVersionDays": ["0", "366"],
    "PeerAddress": ["x"],
    "PeerCidr": ["10.30.0.0/8", "8.8.0.0/16", "10.30.1.0/16"],
    "PeerRegion": ["x", "Seoul"],
    "PeerVpcId": ["x"],
    "PeeringConnectionId": ["x"],
    "PictureHosts": ["https://x.example", "a  b", "A.example", "a,b"],
    "PoolSize": ["0", "4", "1000"],
    "Products": ["-1", "1000001"],
    "Project": ["", "Trestle", "1trestle", "a" * 17, "a_b"],
    "RefreshSurplus": ["0", "3"],
    "Release": ["", "../x", "a b", "a'b", "$(x)", "a" * 65],
    "ReleaseBucket": ["", "X", "a b", "a'b", "a/b", "a" * 64],
    "ReleaseSha256": ["", "x", "A" * 64, "a" * 63, "a" * 65],
    "ShopCidr": ["x", "10.0.0.0/8"],
    "SlackSecretArn": ["x", "arn:aws:iam::123456789012:role/x"],
    "SlackWebhook": [
        "http://hooks.slack.com/services/x",
        "https://example.com/services/x",
        "https://hooks.slack.com.example/services/x",
    ],
    "StartHour": ["3", "12"],
    "StopHour": ["11", "24"],
    "TimeZone": ["seoul", "KST", "Asia/Seoul; x", "+09:00"],
    "TrustedProxies": ["x", "10.0.0.0", "300.0.0.0/8"],
    "VolumeGiB": ["7", "501"],
    "VpcCidr": ["10.20.0.0/15", "10.20.0.0/21", "8.8.0.0/16", "10.20.1.0/16", "172.32.0.0/16", "x"],
    "WarmupSeconds": ["-1", "601"],
    "WebMax": ["0", "9", "17"],
    "WebMin": ["0", "5"],
    "ZoneCount": ["1", "4"],
    "Zones": ["x", "us-east-1"],
}
"""By parameter, in whatever stack: what is refused. A parameter with AllowedValues refuses "nonsense" besides."""

ARM, INTEL = {"Architecture": "arm64"}, {"Architecture": "x86_64"}

CONTRADICTIONS: list[tuple[str, dict[str, str], str]] = [
    ("network", {"Nat": "none"}, "Endpoints"),
    ("network", {"Nat": "none", "PrivateInstances": "both"}, "Endpoints"),
    ("network", {"PrivateInstances": "no"}, "Nat"),
    ("network", {"PrivateInstances": "no", "Nat": "per-zone"}, "Nat"),
    ("network", {"PrivateInstances": "no", "Nat": "none", "Endpoints": "yes"}, "Endpoints"),
    ("security", {"CloudFrontOnly": "yes"}, "CloudFrontPrefixList"),
    (
        "security",
        {"CloudFrontOnly": "yes", "CloudFrontPrefixList": "pl-3b927c52", "AllowedFrom": "192.0.2.0/24"},
        "AllowedFrom",
    ),
    ("security", {"CloudFrontOnly": "yes", "CloudFrontPrefixList": "pl-3b927c52", "Tier": "instances"}, "Tier"),
    ("security", {"CloudFrontPrefixList": "pl-3b927c52"}, "CloudFrontPrefixList"),
    ("access", {"Bastion": "yes", "AdminCidr": "192.0.2.0/24"}, "KeyPair"),
    ("access", {"Bastion": "yes", "KeyPair": "me"}, "AdminCidr"),
    ("access", {"OpenVpn": "yes"}, "AdminCidr"),
    ("access", {"AdminCidr": "192.0.2.0/24"}, "AdminCidr"),
    ("access", {"OpenVpn": "yes", "AdminCidr": "192.0.2.0/24", "KeyPair": "me"}, "KeyPair"),
    ("data", {"CacheFailover": "yes"}, "CacheNodes"),
    ("data", {"Cache": "none", "CacheNodes": "2"}, "CacheNodes"),
    ("data", {"Cache": "none", "CacheFailover": "yes", "CacheNodes": "2"}, "Cache"),
    ("data", {"DeletionProtection": "yes", "BackupDays": "0"}, "BackupDays"),
    ("data", {"PoolSize": "32"}, "PoolSize"),
    ("data", {"ApiMaxInstances": "6"}, "ApiMaxInstances"),
    ("data", {"ApiMaxInstances": "5", "RefreshSurplus": "2"}, "RefreshSurplus"),
    ("data", {"ApiMaxInstances": "3", "PoolSize": "16"}, "PoolSize"),
    ("data", {"ApiMaxInstances": "2", "PoolSize": "16", "RefreshSurplus": "2"}, "PoolSize"),
    ("data", {"DatabaseClass": "db.t4g.small", "ApiMaxInstances": "14"}, "ApiMaxInstances"),
    ("data", {"DatabaseClass": "db.t4g.small", "ApiMaxInstances": "13", "RefreshSurplus": "2"}, "ApiMaxInstances"),
    ("data", {"DatabaseClass": "db.t4g.small", "ApiMaxInstances": "7", "PoolSize": "16"}, "ApiMaxInstances"),
    ("data", {"DatabaseClass": "db.m7g.large", "ApiMaxInstances": "15", "PoolSize": "32"}, "ApiMaxInstances"),
    ("app", {"ApiMax": "6", "ApiMin": "2"}, "ApiMax"),
    ("app", {"ApiMax": "3", "PoolSize": "16"}, "ApiMax"),
    ("app", {"PoolSize": "32"}, "PoolSize"),
    ("app", {"DatabaseClass": "db.t4g.small", "ApiMax": "14"}, "ApiMax"),
    ("app", {"DatabaseClass": "db.t4g.small", "ApiMax": "7", "PoolSize": "16"}, "ApiMax"),
    ("app", {"DatabaseClass": "db.m7g.large", "ApiMax": "15", "PoolSize": "32"}, "ApiMax"),
    ("app", {"WebMin": "2", "WebMax": "1"}, "WebMin"),
    ("app", {"WebMin": "3", "WebMax": "2"}, "WebMin"),
    ("app", {"WebMin": "4", "WebMax": "3"}, "WebMin"),
    ("app", {"ApiMin": "2", "ApiMax": "1"}, "ApiMin"),
    ("app", {"ApiMin": "3", "ApiMax": "2"}, "ApiMin"),
    ("app", {"ApiMin": "4", "ApiMax": "3"}, "ApiMin"),
    ("app", {"ApiMin": "5", "ApiMax": "4"}, "ApiMin"),
    ("app", {"ApiMin": "6", "ApiMax": "5"}, "ApiMin"),
    ("app", {"ApiMin": "7", "ApiMax": "6", "DatabaseClass": "db.t4g.small"}, "ApiMin"),
    ("app", {"ApiMin": "8", "ApiMax": "7", "DatabaseClass": "db.t4g.small"}, "ApiMin"),
    ("app", {"AutoScaling": "no", "WebMax": "2"}, "ApiMin"),
    ("app", {"AutoScaling": "no", "ApiMax": "2"}, "WebMin"),
    ("app", ARM | {"ApiInstanceType": "t4g.small"}, "WebInstanceType"),
    ("app", ARM | {"WebInstanceType": "t4g.small"}, "ApiInstanceType"),
    ("app", INTEL | {"WebInstanceType": "c7g.large"}, "WebInstanceType"),
    ("app", INTEL | {"ApiInstanceType": "t4g.small"}, "ApiInstanceType"),
    ("app", {"CertificateArn": ARN}, "Domain"),
    ("app", {"CacheCatalogSeconds": "10"}, "BehindCloudFront"),
    ("app", {"BehindCloudFront": "yes", "Pictures": "s3"}, "Pictures"),
    ("job", ARM, "InstanceType"),
    ("job", INTEL | {"InstanceType": "t4g.small"}, "InstanceType"),
    ("job", {"Products": "0"}, "Customers"),
    ("generator", ARM, "InstanceType"),
    ("generator", INTEL | {"InstanceType": "c7g.large"}, "InstanceType"),
    ("instances", ARM, "InstanceType"),
    ("instances", INTEL | {"InstanceType": "t4g.small"}, "InstanceType"),
    ("instances", {"Count": "2", "Cache": "local"}, "Database"),
    ("instances", {"Count": "2", "Database": "rds"}, "Cache"),
    ("instances", {"Database": "local", "Cache": "elasticache"}, "Cache"),
    ("edge", {"Domain": "shop.example.com"}, "CertificateArn"),
    ("edge", {"CertificateArn": ARN}, "Domain"),
    ("edge", {"Mode": "pictures", "CacheCatalogSeconds": "10"}, "CacheCatalogSeconds"),
    ("records", {"Domain": "shop.example.com", "Target": "cloudfront", "Pictures": "yes"}, "Pictures"),
    (
        "ops",
        {
            "SlackWebhook": "https://hooks.slack.com/services/T0/B0/x",
            "SlackSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
        },
        "Slack",
    ),
    ("ops", {"Tier": "instances", "Database": "no"}, "Cache"),
    ("ops", {"Database": "no", "Cache": "no"}, "Database"),
    ("schedule", {"Database": "no"}, "Database"),
    ("assets", {"PublicRead": "yes", "Distribution": "E2QWRUHAPOMQZL"}, "Distribution"),
    ("peering", {"Side": "accepter", "ShopCidr": "10.30.0.0/16"}, "PeerCidr"),
    ("peering", {"ShopCidr": "10.21.0.0/16"}, "ShopCidr"),
    ("peering", {"PeeringConnectionId": "pcx-0123456789abcdef0"}, "PeeringConnectionId"),
    ("peering", {"Side": "requester"}, "PeerRegion"),
    ("peering", {"PeerRegion": "ap-northeast-1"}, "PeerRegion"),
]
"""By stack: parameters that do not go together, and a word that the message has to hold."""


def given(template: Template) -> dict[str, str]:
    """What the template needs at least."""
    values = GIVEN | {"Domain": "shop.example.com"}
    return {name: values[name] for name, definition in template.parameters.items() if "Default" not in definition}


def refusals(template: Template, values: Mapping[str, str]) -> ParameterError | RuleError | None:
    """What the template says to these values; None if it takes them."""
    try:
        template.evaluate({**given(template), **values})
    except (ParameterError, RuleError) as error:
        return error
    return None


def accepted(templates: Mapping[str, Template], only: str = "") -> Iterator[tuple[str, str]]:
    """Everything that should be refused and is not: (where, what)."""
    for stack, template in templates.items():
        if only and stack != only:
            continue
        for name, definition in template.parameters.items():
            bad = BAD.get(name, []) + (["nonsense"] if "AllowedValues" in definition else [])
            for value in bad:
                error = refusals(template, {name: value})
                if not isinstance(error, ParameterError) or error.name != name:
                    yield f"{stack}.{name}", f"takes {value!r}"
            bounded = {"AllowedValues", "AllowedPattern", "MinValue", "MaxLength"} & definition.keys()
            if not bad or not bounded:
                yield f"{stack}.{name}", "takes everything"
        for where, values, word in CONTRADICTIONS:
            if where == stack:
                error = refusals(template, values)
                if not isinstance(error, RuleError) or word not in str(error):
                    yield (
                        stack,
                        f"takes {values}" if error is None else f"refuses {values} by {error}, and names no {word}",
                    )
