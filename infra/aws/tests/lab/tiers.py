"""The data tier as RDS and ElastiCache give it: MariaDB and Redis that speak TLS alone, with certificates of their own authority."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import time
from pathlib import Path

from lab.authority import Authority
from lab.vpc import CACHE, DATABASE, Vpc

MASTER = "trestle_master"


def program(*names: str) -> str | None:
    """Where a server is; Debian keeps some out of the PATH of users."""
    for name in names:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if found:
            return found
    return None


class Database:
    """MariaDB with a master user, as RDS makes one."""

    def __init__(self, vpc: Vpc, authority: Authority, name: str, folder: Path, cache: Path, password: str) -> None:
        self.folder = folder
        server = program("mariadbd", "mysqld")
        assert server
        self._data = folder / "data"
        shutil.copytree(self._template(server, cache), self._data)
        self._socket = folder / "mysqld.sock"
        first = folder / "first.sql"
        first.write_text(
            f"CREATE USER '{MASTER}'@'%' IDENTIFIED BY '{password}';\nGRANT ALL ON *.* TO '{MASTER}'@'%' WITH GRANT OPTION;\n"
        )
        certificate, key = authority.server(name)
        words = [
            *COMMON,
            f"--datadir={self._data}",
            f"--socket={self._socket}",
            f"--bind-address={DATABASE}",
            "--port=3306",
            "--user=root",
        ]
        words += [
            f"--ssl-cert={certificate}",
            f"--ssl-key={key}",
            "--require-secure-transport=ON",
            "--skip-name-resolve",
        ]
        words += [f"--init-file={first}", "--innodb-ft-min-token-size=2", "--transaction-isolation=READ-COMMITTED"]
        with (folder / "mariadb.log").open("wb") as log:
            self._process = subprocess.Popen(vpc.command(server, *words), stdout=log, stderr=log)
        self._vpc = vpc

    @staticmethod
    def _template(server: str, cache: Path) -> Path:
        """An empty data folder; making one takes seconds, so it is kept."""
        version = subprocess.run(
            [server, "--no-defaults", "--version"], capture_output=True, text=True, check=True
        ).stdout
        place = cache / f"mariadb-{hashlib.sha256((version + repr(COMMON)).encode()).hexdigest()[:12]}"
        if not place.exists():
            making = cache / "mariadb-making"
            shutil.rmtree(making, ignore_errors=True)
            install = [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={making}",
                "--user=root",
                "--skip-test-db",
                *COMMON[1:],
            ]
            subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
            making.rename(place)
        return place

    def wait(self, seconds: float = 30) -> None:
        """Until it takes connections."""
        _listening(self._vpc, DATABASE, 3306, seconds, self.folder / "mariadb.log")

    def ask(self, sql: str) -> str:
        """By its socket, as root."""
        command = [
            "mariadb",
            "--no-defaults",
            f"--socket={self._socket}",
            "--user=root",
            "--batch",
            "--skip-column-names",
        ]
        return subprocess.run(command, input=sql, text=True, capture_output=True, check=True).stdout

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


COMMON = (
    "--no-defaults",
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=64M",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
)


class Cache:
    """Redis with TLS and a token."""

    def __init__(self, vpc: Vpc, authority: Authority, name: str, folder: Path, token: str) -> None:
        certificate, key = authority.server(name)
        server = program("redis-server", "valkey-server")
        assert server
        words = [
            "--port",
            "0",
            "--tls-port",
            "6379",
            "--bind",
            CACHE,
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(key),
        ]
        words += [
            "--tls-ca-cert-file",
            str(authority.file),
            "--tls-auth-clients",
            "no",
            "--requirepass",
            token,
            "--save",
            "",
        ]
        with (folder / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(vpc.command(server, *words), stdout=log, stderr=log, cwd=folder)
        _listening(vpc, CACHE, 6379, 10, folder / "redis.log")

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()


def _listening(vpc: Vpc, address: str, port: int, seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            vpc.inside(lambda: socket.create_connection((address, port), 1).close())
            return
        except OSError as error:
            if time.monotonic() > until:
                raise AssertionError(
                    f"nothing listens at {address}:{port}: {error}\n{log.read_text(errors='replace')[-2000:]}"
                ) from error
            time.sleep(0.1)
