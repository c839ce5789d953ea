"""What an update would do to each resource, computed from two evaluated stacks and the resource schemas.

AWS's change sets say it for an account; this says it without one, for the list in growth.yml. A changed `createOnlyProperties` is a
replacement, a conditional one may be; what names a replaced resource changes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trestle_aws import schema
from trestle_aws.template import Resource, Stack
from trestle_aws.values import GetAtt, Ref, Value, symbols

REPLACED, MAY_BE_REPLACED, UPDATED, MADE, REMOVED = "replaced", "may be replaced", "updated", "made", "removed"


@dataclass(frozen=True)
class Change:
    """One resource's part of an update."""

    resource: str
    """STACK/LOGICAL-ID."""
    type: str
    what: str
    properties: tuple[str, ...] = ()
    """Paths of what is different."""


def between(before: Iterable[Stack], after: Iterable[Stack]) -> list[Change]:
    """From one environment to another: stacks that are in both are updated, others made or removed with all that is in them."""
    old = {(stack.key, name): resource for stack in before for name, resource in stack.resources.items()}
    new = {(stack.key, name): resource for stack in after for name, resource in stack.resources.items()}
    changes = {key: Change(str(resource), resource.type, REMOVED) for key, resource in old.items() if key not in new}
    changes |= {key: Change(str(resource), resource.type, MADE) for key, resource in new.items() if key not in old}
    kept = [key for key in old if key in new]
    # A change may change what names the resource; as often as there is news.
    while True:
        found = {key: change for key in kept if (change := _change(old[key], new[key], changes))}
        if all(changes.get(key) == change for key, change in found.items()):
            return sorted(changes.values(), key=lambda change: change.resource)
        changes |= found


def _change(old: Resource, new: Resource, known: dict[tuple[str, str], Change]) -> Change | None:
    if old.type != new.type:
        return Change(str(new), new.type, REPLACED, ("Type",))
    paths = sorted(_different(old.properties, new.properties, known))
    if not paths:
        return None
    create_only, conditional = schema.create_only(new.type), schema.conditional_create_only(new.type)
    if any(_touches(path, create_only) for path in paths):
        what = REPLACED
    elif any(_touches(path, conditional) for path in paths):
        what = MAY_BE_REPLACED
    else:
        what = UPDATED
    return Change(str(new), new.type, what, tuple(paths))


def _touches(path: str, listed: set[str]) -> bool:
    """Is a path one of the listed ones, or inside of one, or around one?"""
    return any(path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in listed)


def _different(old: Value, new: Value, known: dict[tuple[str, str], Change], path: str = "") -> set[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found: set[str] = set()
        for key in old.keys() | new.keys():
            below = f"{path}/{key}" if path else key
            if key in old and key in new:
                found |= _different(old[key], new[key], known, below)
            else:
                found.add(below)
        return found
    if old != new or any(_is_news(symbol, known) for symbol in symbols(new)):
        return {path}
    return set()


def _is_news(symbol: object, known: dict[tuple[str, str], Change]) -> bool:
    """Does what is named here have another value afterwards?"""
    if not isinstance(symbol, (Ref, GetAtt)):
        return False
    change = known.get((symbol.stack, symbol.id))
    if change is None:
        return False
    if isinstance(symbol, GetAtt) and symbol.attribute in ("LatestVersionNumber", "DefaultVersionNumber"):
        return change.what != MADE
    return change.what == REPLACED
