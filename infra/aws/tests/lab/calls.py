"""Calls of AWS as IAM sees them: which action on which resource, read from the request as it is on the wire; and its signature."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SCOPE = re.compile(
    r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})"
)
TARGETS = {"AmazonSSM": "ssm", "secretsmanager": "secretsmanager", "Logs_20140328": "logs"}
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Wire:
    """A request as it came."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def scope(self) -> tuple[str, str, str, str, str]:
        """Key, region, service, signed headers, signature."""
        found = SCOPE.search(self.headers.get("authorization", ""))
        if found is None:
            raise ValueError(f"{self.method} {self.host}{self.path}: not signed")
        key, region, service, signed, signature = found.groups()
        return key, region, service, signed, signature


@dataclass(frozen=True)
class Call:
    """What IAM decides on."""

    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def call_of(wire: Wire) -> Call:
    """The action and its resource."""
    _, region, service, *_ = wire.scope()
    if service == "s3":
        bucket = wire.host.split(".s3.")[0]
        name = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject"}[wire.method]
        return Call(f"s3:{name}", f"arn:aws:s3:::{bucket}/{unquote(wire.path).lstrip('/')}")
    if "x-amz-target" in wire.headers:
        prefix, _, action = wire.headers["x-amz-target"].partition(".")
        return Call(f"{TARGETS[prefix]}:{action}", _resource(service, region, json.loads(wire.body)))
    form = {name: values[0] for name, values in parse_qs(wire.body.decode()).items()}
    return Call(f"{service}:{form['Action']}", _resource(service, region, form))


def _resource(service: str, region: str, asked: Mapping[str, str]) -> str:
    """As the service authorization reference names it."""
    prefix = f"arn:aws:{service}:{region}:{ACCOUNT}:"
    if service == "ssm":
        return f"{prefix}parameter/{(asked.get('Path') or asked['Name']).strip('/')}"
    if service == "secretsmanager":
        return asked["SecretId"]
    if service == "logs":
        return f"{prefix}log-group:{asked['logGroupName']}:log-stream:{asked['logStreamName']}"
    if service == "autoscaling":
        return f"{prefix}autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/{asked['AutoScalingGroupName']}"
    raise ValueError(f"no rule for the resources of {service}")


def is_signed_by(wire: Wire, secret: str) -> bool:
    """Whether the signature is what AWS computes of the request and the secret."""
    key, region, service, signed, signature = wire.scope()
    url = f"https://{wire.host}{wire.path}" + (f"?{wire.query}" if wire.query else "")
    headers = {name: wire.headers[name] for name in signed.split(";") if name in wire.headers}
    request = AWSRequest(wire.method, url, headers=headers, data=wire.body)
    request.context["timestamp"] = wire.headers["x-amz-date"]
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, secret), service, region)
    if service == "s3":
        request.context["payload_signing_enabled"] = True
    canonical = signer.canonical_request(request)
    return signer.signature(signer.string_to_sign(request, canonical), request) == signature
