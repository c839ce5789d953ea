"""Properties of load balancers: what a request meets, and how health is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.checks.http import Answer, ask
from engine.checks.registry import property_of
from engine.checks.tiers import (
    LONGEST_REQUEST,
    SOURCE,
    attributes,
    balancers,
    config,
    group_of,
    operations_paths,
    targets_of,
    web_paths,
)
from engine.environment import Environment, at, items, mapping, number, truth
from trestle_aws.values import GetAtt, Value


@property_of("visitors are led to https and to the apex, and every request to its tier")
def requests(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    certificate = environment.parameter("CertificateArn", "app") != ""
    domain = environment.parameter("Domain", "app")
    by_path = environment.parameter("ApiEntry", "app") == "path"
    web, api = str(environment.export("WebTargetGroupArn")), str(environment.export("ApiTargetGroupArn"))
    host = domain or "alb.example"
    for balancer in balancers(environment, "application"):
        serving = ["https"] if certificate else ["http"]
        expected: dict[tuple[str, str, str], Answer] = {}
        for scheme in serving:
            expected[scheme, host, "/"] = expected[scheme, host, "/products/7"] = expected[scheme, host, "/healthz"] = (
                Answer(target=web)
            )
            expected[scheme, host, "/apiary"] = Answer(target=web)
            expected[scheme, host, "/api/v1/products"] = expected[scheme, host, "/api/x"] = Answer(
                target=api if by_path else web
            )
        if certificate:
            expected["http", host, "/cart"] = Answer(f"https://{host}/cart?a=b", "HTTP_301")
            expected["http", host, "/api/v1/cart"] = Answer(f"https://{host}/api/v1/cart?a=b", "HTTP_301")
        else:
            expected["https", host, "/"] = Answer()
        if domain:
            for scheme in ("http", "https") if certificate else ("http",):
                for path in ("/p", "/api/v1/p"):
                    expected[scheme, f"www.{domain}", path] = Answer(f"{serving[0]}://{domain}{path}?a=b", "HTTP_301")
        for (scheme, name, path), wanted in expected.items():
            found = ask(environment, balancer, scheme, name, path, "a=b")
            if found != wanted:
                yield balancer, f"{scheme}://{name}{path} gets {found}, not {wanted}"
    if len(balancers(environment, "application")) != 1:
        yield "app", "there is not one public load balancer"


@property_of("TLS is of the domain's certificate and of a version that is not broken")
def tls(environment: Environment) -> Iterator[tuple[object, str]]:
    for listener in environment.resources("AWS::ElasticLoadBalancingV2::Listener"):
        properties = listener.properties
        if properties.get("Protocol") in ("HTTPS", "TLS"):
            policy = str(properties.get("SslPolicy"))
            if not re.fullmatch(r"ELBSecurityPolicy-TLS13-1-[23](-Res)?-(PQ-)?20\d\d-\d\d", policy):
                yield listener, f"its policy {policy} takes TLS 1.1, ciphers without forward secrecy, or is not known"
            found = [mapping(one).get("CertificateArn") for one in items(properties.get("Certificates"))]
            if found != [environment.parameter("CertificateArn", "app")]:
                yield listener, f"its certificates are {found}"
        elif "Certificates" in properties or "SslPolicy" in properties:
            yield listener, f"speaks {properties.get('Protocol')} with a certificate"


@property_of("nginx reaches the API by the internal load balancer, or needs none")
def way_to_api(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    by_nlb = environment.parameter("ApiEntry", "app") == "nlb"
    found = balancers(environment, "network")
    if len(found) != int(by_nlb):
        yield "app", f"{len(found)} internal load balancers with ApiEntry={environment.parameter('ApiEntry', 'app')}"
    value = config(environment).get("web/TRESTLE_WEB_API_NAME")
    for balancer in found:
        if balancer.properties.get("Scheme") != "internal":
            yield balancer, f"is {balancer.properties.get('Scheme')}"
        if str(value) != f"{GetAtt(balancer.stack, balancer.id, 'DNSName')}:80":
            yield balancer, f"nginx asks {value}"
        listeners = [
            one
            for one in environment.resources("AWS::ElasticLoadBalancingV2::Listener")
            if environment.behind(one.properties.get("LoadBalancerArn")) is balancer
        ]
        said = [
            (
                number(one.properties.get("Port")),
                one.properties.get("Protocol"),
                str(at(one.properties, "DefaultActions/0/TargetGroupArn")),
            )
            for one in listeners
        ]
        if said != [(80, "TCP", str(environment.export("ApiTargetGroupArn")))]:
            yield balancer, f"listens as {said}"
    if not by_nlb and value is not None:
        yield "app", f"nginx asks {value}, and the ALB sends requests to the API itself"


@property_of("load balancers close idle connections before their targets do, and pass on only clean requests")
def balancer_attributes(environment: Environment) -> Iterator[tuple[object, str]]:
    protected = "true" if environment.parameter("DeletionProtection", "app") == "yes" else "false"
    nginx = (SOURCE / "web" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    idle = re.search(r"^\s*keepalive_timeout\s+(\d+)s?;", nginx, re.MULTILINE)
    keeps = int(idle.group(1)) if idle else 75  # nginx's own default
    for balancer in balancers(environment, "application"):
        found = attributes(balancer, "LoadBalancerAttributes")
        timeout = number(found.get("idle_timeout.timeout_seconds"))
        if not LONGEST_REQUEST < timeout < keeps:
            yield (
                balancer,
                f"idle connections are closed after {timeout} s; nginx keeps them {keeps} s, a request takes {LONGEST_REQUEST} s",
            )
        wanted = {
            "routing.http.drop_invalid_header_fields.enabled": ("true",),
            "routing.http.desync_mitigation_mode": ("defensive", "strictest"),
            "routing.http.xff_header_processing.mode": ("append",),
            "deletion_protection.enabled": (protected,),
        }
        for key, values in wanted.items():
            if found.get(key) not in values:
                yield balancer, f"{key} is {found.get(key)}"
    for balancer in balancers(environment, "network"):
        found = attributes(balancer, "LoadBalancerAttributes")
        for key, value in (("load_balancing.cross_zone.enabled", "true"), ("deletion_protection.enabled", protected)):
            if found.get(key) != value:
                yield balancer, f"{key} is {found.get(key)}"
    for balancer in environment.resources("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if balancer.properties.get("IpAddressType", "ipv4") != "ipv4":
            yield balancer, "has IPv6 addresses, which the VPC has not"


@property_of("targets are judged by the tier's own health, at a path that the application has")
def health(environment: Environment) -> Iterator[tuple[object, str]]:
    """Neither path follows MySQL: a health check that did would have every instance replaced in an outage of the database."""
    if not environment.has("app"):
        return
    values = config(environment)
    for role, paths, path in (("web", web_paths(), "/healthz"), ("api", operations_paths(), "/readyz")):
        group = targets_of(environment, role)
        if group is None:
            yield "app", f"no target group of {role} is exported"
            continue
        properties = group.properties
        asked, port = str(properties.get("HealthCheckPath")), str(properties.get("HealthCheckPort", "traffic-port"))
        if asked not in paths:
            yield group, f"asks {asked}, which {role} does not have"
        if asked != path:
            yield group, f"asks {asked}, not {path}"
        wanted = "80" if role == "web" else str(values.get("api/TRESTLE_OPS_LISTEN")).rsplit(":", 1)[-1]
        if port != wanted:
            yield group, f"asks port {port}; {role}'s health is at {wanted}"
        if properties.get("HealthCheckProtocol") != "HTTP" or at(properties, "Matcher/HttpCode") != "200":
            yield group, "does not ask by HTTP, or takes another answer than 200"
        interval, timeout = (
            number(properties.get("HealthCheckIntervalSeconds")),
            number(properties.get("HealthCheckTimeoutSeconds")),
        )
        failures, successes = (
            number(properties.get("UnhealthyThresholdCount")),
            number(properties.get("HealthyThresholdCount")),
        )
        if not timeout < interval:
            yield group, f"waits {timeout} s of {interval} s for an answer"
        if not (2 <= failures <= 5 and failures * interval <= 40):
            yield (
                group,
                f"finds out after {failures} checks, {failures * interval} s: one lost answer must not do, and 40 s is long",
            )
        if not (2 <= successes <= 3 and successes * interval <= 30):
            yield group, f"lets a new instance wait for {successes} checks, {successes * interval} s"
        if not 2 <= timeout <= 5:
            yield group, f"waits {timeout} s for an answer"
        if properties.get("HealthCheckEnabled") is not None and not truth(properties.get("HealthCheckEnabled")):
            yield group, "is not checked"


@property_of("requests reach the port that each tier listens on")
def ports(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    values = config(environment)
    by_nlb = environment.parameter("ApiEntry", "app") == "nlb"
    listens = str(values.get("api/TRESTLE_LISTEN"))
    for role, port, protocol in (
        ("web", "80", "HTTP"),
        ("api", listens.rsplit(":", 1)[-1], "TCP" if by_nlb else "HTTP"),
    ):
        group = targets_of(environment, role)
        if group and (str(group.properties.get("Port")), group.properties.get("Protocol")) != (port, protocol):
            yield (
                group,
                f"sends {group.properties.get('Protocol')} to {group.properties.get('Port')}, not {protocol} to {port}",
            )
        if group and group.properties.get("TargetType", "instance") != "instance":
            yield group, f"has targets of the type {group.properties.get('TargetType')}, and groups register instances"
    for name in ("api/TRESTLE_LISTEN", "api/TRESTLE_OPS_LISTEN"):
        if not str(values.get(name)).startswith("0.0.0.0:"):
            yield name, f"listens on {values.get(name)}, where no load balancer reaches it"


@property_of("requests are spread, and none is bound to an instance")
def spreading(environment: Environment) -> Iterator[tuple[object, str]]:
    for resource in environment.resources("AWS::ElasticLoadBalancingV2::TargetGroup"):
        found = attributes(resource, "TargetGroupAttributes")
        if resource.properties.get("Protocol") == "HTTP":
            if found.get("load_balancing.algorithm.type") != "least_outstanding_requests":
                yield resource, "a slow instance gets as much as a fast one"
            if found.get("stickiness.enabled") != "false":
                yield resource, "shoppers stick to an instance, and are lost with it"
        else:
            if found.get("deregistration_delay.connection_termination.enabled") != "false":
                yield resource, "connections are cut off in the middle of an answer"
            if found.get("preserve_client_ip.enabled") != "false":
                yield resource, "keeps client addresses, so security groups see nginx instead of the load balancer"


@property_of("what is exported of a tier is its own")
def exports(environment: Environment) -> Iterator[tuple[object, str]]:
    """trestle-aws, alarms and the dashboard find the shop by these."""
    if not environment.has("app"):
        return
    alb, nlb = balancers(environment, "application"), balancers(environment, "network")
    pairs: list[tuple[str, Value]] = []
    for found, prefix in ((alb, "Alb"), (nlb, "Nlb")):
        for one in found:
            pairs += [(f"{prefix}DnsName", GetAtt(one.stack, one.id, "DNSName"))]
            pairs += [(f"{prefix}FullName", GetAtt(one.stack, one.id, "LoadBalancerFullName"))]
            if prefix == "Alb":
                pairs += [("AlbArn", one.ref), ("AlbZoneId", GetAtt(one.stack, one.id, "CanonicalHostedZoneID"))]
    for role in ("Web", "Api"):
        targets = targets_of(environment, role)
        if targets:
            pairs.append((f"{role}TargetGroupFullName", GetAtt(targets.stack, targets.id, "TargetGroupFullName")))
        group = group_of(environment, role)
        if group:
            pairs.append((f"{role}LaunchTemplate", at(group.properties, "LaunchTemplate/LaunchTemplateId")))
            tier = [
                mapping(one).get("Value")
                for one in items(group.properties.get("Tags"))
                if mapping(one).get("Key") == "Role"
            ]
            if tier != [role.lower()]:
                yield group, f"{role}Group is the group of {tier}"
    for name, value in pairs:
        if environment.export(name) != value:
            yield "app", f"{name} is {environment.export(name)}, not {value}"
