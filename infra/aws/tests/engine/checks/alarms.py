"""Properties of alarms and the dashboard: they look at what exists, ring when they should and only then, and somebody is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.aws_metrics import METRICS
from engine.checks.registry import property_of
from engine.environment import Environment, at, items, mapping, number
from engine.watching import ALARM, COMPOSITE, Alarm, Metric, Values, alarms, children, widgets
from trestle_aws.template import Resource
from trestle_aws.values import GetAtt

GIB = 2.0**30


def own_namespace(environment: Environment) -> str:
    """Of the numbers that are counted in the log."""
    return f"Trestle/{environment.parameter('Project', 'ops')}-{environment.parameter('Environment', 'ops')}"


def counted(environment: Environment) -> dict[str, Resource]:
    """What is counted in the log, by name."""
    found = {}
    for one in environment.resources("AWS::Logs::MetricFilter"):
        for body in map(mapping, items(one.properties.get("MetricTransformations"))):
            if body.get("MetricNamespace") == own_namespace(environment):
                found[str(body.get("MetricName"))] = one
    return found


def groups(environment: Environment) -> dict[str, str]:
    """The groups' names, by tier."""
    return (
        {"Web": str(environment.export("WebGroup")), "Api": str(environment.export("ApiGroup"))}
        if environment.has("app")
        else {}
    )


def instances(environment: Environment) -> list[str]:
    """The single instances' ids, in the order of their numbers."""
    return [str(one) for one in environment.export_list("InstanceIds")] if environment.has("instances") else []


def nodes(environment: Environment) -> list[str]:
    """The cache's nodes, by the names that ElastiCache gives them."""
    if not environment.has("data") or environment.parameter("Cache", "data") == "none":
        return []
    return [
        f"{environment.export('CacheIdentifier')}-{number:03}"
        for number in range(1, int(environment.parameter("CacheNodes", "data")) + 1)
    ]


def targets(environment: Environment) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """Each tier's namespace and dimensions: of the load balancer that its target group is at."""
    if not environment.has("app"):
        return {}
    alb, nlb = str(environment.export("AlbFullName")), str(environment.export("NlbFullName"))
    by_nlb = environment.parameter("ApiEntry", "app") == "nlb"
    web, api = (str(environment.export(f"{tier}TargetGroupFullName")) for tier in ("Web", "Api"))
    return {
        "Web": ("AWS/ApplicationELB", (("LoadBalancer", alb), ("TargetGroup", web))),
        "Api": (
            "AWS/NetworkELB" if by_nlb else "AWS/ApplicationELB",
            (("LoadBalancer", nlb if by_nlb else alb), ("TargetGroup", api)),
        ),
    }


def subjects(environment: Environment) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """All that there is to look at, as (namespace, dimensions)."""
    found: set[tuple[str, tuple[tuple[str, str], ...]]] = {(own_namespace(environment), ())}
    if environment.has("app"):
        found.add(("AWS/ApplicationELB", (("LoadBalancer", str(environment.export("AlbFullName"))),)))
        found |= set(targets(environment).values())
    for name in groups(environment).values():
        found |= {
            ("AWS/EC2", (("AutoScalingGroupName", name),)),
            ("AWS/AutoScaling", (("AutoScalingGroupName", name),)),
        }
    found |= {("AWS/EC2", (("InstanceId", str(one.ref)),)) for one in environment.resources("AWS::EC2::Instance")}
    found |= {("AWS/ElastiCache", (("CacheClusterId", name),)) for name in nodes(environment)}
    if environment.has("data"):
        found.add(("AWS/RDS", (("DBInstanceIdentifier", str(environment.export("DatabaseIdentifier"))),)))
    if environment.has("edge"):
        found.add(
            ("AWS/CloudFront", (("DistributionId", str(environment.export("DistributionId"))), ("Region", "Global")))
        )
    for one in environment.resources("AWS::Lambda::Function"):
        found.add(("AWS/Lambda", (("FunctionName", str(one.ref)),)))
    return found


