"""`trestle-aws scale`: more replicas, or fewer; held at a number for a measurement."""

from __future__ import annotations

import argparse
import subprocess
import uuid

from trestle_aws import capacity, fleet, hold, pace
from trestle_aws.arguments import Commands, command, count
from trestle_aws.context import Context
from trestle_aws.errors import DONE, INTERRUPTED, UsageError
from trestle_aws.fleet import Fleet
from trestle_aws.signals import Deaf

# An instance boots, installs itself and becomes healthy in one to two minutes, and drains in one.
READY_WITHIN = 290.0
MOST = 100

EXAMPLES = """\
trestle-aws scale 4 --wait                 returns when exactly 4 are healthy at the load balancer
trestle-aws scale 4 --hold                 no policy moves it until Ctrl-C; `scale N --wait` moves it meanwhile
trestle-aws scale 1 --hold -- trestle-loadtest scale-out --uncapped --stack "trestle-aws --environment demo"
trestle-aws scale --release                ends a hold whose process was killed"""


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands, "scale", run, "Change the number of API instances, or hold it for a measurement", EXAMPLES
    )
    parser.add_argument("count", metavar="N", nargs="?", type=count(1, MOST), help="how many there are to be")
    parser.add_argument("--wait", action="store_true", help="return when exactly so many are ready")
    parser.add_argument(
        "--hold", action="store_true", help="min = max = desired, scaling suspended; all as before at the end"
    )
    parser.add_argument(
        "--seconds", metavar="S", type=count(1, 86_400), help="hold for so long [default: until Ctrl-C]"
    )
    parser.add_argument("--allow-burst", action="store_true", help="hold burstable classes (t3, t4g) too")
    parser.add_argument("--release", action="store_true", help="end a hold that another process has left")
    parser.set_defaults(command_line=[])


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it."""
    if args.release:
        return _release(context, args)
    if args.count is None:
        raise UsageError("N: say how many replicas there are to be, or --release")
    if not args.hold and (args.seconds or args.command_line or args.allow_burst):
        raise UsageError("--seconds, --allow-burst and a command are for --hold")
    now = fleet.look(context)
    group = now.api
    held = hold.is_held(context)
    if args.hold:
        if not args.allow_burst:
            capacity.check_steady(_classes(now))
        _check_connections(context, max(args.count, 1))
        return _hold(context, now, args)
    if held:
        _check_connections(context, args.count)
        hold.change(context, group.name, args.count)
    else:
        if not group.minimum <= args.count <= group.maximum:
            raise UsageError(
                f"N {args.count}: the group has {group.minimum} to {group.maximum}; --hold goes beyond for a while, "
                "--set app.ApiMin and app.ApiMax for ever"
            )
        _check_connections(context, group.maximum)
        context.clients.of("autoscaling").set_desired_capacity(
            AutoScalingGroupName=group.name, DesiredCapacity=args.count, HonorCooldown=False
        )
    context.say(f"{args.count} replicas are wanted; there were {group.desired}")
    if args.wait:
        _wait(context, args.count)
    return DONE


def _release(context: Context, args: argparse.Namespace) -> int:
    if args.count is not None or args.hold:
        raise UsageError("--release: it stands alone")
    context.say("the group is as before" if hold.release(context) else "nobody holds the group")
    return DONE


def _hold(context: Context, now: Fleet, args: argparse.Namespace) -> int:
    by = uuid.uuid4().hex
    try:
        hold.begin(context, now.api, args.count, by)
        context.say(f"held at {args.count}: min = max = desired, scaling suspended")
        _wait(context, args.count)
        return _meanwhile(context, args)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        # A second Ctrl-C does not keep the group from being brought back.
        with Deaf():
            if hold.is_held(context, by):
                hold.release(context)
                context.say(f"released: {now.api.minimum} to {now.api.maximum}, {now.api.desired} wanted, as before")


def _meanwhile(context: Context, args: argparse.Namespace) -> int:
    if args.command_line:
        return subprocess.run(args.command_line, check=False).returncode
    context.say(f"for {args.seconds} s" if args.seconds else "until Ctrl-C")
    end = pace.now() + args.seconds if args.seconds else None
    while end is None or pace.now() < end:
        pace.sleep(1.0 if end is None else min(1.0, max(end - pace.now(), 0.0)))
    return DONE


def _check_connections(context: Context, replicas: int) -> None:
    exports = context.exports()
    state = context.stacks("app").state("app")
    if state is None or "MaxConnections" not in exports:
        return
    pool, surplus = (int(state.parameters.get(name, "0")) for name in ("PoolSize", "RefreshSurplus"))
    capacity.check_connections(pool, replicas, surplus, int(exports["MaxConnections"]))


def _classes(now: Fleet) -> list[tuple[str, str]]:
    return [(member.name, member.type) for member in now.members if member.type]


def _wait(context: Context, wanted: int) -> None:
    """Until exactly so many are there and ready: those that go are gone from the load balancer."""

    def look() -> bool | None:
        replicas = fleet.look(context).replicas()
        ready = sum(member.state == "ready" for member in replicas)
        context.say(f"{ready} of {wanted} ready, {len(replicas) - ready} on their way")
        return True if ready == wanted and len(replicas) == wanted else None

    pace.until(look, f"{wanted} replicas are not ready", within=READY_WITHIN)
