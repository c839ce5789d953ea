"""The growth path: what each step replaces is computed from the schemas, listed in growth.yml, and has a reason there."""

from __future__ import annotations

import pytest
import yaml
from engine import path
from engine.environment import ROOT

from trestle_aws import changes, expected
from trestle_aws.template import Template

LIST = yaml.safe_load((ROOT / "growth.yml").read_text(encoding="utf-8"))
STEPS = dict(path.steps())


def test_every_step_is_listed() -> None:
    assert list(LIST) == list(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_the_list_names_what_is_replaced(step: str) -> None:
    computed = {kind: set(found) for kind, found in path.notable(STEPS[step]).items()}
    listed = {kind: set(found) for kind, found in LIST[step].items()}
    assert listed == computed


@pytest.mark.parametrize("step", STEPS)
def test_each_has_a_reason(step: str) -> None:
    for found in LIST[step].values():
        for resource, reason in found.items():
            assert len(str(reason)) > 20, f"{resource} has no reason"


@pytest.mark.parametrize("step", STEPS)
def test_no_data_is_replaced(step: str) -> None:
    """May be is in question for the database alone, and only for its standby."""
    for change in STEPS[step]:
        if change.type in expected.DATA and change.what in (changes.REPLACED, changes.REMOVED):
            assert change.type == "AWS::EC2::EIP", f"{change.resource} is {change.what}: {change.properties}"
        if change.type in expected.DATA and change.what == changes.MAY_BE_REPLACED:
            assert change.properties == ("MultiAZ",), f"{change.resource}: {change.properties}"


@pytest.mark.parametrize("step", STEPS)
def test_move_reads_the_same_list(step: str) -> None:
    source, target = step.split(" -> ")
    found = path.notable(STEPS[step])
    assert expected.listed(source, target) == {resource for some in found.values() for resource in some}


# --- What the computation knows -------------------------------------------------------------------------------------

SMALL = """
Parameters: {Cidr: {Type: String, Default: 10.0.0.0/16}, Mask: {Type: String, Default: "no"}, Image: {Type: String, Default: ami-1}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Other: {Type: AWS::EC2::InternetGateway, Properties: {}}
  Database: {Type: AWS::RDS::DBInstance, Properties: {Engine: mysql, MultiAZ: !Ref Mask}}
  Start: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {ImageId: !Ref Image}}}
  Machine: {Type: AWS::EC2::Instance, Properties: {LaunchTemplate: {LaunchTemplateId: !Ref Start, Version: !GetAtt Start.LatestVersionNumber}}}
"""


def _changes(**parameters: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    template = Template.parse(SMALL, "small")
    found = changes.between([template.evaluate({})], [template.evaluate(parameters)])
    return {change.resource.removeprefix("small/"): (change.what, change.properties) for change in found}


def test_nothing_changes_nothing() -> None:
    assert _changes() == {}


def test_a_create_only_property_replaces_and_what_names_it_is_replaced_too() -> None:
    assert _changes(Cidr="10.1.0.0/16") == {"Vpc": ("replaced", ("CidrBlock",)), "Subnet": ("replaced", ("VpcId",))}


def test_a_conditional_one_may_replace() -> None:
    assert _changes(Mask="yes") == {"Database": ("may be replaced", ("MultiAZ",))}


def test_a_new_version_of_a_launch_template_replaces_its_instances() -> None:
    found = _changes(Image="ami-2")
    assert found == {
        "Start": ("updated", ("LaunchTemplateData/ImageId",)),
        "Machine": ("replaced", ("LaunchTemplate/Version",)),
    }


def test_what_is_only_on_one_side_is_made_or_removed() -> None:
    empty = Template.parse("Resources: {}", "small").evaluate({})
    whole = Template.parse(SMALL, "small").evaluate({})
    assert {change.what for change in changes.between([empty], [whole])} == {"made"}
    assert {change.what for change in changes.between([whole], [empty])} == {"removed"}