def wrong(environment: Environment, metric: Metric) -> str:
    """What is wrong with a metric as it is named; "" if it exists."""
    names = frozenset(name for name, _ in metric.dimensions)
    if metric.namespace == own_namespace(environment):
        if metric.name not in counted(environment) or names:
            return f"{metric} is counted nowhere"
    else:
        known = METRICS.get(metric.namespace, {}).get(metric.name)
        if known is None:
            return f"{metric.namespace} has no metric {metric.name}"
        if names not in known.dimensions:
            return f"{metric.namespace} {metric.name} does not exist by {sorted(names)}"
        if metric.statistic not in known.statistics:
            return f"{metric.statistic} of {metric.name} means nothing"
    if (metric.namespace, metric.dimensions) not in subjects(environment):
        return f"{metric} is of nothing that is there"
    if metric.period < 60 or metric.period % 60:
        return f"{metric} has a period of {metric.period:g} s"
    return ""


@property_of("alarms look at metrics that exist, of what is there")
def metrics_exist(environment: Environment) -> Iterator[tuple[object, str]]:
    for alarm in [*alarms(environment), *alarms(environment, elsewhere=True)]:
        for problem in alarm.problems:
            yield alarm.resource, problem
        for metric in alarm.metrics.values():
            if problem := wrong(environment, metric):
                yield alarm.resource, problem
        if alarm.resource.properties.get("Region") or alarm.resource.properties.get("Unit"):
            yield alarm.resource, "asks for a unit, and AWS may publish another"


def _burstable(kind: str) -> bool:
    return re.match(r"(db\.|cache\.)?t\d", kind) is not None


def wanted(environment: Environment) -> Iterator[tuple[str, str, str]]:
    """What somebody has to be told of: (namespace, metric, the last dimension's value)."""
    for tier, (namespace, dimensions) in targets(environment).items():
        yield namespace, "UnHealthyHostCount", dimensions[-1][1]
        yield namespace, "HealthyHostCount", dimensions[-1][1]
        yield "AWS/EC2", "CPUUtilization", groups(environment)[tier]
        if _burstable(environment.parameter(f"{tier}InstanceType", "app")):
            yield "AWS/EC2", "CPUCreditBalance", groups(environment)[tier]
    if environment.has("app"):
        for name in ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "TargetResponseTime"):
            yield "AWS/ApplicationELB", name, str(environment.export("AlbFullName"))
    for name in instances(environment):
        yield "AWS/EC2", "StatusCheckFailed", name
        yield "AWS/EC2", "CPUUtilization", name
        if _burstable(environment.parameter("InstanceType", "instances")):
            yield "AWS/EC2", "CPUCreditBalance", name
    if environment.has("instances") and not environment.has("app"):
        yield own_namespace(environment), "Errors", ""
        yield own_namespace(environment), "Slow", ""
    if environment.has("data"):
        database = str(environment.export("DatabaseIdentifier"))
        for name in ("CPUUtilization", "FreeStorageSpace", "DatabaseConnections"):
            yield "AWS/RDS", name, database
        if _burstable(environment.parameter("DatabaseClass", "data")):
            yield "AWS/RDS", "CPUCreditBalance", database
    for node in nodes(environment):
        yield "AWS/ElastiCache", "CPUUtilization", node
    if environment.has("edge") and environment.region == "us-east-1":
        yield "AWS/CloudFront", "5xxErrorRate", "Global"
    for one in environment.resources("AWS::Lambda::Function"):
        if environment.parameter("AlertEmail", "ops"):
            yield "AWS/Lambda", "Errors", str(one.ref)


SUPPORTING = {"RequestCount", "GroupDesiredCapacity", "GroupInServiceInstances", "Answers"}
"""What an alarm compares with; it watches something else."""


