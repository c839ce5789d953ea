"""Properties of load balancers and auto scaling groups: what a request meets, how health is judged, how instances come and go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from trestle_aws.template import Resource
from trestle_aws.values import GetAtt, Ref, Value

from engine.checks.http import Answer, ask
from engine.checks.registry import property_of
from engine.environment import ROOT, Environment, at, items, mapping, number, truth

SOURCE = ROOT.parents[1] / "services"
LONGEST_REQUEST = 12
"""Seconds: a checkout that nginx tries twice."""


@cache
def web_paths() -> set[str]:
    """Paths that nginx answers itself."""
    text = (SOURCE / "web" / "nginx" / "server.conf.template").read_text(encoding="utf-8")
    return set(re.findall(r"^location = (/\S*) \{", text, re.MULTILINE))


@cache
def operations_paths() -> set[str]:
    """Paths of the API's operations port."""
    text = (SOURCE / "api" / "src" / "ops" / "mod.rs").read_text(encoding="utf-8")
    return set(re.findall(r'\.route\("(/[a-z/]*)"', text))


@cache
def api_variables() -> set[str]:
    """Environment variables that trestle-api knows."""
    text = (SOURCE / "api" / "src" / "config.rs").read_text(encoding="utf-8")
    return set(re.findall(r'env = "(TRESTLE_[A-Z_]+)"', text))


def attributes(resource: Resource, name: str) -> dict[str, str]:
    """A load balancer's or target group's attributes."""
    return {str(mapping(one).get("Key")): str(mapping(one).get("Value")) for one in items(resource.properties.get(name))}


def config(environment: Environment) -> dict[str, Value]:
    """What instances read: the part of each parameter's name after config/, and its value."""
    found = {}
    for resource in environment.resources("AWS::SSM::Parameter"):
        _, mark, name = str(resource.properties.get("Name")).partition("/config/")
        if mark:
            found[name] = resource.properties.get("Value")
    return found


def balancers(environment: Environment, kind: str) -> list[Resource]:
    """Load balancers of a kind (application, network)."""
    return [
        resource
        for resource in environment.resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
        if resource.properties.get("Type", "application") == kind
    ]


def group_of(environment: Environment, role: str) -> Resource | None:
    """The auto scaling group of a tier."""
    return environment.behind(environment.export(f"{role.title()}Group"))


