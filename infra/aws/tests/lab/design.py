"""What a preset's templates say to instances: parameters, roles, user-data. What only a deployment knows is the lab's."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property

from engine.environment import GIVEN, REGION, Environment, Variant, at, build
from engine.policy import Statement, allowed, statements

from lab.calls import Call
from trestle_aws.template import ACCOUNT
from trestle_aws.values import GetAtt, Ref, Symbol, Value, bind

DATABASE = f"shop.abcdefghijkl.{REGION}.rds.amazonaws.com"
CACHE = "master.shop.abcdef.apne2.cache.amazonaws.com"
BALANCER = f"internal-nlb-0123456789abcdef.elb.{REGION}.amazonaws.com"
# As the data stack names them; the last six letters are Secrets Manager's.
SECRETS = {"MasterSecret": "master", "AppSecret": "app", "KeysSecret": "keys", "CacheSecret": "cache"}
GROUPS = {"WebRole": ("WebGroup", "web"), "ApiRole": ("ApiGroup", "api")}


def secret_name(logical_id: str) -> str:
    """A secret's name."""
    return f"{GIVEN['Project']}-{GIVEN['Environment']}/{SECRETS[logical_id]}-0a1b2c3d"


def group_name(logical_id: str) -> str:
    """A group's name, as CloudFormation makes it of the stack's and the logical id."""
    return f"{GIVEN['Project']}-{GIVEN['Environment']}-app-{logical_id}-1A2B3C4D5E6F"


@dataclass
class Design:
    """A preset."""

    environment: Environment
    secrets: dict[str, str]
    """The secrets' ARNs by logical id."""
    sha256: str

    @classmethod
    def of(cls, variant: Variant, secrets: dict[str, str], sha256: str) -> Design:
        """Evaluated."""
        return cls(build(variant), secrets, sha256)

    def bound(self, symbol: Symbol) -> Value:
        """What a deployment would know."""
        match symbol:
            case Ref(stack="data", id=name) if name in SECRETS:
                return self.secrets[name]
            case Ref(stack="release", id="Bucket"):
                return GIVEN["ReleaseBucket"]
            case GetAtt(attribute="Endpoint.Address"):
                return DATABASE
            case GetAtt(attribute="Endpoint.Port"):
                return "3306"
            case GetAtt(attribute="PrimaryEndPoint.Address"):
                return CACHE
            case GetAtt(attribute="PrimaryEndPoint.Port"):
                return "6379"
            case GetAtt(attribute="DNSName", id="Nlb"):
                return BALANCER
        return f"unknown-{symbol}"

    def configuration(self) -> dict[str, str]:
        """The parameters that the stacks make."""
        found = {}
        for resource in self.environment.resources("AWS::SSM::Parameter"):
            name, value = (str(bind(resource.properties[key], self.bound)) for key in ("Name", "Value"))
            if "/config/" in name:
                found[name] = value
        return found

    def user_data(self, stack_key: str, template: str) -> str:
        """A launch template's own, with the checksum of the archive that there is."""
        stack = self.environment.stacks[stack_key]
        body = bind(at(stack.resources[template].properties, "LaunchTemplateData/UserData"), self.bound)
        text = base64.b64decode(str(body)).decode()
        assert GIVEN["ReleaseSha256"] in text
        return text.replace(GIVEN["ReleaseSha256"], self.sha256)

    @cached_property
    def roles(self) -> dict[str, list[Statement]]:
        """The statements of each role of the preset."""
        found = self.environment.resources("AWS::IAM::Role")
        return {
            role.id: statements(role.id, role.properties, self.bound)
            for role in found
            if role.stack in ("security", "ops")
        }

    def allows(self, role: str, call: Call) -> bool:
        """IAM's decision."""
        return allowed(self.roles[role], call.action, call.resource, self.context(call))

    def context(self, call: Call) -> dict[str, str]:
        """What IAM knows of the resource: a group's tags, which the group in the template has."""
        found = {"aws:SecureTransport": "true", "aws:RequestedRegion": REGION, "aws:PrincipalAccount": ACCOUNT}
        for logical_id, _ in GROUPS.values():
            if call.resource.endswith(f"autoScalingGroupName/{group_name(logical_id)}"):
                group = self.environment.stacks["app"].resources[logical_id]
                tags = [tag for tag in group.properties["Tags"] if isinstance(tag, dict)]  # type: ignore[union-attr]
                found |= {f"autoscaling:ResourceTag/{tag['Key']}": str(tag["Value"]) for tag in tags}
        return found
