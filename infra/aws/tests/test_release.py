"""The release archive: the same bytes for the same inputs, whole, and refused when something in it could not run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from engine.environment import ROOT
from lab.authority import Authority

from trestle_aws import packages
from trestle_aws.build import BINARIES, Built, Inputs, build, check_binary, newest_glibc
from trestle_aws.errors import Failure, UsageError

REPOSITORY = ROOT.parents[1]
KEPT = REPOSITORY / ".trestle-aws"
pytestmark = pytest.mark.xdist_group("release")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Programs that are small, and all the rest as it is."""
    if packages.KEYRING.exists() is False or shutil.which("apt-get") is None:
        pytest.skip("NOT RUN: a release is built on Debian or Ubuntu with debian-archive-keyring")
    folder = tmp_path_factory.mktemp("binaries")
    for name in BINARIES:
        shutil.copy("/bin/true", folder / name)
    authority = Authority(tmp_path_factory.mktemp("tls"), "rds")
    return Inputs(REPOSITORY, "1.2.3", folder, authority.file, cache=KEPT, refresh=False, revision="abc")


@pytest.fixture(scope="module")
def built(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(inputs, tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "-xzf", built.path, "-C", folder, "--no-same-owner"], check=True)
    return folder


def test_packages_come_from_the_mirror_of_this_machine_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apt = tmp_path / "apt-get"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    apt.write_text(
        "#!/bin/sh\nprintf '%s\\n' http://one.example/debian-security/ http://one.example/debian/ http://two.example/debian/\n"
    )
    apt.chmod(0o755)
    assert packages.mirrors() == ("http://one.example/debian/", "http://one.example/debian-security/")
    apt.write_text("#!/bin/sh\necho http://one.example/ubuntu/\n")
    with pytest.raises(Failure, match="TRESTLE_DEBIAN_MIRROR"):
        packages.mirrors()
    monkeypatch.setenv("TRESTLE_DEBIAN_MIRROR", "http://three.example/debian/")
    assert packages.mirrors() == ("http://three.example/debian", "http://three.example/debian-security")


def test_the_same_inputs_make_the_same_bytes(inputs: Inputs, built: Built, tmp_path: Path) -> None:
    """Whoever builds, whenever, with whatever umask and file times."""
    copy = tmp_path / "binaries"
    shutil.copytree(inputs.binaries, copy, copy_function=shutil.copyfile)
    again = build(replace(inputs, binaries=copy), tmp_path)
    assert again.sha256 == built.sha256
    other = build(replace(inputs, revision="abd"), tmp_path)
    assert other.sha256 != built.sha256


def test_checksums_are_outside_and_inside(built: Built, unpacked: Path) -> None:
    assert hashlib.sha256(built.path.read_bytes()).hexdigest() == built.sha256
    assert built.path.with_name(built.path.name + ".sha256").read_text() == f"{built.sha256}  {built.path.name}\n"
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=unpacked, check=True)
    listed = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert listed == there - {"SHA256SUMS"}


def test_entries_belong_to_root_and_nobody_else_may_write(built: Built) -> None:
    with tarfile.open(built.path) as archive:
        for entry in archive:
            assert (entry.uid, entry.gid, entry.mtime) == (0, 0, 0), entry.name
            assert entry.mode in (0o644, 0o755) and not entry.name.startswith(("/", "..")), entry.name
            assert entry.isdir() or entry.isfile(), entry.name


def test_what_instances_need_is_in_it(unpacked: Path) -> None:
    for path in (
        "bootstrap",
        "bin/trestle-api",
        "share/trestle/web/render",
        "share/trestle/web/release",
        "instance/shop",
    ):
        assert (unpacked / path).stat().st_mode & 0o111, path
    for path in ("rds-ca.pem", "LICENSE", "LICENSES.md", "release.json", "packages/Packages", "instance/packages.conf"):
        assert (unpacked / path).read_text(), path
    # What a program of the release would look for beside it.
    assert (unpacked / "share/trestle/web/storefront/index.html").exists()
    assert not list(unpacked.rglob("__pycache__")) and not list(unpacked.rglob("*.pyc"))
    web = {
        str(path.relative_to(REPOSITORY / "services/web"))
        for path in (REPOSITORY / "services/web").rglob("*")
        if path.is_file()
    }
    taken = {
        str(path.relative_to(unpacked / "share/trestle/web"))
        for path in (unpacked / "share/trestle/web").rglob("*")
        if path.is_file()
    }
    assert web - taken == {".dockerignore", "Dockerfile"} and taken <= web


