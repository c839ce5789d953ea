"""The growth path's steps as `trestle-aws move` takes them, and what each does to resources."""

from __future__ import annotations

from collections.abc import Iterator

from engine.environment import Environment, design, evaluate
from trestle_aws import changes, expected, presets
from trestle_aws.commands import move

IMAGES = [f"/aws/service/debian/release/13/latest/{architecture}" for architecture in ("amd64", "arm64")]


def _environment(preset: presets.Preset, release: str, image: str) -> Environment:
    """With a release and images of its own: time passes between two steps, and both may be newer after it."""
    return evaluate(preset.name, design(preset, release=release), ssm=dict.fromkeys(IMAGES, image))


def steps() -> Iterator[tuple[str, list[changes.Change]]]:
    """Each step's name and changes; those of the environment in between, where both serve, are among them."""
    for before, after in zip(presets.PATH, presets.PATH[1:], strict=False):
        source, target = presets.read(before), presets.read(after)
        old = _environment(source, "1.2.3", "ami-0123456789abcdef0")
        both = move._transition(source, target, has_instances="instances" in source.stacks)
        between = _environment(both, "1.2.4", "ami-0123456789abcdef1")
        new = _environment(target, "1.2.4", "ami-0123456789abcdef1")
        # Stacks that the target lacks stay until the end, and are deleted whole.
        yield (
            f"{before} -> {after}",
            [*_changes(old, between), *changes.between(between.stacks.values(), new.stacks.values())],
        )


def _changes(old: Environment, new: Environment) -> list[changes.Change]:
    kept = [stack for stack in old.stacks.values() if stack.key in new.stacks]
    gone = [stack for key, stack in old.stacks.items() if key not in new.stacks]
    found = changes.between(kept, new.stacks.values())
    return found + [
        changes.Change(str(resource), resource.type, changes.REMOVED)
        for stack in gone
        for resource in stack.resources.values()
    ]


def notable(found: list[changes.Change]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What the list has to name: by class the resources, with the properties that it is for."""
    result: dict[str, dict[str, tuple[str, ...]]] = {}
    for change in found:
        if change.what in (changes.REPLACED, changes.MAY_BE_REPLACED):
            result.setdefault(change.what, {})[change.resource] = change.properties
        elif change.what == changes.REMOVED and change.type in expected.DATA:
            result.setdefault("removed data", {})[change.resource] = ()
    return result
