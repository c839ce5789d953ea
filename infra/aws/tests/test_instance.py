"""What instances run besides the shop, in the small: lines that are shipped, files that systemd reads, SQL that the job sends."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from engine.environment import ROOT

# The interpreter of instances has systemd's module; the journal itself is read in test_bootstrap.py.
sys.modules.setdefault("systemd", types.ModuleType("systemd"))
sys.modules["systemd"].journal = types.ModuleType("systemd.journal")  # type: ignore[attr-defined]
sys.path.append(str(ROOT / "instance"))

from trestle_instance import job, machine, resolve, settings, sources  # noqa: E402
from trestle_instance.batches import MOST_BYTES, MOST_EVENTS, OVERHEAD, Event, batches, shortened  # noqa: E402

MACHINE = machine.Machine("web", "trestle", "test", "us-east-1", "1.2.3")


def test_calls_are_as_large_as_cloudwatch_takes_them() -> None:
    day = 24 * 3600 * 1000
    events = [
        Event(time, "x" * size) for time, size in ((5, 10), (1, 400_000), (2, 400_000), (3, 400_000), (4 + 2 * day, 1))
    ]
    made = list(batches(events))
    assert [event for batch in made for event in batch] == sorted(events, key=lambda event: event.time)
    for batch in made:
        assert sum(len(event.line) + OVERHEAD for event in batch) <= MOST_BYTES
        assert batch[-1].time - batch[0].time < day
    assert [len(batch) for batch in batches(Event(1, "x") for _ in range(MOST_EVENTS + 1))] == [MOST_EVENTS, 1]
    assert list(batches([])) == []


def test_a_line_that_is_too_long_is_cut_between_letters() -> None:
    cut = shortened("é" * 200_000)
    assert len(cut.encode()) + OVERHEAD <= 256 * 1024 and set(cut) == {"é"}
    assert shortened("short") == "short"


@pytest.fixture
def followed(tmp_path: Path) -> tuple[Path, sources.Files]:
    return tmp_path / "access.log", sources.Files.at({str(tmp_path / "*.log"): "web"}, None)


def lines(files: sources.Files) -> list[str]:
    return [event.line for _, event in files.read()]


def test_each_line_is_read_once(followed: tuple[Path, sources.Files]) -> None:
    path, files = followed
    assert lines(files) == []
    path.write_text("one\ntwo\nthr")
    assert lines(files) == ["one", "two"]
    with path.open("a") as file:
        file.write("ee\n")
    assert lines(files) == ["three"] and lines(files) == []


def test_reading_goes_on_after_a_restart(followed: tuple[Path, sources.Files]) -> None:
    path, files = followed
    path.write_text("one\n")
    assert lines(files) == ["one"]
    position = json.loads(json.dumps(files.position()))
    with path.open("a") as file:
        file.write("two\n")
    assert lines(sources.Files.at(files.groups, position)) == ["two"]


def test_a_file_that_was_replaced_or_emptied_is_read_from_its_beginning(followed: tuple[Path, sources.Files]) -> None:
    path, files = followed
    path.write_text("one\ntwo\n")
    assert lines(files) == ["one", "two"]
    path.rename(path.with_suffix(".1"))
    path.write_text("three\nfour\n")
    assert lines(files) == ["three", "four"]
    path.write_text("five\n")
    assert lines(files) == ["five"]


def test_a_long_file_is_emptied_when_it_is_shipped(
    followed: tuple[Path, sources.Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer appends, and goes on; a line that is not shipped is never lost."""
    monkeypatch.setattr(sources, "LONGEST_FILE", 10)
    path, files = followed
    with path.open("a") as writer:
        writer.write("a line of some length\n")
        writer.flush()
        assert len(lines(files)) == 1
        writer.write("another\n")
        writer.flush()
        files.tidy()
        assert lines(files) == ["another"]
        files.tidy()
        assert path.stat().st_size == 0
        writer.write("after\n")
        writer.flush()
        assert lines(files) == ["after"]


def test_a_line_of_nginx_has_its_own_time(followed: tuple[Path, sources.Files]) -> None:
    path, files = followed
    path.write_text('{"time":"2026-11-28T10:00:00+00:00","status":200}\nno time\n')
    (_, first), (_, second) = files.read()
    assert first.time == 1_795_860_000_000 and second.time > first.time - 10**12


NASTY = ["plain", "two words", 'quo"te', "back\\slash", "$HOME", "`id`", "50%", "#no comment", "'single'", "é", "a=b;c"]


