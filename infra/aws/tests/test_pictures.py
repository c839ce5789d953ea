"""The pictures of the presets: they are the templates', all that matters is in them, and they can be read."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import pytest
from engine.environment import ROOT

from trestle_aws import diagram, presets, stacknet
from trestle_aws.diagram import layout, svg
from trestle_aws.graph import Graph
from trestle_aws.template import Stack

NAMES = presets.names()
OF_INTEREST = {
    f"AWS::{name}"
    for name in [
        "EC2::VPC",
        "EC2::Subnet",
        "EC2::InternetGateway",
        "EC2::NatGateway",
        "EC2::Instance",
        "EC2::EIP",
        "EC2::VPCEndpoint",
        "EC2::FlowLog",
        "EC2::LaunchTemplate",
        "IAM::Role",
        "RDS::DBInstance",
        "ElastiCache::ReplicationGroup",
        "SecretsManager::Secret",
        "SSM::Parameter",
        "AutoScaling::AutoScalingGroup",
        "AutoScaling::ScalingPolicy",
        "ElasticLoadBalancingV2::LoadBalancer",
        "S3::Bucket",
        "CloudFront::Distribution",
        "Route53::HostedZone",
        "Route53::RecordSet",
        "CertificateManager::Certificate",
        "CloudWatch::Alarm",
        "CloudWatch::CompositeAlarm",
        "CloudWatch::Dashboard",
        "SNS::Topic",
        "Logs::LogGroup",
    ]
}
EDGES = {
    "stage-1-single": {"browsers -> instances/First 80, 443"},
    "stage-8-cdn": {"browsers -> cloudfront 443", "cloudfront -> app/Alb 80", "cloudfront -> pictures 443"},
    "demo": {"browsers -> app/Alb 80", "app/Alb -> app/ApiGroup 8000, 9000"},
    "production": {"browsers -> names 53", "browsers -> app/Alb 80, 443", "app/Nlb -> app/ApiGroup 8000, 9000"},
}


@cache
def stacks(name: str) -> list[Stack]:
    """A preset as its picture shows it."""
    return diagram.stacks_of(name)


@cache
def drawn(name: str) -> ElementTree.Element:
    """Its picture, newly drawn."""
    return ElementTree.fromstring(diagram.of_preset(name))


def edges(picture: ElementTree.Element) -> set[str]:
    """The arrows by name."""
    return {str(one.get("data-edge")) for one in picture.iter() if one.get("data-edge")}


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_picture_is_the_templates(name: str) -> None:
    committed = (ROOT / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert committed == diagram.of_preset(name), "the templates are newer: infra/aws/tools/generate draws it anew"


def test_there_is_no_picture_of_a_preset_that_is_gone() -> None:
    assert sorted(path.stem for path in (ROOT / "pictures").glob("*.svg")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_matters_is_in_it(name: str) -> None:
    shown = {word for one in drawn(name).iter() for word in one.get("data-resource", "").split()}
    there = {
        str(resource) for stack in stacks(name) for resource in stack.resources.values() if resource.type in OF_INTEREST
    }
    assert there - shown == set()
    every = {str(resource) for stack in stacks(name) for resource in stack.resources.values()}
    assert shown <= every


@pytest.mark.parametrize("name", NAMES)
def test_arrows_are_the_connections_that_security_groups_allow_each_other(name: str) -> None:
    network = stacknet.read(stacks(name))
    graph = Graph(network)
    hosts = {
        str(resource): network.hosts[str(resource.ref)]
        for stack in stacks(name)
        for resource in stack.resources.values()
        if str(resource.ref) in network.hosts
    }
    arrows: dict[tuple[str, str], set[int]] = {}
    for edge in edges(drawn(name)):
        source, _, rest = edge.partition(" -> ")
        target, _, ports = rest.partition(" ")
        if source in hosts and target in hosts:
            arrows[source, target] = {int(port) for port in ports.split(", ")}
    for source, one in hosts.items():
        for target, other in hosts.items():
            opened = {
                port
                for port in (22, 80, 443, 3306, 6379, 8000, 9000)
                if one is not other
                and graph.connects_somehow(one, other, "tcp", port)
                and any(
                    rule.peer in one.groups and rule.ports.holds("tcp", port)
                    for group in other.groups
                    for rule in network.groups[group].ingress
                )
            }
            assert arrows.get((source, target), set()) == opened, f"{source} -> {target}"


@pytest.mark.parametrize("name", EDGES)
def test_the_way_of_a_request_is_drawn(name: str) -> None:
    assert EDGES[name] <= edges(drawn(name))


def test_behind_cloudfront_no_browser_reaches_the_load_balancer() -> None:
    assert not [edge for edge in edges(drawn("stage-8-cdn")) if edge.startswith("browsers -> app/")]


def test_without_its_rule_an_arrow_is_gone() -> None:
    made = diagram.stacks_of("demo")
    security = next(stack for stack in made if stack.key == "security")
    rules = [
        one.id for one in security.of_type("AWS::EC2::SecurityGroupIngress") if one.properties.get("FromPort") == 6379
    ]
    assert "app/ApiGroup -> data/CacheGroup 6379" in edges(drawn("demo"))
    for rule in rules:
        del security.resources[rule]
    picture = ElementTree.fromstring(diagram.draw(diagram.read(made), "demo", ""))
    assert "app/ApiGroup -> data/CacheGroup 6379" not in edges(picture)


@pytest.mark.parametrize("name", NAMES)
def test_boxes_lie_apart_and_in_the_subnets_that_they_are_in(name: str) -> None:
    scene = diagram.read(stacks(name))
    page = layout.Page(scene)
    for (one, a), (other, b) in combinations(page.boxes.items(), 2):
        assert not a.hits(b), f"{one} and {other}"
    for thing in scene.things.values():
        box = page.boxes[thing.name]
        cells = {cell.zone for cell in scene.cells if cell.tier == thing.tier and box.hits(page.cells[cell.name])}
        assert cells == set(thing.zones), thing.name
        assert box.x >= 0 and box.right <= layout.WIDTH


@pytest.mark.parametrize("name", NAMES)
def test_words_fit_into_their_boxes(name: str) -> None:
    scene = diagram.read(stacks(name))
    page = layout.Page(scene)
    for thing in scene.things.values():
        room = page.boxes[thing.name].width
        if thing.kind in ("group", "alb", "nlb"):
            assert svg.width_of(thing.title, 13, bold=True) + svg.width_of("; ".join(thing.notes), 12) + 36 <= room
        else:
            for words in (thing.title, *thing.notes):
                assert svg.width_of(words, 11) <= room, words


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_to_those_who_do_not_see_it(name: str) -> None:
    picture = drawn(name)
    words = {one.tag.rpartition("}")[2]: one.text for one in picture}
    assert str(words["title"]).startswith(name) and words["desc"] == presets.read(name).description
    assert picture.get("role") == "img"
