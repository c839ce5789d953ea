"""Alarms as something that can be asked: which metrics they watch, and whether they ring at given values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine import metric_math
from engine.environment import Environment, items, mapping, number
from trestle_aws.template import Resource
from trestle_aws.values import Value

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, limit: value > limit,
    "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
    "LessThanThreshold": lambda value, limit: value < limit,
    "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
}


@dataclass(frozen=True)
class Metric:
    """A metric as an alarm or the dashboard names it; values of dimensions as text, so that symbols compare."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: float

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.namespace} {self.name} {dict(self.dimensions)}"


Values = Callable[[Metric], metric_math.Number]


@dataclass(frozen=True)
class Alarm:
    """A metric alarm."""

    resource: Resource
    metrics: dict[str, Metric]
    expression: str
    """Of the ids in `metrics`."""
    periods: frozenset[float] = frozenset()
    """That the expression has, if it has any."""
    problems: tuple[str, ...] = field(default=())

    def rings(self, values: Values) -> bool:
        """With values that have lasted for as long as it looks back."""
        said = self.resource.properties
        value = metric_math.evaluate(self.expression, {id_: values(metric) for id_, metric in self.metrics.items()})
        if value is None:
            return said.get("TreatMissingData") == "breaching"
        return OPERATORS[str(said.get("ComparisonOperator"))](value, number(said.get("Threshold")))

    @property
    def name(self) -> str:
        """In AWS."""
        return str(self.resource.properties.get("AlarmName"))


def _dimensions(value: Value) -> tuple[tuple[str, str], ...]:
    pairs = [mapping(one) for one in items(value)]
    return tuple(sorted((str(one.get("Name")), str(one.get("Value"))) for one in pairs))


def alarms(environment: Environment, *, elsewhere: bool = False) -> Iterator[Alarm]:
    """The metric alarms of the stack ops, or those of others, which act by themselves and tell nobody."""
    for resource in environment.resources(ALARM):
        if (resource.stack != "ops") is not elsewhere:
            continue
        said = resource.properties
        if "MetricName" in said:
            metric = Metric(
                str(said.get("Namespace")),
                str(said.get("MetricName")),
                _dimensions(said.get("Dimensions")),
                str(said.get("Statistic") or said.get("ExtendedStatistic")),
                number(said.get("Period")),
            )
            yield Alarm(resource, {"value": metric}, "value")
            continue
        metrics: dict[str, Metric] = {}
        returned, problems = [], []
        periods = {number(mapping(one).get("Period")) for one in items(said.get("Metrics")) if "Period" in mapping(one)}
        for one in map(mapping, items(said.get("Metrics"))):
            stat = mapping(one.get("MetricStat"))
            body = mapping(stat.get("Metric"))
            id_ = str(one.get("Id"))
            if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", id_) or id_ in metrics:
                problems.append(f"{id_} is no id of its own")
            if stat:
                metrics[id_] = Metric(
                    str(body.get("Namespace")),
                    str(body.get("MetricName")),
                    _dimensions(body.get("Dimensions")),
                    str(stat.get("Stat")),
                    number(stat.get("Period")),
                )
            if one.get("ReturnData", True) not in (False, "false"):
                returned.append(str(one.get("Expression") or id_))
        if len(returned) != 1:
            problems.append(f"{len(returned)} of its metrics are its value")
        yield Alarm(resource, metrics, returned[0] if returned else "0", frozenset(periods), tuple(problems))


def children(resource: Resource) -> set[str]:
    """The alarms that a composite one is made of, as `Ref` names them; what is no `ALARM("name") OR ...` is in it as it stands."""
    found = set()
    for part in re.split(r"\s+OR\s+", str(resource.properties.get("AlarmRule")).strip()):
        match = re.fullmatch(r'ALARM\("([^"]+)"\)', part)
        found.add(match.group(1) if match else part)
    return found


@dataclass(frozen=True)
class Widget:
    """A part of the dashboard."""

    kind: str
    title: str
    region: str
    metrics: tuple[Metric, ...]
    query: str
    alarms: tuple[str, ...]


def widgets(resource: Resource) -> Iterator[Widget]:
    """The dashboard's; ValueError if its body is not what CloudWatch takes."""
    body = json.loads(str(resource.properties.get("DashboardBody")))
    for one in body["widgets"]:
        said = one["properties"]
        if not (1 <= one["width"] <= 24 and 1 <= one["height"] <= 1000):
            raise ValueError(f"{said['title']} is {one['width']} x {one['height']}")
        metrics = []
        for line in said.get("metrics", []):
            options = line[-1] if isinstance(line[-1], dict) else {}
            names = line[: -1 if options else None]
            pairs = tuple(sorted(zip(names[2::2], names[3::2], strict=True)))
            statistic = options.get("stat") or said.get("stat") or ""
            metrics.append(Metric(names[0], names[1], pairs, statistic, said.get("period", 0)))
        yield Widget(
            one["type"],
            said["title"],
            said.get("region", ""),
            tuple(metrics),
            said.get("query", ""),
            tuple(said.get("alarms", ())),
        )
