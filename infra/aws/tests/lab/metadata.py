"""EC2's instance metadata service, version 2 alone: a token for each question, answers by the asker's address."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.vpc import METADATA, Vpc


@dataclass
class Instance:
    """What the service says of a machine."""

    id: str
    role: str
    """The name of its IAM role."""
    user_data: str
    group: str | None = None
    lifecycle: str = "InService"
    type: str = "t3.small"
    zone: str = "ap-northeast-2a"
    region: str = "ap-northeast-2"
    account: str = "123456789012"
    key: str = ""
    secret: str = field(default_factory=lambda: secrets.token_hex(20))
    session: str = field(default_factory=lambda: secrets.token_hex(40))

    def __post_init__(self) -> None:
        self.key = self.key or f"ASIA{secrets.token_hex(8).upper()}"

    def credentials(self) -> dict[str, str]:
        """Of its role, for six hours."""
        now = datetime.now(UTC)
        times = {
            name: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, moment in (("LastUpdated", now), ("Expiration", now + timedelta(hours=6)))
        }
        own = {"AccessKeyId": self.key, "SecretAccessKey": self.secret, "Token": self.session}
        return {"Code": "Success", "Type": "AWS-HMAC", **own, **times}

    def answer(self, path: str) -> str | None:
        """To a question; None is 404."""
        if path == f"meta-data/iam/security-credentials/{self.role}":
            return json.dumps(self.credentials(), indent=2)
        if path == "dynamic/instance-identity/document":
            about = {
                "instanceId": self.id,
                "instanceType": self.type,
                "availabilityZone": self.zone,
                "region": self.region,
            }
            return json.dumps({**about, "accountId": self.account})
        return {
            "user-data": self.user_data,
            "meta-data/instance-id": self.id,
            "meta-data/instance-type": self.type,
            "meta-data/placement/availability-zone": self.zone,
            "meta-data/iam/security-credentials/": self.role,
            "meta-data/autoscaling/target-lifecycle-state": self.lifecycle,
            "meta-data/tags/instance/aws:autoscaling:groupName": self.group,
        }.get(path)


class Metadata:
    """The service of a network."""

    def __init__(self, vpc: Vpc) -> None:
        self.instances: dict[str, Instance] = {}
        """By address."""
        service = self
        tokens: set[str] = set()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
                if self.path != "/latest/api/token" or not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
                    return self._say(400, "")
                if self.headers.get("X-Forwarded-For"):
                    return self._say(403, "")
                token = secrets.token_urlsafe(24)
                tokens.add(token)
                self._say(200, token)

            def do_GET(self) -> None:
                instance = service.instances.get(self.client_address[0])
                if self.headers.get("X-aws-ec2-metadata-token") not in tokens:
                    return self._say(401, "")
                answer = instance.answer(self.path.removeprefix("/latest/")) if instance else None
                self._say(200 if answer is not None else 404, answer or "")

            def _say(self, status: int, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = vpc.inside(lambda: ThreadingHTTPServer((METADATA, 80), Handler))
        server.daemon_threads = True
        vpc.thread(server.serve_forever)
