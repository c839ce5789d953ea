"""An account in which trestle-aws runs, in this process: moto, CloudFormation, and what instances answer to Run
Command.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import botocore.loaders
import botocore.session
import pytest
from botocore.exceptions import ClientError
from cli_cloudformation import CloudFormation
from moto import mock_aws

from trestle_aws import cli, delegation, pace, reader

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
LOADER = botocore.loaders.create_loader()
PARSE = cache(reader.parse)
CLIENT = boto3.session.Session.client
CLIENTS: dict[tuple[str, str | None, bool], Any] = {}
Answer = Callable[[Any, dict[str, Any]], dict[str, Any]]


@dataclass
class Said:
    """How a call of trestle-aws ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line on standard error."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass
class Command:
    """A command that an instance was told to run."""

    instance: str
    lines: list[str]
    seconds: int

    @property
    def line(self) -> str:
        return self.lines[0] if len(self.lines) == 1 else "\n".join(self.lines)


@dataclass
class World:
    """The account."""

    root: Path
    formation: CloudFormation
    clock: float = 1000.0
    answers: dict[str, Answer] = field(default_factory=dict)
    """Stand-ins for operations that moto lacks, by operation."""
    commands: list[Command] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    replies: list[tuple[str, int, str, str]] = field(default_factory=list)
    """What instances answer: a piece of the command, exit code, output, errors."""
    on_sleep: list[Callable[[], None]] = field(default_factory=list)
    """What happens in the world while trestle-aws waits."""
    name_servers: set[str] = field(default_factory=set)
    """What resolvers say of every domain."""
    refreshed: list[str] = field(default_factory=list)
    """Groups whose instances were replaced; what one of them ends as is in `refresh_ends`."""
    refresh_ends: tuple[str, str] = ("Successful", "")

    def run(self, *words: str) -> Said:
        """Calls trestle-aws."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(words, self.root)
        return Said(code, out.getvalue(), err.getvalue())

    def ok(self, *words: str) -> Said:
        """Calls it; it has to succeed."""
        said = self.run(*words)
        assert said.code == 0, said.err
        return said

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(service, region_name=region)

    def build(self, version: str = "1.0.0", content: bytes = b"an archive", architecture: str = "amd64") -> None:
        """A release as `trestle-aws build` leaves it."""
        folder = self.root.parent.parent / ".trestle-aws/releases"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"trestle-{version}-{architecture}.tar.gz").write_bytes(content)

    def report(
        self, state: str = "done", step: str = "migrate", message: str = "ready", release: str = "1.0.0", at: str = "t1"
    ) -> None:
        """The job's report."""
        value = {"release": release, "state": state, "step": step, "message": message, "at": at}
        self.client("ssm").put_parameter(
            Name="/trestle/shop/job/report", Value=json.dumps(value), Type="String", Overwrite=True
        )

    def clear_hold(self) -> None:
        """Nobody holds the group."""
        with contextlib.suppress(ClientError):
            self.client("ssm").delete_parameter(Name="/trestle/shop/trestle-aws/hold")

    def group(self, tier: str = "api") -> dict[str, Any]:
        """A group as AWS has it."""
        name = f"trestle-shop-app-{tier.capitalize()}Group"
        return self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ][0]

    def call(self, client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """What this world answers itself; none for moto."""
        service = client.meta.service_model.service_name
        if service == "cloudformation":
            return self.formation(client, operation, parameters)
        if operation in self.answers:
            return self.answers[operation](client, parameters)
        if operation == "StartInstanceRefresh":
            self.refreshed.append(parameters["AutoScalingGroupName"])
            return {"InstanceRefreshId": f"refresh-{len(self.refreshed)}"}
        if operation == "DescribeInstanceRefreshes":
            return {"InstanceRefreshes": [{"InstanceRefreshId": "", "PercentageComplete": 100} | self._refresh()]}
        if operation == "SendCommand":
            return self._send(parameters)
        if operation == "GetCommandInvocation":
            return self._invocation(parameters)
        if operation == "CancelCommand":
            self.cancelled.append(parameters["CommandId"])
            return {}
        return None

    def _refresh(self) -> dict[str, str]:
        status, reason = self.refresh_ends
        return {"Status": status, "StatusReason": reason}

    def _send(self, parameters: dict[str, Any]) -> dict[str, Any]:
        given = parameters["Parameters"]
        seconds = int(given["executionTimeout"][0])
        self.commands.append(Command(parameters["InstanceIds"][0], given["commands"], seconds))
        return {"Command": {"CommandId": f"command-{len(self.commands)}"}}

    def _invocation(self, parameters: dict[str, Any]) -> dict[str, Any]:
        command = self.commands[int(parameters["CommandId"].split("-")[1]) - 1]
        for piece, code, output, errors in self.replies:
            if piece in command.line:
                status = "Success" if code == 0 else "Failed"
                return {
                    "Status": status,
                    "ResponseCode": code,
                    "StandardOutputContent": output,
                    "StandardErrorContent": errors,
                }
        return {"Status": "Success", "ResponseCode": 0, "StandardOutputContent": "", "StandardErrorContent": ""}

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.clock += max(seconds, 0.01)
        for happening in list(self.on_sleep):
            happening()

    def finish_job(self, **said: str) -> None:
        """While trestle-aws waits, the job that runs reports and ends."""

        def happening() -> None:
            ec2 = self.client("ec2")
            filters = [
                {"Name": "tag:Environment", "Values": ["shop"]},
                {"Name": "tag:Role", "Values": ["job"]},
                {"Name": "instance-state-name", "Values": ["pending", "running"]},
            ]
            found = [it for r in ec2.describe_instances(Filters=filters)["Reservations"] for it in r["Instances"]]
            if found:
                self.report(**({"at": f"t{self.clock}"} | said))  # type: ignore[arg-type]
                ec2.terminate_instances(InstanceIds=[it["InstanceId"] for it in found])

        self.on_sleep.append(happening)


def _client(session: boto3.session.Session, service: str, region_name: str | None = None, config: Any = None) -> Any:
    """A client, made once for all tests: the account is the same, and making one takes longer than using it."""
    key = (service, region_name or session.region_name, config is not None)
    if key not in CLIENTS:
        CLIENTS[key] = CLIENT(session, service, region_name=region_name, config=config)
    return CLIENTS[key]


@contextlib.contextmanager
def account(folder: Path) -> Iterator[World]:
    """An empty account, and the tree of infra/aws in a repository of its own."""
    root = folder / "infra/aws"
    for name in ("stacks", "presets"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("prices.yml", "growth.yml"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "TRESTLE_PROJECT", "TRESTLE_ENVIRONMENT"):
            patch.delenv(name, raising=False)
        made = World(root, CloudFormation())
        real = botocore.client.BaseClient._make_api_call

        def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            answer = made.call(client, operation, parameters)
            return real(client, operation, parameters) if answer is None else answer

        patch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        # Each call of trestle-aws is a session of its own; models, templates and clients need not be made each time.
        patch.setattr(botocore.session, "create_loader", lambda *_: LOADER)
        patch.setattr(reader, "parse", PARSE)
        patch.setattr(boto3.session.Session, "client", _client)
        patch.setattr(pace, "sleep", made.sleep)
        patch.setattr(pace, "now", lambda: made.clock)
        patch.setattr(delegation, "name_servers", lambda domain: made.name_servers)
        yield made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty account."""
    with account(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An account with the preset demo, for all tests of a module."""
    with account(tmp_path_factory.mktemp("demo")) as made:
        made.build()
        made.finish_job()
        made.ok("deploy", "demo")
        yield made


@pytest.fixture
def shop(demo: World) -> World:
    """That, as it was deployed: two instances of the API, healthy."""
    demo.answers.clear()
    demo.replies.clear()
    demo.commands.clear()
    demo.cancelled.clear()
    demo.on_sleep.clear()
    demo.clear_hold()
    name = demo.group()["AutoScalingGroupName"]
    autoscaling = demo.client("autoscaling")
    autoscaling.resume_processes(AutoScalingGroupName=name)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=2, MaxSize=4, DesiredCapacity=2)
    ids = [it["InstanceId"] for it in demo.group()["Instances"]]
    demo.client("ec2").delete_tags(Resources=ids, Tags=[{"Key": "Replica"}])
    return demo
