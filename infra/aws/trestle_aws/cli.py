"""The command line of `trestle-aws`: finds the command, runs it, and turns how it ends into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from trestle_aws import signals
from trestle_aws.arguments import EVERYWHERE, Parser, take_global
from trestle_aws.clients import text_of
from trestle_aws.commands import (
    build,
    data_move,
    deploy,
    destroy,
    kill,
    loadtest,
    move,
    passed,
    pause,
    plan,
    scale,
    status,
    stress,
)
from trestle_aws.context import Context
from trestle_aws.errors import FAILED, INTERRUPTED, WRONG, TrestleError, UsageError
from trestle_aws.presets import ROOT
from trestle_aws.template import ParameterError, RuleError, TemplateError

MODULES = (plan, build, deploy, move, data_move, status, scale, kill, pause, stress, passed, loadtest, destroy)
DESCRIPTION = "Deploys Trestle into an AWS account, steers it, breaks it on purpose, measures it, and removes it."
EXAMPLES = """\
from nothing to a shop and back:
  trestle-aws plan demo              what is created, what it costs a month
  trestle-aws build                  the release
  trestle-aws deploy demo
  trestle-aws status
  trestle-aws destroy"""


def parser() -> Parser:
    """All commands."""
    made = Parser(
        prog="trestle-aws",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n\n{EVERYWHERE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = made.add_subparsers(dest="word", metavar="COMMAND", required=True)
    for module in MODULES:
        module.add(commands)
    return made


def main(words: Sequence[str], root: Path = ROOT) -> int:
    """Runs a command line; answers the exit code. `root` is infra/aws."""
    signals.listen()
    try:
        where, rest = take_global(words)
        args = _parsed(rest)
        return int(args.run(Context(where.place, where.profile, root), args))
    except KeyboardInterrupt:
        return _ended("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads has seen enough. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except TrestleError as error:
        return _ended(str(error), error.code)
    except (ParameterError, RuleError) as error:
        return _ended(str(error), WRONG)
    except TemplateError as error:
        return _ended(str(error), FAILED)
    except (NoCredentialsError, NoRegionError) as error:
        return _ended(f"{error}; --profile NAME, AWS_PROFILE or `aws configure` say who you are", WRONG)
    except (ClientError, BotoCoreError) as error:
        return _ended(text_of(error), FAILED)


def _parsed(words: list[str]) -> argparse.Namespace:
    """The command with its options. What is behind the word of a passed command, or behind `--`, is not looked at."""
    known, _, after = _split(words)
    if words and words[0] in passed.WORDS:
        if any(word in ("-h", "--help") for word in words[1:]):
            return parser().parse_args([words[0], "--help"])
        args = parser().parse_args([words[0]])
        args.passed = words[1:]
        return args
    args = parser().parse_args(known)
    if after:
        if not hasattr(args, "command_line"):
            raise UsageError(f"--: `trestle-aws {args.word}` runs no command")
        args.command_line = after
    return args


def _split(words: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in words:
        return words, False, []
    at = words.index("--")
    return words[:at], True, words[at + 1 :]


def _ended(line: str, code: int) -> int:
    print(f"trestle-aws: {line}", file=sys.stderr, flush=True)
    return code
