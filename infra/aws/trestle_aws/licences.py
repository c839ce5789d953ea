"""The list of what a release is made of, with versions and licences as far as they are known without asking anybody."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from trestle_aws.packages import Package


def document(repository: Path, packages: Sequence[Package]) -> str:
    """LICENSES.md."""
    own = "Trestle is under the licence in LICENSE. It is linked with these crates and comes with these packages.\n"
    crates = "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in _crates(repository))
    brought = "".join(f"| {package.name} | {package.version} | {package.source} |\n" for package in packages)
    return (
        f"# What is in this release\n\n{own}\n"
        f"## Rust crates\n\nAll of the workspace's; not each is in each program.\n\n| crate | version | licence |\n|---|---|---|\n{crates}\n"
        "## Packages\n\nUnchanged, as Debian and Amazon publish them. Installed, a package's licences are in "
        f"/usr/share/doc/PACKAGE/copyright.\n\n| package | version | source |\n|---|---|---|\n{brought}"
    )


def _crates(repository: Path) -> list[tuple[str, str, str]]:
    """Names and versions from Cargo.lock; licences where cargo has the crates' own manifests at hand."""
    lock = tomllib.loads((repository / "Cargo.lock").read_text())
    known = _known(repository)
    found = {(str(crate["name"]), str(crate["version"])) for crate in lock["package"] if "source" in crate}
    return sorted((name, version, known.get((name, version), "in the crate's source")) for name, version in found)


def _known(repository: Path) -> dict[tuple[str, str], str]:
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    try:
        ran = subprocess.run(command, cwd=repository, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return {}
    crates = json.loads(ran.stdout)["packages"]
    return {(crate["name"], crate["version"]): crate["license"] for crate in crates if crate.get("license")}
