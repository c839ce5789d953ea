"""`trestle-aws destroy`: deletes the environment's stacks, and says what remains and what it costs."""

from __future__ import annotations

import argparse

from trestle_aws import buckets, confirm, hold, job, leftovers
from trestle_aws.arguments import Commands, command
from trestle_aws.cloudformation import State
from trestle_aws.context import Context
from trestle_aws.errors import DONE, UsageError
from trestle_aws.leftovers import Leftover
from trestle_aws.prices import Prices
from trestle_aws.progress import show, table

EXAMPLES = """\
trestle-aws destroy                    asks for the name first; the database's last state stays as a snapshot
trestle-aws destroy --yes --purge      asks nothing, and removes what would remain too
trestle-aws --environment old destroy"""


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "destroy",
        run,
        "Delete a shop and say what remains",
        EXAMPLES,
        description=(
            "Deletes the stacks Project-Environment-* in reverse order, and nothing that does not bear both tags. "
            "Can be given again "
            "after a failure."
        ),
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--purge", action="store_true", help="remove what remains too: snapshots, secrets in their waiting time, logs"
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    prices = Prices.read(context.place.region, context.root / "prices.yml")
    states = context.own()
    name = context.place.prefix[:-1]
    _check_protection(context, states)
    if states or args.purge:
        what = f"{name} in {context.place.region}: {len(states)} stacks are deleted ({', '.join(reversed(states))})"
        confirm.by_name(what + (", and all that remains" if args.purge else ""), name, yes=args.yes)
    else:
        context.say(f"no stack {context.place.prefix}* bears both tags")
    # A job that is under way would be cut off from its database, and keeps its subnet from being deleted.
    job.end(context)
    for key in reversed(states):
        _delete(context, key, states[key])
    context.notes.forget(hold.NOTE)
    context.notes.forget("deployed")
    job.forget(context)
    remaining = leftovers.find(context, prices)
    if args.purge:
        for leftover in remaining:
            leftover.remove()
            context.say(f"removed: {leftover.kind} {leftover.id}")
        remaining = leftovers.find(context, prices)
    show(_page(remaining))
    return DONE


def _check_protection(context: Context, states: dict[str, State]) -> None:
    """What is protected is protected from this too. All of it is named at once."""
    name = context.place.prefix[:-1]
    record = context.notes.deployed()
    preset = record.preset if record else "PRESET"
    off = f"`trestle-aws deploy {preset} --set DeletionProtection=no` takes that back; then destroy"
    for key, state in states.items():
        if state.parameters.get("DeletionProtection") == "yes":
            raise UsageError(f"{name} is protected (DeletionProtection=yes in the stack {key}): {off}")
        if state.protected:
            raise UsageError(f"{state.name} has termination protection; take it back in CloudFormation, then destroy")


def _delete(context: Context, key: str, state: State) -> None:
    stacks = context.stacks(key)
    if state.is_moving:
        context.say(f"{key}: {state.status}: waiting for what was begun before")
        stacks.settled(key)
    for _, type_, physical in stacks.resources(state.name):
        if type_ == "AWS::S3::Bucket" and physical:
            number = buckets.empty(context, physical)
            context.say(f"{key}: s3://{physical} emptied ({number} versions)")
    context.say(f"{key}: being deleted")
    stacks.delete(state, key)


def _page(remaining: list[Leftover]) -> str:
    if not remaining:
        return "Nothing remains."
    rows: list[tuple[str, ...]] = [("REMAINS", "ID", "USD A MONTH", "")]
    rows += [(it.kind, it.id, f"{it.month:11.2f}", it.note) for it in remaining]
    rows.append(("together", "", f"{sum(it.month for it in remaining):11.2f}", "`destroy --purge` removes it"))
    return table(rows)
