"""Properties of saved queries and of what is counted in the log: they ask for fields and words that our programs write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from engine.checks.alarms import counted, own_namespace
from engine.checks.registry import property_of
from engine.environment import Environment, items, mapping
from engine.watching import widgets
from trestle_aws.template import Resource
from trestle_aws.values import Value

REPOSITORY = Path(__file__).resolve().parents[5]

ALWAYS = {"@timestamp", "@message", "@logStream", "@log", "@ingestionTime", "@ptr"}
COMMANDS = {"fields", "filter", "stats", "sort", "limit", "parse", "display", "dedup"}
WORDS = {"by", "as", "and", "or", "not", "in", "like", "asc", "desc"}
FUNCTIONS = {
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "pct",
    "bin",
    "ispresent",
    "strlen",
    "concat",
    "coalesce",
    "count_distinct",
    "abs",
    "ceil",
    "floor",
}


@cache
def web_fields() -> frozenset[str]:
    """What nginx writes of each request."""
    source = (REPOSITORY / "services/web/nginx/log.conf.template").read_text(encoding="utf-8")
    return frozenset(re.findall(r'"(\w+)":', source))


@cache
def calls() -> tuple[str, ...]:
    """The arguments of everything that the API logs."""
    found = []
    for path in sorted((REPOSITORY / "services/api/src").rglob("*.rs")):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"\b(?:tracing::\$?\w+|(?:info|warn|error|debug)|line)!\(", text):
            depth, at = 1, match.end()
            while depth and at < len(text):
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                at += 1
            found.append(text[match.end() : at - 1])
    return tuple(found)


@cache
def api_fields() -> frozenset[str]:
    """What the API's lines hold: of the program, and of its log's format."""
    found = {"timestamp", "level", "message"}
    for call in calls():
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", call)
        found |= set(re.findall(r"(?:^|,)\s*[%?]?(\w+)(?=\s*(?:=|,|$))", bare))
    return frozenset(found)


@cache
def api_messages() -> frozenset[str]:
    """What the API says."""
    return frozenset(text for call in calls() for text in re.findall(r'"((?:[^"\\]|\\.)*)"', call))


def fields_of(environment: Environment, group: str) -> frozenset[str]:
    """What the lines of a log group hold beside what CloudWatch adds."""
    prefix = f"/{environment.parameter('Project', 'ops')}/{environment.parameter('Environment', 'ops')}/"
    return {f"{prefix}web": web_fields(), f"{prefix}api": api_fields()}.get(group, frozenset())


def problems(query: str, known: frozenset[str]) -> Iterator[str]:
    """What is wrong with a query for lines that hold these fields."""
    named: set[str] = set()
    for number, command in enumerate(
        re.split(r"\n?\s*\|\s*", "\n".join(line for line in query.splitlines() if not line.startswith("#")))
    ):
        body = command.strip()
        word = body.split(" ", 1)[0]
        if word not in COMMANDS:
            yield f"command {number + 1} is {word}"
            continue
        rest = re.sub(r'"[^"]*"|/[^/]+/', " ", body[len(word) :])
        rest = re.sub(r"\b\d+[smhd]?\b", " ", rest)
        aliases = set(re.findall(r"\bas\s+(\w+)", rest))
        if word in ("fields", "stats"):
            rest = re.sub(r"\bas\s+\w+", " ", rest)
        for function in re.findall(r"(\w+)\s*\(", rest):
            if function not in FUNCTIONS | WORDS:
                yield f"there is no function {function}"
        used = set(re.findall(r"@?[A-Za-z_]\w*(?!\w*\s*\()", re.sub(r"\w+\s*\(", "(", rest))) - WORDS
        for name in sorted(used - known - ALWAYS - named):
            yield f"no line has {name}"
        named |= aliases


def said_messages(query: str) -> Iterator[str]:
    """The messages that a query waits for."""
    yield from re.findall(r'message\s*=\s*"([^"]*)"', query)
    for some in re.findall(r"message\s+in\s+\[([^\]]*)\]", query):
        yield from re.findall(r'"([^"]*)"', some)
    yield from re.findall(r"message\s+like\s+/([^/]+)/", query)


def asked(environment: Environment) -> Iterator[tuple[Resource, str, list[str], str]]:
    """Every query with its title and the log groups that it reads, the dashboard's too."""
    for one in environment.resources("AWS::Logs::QueryDefinition"):
        groups = [str(group) for group in items(one.properties.get("LogGroupNames"))]
        yield one, str(one.properties.get("Name")), groups, str(one.properties.get("QueryString"))
    for one in environment.resources("AWS::CloudWatch::Dashboard"):
        try:
            shown = [widget for widget in widgets(one) if widget.kind == "log"]
        except (ValueError, KeyError, IndexError, TypeError):
            continue
        for widget in shown:
            source, _, query = widget.query.partition(" | ")
            yield one, widget.title, re.findall(r"SOURCE '([^']+)'", source), query


