"""Moves the shop's rows from one database into another that is empty: from the instance's own to RDS, stage 1 to 2 of
the growth path.

    python3 -m trestle_instance.data_move                                  on an instance of role single, as root
    python3 -m trestle_instance.data_move --from FILE --to FILE --api PROGRAM   between any two, whose URLs are in files

Nobody may write meanwhile: on an instance the shop is stopped. The rows are dumped and loaded in one transaction, every
table is counted and compared, and `trestle-api audit` says the same of both sides. Else nothing is kept in the target,
and the shop starts again as it was. The target needs the schema (the job's `migrate`) and a user for rows alone.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from trestle_instance.machine import CURRENT, Machine, Stop
from trestle_instance.settings import Database

SHOP = Path("/var/lib/trestle/shop")
UNIT = "trestle-single.service"
# sqlx's own table says which migrations the schema has: the target's are the target's.
OWN_TABLE = "_sqlx_migrations"
SERVER_WITHIN = 60.0
DUMP = (
    "--single-transaction",
    "--quick",
    "--no-create-info",
    "--skip-triggers",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--skip-disable-keys",
    "--skip-comments",
    "--complete-insert",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    "--order-by-primary",
    # Newer ones of MariaDB write a COMMIT after each table otherwise.
    "--skip-no-autocommit",
)


def say(line: str) -> None:
    """One line of progress."""
    print(f"data-move: {line}", flush=True)


@dataclass(frozen=True)
class Server:
    """A database of a shop, by its URL. The client's programs are told by a file that only this user reads."""

    url: str
    options: Path

    @property
    def name(self) -> str:
        """The database."""
        return unquote(urlsplit(self.url).path.lstrip("/"))

    def sql(self, statement: str) -> list[list[str]]:
        """The rows that a statement answers."""
        command = [client(), f"--defaults-extra-file={self.options}", "--batch", "--skip-column-names", self.name]
        ran = subprocess.run(command, input=statement, text=True, capture_output=True)
        if ran.returncode != 0:
            raise Stop(last_line(ran.stderr))
        return [line.split("\t") for line in ran.stdout.splitlines()]

    def tables(self) -> list[str]:
        """All tables of the shop."""
        rows = self.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE "
            "TABLE'"
        )
        return sorted(row[0] for row in rows if row[0] != OWN_TABLE)

    def columns(self) -> list[str]:
        """Each table's columns, in order: two schemas of one release have the same."""
        rows = self.sql(
            "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns "
            "WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
        )
        return [row[0] for row in rows if not row[0].startswith(f"{OWN_TABLE}.")]

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        tables = self.tables()
        parts = [f"SELECT '{table}', COUNT(*) FROM `{table}`" for table in tables]
        rows = self.sql(" UNION ALL ".join(parts)) if parts else []
        return {row[0]: int(row[1]) for row in rows}


def client() -> str:
    """The command-line client."""
    return program("mariadb", "mysql")


