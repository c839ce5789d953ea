"""What the tests share: an account in memory, and environments that are evaluated once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from engine.environment import Environment, build
from engine.variants import all_variants

EVALUATED: dict[str, Environment] = {}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that open nothing, so that no test can reach an account by mistake."""
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_SESSION_TOKEN", "testing")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def account() -> Iterator[None]:
    """An empty AWS account."""
    with mock_aws():
        yield


def environment(name: str) -> Environment:
    """A preset or option by name, evaluated once."""
    if name not in EVALUATED:
        EVALUATED[name] = build(all_variants()[name], name=name)
    return EVALUATED[name]
