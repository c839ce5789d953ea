"""An instance: Debian 13 booted by systemd-nspawn over a file system of its own, with its place in the network and its identity."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.leftovers import GROUPS, NAME, remove_group
from lab.vpc import Vpc


@dataclass
class Machine:
    """One of them; `boot` starts it and `kill` ends it at once."""

    name: str
    address: str
    root: Path
    folder: Path
    """Its own files; a tmpfs is mounted there."""
    vpc: Vpc
    hosts: Mapping[str, tuple[str, ...]]
    authorities: str
    """Whom it trusts beyond the public ones, in PEM."""
    _process: subprocess.Popen[bytes] | None = None
    _group: Path | None = None
    _mounts: list[Path] = field(default_factory=list)

    @property
    def files(self) -> Path:
        """Its file system, seen from here."""
        return self.folder / "root"

    def boot(self) -> Machine:
        """Starts it; returns at once."""
        namespace = self.vpc.attach(self.name, self.address)
        self._lay()
        self.write("etc/hosts", self._hosts())
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.write("etc/hostname", f"{self.name}\n")
        bundle = self.files / "etc/ssl/certs/ca-certificates.crt"
        bundle.write_text(bundle.read_text() + self.authorities)
        command = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            f"--directory={self.files}",
            "--console=read-only",
        ]
        command += [
            f"--machine={self.name}",
            f"--network-namespace-path={namespace}",
            "--resolv-conf=off",
            "--link-journal=no",
        ]
        join = None
        if not Path("/run/systemd/system").exists():
            command.append("--keep-unit")
            join = self._own_group()
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with (self.folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment,
                preexec_fn=join,
                start_new_session=True,
            )
        return self

    def _lay(self) -> None:
        self.folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500m", "tmpfs", self.folder], check=True)
        self._mounts.append(self.folder)
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        layers = f"lowerdir={self.root},upperdir={self.folder}/upper,workdir={self.folder}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", self.files], check=True)
        self._mounts.append(self.files)

    def _hosts(self) -> str:
        lines = [f"{address} {name}" for name, addresses in self.hosts.items() for address in addresses]
        return "\n".join(["127.0.0.1 localhost", f"127.0.1.1 {self.name}", *lines]) + "\n"

    def _own_group(self) -> Callable[[], None]:
        # Where there is no systemd that could give a machine a group of its own, it is made here.
        parent = next(path for path in GROUPS if (path / "cgroup.procs").exists())
        self._group = parent / f"{NAME}-{os.getpid()}-{self.name}"
        self._group.mkdir()
        procs = str(self._group / "cgroup.procs")

        def join() -> None:
            with open(procs, "w") as file:
                file.write(str(os.getpid()))

        return join

    def resolve(self, hosts: Mapping[str, tuple[str, ...]]) -> None:
        """Changes what names it knows."""
        self.hosts = hosts
        self.write("etc/hosts", self._hosts())

    def write(self, path: str, text: str) -> None:
        """A file of its own."""
        (self.files / path).write_text(text)

    def log(self) -> list[str]:
        """What user-data has said."""
        path = self.files / "var/log/cloud-init-output.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def result(self) -> int | None:
        """How user-data has ended; None while it runs."""
        path = self.files / "var/lib/cloud/result"
        return int(path.read_text()) if path.exists() else None

    def wait(self, seconds: float) -> int:
        """Until user-data has ended; answers its exit code."""
        until = time.monotonic() + seconds
        while (code := self.result()) is None:
            if time.monotonic() > until or not self.is_running():
                raise AssertionError(f"{self.name}: user-data has not ended after {seconds} s\n{self.story()}")
            time.sleep(0.05)
        return code

    def is_running(self) -> bool:
        """Whether it is on."""
        return self._process is not None and self._process.poll() is None

    def wait_off(self, seconds: float) -> None:
        """Until it has powered itself off."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.name} is still on after {seconds} s\n{self.story()}") from error

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command on it, as root."""
        enter = [
            "nsenter",
            "--target",
            str(self._leader()),
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--cgroup",
            "--",
        ]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        ran = subprocess.run([*enter, *command], text=True, capture_output=True, env=environment, timeout=60)
        assert not check or ran.returncode == 0, f"{self.name}: {' '.join(command)}: {ran.stdout}{ran.stderr}"
        return ran

    def story(self) -> str:
        """What it has said, for somebody who wonders."""
        journal = [
            "journalctl",
            "--quiet",
            "--no-pager",
            "--output=short-monotonic",
            "--directory",
            str(self.files / "var/log/journal"),
        ]
        said = subprocess.run([*journal, "--lines=60"], text=True, capture_output=True).stdout
        return "\n".join([f"--- {self.name}: user-data", *self.log()[-30:], "--- journal", said])

    def _leader(self) -> int:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def kill(self) -> None:
        """Ends it as a power cut does, and removes its files."""
        if self.is_running():
            try:
                os.kill(self._leader(), signal.SIGKILL)
            except (OSError, IndexError):
                pass
            assert self._process is not None
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for mount in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", mount], check=False)
        self._mounts.clear()
        if self._group:
            remove_group(self._group)
