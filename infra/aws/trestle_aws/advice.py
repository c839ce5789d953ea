"""What somebody should know before a preset is deployed: what is weaker than it looks, and what costs more than another
way.
"""

from __future__ import annotations

from collections.abc import Iterator

from trestle_aws import capacity, cost
from trestle_aws.planning import Design
from trestle_aws.prices import Prices
from trestle_aws.template import Stack

ENDPOINTS = "AWS::EC2::VPCEndpoint"


def of(design: Design, stacks: list[Stack], prices: Prices) -> list[str]:
    """One sentence each."""
    by_key = {stack.key: stack for stack in stacks}
    found = [*_transport(by_key), *_endpoints(by_key, prices), *_availability(by_key), *_burst(by_key), *_data(by_key)]
    return found + [*_missing(design)]


def _transport(stacks: dict[str, Stack]) -> Iterator[str]:
    app = stacks.get("app")
    secure = app is not None and (_is(app, "HasCertificate") or _is(app, "IsBehindCloudFront"))
    if secure:
        return
    yield (
        "the shop is reached by HTTP: passwords can be read on the way, and its cookies are without Secure. For more "
        "than exercises set Domain, "
        "or take stage-8-cdn, which has HTTPS by CloudFront's own name"
    )


def _endpoints(stacks: dict[str, Stack], prices: Prices) -> Iterator[str]:
    network = stacks.get("network")
    if network is None:
        return
    reckoning = cost.Reckoning(prices, set())
    lines = [line for resource in network.of_type(ENDPOINTS) for line in reckoning.resource(network, resource)]
    if not lines:
        return
    type_ = "t4g.nano"
    nat = prices.month("instances", type_, "hour") + prices.month("hourly", "public_ipv4_address")
    yield (
        f"the interface endpoints cost about {cost.total(lines):.0f} USD a month; a NAT instance ({type_}, "
        "Nat=instance, Endpoints=no) "
        f"about {nat:.0f}"
    )


def _availability(stacks: dict[str, Stack]) -> Iterator[str]:
    network, data, app = stacks.get("network"), stacks.get("data"), stacks.get("app")
    if network is not None and network.parameters.get("Nat") in ("instance", "single") and app is not None:
        yield (
            f"Nat={network.parameters['Nat']}: the way out is in one zone. Without it running instances go on, but "
            "none can be started, and "
            "nothing reaches CloudWatch; the shop's own traffic does not pass it"
        )
    if data is not None and data.parameters.get("MultiAz") == "no" and app is not None:
        yield "MultiAz=no: when the database's zone or its machine fails, the shop waits for a restore or a restart"


def _burst(stacks: dict[str, Stack]) -> Iterator[str]:
    shop = [stacks[key] for key in ("app", "instances", "data") if key in stacks]
    types = [str(stack.parameters.get(name, "")) for stack in shop for name in MACHINES]
    burstable = sorted({type_ for type_ in types if capacity.BURSTABLE.match(type_)})
    if burstable:
        yield (
            f"{', '.join(burstable)}: burstable, so CPU depends on credits; `scale --hold` for measurements wants "
            "others, or --allow-burst"
        )


def _data(stacks: dict[str, Stack]) -> Iterator[str]:
    data = stacks.get("data")
    if data is None:
        yield "the database is on the instance: it goes with it. `trestle-aws move` takes it to RDS"
    elif data.parameters.get("DeletionProtection") == "no":
        yield (
            "DeletionProtection=no: `destroy` deletes the database; its last state stays as a snapshot, which costs "
            "its storage"
        )


def _missing(design: Design) -> Iterator[str]:
    ops = design.templates.get("ops")
    if ops is None:
        return
    given = design.settings.of("ops", ops.parameters)
    if not any(given.get(name) for name in ("AlertEmail", "SlackWebhook", "SlackSecretArn")):
        yield "nobody is told of alarms: set AlertEmail or SlackWebhook"


MACHINES = ("WebInstanceType", "ApiInstanceType", "InstanceType", "DatabaseClass", "CacheNodeType")


def _is(stack: Stack, condition: str) -> bool:
    return stack.conditions.get(condition, False)
