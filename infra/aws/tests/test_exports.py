"""Stacks are joined by exports: each import finds its export in a stack that is made before, and no export is for nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.environment import ROOT, build, templates
from engine.variants import Variant, all_variants

from trestle_aws.presets import ORDER, names
from trestle_aws.template import Template

PREFIX = "${Project}-${Environment}-"


def imports(value: object) -> Iterator[str]:
    """The short names of the exports that an expression takes, however deep they are."""
    if isinstance(value, dict):
        if "Fn::ImportValue" in value:
            yield short(value["Fn::ImportValue"])
        for item in value.values():
            yield from imports(item)
    elif isinstance(value, list):
        for item in value:
            yield from imports(item)


def short(name: object) -> str:
    """`${Project}-${Environment}-VpcId` without its beginning, which is the same for all: an environment sees only its own."""
    assert isinstance(name, dict) and isinstance(name.get("Fn::Sub"), str), (
        f"{name}: names of exports are made by Fn::Sub"
    )
    source = str(name["Fn::Sub"])
    assert source.startswith(PREFIX) and re.fullmatch(r"[A-Z][A-Za-z0-9]*", source.removeprefix(PREFIX)), source
    return source.removeprefix(PREFIX)


def exports(template: Template) -> dict[str, dict[str, object]]:
    """The outputs that are exported, by short name."""
    outputs = template.body.get("Outputs", {})
    assert isinstance(outputs, dict)
    return {short(output["Export"]["Name"]): output for output in outputs.values() if "Export" in output}


def sources() -> str:
    """What may name an export besides a template: trestle-aws, and what readers are told."""
    files = [*(ROOT / "trestle_aws").rglob("*.py"), *(ROOT / "lambda").glob("*.py"), *ROOT.glob("*.md")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def place(stack: str) -> int:
    """When a stack is made."""
    return ORDER.index(stack)


def test_every_template_is_made_in_some_order() -> None:
    assert {path.stem for path in Path(ROOT / "stacks").glob("*.yml")} == {
        name.removesuffix("-us-east-1") for name in ORDER
    }


def test_each_export_has_one_owner() -> None:
    owners: dict[str, list[str]] = {}
    for stack, template in templates().items():
        for name in exports(template):
            owners.setdefault(name, []).append(stack)
    assert {name: stacks for name, stacks in owners.items() if len(stacks) > 1} == {}


@pytest.mark.parametrize("stack", sorted(templates()))
def test_imports_come_from_stacks_that_are_made_before(stack: str) -> None:
    owner = {name: other for other, template in templates().items() for name in exports(template)}
    for name in set(imports(templates()[stack].body)):
        assert name in owner, f"{stack} imports {name}, which no stack exports"
        assert place(owner[name]) < place(stack), f"{stack} imports {name} of {owner[name]}, which is made after it"


def test_each_export_is_for_somebody() -> None:
    """An export in use cannot be changed, so one that is for nobody is a burden. What no program takes says what a reader does with it."""
    used = {name for template in templates().values() for name in imports(template.body)}
    written = sources()
    unused = [
        f"{stack}: {name}"
        for stack, template in sorted(templates().items())
        for name, output in exports(template).items()
        if name not in used and not re.search(rf"\b{name}\b", written) and not output.get("Description")
    ]
    assert unused == []


@pytest.mark.parametrize("name", sorted(all_variants()))
def test_presets_find_what_they_import(name: str) -> None:
    """Conditions included: what an option leaves out is not imported with that option. An import without its export raises."""
    environment = build(all_variants()[name])
    assert any(stack.imported for stack in environment.stacks.values())


def test_presets_are_all_looked_at() -> None:
    assert set(names()) <= set(all_variants())


# What people change in what runs. Each may change exports; none that another stack takes, since CloudFormation refuses that.
CHANGES = {
    "a larger database": ("DatabaseClass=db.m7g.xlarge",),
    "a standby": ("data.MultiAz=yes",),
    "larger instances": ("app.WebInstanceType=c7a.large", "app.ApiInstanceType=c7a.large"),
    "more instances": (
        "app.WebMax=8",
        "app.ApiMax=5",
        "data.ApiMaxInstances=5",
        "schedule.WebMax=8",
        "schedule.ApiMax=5",
    ),
    "larger pools": ("DatabaseClass=db.m7g.xlarge", "PoolSize=32"),
    "a cache with a replica": ("data.CacheNodes=2", "data.CacheFailover=yes", "ops.CacheNodes=2"),
    "a larger cache": ("data.CacheNodeType=cache.m7g.large",),
    "fixed numbers": ("app.AutoScaling=no", "app.WebMin=2", "app.ApiMin=4"),
    "gateways instead of an instance": ("network.Nat=per-zone",),
    "protection": ("DeletionProtection=yes",),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_people_change_leaves_the_exports_in_use(change: str) -> None:
    before, after = build(Variant("demo")), build(Variant("demo", CHANGES[change]))
    taken = set().union(*(stack.imported for stack in before.stacks.values()))
    assert {name for name in taken if str(before.exports[name]) != str(after.exports.get(name))} == set()
