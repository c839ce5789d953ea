"""A private MariaDB with databases of shops, for tests of what moves and audits them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = ROOT.parent.parent


def api() -> Path:
    """trestle-api, as `make build` makes it."""
    folders = [
        os.environ.get("TRESTLE_BINARIES", ""),
        os.environ.get("CARGO_TARGET_DIR", "") + "/release",
        REPOSITORY / "target/release",
    ]
    for folder in folders:
        if (found := Path(folder) / "trestle-api").is_file():
            return found
    raise AssertionError("trestle-api is not built: `make build` first, or TRESTLE_BINARIES names its folder")


def programs(cache: Path = REPOSITORY / ".trestle-aws/tests") -> str:
    """A PATH with mariadb-dump, which this machine's client package may lack: then it is unpacked from Debian's, beside
    the system.
    """
    path = os.environ["PATH"]
    if shutil.which("mariadb-dump") or shutil.which("mysqldump"):
        return path
    unpacked = cache / "mariadb-client"
    if not (unpacked / "usr/bin/mariadb-dump").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", "--quiet=2", "-o", "APT::Sandbox::User=root", "download", "mariadb-client"],
            cwd=cache,
            check=True,
        )
        package = next(cache.glob("mariadb-client_*.deb"))
        subprocess.run(["dpkg", "-x", package, unpacked], check=True)
    return f"{path}:{unpacked}/usr/bin"


@dataclass
class Server:
    """A running server, reached as root at its socket."""

    socket: Path
    folder: Path

    def url(self, database: str, user: str = "root") -> str:
        """Of one of its databases."""
        return f"mysql://{user}@localhost/{database}?socket={quote(str(self.socket), safe='')}&ssl-mode=DISABLED"

    def sql(self, statement: str, database: str = "") -> list[list[str]]:
        """The rows that it answers."""
        command = [
            "mariadb",
            "--no-defaults",
            f"--socket={self.socket}",
            "--user=root",
            "--batch",
            "--skip-column-names",
        ]
        command += [database] if database else []
        ran = subprocess.run(
            command, input=statement, text=True, errors="surrogateescape", capture_output=True, check=True
        )
        return [line.split("\t") for line in ran.stdout.splitlines()]

    def shop(self, database: str, products: int = 0) -> str:
        """A database with the schema, filled or not; answers its URL."""
        self.sql(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        self.run("migrate", database=database)
        if products:
            self.run("seed", "--products", str(products), "--customers", "20", "--orders", "25", database=database)
        return self.url(database)

    def run(self, *words: str, database: str) -> None:
        """One of trestle-api's commands."""
        environment = {**os.environ, "TRESTLE_DATABASE_URL": self.url(database)}
        subprocess.run([api(), *words], env=environment, check=True, capture_output=True)

    def file(self, database: str, user: str = "root") -> Path:
        """A file with a database's URL."""
        path = self.folder / f"{user}-{database}.url"
        path.write_text(self.url(database, user) + "\n")
        return path


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """A server that ends with this."""
    data, socket = folder / "data", folder / "s"
    who = ["--user=root"] if os.geteuid() == 0 else []
    install = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        *who,
    ]
    subprocess.run(install, check=True, capture_output=True)
    command = [
        "mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={socket}",
        f"--pid-file={folder}/pid",
        "--skip-networking",
        *who,
    ]
    command += [
        "--transaction-isolation=READ-COMMITTED",
        "--innodb-ft-min-token-size=2",
        "--innodb-buffer-pool-size=64M",
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ping = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute=SELECT 1"]
        until = time.monotonic() + 30
        while subprocess.run(ping, capture_output=True).returncode != 0:
            assert running.poll() is None and time.monotonic() < until, "the server does not start"
            time.sleep(0.05)
        yield Server(socket, folder)
    finally:
        running.terminate()
        running.wait()


def data_move(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """The program that instances run."""
    command = [sys.executable, "-m", "trestle_instance.data_move", "--from", source, "--to", target, "--api", api()]
    environment = {**os.environ, "PATH": programs(), "PYTHONPATH": str(ROOT / "instance")}
    return subprocess.run(command, env=environment, text=True, capture_output=True)