@property_of("saved queries ask for what the logs hold")
def queries(environment: Environment) -> Iterator[tuple[object, str]]:
    existing = {str(one.properties.get("LogGroupName")) for one in environment.resources("AWS::Logs::LogGroup")}
    names = set()
    for where, title, groups, query in asked(environment):
        if title in names:
            yield where, f"{title} is there twice"
        names.add(title)
        if not groups:
            yield where, f"{title} reads no log"
        for group in groups:
            if group not in existing:
                yield where, f"{title} reads {group}, which nobody makes"
            for problem in problems(query, fields_of(environment, group)):
                yield where, f"{title}: {problem} in {group}"
        for text in said_messages(query):
            if not any(text in message for message in api_messages()):
                yield where, f'{title} waits for "{text}", which the API never says'


QUESTIONS = ("errors", "errors-at-the-web-tier", "routes", "replicas", "caches", "starts", "one-request", "system")


@property_of("the questions that everybody has are saved")
def saved(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("ops"):
        return
    prefix = f"{environment.parameter('Project', 'ops')}/{environment.parameter('Environment', 'ops')}/"
    found = {str(one.properties.get("Name")) for one in environment.resources("AWS::Logs::QueryDefinition")}
    for name in sorted({prefix + question for question in QUESTIONS} ^ found):
        yield "ops", f"the saved query {name} is missing, or has another name"


@property_of("what is counted in the log is what the alarms mean by it")
def counting(environment: Environment) -> Iterator[tuple[object, str]]:
    """Runs each filter's pattern over lines as nginx writes them."""
    seconds = float(environment.parameter("LatencySeconds", "ops") or 1)
    lines: list[dict[str, float]] = [
        {"status": 200, "seconds": seconds * 0.5},
        {"status": 404, "seconds": seconds * 1.5},
        {"status": 499, "seconds": seconds * 0.5},
        {"status": 500, "seconds": seconds * 0.5},
        {"status": 503, "seconds": seconds * 1.5},
    ]
    wanted = {"Answers": [1, 1, 1, 1, 1], "Errors": [0, 0, 0, 1, 1], "Slow": [0, 1, 0, 0, 1]}
    for name, one in counted(environment).items():
        where = f"/{environment.parameter('Project', 'ops')}/{environment.parameter('Environment', 'ops')}/web"
        if one.properties.get("LogGroupName") != where:
            yield one, f"counts in {one.properties.get('LogGroupName')}"
        match = re.fullmatch(r"\{ \$\.(\w+) (>|>=|<|=) ([0-9.]+) \}", str(one.properties.get("FilterPattern")))
        if not match or match.group(1) not in web_fields() & {"status", "seconds"}:
            yield one, f"{one.properties.get('FilterPattern')} fits no line of nginx"
            continue
        name_of, sign, limit = match.group(1), match.group(2), float(match.group(3))
        counts = [
            int(
                {
                    ">": line[name_of] > limit,
                    ">=": line[name_of] >= limit,
                    "<": line[name_of] < limit,
                    "=": line[name_of] == limit,
                }[sign]
            )
            for line in lines
        ]
        if counts != wanted.get(name):
            yield one, f"counts {counts} of answers for {name}"
        body = mapping(items(one.properties.get("MetricTransformations"))[0])
        if (
            body.get("MetricValue") not in ("1", 1)
            or body.get("DefaultValue") not in (0, "0")
            or body.get("MetricNamespace") != own_namespace(environment)
        ):
            yield one, "does not count ones"
        unit: Value = body.get("Unit")
        if unit not in (None, "Count"):
            yield one, f"counts {unit}"
