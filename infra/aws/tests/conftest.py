"""What the tests share: an account in memory, and environments that are evaluated once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from engine.environment import Environment, build
from engine.variants import all_variants

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups for `--dist loadgroup`: what shares a fixture that takes seconds runs on one worker."""
    for item in items:
        module = item.path.stem
        deployed = (
            item.callspec.params.get("deployed")
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else None
        )
        if module in ALONE or item.get_closest_marker("xdist_group"):
            continue
        item.add_marker(pytest.mark.xdist_group(str(deployed or module)))
