"""`trestle-aws status`: what runs, where, and in which state."""

from __future__ import annotations

import argparse
import json

from trestle_aws import fleet, hold
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.errors import DONE
from trestle_aws.fleet import Fleet
from trestle_aws.progress import show, table

EXAMPLES = """\
trestle-aws status
trestle-aws status --json      for programs: the same fields as `trestle status --json`"""


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(commands, "status", run, "Show each instance, the database, the cache, and the address", EXAMPLES)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it; fails where nothing is deployed."""
    now = fleet.look(context, with_cpu=True)
    if args.json:
        show(json.dumps(now.to_json(), indent=2))
        return DONE
    show(_page(context, now))
    return DONE


def _page(context: Context, now: Fleet) -> str:
    rows: list[tuple[str, ...]] = [("PART", "STATE", "ADDRESS", "CPU", "TYPE", "ZONE", "ID")]
    for member in now.members:
        cpu = "-" if member.cpu is None else f"{member.cpu:.0%}"
        rows.append((member.name, member.state, member.address, cpu, member.type, member.zone, member.id))
    lines = [table(rows), ""]
    for tier, group in now.groups.items():
        lines.append(f"{tier}: {group.desired} wanted, {group.minimum} to {group.maximum}")
    record = context.notes.deployed()
    if record:
        lines.append(f"preset {record.preset}, release {record.release}, since {record.at}")
    if hold.is_held(context):
        lines.append("the API group is held; `trestle-aws scale --release` ends that")
    lines.append(f"shop: {now.url}")
    return "\n".join(lines)
