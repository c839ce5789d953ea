"""The command line: options for the place before or after the command's word, one line and exit code 64 for what is
wrong.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from trestle_aws.context import Context
from trestle_aws.errors import UsageError
from trestle_aws.place import Place

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
Run = Callable[[Context, argparse.Namespace], int]
# Options that say which place is meant, with the variable that they default to, and what there is without either.
GLOBAL = {
    "--project": ("TRESTLE_PROJECT", "trestle"),
    "--environment": ("TRESTLE_ENVIRONMENT", "shop"),
    "--region": ("AWS_REGION", "us-east-1"),
    "--profile": ("AWS_PROFILE", ""),
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the exit code is 64."""

    def error(self, message: str) -> NoReturn:
        """Instead of usage and exit code 2."""
        raise UsageError(message.removeprefix("argument "))


@dataclass(frozen=True)
class Where:
    """Which place a command line means."""

    place: Place
    profile: str | None


def take_global(words: Sequence[str]) -> tuple[Where, list[str]]:
    """The options for the place, taken from wherever they stand before `--`, and what is left."""
    values = {option: os.environ.get(variable) or default for option, (variable, default) in GLOBAL.items()}
    if not os.environ.get("AWS_REGION") and os.environ.get("AWS_DEFAULT_REGION"):
        values["--region"] = os.environ["AWS_DEFAULT_REGION"]
    rest: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        option, equals, value = word.partition("=")
        if option not in GLOBAL:
            rest.append(word)
            continue
        if not equals:
            if not waiting:
                raise UsageError(f"{option}: it needs a value")
            value = waiting.pop(0)
        values[option] = value
    place = Place(values["--project"], values["--environment"], values["--region"]).check()
    return Where(place, values["--profile"] or None), rest


def command(commands: Commands, word: str, run: Run, summary: str, examples: str, *, description: str = "") -> Parser:
    """A command's parser, with its examples in `--help`."""
    parser = commands.add_parser(
        word,
        help=summary[0].lower() + summary[1:],
        description=f"{summary}.{(' ' + description) if description else ''}",
        epilog=f"examples:\n{_indented(examples)}\n\n{EVERYWHERE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


EVERYWHERE = """\
before or after the command:
  --project P        [TRESTLE_PROJECT, default trestle]
  --environment E    [TRESTLE_ENVIRONMENT, default shop]
  --region R         [AWS_REGION, default us-east-1]
  --profile NAME     credentials [AWS_PROFILE]

exit codes: 0 done, 1 failed, 64 wrong usage or configuration, 130 interrupted"""


def count(least: int, most: int) -> Callable[[str], int]:
    """A number within bounds."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: a number from {least} to {most}")
        return int(text)

    return parse


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
