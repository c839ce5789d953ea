"""The words of `trestle-aws build`: what it hands over, what it fetches and when, and the name that it gives a release.

What is in the archive is tested in test_build.py.
"""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from cli_world import World, account

from trestle_aws import build
from trestle_aws.build import Built, Inputs


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, list[Inputs]]]:
    """A repository with one commit; what would be built is written down."""
    handed: list[Inputs] = []

    def built(inputs: Inputs, output: Path, say: object) -> Built:
        handed.append(inputs)
        return Built(output / build.name(inputs.release, inputs.architecture), "0" * 64, 1)

    monkeypatch.setattr(build, "build", built)
    with account(tmp_path) as world:
        (tmp_path / "Cargo.toml").write_text('[workspace.package]\nversion = "0.3.1"\n')
        (tmp_path / ".gitignore").write_text(".trestle-aws\n")
        for words in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
        ):
            subprocess.run(["git", "-C", tmp_path, *words], check=True)
        yield world, handed


def serve(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """AWS's servers."""
    asked: list[str] = []

    def opened(url: str, timeout: float) -> BytesIO:
        asked.append(url)
        return BytesIO(b"content of " + url.encode())

    monkeypatch.setattr(urllib.request, "urlopen", opened)
    return asked


def test_what_is_missing_is_fetched_once(tree: tuple[World, list[Inputs]], monkeypatch: pytest.MonkeyPatch) -> None:
    world, handed = tree
    asked = serve(monkeypatch)
    world.ok("build")
    world.ok("build")
    assert sorted(asked) == [
        "https://s3.amazonaws.com/ec2-downloads-windows/SSMAgent/latest/debian_amd64/amazon-ssm-agent.deb",
        "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    ]
    assert handed[0].rds_ca.read_text().endswith("global-bundle.pem")
    agent = handed[0].ssm_agent
    assert agent and agent.read_text().endswith("amazon-ssm-agent.deb")


def test_files_that_are_named_are_taken_and_nothing_is_fetched(
    tree: tuple[World, list[Inputs]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handed = tree
    asked = serve(monkeypatch)
    world.ok(
        "build",
        "--rds-ca",
        "ca.pem",
        "--ssm-agent",
        "agent.deb",
        "--binaries",
        "bin",
        "--architecture",
        "arm64",
        "--release",
        "9",
    )
    assert asked == []
    inputs = handed[0]
    found = (str(inputs.rds_ca), str(inputs.ssm_agent), str(inputs.binaries), inputs.architecture, inputs.release)
    assert found == ("ca.pem", "agent.deb", "bin", "arm64", "9")


def test_without_a_way_to_aws_it_says_which_file_to_name(
    tree: tuple[World, list[Inputs]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handed = tree

    def closed(url: str, timeout: float) -> BytesIO:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", closed)
    said = world.run("build")
    assert said.code == 1 and "--ssm-agent" in said.complaint and "no route to host" in said.complaint
    said = world.run("build", "--ssm-agent", "agent.deb")
    assert said.code == 1 and "--rds-ca" in said.complaint
    assert handed == [] and not list((world.root.parent.parent / ".trestle-aws").glob("*.pem"))


def test_a_release_is_named_by_version_commit_and_whether_something_was_changed(
    tree: tuple[World, list[Inputs]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handed = tree
    serve(monkeypatch)
    repository = world.root.parent.parent
    commit = subprocess.run(
        ["git", "-C", repository, "rev-parse", "--short=12", "HEAD"], text=True, capture_output=True, check=True
    ).stdout.strip()
    said = world.ok("build")
    assert handed[-1].release == f"0.3.1-{commit}" and handed[-1].revision == commit
    # Where deploy looks for it.
    assert said.out.strip() == str(repository / f".trestle-aws/releases/trestle-0.3.1-{commit}-amd64.tar.gz")
    (repository / "Cargo.toml").write_text('version = "0.3.1"\n')
    world.ok("build")
    assert handed[-1].release == f"0.3.1-{commit}-changed"
