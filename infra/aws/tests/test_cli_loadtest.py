"""`trestle-aws loadtest`: the generator's stack, the run on it, its results here, the audit after it."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from pathlib import Path
from typing import Any

import pytest
from cli_world import World, demo, shop

# They share a shop that is deployed once.
pytestmark = pytest.mark.xdist_group("loadtest")

BUCKET = "test-trestle-shop-release-bucket"
SHOP = "/opt/trestle/current/instance/shop"
RUN = "/opt/trestle/current/bin/trestle-loadtest run"


def results(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture
def lab(shop: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """A shop whose generator answers, and sends results to where it is told."""
    monkeypatch.chdir(tmp_path)
    shop.answers["DescribeInstanceInformation"] = lambda client, parameters: {
        "InstanceInformationList": [{"PingStatus": "Online"}]
    }
    shop.replies += [
        (RUN, 0, "passed: report.html\n", "some progress\n"),
        ("audit", 0, "audit: all 12 checks hold (0.3 s)\n", ""),
    ]
    real = shop._send

    def send(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        lines = "\n".join(parameters["Parameters"]["commands"])
        put = re.search(r"curl -fsS --upload-file \S+ '?(https://[^' ]+)", lines)
        if put:
            key = put[1].partition(f"{BUCKET}.s3.amazonaws.com/")[2].partition("?")[0]
            assert key, put[1]
            shop.client("s3").put_object(Bucket=BUCKET, Key=key, Body=results(report_html="<p>", run_json="{}"))
        return real(parameters)

    shop.answers["SendCommand"] = send
    yield shop
    shop.run("loadtest", "--remove")


def test_it_runs_in_the_network_and_brings_the_results(lab: World, tmp_path: Path) -> None:
    said = lab.ok("loadtest", "--allow-burst", "--output", "results", "run", "--shoppers", "50", "--seconds", "30")
    assert said.out.splitlines() == ["passed: report.html", "audit: all 12 checks hold (0.3 s)"]
    assert {it.name for it in (tmp_path / "results").iterdir()} == {"report.html", "run.json"}
    lines = next(command.lines for command in lab.commands if "trestle-loadtest run" in command.line)
    words = shlex.split(lines[1])
    url = words[words.index("--url") + 1]
    assert words[1:6] == ["run", "--shoppers", "50", "--seconds", "30"] and "--no-audit" in words
    assert url.endswith(".elb.amazonaws.com")
    generator = lab.formation.entries["us-east-1", "trestle-shop-generator"]
    assert generator.given["Release"] == "1.0.0" and generator.given["ReleaseBucket"] == BUCKET
    assert lab.commands[-1].line == f"{SHOP} api audit --settled"
    assert "Contents" not in lab.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="passing/")


def test_the_generator_has_the_processor_that_the_release_is_made_for(lab: World) -> None:
    app = lab.formation.entries["us-east-1", "trestle-shop-app"]
    app.given["Architecture"] = "arm64"
    try:
        lab.ok("loadtest", "--allow-burst", "--output", "arm", "run")
    finally:
        app.given["Architecture"] = "x86_64"
    generator = lab.formation.entries["us-east-1", "trestle-shop-generator"]
    assert (generator.given["Architecture"], generator.given["InstanceType"]) == ("arm64", "c7g.large")


def test_its_exit_code_is_the_loads_and_the_results_come_all_the_same(lab: World, tmp_path: Path) -> None:
    lab.replies[0] = (RUN, 1, "FAILED: report.html\n", "")
    said = lab.run("loadtest", "--allow-burst", "--output", "failed", "run")
    assert said.code == 1 and "FAILED: report.html" in said.out
    assert (tmp_path / "failed/report.html").exists()


def test_an_audit_that_finds_something_fails_it(lab: World) -> None:
    lab.replies[1] = ("audit", 1, "audit: 1 check failed (0.3 s)\n", "")
    assert lab.run("loadtest", "--allow-burst", "--output", "a", "run").code == 1
    assert lab.run("loadtest", "--allow-burst", "--output", "b", "--no-audit", "run").code == 0


def test_it_waits_until_the_generator_can_be_told_something(lab: World) -> None:
    looks: list[int] = []

    def information(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        looks.append(1)
        return {"InstanceInformationList": [{"PingStatus": "Online"}] if len(looks) > 3 else []}

    lab.answers["DescribeInstanceInformation"] = information
    lab.ok("loadtest", "--allow-burst", "--output", "results", "run")
    assert len(looks) == 4
    lab.answers["DescribeInstanceInformation"] = lambda client, parameters: {"InstanceInformationList": []}
    said = lab.run("loadtest", "--allow-burst", "--output", "more", "run")
    assert said.code == 1 and "SSM agent does not answer" in said.complaint


def test_burstable_classes_are_not_measured(lab: World) -> None:
    said = lab.run("loadtest", "run")
    assert said.code == 64 and "t3.micro" in said.complaint and "--allow-burst" in said.complaint
    assert ("us-east-1", "trestle-shop-generator") not in lab.formation.entries


@pytest.mark.parametrize("word", ["scale-out", "autoscale", "chaos", "plan"])
def test_what_steers_the_stack_is_sent_to_this_machine(lab: World, word: str) -> None:
    said = lab.run("loadtest", word)
    assert said.code == 64 and f'trestle-loadtest {word} --stack "trestle-aws"' in said.complaint


def test_wrong_words(lab: World, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    for words, said in (
        ([], "run or calibrate"),
        (["bench"], "'bench'"),
        (["run", "--output", "x"], "--output: say it before run"),
        (["run", "--stack=trestle"], "--stack"),
        (["--output", "full", "run"], "--output full"),
        (["--set", "InstanceType=m1.tiny", "--allow-burst", "run"], "generator.InstanceType"),
        (["--set", "Colour=red", "--allow-burst", "run"], "Colour"),
        (["--within", "5", "run"], "--within"),
        (["--remove", "run"], "--remove"),
    ):
        found = lab.run("loadtest", *words)
        assert found.code == 64 and said in found.complaint, found.err
    assert ("us-east-1", "trestle-shop-generator") not in lab.formation.entries


def test_remove(lab: World) -> None:
    lab.ok("loadtest", "--allow-burst", "--output", "results", "run")
    lab.ok("loadtest", "--remove")
    assert ("us-east-1", "trestle-shop-generator") not in lab.formation.entries
    assert "there is no generator" in lab.ok("loadtest", "--remove").err
