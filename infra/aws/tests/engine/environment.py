"""A preset evaluated whole: its stacks in order, each with the exports of those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from trestle_aws import presets
from trestle_aws.place import Place
from trestle_aws.planning import Design, Examples, Release
from trestle_aws.template import Resource, Stack, Template, exports_of
from trestle_aws.values import GetAtt, Ref, Symbol, Text, Value
from trestle_aws.values import items as items
from trestle_aws.values import mapping as mapping
from trestle_aws.values import truth as truth

ROOT = Path(__file__).resolve().parents[2]
STACKS = ROOT / "stacks"

REGION = "ap-northeast-2"
"""Not the region that everything defaults to, so that a region written into a template is noticed."""

GIVEN = {
    "Project": "trestle",
    "Environment": "test",
    "Release": "1.2.3",
    "ReleaseSha256": "0123456789abcdef" * 4,
    "ReleaseBucket": "trestle-test-releases-example",
}
"""What every environment of the tests is given; the bucket's name is what trestle_aws.planning.Examples makes of the others."""


@dataclass
class Environment:
    """The stacks of a preset. `given` are parameters by stack."""

    name: str
    region: str = REGION
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    stacks: dict[str, Stack] = field(default_factory=dict)

    @cached_property
    def exports(self) -> dict[str, Value]:
        """All exports under their whole names."""
        return exports_of([stack for stack in self.stacks.values() if stack.region == self.region])

    def export(self, name: str) -> Value:
        """An export by its short name, or None."""
        return self.exports.get(f"{GIVEN['Project']}-{GIVEN['Environment']}-{name}")

    def export_list(self, name: str) -> list[Value]:
        """The items of an export that is a joined list."""
        value = self.export(name)
        if value in (None, ""):
            return []
        if isinstance(value, Text):
            return [part for part in value.parts if part != ","]
        return value.split(",") if isinstance(value, str) else [value]  # type: ignore[return-value]

    def resources(self, *types: str) -> Iterator[Resource]:
        """The resources of these types, or all."""
        for stack in self.stacks.values():
            for resource in stack.resources.values():
                if not types or resource.type in types:
                    yield resource

    @cached_property
    def _by_ref(self) -> dict[tuple[str, str], Resource]:
        return {(resource.stack, resource.id): resource for resource in self.resources()}

    def behind(self, symbol: Value) -> Resource | None:
        """The resource that a `Ref` or `GetAtt` names."""
        if isinstance(symbol, (Ref, GetAtt)):
            return self._by_ref.get((symbol.stack, symbol.id))
        return None

    def parameter(self, name: str, stack: str) -> str:
        """A parameter's value in a stack; "" where stack or parameter is not there."""
        return str(self.stacks[stack].parameters.get(name, "")) if stack in self.stacks else ""

    def has(self, stack: str) -> bool:
        """Is the stack part of the preset?"""
        return stack in self.stacks


@cache
def templates() -> dict[str, Template]:
    """All templates by name."""
    return {path.stem: Template.read(path) for path in sorted(STACKS.glob("*.yml"))}


@dataclass(frozen=True)
class Variant:
    """A preset with what a user adds to it: stacks, and parameters as `trestle-aws --set` takes them."""

    preset: str
    settings: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    region: str = REGION


@cache
def parameters(variant: Variant) -> dict[str, dict[str, str]]:
    """Each stack's parameters as trestle-aws gives them, in the order in which it makes the stacks."""
    preset = presets.read(variant.preset)
    wanted = preset.stacks | {key: {} for key in variant.stacks}
    preset = replace(preset, stacks={key: wanted[key] for key in presets.ORDER if key in wanted})
    return design(preset, variant.settings, variant.region)


def design(
    preset: presets.Preset, settings: tuple[str, ...] = (), region: str = REGION, release: str = ""
) -> dict[str, dict[str, str]]:
    """The parameters of any preset."""
    place = Place(GIVEN["Project"], GIVEN["Environment"], region)
    given = Release(release or GIVEN["Release"], GIVEN["ReleaseSha256"])
    made = Design.make(place, preset, presets.Settings.parse(settings), given, ROOT)
    return {key: made.parameters(key, Examples(place)) for key in made.keys()}


def template_of(key: str, known: Mapping[str, Template]) -> Template:
    """The template of a stack; the certificate's is deployed in two regions."""
    return known[key.removesuffix("-us-east-1")]


def build(variant: Variant, known: Mapping[str, Template] | None = None, name: str = "") -> Environment:
    """Evaluate a variant; `known` replaces the templates in the files."""
    return evaluate(name or variant.preset, parameters(variant), variant.region, known)


def evaluate(
    name: str,
    given: Mapping[str, dict[str, str]],
    region: str = REGION,
    known: Mapping[str, Template] | None = None,
    ssm: Mapping[str, str] | None = None,
) -> Environment:
    """The stacks with these parameters, each with the exports of those before it in its region."""
    environment = Environment(name, region)
    for key, values in given.items():
        where = "us-east-1" if key.endswith("-us-east-1") else region
        environment.given[key] = values
        environment.stacks[key] = template_of(key, known or templates()).evaluate(
            values,
            region=where,
            key=key,
            ssm=ssm,
            imports=exports_of([stack for stack in environment.stacks.values() if stack.region == where]),
        )
    return environment


def at(value: Value, path: str) -> Value:
    """What is at a path such as "LaunchTemplateData/MetadataOptions/HttpTokens"; None where it ends before."""
    for part in path.split("/"):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def number(value: Value) -> float:
    """A number that may be written as a string; NaN for all else, which no comparison holds for."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else float("nan")
    except ValueError:
        return float("nan")


def is_symbol(value: Value) -> bool:
    """Only known once deployed?"""
    return isinstance(value, Symbol)
