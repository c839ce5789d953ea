"""What is run on instances, as the release's bootstrap has set them up."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

CURRENT = "/opt/trestle/current"
PROGRAMS = f"{CURRENT}/bin"
SHOP = f"{CURRENT}/instance/shop"


def api(words: Sequence[str]) -> list[str]:
    """One of trestle-api's own commands, with the shop's environment."""
    return [SHOP, "api", *words]


def signal(name: str) -> list[str]:
    """A signal for the API's process; it is started again when it dies of it."""
    return [SHOP, "signal", name]


def burn(seconds: int) -> list[str]:
    """CPU used up beside the API, by a process that outlives this command and ends by itself."""
    return [SHOP, "burn", str(seconds)]


def data_move() -> list[str]:
    """The rows of the instance's own database into RDS; the shop can be read from meanwhile."""
    return ["env", f"--chdir={CURRENT}/instance", "python3", "-m", "trestle_instance.data_move"]


def fetched(url: str, words: Sequence[str], file: str) -> list[str]:
    """A command with a file that is fetched for it and removed after it; among the words is its name here."""
    inner = " ".join('"$file"' if word == file else shlex.quote(word) for word in words)
    script = (
        f'file=$(mktemp --suffix=.csv) && trap \'rm -f "$file"\' EXIT && curl -fsS -o "$file" {shlex.quote(url)} && '
        f'chmod 644 "$file" && {inner}'
    )
    return ["bash", "-c", script]
