"""What an instance asks of AWS: parameters, secrets, a report, log lines, the end of its draining. boto3 is Debian's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from trestle_instance.machine import Machine, Stop

# A role that was just made, or a network that was just attached, may need a moment; a wrong one must not take minutes.
SETTINGS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})
T = TypeVar("T")


def client(machine: Machine, service: str) -> BaseClient:
    """A client in the machine's region, with the credentials of its role."""
    return boto3.client(service, region_name=machine.region, config=SETTINGS)


def asked(what: str, call: Callable[[], T]) -> T:
    """The answer; else a Stop that says what was asked and why there is none."""
    try:
        return call()
    except ClientError as error:
        reason = error.response.get("Error", {})
        raise Stop(f"{what}: {reason.get('Code', 'error')}: {reason.get('Message', error)}") from error
    except BotoCoreError as error:
        raise Stop(f"{what}: {error} (is there a way to the service: NAT, or its interface endpoint?)") from error


def parameters(machine: Machine, part: str) -> dict[str, str]:
    """The parameters right below config/PART, by the last part of their names."""
    path = machine.path(f"config/{part}")
    pages = client(machine, "ssm").get_paginator("get_parameters_by_path").paginate(Path=path)
    found = asked(f"parameters {path}/", lambda: [item for page in pages for item in page["Parameters"]])
    return {item["Name"].removeprefix(f"{path}/"): item["Value"] for item in found}


def secret(machine: Machine, identity: str) -> dict[str, str]:
    """A secret's fields."""
    answer = asked(f"secret {identity}", lambda: client(machine, "secretsmanager").get_secret_value(SecretId=identity))
    try:
        fields = json.loads(answer["SecretString"])
    except (KeyError, ValueError) as error:
        raise Stop(f"secret {identity}: no JSON object") from error
    if not isinstance(fields, dict):
        raise Stop(f"secret {identity}: no JSON object")
    return {str(name): str(value) for name, value in fields.items()}


def field(fields: dict[str, str], name: str, where: str) -> str:
    """One of them that has to be there."""
    if not fields.get(name):
        raise Stop(f"{where}: {name} is missing")
    return fields[name]
