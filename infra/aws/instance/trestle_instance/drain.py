"""Drains this instance when auto scaling terminates it, then says so, which lets the termination go on.

The metadata service says `Terminated` from the moment that the group has decided. The load balancer may send new requests for a few
seconds more, so the tier goes on for as long as it takes to be forgotten (the target group's deregistration delay): the API lingers by
itself after SIGTERM, with /readyz saying 503; for nginx it is waited here. What was begun is then ended.
"""

from __future__ import annotations

import subprocess
import time

from botocore.exceptions import BotoCoreError, ClientError

from trestle_instance import account
from trestle_instance.machine import FOLDER, Machine
from trestle_instance.metadata import Metadata

EVERY = 2.0
STATE = "autoscaling/target-lifecycle-state"
GROUP = "tags/instance/aws:autoscaling:groupName"
HOOK = "drain"
LINGER_VARIABLE = "TRESTLE_WEB_LINGER_SECONDS"
LINGER_DEFAULT = 15.0


def say(line: str) -> None:
    """One line of the log."""
    print(line, flush=True)


def wait_for_the_end(metadata: Metadata) -> None:
    """Returns when the group has decided to terminate this instance."""
    while True:
        try:
            if metadata.get(STATE) == "Terminated":
                return
        except OSError as error:
            say(f"the metadata service gives no answer: {error}")
        time.sleep(EVERY)


def linger_seconds() -> float:
    """How long nginx goes on taking requests."""
    for line in (FOLDER / "web.env").read_text().splitlines():
        name, _, value = line.partition("=")
        if name == LINGER_VARIABLE:
            return float(value.strip('"'))
    return LINGER_DEFAULT


def drain(role: str) -> None:
    """Ends the tier without a failed request. However that goes, the instance ends: the rest is said in the log."""
    if role == "web":
        time.sleep(linger_seconds())
    ran = subprocess.run(["systemctl", "stop", f"trestle-{role}.service"], text=True, capture_output=True)
    if ran.returncode != 0:
        say(f"trestle-{role} did not stop: {ran.stderr.strip()}")


def complete(machine: Machine, metadata: Metadata) -> None:
    """Says that the instance may go. Without that it goes when the hook's time is over."""
    group = metadata.get(GROUP)
    if group is None:
        say(
            "this instance has no tag aws:autoscaling:groupName in its metadata, so it goes when the hook's time is over"
        )
        return
    try:
        account.client(machine, "autoscaling").complete_lifecycle_action(
            AutoScalingGroupName=group,
            LifecycleHookName=HOOK,
            InstanceId=metadata.instance(),
            LifecycleActionResult="CONTINUE",
        )
        say(f"drained; {group} was told so")
    except (ClientError, BotoCoreError) as error:
        say(f"drained, but {group} could not be told: {error}")


def main() -> None:
    """Until the end."""
    machine, metadata = Machine.known(), Metadata()
    wait_for_the_end(metadata)
    say(f"auto scaling terminates this instance: draining trestle-{machine.role}")
    began = time.monotonic()
    drain(machine.role)
    say(f"trestle-{machine.role} has ended after {time.monotonic() - began:.1f} s")
    complete(machine, metadata)
    # Started again it would drain once more.
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
