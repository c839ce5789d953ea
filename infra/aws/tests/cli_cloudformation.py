"""CloudFormation for tests of trestle-aws, at boto3's boundary: moto's change sets make nothing.

Calls are checked by botocore's own service model, templates are evaluated as CloudFormation does, and what the commands
work with (buckets,
groups, instances, the database, parameters) is made in moto. All else only has a name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from engine.deploy import MAKERS, Deployment, Made

from trestle_aws import schema
from trestle_aws.template import ParameterError, Resource, RuleError, Stack, Template, TemplateError
from trestle_aws.values import GetAtt, SsmParameter, Symbol, Value, bind

Call = dict[str, Any]
MADE = frozenset(
    f"AWS::{name}"
    for name in [
        "Route53::HostedZone",
        "S3::Bucket",
        "EC2::VPC",
        "EC2::Subnet",
        "EC2::SecurityGroup",
        "EC2::LaunchTemplate",
        "EC2::Instance",
        "EC2::EIP",
        "AutoScaling::AutoScalingGroup",
        "ElasticLoadBalancingV2::LoadBalancer",
        "ElasticLoadBalancingV2::TargetGroup",
        "ElastiCache::SubnetGroup",
        "ElastiCache::ReplicationGroup",
        "RDS::DBSubnetGroup",
        "RDS::DBInstance",
        "SSM::Parameter",
        "SecretsManager::Secret",
    ]
)
# Changes with its launch template's version, which is no property of its own.
GROUP = "AWS::AutoScaling::AutoScalingGroup"


class Account(Deployment):
    """What is made in moto; names are those of their stacks, so that environments do not meet."""

    prefix = ""

    def name(self, resource: Resource, longest: int = 32) -> str:
        return f"{self.prefix}{resource.stack}-{resource.id}"[:longest].strip("-")

    def binding(self, symbol: Symbol) -> Value:
        if isinstance(symbol, SsmParameter):
            return super().binding(symbol)
        if isinstance(symbol, GetAtt):
            found = self.made[symbol.stack, symbol.id].attributes.get(symbol.attribute)
            return f"{self.made[symbol.stack, symbol.id].id}.{symbol.attribute}" if found is None else found
        return super().binding(symbol)

    def _parameter(self, path: str) -> str:
        # One of moto's images; to ask for all of them takes seconds.
        return "ami-12c6146b" if "/latest/" in path else super()._parameter(path)

    def make(self, resource: Resource) -> None:
        name = f"{self.prefix}{resource.stack}-{resource.id}"
        made = Made(name)
        if resource.type in MADE:
            properties = schema.typed(resource.type, resource.properties)
            for group in ("DBParameterGroupName", "CacheParameterGroupName"):
                properties.pop(group, None)
            made = MAKERS[resource.type](self, resource, self.resolved(bind(properties, self.binding)))  # type: ignore[arg-type]
        if resource.type == "AWS::CertificateManager::Certificate":
            made = Made(f"arn:aws:acm:{self.region}:123456789012:certificate/00000000-0000-0000-0000-00000000000a")
        if resource.type == "AWS::Route53::HostedZone":
            # moto's ids lack the letter that all real ones begin with.
            made.id = f"Z{made.id}"
        if resource.type == "AWS::CloudFront::Distribution":
            made = Made("E1234567890", {"DomainName": "d111111abcdef8.cloudfront.net"})
        self.made[resource.stack, resource.id] = made
        self.resources[resource.stack, resource.id] = resource


@dataclass
class Entry:
    """A stack."""

    key: str
    name: str
    id: str
    region: str
    status: str = "REVIEW_IN_PROGRESS"
    stack: Stack | None = None
    given: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    tags: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    events: list[Call] = field(default_factory=list)
    busy: int = 0
    """So many looks still see it in progress."""
    then: str = ""
    protected: bool = False


@dataclass
class ChangeSet:
    id: str
    entry: Entry
    kind: str
    stack: Stack
    given: dict[str, str]
    hidden: set[str]
    tags: list[dict[str, str]]
    status: str
    reason: str
    changes: list[Call]


class CloudFormation:
    """All of it. `history` is what was carried out: (`create`, `network`)."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self.gone: dict[str, Entry] = {}
        self.sets: dict[str, ChangeSet] = {}
        self.history: list[tuple[str, str]] = []
        self.accounts: dict[tuple[str, str], Account] = {}
        self.failing: dict[tuple[str, str], str] = {}
        """Reasons by stack's key and logical id: the next change of the stack fails there."""
        self.replacing: dict[tuple[str, str], str] = {}
        """`True` or `Conditional` by key and logical id: what change sets say of a modification."""
        self.slow = 1
        self.on_change: Callable[[str], None] = lambda key: None
        self._numbers = itertools.count(1)

    def __call__(self, client: Any, operation: str, parameters: Call) -> Call:
        model = client.meta.service_model.operation_model(operation)
        if model.input_shape:
            validate_parameters(parameters, model.input_shape)
        return getattr(self, operation)(client.meta.region_name, **parameters)

    # --- What trestle-aws calls
    # -------------------------------------------------------------------------------------------

    def DescribeStacks(self, region: str, StackName: str) -> Call:
        entry = self._find(region, StackName)
        self._pass(entry)
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in entry.outputs.items()]
        given = [
            {"ParameterKey": key, "ParameterValue": "****" if key in entry.hidden else value}
            for key, value in entry.given.items()
        ]
        found = {"StackName": entry.name, "StackId": entry.id, "StackStatus": entry.status, "Tags": entry.tags}
        return {
            "Stacks": [
                found | {"Parameters": given, "Outputs": outputs, "EnableTerminationProtection": entry.protected}
            ]
        }

    def DescribeStackEvents(self, region: str, StackName: str) -> Call:
        return {"StackEvents": list(reversed(self._find(region, StackName).events))}

    def ListStackResources(self, region: str, StackName: str) -> Call:
        entry = self._find(region, StackName)
        account = self._account(region, entry)
        rows = []
        for resource in entry.stack.resources.values() if entry.stack else []:
            physical = (
                account.made[resource.stack, resource.id].id if (resource.stack, resource.id) in account.made else ""
            )
            row = {"LogicalResourceId": resource.id, "ResourceType": resource.type, "ResourceStatus": "CREATE_COMPLETE"}
            rows.append(row | {"PhysicalResourceId": physical})
        return {"StackResourceSummaries": rows}

    def ListExports(self, region: str) -> Call:
        entries = [entry for (where, _), entry in self.entries.items() if where == region]
        return {
            "Exports": [{"Name": name, "Value": value} for entry in entries for name, value in entry.exports.items()]
        }

    def CreateChangeSet(
        self, region: str, StackName: str, ChangeSetType: str, Parameters: list[Call], Tags: list[Call], **more: Any
    ) -> Call:
        entry = self.entries.get((region, StackName))
        if ChangeSetType == "CREATE":
            if entry and entry.status != "REVIEW_IN_PROGRESS":
                raise _error(
                    "CreateChangeSet",
                    "ValidationError",
                    f"Stack {StackName} already exists and cannot be created again",
                )
            entry = entry or self._new(region, StackName)
        elif entry is None or not entry.status.endswith("_COMPLETE") or entry.status == "ROLLBACK_COMPLETE":
            status = entry.status if entry else "missing"
            raise _error(
                "CreateChangeSet", "ValidationError", f"Stack:{StackName} is in {status} state and can not be updated."
            )
        assert entry is not None
        change_set = self._evaluated(region, entry, ChangeSetType, Parameters, Tags, _body(region, more))
        self.sets[change_set.id] = change_set
        return {"Id": change_set.id, "StackId": entry.id}

    def DescribeChangeSet(self, region: str, ChangeSetName: str) -> Call:
        found = self.sets[ChangeSetName]
        return {
            "Status": found.status,
            "StatusReason": found.reason,
            "Changes": found.changes,
            "ChangeSetName": ChangeSetName,
        }

    def DeleteChangeSet(self, region: str, ChangeSetName: str) -> Call:
        del self.sets[ChangeSetName]
        return {}

    def ExecuteChangeSet(self, region: str, ChangeSetName: str) -> Call:
        change_set = self.sets.pop(ChangeSetName)
        entry, word = change_set.entry, change_set.kind
        self.history.append((word.lower(), entry.key))
        self.on_change(entry.key)
        entry.busy, entry.status = self.slow, f"{word}_IN_PROGRESS"
        failing = next((it for it in self.failing if it[0] == entry.key), None)
        if failing is None:
            self._carry_out(region, change_set)
            entry.then = f"{word}_COMPLETE"
            return {}
        reason = self.failing.pop(failing)
        # Events of one moment come in any order.
        other = next(it for it in change_set.stack.resources.values() if it.id != failing[1])
        self._event(entry, other.id, other.type, f"{word}_FAILED", "Resource creation cancelled")
        self._event(entry, failing[1], change_set.stack.resources[failing[1]].type, f"{word}_FAILED", reason)
        self._event(
            entry,
            entry.name,
            "AWS::CloudFormation::Stack",
            "ROLLBACK_IN_PROGRESS",
            f"The following resource(s) failed: [{failing[1]}]",
        )
        if word == "CREATE":
            entry.tags = change_set.tags
        entry.then = "ROLLBACK_COMPLETE" if word == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
        return {}

    def ContinueUpdateRollback(self, region: str, StackName: str) -> Call:
        entry = self._find(region, StackName)
        self.history.append(("continue", entry.key))
        entry.busy, entry.status, entry.then = 1, "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"
        return {}

    def DeleteStack(self, region: str, StackName: str) -> Call:
        entry = self._find(region, StackName)
        used = [
            e.key for e in self.entries.values() if e is not entry and e.stack and e.stack.imported & set(entry.exports)
        ]
        self.history.append(("delete", entry.key))
        entry.busy, entry.status, entry.then = self.slow, "DELETE_IN_PROGRESS", "DELETE_COMPLETE"
        if used:
            reason = f"Export {min(entry.exports)} cannot be deleted as it is in use by {', '.join(used)}"
            self._event(entry, entry.name, "AWS::CloudFormation::Stack", "DELETE_FAILED", reason)
            entry.then = "DELETE_FAILED"
        elif entry.stack and not self._remove(region, entry):
            entry.then = "DELETE_FAILED"
        return {}

    # --- How
    # ------------------------------------------------------------------------------------------------------------

    def _new(self, region: str, name: str) -> Entry:
        key = name.split("-", 2)[2]
        entry = Entry(
            key, name, f"arn:aws:cloudformation:{region}:123456789012:stack/{name}/{next(self._numbers)}", region
        )
        self.entries[region, name] = entry
        return entry

    def _find(self, region: str, name: str) -> Entry:
        for (where, named), entry in self.entries.items():
            if where == region and name in (named, entry.id):
                return entry
        if name in self.gone:
            return self.gone[name]
        raise _error("DescribeStacks", "ValidationError", f"Stack with id {name} does not exist")

    def _pass(self, entry: Entry) -> None:
        """Time passes by being looked at."""
        if not entry.then:
            return
        if entry.busy:
            entry.busy -= 1
            return
        entry.status, entry.then = entry.then, ""
        if entry.status == "DELETE_COMPLETE":
            self.entries.pop((entry.region, entry.name), None)
            self.gone[entry.id] = entry

    def _account(self, region: str, entry: Entry) -> Account:
        prefix = entry.name.removesuffix(entry.key)
        if (region, prefix) not in self.accounts:
            self.accounts[region, prefix] = Account(region)
            self.accounts[region, prefix].prefix = prefix
        return self.accounts[region, prefix]

    def _evaluated(
        self, region: str, entry: Entry, kind: str, parameters: list[Call], tags: list[Call], body: str
    ) -> ChangeSet:
        template = _parsed(body)
        given = {}
        for parameter in parameters:
            name = parameter["ParameterKey"]
            given[name] = entry.given[name] if parameter.get("UsePreviousValue") else parameter["ParameterValue"]
        imports: dict[str, Value] = {
            name: value for e in self.entries.values() if e.region == region for name, value in e.exports.items()
        }
        try:
            stack = template.evaluate(given, region=region, imports=imports, key=entry.key)
        except (ParameterError, RuleError, TemplateError) as error:
            raise _error("CreateChangeSet", "ValidationError", str(error)) from error
        changes = self._changes(entry, stack)
        everything = {
            name: str(definition.get("Default", "")) for name, definition in template.parameters.items()
        } | given
        same = kind == "UPDATE" and not changes and entry.given == everything
        status, reason = (
            ("FAILED", "The submitted information didn't contain changes.") if same else ("CREATE_COMPLETE", "")
        )
        hidden = {name for name, definition in template.parameters.items() if definition.get("NoEcho")}
        id_ = f"arn:aws:cloudformation:{region}:123456789012:changeSet/c/{next(self._numbers)}"
        return ChangeSet(id_, entry, kind, stack, everything, hidden, tags, status, reason, changes)

    def _changes(self, entry: Entry, stack: Stack) -> list[Call]:
        before = entry.stack.resources if entry.stack else {}
        rows = []
        for id_ in [*stack.resources, *(it for it in before if it not in stack.resources)]:
            now, was = stack.resources.get(id_), before.get(id_)
            action = "Add" if was is None else "Remove" if now is None else "Modify"
            if now is not None and was is not None and now.properties == was.properties:
                continue
            resource = now or was
            assert resource is not None
            row = {"Action": action, "LogicalResourceId": id_, "ResourceType": resource.type, "Details": []}
            if action == "Modify":
                assert now is not None and was is not None
                changed = [
                    name
                    for name in now.properties | was.properties
                    if now.properties.get(name) != was.properties.get(name)
                ]
                row["Details"] = [{"Target": {"Attribute": "Properties", "Name": name}} for name in changed]
                row["Replacement"] = self.replacing.get((entry.key, id_), "False")
            rows.append({"Type": "Resource", "ResourceChange": row})
        return rows

    def _carry_out(self, region: str, change_set: ChangeSet) -> None:
        entry, stack = change_set.entry, change_set.stack
        account = self._account(region, entry)
        before = entry.stack.resources if entry.stack else {}
        for resource in stack.in_order():
            was = before.get(resource.id)
            if was is None:
                account.make(resource)
            elif was.properties != resource.properties or resource.type == GROUP:
                self._update(account, resource)
            self._event(entry, resource.id, resource.type, f"{change_set.kind}_COMPLETE", "")
        entry.stack, entry.given, entry.hidden = stack, change_set.given, change_set.hidden
        entry.tags = change_set.tags
        bound = {name: str(bind(value, account.binding)) for name, value in stack.outputs.items()}
        entry.outputs = bound
        entry.exports = {name: str(bind(value, account.binding)) for name, value in stack.exports.items()}

    def _update(self, account: Account, resource: Resource) -> None:
        """Of what a change is looked at by the commands."""
        properties = account.resolved(bind(schema.typed(resource.type, resource.properties), account.binding))
        assert isinstance(properties, dict)
        physical = account.made[resource.stack, resource.id].id
        if resource.type == GROUP:
            account.client("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=physical,
                MinSize=int(str(properties["MinSize"])),
                MaxSize=int(str(properties["MaxSize"])),
                LaunchTemplate=properties["LaunchTemplate"],
            )
        if resource.type == "AWS::SSM::Parameter":
            account.client("ssm").put_parameter(
                Name=properties["Name"], Value=properties["Value"], Type="String", Overwrite=True
            )
        if resource.type == "AWS::EC2::LaunchTemplate":
            given = {"LaunchTemplateId": physical, "LaunchTemplateData": properties["LaunchTemplateData"]}
            version = account.fitted("ec2", "create_launch_template_version", given)["LaunchTemplateVersion"][
                "VersionNumber"
            ]
            account.made[resource.stack, resource.id].attributes["LatestVersionNumber"] = str(version)

    def _remove(self, region: str, entry: Entry) -> bool:
        account = self._account(region, entry)
        assert entry.stack is not None
        for resource in reversed(entry.stack.in_order()):
            physical = account.made[resource.stack, resource.id].id
            try:
                _delete(account, resource, physical, entry.tags)
            except ClientError as error:
                self._event(entry, resource.id, resource.type, "DELETE_FAILED", str(error))
                return False
            self._event(entry, resource.id, resource.type, "DELETE_COMPLETE", "")
        return True

    def _event(self, entry: Entry, id_: str, type_: str, status: str, reason: str) -> None:
        event = {
            "EventId": f"e{next(self._numbers)}",
            "LogicalResourceId": id_,
            "ResourceType": type_,
            "ResourceStatus": status,
        }
        entry.events.append(event | {"ResourceStatusReason": reason, "StackName": entry.name})


