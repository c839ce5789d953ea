"""`trestle-aws deploy`: a preset, stack by stack. Safe to repeat: it goes on where it was stopped."""

from __future__ import annotations

import argparse
from dataclasses import replace

from trestle_aws import fleet, hold, instance, pace, presets, releases, review
from trestle_aws.arguments import Commands, command
from trestle_aws.cloudformation import State
from trestle_aws.commands.plan import add_preset
from trestle_aws.context import Context
from trestle_aws.deployment import Deployment
from trestle_aws.errors import DONE, UsageError
from trestle_aws.planning import EXAMPLE_RELEASE, Design, Release, with_added
from trestle_aws.presets import Preset, Settings
from trestle_aws.releases import ARCHITECTURES, Archive
from trestle_aws.template import Stack

EXAMPLES = """\
trestle-aws deploy demo
trestle-aws deploy demo                       again: after a failure it goes on, else it changes nothing
trestle-aws deploy production --set Domain=shop.example.com --set AlertEmail=ada@example.com
trestle-aws deploy demo --release 0.2.0       another release: migrates first, then replaces instances one by one
trestle-aws deploy demo --set job.Products=100000     what an empty shop is filled with"""
# An instance boots, installs itself and becomes healthy in one to two minutes; one that fails is replaced.
READY_WITHIN = 900.0
# A hundred thousand products.
PICTURES_WITHIN = 1800


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "deploy",
        run,
        "Create or change a shop",
        EXAMPLES,
        description=(
            "What was set before stays set; --set NAME= takes it back. Another preset than the one that is there is "
            "for `move`."
        ),
    )
    add_preset(parser)
    add_release(parser)


def add_release(parser: argparse.ArgumentParser) -> None:
    """The words for what is installed."""
    parser.add_argument("--release", metavar="VERSION", help="the release [default: the one that was built last]")
    parser.add_argument(
        "--allow",
        metavar="STACK/RESOURCE",
        action="append",
        default=[],
        help="may be replaced, with all that is in it",
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    preset = presets.read(args.preset, context.root)
    record = context.notes.deployed()
    if record and record.preset != preset.name:
        raise UsageError(
            f"PRESET {preset.name!r}: {context.place.project}-{context.place.environment} is {record.preset}; "
            "`trestle-aws move "
            f"{preset.name}` changes it, another --environment stands beside it"
        )
    deployment = prepare(context, args, preset)
    local = preset.stacks.get("instances", {"Database": "rds"}).get("Database", "local") == "local"
    deployment.review = review.of_data(local, set(args.allow))
    deployment.run()
    finish(context)
    return DONE


def prepare(context: Context, args: argparse.Namespace, preset: Preset) -> Deployment:
    """The deployment, with every parameter checked before anything is made."""
    if hold.is_held(context):
        raise UsageError("the API group is held for a measurement; `trestle-aws scale --release` ends that")
    settings, kept = remembered(context, Settings.parse(args.settings))
    record = context.notes.deployed()
    preset = with_added(preset, [*args.added, *(record.added if record else [])])
    draft = Design.make(context.place, preset, settings, EXAMPLE_RELEASE, context.root)
    archive = _archive(context, args.release, draft.evaluate())
    design = replace(draft, release=Release(archive.version, archive.sha256))
    kept = {key: names for key, names in kept.items() if key in design.preset.stacks}
    return Deployment(context, design, archive, kept=kept)


def remembered(context: Context, settings: Settings) -> tuple[Settings, dict[str, set[str]]]:
    """What was set earlier and is not now: values that CloudFormation shows, and the names of those that it hides."""
    record = context.notes.deployed()
    earlier: dict[str, str] = {}
    states: dict[str, State | None] = {}
    kept: dict[str, set[str]] = {}
    for name in record.set if record else []:
        key, _, parameter = name.partition(".")
        if name in settings.values or parameter in settings.values:
            continue
        if key not in states:
            states[key] = context.stacks(key).state(key)
        state = states[key]
        value = state.parameters.get(parameter) if state else None
        if value is None:
            continue
        if set(value) == {"*"}:
            kept.setdefault(key, set()).add(parameter)
        else:
            earlier[name] = value
    return replace(settings, earlier=earlier), kept


def finish(context: Context) -> None:
    """Waits until all instances that are wanted are ready, and says where the shop is."""

    def look() -> fleet.Fleet | None:
        now = fleet.look(context)
        waiting = [member.name for member in now.members if member.state != "ready"]
        missing = sum(group.desired - len(group.instances) for group in now.groups.values())
        if waiting or missing > 0:
            context.say(f"waiting for {', '.join(waiting) or 'instances'}")
            return None
        return now

    logs = context.place.parameter("")
    now = pace.until(
        look,
        f"not all instances are ready (`trestle-aws status`; their logs are in {logs}*)",
        within=READY_WITHIN,
        every=10.0,
    )
    _show_pictures(context, now)
    context.say(f"the shop: {now.url}")


def _show_pictures(context: Context, now: fleet.Fleet) -> None:
    """Products have the drawn pictures at the address that leads to the bucket now: S3's own, or CloudFront's."""
    exports = context.exports()
    url = exports.get("EdgePicturesUrl") or exports.get("PicturesUrl")
    if url:
        member = fleet.instance_for_commands(now)
        ran = context.remote.check(member.id, instance.api(["pictures", url]), within=PICTURES_WITHIN)
        context.say(ran.output.strip() or f"pictures: {url}")


def _archive(context: Context, version: str | None, stacks: list[Stack]) -> Archive:
    architectures = {str(stack.parameters["Architecture"]) for stack in stacks if "Architecture" in stack.parameters}
    if len(architectures) > 1:
        raise UsageError(
            f"Architecture: the stacks have {' and '.join(sorted(architectures))}; one release runs on one"
        )
    return releases.find(context, ARCHITECTURES[architectures.pop() if architectures else "x86_64"], version)
