"""Presets: which stacks there are, in which order, and with which parameters. What the user sets goes over what a
preset says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from trestle_aws.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
# The order in which stacks are made; each needs only those before it. Deleted in reverse.
ORDER = (
    "release",
    "network",
    "security",
    "access",
    "data",
    "job",
    "assets",
    "dns",
    "certificate",
    "certificate-us-east-1",
    "app",
    "instances",
    "edge",
    "records",
    "ops",
    "schedule",
    "generator",
    "peering",
)
# The classic way to grow: `move` without a name goes one step on it.
PATH = (
    "stage-1-single",
    "stage-2-database",
    "stage-3-second-instance",
    "stage-4-load-balancers",
    "stage-5-auto-scaling",
    "stage-6-pictures-s3",
    "stage-7-pictures-cdn",
    "stage-8-cdn",
)


@dataclass(frozen=True)
class Preset:
    """The stacks of one way to run Trestle, with the parameters that differ from the templates' defaults."""

    name: str
    description: str
    stacks: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Settings:
    """What the user sets: for one stack (`app.Domain`), or for each that has such a parameter (`Domain`)."""

    values: dict[str, str] = field(default_factory=dict)
    earlier: dict[str, str] = field(default_factory=dict)
    """What was set at an earlier time, as STACK.PARAMETER, and not taken back since."""

    @classmethod
    def parse(cls, words: Iterable[str]) -> Settings:
        """From `--set` options."""
        values: dict[str, str] = {}
        for word in words:
            name, separator, value = word.partition("=")
            if not separator or not name or name.startswith(".") or name.endswith("."):
                raise UsageError(f"--set {word!r}: say it as STACK.PARAMETER=VALUE or PARAMETER=VALUE")
            values[name] = value
        return cls(values)

    def of(self, stack: str, parameters: Iterable[str]) -> dict[str, str]:
        """What is set for a stack with these parameters."""
        known = set(parameters)
        general = {name: value for name, value in self.values.items() if name in known}
        return _own(stack, self.earlier, known) | general | _own(stack, self.values, None)

    def check(self, parameters: Mapping[str, Iterable[str]]) -> None:
        """Each name that is set exists in one of these stacks."""
        anywhere = {name for names in parameters.values() for name in names}
        for name in self.values:
            stack, dot, parameter = name.partition(".")
            if not dot and name not in anywhere:
                raise UsageError(f"--set {name}: no stack of the preset has a parameter {name}")
            if dot and stack not in parameters:
                raise UsageError(f"--set {name}: the preset has no stack {stack}; it has {', '.join(parameters)}")
            if dot and parameter not in set(parameters[stack]):
                raise UsageError(f"--set {name}: the stack {stack} has no parameter {parameter}")


def names(root: Path = ROOT) -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in (root / "presets").glob("*.yml"))


def read(name: str, root: Path = ROOT) -> Preset:
    """A preset, its stacks in the order in which they are made."""
    known = names(root)
    if name not in known:
        raise UsageError(f"PRESET {name!r}: there is none of this name; there are {', '.join(known)}")
    source = yaml.safe_load((root / "presets" / f"{name}.yml").read_text(encoding="utf-8"))
    where = f"presets/{name}.yml"
    if not isinstance(source, dict) or not isinstance(source.get("stacks"), dict):
        raise UsageError(f"{where}: it needs a mapping `stacks`")
    stacks: dict[str, dict[str, str]] = {}
    for stack, parameters in source["stacks"].items():
        if stack not in ORDER:
            raise UsageError(f"{where}: {stack} is none of the stacks {', '.join(ORDER)}")
        if not isinstance(parameters, (dict, type(None))):
            raise UsageError(f"{where}: the parameters of {stack} are no mapping")
        stacks[stack] = {key: _text(value) for key, value in (parameters or {}).items()}
    in_order = {stack: stacks[stack] for stack in ORDER if stack in stacks}
    return Preset(name, str(source.get("description", "")).strip(), in_order)


def template_path(stack: str, root: Path = ROOT) -> Path:
    """The template of a stack: certificates in two regions share one."""
    return root / "stacks" / f"{stack.removesuffix('-us-east-1')}.yml"


def next_on_path(name: str) -> str | None:
    """The preset after this one on the growth path."""
    if name not in PATH or name == PATH[-1]:
        return None
    return PATH[PATH.index(name) + 1]


def _own(stack: str, values: Mapping[str, str], known: set[str] | None) -> dict[str, str]:
    """What is said as STACK.PARAMETER; with `known` only those parameters."""
    split = {name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{stack}.")}
    return {name: value for name, value in split.items() if known is None or name in known}


def _text(value: object) -> str:
    """YAML reads an unquoted yes as true."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return "" if value is None else str(value)