def _delete(account: Account, resource: Resource, physical: str, tags: list[Call]) -> None:
    if resource.type == "AWS::S3::Bucket":
        account.client("s3").delete_bucket(Bucket=physical)
    if resource.type == "AWS::EC2::Instance":
        account.client("ec2").terminate_instances(InstanceIds=[physical])
    if resource.type == "AWS::EC2::LaunchTemplate":
        account.client("ec2").delete_launch_template(LaunchTemplateId=physical)
    if resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
        account.client("elbv2").delete_load_balancer(LoadBalancerArn=physical)
    if resource.type == "AWS::ElasticLoadBalancingV2::TargetGroup":
        account.client("elbv2").delete_target_group(TargetGroupArn=physical)
    if resource.type == "AWS::EC2::EIP":
        for address in account.client("ec2").describe_addresses(PublicIps=[physical])["Addresses"]:
            account.client("ec2").release_address(AllocationId=address["AllocationId"])
    if resource.type == GROUP:
        account.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=physical, ForceDelete=True)
    if resource.type == "AWS::SSM::Parameter":
        account.client("ssm").delete_parameter(Name=physical)
    if resource.type == "AWS::RDS::DBInstance":
        # DeletionPolicy: Snapshot.
        rds = account.client("rds")
        rds.create_db_snapshot(DBSnapshotIdentifier=f"{physical}-final", DBInstanceIdentifier=physical, Tags=tags)
        rds.delete_db_instance(DBInstanceIdentifier=physical, SkipFinalSnapshot=True)


def _error(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@cache
def _parsed(body: str) -> Template:
    return Template.parse(body)


def _body(region: str, given: Call) -> str:
    """The template, which CloudFormation reads from S3 when it is long. In a call it may have 51,200 bytes."""
    if "TemplateURL" not in given:
        assert len(given["TemplateBody"].encode()) <= 51_200
        return str(given["TemplateBody"])
    host, _, key = given["TemplateURL"].removeprefix("https://").partition("/")
    bucket = host.removesuffix(f".s3.{region}.amazonaws.com")
    return str(boto3.client("s3", region_name=region).get_object(Bucket=bucket, Key=key)["Body"].read().decode())
