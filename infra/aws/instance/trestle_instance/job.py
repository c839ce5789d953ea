"""Prepares the database, once, on an instance of its own: the application's user, the schema, products on demand.

It alone reads the master user's secret. How it ended is in the parameter job/report; then systemd powers the machine off, which
terminates it. May be run any number of times.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime

from trestle_instance import account
from trestle_instance.machine import CURRENT, Machine, Stop
from trestle_instance.settings import AUTHORITIES, Database

# What trestle-api does with rows. The schema is the master's.
PRIVILEGES = "SELECT, INSERT, UPDATE, DELETE"
LONGEST_MESSAGE = 400


def report(machine: Machine, state: str, step: str, message: str) -> None:
    """How it goes, for trestle-aws, which waits for it."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    said = {"release": machine.release, "state": state, "step": step, "message": message[:LONGEST_MESSAGE], "at": at}
    name = machine.path("job/report")
    ssm = account.client(machine, "ssm")
    account.asked(
        f"parameter {name}", lambda: ssm.put_parameter(Name=name, Value=json.dumps(said), Type="String", Overwrite=True)
    )


def quoted(text: str) -> str:
    """A string in SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def statements(database: str, application: Database) -> str:
    """The database, and the application's user with the password that its secret has now."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", database):
        raise Stop(f"the database's name {database!r} is not made of letters, digits and _")
    user = f"{quoted(application.user)}@'%'"
    return (
        f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\n"
        f"CREATE USER IF NOT EXISTS {user};\n"
        f"ALTER USER {user} IDENTIFIED BY {quoted(application.password)} REQUIRE SSL;\n"
        f"GRANT {PRIVILEGES} ON `{database}`.* TO {user};\n"
    )


def run_sql(master: Database, sql: str) -> None:
    """By the client of MySQL, with TLS that is verified; password and SQL reach it by files and standard input."""
    password = master.password.replace("\\", "\\\\").replace('"', '\\"')
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as options:
        options.write(
            f'[client]\nhost={master.host}\nport={master.port}\nuser={master.user}\npassword="{password}"\n'
            f"ssl-ca={AUTHORITIES}\nssl-verify-server-cert\nconnect-timeout=20\n"
        )
        options.flush()
        ran = subprocess.run(
            ["mariadb", f"--defaults-file={options.name}", "--batch"], input=sql, text=True, capture_output=True
        )
    if ran.returncode != 0:
        raise Stop(last_line(ran.stderr))


def run_api(database: Database, *words: str, environment: dict[str, str] | None = None) -> None:
    """A command of trestle-api; its output goes to the log."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as pipe:
        pipe.write(database.url())
    given = {**os.environ, **(environment or {}), "TRESTLE_DATABASE_URL_FILE": f"/dev/fd/{read}"}
    command = [CURRENT / "bin/trestle-api", *words]
    ran = subprocess.run(command, env=given, pass_fds=[read], text=True, stdout=sys.stdout, stderr=subprocess.PIPE)
    os.close(read)
    sys.stderr.write(ran.stderr)
    if ran.returncode != 0:
        raise Stop(f"trestle-api {words[0]}: {last_line(ran.stderr)}")


def last_line(text: str) -> str:
    """What a program said at last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it failed without a word"


def prepare(machine: Machine, say: list[str]) -> str:
    """All steps; `say` is told which one is under way. Answers what was done."""
    say.append("configuration")
    wanted = account.parameters(machine, "job")
    products, customers = (wanted.get(name, "0") for name in ("products", "customers"))
    for name, value in (("products", products), ("customers", customers)):
        if not value.isdigit():
            raise Stop(f"{machine.path(f'config/job/{name}')} is no number: {value}")
    master, application = Database.of(machine, "master-secret"), Database.of(machine, "app-secret")
    say.append("user")
    run_sql(master, statements(master.name, application))
    say.append("migrate")
    run_api(master, "migrate")
    if products == "0":
        return f"user {application.user} and schema are there"
    say.append("seed")
    currency = {"TRESTLE_CURRENCY": wanted["TRESTLE_CURRENCY"]} if wanted.get("TRESTLE_CURRENCY") else {}
    # As the application's user: whatever it needs for rows, it has.
    run_api(application, "seed", "--if-empty", "--products", products, "--customers", customers, environment=currency)
    return f"user {application.user}, schema and products are there"


def main() -> int:
    """Answers the exit code."""
    machine, steps = Machine.known(), ["start"]
    try:
        done = prepare(machine, steps)
    except Stop as error:
        print(f"trestle: stopped: {steps[-1]}: {error}", file=sys.stderr, flush=True)
        report(machine, "failed", steps[-1], str(error))
        return 1
    report(machine, "done", steps[-1], done)
    print(f"trestle: the job is done: {done}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
