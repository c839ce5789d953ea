"""`trestle-aws build`: the release archive that instances install."""

from __future__ import annotations

import argparse
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from trestle_aws import build, packages, releases
from trestle_aws.arguments import Commands, command
from trestle_aws.build import Inputs
from trestle_aws.context import Context
from trestle_aws.errors import DONE, Failure
from trestle_aws.progress import show

EXAMPLES = """\
make build && trestle-aws build        for x86_64, with the binaries in target/release
trestle-aws build --release 0.2.0
trestle-aws build --rds-ca global-bundle.pem --ssm-agent amazon-ssm-agent.deb     without a way to AWS's servers"""
RDS_CA = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
SSM_AGENT = "https://s3.amazonaws.com/ec2-downloads-windows/SSMAgent/latest/debian_{architecture}/amazon-ssm-agent.deb"
WITHIN = 60.0


def add(commands: Commands) -> None:
    """Its words."""
    parser = command(
        commands,
        "build",
        run,
        "Make the release archive",
        EXAMPLES,
        description=(
            "Binaries, the web tier, Debian's packages, RDS's authorities, and what sets an instance up, in one file "
            "with its SHA-256."
        ),
    )
    parser.add_argument("--release", metavar="VERSION", help="its name [default: the version and the commit]")
    parser.add_argument(
        "--architecture", choices=sorted(releases.ARCHITECTURES), default="x86_64", help="[default: x86_64]"
    )
    parser.add_argument("--binaries", metavar="DIR", type=Path, help="[default: target/release of the repository]")
    parser.add_argument(
        "--rds-ca", metavar="FILE", type=Path, help="the authorities of RDS in PEM [default: fetched from AWS, once]"
    )
    parser.add_argument(
        "--ssm-agent", metavar="FILE", type=Path, help="Amazon's SSM agent for Debian [default: fetched from AWS, once]"
    )
    parser.add_argument(
        "--ssm-agent-key",
        metavar="FILE",
        type=Path,
        help=(
            "Amazon's public key (AWS's page 'Verifying the signature of SSM Agent'): the agent's signature, "
            "FILE.sig, is checked by it"
        ),
    )


def run(context: Context, args: argparse.Namespace) -> int:
    """Does it; prints the archive's path."""
    repository = context.root.parent.parent
    architecture = releases.ARCHITECTURES[args.architecture]
    cache = repository / ".trestle-aws"
    agent = SSM_AGENT.format(architecture=architecture)
    agent_file = args.ssm_agent or _fetched(
        context, agent, cache / f"amazon-ssm-agent-{architecture}.deb", "--ssm-agent"
    )
    if args.ssm_agent_key:
        signature = agent_file.with_name(agent_file.name + ".sig")
        packages.check_signature(
            agent_file, _fetched(context, f"{agent}.sig", signature, "--ssm-agent"), args.ssm_agent_key
        )
    inputs = Inputs(
        repository=repository,
        release=args.release or _version(repository),
        binaries=args.binaries or repository / "target/release",
        rds_ca=args.rds_ca or _fetched(context, RDS_CA, cache / "rds-ca.pem", "--rds-ca"),
        architecture=architecture,
        ssm_agent=agent_file,
        revision=_git(repository, "rev-parse", "--short=12", "HEAD"),
    )
    built = build.build(inputs, releases.folder(context.root), context.say)
    context.say(f"{built.size / 1_000_000:.1f} MB, SHA-256 {built.sha256}")
    show(str(built.path))
    return DONE


def _version(repository: Path) -> str:
    """The workspace's version and the commit, so that two builds of different code never bear one name."""
    manifest = (repository / "Cargo.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE)
    parts = [version[1] if version else "0.0.0", _git(repository, "rev-parse", "--short=12", "HEAD")]
    if _git(repository, "status", "--porcelain", "--untracked-files=no"):
        parts.append("changed")
    return "-".join(part for part in parts if part)


def _git(repository: Path, *words: str) -> str:
    """What git says; nothing where there is no repository."""
    try:
        ran = subprocess.run(["git", "-C", repository, *words], text=True, capture_output=True, check=False)
    except FileNotFoundError:
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _fetched(context: Context, url: str, target: Path, option: str) -> Path:
    if target.is_file():
        return target
    context.say(f"fetching {url}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        with urllib.request.urlopen(url, timeout=WITHIN) as answer, part.open("wb") as file:
            while block := answer.read(1 << 20):
                file.write(block)
    except (urllib.error.URLError, TimeoutError) as error:
        raise Failure(f"{option}: {url}: {getattr(error, 'reason', error)}; name a file that you have") from error
    return part.rename(target)