def program(*names: str) -> str:
    """The first of these programs that is here."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise Stop(f"{names[0]} is not installed")


@contextmanager
def server(url: str, folder: Path) -> Iterator[Server]:
    """A server with its options file."""
    parts = urlsplit(url)
    if parts.scheme not in ("mysql", "mariadb") or not parts.path.strip("/"):
        raise Stop("a database's URL is mysql://USER:PASSWORD@HOST:PORT/DATABASE")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    lines = ["[client]", f"user={_value(unquote(parts.username or 'root'))}"]
    if parts.password:
        lines.append(f"password={_value(unquote(parts.password))}")
    if "socket" in query:
        lines.append(f"socket={_value(query['socket'])}")
    else:
        lines += [f"host={_value(parts.hostname or '127.0.0.1')}", f"port={parts.port or 3306}", "protocol=tcp"]
    if "ssl-ca" in query:
        lines += [f"ssl-ca={_value(query['ssl-ca'])}", "ssl-verify-server-cert"]
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".cnf", delete=False) as file:
        file.write("\n".join(lines) + "\n")
    yield Server(url, Path(file.name))


def _value(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def move(source: Server, target: Server, api: Path) -> None:
    """All of it, of two servers that nobody writes to."""
    if source.columns() != target.columns():
        raise Stop(
            "the two schemas differ: bring the old shop to the release of the new database first (deploy), then move"
        )
    there = {table: rows for table, rows in target.counts().items() if rows}
    if there:
        raise Stop(f"the target is not empty: {', '.join(f'{rows} rows in {table}' for table, rows in there.items())}")
    before = audit(source, api)
    say(f"source: {before[-1]}")
    counts = source.counts()
    say(f"{sum(counts.values())} rows in {len(counts)} tables")
    try:
        copy(source, target)
        compare(source, target, counts)
        after = audit(target, api)
        say(f"target: {after[-1]}")
        if after != before:
            raise Stop("the audits differ: " + next(f"{a!r} and {b!r}" for a, b in zip(before, after) if a != b))
    except Stop:
        empty(target)
        raise
    say("both sides hold the same rows, and the same audit")


def audit(on: Server, api: Path) -> list[str]:
    """What `audit` says of a database, without the time that it took. It has to hold."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as pipe:
        pipe.write(on.url)
    environment = {**os.environ, "TRESTLE_DATABASE_URL_FILE": f"/dev/fd/{read}"}
    environment.pop("TRESTLE_DATABASE_URL", None)
    ran = subprocess.run([api, "audit"], env=environment, pass_fds=[read], text=True, capture_output=True)
    os.close(read)
    if ran.returncode != 0:
        raise Stop(f"audit of {on.name}: {last_line(ran.stdout + ran.stderr)}")
    return [
        re.sub(r" ?\([0-9.,]+ m?s\)|[0-9.,]+ m?s$", "", line).rstrip()
        for line in ran.stdout.splitlines()
        if line.strip()
    ]


