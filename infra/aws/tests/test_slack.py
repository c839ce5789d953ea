"""lambda/slack.py posts what CloudWatch really sends through SNS, keeps trying, and keeps the webhook to itself."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import boto3
import pytest
from moto import mock_aws

from trestle_aws.template import Template

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "lambda/slack.py"
TOKEN = "T0EXAMPLE/B0EXAMPLE/xxSECRETxx"


@dataclass
class Slack:
    """A webhook: what it was sent, and what it answers next."""

    posts: list[dict[str, object]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: int = 0
    types: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def listening() -> Iterator[Slack]:
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            slack.calls += 1
            slack.types.append(self.headers["Content-Type"])
            status, headers = slack.answers.pop(0) if slack.answers else (200, {})
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if status == 200:
                slack.posts.append(json.loads(body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok" if status == 200 else b"no")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    slack.url = f"http://127.0.0.1:{server.server_port}/services/{TOKEN}"
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Function:
    """The program as Lambda loads it, its pauses not waited for but noted."""

    module: ModuleType
    pauses: list[float]

    def __call__(self, *messages: str | dict[str, object], subject: str = "ALARM") -> None:
        for message in messages:
            self.module.handler(event(message, subject), None)


def event(message: str | dict[str, object], subject: str = "ALARM") -> dict[str, object]:
    """What SNS hands to a function."""
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:ap-northeast-2:123456789012:alerts:1b2c",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": "0d5e0a9e-1f5c-5d0e-8c0b-5a1c9b2f7a11",
                    "TopicArn": "arn:aws:sns:ap-northeast-2:123456789012:alerts",
                    "Subject": subject,
                    "Message": text,
                    "Timestamp": "2026-11-28T09:15:04.501Z",
                    "SignatureVersion": "1",
                    "MessageAttributes": {},
                },
            }
        ]
    }


@pytest.fixture
def slack() -> Iterator[Slack]:
    with listening() as server:
        yield server


@pytest.fixture
def function(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    with mock_aws():
        secret = boto3.client("secretsmanager").create_secret(Name="slack", SecretString=slack.url + "\n")
        monkeypatch.setenv("WEBHOOK_SECRET", secret["ARN"])
        yield load(monkeypatch)


def load(monkeypatch: pytest.MonkeyPatch) -> Function:
    spec = importlib.util.spec_from_file_location("slack_under_test", SOURCE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    return Function(module, pauses)


def alarm(state: str, before: str, **other: object) -> dict[str, object]:
    """A metric alarm's notification, field for field as CloudWatch writes it."""
    return {
        "AlarmName": "trestle-demo-latency",
        "AlarmDescription": "One answer in a hundred takes longer than LatencySeconds. First: run the saved query routes.",
        "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "2026-11-28T08:00:00.000+0000",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 4 out of the last 5 datapoints [1.31 (28/11/26 09:10:00), 1.22 (28/11/26 09:09:00)] were"
        " greater than the threshold (1.0) (minimum 4 datapoints for OK -> ALARM transition).",
        "StateChangeTime": "2026-11-28T09:15:04.123+0000",
        "Region": "Asia Pacific (Seoul)",
        "AlarmArn": "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:trestle-demo-latency",
        "OldStateValue": before,
        "OKActions": ["arn:aws:sns:ap-northeast-2:123456789012:alerts"],
        "AlarmActions": ["arn:aws:sns:ap-northeast-2:123456789012:alerts"],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "TargetResponseTime",
            "Namespace": "AWS/ApplicationELB",
            "StatisticType": "ExtendedStatistic",
            "ExtendedStatistic": "p99",
            "Unit": None,
            "Dimensions": [{"value": "app/trestl-Alb-1A2B/0123456789abcdef", "name": "LoadBalancer"}],
            "Period": 60,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 4,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "notBreaching",
            "EvaluateLowSampleCountPercentile": "ignore",
        },
    } | other


def composite(state: str, before: str) -> dict[str, object]:
    """A composite alarm's: it has a rule and the alarms that changed it instead of a trigger."""
    return {
        "AlarmName": "trestle-demo-down",
        "AlarmDescription": "The shop is down. First: open the auto scaling group's activity history.",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "NewStateReason": "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:trestle-demo-api-gone transitioned to ALARM at Saturday"
        " 28 November, 2026 09:15:04 UTC",
        "StateChangeTime": "2026-11-28T09:15:04.811+0000",
        "Region": "Asia Pacific (Seoul)",
        "AlarmArn": "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:trestle-demo-down",
        "OldStateValue": before,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "AlarmRule": 'ALARM("trestle-demo-web-gone") OR ALARM("trestle-demo-api-gone")',
        "TriggeringChildren": [
            {
                "Arn": "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:trestle-demo-api-gone",
                "State": {"Value": "ALARM", "Timestamp": "2026-11-28T09:15:04.123+0000"},
            }
        ],
    }


