"""The lab put together: network, metadata, AWS, data tier, a release, and machines that start from a preset's launch templates."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import boto3
from engine.environment import GIVEN, REGION, Variant
from moto.s3.models import s3_backends

from lab import debian, leftovers, tiers
from lab import vpc as addresses
from lab.authority import Authority
from lab.balancer import Balancer
from lab.cloud import Cloud
from lab.design import BALANCER, CACHE, DATABASE, GROUPS, Design, group_name, secret_name
from lab.machine import Machine
from lab.metadata import Instance, Metadata
from lab.vpc import AWS, Vpc
from trestle_aws.build import BINARIES, Built, Inputs, build
from trestle_aws.template import ACCOUNT

REPOSITORY = Path(__file__).resolve().parents[4]
KEPT = REPOSITORY / ".trestle-aws"
PASSWORDS = {name: secrets.token_hex(20) for name in ("MasterSecret", "AppSecret", "KeysSecret", "CacheSecret")}
SECRETS = {
    "MasterSecret": {"username": tiers.MASTER, "password": PASSWORDS["MasterSecret"]},
    "AppSecret": {"username": "trestle", "password": PASSWORDS["AppSecret"]},
    "KeysSecret": {"kid": "k1", "key": secrets.token_hex(32)},
    "CacheSecret": {"username": "default", "password": PASSWORDS["CacheSecret"]},
}
VARIANTS = {
    "groups": Variant("stage-5-auto-scaling"),
    "instances": Variant("stage-3-second-instance"),
    "single": Variant("stage-1-single"),
    "generator": Variant("production", (), ("generator",)),
}
ROLES = {
    "web": ("WebRole", "groups", "app", "WebLaunchTemplate"),
    "api": ("ApiRole", "groups", "app", "ApiLaunchTemplate"),
    "job": ("JobRole", "groups", "job", "JobLaunchTemplate"),
    "instance": ("SingleRole", "instances", "instances", "LaunchTemplate"),
    "single": ("SingleRole", "single", "instances", "LaunchTemplate"),
    "generator": ("GeneratorRole", "generator", "generator", "LaunchTemplate"),
}
"""By the role of user-data: the role in IAM, the design, its stack, and the launch template there."""


def binaries() -> Path:
    """Where the release binaries are."""
    told = os.environ.get("TRESTLE_AWS_BINARIES") or os.environ.get("CARGO_TARGET_DIR")
    folder = Path(told) if told else REPOSITORY / "target/release"
    return folder if (folder / BINARIES[0]).exists() else folder / "release"


class Region:
    """It. `close` removes all of it."""

    def __init__(self) -> None:
        leftovers.sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{leftovers.NAME}-{os.getpid()}-"))
        self.machines: list[Machine] = []
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self.root = debian.root(KEPT)
        # What signs AWS's and ElastiCache's certificates every system trusts; what signs RDS's only the release does.
        self.public = Authority(self.folder / "tls", "public")
        self.rds = Authority(self.folder / "tls", "rds")
        self.vpc = Vpc()
        self.metadata = Metadata(self.vpc)
        # The data tier comes up while the release is built.
        data = self.folder / "database"
        data.mkdir()
        self.database = tiers.Database(self.vpc, self.rds, DATABASE, data, KEPT, PASSWORDS["MasterSecret"])
        self.cache = tiers.Cache(self.vpc, self.public, CACHE, self.folder, PASSWORDS["CacheSecret"])
        self.release = self._release()
        self._accounts()
        self.cloud = Cloud(self.vpc, self.public, self.metadata, REGION, self.design)
        self.balancer = Balancer(self.vpc, addresses.BALANCER, 80)
        self.database.wait()

    def _release(self) -> Built:
        """An archive of this tree; the same again where nothing of it has changed but the authority."""
        inputs = Inputs(REPOSITORY, GIVEN["Release"], binaries(), rds_ca=self.rds.file, cache=KEPT, refresh=False)
        return build(inputs, self.folder / "release")

    def _accounts(self) -> None:
        """What the stacks and trestle-aws leave in AWS before an instance starts."""
        self.secrets = {}
        secretsmanager = self.client("secretsmanager")
        for logical_id, value in SECRETS.items():
            made = secretsmanager.create_secret(Name=secret_name(logical_id), SecretString=json.dumps(value))
            self.secrets[logical_id] = made["ARN"]
        self.designs = {
            name: Design.of(variant, self.secrets, self.release.sha256) for name, variant in VARIANTS.items()
        }
        self.design = self.designs["groups"]
        self.configure({**self.designs["instances"].configuration(), **self.design.configuration()})
        s3 = self.client("s3")
        s3.create_bucket(Bucket=GIVEN["ReleaseBucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
        self.upload(GIVEN["Release"], self.release.path.read_bytes())
        logs = self.client("logs")
        for name in ("web", "api", "job", "system"):
            logs.create_log_group(logGroupName=self.path(name))

    def client(self, service: str):  # type: ignore[no-untyped-def]
        """moto in this process, as somebody who may do all."""
        return boto3.client(service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    def path(self, rest: str) -> str:
        """The name of a parameter or log group."""
        return f"/{GIVEN['Project']}/{GIVEN['Environment']}/{rest}"

    def configure(self, values: dict[str, str]) -> None:
        """Sets parameters."""
        ssm = self.client("ssm")
        for name, value in values.items():
            ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def upload(self, release: str, content: bytes) -> None:
        """An archive into the release bucket; straight into moto, whose front takes seconds for 90 MB."""
        key = f"releases/{release}/trestle-{release}-amd64.tar.gz"
        s3_backends[ACCOUNT]["aws"].put_object(GIVEN["ReleaseBucket"], key, content)

    @property
    def hosts(self) -> dict[str, tuple[str, ...]]:
        """What the VPC's name service says."""
        names = dict.fromkeys([*self.cloud.names, f"{GIVEN['ReleaseBucket']}.s3.{REGION}.amazonaws.com"], (AWS,))
        return {**names, DATABASE: (addresses.DATABASE,), CACHE: (addresses.CACHE,), BALANCER: addresses.BALANCER}

    def start(
        self, name: str, role: str, *, user_data: str = "", hosts: dict[str, tuple[str, ...]] | None = None
    ) -> Machine:
        """An instance of a launch template, or with a user-data of its own."""
        number = len(self.machines) + 1
        iam = ROLES[role][0]
        group = group_name(GROUPS[iam][0]) if iam in GROUPS else None
        instance = Instance(f"i-{number:017x}", iam, user_data or self.user_data(role), group)
        address = f"10.20.1.{number}"
        self.metadata.instances[address] = instance
        machine = Machine(name, address, self.root, self.folder / name, self.vpc, hosts or self.hosts, self.public.pem)
        self.machines.append(machine)
        return machine.boot()

    def user_data(self, role: str) -> str:
        """What a launch template gives to its instances."""
        _, design, stack, template = ROLES[role]
        return self.designs[design].user_data(stack, template)

    def instance(self, machine: Machine) -> Instance:
        """What EC2 says of it."""
        return self.metadata.instances[machine.address]

    def lines(self, group: str, machine: Machine) -> list[str]:
        """What it has in CloudWatch."""
        logs = self.client("logs")
        name, stream = self.path(group), self.instance(machine).id
        try:
            pages = logs.get_log_events(logGroupName=name, logStreamName=stream, limit=10000, startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in pages["events"]]

    def close(self) -> None:
        """Ends the machines first, then what they ask."""
        for machine in self.machines:
            machine.kill()
        for tier in (getattr(self, "cache", None), getattr(self, "database", None)):
            if tier:
                tier.close()
        if hasattr(self, "vpc"):
            self.vpc.close()
        shutil.rmtree(self.folder, ignore_errors=True)
