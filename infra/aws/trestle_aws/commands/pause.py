"""`trestle-aws pause` and `resume`: a replica that keeps its connections and answers nothing."""

from __future__ import annotations

import argparse

from trestle_aws import fleet, instance
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.errors import DONE, UsageError

EXAMPLES = """\
trestle-aws pause api-1        SIGSTOP; the load balancer finds it unhealthy, and its group replaces it if it stays so
trestle-aws resume api-1"""
SIGNALS = {"pause": "STOP", "resume": "CONT"}


def add(commands: Commands) -> None:
    """The words of both."""
    for word, summary in (("pause", "Freeze the API's process on instances"), ("resume", "Let frozen processes go on")):
        parser = command(commands, word, run, summary, EXAMPLES)
        parser.add_argument("names", metavar="NAME", nargs="+", help="a replica: api-1")


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it, when all names are replicas."""
    now = fleet.look(context)
    members = [now.find(name) for name in args.names]
    for member in members:
        if not member.name.startswith("api-"):
            raise UsageError(f"NAME {member.name!r}: only replicas of the API can be frozen, as api-1")
    for member in members:
        context.remote.check(member.id, instance.signal(SIGNALS[args.word]))
        context.say(f"{member.name}: {'frozen' if args.word == 'pause' else 'goes on'}")
    return DONE