def test_variables_reach_a_shell_that_reads_them_as_they_are(tmp_path: Path) -> None:
    """systemd reads EnvironmentFile by a subset of a shell's rules."""
    file = tmp_path / "env"
    file.write_text(machine.environment_file({f"V{number}": value for number, value in enumerate(NASTY)}))
    names = " ".join(f'"$V{number}"' for number in range(len(NASTY)))
    said = subprocess.run(
        ["sh", "-c", f'. {file}; printf "%s\\n" {names}'], text=True, capture_output=True, check=True
    ).stdout
    assert said.splitlines() == NASTY
    with pytest.raises(machine.Stop, match="V has more than one line"):
        machine.environment_file({"V": "a\nUSER=root"})


def test_a_file_is_never_readable_by_more_than_it_should(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    machine.write(path, "new", mode=0o600)
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_sql_quotes_what_a_secret_may_hold() -> None:
    user = settings.Database("h", 3306, "trestle", "o'brien\\", "pass'; DROP DATABASE trestle; --")
    sql = job.statements("trestle", user)
    assert "'o''brien\\\\'@'%'" in sql and "'pass''; DROP DATABASE trestle; --'" in sql
    assert sql.count(";\n") == len(sql.splitlines()) == 4
    grants = [line for line in sql.splitlines() if line.startswith("GRANT")]
    assert grants == ["GRANT SELECT, INSERT, UPDATE, DELETE ON `trestle`.* TO 'o''brien\\\\'@'%';"]
    with pytest.raises(machine.Stop):
        job.statements("x`; DROP", user)


def test_the_databases_url_quotes_and_verifies() -> None:
    url = settings.Database("db.example", 3306, "trestle", "u@ser", "p:a/s?s#%").url()
    assert url.startswith("mysql://u%40ser:p%3Aa%2Fs%3Fs%23%25@db.example:3306/trestle?")
    assert "ssl-mode=VERIFY_IDENTITY" in url and "ssl-ca=/opt/trestle/current/rds-ca.pem" in url


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Parameters below config/, and where files go."""

    def given(parameters: dict[str, str]) -> Path:
        def read(_: machine.Machine, part: str) -> dict[str, str]:
            return {
                name.removeprefix(f"{part}/"): value
                for name, value in parameters.items()
                if name.startswith(f"{part}/")
            }

        monkeypatch.setattr(settings.account, "parameters", read)
        monkeypatch.setattr(settings, "FOLDER", tmp_path)
        return tmp_path

    return given


def test_without_an_api_of_its_own_nginx_has_an_address_where_nobody_listens(
    account: Callable[[dict[str, str]], Path],
) -> None:
    """ApiEntry=path: the load balancer sends /api/ elsewhere."""
    folder = account({"web/TRESTLE_WEB_HOSTNAME": "shop.example"})
    settings.web(MACHINE)
    assert (folder / "web-api.env").read_text() == 'TRESTLE_WEB_API_ADDRESSES="127.0.0.1:1"\n'
    assert (folder / "web.env").read_text() == 'TRESTLE_WEB_HOSTNAME="shop.example"\n'


def test_a_name_of_the_api_is_left_to_the_resolver(account: Callable[[dict[str, str]], Path]) -> None:
    folder = account({"web/TRESTLE_WEB_API_NAME": "nlb.example:80"})
    settings.web(MACHINE)
    assert (folder / "web-api-name").read_text() == "nlb.example:80" and not (folder / "web-api.env").exists()
    assert settings.addresses_of_api(["10.0.0.1:80", "10.0.0.2:80"]) is True
    assert settings.addresses_of_api(["10.0.0.1:80", "10.0.0.2:80"]) is False


def test_an_instance_with_both_tiers_has_parameters_of_its_own(account: Callable[[dict[str, str]], Path]) -> None:
    account({"web/TRESTLE_WEB_HOSTNAME": "groups", "instance-web/TRESTLE_WEB_HOSTNAME": "single"})
    single = machine.Machine("single", "trestle", "test", "us-east-1", "1.2.3")
    assert settings.own(single, "web") == {"TRESTLE_WEB_HOSTNAME": "single"}
    assert settings.own(MACHINE, "web") == {"TRESTLE_WEB_HOSTNAME": "groups"}


def test_a_secret_in_a_parameter_is_refused() -> None:
    with pytest.raises(machine.Stop, match="belongs into Secrets Manager"):
        settings.variables({"TRESTLE_SECRETS_KEY": "k1:x"}, "/trestle/test/config/api")


def test_addresses_come_in_order_and_a_name_that_is_unknown_stops() -> None:
    assert resolve.look_up("localhost:80") == ["127.0.0.1:80"]
    with pytest.raises(machine.Stop, match="no-such-name.invalid:80 cannot be looked up"):
        resolve.look_up("no-such-name.invalid:80")