def said(post: dict[str, object]) -> str:
    """All text that a reader sees."""
    assert isinstance(post["attachments"], list)
    return "\n".join(block["text"]["text"] for attachment in post["attachments"] for block in attachment["blocks"])


@pytest.mark.parametrize(
    ("state", "before", "colour", "tells_what_to_do"),
    [
        ("ALARM", "OK", "#c0392b", True),
        ("ALARM", "INSUFFICIENT_DATA", "#c0392b", True),
        ("OK", "ALARM", "#27874f", False),
        ("INSUFFICIENT_DATA", "ALARM", "#8a8f98", True),
    ],
)
@pytest.mark.parametrize("make", [alarm, composite])
def test_each_state_of_each_kind_is_told_with_what_to_do_first(
    function: Function,
    slack: Slack,
    make: Callable[[str, str], dict[str, object]],
    state: str,
    before: str,
    colour: str,
    tells_what_to_do: bool,
) -> None:
    sent = make(state, before)
    function(sent)
    (post,) = slack.posts
    assert slack.types == ["application/json"]
    text = said(post)
    assert f"{before} → *{state}*" in text
    assert post["text"] == f"{sent['AlarmName']}: {before} → {state}", "what a phone shows"
    assert [attachment["color"] for attachment in post["attachments"]] == [colour]  # type: ignore[attr-defined, union-attr]
    assert "Asia Pacific (Seoul) · 2026-11-28T09:15:04" in text
    name = sent["AlarmName"]
    assert (
        f"<https://ap-northeast-2.console.aws.amazon.com/cloudwatch/home?region=ap-northeast-2#alarmsV2:alarm/{name}|{name}>"
        in text
    )
    meaning, first = str(sent["AlarmDescription"]).split(" First: ")
    assert meaning in text
    assert (f"*First:* {first}" in text) is tells_what_to_do
    assert str(sent["NewStateReason"]).split()[0] in text
    if make is composite:
        assert "Because of: trestle-demo-api-gone" in text


