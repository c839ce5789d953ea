"""`instance/shop`, which trestle-aws runs on instances: what it calls there, of one tier and of all."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

SHOP = Path(__file__).resolve().parent.parent / "instance/shop"
BIN = "/opt/trestle/current/bin"
STATUS = json.dumps(
    {"url": "http://127.0.0.1", "processes": [{"name": n} for n in ("nginx", "api-1", "api-2", "redis")]}
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Programs that write down how they were called."""
    for name in ("systemctl", "systemd-run", "runuser"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/bash\nprintf "%s\\n" "{name} $*" >>"{tmp_path}/called"\n'
            f'[ "{name} $2" != "systemctl is-enabled" ] || exec [ -e "{tmp_path}/single" ]\n'
            f"case $* in *'status --json') echo '{STATUS}' ;; esac\n"
            f'exit "$(cat "{tmp_path}/code" 2>/dev/null || echo 0)"\n'
        )
        program.chmod(0o755)
    return tmp_path


def called(machine: Path, *words: str, single: bool = False, code: int = 0) -> tuple[int, list[str]]:
    (machine / "called").write_text("")
    (machine / "code").write_text(str(code))
    (machine / "single").touch() if single else (machine / "single").unlink(missing_ok=True)
    environment = {**os.environ, "PATH": f"{machine}:{os.environ['PATH']}"}
    ran = subprocess.run([SHOP, *words], env=environment, text=True, capture_output=True)
    lines = [line for line in (machine / "called").read_text().splitlines() if "is-enabled" not in line]
    return ran.returncode, lines


def test_commands_have_the_shops_environment_and_their_words_as_they_are(machine: Path) -> None:
    code, lines = called(machine, "api", "admin", "grant", "ada's account@example.com")
    assert code == 0 and len(lines) == 1
    assert lines[0].endswith(f"{BIN}/trestle-api admin grant ada's account@example.com")
    assert "--property=EnvironmentFile=/etc/trestle/api.env" in lines[0]
    assert "--setenv=TRESTLE_DATABASE_URL_FILE=/etc/trestle/secrets/database-url" in lines[0]
    assert "--pipe" in lines[0] and "--wait" in lines[0], "output and exit code are the command's"
    assert called(machine, "api", "audit", code=1)[0] == 1


def test_on_a_machine_with_everything_the_launcher_is_asked(machine: Path) -> None:
    launcher = f"runuser -u trestle -- {BIN}/trestle --data /var/lib/trestle/shop"
    assert called(machine, "api", "audit", "--settled", single=True)[1] == [f"{launcher} audit --settled"]
    for signal, word in (("KILL", "kill"), ("STOP", "pause"), ("CONT", "resume")):
        code, lines = called(machine, "signal", signal, single=True)
        assert code == 0 and lines == [f"{launcher} status --json", f"{launcher} {word} api-1 api-2"]


@pytest.mark.parametrize("signal", ["KILL", "STOP", "CONT"])
def test_a_signal_goes_to_the_apis_main_process(machine: Path, signal: str) -> None:
    lines = called(machine, "signal", signal)[1]
    assert lines == [f"systemctl kill --signal=SIG{signal} --kill-whom=main trestle-api.service"]


def test_burning_outlives_the_command_and_ends_by_itself(machine: Path) -> None:
    lines = called(machine, "burn", "120")[1]
    assert lines == [f"systemd-run --quiet --collect {BIN}/trestle-api burn --seconds 120"]


@pytest.mark.parametrize("words", [[], ["fly"]])
def test_wrong_words_are_told_what_there_is(machine: Path, words: list[str]) -> None:
    code, lines = called(machine, *words)
    assert code == 64 and lines == []