@property_of("somebody is told of everything that goes wrong")
def covered(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("ops"):
        return
    needed = set(wanted(environment))
    found = set()
    for alarm in alarms(environment):
        for metric in alarm.metrics.values():
            if metric.name not in SUPPORTING:
                found.add((*metric.key, metric.dimensions[-1][1] if metric.dimensions else ""))
    for namespace, name, subject in sorted(needed - found):
        yield "ops", f"no alarm watches {name} of {subject or namespace}"
    for namespace, name, subject in sorted(found - needed):
        yield "ops", f"an alarm watches {name} of {subject or namespace}, which has none"


# --- When they ring -----------------------------------------------------------------------------------------------------


def calm(environment: Environment) -> dict[str, float | None]:
    """A good day, by metric."""
    return {
        "RequestCount": 600,
        "Answers": 600,
        "HTTPCode_Target_5XX_Count": None,
        "HTTPCode_ELB_5XX_Count": None,
        "Errors": None,
        "Slow": None,
        "TargetResponseTime": 0.02,
        "UnHealthyHostCount": 0,
        "HealthyHostCount": 2,
        "GroupDesiredCapacity": 2,
        "GroupInServiceInstances": 2,
        "CPUUtilization": 25,
        "CPUCreditBalance": 100,
        "StatusCheckFailed": 0,
        "FreeStorageSpace": 200 * GIB,
        "DatabaseConnections": 0.4 * number(environment.export("MaxConnections")) if environment.has("data") else None,
        "5xxErrorRate": 0,
    }


def limits(environment: Environment) -> dict[tuple[str, str], tuple[float, float]]:
    """For each watched metric the worst value that is still nobody's business, and one that somebody has to know."""
    errors = 600 * number(environment.parameter("ErrorPercent", "ops")) / 100
    seconds = number(environment.parameter("LatencySeconds", "ops"))
    gib = number(environment.parameter("FreeStorageGiB", "ops"))
    most = number(environment.export("MaxConnections")) if environment.has("data") else 0
    own = own_namespace(environment)
    found = {
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): (errors * 0.98, errors * 1.02),
        ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): (1, 10),
        ("AWS/ApplicationELB", "TargetResponseTime"): (seconds * 0.98, seconds * 1.02),
        ("AWS/EC2", "CPUUtilization"): (80, 92),
        ("AWS/EC2", "CPUCreditBalance"): (24, 1),
        ("AWS/EC2", "StatusCheckFailed"): (0, 1),
        ("AWS/RDS", "CPUUtilization"): (75, 90),
        ("AWS/RDS", "CPUCreditBalance"): (24, 1),
        ("AWS/RDS", "FreeStorageSpace"): (gib * 1.02 * GIB, gib * 0.98 * GIB),
        ("AWS/RDS", "DatabaseConnections"): (0.79 * most, 0.82 * most),
        # Of two cores, one does the work.
        ("AWS/ElastiCache", "CPUUtilization"): (35, 48),
        ("AWS/CloudFront", "5xxErrorRate"): (1, 10),
        ("AWS/Lambda", "Errors"): (0, 1),
        (own, "Errors"): (errors * 0.98, errors * 1.02),
        (own, "Slow"): (600 * 0.0098, 600 * 0.0102),
    }
    for namespace in ("AWS/ApplicationELB", "AWS/NetworkELB"):
        found[namespace, "UnHealthyHostCount"] = (0, 1)
        found[namespace, "HealthyHostCount"] = (1, 0)
    return found


def day(environment: Environment, **other: float | None) -> Values:
    """A good day but for these."""
    values = calm(environment) | other
    return lambda metric: values[metric.name]


def _rings(alarm: Alarm, values: Values) -> bool | str:
    try:
        return alarm.rings(values)
    except (ValueError, KeyError) as error:
        return str(error)


@property_of("alarms ring when they should, and only then")
def ringing(environment: Environment) -> Iterator[tuple[object, str]]:
    good = day(environment)
    known = limits(environment)
    for alarm in alarms(environment):
        if (answer := _rings(alarm, good)) is not False:
            yield alarm.resource, f"on a good day: {'rings' if answer is True else answer}"
            continue
        for metric in alarm.metrics.values():
            if metric.name in SUPPORTING or metric.key not in known:
                continue
            for value, expected in zip(known[metric.key], (False, True), strict=True):

                def values(one: Metric, value: float = value, metric: Metric = metric) -> float | None:
                    return value if one == metric else good(one)

                if _rings(alarm, values) is not expected:
                    yield alarm.resource, f"{metric.name} at {value:g}: {'is silent' if expected else 'rings'}"


