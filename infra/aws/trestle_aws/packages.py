"""Debian's packages for the release archive: what the roles need, with everything that depends on, fetched and verified by apt.

apt runs with folders of its own and an empty list of what is installed, so it takes nothing from the machine that builds and changes
nothing there; it needs no root. The archive holds a small repository (`Packages` and the files), from which apt on the instance takes
what its image lacks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trestle_aws.errors import Failure

MIRROR = "TRESTLE_DEBIAN_MIRROR"
"""The variable that names a mirror of Debian, on Ubuntu for one."""
SUITE = "trixie"
GLIBC = "2.41"
"""The C library of the suite: what the binaries may ask for at most."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# From the stanzas of apt-cache what the instance's apt looks at, and the source for the list of licences.
FIELDS = (
    "Package", "Source", "Version", "Architecture", "Multi-Arch", "Essential", "Priority", "Section", "Maintainer", "Installed-Size",
    "Provides", "Depends", "Pre-Depends", "Recommends", "Suggests", "Breaks", "Conflicts", "Replaces", "Filename", "Size", "SHA256",
    "Homepage", "Description",
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """A Debian package that has been fetched."""

    fields: Mapping[str, str]
    path: Path

    @property
    def name(self) -> str:
        """Its name."""
        return self.fields["Package"]

    @property
    def version(self) -> str:
        """Its version."""
        return self.fields["Version"]

    @property
    def source(self) -> str:
        """The source package that it is built from."""
        return self.fields.get("Source", self.name).split(" ")[0]

    @property
    def file(self) -> str:
        """Its file's name; a colon of the version would be percent-encoded by apt."""
        return f"{self.name}_{self.version.replace(':', '+')}_{self.fields['Architecture']}.deb"

    def stanza(self) -> str:
        """Its entry in `Packages`."""
        fields = {**self.fields, "Filename": f"./{self.file}"}
        return "".join(f"{name}: {fields[name]}\n" for name in FIELDS if name in fields)


def wanted(configuration: Path) -> dict[str, list[str]]:
    """The packages of each role."""
    lines = [line for line in configuration.read_text().splitlines() if line and not line.startswith("#")]
    return {role: names.split() for role, names in (line.split(":", 1) for line in lines)}


def mirrors() -> tuple[str, str]:
    """Where Debian's packages and their security updates come from: as this machine's apt has them, or as MIRROR says."""
    if shutil.which("apt-get") is None:
        raise Failure("apt-get is not here: the release archive is built on Debian or Ubuntu (or in a container of it)")
    if named := os.environ.get(MIRROR, "").rstrip("/"):
        return named, f"{named}-security"
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    known = subprocess.run(command, text=True, capture_output=True).stdout.split()
    found = [
        next((uri for uri in known if uri.rstrip("/").endswith(end)), "") for end in ("/debian", "/debian-security")
    ]
    if not all(found):
        raise Failure(f"this machine's apt knows no mirror of Debian: name one in {MIRROR} (http://HOST/debian)")
    return found[0], found[1]


class Apt:
    """apt with folders of its own, for one architecture of one suite."""

    def __init__(self, folder: Path, architecture: str) -> None:
        self.folder = folder / f"{SUITE}-{architecture}"
        self.architecture = architecture
        mirror, security = mirrors()
        self.sources = "".join(
            f"deb [signed-by={KEYRING}] {uri} {suite} main\n"
            for uri, suite in ((mirror, SUITE), (mirror, f"{SUITE}-updates"), (security, f"{SUITE}-security"))
        )

    def fetch(self, names: Iterable[str], *, refresh: bool = True) -> list[Package]:
        """The packages with all that they depend on, by name. Without `refresh` what an earlier call has fetched is taken as it is."""
        wanted_now = sorted(set(names))
        stamp = self.folder / "fetched"
        key = hashlib.sha256((self.sources + " ".join(wanted_now)).encode()).hexdigest()
        if refresh or not stamp.exists() or stamp.read_text() != key:
            self._prepare()
            self._run("apt-get", "update")
            archives = self.folder / "cache/archives"
            shutil.rmtree(archives / "partial", ignore_errors=True)
            (archives / "partial").mkdir(parents=True, exist_ok=True)
            self._run("apt-get", "install", "--download-only", "--yes", *wanted_now)
            plan = self._run("apt-get", "install", "--simulate", "--yes", *wanted_now)
            chosen = re.findall(r"^Inst (\S+) \((\S+) ", plan, re.MULTILINE)
            (self.folder / "chosen").write_text(
                "".join(f"{name.split(':')[0]}={version}\n" for name, version in chosen)
            )
            stamp.write_text(key)
        return self._fetched((self.folder / "chosen").read_text().split())

    def _prepare(self) -> None:
        if not KEYRING.exists():
            raise Failure(
                f"{KEYRING} is not here, by which Debian's packages are verified: apt install debian-archive-keyring"
            )
        for name in ("etc", "state/lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc/sources.list").write_text(self.sources)
        (self.folder / "status").write_text("")
        self._configuration.write_text(
            f"""\
APT::Architecture "{self.architecture}";
APT::Architectures {{ "{self.architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
Dir "{self.folder}";
Dir::State "{self.folder}/state";
Dir::State::status "{self.folder}/status";
Dir::Cache "{self.folder}/cache";
Dir::Etc "{self.folder}/etc";
Dir::Etc::sourcelist "{self.folder}/etc/sources.list";
Dir::Etc::sourceparts "-";
"""
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "apt.conf"

    def _run(self, *command: str) -> str:
        environment = {**os.environ, "APT_CONFIG": str(self._configuration), "LC_ALL": "C.UTF-8"}
        ran = subprocess.run(
            [*command, "--quiet=2"] if command[1] == "update" else command,
            text=True,
            capture_output=True,
            env=environment,
        )
        if ran.returncode != 0:
            last = (ran.stderr.strip() or ran.stdout.strip()).splitlines()[-3:]
            raise Failure(f"{' '.join(command[:2])} for Debian {SUITE} failed: {' '.join(last)}")
        return ran.stdout

    def _fetched(self, chosen: list[str]) -> list[Package]:
        files = {path.name: path for path in (self.folder / "cache/archives").glob("*.deb")}
        packages = []
        for stanza in self._run("apt-cache", "show", *chosen).split("\n\n"):
            if not stanza.strip():
                continue
            fields = parse(stanza)
            name = f"{fields['Package']}_{fields['Version'].replace(':', '%3a')}_{fields['Architecture']}.deb"
            if name not in files:
                raise Failure(f"apt has not fetched {name}")
            packages.append(verified(Package(fields, files[name])))
        if len(packages) != len(chosen):
            raise Failure(f"apt chose {len(chosen)} packages and knows {len(packages)} of them")
        return sorted(packages, key=lambda package: package.name)


def parse(stanza: str) -> dict[str, str]:
    """The fields of a stanza, each on one line."""
    fields: dict[str, str] = {}
    for line in stanza.splitlines():
        if line and line[0] not in " \t":
            name, value = line.split(":", 1)
            fields[name] = value.strip()
    return fields


def verified(package: Package) -> Package:
    """The package, whose file is the one that Debian has signed for."""
    with package.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.fields["SHA256"]:
        raise Failure(f"{package.path}: its SHA-256 is {found}, and Debian says {package.fields['SHA256']}")
    return package


def foreign(path: Path, architecture: str) -> Package:
    """A package that is not Debian's: Amazon's SSM agent."""
    ran = subprocess.run(["dpkg-deb", "--field", path], text=True, capture_output=True)
    if ran.returncode != 0:
        raise Failure(f"{path} is no Debian package: {ran.stderr.strip()}")
    fields = parse(ran.stdout)
    if fields.get("Architecture") not in (architecture, "all"):
        raise Failure(f"{path} is for {fields.get('Architecture')}, not for {architecture}")
    content = path.read_bytes()
    fields |= {"Size": str(len(content)), "SHA256": hashlib.sha256(content).hexdigest()}
    return Package(fields, path)


def check_signature(path: Path, signature: Path, key: Path) -> None:
    """Refuses a file that the holder of the public key has not signed."""
    with tempfile.TemporaryDirectory(prefix="trestle-keys-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet"]
        try:
            taken = subprocess.run([*gpg, "--import", key], text=True, capture_output=True)
            found = subprocess.run([*gpg, "--verify", signature, path], text=True, capture_output=True)
        except FileNotFoundError as error:
            raise Failure("gpg is not here, which verifies signatures: apt install gpg") from error
    if taken.returncode != 0:
        raise Failure(f"{key} is no public key: {taken.stderr.strip()}")
    if found.returncode != 0:
        raise Failure(f"{path} is not signed by the key in {key}: {' '.join(found.stderr.split())}")


def index(packages: Iterable[Package]) -> str:
    """The repository's `Packages`."""
    return "\n".join(package.stanza() for package in packages)
