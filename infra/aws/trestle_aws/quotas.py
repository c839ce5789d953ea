"""Quotas of an account that a preset may hit, counted from its evaluated stacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from trestle_aws import cost
from trestle_aws.prices import Prices
from trestle_aws.template import Stack
from trestle_aws.values import GetAtt, Ref, Value

NEAR = 0.6


@dataclass(frozen=True)
class Use:
    """What a preset takes of a quota."""

    quota: str
    used: float
    allowed: float

    @property
    def is_near(self) -> bool:
        """Whether it is worth a word: somebody else in the account may use some too."""
        return self.used >= NEAR * self.allowed

    @property
    def is_over(self) -> bool:
        """Whether a new account refuses."""
        return self.used > self.allowed


def uses(stacks: list[Stack], prices: Prices) -> list[Use]:
    """All quotas that are counted."""
    counts: dict[str, Callable[[], float]] = {
        "elastic_ip_addresses": lambda: _number(stacks, "AWS::EC2::EIP"),
        "vpcs": lambda: _number(stacks, "AWS::EC2::VPC"),
        "internet_gateways": lambda: _number(stacks, "AWS::EC2::InternetGateway"),
        "nat_gateways_in_a_zone": lambda: min(_number(stacks, "AWS::EC2::NatGateway"), 1),
        "on_demand_vcpus": lambda: vcpus(stacks, prices),
        "interface_endpoints_in_a_vpc": lambda: _interface_endpoints(stacks),
        "load_balancers": lambda: _number(stacks, "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        "database_instances": lambda: _number(stacks, "AWS::RDS::DBInstance"),
        "rules_in_a_security_group": lambda: _most_rules(stacks, prices),
    }
    return [Use(name.replace("_", " "), count(), prices.plain("quotas", name)) for name, count in counts.items()]


def vcpus(stacks: list[Stack], prices: Prices) -> float:
    """Of all instances, when each group has grown to its maximum."""
    total = 0.0
    for stack in stacks:
        for resource in stack.of_type("AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup"):
            type_, _, _, most = cost.machines(stack, resource)
            if most:
                total += most * prices.plain("instances", type_, "vcpu")
    return total


def _number(stacks: list[Stack], type_: str) -> int:
    return sum(len(stack.of_type(type_)) for stack in stacks)


def _interface_endpoints(stacks: list[Stack]) -> int:
    endpoints = [resource for stack in stacks for resource in stack.of_type("AWS::EC2::VPCEndpoint")]
    return sum(resource.properties.get("VpcEndpointType") == "Interface" for resource in endpoints)


def _most_rules(stacks: list[Stack], prices: Prices) -> int:
    """Rules of the fullest security group, in one direction."""
    weight = int(prices.plain("rules_of_cloudfronts_prefix_list"))
    rules: Counter[tuple[str, str, str]] = Counter()
    for stack in stacks:
        for direction in ("Ingress", "Egress"):
            for group in stack.of_type("AWS::EC2::SecurityGroup"):
                inline = group.properties.get(f"SecurityGroup{direction}")
                for rule in inline if isinstance(inline, list) else []:
                    rules[group.stack, group.id, direction] += _weight(rule, weight)
            for resource in stack.of_type(f"AWS::EC2::SecurityGroup{direction}"):
                group_id = resource.properties.get("GroupId")
                if isinstance(group_id, (Ref, GetAtt)):
                    rules[group_id.stack, group_id.id, direction] += _weight(resource.properties, weight)
    return max(rules.values(), default=0)


def _weight(rule: Value, of_list: int) -> int:
    """How many rules one counts as. A prefix list that rules name as their source is CloudFront's."""
    return of_list if isinstance(rule, dict) and "SourcePrefixListId" in rule else 1
