"""What the tests share: an account in memory, and environments that are evaluated once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine.environment import Environment, build
from engine.variants import all_variants
from moto import mock_aws
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ALONE = {"test_inputs", "test_mutations", "test_properties"}
"""Modules whose tests share nothing that is dear, so that each may run on any worker; others stay together."""

EVALUATED: dict[str, Environment] = {}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that open nothing, so that no test can reach an account by mistake."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_SESSION_TOKEN", "testing"),
    ):
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


class ByFixture(LoadScopeScheduling):  # type: ignore[misc]
    """What shares a fixture that takes seconds runs on one worker: a module, or one deployed environment.

    pytest-xdist's own groups (`--dist loadgroup`) go by an attribute that pytest 9.2 no longer has, and then do nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        module = path.rsplit("/", 1)[-1].removesuffix(".py")
        if module in ALONE:
            return nodeid
        return test.partition("[")[2] if module == "test_deploy" else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFixture:
    """Asked for by pytest-xdist."""
    return ByFixture(config, log)
