"""Commands on instances, by Systems Manager's Run Command: no port is open for it, and CloudTrail has who ran what.

Nothing secret is passed: what is run can be read in the account.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from trestle_aws import pace
from trestle_aws.clients import code_of
from trestle_aws.errors import Failure

DOCUMENT = "AWS-RunShellScript"
# Run Command hands a command out within seconds; an instance whose agent does not answer is given up after this.
DELIVERED_WITHIN = 60
ENDED = (
    "Success",
    "Failed",
    "TimedOut",
    "Cancelled",
    "Undeliverable",
    "Terminated",
    "DeliveryTimedOut",
    "ExecutionTimedOut",
)


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    output: str
    errors: str

    def complaint(self) -> str:
        """The last line that says something."""
        lines = [line.strip() for line in (self.errors or self.output).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}"


@dataclass
class Remote:
    """Runs commands on instances."""

    client: BaseClient
    every: float = 1.0

    def run(self, instance: str, command: Sequence[str], *, within: int = 60) -> Ran:
        """Runs a command as root on an instance and waits for its end. Interrupted, it is cancelled there too."""
        return self.script(instance, [shlex.join(command)], within=within)

    def script(self, instance: str, lines: list[str], *, within: int = 60) -> Ran:
        """The same for lines of a shell."""
        sent = self._send(instance, lines, within)
        try:
            return self._await(instance, sent, within)
        except BaseException:
            self.client.cancel_command(CommandId=sent, InstanceIds=[instance])
            raise

    def check(self, instance: str, command: Sequence[str], *, within: int = 60) -> Ran:
        """Runs a command that has to succeed."""
        ran = self.run(instance, command, within=within)
        if ran.code != 0:
            raise Failure(f"{shlex.join(command)} on {instance}: {ran.complaint()}")
        return ran

    def _send(self, instance: str, lines: list[str], within: int) -> str:
        try:
            sent = self.client.send_command(
                InstanceIds=[instance],
                DocumentName=DOCUMENT,
                Parameters={"commands": lines, "executionTimeout": [str(within)]},
                TimeoutSeconds=DELIVERED_WITHIN,
            )
        except ClientError as error:
            if code_of(error) == "InvalidInstanceId":
                raise Failure(
                    f"{instance}: Systems Manager does not know it: does it run, and does its agent reach SSM?"
                ) from error
            raise
        return str(sent["Command"]["CommandId"])

    def _await(self, instance: str, sent: str, within: int) -> Ran:
        def look() -> dict[str, str] | None:
            try:
                found = self.client.get_command_invocation(CommandId=sent, InstanceId=instance)
            except ClientError as error:
                if code_of(error) == "InvocationDoesNotExist":
                    return None
                raise
            return found if found["Status"] in ENDED else None

        limit = within + DELIVERED_WITHIN
        found = pace.until(look, f"a command on {instance} did not end", within=limit, every=self.every)
        if found["Status"] in ("Success", "Failed"):
            code = int(found.get("ResponseCode", 0 if found["Status"] == "Success" else 1))
            return Ran(code, found.get("StandardOutputContent", ""), found.get("StandardErrorContent", ""))
        raise Failure(f"{instance}: the command ended as {found.get('StatusDetails') or found['Status']}")