def situations(environment: Environment) -> Iterator[tuple[str, Values, set[str]]]:
    """What may be the case, and the watched metrics whose alarms ring then; all others are silent."""
    nothing: dict[str, float | None] = dict.fromkeys(("RequestCount", "Answers", "TargetResponseTime"))
    yield "nobody visits", day(environment, **nothing), set()
    yield (
        "one of three answers is 5xx at night",
        day(environment, RequestCount=3, Answers=3, HTTPCode_Target_5XX_Count=1, Errors=1, Slow=1),
        {"Errors of Lambda"},
    )
    stopped = {
        "GroupDesiredCapacity": 0.0,
        "GroupInServiceInstances": 0.0,
        "HealthyHostCount": None,
        "UnHealthyHostCount": None,
        "CPUUtilization": None,
    }
    yield (
        "stopped for the night, and a visitor comes",
        day(environment, **nothing, **stopped, HTTPCode_ELB_5XX_Count=50),
        set(),
    )
    yield "nothing is published at all", lambda metric: None, set()
    yield (
        "nothing could be launched",
        day(environment, GroupInServiceInstances=0, HealthyHostCount=None),
        {"HealthyHostCount"},
    )
    yield (
        "all have failed their checks",
        day(environment, HealthyHostCount=0, UnHealthyHostCount=2),
        {"HealthyHostCount", "UnHealthyHostCount"},
    )
    yield (
        "the second half of a rolling change",
        day(environment, HealthyHostCount=1, GroupInServiceInstances=3, GroupDesiredCapacity=2),
        set(),
    )


@property_of("what is meant to be is no alarm")
def meant(environment: Environment) -> Iterator[tuple[object, str]]:
    for what, values, expected in situations(environment):
        for alarm in alarms(environment):
            watched = {
                f"{one.name} of Lambda" if one.namespace == "AWS/Lambda" else one.name for one in alarm.metrics.values()
            } - SUPPORTING
            answer = _rings(alarm, values)
            if answer is not bool(watched & expected):
                yield (
                    alarm.resource,
                    f"{what}: {'rings' if answer is True else 'is silent' if answer is False else answer}",
                )


MINUTES = {"CPUCreditBalance": (60, 120), "CPUUtilization": (5, 15), "FreeStorageSpace": (5, 30)}
"""For how long it has to be so; all else two to five. A new instance has no credits, and the smallest earns six in an hour."""


@property_of("alarms wait for long enough, and not longer")
def waiting(environment: Environment) -> Iterator[tuple[object, str]]:
    for alarm in alarms(environment):
        said = alarm.resource.properties
        points, looked = number(said.get("DatapointsToAlarm")), number(said.get("EvaluationPeriods"))
        periods = {one.period for one in alarm.metrics.values()} | alarm.periods
        if said.get("TreatMissingData") != "notBreaching":
            yield alarm.resource, "goes to and fro with numbers that come now and then"
        if len(periods) != 1 or not 1 <= points <= looked <= 2 * points:
            yield alarm.resource, f"{points:g} of {looked:g} periods of {sorted(periods)} s"
            continue
        minutes = points * periods.pop() / 60
        least, most = next((MINUTES[one.name] for one in alarm.metrics.values() if one.name in MINUTES), (2, 5))
        if not least <= minutes <= most:
            yield alarm.resource, f"rings after {minutes:g} minutes"
        percentile = any(one.statistic.startswith("p") for one in alarm.metrics.values())
        if (said.get("EvaluateLowSampleCountPercentile") == "ignore") != percentile:
            yield alarm.resource, "takes the p99 of a handful of requests for one"


# --- Who is told --------------------------------------------------------------------------------------------------------


def topic(environment: Environment) -> Resource | None:
    """Where alarms go."""
    found = list(environment.resources("AWS::SNS::Topic"))
    return found[0] if len(found) == 1 else None


