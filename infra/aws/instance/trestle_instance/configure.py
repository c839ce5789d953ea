"""Makes an installed machine into its role: configuration from parameters and secrets, then its services, until they answer.

Called by bootstrap. May be called again: then it takes over what has changed and restarts the services.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from trestle_instance import settings
from trestle_instance.machine import FOLDER, Machine, Stop
from trestle_instance.metadata import Metadata
from trestle_instance.resolve import look_up

# Databases may be away for a while, and the shop waits; auto scaling decides how long (HealthCheckGracePeriod).
READY_WITHIN = 150.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def say(line: str) -> None:
    """One line of the log."""
    print(f"trestle: {line}", flush=True)


def systemctl(*words: str) -> None:
    """Has to succeed."""
    ran = subprocess.run(["systemctl", "--quiet", *words], text=True, capture_output=True)
    if ran.returncode != 0:
        said = ran.stderr.strip().splitlines() or [last_word(words[-1].removesuffix(".service"))]
        raise Stop(f"systemctl {' '.join(words)}: {said[-1]}")


def start(*services: str) -> None:
    """Starts services, now and after each boot; those that run start anew."""
    systemctl("enable", *services)
    systemctl("restart", *services)


def answers(url: str, service: str) -> None:
    """Waits until the service says 200; else the last that was seen."""
    seen, until = "nothing", time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if has_given_up(service):
            raise Stop(f"{service} has ended: {last_word(service)}")
        try:
            with OPENER.open(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            seen = f"{error.code} {_reason(error.read())}"
        except OSError as error:
            seen = str(error)
        time.sleep(0.2)
    raise Stop(f"{service} does not answer {url} with 200: {seen}")


def has_given_up(service: str) -> bool:
    """Whether systemd will not start it again: its configuration is wrong."""
    return subprocess.run(["systemctl", "--quiet", "is-failed", service]).returncode == 0


def last_word(service: str) -> str:
    """What it said at last."""
    command = [
        "journalctl",
        "--quiet",
        "--output=cat",
        "--lines=1",
        "_TRANSPORT=stdout",
        f"_SYSTEMD_UNIT={service}.service",
    ]
    return subprocess.run(command, text=True, capture_output=True).stdout.strip() or "without a word"


def _reason(body: bytes) -> str:
    """What /readyz says is not there yet."""
    try:
        said = json.loads(body)
        parts = {name: said[name].get("last_error") or said[name]["state"] for name in ("schema", "database")}
    except (ValueError, KeyError, AttributeError, TypeError):
        return ""
    return ", ".join(
        f"{name}: {state['message'] if isinstance(state, dict) else state}" for name, state in parts.items()
    )


def api(machine: Machine) -> None:
    """The API, and a cache of its own if it is told so."""
    settings.api(machine, Metadata().instance())
    if (FOLDER / "secrets/redis-url").read_text() == settings.OWN_REDIS:
        start("trestle-redis.service")
    start("trestle-api.service")
    answers("http://127.0.0.1:9000/readyz", "trestle-api")


def web(machine: Machine) -> None:
    """nginx, and what follows the API's name."""
    settings.web(machine)
    name = (FOLDER / "web-api-name").read_text()
    if name:
        settings.addresses_of_api(look_up(name))
    start("trestle-web.service", *(["trestle-web-resolve.timer"] if name else []))
    answers("http://127.0.0.1/healthz", "trestle-web")


def instance(machine: Machine) -> None:
    """Both on one machine."""
    api(machine)
    web(machine)


def single(machine: Machine) -> None:
    """The whole shop by `trestle up`."""
    if subprocess.run(["id", "trestle"], capture_output=True).returncode != 0:
        subprocess.run(
            ["useradd", "--system", "--home-dir", "/var/lib/trestle", "--shell", "/usr/sbin/nologin", "trestle"],
            check=True,
        )
    settings.single(machine)
    start("trestle-single.service", "trestle-front.service")
    answers("http://127.0.0.1/api/v1/categories", "trestle-single")


def job(machine: Machine) -> None:
    """What prepares the database. It powers the machine off, and this with it."""
    systemctl("start", "--no-block", "trestle-job.service")


ROLES: dict[str, Callable[[Machine], None]] = {
    "api": api,
    "web": web,
    "instance": instance,
    "single": single,
    "job": job,
}
DRAINED = ("api", "web")


def main() -> int:
    """Answers the exit code; the last line says what was done or why not."""
    try:
        machine = Machine.from_environment()
        machine.keep()
        # A shop without logs is better than none: it is not waited for.
        systemctl("enable", "trestle-logs.service")
        systemctl("restart", "--no-block", "trestle-logs.service")
        ROLES[machine.role](machine)
        if machine.role in DRAINED:
            start("trestle-drain.service")
    except Stop as error:
        print(f"trestle: stopped: {error}", file=sys.stderr, flush=True)
        return 1
    say(f"ready as {machine.role}" if machine.role != "job" else "the job has begun; its log is trestle-job's")
    return 0


if __name__ == "__main__":
    sys.exit(main())
