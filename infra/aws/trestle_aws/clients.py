"""Clients of AWS's services: made here and nowhere else, each with time limits and retries."""

from __future__ import annotations

from functools import cached_property

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from trestle_aws.errors import UsageError

# Nothing that is asked takes longer; a throttled call is repeated with growing pauses.
CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"mode": "adaptive", "max_attempts": 8})


class Clients:
    """One client a service, in one region with one profile."""

    def __init__(self, region: str, profile: str | None = None) -> None:
        self.region = region
        self._profile = profile
        self._made: dict[str, BaseClient] = {}

    @cached_property
    def _session(self) -> boto3.session.Session:
        try:
            return boto3.session.Session(region_name=self.region, profile_name=self._profile)
        except ProfileNotFound as error:
            raise UsageError(f"--profile: {error}") from error

    def of(self, service: str) -> BaseClient:
        """The client of a service, such as `cloudformation`."""
        if service not in self._made:
            self._made[service] = self._session.client(service, config=CONFIG)
        return self._made[service]

    def elsewhere(self, region: str) -> Clients:
        """The same account in another region (certificates of CloudFront are in us-east-1)."""
        if region == self.region:
            return self
        return Clients(region, self._profile)

    @cached_property
    def account(self) -> str:
        """The account's number."""
        return str(self.of("sts").get_caller_identity()["Account"])


def code_of(error: ClientError) -> str:
    """AWS's name of an error, such as `ValidationError`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError | BotoCoreError) -> str:
    """What AWS said, without the name of the call around it."""
    if isinstance(error, ClientError):
        said = str(error.response.get("Error", {}).get("Message", "")) or str(error)
        return f"{error.operation_name}: {code_of(error)}: {said}"
    return str(error)
