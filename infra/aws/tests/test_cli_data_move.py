"""The move of the data from stage 1 to stage 2, as the instance runs it: in which order, as whom, and what becomes of the
shop. That the rows arrive is tests/tests/move_data.rs, with a real shop.
"""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from engine.environment import ROOT
from trestle_instance import data_move, machine

PASSWORD = "hidden: word/%"
ENCODED = "hidden%3A%20word%2F%25"
SCRIPT = ROOT / "instance/move-data"

SYSTEMCTL = """\
echo "systemctl $*" >>"$LAB/steps"
case $* in
*is-active*) [ ! -e "$LAB/inactive" ] ;;
*disable*) [ ! -e "$LAB/stuck" ] || { echo "Connection timed out" >&2; exit 1; } ;;
esac
"""
# Looks at the file while it is there, as the script could.
RUNUSER = """\
echo "runuser $*" >>"$LAB/steps"
for word; do [ -f "$word" ] && [ "${word##*/}" != move-data ] && target=$word; done
stat -c '%a %U' "$target" >"$LAB/mode"
cat "$target" >"$LAB/url"
echo "move-data: stopping writes"
echo "move-data: a complaint" >&2
echo "move-data: the end"
exit $(cat "$LAB/code")
"""


def program(folder: Path, name: str, text: str) -> None:
    """A fake one, in shell or Python."""
    path = folder / name
    path.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}")
    path.chmod(0o755)


@dataclass
class Instance:
    """An instance of stage 1 whose programs note that they are called."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def move(self) -> tuple[int, str, str]:
        """What main says: its code, standard output and errors."""
        code = data_move.main()
        said = self.capture.readouterr()
        return code, said.out, said.err

    def steps(self) -> list[str]:
        """The programs that were called."""
        path = self.folder / "steps"
        return path.read_text().splitlines() if path.exists() else []

    def seen(self, name: str) -> str:
        """What runuser saw."""
        return (self.folder / name).read_text().strip()

    def run(self) -> list[Path]:
        """What is left in /run."""
        return list((self.folder / "run").iterdir())


@pytest.fixture
def instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: None, capfd: pytest.CaptureFixture[str]
) -> Instance:
    (tmp_path / "bin").mkdir()
    (tmp_path / "run").mkdir()
    program(tmp_path / "bin", "systemctl", SYSTEMCTL)
    program(tmp_path / "bin", "runuser", RUNUSER)
    (tmp_path / "code").write_text("0")
    monkeypatch.setenv("LAB", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(data_move, "RUN", tmp_path / "run")
    monkeypatch.setattr(data_move, "USER", getpass.getuser())
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    configure(tmp_path, "single")
    secret = {"username": "trestle_app", "password": PASSWORD}
    named = boto3.client("secretsmanager").create_secret(Name="app", SecretString=json.dumps(secret))["ARN"]
    values = {
        "endpoint": "shop.abc.us-east-1.rds.amazonaws.com",
        "port": "3306",
        "name": "trestle",
        "app-secret": named,
    }
    for name, value in values.items():
        boto3.client("ssm").put_parameter(Name=f"/trestle/shop/config/database/{name}", Value=value, Type="String")
    return Instance(tmp_path, capfd)


def configure(folder: Path, role: str) -> None:
    """What user-data said."""
    said = {"role": role, "project": "trestle", "environment": "shop", "region": "us-east-1", "release": "1"}
    (folder / "machine.json").write_text(json.dumps(said))


def test_the_script_runs_as_the_shops_user_and_then_the_shop_is_stopped_for_good(instance: Instance) -> None:
    code, out, err = instance.move()
    assert code == 0, err
    asked, ran, stopped = instance.steps()
    assert "is-active" in asked and stopped == "systemctl --quiet disable --now trestle-single.service"
    words = ran.split()
    assert words[:4] == ["runuser", "-u", getpass.getuser(), "--"]
    assert words[4:6] == ["env", f"PATH={data_move.PATH}"] and data_move.PATH.startswith("/opt/trestle/current/bin:")
    assert words[6] == "/opt/trestle/current/instance/move-data" and words[8:] == ["/var/lib/trestle/shop"]
    # In order, and nothing of it lost.
    assert "stopping writes\nmove-data: a complaint\nmove-data: the end\ndata-move: the shop here is stopped" in out


def test_the_url_is_verified_tls_as_the_applications_user_in_a_file_for_the_shops_user_alone(
    instance: Instance,
) -> None:
    _, out, err = instance.move()
    assert instance.seen("mode") == f"600 {getpass.getuser()}"
    url = instance.seen("url")
    assert url.startswith(f"mysql://trestle_app:{ENCODED}@shop.abc.us-east-1.rds.amazonaws.com:3306/trestle?")
    assert "ssl-mode=VERIFY_IDENTITY" in url and "ssl-ca=/opt/trestle/current/rds-ca.pem" in url
    assert instance.run() == []
    # Neither in the log, nor in a list of processes.
    everything = out + err + "\n".join(instance.steps())
    assert PASSWORD not in everything and ENCODED not in everything


@pytest.mark.parametrize("code", [1, 64, 143])
def test_a_failure_leaves_the_shop_as_it_is(instance: Instance, code: int) -> None:
    (instance.folder / "code").write_text(str(code))
    ended, out, err = instance.move()
    assert ended == 1 and f"move-data ended with {code}" in err and "a complaint" in out
    assert [step for step in instance.steps() if step.startswith("systemctl") and "is-active" not in step] == []
    assert instance.run() == []
    assert PASSWORD not in out + err and ENCODED not in out + err


def test_a_shop_that_does_not_run_is_not_moved(instance: Instance) -> None:
    (instance.folder / "inactive").touch()
    code, _, err = instance.move()
    assert code == 1 and "trestle-single.service does not run" in err and len(instance.steps()) == 1


def test_an_instance_that_has_no_database_of_its_own_does_nothing(instance: Instance) -> None:
    configure(instance.folder, "instance")
    code, _, err = instance.move()
    assert code == 1 and "role instance" in err and instance.steps() == []


def test_a_secret_that_cannot_be_read_does_nothing(instance: Instance) -> None:
    boto3.client("ssm").delete_parameter(Name="/trestle/shop/config/database/app-secret")
    code, _, err = instance.move()
    assert code == 1 and "app-secret is missing" in err
    assert not [step for step in instance.steps() if step.startswith("runuser")] and instance.run() == []


def test_a_shop_that_was_moved_and_cannot_be_stopped_is_no_success(instance: Instance) -> None:
    (instance.folder / "stuck").touch()
    code, _, err = instance.move()
    assert code == 1 and "all was moved" in err and "Connection timed out" in err


# The script itself, where a real shop cannot be made to be so: replicas, and what they were told last.

TRESTLE = """\
echo "trestle $*" >>"$LAB/steps"
case $1 in
status) [ -e "$LAB/status" ] && cat "$LAB/status" || { echo "trestle: nothing runs" >&2; exit 1; } ;;
audit) echo '{"tables": {"orders": {"rows": 1, "digest": "00"}}}' ;;
copy) [ ! -e "$LAB/full" ] || exit 1 ;;
esac
"""
API = """\
echo "trestle-api $*" >>"$LAB/steps"
echo '{"tables": {"orders": {"rows": 1, "digest": "00"}}}'
"""
CURL = f"""\
#!{sys.executable}
import json, os, pathlib, sys, urllib.parse
lab = pathlib.Path(os.environ["LAB"])
replica = urllib.parse.urlsplit(sys.argv[-1]).hostname
state = lab / f"writes-{{replica}}"
if "-X" in sys.argv:
    wanted = json.loads(sys.argv[sys.argv.index("-d") + 1])["writes"]
    if wanted == "on" and (lab / f"deaf-{{replica}}").exists():
        sys.exit(28)
    state.write_text(wanted)
