"""The stacks dns, certificate and records, and what they refuse; the chain itself is a property (engine/checks/names.py)."""

from __future__ import annotations

import pytest
from engine.checks import names
from engine.environment import STACKS, Variant, build
from engine.variants import DOMAIN

from trestle_aws.template import ParameterError, RuleError, Stack, Template


def evaluate(name: str, **parameters: str) -> Stack:
    return Template.read(STACKS / f"{name}.yml").evaluate(
        {"Environment": "test", "Domain": "shop.example.com"} | parameters
    )


def test_pictures_have_one_name() -> None:
    with pytest.raises(RuleError, match="Pictures=no"):
        evaluate("records", Target="cloudfront", Pictures="yes")


@pytest.mark.parametrize("stack", ["dns", "certificate", "records"])
@pytest.mark.parametrize(
    "domain",
    [
        "",
        "shop",
        "Shop.example.com",
        "shop.example.com.",
        "*.example.com",
        "a b.example.com",
        "-a.example.com",
        "x" * 64 + ".com",
    ],
)
def test_what_is_no_domain_is_refused(stack: str, domain: str) -> None:
    with pytest.raises(ParameterError) as refused:
        evaluate(stack, Domain=domain)
    assert refused.value.name == "Domain"


@pytest.mark.parametrize(("stack", "name"), [("dns", "ExistingZoneId"), ("certificate", "HostedZoneId")])
@pytest.mark.parametrize("value", ["/hostedzone/Z012", "z0123", "Z" * 40])
def test_what_is_no_zone_is_refused(stack: str, name: str, value: str) -> None:
    with pytest.raises(ParameterError):
        evaluate(stack, **{name: value})


def test_a_zone_that_is_there_is_used_and_none_made() -> None:
    stack = evaluate("dns", ExistingZoneId="Z0123456789ABC")
    assert [resource.type for resource in stack.resources.values()] == ["AWS::CloudFormation::WaitConditionHandle"]
    assert stack.exports["trestle-test-HostedZoneId"] == "Z0123456789ABC"
    assert "trestle-test-NameServers" not in stack.exports, "whose name servers those are is not known"


@pytest.mark.parametrize(
    ("preset", "leads_to", "types"),
    [
        ("stage-1-single", "the instance", {"A"}),
        ("stage-3-second-instance", "both instances", {"A"}),
        ("stage-4-load-balancers", "AlbDnsName", {"A"}),
        ("stage-7-pictures-cdn", "AlbDnsName", {"A"}),
        ("stage-8-cdn", "DistributionDomain", {"A", "AAAA"}),
    ],
)
def test_each_stage_has_its_names(preset: str, leads_to: str, types: set[str]) -> None:
    environment = build(Variant(preset, (DOMAIN,)))
    found = names.records(environment)
    for name in ("shop.example.com", "www.shop.example.com"):
        assert {kind for other, kind in found if other == name} - {"CAA"} == types
        properties = found[name, "A"].properties
        if "instance" in leads_to:
            assert len(properties["ResourceRecords"]) == (2 if "both" in leads_to else 1)  # type: ignore[arg-type]
        else:
            assert properties["AliasTarget"]["DNSName"] == environment.export(leads_to)  # type: ignore[index, call-overload]
    # The pictures have a name of their own only where CloudFront has nothing else.
    assert {kind for other, kind in found if other == "pictures.shop.example.com"} == (
        {"A", "AAAA"} if "pictures-cdn" in preset else set()
    )


def test_cloudfronts_certificate_is_in_its_region() -> None:
    environment = build(Variant("stage-8-cdn", (DOMAIN,)))
    assert environment.stacks["certificate-us-east-1"].region == "us-east-1" != environment.region
    at_home = build(Variant("stage-8-cdn", (DOMAIN,), region="us-east-1"))
    assert "certificate-us-east-1" not in at_home.stacks, "there one serves both, and two would export the same name"
