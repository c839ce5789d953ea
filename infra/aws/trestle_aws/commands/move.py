"""`trestle-aws move`: from one preset to the next, by change sets that are looked at before they are carried out."""

from __future__ import annotations

import argparse
from dataclasses import replace

from trestle_aws import confirm, expected, job, presets, review
from trestle_aws.arguments import Commands, command
from trestle_aws.commands import data_move
from trestle_aws.commands.deploy import add_release, finish, prepare
from trestle_aws.commands.plan import add_preset
from trestle_aws.context import Context
from trestle_aws.deployment import Deployment
from trestle_aws.errors import DONE, Failure, UsageError
from trestle_aws.planning import ADDED_STACKS, DOMAIN_STACKS
from trestle_aws.presets import Preset
from trestle_aws.record import Record

EXAMPLES = """\
trestle-aws move                            to the next stage of the growth path
trestle-aws move stage-5-auto-scaling
trestle-aws move production --allow data/Database     after a look at what AWS would replace"""
# Not of a preset: whoever has made them keeps them.
BESIDE = ("access", "generator", *ADDED_STACKS, *DOMAIN_STACKS)
MOVED = "data-moved"


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "move",
        run,
        "Change the shop to another preset",
        EXAMPLES,
        description=(
            "Stops before anything that AWS would replace and the growth path does not name. Safe to repeat. From "
            "stage 1 to stage 2 it moves the data; meanwhile the shop can be read from, and writes answer 503."
        ),
    )
    add_preset(parser, optional=True)
    add_release(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask before the data is moved")


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    record = context.notes.deployed()
    if record is None:
        raise context.nothing()
    target = presets.read(_target(record, args.preset), context.root)
    source = presets.read(record.preset, context.root)
    if source.name == target.name:
        raise UsageError(f"PRESET {target.name!r}: it is there already; `deploy` changes its parameters")
    context.say(f"from {source.name} to {target.name}")
    moves_data = _moves_data(source, target)
    if moves_data:
        what = "nothing can be bought while the data goes to RDS and the instance is replaced"
        confirm.by_name(what, context.place.prefix[:-1], yes=args.yes)
    first = _transition(source, target, has_instances=context.stacks().state("instances") is not None)
    deployment = prepare(context, args, first)
    listed = expected.listed(source.name, target.name, context.root) | set(args.allow)
    deployment.review = review.of_growth(context, f"{source.name} to {target.name}", listed)
    if moves_data:
        deployment.before["instances"] = lambda: _data(context, deployment)
    deployment.make()
    _delete_what_is_gone(context, target, listed)
    if first.stacks != target.stacks:
        context.say("what both presets needed is taken back")
        last = prepare(context, args, target)
        last.review = deployment.review
        last.make()
        deployment = last
    # Until here a second call does what is left of the same step.
    deployment.remember()
    context.notes.forget(MOVED)
    finish(context)
    return DONE


def _target(record: Record, wanted: str | None) -> str:
    name = wanted or presets.next_on_path(record.preset)
    if name is None:
        raise UsageError(f"PRESET: {record.preset} has no next stage; name a preset")
    return name


def _moves_data(source: Preset, target: Preset) -> bool:
    local = source.stacks.get("instances", {"Database": "rds"}).get("Database", "local") == "local"
    return local and "data" in target.stacks


def _transition(source: Preset, target: Preset, *, has_instances: bool) -> Preset:
    """The target with what the source's instances need while they still are the shop, and without goods where goods are
    moved in.
    """
    stacks = {key: dict(parameters) for key, parameters in target.stacks.items()}
    if has_instances and "app" in target.stacks:
        stacks["network"]["PrivateInstances"] = "both"
        stacks["security"]["Tier"] = "both"
    if _moves_data(source, target):
        stacks["job"] |= {"Products": "0", "Customers": "0"}
    return replace(target, stacks=stacks)


def _data(context: Context, deployment: Deployment) -> None:
    """Once: a second time there would be orders on both sides."""
    deployment.await_job()
    if context.notes.read(MOVED) is not None:
        context.say("the data was moved before")
        return
    found = job.report(context)
    if found is None or not found.is_done:
        raise Failure("the job has not prepared the database; see its report")
    data_move.move(context)
    context.notes.write(MOVED, {"from": "instance", "to": "rds"})


def _delete_what_is_gone(context: Context, target: Preset, listed: set[str]) -> None:
    """Stacks of the preset before, when nothing of the new one needs them any more."""
    for key, state in reversed(context.own().items()):
        if key in target.stacks or key in BESIDE:
            continue
        stacks = context.stacks(key)
        for id_, type_, _ in stacks.resources(state.name):
            if type_ in expected.DATA and f"{key}/{id_}" not in listed:
                raise Failure(
                    f"{key}/{id_} ({type_}) would be gone with its stack, which {target.name} has not. If it is "
                    f"meant, say --allow {key}/{id_}"
                )
        context.say(f"{key}: being deleted; {target.name} has no such stack")
        stacks.delete(state, key)
