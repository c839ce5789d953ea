"""What a picture shows: things, where they stand, and the connections between them."""

from __future__ import annotations

from dataclasses import dataclass, field

BROWSERS, CLOUDFRONT, NAMES, PICTURES = "browsers", "cloudfront", "names", "pictures"
"""What stands outside of the VPC."""


@dataclass(frozen=True)
class Thing:
    """A box. `resources` are those that it stands for, as STACK/ID."""

    name: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    tier: str = ""
    """public, app or data; nothing for what is outside of the VPC."""
    zones: tuple[int, ...] = ()
    least: int = 0
    most: int = 0
    """How many instances a group has."""


@dataclass(frozen=True)
class Edge:
    """A connection that can be opened."""

    source: str
    target: str
    ports: str


@dataclass(frozen=True)
class Cell:
    """A subnet."""

    name: str
    tier: str
    zone: int
    block: str
    way_out: str = ""
    """The NAT through which it reaches the world."""


@dataclass
class Scene:
    """All of it."""

    vpc: str = ""
    block: str = ""
    gateway: str = ""
    zones: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    things: dict[str, Thing] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    endpoints: list[tuple[str, str]] = field(default_factory=list)
    """VPC endpoints: the resource and the service."""
    services: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What has no place in the VPC: a line of text and the resources that it stands for."""
