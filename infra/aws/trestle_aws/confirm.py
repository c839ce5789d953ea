"""A question before something that cannot be taken back."""

from __future__ import annotations

import sys

from trestle_aws.errors import UsageError


def by_name(what: str, name: str, *, yes: bool) -> None:
    """Goes on when the name is typed, or --yes was said. Without a terminal nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"--yes: {what} cannot be asked about here; say it if it is meant")
    print(f"{what}\nType {name} to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != name:
        raise UsageError("the name was not typed: nothing was done")
