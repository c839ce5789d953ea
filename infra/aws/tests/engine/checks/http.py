"""What a load balancer does with a request, by its listeners and rules as the stacks have them."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from engine.environment import Environment, at, items, mapping, number
from trestle_aws.template import Resource
from trestle_aws.values import Value


@dataclass(frozen=True)
class Answer:
    """Either where it leads to (a URL), or to which target group (its id)."""

    redirect: str = ""
    status: str = ""
    target: str = ""


def ask(environment: Environment, balancer: Resource, scheme: str, host: str, path: str, query: str = "") -> Answer:
    """The answer of the load balancer to one request; an empty one if nobody listens."""
    port = 443 if scheme == "https" else 80
    for listener in environment.resources("AWS::ElasticLoadBalancingV2::Listener"):
        properties = listener.properties
        if (
            environment.behind(properties.get("LoadBalancerArn")) is not balancer
            or number(properties.get("Port")) != port
        ):
            continue
        if (properties.get("Protocol") == "HTTPS") != (scheme == "https"):
            continue
        rules = [
            rule
            for rule in environment.resources("AWS::ElasticLoadBalancingV2::ListenerRule")
            if environment.behind(rule.properties.get("ListenerArn")) is listener
        ]
        for rule in sorted(rules, key=lambda rule: number(rule.properties.get("Priority"))):
            if all(_fits(mapping(condition), host, path) for condition in items(rule.properties.get("Conditions"))):
                return _act(rule.properties.get("Actions"), scheme, host, path, query, port)
        return _act(properties.get("DefaultActions"), scheme, host, path, query, port)
    return Answer()


def _fits(condition: dict[str, Value], host: str, path: str) -> bool:
    field = condition.get("Field")
    if field == "host-header":
        return any(fnmatch.fnmatchcase(host, str(value)) for value in items(at(condition, "HostHeaderConfig/Values")))
    if field == "path-pattern":
        return any(fnmatch.fnmatchcase(path, str(value)) for value in items(at(condition, "PathPatternConfig/Values")))
    return False


def _act(actions: Value, scheme: str, host: str, path: str, query: str, port: int) -> Answer:
    first = mapping(items(actions)[0]) if items(actions) else {}
    if first.get("Type") == "forward":
        return Answer(target=str(first.get("TargetGroupArn")))
    if first.get("Type") != "redirect":
        return Answer()
    config = mapping(first.get("RedirectConfig"))
    values = {
        "#{protocol}": scheme.upper(),
        "#{host}": host,
        "#{path}": path.lstrip("/"),
        "#{query}": query,
        "#{port}": str(port),
    }

    def part(name: str, default: str) -> str:
        text = str(config.get(name, default))
        for mark, value in values.items():
            text = text.replace(mark, value)
        return text

    to_scheme, to_port = part("Protocol", "#{protocol}").lower(), part("Port", "#{port}")
    usual = {"http": "80", "https": "443"}.get(to_scheme) == to_port
    asked = part("Query", "#{query}")
    url = f"{to_scheme}://{part('Host', '#{host}')}{'' if usual else ':' + to_port}{part('Path', '/#{path}')}{'?' + asked if asked else ''}"
    return Answer(redirect=url, status=str(config.get("StatusCode")))
