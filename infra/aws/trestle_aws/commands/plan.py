"""`trestle-aws plan`: what a preset creates, what it costs a month, which quotas it may hit, and what else is to be
known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trestle_aws import advice, cost, presets, quotas
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.cost import Line, Reckoning
from trestle_aws.errors import DONE, UsageError
from trestle_aws.planning import ADDED_STACKS, EXAMPLE_RELEASE, Design, with_added
from trestle_aws.prices import Prices
from trestle_aws.progress import show, table
from trestle_aws.template import Stack

EXAMPLES = """\
trestle-aws plan demo
trestle-aws plan production --set Domain=shop.example.com --set ApiMax=6
trestle-aws plan stage-5-auto-scaling --resources     each resource by name
trestle-aws plan stage-5-auto-scaling --with schedule --set TimeZone=Asia/Seoul
trestle-aws plan demo --prices mine.yml               with another price table"""


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "plan",
        run,
        "Show what a preset creates and what it costs a month",
        EXAMPLES,
        description="Asks nobody: it needs no account. Prices are those of prices.yml, which you can edit.",
    )
    add_preset(parser)
    parser.add_argument("--prices", metavar="FILE", type=Path, help="the price table [default: prices.yml]")
    parser.add_argument("--resources", action="store_true", help="name each resource")


def add_preset(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The words for a preset and what is set beside it."""
    names = ", ".join(presets.names())
    parser.add_argument("preset", metavar="PRESET", nargs="?" if optional else None, help=f"one of {names}")
    parser.add_argument(
        "--set",
        metavar="[STACK.]PARAMETER=VALUE",
        action="append",
        default=[],
        dest="settings",
        help=(
            "a template's parameter, of one stack or of each that has it: Domain=shop.example.com, "
            "ops.AlertEmail=ada@example.com"
        ),
    )
    parser.add_argument(
        "--with",
        metavar="STACK",
        action="append",
        default=[],
        dest="added",
        help=f"a stack beside the preset's: {' or '.join(ADDED_STACKS)}",
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it; fails with 64 when a parameter is wrong or contradicts another."""
    prices = Prices.read(context.place.region, args.prices or context.root / "prices.yml")
    preset = with_added(presets.read(args.preset, context.root), args.added)
    design = Design.make(context.place, preset, presets.Settings.parse(args.settings), EXAMPLE_RELEASE, context.root)
    stacks = design.evaluate()
    reckoning = Reckoning(prices, set())
    lines = reckoning.stacks(stacks)
    if reckoning.unpriced:
        raise UsageError(f"no price is known for {', '.join(sorted(reckoning.unpriced))}: cost.py has to know them")
    parts = [_head(context, design), _created(stacks, full=args.resources), _costs(lines, prices, context)]
    parts += [_quotas(stacks, prices), _advice(advice.of(design, stacks, prices))]
    show("\n\n".join(part for part in parts if part))
    return DONE


def _head(context: Context, design: Design) -> str:
    place = context.place
    lines = [
        f"{design.preset.name}: {design.preset.description}",
        f"in {place.region}, as {place.project}-{place.environment}",
    ]
    return "\n".join(lines)


def _created(stacks: list[Stack], *, full: bool) -> str:
    rows: list[tuple[str, ...]] = [("STACK", "RESOURCES", "OF WHICH")]
    for stack in stacks:
        counts: dict[str, int] = {}
        for resource in stack.resources.values():
            counts[resource.type] = counts.get(resource.type, 0) + 1
        if full:
            rows += [(stack.name, resource.id, resource.type) for resource in stack.resources.values()]
            continue
        telling = [f"{number} {type_.split('::')[-1]}" for type_, number in counts.items() if type_ in TELLING]
        rows.append((stack.name, str(len(stack.resources)), ", ".join(telling)))
    if not full:
        rows.append(("", str(sum(len(stack.resources) for stack in stacks)), ""))
    return table(rows)


# The types by which people know a stack; the rest is counted.
TELLING = frozenset(
    f"AWS::{name}"
    for name in [
        "EC2::VPC",
        "EC2::Subnet",
        "EC2::NatGateway",
        "EC2::Instance",
        "EC2::EIP",
        "EC2::VPCEndpoint",
        "EC2::VPCPeeringConnection",
        "EC2::SecurityGroup",
        "EC2::LaunchTemplate",
        "IAM::Role",
        "RDS::DBInstance",
        "ElastiCache::ReplicationGroup",
        "SecretsManager::Secret",
        "AutoScaling::AutoScalingGroup",
        "ElasticLoadBalancingV2::LoadBalancer",
        "ElasticLoadBalancingV2::TargetGroup",
        "S3::Bucket",
        "CloudFront::Distribution",
        "Route53::HostedZone",
        "Route53::RecordSet",
        "CertificateManager::Certificate",
        "CloudWatch::Alarm",
        "CloudWatch::Dashboard",
        "SNS::Topic",
        "Lambda::Function",
        "AutoScaling::ScheduledAction",
        "Scheduler::Schedule",
    ]
)


def _costs(lines: list[Line], prices: Prices, context: Context) -> str:
    rows: list[tuple[str, ...]] = [("STACK", "WHAT", "NUMBER", "USD A MONTH")]
    for line in sorted(lines, key=lambda it: -it.month):
        rows.append((line.stack, line.what, f"{line.count:8g}", f"{line.month:11.2f}"))
    rows.append(("", "together, about", "", f"{cost.total(lines):11.2f}"))
    note = (
        ""
        if prices.knows(context.place.region)
        else f"\nPrices are those of us-east-1: {prices.where} has no region_factor of {context.place.region}."
    )
    return table(rows) + note


def _quotas(stacks: list[Stack], prices: Prices) -> str:
    near = [use for use in quotas.uses(stacks, prices) if use.is_near]
    lines = [
        f"  {use.quota}: {use.used:g} of {use.allowed:g}{', MORE THAN A NEW ACCOUNT HAS' if use.is_over else ''}"
        for use in near
    ]
    return (
        "\n".join(["Quotas of a new account that this may hit (Service Quotas raises them):", *lines]) if lines else ""
    )


def _advice(lines: list[str]) -> str:
    return "\n".join(["To be known:", *(f"- {line}" for line in lines)]) if lines else ""