def test_every_alarm_of_the_stack_fits_into_a_message(function: Function, slack: Slack) -> None:
    template = Template.read(ROOT / "stacks/ops.yml")
    descriptions = [
        str(body["Properties"]["AlarmDescription"])  # type: ignore[index]
        for body in template.resources.values()
        if body["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    ]
    assert len(descriptions) > 15
    for description in descriptions:
        function(alarm("ALARM", "OK", AlarmDescription=description))
    for description, post in zip(descriptions, slack.posts, strict=True):
        for part in description.split(" First: "):
            assert part in said(post), "cut short"


def test_what_comes_from_outside_is_shown_and_not_understood(function: Function, slack: Slack) -> None:
    function(alarm("ALARM", "OK", AlarmName="a b/<!channel>&", NewStateReason="x < y & <!here>\n\n> quoted"))
    text = said(slack.posts[0])
    assert "<!" not in text and "&lt;!here&gt;" in text and "&amp;" in text
    assert "alarm/a%20b%2F%3C%21channel%3E%26|" in text
    assert "x &lt; y &amp; &lt;!here&gt; &gt; quoted" in text, "the reason stays one quoted line"


def test_long_reasons_are_cut(function: Function, slack: Slack) -> None:
    function(alarm("ALARM", "OK", NewStateReason="datapoint " * 500, AlarmDescription="What. First: " + "do " * 900))
    text = said(slack.posts[0])
    assert len(text) <= 3000, "Slack refuses a longer block"
    assert "…" in text


@pytest.mark.parametrize("description", [None, "", "No instruction"])
def test_an_alarm_of_somebody_else_is_told_too(function: Function, slack: Slack, description: str | None) -> None:
    function(alarm("ALARM", "OK", AlarmDescription=description, NewStateReason=None))
    text = said(slack.posts[0])
    assert "*First:*" not in text and "None" not in text
    assert (description or "latency") in text


@pytest.mark.parametrize("message", ["plain words & more", '{"AlarmName": "x"}', "[1, 2]", '"x"', "7"])
def test_what_is_no_alarm_is_passed_on_as_it_is(function: Function, slack: Slack, message: str) -> None:
    function(message, subject="Hello")
    assert slack.posts == [{"text": "Hello: " + message.replace("&", "&amp;")}]


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        ([(500, {})], [1]),
        ([(503, {}), (502, {})], [1, 2]),
        ([(429, {"Retry-After": "3"})], [3]),
        ([(429, {"Retry-After": "3600"})], [5]),
        ([(429, {"Retry-After": "soon"})], [1]),
        ([(0, {}), (0, {})], [1, 2]),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(
    function: Function, slack: Slack, answers: list[tuple[int, dict[str, str]]], pauses: list[float]
) -> None:
    slack.answers = list(answers)
    function(alarm("ALARM", "OK"))
    assert len(slack.posts) == 1
    assert function.pauses == pauses
    assert slack.calls == len(answers) + 1


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_repeated_but_fails(function: Function, slack: Slack, status: int) -> None:
    slack.answers = [(status, {})]
    with pytest.raises(RuntimeError, match=f"Slack answered {status}"):
        function(alarm("ALARM", "OK"))
    assert slack.calls == 1 and function.pauses == []


def test_a_new_webhook_is_used_after_the_old_one_was_refused(function: Function, slack: Slack) -> None:
    with listening() as other:
        slack.answers = [(404, {})]
        with pytest.raises(RuntimeError):
            function(alarm("ALARM", "OK"))
        boto3.client("secretsmanager").put_secret_value(SecretId="slack", SecretString=other.url)
        function(alarm("ALARM", "OK"))
        assert len(other.posts) == 1 and slack.calls == 1


def test_the_secret_is_read_once(function: Function, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    client = boto3.client
    monkeypatch.setattr(function.module.boto3, "client", lambda name: made.append(name) or client(name))
    function(alarm("ALARM", "OK"), alarm("OK", "ALARM"))
    assert made == ["secretsmanager"] and len(slack.posts) == 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/services/" + TOKEN, "nonsense://" + TOKEN, "https://[" + TOKEN, "http://x y/" + TOKEN]
)
@pytest.mark.parametrize("broken", [False, True])
def test_nothing_that_is_logged_holds_the_webhook(
    function: Function, slack: Slack, capsys: pytest.CaptureFixture[str], url: str, broken: bool
) -> None:
    if broken:
        boto3.client("secretsmanager").put_secret_value(SecretId="slack", SecretString=url)
    else:
        slack.answers = [(500, {}), (503, {}), (502, {})]
    with pytest.raises(RuntimeError) as failed:
        function(alarm("ALARM", "OK"))
    assert failed.value.__cause__ is None and failed.value.__context__ is None, "a traceback would show the address"
    printed = capsys.readouterr()
    assert "tries left" in printed.out
    for text in (printed.out, printed.err, str(failed.value)):
        assert "SECRET" not in text and "services/" not in text


def test_a_slack_that_never_answers_is_given_up(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        boto3.client("secretsmanager").put_secret_value(
            SecretId="slack", SecretString=f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        )
        monkeypatch.setattr(function.module, "TIMEOUT", 0.05)
        with pytest.raises(RuntimeError, match="Slack was not reached: TimeoutError"):
            function(alarm("ALARM", "OK"))
    assert function.pauses == [1, 2]


def test_a_silent_slack_does_not_outlast_the_function(function: Function) -> None:
    """Every try at its longest, and the pauses, within the time that the template gives."""
    module = function.module
    template = Template.read(ROOT / "stacks/ops.yml")
    seconds = template.resources["SlackFunction"]["Properties"]["Timeout"]  # type: ignore[index]
    longest = module.TRIES * module.TIMEOUT + (module.TRIES - 1) * module.LONGEST_PAUSE
    assert longest + 3 <= seconds, "and something for the start and for the secret"


def test_the_template_holds_the_program(function: Function) -> None:
    template = Template.read(ROOT / "stacks/ops.yml")
    properties = template.resources["SlackFunction"]["Properties"]
    source = SOURCE.read_text(encoding="utf-8")
    assert properties["Code"] == {"ZipFile": source}  # type: ignore[index]
    assert len(source) <= 4096, "CloudFormation takes no longer program in a template"
    assert properties["Handler"] == "index.handler"  # type: ignore[index]
    assert callable(function.module.handler)


def test_the_program_needs_only_what_the_runtime_has() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    imported = {match.split(".")[0] for match in re.findall(r"^(?:import|from) (\S+)", source, re.MULTILINE)}
    assert imported <= set(sys.stdlib_module_names) | {"boto3"}, "boto3 is part of Lambda's Python"
    compile(source, str(SOURCE), "exec")