def copy(source: Server, target: Server) -> None:
    """Dumps into the target, in one transaction there: all rows, or none."""
    dump = [program("mariadb-dump", "mysqldump"), f"--defaults-extra-file={source.options}", *DUMP]
    dump += [f"--ignore-table={source.name}.{OWN_TABLE}", source.name]
    load = [client(), f"--defaults-extra-file={target.options}", "--default-character-set=utf8mb4", target.name]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as complaints:
        dumping = subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=complaints)
        loading = subprocess.Popen(load, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert dumping.stdout and loading.stdin and loading.stderr
        try:
            loading.stdin.write(b"SET autocommit = 0;\nSTART TRANSACTION;\n")
            shutil.copyfileobj(dumping.stdout, loading.stdin, 1 << 20)
            if dumping.wait() == 0:
                loading.stdin.write(b"\nCOMMIT;\n")
            loading.stdin.close()
        except BrokenPipeError:
            dumping.kill()
        said = loading.stderr.read().decode(errors="replace")
        if loading.wait() != 0:
            dumping.wait()
            raise Stop(f"loading: {last_line(said)}")
        if dumping.wait() != 0:
            complaints.seek(0)
            raise Stop(f"dumping: {last_line(complaints.read())}")
    say(f"copied in {time.monotonic() - began:.1f} s")


def compare(source: Server, target: Server, counts: dict[str, int]) -> None:
    """The same rows on both sides, and the source's as they were: nobody wrote meanwhile."""
    if source.counts() != counts:
        raise Stop("somebody wrote into the source meanwhile: stop the shop first")
    loaded = target.counts()
    for table, rows in counts.items():
        if loaded.get(table) != rows:
            raise Stop(f"{table} has {rows} rows in the source and {loaded.get(table, 0)} in the target")
    for table in counts:
        if digest(source, table) != digest(target, table):
            raise Stop(f"the rows of {table} differ")


def digest(on: Server, table: str) -> str:
    """Of all rows of a table, in the order of its primary key, as the dump writes them."""
    dump = [
        program("mariadb-dump", "mysqldump"),
        f"--defaults-extra-file={on.options}",
        *DUMP,
        "--compact",
        "--skip-extended-insert",
    ]
    found = hashlib.sha256()
    with subprocess.Popen([*dump, on.name, table], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout
        for line in running.stdout:
            # Servers of different makes set different variables around them.
            if line.startswith(b"INSERT "):
                found.update(line)
    if running.returncode != 0:
        raise Stop(f"{table} cannot be read again")
    return found.hexdigest()


def empty(target: Server) -> None:
    """Takes what was loaded out again."""
    deletions = "".join(f"DELETE FROM `{table}`;\n" for table in target.tables())
    target.sql(f"SET foreign_key_checks = 0;\nSTART TRANSACTION;\n{deletions}COMMIT;\n")


def last_line(text: str) -> str:
    """What a program said at last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it failed without a word"


@contextmanager
def stopped_shop() -> Iterator[str]:
    """The shop of this instance stopped, its database alone running; answers the URL. The shop starts again if it comes
    to nothing.
    """
    say("the shop is stopped")
    systemctl("stop", UNIT)
    try:
        with tempfile.TemporaryDirectory(prefix="trestle-move-") as folder:
            shutil.chown(folder, "trestle")
            with own_server(SHOP / "database", Path(folder) / "mysqld.sock", ["runuser", "-u", "trestle", "--"]) as url:
                yield url
    except BaseException:
        say("the shop starts again, as it was")
        systemctl("start", UNIT)
        raise
    # What it would take now would be lost.
    systemctl("disable", UNIT)


@contextmanager
def own_server(data: Path, socket: Path, who: list[str]) -> Iterator[str]:
    """A server on a data folder of the launcher, at a socket alone."""
    command = [
        *who,
        program("mariadbd", "mysqld"),
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={socket}",
        "--skip-networking",
    ]
    command += [f"--pid-file={socket}.pid", "--innodb-ft-min-token-size=2"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + SERVER_WITHIN
        ping = [client(), "--no-defaults", f"--socket={socket}", "--user=root", "--execute=SELECT 1"]
        while subprocess.run(ping, capture_output=True).returncode != 0:
            if running.poll() is not None or time.monotonic() > until:
                raise Stop(f"the database in {data} does not start")
            time.sleep(0.2)
        yield f"mysql://root@localhost/trestle?socket={quote(str(socket), safe='')}&ssl-mode=DISABLED"
    finally:
        # runuser passes the signal on.
        running.terminate()
        running.wait()


def systemctl(*words: str) -> None:
    """Has to succeed."""
    ran = subprocess.run(["systemctl", "--quiet", *words], text=True, capture_output=True)
    if ran.returncode != 0:
        raise Stop(f"systemctl {' '.join(words)}: {last_line(ran.stderr)}")


def between(source_url: str, target_url: str, api: Path) -> None:
    """Moves from one URL to another."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server(source_url, Path(folder)) as source,
        server(target_url, Path(folder)) as target,
    ):
        move(source, target, api)


def main() -> int:
    """Answers the exit code; the last line says what was done or why not."""
    parser = argparse.ArgumentParser(prog="data_move", description="Moves a shop's rows into another, empty database.")
    parser.add_argument(
        "--from", dest="source", metavar="FILE", type=Path, help="a file with the URL of the database that there is"
    )
    parser.add_argument("--to", dest="target", metavar="FILE", type=Path, help="a file with the URL of the new one")
    parser.add_argument(
        "--api", metavar="PROGRAM", type=Path, default=CURRENT / "bin/trestle-api", help="trestle-api, for the audits"
    )
    args = parser.parse_args()
    if (args.source is None) != (args.target is None):
        parser.error("--from and --to go together")
    try:
        if args.source:
            between(args.source.read_text().strip(), args.target.read_text().strip(), args.api)
            return 0
        machine = Machine.known()
        if machine.role != "single":
            raise Stop(f"this is an instance of role {machine.role}: it has no database of its own")
        target = Database.of(machine, "app-secret").url()
        with stopped_shop() as source:
            between(source, target, args.api)
        say("the shop stays stopped until its instance uses the new database")
    except Stop as error:
        print(f"data-move: stopped: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
