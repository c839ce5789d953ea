"""The command line: help, exit codes, options before and after the word, and one line that names what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trestle_aws import cli
from trestle_aws.arguments import take_global
from trestle_aws.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
WORDS = (
    "plan",
    "build",
    "deploy",
    "move",
    "data-move",
    "status",
    "scale",
    "kill",
    "pause",
    "resume",
    "stress",
    "audit",
    "seed",
    "import",
    "admin",
    "loadtest",
    "destroy",
)


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, whatever this machine's user has."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "TRESTLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        code = cli.main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "--help")
    assert code == 0
    listed = {line.split()[0] for line in out.splitlines() if line.startswith("    ") and line.strip()}
    assert set(WORDS) <= listed


@pytest.mark.parametrize("word", WORDS)
def test_help_of_each_command_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str], word: str) -> None:
    for words in ([word, "--help"], [word, "-h"], ["--environment", "demo", word, "--help"]):
        code, out, err = ran(capsys, *words)
        assert code == 0 and err == ""
        assert out.startswith(f"usage: trestle-aws {word}")
        examples = out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert any(f"trestle-aws {word}" in line or f" {word} " in line for line in examples)
        assert "exit codes: 0 done, 1 failed, 64 wrong usage or configuration, 130 interrupted" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "COMMAND"),
        (["fly"], "'fly'"),
        (["plan"], "PRESET"),
        (["plan", "stage-9"], "PRESET 'stage-9'"),
        (["plan", "../presets/demo"], "PRESET"),
        (["plan", "demo", "--colour", "red"], "--colour"),
        (["plan", "demo", "--resource"], "--resource"),
        (["plan", "demo", "--set", "app"], "--set 'app'"),
        (["plan", "demo", "--set", "edge.Mode=all"], "--set edge.Mode"),
        (["plan", "demo", "--with", "edge"], "--with edge"),
        (["plan", "demo", "--prices", "/nonexistent.yml"], "--prices /nonexistent.yml"),
        (["plan", "demo", "--environment"], "--environment"),
        (["plan", "demo", "--environment", "Demo"], "--environment 'Demo'"),
        (["--project=1x", "plan", "demo"], "--project '1x'"),
        (["--region", "moon", "plan", "demo"], "--region 'moon'"),
        (["plan", "demo", "--", "ls"], "--"),
        (["status", "now"], "now"),
        (["kill"], "NAME"),
        (["stress"], "NAME"),
        (["build", "--architecture", "vax"], "--architecture"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(capsys: pytest.CaptureFixture[str], words: list[str], named: str) -> None:
    code, out, err = ran(capsys, *words)
    assert code == 64 and out == ""
    assert len(err.splitlines()) == 1 and err.startswith("trestle-aws: ") and named in err


def test_without_credentials_it_says_how_they_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(capsys, "status")
    assert code == 64 and "credentials" in err and "--profile" in err
    code, _, err = ran(capsys, "status", "--profile", "nobody")
    assert code == 64 and "nobody" in err


def test_options_of_the_place_stand_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (
        ["--environment", "demo", "--region=eu-west-1", "kill", "api-1"],
        ["kill", "--environment=demo", "api-1", "--region", "eu-west-1"],
        ["kill", "api-1", "--region", "eu-west-1", "--environment", "demo"],
    ):
        where, rest = take_global(words)
        assert (where.place.environment, where.place.region, rest) == ("demo", "eu-west-1", ["kill", "api-1"])
    _, rest = take_global(["scale", "2", "--hold", "--", "other", "--region", "x"])
    assert rest == ["scale", "2", "--hold", "--", "other", "--region", "x"]
    with pytest.raises(UsageError, match="--region"):
        take_global(["status", "--region"])


def test_the_place_comes_from_the_environment_and_an_option_goes_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        take_global([])[0].place
        == take_global(["--project", "trestle", "--environment", "shop", "--region", "us-east-1"])[0].place
    )
    monkeypatch.setenv("TRESTLE_ENVIRONMENT", "class")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    assert take_global([])[0].place.prefix == "trestle-class-" and take_global([])[0].place.region == "ap-northeast-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert take_global([])[0].place.region == "eu-west-1"
    assert take_global(["--environment", "a", "--region", "us-west-2"])[0].place.region == "us-west-2"


def test_the_program_is_found_from_anywhere_and_runs_where_its_packages_are(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    link = tmp_path / "trestle-aws"
    link.symlink_to(ROOT / "trestle-aws")
    # This test's Python has the packages.
    ran = subprocess.run(
        [sys.executable, link, "plan", "demo"], cwd=tmp_path, env=environment, text=True, capture_output=True
    )
    assert ran.returncode == 0 and ran.stdout.startswith("demo: "), ran.stderr


def test_a_reader_who_has_seen_enough_gets_no_complaint() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, ROOT / "trestle-aws", "plan", "demo"]
    with os.fdopen(write, "w") as closed:
        ran = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 1 and ran.stderr == ""


def test_a_python_without_the_packages_enters_the_environment_that_has_them(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    # The environment is made by tools/venv; here its answer is one that has the packages.
    tree = tmp_path / "aws"
    (tree / "tools").mkdir(parents=True)
    for name in ("trestle-aws", "trestle_aws", "presets", "stacks", "prices.yml"):
        (tree / name).symlink_to(ROOT / name)
    (tree / "trestle-aws").unlink()
    (tree / "trestle-aws").write_text((ROOT / "trestle-aws").read_text())
    (tree / "tools/venv").write_text(f"print({sys.executable!r})\n")
    ran = subprocess.run([bare / "bin/python", tree / "trestle-aws", "plan", "demo"], text=True, capture_output=True)
    assert ran.returncode == 0 and ran.stdout.startswith("demo: "), ran.stderr
    # One that has them no more is not entered for ever.
    (tree / "tools/venv").write_text(f"print({str(bare / 'bin/python')!r})\n")
    ran = subprocess.run(
        [bare / "bin/python", tree / "trestle-aws", "plan", "demo"], text=True, capture_output=True, timeout=20
    )
    assert ran.returncode == 64 and "broken" in ran.stderr