def targets_of(environment: Environment, role: str) -> Resource | None:
    """The target group of a tier."""
    return environment.behind(environment.export(f"{role.title()}TargetGroupArn"))


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
            expected[scheme, host, "/"] = expected[scheme, host, "/products/7"] = expected[scheme, host, "/healthz"] = Answer(target=web)
            expected[scheme, host, "/apiary"] = Answer(target=web)
            expected[scheme, host, "/api/v1/products"] = expected[scheme, host, "/api/x"] = Answer(target=api if by_path else web)
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
            one for one in environment.resources("AWS::ElasticLoadBalancingV2::Listener") if environment.behind(one.properties.get("LoadBalancerArn")) is balancer
        ]
        said = [
            (number(one.properties.get("Port")), one.properties.get("Protocol"), str(at(one.properties, "DefaultActions/0/TargetGroupArn")))
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
            yield balancer, f"idle connections are closed after {timeout} s; nginx keeps them {keeps} s, a request takes {LONGEST_REQUEST} s"
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
        interval, timeout = number(properties.get("HealthCheckIntervalSeconds")), number(properties.get("HealthCheckTimeoutSeconds"))
        failures, successes = number(properties.get("UnhealthyThresholdCount")), number(properties.get("HealthyThresholdCount"))
        if not timeout < interval:
            yield group, f"waits {timeout} s of {interval} s for an answer"
        if not (2 <= failures <= 5 and failures * interval <= 40):
            yield group, f"finds out after {failures} checks, {failures * interval} s: one lost answer must not do, and 40 s is long"
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
    for role, port, protocol in (("web", "80", "HTTP"), ("api", listens.rsplit(":", 1)[-1], "TCP" if by_nlb else "HTTP")):
        group = targets_of(environment, role)
        if group and (str(group.properties.get("Port")), group.properties.get("Protocol")) != (port, protocol):
            yield group, f"sends {group.properties.get('Protocol')} to {group.properties.get('Port')}, not {protocol} to {port}"
        if group and group.properties.get("TargetType", "instance") != "instance":
            yield group, f"has targets of the type {group.properties.get('TargetType')}, and groups register instances"
    for name in ("api/TRESTLE_LISTEN", "api/TRESTLE_OPS_LISTEN"):
        if not str(values.get(name)).startswith("0.0.0.0:"):
            yield name, f"listens on {values.get(name)}, where no load balancer reaches it"


@property_of("an instance that goes answers what it has begun")
def draining(environment: Environment) -> Iterator[tuple[object, str]]:
    """Deregistration delay, the API's linger and the lifecycle hook's heartbeat follow one another."""
    if not environment.has("app"):
        return
    linger = number(config(environment).get("api/TRESTLE_LINGER_SECONDS"))
    for role in ("web", "api"):
        targets = targets_of(environment, role)
        if targets is None:
            continue
        found = attributes(targets, "TargetGroupAttributes")
        delay = number(found.get("deregistration_delay.timeout_seconds", "300"))
        if not LONGEST_REQUEST < delay <= 30:
            yield targets, f"waits {delay} s before it lets go; a request takes {LONGEST_REQUEST} s at most"
        if role == "api" and linger != delay:
            yield targets, f"waits {delay} s, and the API lingers {linger} s"
        hooks = [
            one
            for one in environment.resources("AWS::AutoScaling::LifecycleHook")
            if environment.behind(one.properties.get("AutoScalingGroupName")) is group_of(environment, role)
        ]
        if len(hooks) != 1:
            yield f"{role} group", f"{len(hooks)} lifecycle hooks, so an instance ends in the middle of its answers"
        for hook in hooks:
            if hook.properties.get("LifecycleTransition") != "autoscaling:EC2_INSTANCE_TERMINATING":
                yield hook, f"waits at {hook.properties.get('LifecycleTransition')}"
            beat = number(hook.properties.get("HeartbeatTimeout"))
            if not delay + 2 * LONGEST_REQUEST < beat <= 120:
                yield hook, f"gives {beat} s: {delay} s pass until nothing new comes, then the rest is answered"
            if hook.properties.get("DefaultResult") != "CONTINUE":
                yield hook, f"an instance that hangs is {hook.properties.get('DefaultResult')}ed"
            if hook.properties.get("LifecycleHookName") != "drain":
                yield hook, f"is named {hook.properties.get('LifecycleHookName')}; the instance completes one named drain"
        if group_of(environment, role) is None:
            yield "app", f"no group of {role} is exported"


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


@property_of("groups have the sizes that were asked for, in the launch templates' newest version")
def sizes(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    ready = environment.parameter("DatabaseReady", "app") == "yes"
    for role, prefix in (("web", "Web"), ("api", "Api")):
        group = group_of(environment, role)
        if group is None:
            continue
        properties = group.properties
        for key, name in (("MinSize", "Min"), ("MaxSize", "Max")):
            wanted = environment.parameter(prefix + name, "app") if role == "web" or ready else "0"
            if str(properties.get(key)) != wanted:
                yield group, f"{key} is {properties.get(key)}, not {wanted}"
        if "DesiredCapacity" in properties:
            yield group, "DesiredCapacity is fixed, so each update undoes what scaling did"
        if [str(one) for one in items(properties.get("TargetGroupARNs"))] != [str(environment.export(f"{prefix}TargetGroupArn"))]:
            yield group, "is not in its tier's target group, and in no other"
        if properties.get("HealthCheckType") != "ELB":
            yield group, "does not replace what the load balancer finds unhealthy"
        if not 60 <= number(properties.get("HealthCheckGracePeriod")) <= 300:
            yield group, f"judges new instances after {properties.get('HealthCheckGracePeriod')} s; a start takes about 60 s"
        if str(properties.get("DefaultInstanceWarmup")) != environment.parameter("WarmupSeconds", "app"):
            yield group, f"counts new instances after {properties.get('DefaultInstanceWarmup')} s"
        if items(properties.get("TerminationPolicies"))[:1] != ["OldestLaunchTemplate"]:
            yield group, "does not let the oldest version go first"
        if truth(properties.get("NewInstancesProtectedFromScaleIn")):
            yield group, "never shrinks"
        granularity = [mapping(one).get("Granularity") for one in items(properties.get("MetricsCollection"))]
        if granularity != ["1Minute"] or any("Metrics" in mapping(one) for one in items(properties.get("MetricsCollection"))):
            yield group, "does not tell its sizes, which alarms, dashboard and trestle-aws look at"
        actions = at(group.update_policy, "AutoScalingScheduledAction/IgnoreUnmodifiedGroupSizeProperties")
        if not truth(actions):
            yield group, "an update starts a shop that was stopped by schedule"
        if "AutoScalingRollingUpdate" in mapping(group.update_policy) or "AutoScalingReplacingUpdate" in mapping(group.update_policy):
            yield group, "CloudFormation replaces instances itself, before new ones are there"


@property_of("a refresh starts new instances first, and no more than MySQL has connections for")
def refresh(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    for role in ("web", "api"):
        group = group_of(environment, role)
        policy = mapping(group.properties.get("InstanceMaintenancePolicy")) if group else {}
        low, high = number(policy.get("MinHealthyPercentage")), number(policy.get("MaxHealthyPercentage"))
        if group and low != 100:
            yield group, f"MinHealthyPercentage is {low}: a refresh takes away before it adds"
        if group and not 100 < high <= 200:
            yield group, f"MaxHealthyPercentage is {high}"
        most = number(environment.parameter("ApiMax", "app"))
        surplus = number(environment.parameter("RefreshSurplus", "app"))
        if group and role == "api" and not (most * high / 100 <= most + surplus + 0.001 or most * high / 100 < most + 1):
            yield group, f"a refresh has {most * high / 100:.1f} instances, more than {most} + {surplus}"
        if group and role == "api" and most * high / 100 < most + surplus - 1:
            yield group, f"a refresh has {most * high / 100:.1f} instances, and could have {most} + {surplus}"


@property_of("each group follows its CPU, and only with AutoScaling")
def scaling(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    ready = environment.parameter("DatabaseReady", "app") == "yes"
    wanted = environment.parameter("AutoScaling", "app") == "yes"
    for role in ("web", "api"):
        group = group_of(environment, role)
        policies = [
            one
            for one in environment.resources("AWS::AutoScaling::ScalingPolicy")
            if group and environment.behind(one.properties.get("AutoScalingGroupName")) is group
        ]
        if len(policies) != int(wanted and (role == "web" or ready)):
            yield role, f"{len(policies)} scaling policies with AutoScaling={'yes' if wanted else 'no'}"
        for policy in policies:
            tracking = mapping(policy.properties.get("TargetTrackingConfiguration"))
            if policy.properties.get("PolicyType") != "TargetTrackingScaling":
                yield policy, f"is a {policy.properties.get('PolicyType')} policy"
            if at(tracking, "PredefinedMetricSpecification/PredefinedMetricType") != "ASGAverageCPUUtilization":
                yield policy, "does not follow the group's average CPU"
            if number(tracking.get("TargetValue")) != number(environment.parameter("CpuTarget", "app")):
                yield policy, f"keeps the average at {tracking.get('TargetValue')} %"
            if truth(tracking.get("DisableScaleIn")):
                yield policy, "never takes an instance away"


@property_of("an instance is not started before its configuration is there")
def configuration_first(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack in environment.stacks.values():
        starters = stack.of_type("AWS::AutoScaling::AutoScalingGroup") if stack.key == "app" else []
        for group in starters:
            role = "api" if group is group_of(environment, "api") else "web"
            tree = _before(environment, group)
            for parameter in stack.of_type("AWS::SSM::Parameter"):
                name = str(parameter.properties.get("Name"))
                if f"/config/{role}/" in name and parameter.id not in tree:
                    yield group, f"may start before {name} is there"


def _before(environment: Environment, resource: Resource) -> set[str]:
    from engine.checks.general import _before as before

    return before(environment, resource)


@property_of("a change of an instance's configuration makes a new launch template version")
def configuration_refreshes(environment: Environment) -> Iterator[tuple[object, str]]:
    """What an instance reads only at its start has to start a refresh when it changes."""
    from engine.checks.machines import machines, user_data

    if not environment.has("app"):
        return
    texts = {}
    for machine in machines(environment):
        for role in ("web", "api"):
            if machine.resource is group_of(environment, role):
                texts[role] = user_data(machine)
    for parameter in environment.resources("AWS::SSM::Parameter"):
        name = str(parameter.properties.get("Name"))
        role = next((one for one in ("web", "api") if f"/config/{one}/" in name), None)
        constant = name.endswith(("TRESTLE_LISTEN", "TRESTLE_LINGER_SECONDS", "TRESTLE_OPS_LISTEN"))
        if parameter.stack == "app" and role and not constant and str(Ref(parameter.stack, parameter.id)) not in texts.get(role, ""):
            yield parameter, f"is not named in the {role} launch template's user-data"


@property_of("the API's configuration is in its own words, and true")
def api_configuration(environment: Environment) -> Iterator[tuple[object, str]]:
    values = config(environment)
    for name, value in values.items():
        tier, _, variable = name.partition("/")
        if tier in ("api", "instance-api") and variable not in api_variables():
            yield name, "is no variable of trestle-api"
        if value in (None, ""):
            yield name, "is empty, which Systems Manager refuses"
    cidr = str(environment.export("VpcCidr"))
    for stack in ("app", "instances"):
        if environment.has(stack):
            prefix = "" if stack == "app" else "instance-"
            for name, value in _wanted(environment, stack, cidr).items():
                if (str(values[prefix + name]) if prefix + name in values else None) != value:
                    yield prefix + name, f"is {values.get(prefix + name)}, not {value}"


def _wanted(environment: Environment, stack: str, cidr: str) -> dict[str, str | None]:
    """What the instances of a stack are told; None is not at all."""
    given = {name: environment.parameter(name, stack) for name in environment.stacks[stack].parameters}
    split = stack == "app" or given["Database"] == "rds"
    secure = bool(given.get("CertificateArn")) or given.get("BehindCloudFront") == "yes"
    wanted: dict[str, str | None] = {
        "api/TRESTLE_COOKIE_SECURE": "on" if secure else "off",
        "api/TRESTLE_CURRENCY": given["Currency"],
        "api/TRESTLE_DATABASE_CONNECTIONS": given["PoolSize"] if split else None,
        "web/TRESTLE_WEB_HOSTNAME": given["Domain"] or None,
    }
    if stack == "app":
        proxies = [str(one) for one in items(environment.stacks[stack].parameters.get("TrustedProxies"))]
        scheme = "https" if given["BehindCloudFront"] == "yes" else "http"
        return wanted | {
            "api/TRESTLE_LISTEN": "0.0.0.0:8000",
            "api/TRESTLE_OPS_LISTEN": "0.0.0.0:9000",
            "api/TRESTLE_CACHE_CATALOG_SECONDS": given["CacheCatalogSeconds"],
            "api/TRESTLE_TRUSTED_PROXIES": ",".join([cidr, *proxies]),
            "api/TRESTLE_BEHIND_NGINX": "on" if given["ApiEntry"] == "nlb" else "off",
            "web/TRESTLE_WEB_TRUSTED_PROXIES": " ".join([cidr, *proxies]),
            "web/TRESTLE_WEB_PROXY_SCHEME": None if given["CertificateArn"] else scheme,
        }
    own = split and given["Cache"] == "local"
    return wanted | {
        "api/TRESTLE_LISTEN": "127.0.0.1:8000" if split else None,
        "api/TRESTLE_OPS_LISTEN": "127.0.0.1:9000" if split else None,
        "api/TRESTLE_TRUSTED_PROXIES": "127.0.0.1" if split else None,
        "api/TRESTLE_REDIS_URL": "redis://127.0.0.1:6379/0" if own else None,
        "web/TRESTLE_WEB_API_ADDRESSES": "127.0.0.1:8000" if split else None,
    }


@property_of("pictures are shown from where they lie")
def pictures(environment: Environment) -> Iterator[tuple[object, str]]:
    if not environment.has("app"):
        return
    where, domain = environment.parameter("Pictures", "app"), environment.parameter("Domain", "app")
    hosts = [str(environment.export("PicturesOrigin"))] if where == "s3" else [f"pictures.{domain}"] if where == "cdn" and domain else []
    hosts += environment.parameter("PictureHosts", "app").split()
    found = config(environment).get("web/TRESTLE_WEB_PICTURE_HOSTS")
    if (str(found) if found is not None else "") != " ".join(hosts):
        yield "web/TRESTLE_WEB_PICTURE_HOSTS", f"is {found}, not {' '.join(hosts)}"
    for name in hosts:
        if name == "None":
            yield "app", "pictures are at S3, and no bucket is exported"


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
            tier = [mapping(one).get("Value") for one in items(group.properties.get("Tags")) if mapping(one).get("Key") == "Role"]
            if tier != [role.lower()]:
                yield group, f"{role}Group is the group of {tier}"
    for name, value in pairs:
        if environment.export(name) != value:
            yield "app", f"{name} is {environment.export(name)}, not {value}"


@property_of("the web tier waits for a listener, as EC2 Auto Scaling asks of a target group")
def listener_first(environment: Environment) -> Iterator[tuple[object, str]]:
    group = group_of(environment, "web")
    if group and not any(environment.stacks["app"].resources[one].type.endswith("::Listener") for one in _before(environment, group)):
        yield group, "may be made before the target group has a load balancer"