@property_of("each alarm reaches the topic, with what to do first")
def told(environment: Environment) -> Iterator[tuple[object, str]]:
    where = topic(environment)
    if not environment.has("ops"):
        return
    if where is None or environment.export("AlertTopicArn") != where.ref:
        yield "ops", "there is no topic, or it is not exported"
        return
    queries = {
        str(one.properties.get("Name")).rpartition("/")[2]
        for one in environment.resources("AWS::Logs::QueryDefinition")
    }
    inner: set[str] = set()
    for one in environment.resources(COMPOSITE):
        inner |= children(one)
    names = set()
    for one in environment.stacks["ops"].of_type(ALARM, COMPOSITE):
        name = str(one.ref)
        names.add(name)
        actions = [items(one.properties.get(kind)) for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")]
        if actions != ([[], [], []] if name in inner else [[where.ref], [where.ref], []]):
            yield one, f"tells {actions}: who is part of another alarm nobody, else the topic, of the end too"
        if one.properties.get("ActionsEnabled") in (False, "false"):
            yield one, "is mute"
        text = str(one.properties.get("AlarmDescription"))
        if name not in inner and not re.search(r"\. First: \S.{20,}", text):
            yield one, "does not say what to do first"
        for query in re.findall(r"saved query ([a-z-]+)", text):
            if query not in queries:
                yield one, f"names the saved query {query}, which is not there"
    for name in sorted(inner - names):
        yield "ops", f"a composite alarm is made of {name}, which is not there"
    gone = {
        str(alarm.resource.ref)
        for alarm in alarms(environment)
        if any(one.name == "HealthyHostCount" for one in alarm.metrics.values())
    }
    if inner != gone:
        yield "ops", f"the shop is down by {sorted(inner)}, not when a tier has nobody left"


@property_of("CloudWatch may write to the topic, and only for our alarms")
def publishing(environment: Environment) -> Iterator[tuple[object, str]]:
    where = topic(environment)
    if where is None:
        return
    policies = [
        one
        for one in environment.resources("AWS::SNS::TopicPolicy")
        if where.ref in items(one.properties.get("Topics"))
    ]
    lines = [mapping(line) for one in policies for line in items(at(one.properties, "PolicyDocument/Statement"))]
    prefix = f"{environment.parameter('Project', 'ops')}-{environment.parameter('Environment', 'ops')}-"
    source = f"arn:aws:cloudwatch:{environment.region}:123456789012:alarm:{prefix}*"
    fine = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": where.ref,
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": source}},
    }
    if [{key: value for key, value in line.items() if key != "Sid"} for line in lines] != [fine]:
        yield where, "its policy admits others than this shop's alarms, or not those"
    if "KmsMasterKeyId" in where.properties:
        yield where, "is encrypted with a key that CloudWatch may not use"
    for one in environment.stacks["ops"].of_type(ALARM, COMPOSITE):
        if not str(one.properties.get("AlarmName")).startswith(prefix):
            yield one, "may not write to the topic by its name"


@property_of("the topic reaches who was named")
def receivers(environment: Environment) -> Iterator[tuple[object, str]]:
    where = topic(environment)
    if where is None:
        return
    email = environment.parameter("AlertEmail", "ops")
    given = environment.parameter("SlackSecretArn", "ops")
    slack = environment.parameter("SlackWebhook", "ops") or given
    functions = list(environment.resources("AWS::Lambda::Function"))
    wanted_ends = {("email", email)} if email else set()
    if slack:
        if len(functions) != 1:
            yield "ops", f"{len(functions)} functions post to Slack"
            return
        function = functions[0]
        wanted_ends.add(("lambda", str(GetAtt(function.stack, function.id, "Arn"))))
        yield from _slack(environment, where, function)
    elif functions:
        yield functions[0], "posts to no Slack"
    found = set()
    for one in environment.resources("AWS::SNS::Subscription"):
        found.add((str(one.properties.get("Protocol")), str(one.properties.get("Endpoint"))))
        if one.properties.get("TopicArn") != where.ref:
            yield one, "is of another topic"
    if found != wanted_ends:
        yield where, f"reaches {sorted(found)}, not {sorted(wanted_ends)}"


