"""From presets and settings to parameters: what is filled in, what follows what, and what goes over what."""

from __future__ import annotations

from pathlib import Path

import pytest

from trestle_aws import presets
from trestle_aws.errors import UsageError
from trestle_aws.place import Place
from trestle_aws.planning import EXAMPLE_RELEASE, Design, Examples, with_added
from trestle_aws.presets import Settings

ROOT = Path(__file__).resolve().parent.parent


def parameters(
    preset: str,
    *settings: str,
    added: tuple[str, ...] = (),
    region: str = "us-east-1",
    earlier: dict[str, str] | None = None,
) -> dict[str, dict[str, str]]:
    place = Place("trestle", "shop", region)
    wanted = Settings(Settings.parse(settings).values, earlier or {})
    design = Design.make(place, with_added(presets.read(preset), added), wanted, EXAMPLE_RELEASE, ROOT)
    design.evaluate()
    return {key: design.parameters(key, Examples(place)) for key in design.keys()}


def test_what_a_user_sets_of_one_stack_goes_over_what_is_set_of_all() -> None:
    found = parameters("demo", "PoolSize=16", "data.ApiMaxInstances=2", "ApiMax=2", "app.WebMax=1", "WebMax=2")
    assert found["data"]["PoolSize"] == found["app"]["PoolSize"] == "16"
    assert (found["app"]["WebMax"], found["schedule"]["WebMax"]) == ("1", "2")


def test_what_was_set_earlier_is_below_what_is_set_now_and_above_the_preset() -> None:
    earlier = {"app.ApiMax": "3", "app.WebMax": "3", "ops.Gone": "x"}
    found = parameters("demo", "WebMax=4", earlier=earlier)
    assert (found["app"]["ApiMax"], found["app"]["WebMax"]) == ("3", "4")
    assert "Gone" not in found["ops"]


def test_a_stack_that_speaks_of_another_follows_it() -> None:
    found = parameters("demo", "app.ApiMax=3", "app.ApiInstanceType=c7a.medium", "app.WebInstanceType=c7a.medium")
    assert found["data"]["ApiMaxInstances"] == found["schedule"]["ApiMax"] == "3"
    assert found["ops"]["BurstableInstances"] == "no" and "BurstableDatabase" not in found["ops"]
    # One of the two still has credits.
    assert parameters("demo", "app.ApiInstanceType=c7a.medium")["ops"]["BurstableInstances"] == "yes"
    found = parameters("demo", "data.DatabaseClass=db.m7g.large", "data.PoolSize=16", "data.Cache=none")
    assert (found["app"]["DatabaseClass"], found["app"]["PoolSize"]) == ("db.m7g.large", "16")
    assert (found["ops"]["BurstableDatabase"], found["ops"]["Cache"]) == ("no", "no")
    # What is said of it goes over it.
    assert parameters("demo", "app.ApiMax=3", "data.ApiMaxInstances=5")["data"]["ApiMaxInstances"] == "5"


def test_a_schedule_fits_the_preset_that_it_is_added_to() -> None:
    single = parameters("stage-1-single", "OfficeHours=yes", added=("schedule",))["schedule"]
    assert (single["Tier"], single["Database"]) == ("instances", "no")
    groups = parameters("stage-4-load-balancers", added=("schedule",))["schedule"]
    assert (groups["Tier"], groups["Database"], groups["WebMax"], groups["ApiMax"]) == ("groups", "yes", "2", "2")
    with pytest.raises(UsageError, match="--with edge"):
        parameters("demo", added=("edge",))


def test_a_domain_brings_its_stacks_and_none_takes_them_away() -> None:
    assert not {"dns", "certificate", "records"} & set(parameters("stage-8-cdn"))
    east = parameters("stage-8-cdn", "Domain=shop.example.com")
    assert {"dns", "certificate", "records"} < set(east) and "certificate-us-east-1" not in east
    west = parameters("stage-8-cdn", "Domain=shop.example.com", region="us-west-2")
    assert {"certificate", "certificate-us-east-1"} < set(west)
    assert west["edge"]["CertificateArn"].split(":")[3] == "us-east-1"
    assert west["app"]["CertificateArn"].split(":")[3] == "us-west-2"
    # Instances have no load balancer that would hold a certificate.
    single = parameters("stage-1-single", "Domain=shop.example.com")
    assert "certificate" not in single and single["records"]["Target"] == "instances"
    taken_back = parameters(
        "demo", "Domain=", earlier={"app.Domain": "shop.example.com", "dns.Domain": "shop.example.com"}
    )
    assert "dns" not in taken_back


def test_cloudfront_alone_is_let_in_at_the_port_that_it_asks() -> None:
    assert parameters("stage-8-cdn")["security"]["CloudFrontPort"] == "80"
    assert parameters("stage-8-cdn", "Domain=shop.example.com")["security"]["CloudFrontPort"] == "443"
    assert "CloudFrontPrefixList" not in parameters("stage-7-pictures-cdn")["security"]


@pytest.mark.parametrize("preset", presets.names())
def test_presets_say_nothing_of_what_is_filled_in_or_of_parameters_that_are_not_there(preset: str) -> None:
    found = presets.read(preset)
    design = Design.make(Place("trestle", "shop", "us-east-1"), found, Settings(), EXAMPLE_RELEASE, ROOT)
    for key, given in found.stacks.items():
        if key in design.templates:
            assert set(given) <= set(design.templates[key].parameters), key
            assert not set(given) & {
                "Project",
                "Environment",
                "Release",
                "ReleaseSha256",
                "ReleaseBucket",
                "DatabaseReady",
            }
