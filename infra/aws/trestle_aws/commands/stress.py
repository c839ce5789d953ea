"""`trestle-aws stress`: CPU burned on an instance, as in the classic exercise of auto scaling."""

from __future__ import annotations

import argparse

from trestle_aws import fleet, instance
from trestle_aws.arguments import Commands, command, count
from trestle_aws.context import Context
from trestle_aws.errors import DONE, UsageError

EXAMPLES = """\
trestle-aws stress api-1                   for 60 s
trestle-aws stress api-1 --seconds 600     long enough for target tracking: it looks at minutes"""
LONGEST_SECONDS = 3600


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "stress",
        run,
        "Burn CPU on an instance (trestle-api burn) to see what follows",
        EXAMPLES,
        description="Returns at once. It burns on all cores, and ends after the time or with the instance.",
    )
    parser.add_argument("name", metavar="NAME", help="a replica: api-1")
    parser.add_argument(
        "--seconds", metavar="S", type=count(1, LONGEST_SECONDS), default=60, help="for how long [default: 60]"
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    member = fleet.look(context).find(args.name)
    if not member.name.startswith("api-"):
        raise UsageError(f"NAME {member.name!r}: CPU is burned where a replica of the API runs, as api-1")
    context.remote.check(member.id, instance.burn(args.seconds))
    context.say(f"{member.name}: burning CPU for {args.seconds} s")
    return DONE
