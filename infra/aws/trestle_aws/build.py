"""The release archive: all that an instance needs beyond its image, in one file with its checksum.

    built = build(Inputs(repository, release="0.1.0", binaries=repository / "target/release", rds_ca=..., ssm_agent=...), output)

The same inputs make the same bytes: names are sorted, times, owners and modes are fixed. What is in it:

    bootstrap instance/   what makes a machine into its role
    bin/                  trestle-api, trestle, trestle-loadtest, without debugging symbols
    share/trestle/web/    the web tier: services/web as it is
    packages/             Debian's packages, as a repository for apt
    rds-ca.pem            whom RDS's certificates come from
    release.json LICENSES.md SHA256SUMS
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trestle_aws import licences, packages
from trestle_aws.errors import Failure, UsageError

RELEASE = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")
BINARIES = ("trestle-api", "trestle", "trestle-loadtest")
# In an ELF header: whom the program is for.
MACHINES = {"amd64": 62, "arm64": 183}
STRIP = {"amd64": "x86_64-linux-gnu-strip", "arm64": "aarch64-linux-gnu-strip"}
# Most of it is compressed already, and time counts more than 3 % of the size.
LEVEL = 1
# What is in services/web but is not served and does not serve.
NOT_RELEASED = (".dockerignore", "Dockerfile", "__pycache__")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Inputs:
    """What an archive is made of."""

    repository: Path
    release: str
    binaries: Path
    """The folder with the release binaries (target/release)."""
    rds_ca: Path
    """The authorities of RDS, in PEM."""
    architecture: str = "amd64"
    ssm_agent: Path | None = None
    """Amazon's SSM agent for Debian, which Debian does not have; without it neither Session Manager nor Run Command reach an instance."""
    revision: str = ""
    cache: Path | None = None
    """Where apt's downloads are kept; .trestle-aws in the repository unless told."""
    refresh: bool = True
    """Whether Debian is asked for newer packages than were fetched before."""


@dataclass(frozen=True)
class Built:
    """An archive."""

    path: Path
    sha256: str
    size: int


def name(release: str, architecture: str) -> str:
    """The archive's file name; in the bucket it is releases/RELEASE/NAME."""
    return f"trestle-{release}-{architecture}.tar.gz"


def build(inputs: Inputs, output: Path, say: Say = lambda line: None) -> Built:
    """Makes the archive in the folder `output`, with its SHA-256 beside it."""
    if not RELEASE.match(inputs.release):
        raise UsageError(f"--release {inputs.release!r}: up to 64 letters, digits and . + _ -")
    if inputs.architecture not in MACHINES:
        raise UsageError(f"--architecture {inputs.architecture!r}: one of {', '.join(MACHINES)}")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=output) as scratch:
        tree = Path(scratch) / "tree"
        _assemble(inputs, tree, say)
        say("packing")
        packed = Path(scratch) / "archive"
        _pack(tree, packed)
        sha256 = _sha256(packed)
        path = output / name(inputs.release, inputs.architecture)
        packed.replace(path)
    path.with_name(path.name + ".sha256").write_text(f"{sha256}  {path.name}\n")
    return Built(path, sha256, path.stat().st_size)


def _assemble(inputs: Inputs, tree: Path, say: Say) -> None:
    here = inputs.repository / "infra/aws/instance"
    (tree / "bin").mkdir(parents=True)
    for binary in BINARIES:
        _take_binary(inputs, binary, tree / "bin" / binary)
    ignored = shutil.ignore_patterns(*NOT_RELEASED)
    shutil.copytree(inputs.repository / "services/web", tree / "share/trestle/web", ignore=ignored)
    shutil.copytree(here, tree / "instance", ignore=shutil.ignore_patterns(*NOT_RELEASED, "user-data.sh"))
    (tree / "instance/bootstrap").rename(tree / "bootstrap")
    shutil.copy(inputs.repository / "LICENSE", tree / "LICENSE")
    _take_authorities(inputs.rds_ca, tree / "rds-ca.pem")

    say("fetching Debian's packages")
    wanted = {package for names in packages.wanted(here / "packages.conf").values() for package in names}
    apt = packages.Apt((inputs.cache or inputs.repository / ".trestle-aws") / "apt", inputs.architecture)
    brought = apt.fetch(wanted, refresh=inputs.refresh)
    if inputs.ssm_agent:
        brought.append(packages.foreign(inputs.ssm_agent, inputs.architecture))
    (tree / "packages").mkdir()
    for package in brought:
        shutil.copyfile(package.path, tree / "packages" / package.file)
    (tree / "packages/Packages").write_text(packages.index(brought))

    (tree / "LICENSES.md").write_text(licences.document(inputs.repository, brought))
    about = {
        "release": inputs.release,
        "architecture": inputs.architecture,
        "revision": inputs.revision,
        "debian": packages.SUITE,
    }
    (tree / "release.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
    sums = [f"{_sha256(path)}  {path.relative_to(tree)}\n" for path in _files(tree)]
    (tree / "SHA256SUMS").write_text("".join(sums))


def _take_binary(inputs: Inputs, binary: str, target: Path) -> None:
    """A copy without debugging symbols, if it runs on the image."""
    source = inputs.binaries / binary
    if not source.is_file():
        raise Failure(f"{source} is missing: `make build` makes it (cargo build --release --workspace)")
    check_binary(source, inputs.architecture)
    strip = shutil.which(STRIP[inputs.architecture]) or shutil.which("strip")
    if strip is None:
        raise Failure("strip is not here, which takes debugging symbols off the binaries: apt install binutils")
    ran = subprocess.run([strip, "--strip-all", "-o", target, source], text=True, capture_output=True)
    if ran.returncode != 0:
        raise Failure(f"{source}: {ran.stderr.strip()}")


def check_binary(path: Path, architecture: str) -> None:
    """Refuses a program for another machine, or one that asks for a newer C library than the image has."""
    head = path.read_bytes()[:20]
    if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != MACHINES[architecture]:
        raise Failure(f"{path} is no program for Linux on {architecture}")
    newest = newest_glibc(path)
    if newest > tuple(int(part) for part in packages.GLIBC.split(".")):
        raise Failure(
            f"{path} asks for glibc {'.'.join(map(str, newest))} and Debian {packages.SUITE} has {packages.GLIBC}: "
            f"build it on Debian {packages.SUITE} or older"
        )


def newest_glibc(path: Path) -> tuple[int, ...]:
    """The newest version of the C library's symbols that a program is linked with, (2, 34)."""
    found = re.findall(rb"\x00GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\x00)", path.read_bytes())
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def _take_authorities(source: Path, target: Path) -> None:
    try:
        text = source.read_text()
    except OSError as error:
        raise Failure(f"--rds-ca {source}: {error.strerror}") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise Failure(f"--rds-ca {source}: no certificate in it")
    target.write_text(text)


def _files(tree: Path) -> Iterator[Path]:
    yield from sorted(
        (path for path in tree.rglob("*") if path.is_file()), key=lambda path: str(path.relative_to(tree))
    )


def _pack(tree: Path, target: Path) -> None:
    """A tar archive whose bytes follow from names and contents alone."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(tree.rglob("*"), key=lambda path: str(path.relative_to(tree))):
            entry = tarfile.TarInfo(str(path.relative_to(tree)))
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
                continue
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            content = path.read_bytes()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
