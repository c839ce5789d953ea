"""`trestle-aws loadtest`: trestle-loadtest on an instance in the shop's network, its results here."""

from __future__ import annotations

import argparse
import io
import shlex
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from trestle_aws import capacity, fleet, instance, pace, releases
from trestle_aws.arguments import Commands, command, count
from trestle_aws.cloudformation import Wanted
from trestle_aws.context import Context
from trestle_aws.errors import DONE, FAILED, Failure, UsageError
from trestle_aws.planning import Design, Examples, Release
from trestle_aws.presets import Preset, Settings, template_path
from trestle_aws.progress import show
from trestle_aws.remote import Ran

STACK = "generator"
EXAMPLES = """\
trestle-aws loadtest run --shoppers 500 --seconds 120
trestle-aws loadtest --output results run --arrivals 300 --mix browsing
trestle-aws loadtest --set InstanceType=c7a.xlarge run --shoppers 5000 --think 7
trestle-aws loadtest --remove              the generator, which costs as long as it is there"""
# What trestle-loadtest does by itself, without steering the stack.
WORDS = ("run", "calibrate")
STEERING = ("scale-out", "autoscale", "chaos", "plan")
# As fast as the template's own choice.
ARM = "c7g.large"
ONLINE_WITHIN = 300.0
# More than this is asked for by --within.
WITHIN = 3600
LONGEST = 28_800
RESULTS = "/var/tmp/trestle-results"


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "loadtest",
        run,
        "Put load on the shop from an instance in its network",
        EXAMPLES,
        description=(
            "Starts the generator if it is not there, runs trestle-loadtest on it, brings the results here, then "
            "audits the database. What "
            'steers the stack (scale-out, autoscale, chaos) runs on this machine, with --stack "trestle-aws".'
        ),
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help="where results go; new or empty [default: trestle-results/aws-DATE-TIME]",
    )
    parser.add_argument(
        "--set",
        metavar="PARAMETER=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="of the generator's stack",
    )
    parser.add_argument(
        "--within",
        metavar="S",
        type=count(60, LONGEST),
        default=WITHIN,
        help=f"give up after so long [default: {WITHIN}]",
    )
    parser.add_argument("--allow-burst", action="store_true", help="measure burstable classes (t3, t4g) too")
    parser.add_argument("--no-audit", action="store_true", help="do without the audit of the database")
    parser.add_argument("--remove", action="store_true", help="remove the generator")
    parser.add_argument(
        "words", metavar="...", nargs=argparse.REMAINDER, help="trestle-loadtest's own words, beginning with run"
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it; the exit code is trestle-loadtest's, or 1 when the audit finds something."""
    if args.remove:
        return _remove(context, args)
    _check_words(args.words)
    output = _output(args.output)
    now = fleet.look(context)
    if not args.allow_burst:
        capacity.check_steady([(member.name, member.type) for member in now.members if member.type])
    id_ = _generator(context, Settings.parse(args.settings))
    ran, packed = _load(context, id_, now.url, args)
    show(ran.output.rstrip("\n"))
    if ran.errors.strip():
        context.say(ran.complaint())
    code = ran.code
    _unpack(context, output, packed)
    if not args.no_audit:
        code = _audit(context) or code
    context.say(f"results: {output}; the generator stays until `trestle-aws loadtest --remove`")
    return code


def _check_words(words: list[str]) -> None:
    if not words:
        raise UsageError(f"say what trestle-loadtest is to do: {' or '.join(WORDS)}")
    if words[0] in STEERING:
        raise UsageError(
            f"{words[0]}: it steers the stack, so it runs on this machine: trestle-loadtest {words[0]} --stack "
            '"trestle-aws"; '
            "the README says how its generator is put into the VPC"
        )
    if words[0] not in WORDS:
        raise UsageError(f"{words[0]!r}: the generator does {' and '.join(WORDS)}")
    for word in words:
        option = word.partition("=")[0]
        if option in ("--output", "--stack"):
            raise UsageError(
                f"{option}: say it before {words[0]}" if option == "--output" else "--stack: it is this one"
            )


def _output(wanted: Path | None) -> Path:
    output = wanted or Path("trestle-results") / f"aws-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"--output {output}: it has to be new or empty")
    return output


def _generator(context: Context, settings: Settings) -> str:
    """The generator's instance, ready to run commands."""
    record = context.notes.deployed()
    if record is None:
        raise context.nothing()
    preset = Preset(STACK, "", {STACK: _machine(context)})
    release = Release(record.release, record.sha256)
    design = Design.make(context.place, preset, settings, release, context.root)
    design.evaluate(known=context.exports())
    bucket = releases.bucket_of(context)
    body = template_path(STACK, context.root).read_text(encoding="utf-8")
    parameters = design.parameters(STACK, Examples(context.place, bucket))
    context.stacks(STACK).change(Wanted(STACK, body, parameters))
    id_ = context.exports().get("GeneratorInstanceId")
    if not id_:
        raise Failure("the stack generator exports no instance")
    context.say(f"generator: {id_}, waiting until it can be told what to do")
    pace.until(lambda: _is_online(context, id_), f"{id_}: its SSM agent does not answer", within=ONLINE_WITHIN)
    pace.until(lambda: _has_program(context, id_), f"{id_}: its bootstrap does not end", within=ONLINE_WITHIN)
    return id_


def _machine(context: Context) -> dict[str, str]:
    """One for which the shop's release is made."""
    states = [context.stacks(key).state(key) for key in ("app", "instances")]
    architectures = [state.parameters.get("Architecture", "") for state in states if state]
    return {"Architecture": "arm64", "InstanceType": ARM} if "arm64" in architectures else {}


def _is_online(context: Context, id_: str) -> bool | None:
    filters = [{"Key": "InstanceIds", "Values": [id_]}]
    found = context.clients.of("ssm").describe_instance_information(Filters=filters)["InstanceInformationList"]
    return True if any(it.get("PingStatus") == "Online" for it in found) else None


def _has_program(context: Context, id_: str) -> bool | None:
    return True if context.remote.run(id_, ["test", "-x", f"{instance.PROGRAMS}/trestle-loadtest"]).code == 0 else None


def _load(context: Context, id_: str, url: str, args: argparse.Namespace) -> tuple[Ran, bytes | None]:
    words = [f"{instance.PROGRAMS}/trestle-loadtest", *args.words, "--output", RESULTS]
    if args.words[0] == "run":
        words += ["--no-audit"] + (
            [] if any(word.partition("=")[0] == "--url" for word in args.words) else ["--url", url]
        )
    context.say(f"generator: trestle-loadtest {shlex.join(args.words)}")
    with releases.returned(context, "results.tar.gz", args.within + 600) as (put, key):
        ran = context.remote.script(id_, _script(words, put), within=args.within)
        return ran, _take(context, key)


def _script(words: list[str], put: str) -> list[str]:
    """Runs it, sends the folder of results if there is one, and ends as it ended."""
    return [
        f"rm -rf {RESULTS}",
        shlex.join(words),
        "code=$?",
        f"[ ! -d {RESULTS} ] || tar -C {RESULTS} -czf {RESULTS}.tar.gz .",
        f"[ ! -f {RESULTS}.tar.gz ] || curl -fsS --upload-file {RESULTS}.tar.gz {shlex.quote(put)} || code=1",
        f"rm -rf {RESULTS} {RESULTS}.tar.gz",
        "exit $code",
    ]


def _take(context: Context, key: str) -> bytes | None:
    client = context.clients.of("s3")
    try:
        return bytes(client.get_object(Bucket=releases.bucket_of(context), Key=key)["Body"].read())
    except client.exceptions.NoSuchKey:
        return None


def _unpack(context: Context, output: Path, packed: bytes | None) -> None:
    if packed is None:
        context.say("trestle-loadtest left no results")
        return
    output.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        archive.extractall(output, filter="data")


def _audit(context: Context) -> int:
    member = fleet.instance_for_commands(fleet.look(context))
    ran = context.remote.run(member.id, instance.api(["audit", "--settled"]), within=600)
    show(ran.output.rstrip("\n"))
    return FAILED if ran.code else DONE


def _remove(context: Context, args: argparse.Namespace) -> int:
    if args.words:
        raise UsageError("--remove: it stands alone")
    stacks = context.stacks(STACK)
    state = stacks.state(STACK)
    if state is None or not context.place.owns(state.tags):
        context.say("there is no generator")
        return DONE
    stacks.delete(state, STACK)
    context.say("the generator is gone")
    return DONE
