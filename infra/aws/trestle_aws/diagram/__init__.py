"""A preset's network as a picture: what there is, in which subnet and zone, and who may connect to whom.

Everything in it is read from the evaluated templates, so it shows what a deployment would make. `tools/generate` writes those of all
presets; a test holds the written ones against the templates.
"""

from __future__ import annotations

from collections.abc import Iterable

from trestle_aws import presets
from trestle_aws.diagram.model import Scene
from trestle_aws.diagram.painting import draw
from trestle_aws.diagram.reading import read
from trestle_aws.place import Place
from trestle_aws.planning import EXAMPLE_RELEASE, Design
from trestle_aws.template import Stack

__all__ = ["Scene", "draw", "of_preset", "read", "stacks_of"]

WITH = {"production": ("Domain=shop.example.com",)}
"""What a preset is drawn with: production is nothing without a domain."""


def stacks_of(name: str, settings: Iterable[str] | None = None) -> list[Stack]:
    """The stacks of a preset; without settings those that its picture shows."""
    parsed = presets.Settings.parse(WITH.get(name, ()) if settings is None else settings)
    place = Place("trestle", "shop", "us-east-1")
    return Design.make(place, presets.read(name), parsed, EXAMPLE_RELEASE, presets.ROOT).evaluate()


def of_preset(name: str) -> str:
    """Its picture, as SVG."""
    preset = presets.read(name)
    title = " ".join([name, *(f"--set {setting}" for setting in WITH.get(name, ()))])
    return draw(read(stacks_of(name)), title, preset.description)
