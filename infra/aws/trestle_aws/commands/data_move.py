"""`trestle-aws data-move`: the rows of an instance's own database into RDS. `move` does it on the way from stage 1 to
stage 2.
"""

from __future__ import annotations

import argparse

from trestle_aws import confirm, fleet, instance, job
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.errors import DONE, Failure

EXAMPLES = """\
trestle-aws data-move --yes      stops writes, copies, compares both sides; then the old shop stays stopped"""
# A copy of some 10 million rows.
WITHIN = 7200


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "data-move",
        run,
        "Move the data of stage 1 from its instance to RDS",
        EXAMPLES,
        description=(
            "Part of `move` to stage 2, and of use alone when that was stopped in the middle. The shop can be read "
            "from meanwhile; writes answer 503 (maintenance). All rows arrive, and both audits say the same, or "
            "nothing was moved and the shop takes writes again."
        ),
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    what = "nothing can be bought meanwhile, and the shop stays stopped when its data is in RDS"
    confirm.by_name(what, context.place.prefix[:-1], yes=args.yes)
    move(context)
    return DONE


def move(context: Context) -> None:
    """Runs it on the instance of stage 1; says what it says."""
    found = job.report(context)
    if found is None or not found.is_done:
        raise Failure("the database in RDS is not prepared: the job has not reported; `trestle-aws move` runs it")
    replicas = fleet.look(context).replicas()
    if len(replicas) != 1:
        raise Failure(f"one instance has the data, and there are {len(replicas)}")
    context.say(f"{replicas[0].id}: writes stop, the data goes to RDS")
    ran = context.remote.run(replicas[0].id, instance.data_move(), within=WITHIN)
    for line in ran.output.splitlines():
        context.say(line)
    if ran.code != 0:
        raise Failure(f"data-move: {ran.complaint()}")