def test_each_package_is_there_with_what_it_depends_on(unpacked: Path) -> None:
    """apt itself, with this repository alone and nothing installed, finds a way to install every role's packages."""
    stanzas = [packages.parse(stanza) for stanza in (unpacked / "packages/Packages").read_text().split("\n\n")]
    for stanza in stanzas:
        content = (unpacked / "packages" / stanza["Filename"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == stanza["SHA256"] and len(content) == int(stanza["Size"])
    root = unpacked.parent / "apt"
    for name in ("state/lists/partial", "cache/archives/partial", "etc"):
        (root / name).mkdir(parents=True)
    (root / "status").write_text("")
    (root / "etc/sources.list").write_text(f"deb [trusted=yes] file:{unpacked}/packages ./\n")
    options = {
        "Dir::State": root / "state", "Dir::State::status": root / "status", "Dir::Cache": root / "cache", "Dir::Etc": root / "etc",
        "Dir::Etc::sourceparts": "-", "APT::Install-Recommends": "false", "APT::Architecture": "amd64", "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    subprocess.run(["apt-get", *words, "update"], check=True, capture_output=True)
    for role, wanted in packages.wanted(ROOT / "instance/packages.conf").items():
        ran = subprocess.run(
            ["apt-get", *words, "install", "--simulate", "--yes", *wanted], text=True, capture_output=True
        )
        assert ran.returncode == 0, f"{role}: {ran.stderr}"


def test_every_package_is_in_the_list_of_licences(unpacked: Path) -> None:
    listed = (unpacked / "LICENSES.md").read_text()
    for stanza in (unpacked / "packages/Packages").read_text().split("\n\n"):
        fields = packages.parse(stanza)
        assert f"| {fields['Package']} | {fields['Version']} |" in listed
    assert "| axum |" in listed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"release": "../x"}, "--release"),
        ({"architecture": "riscv64"}, "--architecture"),
        ({"architecture": "arm64"}, "is no program for Linux on arm64"),
        ({"binaries": Path("/nonexistent")}, "make build"),
        ({"rds_ca": Path("/nonexistent")}, "--rds-ca"),
        ({"rds_ca": Path("/etc/hostname")}, "no certificate"),
    ],
)
def test_what_could_not_run_is_refused(inputs: Inputs, tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises((Failure, UsageError), match=said):
        build(replace(inputs, **change), tmp_path)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_program_for_a_newer_c_library_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "trestle-api"
    program.write_bytes(Path("/bin/true").read_bytes() + b"\0GLIBC_2.34\0GLIBC_2.99\0GLIBC_PRIVATE\0")
    assert newest_glibc(program) == (2, 99)
    with pytest.raises(Failure, match=r"glibc 2\.99 and Debian trixie has 2\.41"):
        check_binary(program, "amd64")


def test_a_package_that_debian_has_not_signed_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(b"x")
    with pytest.raises(Failure, match="SHA-256"):
        packages.verified(
            packages.Package({"Package": "x", "Version": "1", "Architecture": "all", "SHA256": "0" * 64}, path)
        )


def test_the_agents_signature_is_checked(tmp_path: Path) -> None:
    """By the key that is named, and no other."""
    keys = []
    for name in ("amazon", "stranger"):
        home = tmp_path / name
        home.mkdir(mode=0o700)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-generate-key", name, "ed25519", "sign"], check=True, capture_output=True)
        key = tmp_path / f"{name}.asc"
        key.write_bytes(subprocess.run([*gpg, "--armor", "--export", name], check=True, capture_output=True).stdout)
        keys.append((gpg, key))
    agent = tmp_path / "agent.deb"
    agent.write_bytes(b"agent")
    subprocess.run([*keys[0][0], "--detach-sign", agent], check=True, capture_output=True)
    signature = tmp_path / "agent.deb.sig"
    packages.check_signature(agent, signature, keys[0][1])
    with pytest.raises(Failure, match="is not signed by"):
        packages.check_signature(agent, signature, keys[1][1])
    agent.write_bytes(b"agenT")
    with pytest.raises(Failure, match="is not signed by"):
        packages.check_signature(agent, signature, keys[0][1])
    for gpg, _ in keys:
        # The agent of this home, and no other.
        subprocess.run(["gpgconf", "--homedir", gpg[2], "--kill", "gpg-agent"], check=True)
