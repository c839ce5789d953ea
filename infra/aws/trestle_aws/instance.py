"""What is run on instances, as the release's bootstrap has set them up."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

UNIT = "trestle-api.service"
# Runs a command of trestle-api with the environment of the instance's API, as its user.
API = "/opt/trestle/current/instance/trestle-api"
PROGRAMS = "/opt/trestle/current/bin"


def api(words: Sequence[str]) -> list[str]:
    """One of trestle-api's own commands, with the shop's environment."""
    return [API, *words]


def signal(name: str) -> list[str]:
    """A signal for the API's process; systemd starts it again when it dies of it."""
    return ["systemctl", "kill", f"--signal=SIG{name}", "--kill-whom=main", UNIT]


def burn(seconds: int) -> list[str]:
    """CPU used up beside the API, by a unit of its own that outlives this command and ends by itself."""
    return ["systemd-run", "--quiet", "--collect", f"{PROGRAMS}/trestle-api", "burn", "--seconds", str(seconds)]


def fetched(url: str, words: Sequence[str], file: str) -> list[str]:
    """A command with a file that is fetched for it and removed after it; `{file}` in the words is where it is."""
    inner = shlex.join(words).replace(shlex.quote(file), '"$file"')
    script = f'file=$(mktemp --suffix=.csv) && trap \'rm -f "$file"\' EXIT && curl -fsS -o "$file" {shlex.quote(url)} && chmod 644 "$file" && {inner}'
    return ["bash", "-c", script]
