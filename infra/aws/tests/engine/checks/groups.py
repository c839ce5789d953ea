"""Properties of auto scaling groups: how instances come and go."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checks.general import made_before
from engine.checks.machine import machines, user_data
from engine.checks.registry import property_of
from engine.checks.tiers import (
    LONGEST_REQUEST,
    attributes,
    config,
    group_of,
    targets_of,
)
from engine.environment import Environment, at, items, mapping, number, truth
from trestle_aws.values import Ref


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
                yield (
                    hook,
                    f"is named {hook.properties.get('LifecycleHookName')}; the instance completes one named drain",
                )
        if group_of(environment, role) is None:
            yield "app", f"no group of {role} is exported"


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
        if [str(one) for one in items(properties.get("TargetGroupARNs"))] != [
            str(environment.export(f"{prefix}TargetGroupArn"))
        ]:
            yield group, "is not in its tier's target group, and in no other"
        if properties.get("HealthCheckType") != "ELB":
            yield group, "does not replace what the load balancer finds unhealthy"
        if not 60 <= number(properties.get("HealthCheckGracePeriod")) <= 300:
            yield (
                group,
                f"judges new instances after {properties.get('HealthCheckGracePeriod')} s; a start takes about 60 s",
            )
        if str(properties.get("DefaultInstanceWarmup")) != environment.parameter("WarmupSeconds", "app"):
            yield group, f"counts new instances after {properties.get('DefaultInstanceWarmup')} s"
        if items(properties.get("TerminationPolicies"))[:1] != ["OldestLaunchTemplate"]:
            yield group, "does not let the oldest version go first"
        if truth(properties.get("NewInstancesProtectedFromScaleIn")):
            yield group, "never shrinks"
        granularity = [mapping(one).get("Granularity") for one in items(properties.get("MetricsCollection"))]
        if granularity != ["1Minute"] or any(
            "Metrics" in mapping(one) for one in items(properties.get("MetricsCollection"))
        ):
            yield group, "does not tell its sizes, which alarms, dashboard and trestle-aws look at"
        actions = at(group.update_policy, "AutoScalingScheduledAction/IgnoreUnmodifiedGroupSizeProperties")
        if not truth(actions):
            yield group, "an update starts a shop that was stopped by schedule"
        if "AutoScalingRollingUpdate" in mapping(group.update_policy) or "AutoScalingReplacingUpdate" in mapping(
            group.update_policy
        ):
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
        if (
            group
            and role == "api"
            and not (most * high / 100 <= most + surplus + 0.001 or most * high / 100 < most + 1)
        ):
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


@property_of("the web tier waits for a listener, as EC2 Auto Scaling asks of a target group")
def listener_first(environment: Environment) -> Iterator[tuple[object, str]]:
    group = group_of(environment, "web")
    if group and not any(
        environment.stacks["app"].resources[one].type.endswith("::Listener") for one in made_before(environment, group)
    ):
        yield group, "may be made before the target group has a load balancer"


@property_of("an instance is not started before its configuration is there")
def configuration_first(environment: Environment) -> Iterator[tuple[object, str]]:
    for stack in environment.stacks.values():
        starters = stack.of_type("AWS::AutoScaling::AutoScalingGroup") if stack.key == "app" else []
        for group in starters:
            role = "api" if group is group_of(environment, "api") else "web"
            tree = made_before(environment, group)
            for parameter in stack.of_type("AWS::SSM::Parameter"):
                name = str(parameter.properties.get("Name"))
                if f"/config/{role}/" in name and parameter.id not in tree:
                    yield group, f"may start before {name} is there"


@property_of("a change of an instance's configuration makes a new launch template version")
def configuration_refreshes(environment: Environment) -> Iterator[tuple[object, str]]:
    """What an instance reads only at its start has to start a refresh when it changes."""
    if not environment.has("app"):
        return
    texts = {}
    for machine in machines(environment):
        for tier in ("web", "api"):
            if machine.resource is group_of(environment, tier):
                texts[tier] = user_data(machine)
    for parameter in environment.resources("AWS::SSM::Parameter"):
        name = str(parameter.properties.get("Name"))
        role = next((one for one in ("web", "api") if f"/config/{one}/" in name), None)
        constant = name.endswith(("TRESTLE_LISTEN", "TRESTLE_LINGER_SECONDS", "TRESTLE_OPS_LISTEN"))
        if (
            parameter.stack == "app"
            and role
            and not constant
            and str(Ref(parameter.stack, parameter.id)) not in texts.get(role, "")
        ):
            yield parameter, f"is not named in the {role} launch template's user-data"