def _slack(environment: Environment, where: Resource, function: Resource) -> Iterator[tuple[object, str]]:
    said = function.properties
    allowed = {
        (str(one.properties.get("Action")), str(one.properties.get("Principal")), str(one.properties.get("SourceArn")))
        for one in environment.resources("AWS::Lambda::Permission")
        if one.properties.get("FunctionName") in (function.ref, GetAtt(function.stack, function.id, "Arn"))
    }
    if allowed != {("lambda:InvokeFunction", "sns.amazonaws.com", str(where.ref))}:
        yield function, f"may be called by {sorted(allowed)}"
    secret = at(said, "Environment/Variables/WEBHOOK_SECRET")
    webhook = environment.parameter("SlackWebhook", "ops")
    if webhook:
        made = environment.behind(secret)
        if made is None or made.type != "AWS::SecretsManager::Secret" or made.properties.get("SecretString") != webhook:
            yield function, "does not know the secret with the webhook"
    elif secret != environment.parameter("SlackSecretArn", "ops"):
        yield function, "does not know the secret that was given"
    if set(mapping(at(said, "Environment/Variables"))) != {"WEBHOOK_SECRET"}:
        yield function, "has other variables, which the console shows"
    if said.get("Runtime") != "python3.13":
        yield function, f"runs on {said.get('Runtime')}"
    if not 128 <= number(said.get("MemorySize")) <= 512 or not 20 <= number(said.get("Timeout")) <= 60:
        yield function, f"has {said.get('MemorySize')} MB and {said.get('Timeout')} s"
    group = environment.behind(at(said, "LoggingConfig/LogGroup"))
    if group is None or group.type != "AWS::Logs::LogGroup":
        yield function, "logs into a group without end"
    role = said.get("Role")
    owner = environment.behind(role)
    if owner is None or owner.type != "AWS::IAM::Role" or not isinstance(role, GetAtt) or role.attribute != "Arn":
        yield function, "has no role of ours"


@property_of("the dashboard shows what exists")
def dashboard(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("ops"):
        return
    found = list(environment.resources("AWS::CloudWatch::Dashboard"))
    if len(found) != 1:
        yield "ops", f"there are {len(found)} dashboards"
        return
    where = found[0]
    try:
        shown = list(widgets(where))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        yield where, f"CloudWatch would not take it: {error!r}"
        return
    seen = {metric.key for one in shown for metric in one.metrics}
    for one in shown:
        if len([other for other in shown if other.title == one.title]) > 1:
            yield where, f"{one.title} is there twice"
        front = any(metric.namespace == "AWS/CloudFront" for metric in one.metrics)
        if one.kind != "alarm" and one.region != ("us-east-1" if front else environment.region):
            yield where, f"{one.title} looks into {one.region}"
        for metric in one.metrics:
            if problem := wrong(environment, metric):
                yield where, f"{one.title}: {problem}"
        there = {str(GetAtt(alarm.stack, alarm.id, "Arn")) for alarm in environment.resources(ALARM, COMPOSITE)}
        for name in set(one.alarms) - there:
            yield where, f"{one.title}: {name} is no alarm"
    # CloudFront's in another region, and the function's, are nobody's daily look.
    for namespace, name, _ in sorted(wanted(environment)):
        if (
            (namespace, name) not in seen
            and name not in ("UnHealthyHostCount", "StatusCheckFailed", "CPUCreditBalance")
            and namespace != "AWS/Lambda"
        ):
            yield where, f"does not show {name} of {namespace}, which has an alarm"


@property_of("alarms ask for statistics that CloudWatch knows")
def statistics(environment: Environment) -> Iterator[tuple[object, str]]:
    """The schema takes any text there, and the alarm would never have data."""
    for resource in environment.resources("AWS::CloudWatch::Alarm"):
        for one in map(mapping, items(resource.properties.get("Metrics"))):
            stat = at(one, "MetricStat/Stat")
            if stat is not None and not re.fullmatch(
                r"Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?", str(stat)
            ):
                yield resource, f"{one.get('Id')} is the {stat}"