else:
    print(json.dumps({{"writes": state.read_text() if state.exists() else "on", "under_way": 0}}))
"""
REPLICAS = ("10.0.0.1", "10.0.0.2")


@dataclass
class Shop:
    """What the script sees of one."""

    folder: Path

    def move(self) -> tuple[int, str]:
        """Runs it."""
        environment = {**os.environ, "LAB": str(self.folder), "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        command = [str(SCRIPT), str(self.folder / "target"), str(self.folder)]
        ran = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return ran.returncode, ran.stdout

    def writes(self) -> list[str]:
        """What each replica was told last."""
        paths = [self.folder / f"writes-{replica}" for replica in REPLICAS]
        return [path.read_text() if path.exists() else "never told" for path in paths]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / "bin").mkdir()
    for name, text in (("trestle", TRESTLE), ("trestle-api", API), ("curl", CURL)):
        program(tmp_path / "bin", name, text)
    (tmp_path / "target").write_text("mysql://u@h/d")
    processes: list[dict[str, Any]] = [
        {"name": f"api-{i}", "ops_address": f"{ip}:9000"} for i, ip in enumerate(REPLICAS)
    ]
    (tmp_path / "status").write_text(json.dumps({"processes": [{"name": "database"}, *processes]}))
    return Shop(tmp_path)


def test_the_script_leaves_the_schema_to_others_and_the_writes_stopped(shop: Shop) -> None:
    code, said = shop.move()
    assert code == 0 and "moved: both databases hold the same rows" in said
    assert shop.writes() == ["off", "off"]
    steps = [step for step in (shop.folder / "steps").read_text().splitlines() if "status" not in step]
    target = shop.folder / "target"
    audit = "audit --json"
    assert steps == [f"trestle {audit}", f"trestle copy --to-file {target}", f"trestle-api {audit}", f"trestle {audit}"]


def test_the_script_takes_writes_again_on_every_replica(shop: Shop) -> None:
    (shop.folder / "full").touch()
    code, said = shop.move()
    assert code == 1 and "writes are taken again" in said and "nothing was moved" in said
    assert shop.writes() == ["on", "on"]


def test_the_script_says_when_a_replica_does_not_take_writes_again(shop: Shop) -> None:
    (shop.folder / "full").touch()
    (shop.folder / f"deaf-{REPLICAS[0]}").touch()
    code, said = shop.move()
    assert code == 1 and "writes are still stopped" in said and "taken again" not in said
    assert shop.writes() == ["off", "on"]


def test_the_script_does_not_take_a_shop_that_does_not_run_for_a_quiet_one(shop: Shop) -> None:
    (shop.folder / "status").unlink()
    code, said = shop.move()
    assert code == 1 and "nothing was moved" in said and "copying" not in said and "writes" not in said
    (shop.folder / "status").write_text(json.dumps({"processes": [{"name": "database"}]}))
    code, said = shop.move()
    assert code == 1 and "copying" not in said and "Traceback" not in said
